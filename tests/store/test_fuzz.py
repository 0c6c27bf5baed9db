"""Whatever bytes stand in the files, a reader neither crashes nor loses anything silently: some thousands of inputs.

bench/fuzz.py runs the same mutators over a million. An input that fails is named by its kind and number, and can be
made again with `mutations.made`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.store import keycache, seal
from ntm_memory_skill.store.files import Files
from tests.store.judging import Verdict, judge, tried
from tests.store.mutations import AWKWARD, KINDS, NAMES, Case
from tests.store.specimens import CHEAP, JOURNAL, KEYS, SNAPSHOT, WRITER, Specimen, specimens

Memories = tuple[Specimen, ...]

SEED = 20141020
INPUTS = 500  # of each kind: some twelve seconds in all
ONLY_A_CACHE = ("key cache damaged", "key cache, rows mixed")
BELIEVED = ("snapshot's header", "records", "tombstones", "entries", "events")
"""What can be told otherwise so that it is taken for true: the code behind the checksums is reached there."""

EXAMPLES = settings(deadline=None, max_examples=150)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(AWKWARD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
EDITS = st.tuples(
    st.sampled_from((SNAPSHOT, JOURNAL, KEYS)), st.integers(0, 2500), st.integers(0, 300), st.binary(max_size=20)
)


@pytest.fixture(scope="module")
def memories() -> Iterator[Memories]:
    """The memories that are damaged. Deriving a key is made cheap, for it is done thousands of times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(seal.SCRYPT, *CHEAP)
        yield specimens()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lock is; all other files are in this process's memory."""
    return tmp_path_factory.mktemp("lock")


def verdicts(kind: str, memories: Memories, folder: Path) -> list[Verdict]:
    """Return what became of the inputs of a kind. An exception that is not the store's own goes through."""
    return [tried(kind, number, SEED, memories, folder) for number in range(INPUTS)]


def losses(found: list[Verdict]) -> dict[int, str]:
    """Return what was lost silently, by the number of the input."""
    return {number: verdict.detail for number, verdict in enumerate(found) if verdict.outcome == "loss"}


class TestWholeMemories:
    """What the damage starts from."""

    def test_they_are_read_as_written(self, memories: Memories, folder: Path) -> None:
        """Else the judge would find fault with anything, or with nothing."""
        for specimen in memories:
            assert judge(Case(specimen, specimen.files), folder).outcome == "same"

    def test_files_put_together_after_the_description_are_the_stores_own(
        self, memories: Memories, folder: Path
    ) -> None:
        """What the mutators put behind checksums gets past them; a journal is the same byte for byte."""
        for specimen in memories:
            files = specimen.told(specimen.snapshot, specimen.journal)
            assert judge(Case(specimen, files), folder).outcome == "same"
            assert (files[JOURNAL] == specimen.files[JOURNAL]) == (specimen.seal is None)  # no two sealings are equal


class TestDamage:
    """Every kind of damage, some hundreds of times each."""

    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ONLY_A_CACHE])
    def test_it_is_refused_or_loses_nothing_silently(self, kind: str, memories: Memories, folder: Path) -> None:
        """An error with a code, or what was written, or less of it with a report."""
        found = verdicts(kind, memories, folder)
        assert losses(found) == {}
        assert any(verdict.outcome == "refused" for verdict in found)

    @pytest.mark.parametrize("kind", ONLY_A_CACHE)
    def test_a_key_cache_costs_rows_and_nothing_else(self, kind: str, memories: Memories, folder: Path) -> None:
        """Never a memory, and no text gets another one's row."""
        assert {verdict.outcome for verdict in verdicts(kind, memories, folder)} == {"same"}

    @pytest.mark.parametrize("part", BELIEVED)
    def test_some_of_what_stands_behind_checksums_is_believed(
        self, part: str, memories: Memories, folder: Path
    ) -> None:
        """Else the code that reads it would never have been reached."""
        found = verdicts(f"behind checksums: {part}", memories, folder)
        assert any(verdict.outcome == "another" for verdict in found)


FOUND: dict[str, Callable[[Any, list[Any]], object]] = {
    "a generation of 64 bits": lambda snapshot, _: snapshot.update(generation=2**64 - 1),
    "a generation that is a text": lambda snapshot, _: snapshot.update(generation="2"),
    "a sequence below zero": lambda snapshot, _: snapshot.update(sequence=-1),
    "an ordinal beyond integers": lambda snapshot, _: snapshot.update(next_ordinal=1e300),
    "a slot below zero": lambda snapshot, _: snapshot["records"][0].update(slot=-1),
    "a slot of 64 bits": lambda snapshot, _: snapshot["records"][0].update(slot=2**64 - 1),
    "an id twice in the archive": lambda snapshot, _: snapshot["archive"].append(snapshot["archive"][0]),
    "a burial without its zone": lambda snapshot, _: snapshot["tombstones"].update(m999="2026-01-01T00:00:00"),
    "a snapshot's time without its zone": lambda snapshot, _: snapshot.update(written="2026-01-01T00:00:00"),
    "a dimension below zero": lambda snapshot, _: snapshot["encoder"].update(dimension=-1),
    "a dimension of 64 bits": lambda snapshot, _: snapshot["encoder"].update(dimension=2**64 - 1),
    "keys shorter than the dimension": lambda snapshot, _: snapshot["encoder"].update(dimension=2**40),
    "half a number as a key": lambda _, journal: journal[-1]["events"][0].update(key_row="AAA="),
    "more accesses than memories": lambda _, journal: _accesses(journal)["counts"].append(1),
    "more accesses than can be written": lambda snapshot, _: snapshot["records"][0].update(accesses=2**53),
}
"""What fuzzing has found: right checksums around what once crashed, or was believed and could not be written again."""


