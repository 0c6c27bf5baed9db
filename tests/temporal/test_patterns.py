"""That reading is linear, by construction: every pattern of the room is bounded, and so is what is looked at."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest

from ntm_memory_skill import temporal
from ntm_memory_skill.temporal.grammar import REACH, before

OPEN = re.compile(r"[*+]|\{\d*,\}")
"""A quantifier without an upper end."""
LITERAL = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""An escaped character, or a class: what stands in these is no quantifier."""


def patterns_in(value: object) -> Iterator[re.Pattern[str]]:
    """Yield the compiled patterns that a value holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from patterns_in(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from patterns_in(getattr(value, field.name))


def all_patterns() -> dict[str, re.Pattern[str]]:
    """Return every pattern that a module of the room keeps, by its text."""
    found: dict[str, re.Pattern[str]] = {}
    for module in pkgutil.walk_packages(temporal.__path__, temporal.__name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            found.update((pattern.pattern, pattern) for pattern in patterns_in(value))
    return found


def is_open(pattern: str) -> bool:
    """Return whether a pattern has a quantifier without an upper end."""
    return OPEN.search(LITERAL.sub("", pattern)) is not None


def test_no_pattern_has_an_open_quantifier() -> None:
    """So each does a fixed amount of work at every character."""
    patterns = all_patterns()
    assert len(patterns) > 60
    assert [pattern for pattern in patterns if is_open(pattern)] == []


@pytest.mark.parametrize(
    ("pattern", "expected"), [("a+", True), ("a{2,}", True), (r"\d*", True), (r"[+*]\+a{1,2}?", False)]
)
def test_an_open_quantifier_would_be_noticed(pattern: str, expected: bool) -> None:
    """A sign within a class or behind a backslash is none."""
    assert is_open(pattern) is expected


def test_only_the_near_neighbourhood_is_looked_at() -> None:
    """What stands further off than the reach is not seen, however long the text."""
    pattern = re.compile(r"x.{0,900}\Z")
    assert before(pattern, "x" + "a" * (REACH - 1), REACH) is not None
    assert before(pattern, "x" + "a" * REACH, REACH + 1) is None
