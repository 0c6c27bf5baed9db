"""What retrieval is measured on: memories, and questions whose evidence among them is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

UNDATED = datetime(2026, 1, 1, tzinfo=UTC)
"""When a set without any times is held to have been written: always the same, so that its figures are."""
JUST_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what answers it."""

    text: str
    evidence: frozenset[str]
    """Refs of the memories that answer it, at least one. One that the set does not hold is never found."""
    category: str
    """The set's own kind of question."""
    asked: datetime | None = None
    """When it was asked, where the set says so."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What one memory holds, and what it is asked."""

    name: str
    items: tuple[dict[str, Any], ...]
    """Arguments of `memorize`, in the order in which they were said. `at` never falls inside a session."""
    questions: tuple[Question, ...]
    now: datetime
    """A moment just after the newest memory: when questions without a time of their own are asked."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file or folder: one or more memories of one kind."""

    name: str
    layout: str
    """Which layout it has: one of `layouts.LAYOUTS`."""
    corpora: tuple[Corpus, ...]

    @property
    def questions(self) -> int:
        """How many questions there are in all."""
        return sum(len(corpus.questions) for corpus in self.corpora)


def corpus(name: str, items: Sequence[dict[str, Any]], questions: Sequence[Question]) -> Corpus:
    """Return a corpus; its `now` follows from its items."""
    moments = [item["at"] for item in items if item.get("at") is not None]
    return Corpus(name, tuple(items), tuple(questions), max(moments, default=UNDATED) + JUST_AFTER)
