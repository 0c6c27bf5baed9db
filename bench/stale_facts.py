"""Which of several values of a fact the memory gives: today's, or the one that held at a moment.

    python bench/stale_facts.py --failures

Reads bench/successions.jsonl: facts that changed, each with what was memorized of it in turn, and bystanders, which
are about the same people and things and change nothing. Everything is memorized in the order of time, with the clock
at that moment, into one memory a language and into one for both. Then two questions are asked of each fact: a plain
one, which the last value answers, and one with `as_of`, which the value of that moment answers. A question counts if
the memory that answers it comes first of five, by its id. The rows:

    without M3   nothing looks for successions
    with M3      the product finds them by itself
    oracle       each value is memorized with `supersedes`, the id of the one before it: the most that can be had

Beside the questions stand the successions that were marked as what they are, and what was marked without reason: values
that still hold, and bystanders. A memory that was taken for a duplicate of another one, and not stored, counts as wrong
wherever it is asked for.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness import KeepingEncoder
from ntm_memory_skill import Encoder, M3Settings, NTMMemoryManager, SentenceEncoder, Settings
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore

FILE = Path(__file__).with_name("successions.jsonl")
WITHOUT, WITH, ORACLE = "without M3", "with M3", "oracle"
ROWS = (WITHOUT, WITH, ORACLE)
BOTH = "both"
CONSOLIDATE = "consolidate"
LANGUAGES = ("en", "zh")
DEPTH = 5
SEED = 20260101
WIDTH = 150  # characters: a table in a file is as wide as one on a wide terminal


@dataclass(frozen=True, slots=True)
class Value:
    """Something that is memorized at a moment."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A fact that changed."""

    id: str
    language: str
    kind: str
    explicit: bool
    """Whether a later value says that something changed; else it just says something else."""
    values: tuple[Value, ...]
    """Two or more, oldest first."""
    plain: str
    """The question about today."""
    then: str
    """The question about `then_at`."""
    then_at: datetime

    @property
    def held_then(self) -> int:
        """Which value held at `then_at`, from 0."""
        return sum(value.at <= self.then_at for value in self.values) - 1

    @property
    def groups(self) -> tuple[str, ...]:
        """What it is counted under, in the memory of both languages."""
        return (
            "says so" if self.explicit else "restated",
            f"{len(self.values)} values",
            self.kind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bystander:
    """A memory that replaces nothing, and that nothing replaces."""

    id: str
    language: str
    near: str
    """Id of the succession that it could be taken for a part of."""
    why: str
    """attribute: something else about the same subject; multi: one of several that hold together; other: the same
    about another subject."""
    value: Value


@dataclass(slots=True)
class Counts:
    """What came of a group of successions, and of the bystanders in the same memory."""

    successions: int = 0
    plain: int = 0
    """Questions about today that were answered first."""
    then: int = 0
    """Questions about a moment that were answered first."""
    replaced: int = 0
    """Values that another one replaced."""
    marked: int = 0
    """Of these, the ones that are superseded by the next value."""
    wrongly_marked: int = 0
    """Values that still hold, and are superseded all the same."""
    bystanders: int = 0
    bystanders_marked: int = 0
    """Superseded, or not stored."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that something else answered first, or a bystander that was superseded."""

    row: str
    memory: str
    id: str
    question: str
    wanted: str
    first: str
    as_of: str | None = None


@dataclass(slots=True)
class Result:
    """What came of one row over one memory."""

    row: str
    memory: str
    groups: dict[str, Counts] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class Moment:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.now = datetime(2024, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the moment."""
        return self.now


def settings_for(row: str) -> Settings:
    """Return the settings of a row: the product's, or those of a memory that marks and counts nothing by itself."""
    if row == WITH:
        return Settings()
    return Settings(m3=M3Settings(duplicates="keep", successions="off", latest_first=False))


def main() -> None:
    """Print a table, the failures if asked for, and write all figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=FILE, help="the successions (default: those beside this script)")
    parser.add_argument("--rows", help=f"which rows, by commas: {', '.join(ROWS)}")
    parser.add_argument("--consolidate", action="store_true", help=f"consolidate {WITH} before asking")
    parser.add_argument("--failures", action="store_true", help="list each question that was not answered first")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures and failures to this file")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there")
    arguments = parser.parse_args()
    rows = ROWS if arguments.rows is None else tuple(arguments.rows.split(","))
    if unknown := [row for row in rows if row not in ROWS]:
        parser.error(f"there is no row {unknown[0]!r}")
    if arguments.consolidate and not hasattr(NTMMemoryManager, CONSOLIDATE):
        parser.error(f"this version of the memory has no `{CONSOLIDATE}`")
    torch.set_num_threads(1)
    successions, bystanders = read(arguments.file)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    results = list(measured(rows, successions, bystanders, encoder, consolidate=arguments.consolidate))
    encoder.keep()
    Console(width=WIDTH).print(table(results, rows))
    if arguments.failures:
        listed(results)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in results], ensure_ascii=False, indent=1), "utf-8")


def read(file: Path) -> tuple[list[Succession], list[Bystander]]:
    """Return the successions and the bystanders of a file, in its order."""
    successions, bystanders = [], []
    for line in file.read_text(encoding="utf-8").splitlines():
        given: dict[str, Any] = json.loads(line)
        if given["kind"] == "bystander":
            named = {name: given[name] for name in ("id", "language", "near", "why")}
            bystanders.append(Bystander(**named, value=_value(given)))
        else:
            named = {name: given[name] for name in ("id", "language", "kind", "explicit", "plain")}
            values = tuple(_value(each) for each in given["values"])
            then, moment = given["as_of"]["question"], datetime.fromisoformat(given["as_of"]["at"])
            successions.append(Succession(**named, values=values, then=then, then_at=moment))
    return successions, bystanders


def measured(
    rows: Sequence[str],
    successions: Sequence[Succession],
    bystanders: Sequence[Bystander],
    encoder: Encoder,
    *,
    consolidate: bool,
) -> Iterator[Result]:
    """Yield what came of each row over each language's memory and that of both."""
    memories = (*LANGUAGES, BOTH)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("memories", total=len(rows) * len(memories))
        for row in rows:
            for name in memories:
                progress.update(task, description=f"{row}, {name}")
                told = [each for each in successions if name in (each.language, BOTH)]
                beside = [each for each in bystanders if name in (each.language, BOTH)]
                trial = Trial(row, name, told, beside)
                with trial.filled(encoder) as memory:
                    if consolidate and row == WITH:
                        consolidated(memory)
                    yield trial.judged(memory)
                progress.advance(task)


def consolidated(memory: NTMMemoryManager) -> None:
    """Let the memory look through all that it holds."""
    look_through: Callable[[], object] = getattr(memory, CONSOLIDATE)
    look_through()


class Trial:
    """One row over one memory.

    Args:
        row: Its name.
        memory: The memory's name.
        successions: What is told, and asked about.
        bystanders: What is told beside it.
    """

    def __init__(
        self, row: str, memory: str, successions: Sequence[Succession], bystanders: Sequence[Bystander]
    ) -> None:
        self._row, self._name = row, memory
        self._successions, self._bystanders = successions, bystanders
        self._clock = Moment()
        self._ids: dict[Value, str] = {}
        self._result = Result(row, memory)

    def filled(self, encoder: Encoder) -> NTMMemoryManager:
        """Return a memory that was told everything, in the order of time."""
        memory = NTMMemoryManager(
            MemoryStore(), encoder, settings_for(self._row), clock=self._clock, ids=seeded_ids(SEED)
        )
        before = {
            new: old for each in self._successions for old, new in zip(each.values, each.values[1:], strict=False)
        }
        values = [value for each in self._successions for value in each.values]
        for value in sorted((*values, *(each.value for each in self._bystanders)), key=lambda value: value.at):
            self._clock.now = value.at
            old = before.get(value) if self._row == ORACLE else None
            supersedes = None if old is None else self._ids[old]
            ident = memory.memorize(value.text, at=value.at, supersedes=supersedes).record.id
            if ident not in self._ids.values():
                self._ids[value] = ident
        self._clock.now += timedelta(days=1)
        return memory

    def judged(self, memory: NTMMemoryManager) -> Result:
        """Ask the memory everything, and return what came of it."""
        for each in self._successions:
            groups = [self._group(name) for name in ("all", *(each.groups if self._name == BOTH else ()))]
            self._count(groups, self._marks(memory, each))
            self._count(groups, {"plain": self._asked(memory, each, each.plain, len(each.values) - 1)})
            self._count(groups, {"then": self._asked(memory, each, each.then, each.held_then, each.then_at)})
        for bystander in self._bystanders:
            wrong = self._superseded_by(memory, bystander.value) is not None or bystander.value not in self._ids
            self._count([self._group("all")], {"bystanders": 1, "bystanders_marked": wrong})
            if wrong:
                self._fail(bystander.id, "", bystander.value.text, self._successor(memory, bystander.value))
        return self._result

    def _asked(
        self, memory: NTMMemoryManager, asked: Succession, question: str, wanted: int, moment: datetime | None = None
    ) -> bool:
        """Return whether the wanted value comes first."""
        hits = memory.search(question, top_k=DEPTH, as_of=moment)
        value = asked.values[wanted]
        right = bool(hits) and hits[0].id == self._ids.get(value)
        if not right:
            self._fail(asked.id, question, value.text, hits[0].content if hits else "nothing", moment)
        return right

    def _marks(self, memory: NTMMemoryManager, told: Succession) -> dict[str, int]:
        """Return how many values are replaced, rightly marked and wrongly marked."""
        marked = 0
        for old, new in zip(told.values, told.values[1:], strict=False):
            successor = self._superseded_by(memory, old)
            marked += successor is not None and successor == self._ids.get(new)
        last = told.values[-1]
        wrong = self._superseded_by(memory, last) is not None
        if wrong:
            self._fail(told.id, "", last.text, self._successor(memory, last))
        return {"successions": 1, "replaced": len(told.values) - 1, "marked": marked, "wrongly_marked": int(wrong)}

    def _superseded_by(self, memory: NTMMemoryManager, value: Value) -> str | None:
        record = memory.state.anywhere(self._ids.get(value, ""))
        return None if record is None else record.superseded_by

    def _successor(self, memory: NTMMemoryManager, value: Value) -> str:
        """Return the text that a memory was superseded by."""
        successor = memory.state.anywhere(self._superseded_by(memory, value) or "")
        return "not stored" if successor is None else successor.content

    def _group(self, name: str) -> Counts:
        return self._result.groups.setdefault(name, Counts())

    def _fail(self, ident: str, question: str, wanted: str, first: str, moment: datetime | None = None) -> None:
        then = None if moment is None else f"{moment:%Y-%m-%d}"
        self._result.failures.append(Failure(self._row, self._name, ident, question, wanted, first, then))

    @staticmethod
    def _count(groups: Iterable[Counts], more: dict[str, int]) -> None:
        for group in groups:
            for name, number in more.items():
                setattr(group, name, getattr(group, name) + number)


def table(results: Sequence[Result], rows: Sequence[str]) -> Table:
    """Return a table: a block a memory and a group in it, a line a row; shares in percent, mistakes as numbers."""
    shown = Table("memory", "group", "n", "row", title="What comes first, by memory and kind of fact")
    for name in ("current first, %", "as of: then first, %", "old marked, %", "current marked", "bystanders marked"):
        shown.add_column(name, justify="right")
    for memory in (*LANGUAGES, BOTH):
        here = {each.row: each for each in results if each.memory == memory}
        for group in _in_order(here[rows[0]].groups):
            for row in rows:
                shown.add_row(memory, group, *_cells(row, here[row].groups[group]), end_section=row == rows[-1])
    return shown


def listed(results: Iterable[Result]) -> None:
    """Print each failure."""
    for each in (failure for result in results for failure in result.failures):
        asked = each.question or "superseded, though it holds"
        then = "" if each.as_of is None else f" (as of {each.as_of})"
        print(f"{each.row} · {each.memory} · {each.id}: {asked}{then}")
        print(f"    wanted: {each.wanted}\n    first:  {each.first}")


def _in_order(groups: Iterable[str]) -> list[str]:
    """Return the groups' names: all, how the change was told, how often it changed, and the kinds by the alphabet."""
    first = ("all", "says so", "restated", "2 values", "3 values")
    return sorted(groups, key=lambda name: (first.index(name) if name in first else len(first), name))


def _cells(row: str, found: Counts) -> list[str]:
    shares = (found.plain, found.successions), (found.then, found.successions), (found.marked, found.replaced)
    wrong = f"{found.bystanders_marked} of {found.bystanders}" if found.bystanders else ""
    percent = [f"{100 * part / whole:.1f}" for part, whole in shares]
    return [str(found.successions), row, *percent, str(found.wrongly_marked), wrong]


def _value(given: dict[str, Any]) -> Value:
    return Value(given["text"], datetime.fromisoformat(given["at"]))


if __name__ == "__main__":
    main()
