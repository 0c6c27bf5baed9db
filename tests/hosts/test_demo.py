"""The demonstration: a diary is stored, the memory opened anew, and ten questions asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, SentenceEncoder, Settings
from ntm_memory_skill.errors import InvalidArgument, MemoryFull, StoreUnreachable
from ntm_memory_skill.hosts import demo
from ntm_memory_skill.hosts.demo import Answer, Demonstration
from tests.hosts.command_line import run_here
from tests.hosts.folders import bytes_in

SUMMARY = {
    "memories",
    "questions",
    "looked_at",
    "first",
    "found",
    "cosine_first",
    "cosine_found",
    "milliseconds",
    "answers",
}
"""What is told of all answers."""
ANSWER = {"question", "rank", "cosine_rank", "score", "content"}
"""What is told of each."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made for the test's length."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def shown(temporary: Path, hashed: HashedEncoder) -> Iterator[Demonstration]:
    """A demonstration that has stored its diary."""
    with Demonstration(Settings(), encoder=hashed) as demonstration:
        demonstration.store(progress=False)
        yield demonstration


def cosine_rank(shown: Demonstration, encoder: HashedEncoder, number: int) -> int | None:
    """Return where the answer to a question stands by cosine alone, by looking at every entry."""
    asked = shown.questions[number]
    key = encoder.encode_query(asked["question"])
    scores = {entry["ref"]: float(np.dot(key, encoder.encode_query(entry["content"]))) for entry in shown.entries}
    higher = sum(score > scores[asked["ref"]] for score in scores.values())
    return higher + 1 if higher < demo.LOOKED_AT else None


class TestDiary:
    """What is shipped."""

    def test_the_diary_has_what_the_questions_ask_for(self, shown: Demonstration) -> None:
        """Ten questions in two languages; each answer stands in the entry that it names."""
        entries = {entry["ref"]: entry["content"] for entry in shown.entries}
        assert len(entries) == len(shown.entries)
        assert len(shown.questions) == 10
        assert [asked for asked in shown.questions if asked["answer"] not in entries[asked["ref"]]] == []
        chinese = [asked for asked in shown.questions if not asked["question"].isascii()]
        assert 0 < len(chinese) < 10


class TestDemonstration:
    """With an encoder that needs no model."""

    def test_it_leaves_nothing_behind(self, temporary: Path, hashed: HashedEncoder) -> None:
        """Its memory was on disk, in a folder that goes with it."""
        with Demonstration(Settings(), encoder=hashed) as shown:
            shown.store(progress=False)
            assert any(name.endswith("ntm_memory.json") for name in bytes_in(temporary))
        assert bytes_in(temporary) == {}

    def test_a_failure_leaves_nothing_behind_either(self, temporary: Path, hashed: HashedEncoder) -> None:
        """Here the memory is too small for the diary."""
        with pytest.raises(MemoryFull), Demonstration(Settings(memory_size=10), encoder=hashed) as shown:
            shown.store(progress=False)
        assert bytes_in(temporary) == {}

    def test_asking_before_storing_is_a_mistake(self, temporary: Path, hashed: HashedEncoder) -> None:
        """There is nothing to ask."""
        with Demonstration(Settings(), encoder=hashed) as shown, pytest.raises(RuntimeError):
            shown.ask(0)

    def test_an_answer_says_where_it_was_found(self, shown: Demonstration, hashed: HashedEncoder) -> None:
        """Its rank among the hits, and by cosine alone."""
        for number, asked in enumerate(shown.questions):
            answer = shown.ask(number)
            refs = [hit.ref for hit in answer.hits]
            assert len(refs) == demo.LOOKED_AT
            assert answer.rank == (refs.index(asked["ref"]) + 1 if asked["ref"] in refs else None)
            assert answer.found is (asked["ref"] in refs)
            assert (answer.hit.ref if answer.hit else None) == (asked["ref"] if answer.found else None)
            assert answer.cosine_rank == cosine_rank(shown, hashed, number)
            assert len(answer.attention.records) == len(shown.entries)

    def test_the_summary_counts_the_answers(self, shown: Demonstration) -> None:
        """First, found, and the same by cosine."""
        answers: list[Answer] = [shown.ask(number) for number in range(10)]
        summary = shown.summary(answers)
        assert summary.keys() == SUMMARY
        ranks = [answer.rank for answer in answers]
        by_cosine = [answer.cosine_rank for answer in answers]
        assert (summary["first"], summary["found"]) == (ranks.count(1), 10 - ranks.count(None))
        assert (summary["cosine_first"], summary["cosine_found"]) == (by_cosine.count(1), 10 - by_cosine.count(None))
        assert (summary["memories"], summary["questions"]) == (len(shown.entries), 10)
        assert [row["rank"] for row in summary["answers"]] == ranks