def _accesses(journal: list[Any]) -> Any:
    """Return the event that counts accesses."""
    return next(event for line in journal[1:] for event in line["events"] if event["event"] == "accessed")


@pytest.mark.parametrize("found", FOUND)
def test_what_was_found_before_is_refused(found: str, memories: Memories, folder: Path) -> None:
    """By a store that opens it, with a code."""
    snapshot, journal = copy.deepcopy((memories[0].snapshot, memories[0].journal))
    FOUND[found](snapshot, journal)
    verdict = judge(Case(memories[0], memories[0].told(snapshot, journal), "decodes"), folder)
    assert verdict == Verdict("refused", StoreDamaged.code)


class TestTheJudge:
    """It has to see a loss, or all of the above says nothing."""

    @pytest.mark.parametrize(
        ("owner", "check", "instead", "kind"),
        [
            (Files, "_check_complete", lambda *_: None, "cut off"),
            (keycache, "_checksum", lambda *_: 0, "key cache, rows mixed"),
        ],
        ids=["acknowledged entries", "rows"],
    )
    def test_a_reader_that_checks_less_is_caught(
        self, owner: object, check: str, instead: Callable[..., Any], kind: str, folder: Path
    ) -> None:
        """The same inputs, with one of the reader's checks taken out."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(seal.SCRYPT, *CHEAP)
            patch.setattr(owner, check, instead)
            assert losses(verdicts(kind, specimens(), folder))

    def test_an_entry_that_says_something_else_is_caught(self, memories: Memories, folder: Path) -> None:
        """A reader cannot know, for all checksums are right; the judge does."""
        specimen = memories[0]
        changed = [*specimen.journal[:-1], {**specimen.journal[-1], "events": []}]
        files = specimen.told(specimen.snapshot, changed)
        assert judge(Case(specimen, files), folder).outcome == "loss"


class TestAnythingAtAll:
    """Inputs that Hypothesis makes up, and makes smaller where one fails."""

    @given(which=st.integers(0, 2), edits=st.lists(EDITS, min_size=1, max_size=3))
    @EXAMPLES
    def test_any_edits_lose_nothing_silently(
        self, memories: Memories, folder: Path, which: int, edits: list[tuple[str, int, int, bytes]]
    ) -> None:
        """Bytes taken out and put in, anywhere in the files."""
        specimen = memories[which]
        files = dict(specimen.files)
        for name, start, length, instead in edits:
            files[name] = files[name][:start] + instead + files[name][start + length :]
        assert judge(Case(specimen, files), folder).outcome != "loss"

    @given(st.fixed_dictionaries(dict.fromkeys((SNAPSHOT, JOURNAL, KEYS, WRITER), st.binary(max_size=200))))
    @EXAMPLES
    def test_any_bytes_are_refused(self, memories: Memories, folder: Path, files: dict[str, bytes]) -> None:
        """In all files at once."""
        assert judge(Case(memories[0], files), folder).outcome == "refused"

    @given(which=st.integers(0, 2), value=JSON_VALUES, single=st.booleans())
    @EXAMPLES
    def test_any_json_for_an_entry_is_refused_or_can_be_kept(
        self, memories: Memories, folder: Path, which: int, value: Any, single: bool
    ) -> None:
        """As the events of the last entry, or as one of them."""
        specimen = memories[which]
        last = {**specimen.journal[-1], "events": [value] if single else value}
        files = specimen.told(specimen.snapshot, [*specimen.journal[:-1], last])
        assert judge(Case(specimen, files, "decodes"), folder).outcome != "loss"

    @given(which=st.integers(0, 2), member=st.integers(0, 20), value=JSON_VALUES)
    @EXAMPLES
    def test_any_json_for_a_part_of_the_snapshot_is_refused_or_can_be_kept(
        self, memories: Memories, folder: Path, which: int, member: int, value: Any
    ) -> None:
        """In the place of any of its members."""
        specimen = memories[which]
        names = list(specimen.snapshot)
        changed = {**specimen.snapshot, names[member % len(names)]: value}
        files = specimen.told(changed, specimen.journal)
        assert judge(Case(specimen, files, "decodes"), folder).outcome != "loss"
