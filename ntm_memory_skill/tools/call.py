"""Calling a tool: arguments in, envelope out.

    {"ok": true, …}                                          it was done
    {"ok": false, "error": {"code", "message", "hint"}}      better arguments would have prevented it: for the model

Everything else is raised, for the host to log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ntm_memory_skill.config import violations
from ntm_memory_skill.errors import (
    InputError,
    InvalidArgument,
    NTMMemoryError,
    UnknownArgument,
    UnknownFilter,
    UnknownTool,
)

if TYPE_CHECKING:
    from ntm_memory_skill.engine import NTMMemoryManager
    from ntm_memory_skill.tools.spec import ToolSpec

Envelope = dict[str, Any]


def call(memory: NTMMemoryManager, tool: str, arguments: Mapping[str, Any]) -> Envelope:
    """Call one of the five tools and return its envelope.

    An argument or filter that is null counts as not given: that is how several hosts write "optional".

    Raises:
        NTMMemoryError: Something that no argument could mend, such as a full disk.
    """
    from ntm_memory_skill.tools import verbs  # with the engine, which an error's envelope does without
    from ntm_memory_skill.tools.spec import TOOLS

    handlers = {
        "memorize": verbs.memorize,
        "recall": verbs.recall,
        "search": verbs.search,
        "update": verbs.update,
        "erase": verbs.erase,
    }
    try:
        spec = TOOLS.get(tool)
        if spec is None:
            raise UnknownTool(f"there is no tool {tool!r}")
        given = _given(arguments)
        _check(spec, given)
        return {"ok": True, **handlers[tool](memory, given)}
    except InputError as error:
        return failure(error)


def failure(error: NTMMemoryError) -> Envelope:
    """Return the envelope of an error."""
    return {"ok": False, "error": {"code": error.code, "message": error.message, "hint": error.hint}}


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are not null, and the filters that are not."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if isinstance(given.get("filters"), dict):
        given["filters"] = {name: value for name, value in given["filters"].items() if value is not None}
    return given


def _check(spec: ToolSpec, arguments: Mapping[str, Any]) -> None:
    """Hold the arguments against the tool's schema; everything that is wrong is reported at once."""
    found = violations(dict(arguments), spec.input_schema)
    if not found:
        return
    message = "; ".join(map(str, found))
    if not any(violation.unknown for violation in found):
        raise InvalidArgument(f"{spec.name}: {message}")
    if any(violation.unknown and violation.path.startswith("filters.") for violation in found):
        raise UnknownFilter(f"{spec.name}: {message}")
    raise UnknownArgument(f"{spec.name}: {message}", hint=f"The arguments are: {', '.join(spec.properties)}.")