class TestKeep:
    """A folder to leave the memory in."""

    def test_a_kept_memory_can_be_opened_afterwards(self, tmp_path: Path, hashed: HashedEncoder) -> None:
        """With the whole diary in it."""
        with Demonstration(Settings(), tmp_path / "kept", hashed) as shown:
            shown.store(progress=False)
            refs = {entry["ref"] for entry in shown.entries}
        with NTMMemoryManager.open(tmp_path / "kept", encoder=hashed) as memory:
            assert {record.ref for record in memory.state.records.values()} == refs

    def test_an_existing_memory_is_refused_and_kept(self, path: Path, hashed: HashedEncoder) -> None:
        """A demonstration is no reason to add to someone's memory."""
        with NTMMemoryManager.open(path, encoder=hashed) as memory:
            memory.memorize("mine")
        before = bytes_in(path.parent)
        with pytest.raises(InvalidArgument):
            Demonstration(Settings(), path.parent, hashed)
        assert bytes_in(path.parent) == before

    def test_a_name_that_no_disk_takes_is_refused(self, hashed: HashedEncoder) -> None:
        """As the store's own errors are."""
        with pytest.raises(StoreUnreachable):
            Demonstration(Settings(), Path("x" * 300), hashed)


class TestCommand:
    """`ntm-memory demo`."""

    def test_json_holds_the_summary(self, no_model: None, temporary: Path) -> None:
        """It exits with 0 only if every answer was found; the hashed encoder knows too little for that."""
        outcome = run_here("demo", "--json")
        envelope = outcome.envelope
        assert envelope.keys() == {"ok", *SUMMARY}
        assert all(answer.keys() == ANSWER for answer in envelope["answers"])
        assert envelope["found"] < 10
        assert (outcome.status, envelope["ok"]) == (1, False)

    def test_people_are_shown_the_questions_and_where_the_head_looked(
        self, no_model: None, temporary: Path, tmp_path: Path
    ) -> None:
        """A picture for each answer that was found; with --keep, what to try next."""
        outcome = run_here("demo", "--keep", tmp_path / "kept")
        lines = outcome.out.splitlines()
        assert [line for line in lines if line.startswith("1. ")] != []
        assert [line for line in lines if line.startswith("10. ")] != []
        found = 10 - sum("not among the first" in line for line in lines)
        assert sum(line.strip() == "^" for line in lines) == found > 0
        assert f"--memory {tmp_path / 'kept'} search" in lines[-1]
        assert run_here("--memory", tmp_path / "kept", "--json", "stats").envelope["stats"]["memories"] > 100

    @pytest.mark.model
    def test_with_the_bundled_model_every_answer_is_among_the_first_five(
        self, here: Path, bundled: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which is what the demonstration claims."""
        monkeypatch.setattr(demo, "load_encoder", lambda settings: bundled)
        outcome = run_here("demo", "--json")
        envelope = outcome.envelope
        assert [answer["question"] for answer in envelope["answers"] if answer["rank"] is None] == []
        assert all(answer["rank"] <= 5 for answer in envelope["answers"])
        assert (outcome.status, envelope["ok"], envelope["found"], envelope["looked_at"]) == (0, True, 10, 5)
        assert bytes_in(here) == {}
