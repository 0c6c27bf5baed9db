"""Memories are values: a changed one is another one."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from ntm_memory_skill.model import Link, Record, evolve, made
from tests.conftest import EPOCH

RECORD = Record(id="a", slot=3, ordinal=2, content="The key is under the mat.", created=EPOCH, at=EPOCH, tags=("home",))
CHANGES = {
    "slot": 7,
    "content": "The key is in the shed.",
    "accesses": 4,
    "accessed_at": EPOCH,
    "links": (Link("b", 0.5, EPOCH),),
    "superseded_by": "b",
    "stability": 2.5,
}


class TestEvolve:
    """A memory with some of its fields changed."""

    @pytest.mark.parametrize("names", [(), *((name,) for name in CHANGES), tuple(CHANGES)], ids=" ".join)
    def test_it_does_what_replace_does(self, names: tuple[str, ...]) -> None:
        """For one field, for several, and for none; the old one stays as it was."""
        changes = {name: CHANGES[name] for name in names}
        before = replace(RECORD)
        assert evolve(RECORD, **changes) == replace(RECORD, **changes)  # type: ignore[arg-type]  # by name
        assert before == RECORD

    def test_every_field_is_taken_over(self) -> None:
        """Also those that no test changes."""
        new = evolve(RECORD)
        assert new is not RECORD
        assert [getattr(new, field.name) for field in fields(Record)] == [
            getattr(RECORD, field.name) for field in fields(Record)
        ]

    def test_field_that_is_none_is_refused(self) -> None:
        """A slip of the pen must not be lost."""
        with pytest.raises(AttributeError):
            evolve(RECORD, contents="?")


class TestMade:
    """A memory out of its fields' values."""

    @pytest.mark.parametrize("names", [(), *((name,) for name in CHANGES), tuple(CHANGES)], ids=" ".join)
    def test_it_is_what_the_class_makes_of_them(self, names: tuple[str, ...]) -> None:
        """Whatever is left to its default, and in any order."""
        values = {name: CHANGES[name] for name in names}
        needed = {name: getattr(RECORD, name) for name in ("content", "ordinal", "at", "created", "slot", "id")}
        assert made(**{**values, **needed}) == Record(**{**values, **needed})

    @pytest.mark.parametrize("name", ["id", "slot", "ordinal", "content", "created", "at"])
    def test_one_that_has_no_default_must_be_there(self, name: str) -> None:
        """Nothing is made up."""
        values = {each.name: getattr(RECORD, each.name) for each in fields(Record)}
        del values[name]
        with pytest.raises(TypeError, match="fields of a memory"):
            made(**values)

    def test_field_that_is_none_is_refused(self) -> None:
        """As by the class."""
        values = {each.name: getattr(RECORD, each.name) for each in fields(Record)}
        with pytest.raises(TypeError, match="contents"):
            made(**values, contents="?")
