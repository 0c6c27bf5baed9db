"""Checking a JSON value against a schema, with every violation in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from jsonschema import TypeChecker, ValidationError


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a value."""

    path: str
    """Where, with dots: ``ntm_memory.memory_size``. Empty for the value itself."""
    problem: str
    """What is wrong, and what is allowed."""
    unknown: bool = False
    """Whether it is a name that does not exist."""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


def violations(value: object, schema: Mapping[str, Any]) -> list[Violation]:
    """Return everything about `value` that breaks `schema`, in the order of the schema."""
    errors = _validator()(schema).iter_errors(value)
    return [violation for error in errors for violation in _describe(error)]


def _is_whole(_: TypeChecker, value: object) -> bool:
    """Return whether a value is an integer. JSON schema takes 64.0 for one too, but no array has such a length."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: TypeChecker, value: object) -> bool:
    """Return whether a value is a finite number: NaN is neither below nor above any bound."""
    return _is_whole(checker, value) or (isinstance(value, float) and math.isfinite(value))


@cache
def _validator() -> Any:
    """Return the class that checks; its library is imported with the first value to check."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_whole, "number": _is_number})
    return extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]  # the stubs lack its types


def _describe(error: ValidationError) -> Iterator[Violation]:
    path = ".".join(str(part) for part in error.absolute_path)
    schema = cast("Mapping[str, Any]", error.schema)  # "true" and "false" are schemas as well, but not ours
    given: Any = error.instance
    if error.validator == "additionalProperties":
        known = sorted(schema.get("properties", {}))
        names = "there are none here" if not known else f"known: {', '.join(known)}"
        for name in given:
            if name not in known:
                shown = name if name.isprintable() else repr(name)  # a lone surrogate can be neither sent nor printed
                yield Violation(f"{path}.{shown}" if path else shown, f"no such name ({names})", unknown=True)
        return
    if error.validator == "required":
        missing = [name for name in schema["required"] if name not in given]
        yield Violation(path, f"{' and '.join(missing)} is missing")
        return
    yield Violation(path, f"{_expected(schema)}, not {_shown(given)}")


def _expected(schema: Mapping[str, Any]) -> str:
    """Return in words what a schema allows."""
    if "enum" in schema:
        return "one of " + ", ".join(map(_shown, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_expected(option) for option in schema["anyOf"])
    if "const" in schema:
        return _shown(schema["const"])
    return _KINDS[schema["type"]] + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    """Return in words the bounds of a number, a text or a list; nothing where there are none."""
    low = schema.get("minimum", schema.get("minLength", schema.get("minItems")))
    high = schema.get("maximum", schema.get("maxLength", schema.get("maxItems")))
    unit = {"string": " characters", "array": " entries"}.get(schema["type"], "")
    above = schema.get("exclusiveMinimum")
    if above is not None:
        return f" above {above}" + ("" if high is None else f", up to {high}")
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low}{unit}"
    return f" from {low or 0} to {high}" if not unit else f" of {low or 0} to {high}{unit}"


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list",
    "object": "an object",
}


def _shown(value: object) -> str:
    text = repr(value)
    return {"True": "true", "False": "false", "None": "null"}.get(text, text if len(text) <= 60 else text[:57] + "...")
