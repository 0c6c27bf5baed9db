"""Command lines that need no conversion are parsed without what converts: typer imports pydantic for it.

The law: what is passed over here is what typer would have given: nothing for what was not said, text for text, and a
number for a few digits. All else goes its way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from typer.core import TyperCommand

Process = Callable[[Any, Any], Any]


class PlainCommand(TyperCommand):
    """A command whose options are mostly left out, or text."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, `--help` included."""
        return passed_over(super().get_params(ctx))


def passed_over(parameters: Sequence[Any]) -> list[Any]:
    """Return parameters that take values which need no conversion as they are."""
    for each in parameters:
        if not isinstance(each.process_value, partial):
            each.process_value = partial(_processed, each, each.process_value)
    return list(parameters)


def _processed(parameter: Any, process: Process, context: Any, value: Any) -> Any:
    descriptor = getattr(parameter, "type_descriptor", None)
    kind, plain = getattr(descriptor, "annotation", None), value
    if value is None and not parameter.required:
        plain = () if getattr(parameter, "multiple", False) or parameter.nargs == -1 else None
    elif kind is int and _is_count(value) and _is_unbounded(descriptor):
        plain = int(value)
    elif kind == list[str] and isinstance(value, list | tuple) and value and all(map(_is_text, value)):
        plain = list(value)
    elif kind is not str or not _is_text(value):
        return process(context, value)
    return plain if parameter.callback is None else parameter.callback(context, parameter, plain)


def _is_text(value: Any) -> bool:
    """Return whether a value is text that can be written in UTF-8; what cannot, typer refuses."""
    return isinstance(value, str) and (value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value))


def _is_count(value: Any) -> bool:
    """Return whether a value is a number in a few plain digits."""
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10


def _is_unbounded(descriptor: Any) -> bool:
    info = getattr(descriptor, "parameter_info", None)
    return info is not None and getattr(info, "min", None) is None and getattr(info, "max", None) is None
