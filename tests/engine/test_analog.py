"""The emulated crossbar behind a memory: its proposals are decided exactly, and its devices outlive the process."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.crossbar import CrossbarSimilarity
from ntm_memory_skill.engine.analog import parameters_of
from ntm_memory_skill.engine.settings import CrossbarSettings
from ntm_memory_skill.errors import CrossbarFull, InvalidArgument
from ntm_memory_skill.sources import seeded_ids
from tests.conftest import EPOCH, OpenMemory
from tests.engine.chains import opened
from tests.engine.support import FACTS, found, plant

QUESTION = "who plays the violin?"
FILE = "ntm_memory.crossbar.json"
NOISY = CrossbarSettings(rerank=0)
"""Analog alone."""


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> Any:
        """Return what it was set to."""
        return self.now


def memory_in(path: Path, clock: Time, crossbar: CrossbarSettings = NOISY, **more: Any) -> NTMMemoryManager:
    """Open a memory in a folder, whose searches leave no trace."""
    settings = Settings(crossbar=crossbar, **more)
    return NTMMemoryManager.open(path, settings=settings, encoder=HashedEncoder(64), clock=clock, ids=seeded_ids(3))


def analog(memory: NTMMemoryManager, query: str = QUESTION) -> dict[str, float | None]:
    """Return the match of each memory as the crossbar gives it."""
    hits = memory.search(query, top_k=50, counted=False, backend="crossbar")
    assert all(hit.trace.backend == "crossbar" for hit in hits)
    return {hit.content: hit.trace.cosine for hit in hits}


def made(memory: NTMMemoryManager) -> CrossbarSimilarity:
    """Return the crossbar of a memory that was searched with it."""
    similarity = memory._reader._analog._made
    assert similarity is not None
    return similarity


class TestSearching:
    """What it finds."""

    @pytest.mark.parametrize("preset", ["ideal", "pcm", "reram"])
    def test_what_is_compared_exactly_is_found_as_without_it(self, preset: str) -> None:
        """With as many proposals as there are memories, hits and scores are the same."""
        memory = opened(FACTS)
        memory._reader._analog._settings = CrossbarSettings(preset=preset)
        dense, crossbar = (memory.search(QUESTION, counted=False, backend=each) for each in ("dense", "crossbar"))
        assert found(dense) == found(crossbar)
        assert [hit.score for hit in crossbar] == pytest.approx([hit.score for hit in dense], abs=1e-5)
        assert {hit.trace.backend for hit in dense} == {"exact"}

    def test_alone_it_is_noisy_and_near(self) -> None:
        """No cosine is exact, and none is far off."""
        memory = opened(FACTS)
        memory._reader._analog._settings = NOISY
        exact = {hit.content: hit.trace.cosine for hit in memory.search(QUESTION, top_k=50, counted=False)}
        seen = analog(memory)
        assert seen.keys() == exact.keys()
        errors = [abs(float(seen[text] or 0) - float(exact[text] or 0)) for text in seen]
        assert 0 < max(errors) < 0.3

    def test_settings_say_what_matches_where_a_search_does_not(self) -> None:
        """A search that says so goes first."""
        memory = opened(FACTS)
        memory._reader._backend = "crossbar"
        assert {hit.trace.backend for hit in memory.search(QUESTION, counted=False)} == {"crossbar"}
        assert {hit.trace.backend for hit in memory.recall(QUESTION).hits} == {"crossbar"}
        assert {hit.trace.backend for hit in memory.search(QUESTION, backend="dense")} == {"exact"}
        ident = memory.search(QUESTION)[0].id
        assert memory.explain(ident, QUESTION).hit.trace.backend == "crossbar"

    def test_forgotten_memories_are_matched_exactly(self) -> None:
        """They have no row in the crossbar."""
        memory = opened(FACTS)
        hits = memory.search(QUESTION, include_forgotten=True, backend="crossbar")
        assert {hit.trace.backend for hit in hits} == {"exact"}

    @pytest.mark.parametrize("backend", ["analog", "", 1, True, ["dense"]])
    def test_what_is_no_backend_is_refused(self, backend: object) -> None:
        """By name, with those that are."""
        with pytest.raises(InvalidArgument) as caught:
            opened(FACTS).search(QUESTION, backend=backend)
        assert "dense, crossbar" in (caught.value.hint or "")

    def test_more_memories_than_it_has_room_for_are_refused(self) -> None:
        """What to do is said; the exact search goes on."""
        memory = opened(FACTS)
        memory._reader._analog._settings = CrossbarSettings(capacity=len(FACTS) - 1)
        with pytest.raises(CrossbarFull) as caught:
            memory.search(QUESTION, backend="crossbar")
        assert "crossbar.capacity" in (caught.value.hint or "")
        assert memory.search(QUESTION)


class TestFollowing:
    """Memories come, change and go."""

    def test_each_row_is_programmed_when_it_changes_and_only_then(self, path: Path) -> None:
        """Not at every search, and no others with it."""
        clock = Time()
        with memory_in(path, clock) as memory:
            ids = plant(memory)
            analog(memory)
            analog(memory)
            assert set(made(memory).crossbar.programming.counts.tolist()) == {1}
            memory.update(ids[2], "Our new wifi password is under the cactus")
            memory.memorize("The cactus flowers in May")
            analog(memory)
            kept = made(memory).crossbar.programming
            counts = dict(zip(kept.slots.tolist(), kept.counts.tolist(), strict=True))
            assert counts == {slot: 2 if slot == memory.get(ids[2]).slot else 1 for slot in range(len(FACTS) + 1)}

    def test_erased_memories_are_gone_and_their_slots_used_again(self, path: Path) -> None:
        """The other devices stay as they are."""
        with memory_in(path, Time()) as memory:
            ids = plant(memory)
            before = analog(memory)
            memory.erase(ids[0])
            after = analog(memory)
            assert after.keys() == before.keys() - {FACTS[0]}
            memory.memorize("Bread needs salt")
            assert "Bread needs salt" in analog(memory)

    def test_time_passes_by_the_clock(self, path: Path) -> None:
        """After a year the conductances are lower; a clock that goes back stands still."""
        clock = Time()
        with memory_in(path, clock, CrossbarSettings(rerank=0, compensate=False)) as memory:
            plant(memory)
            fresh = float(analog(memory)["Marco plays the violin in a string quartet"] or 0)
            clock.now = EPOCH + timedelta(days=365)
            old = float(analog(memory)["Marco plays the violin in a string quartet"] or 0)
            assert 0.2 * fresh < old < 0.8 * fresh
            clock.now = EPOCH
            assert analog(memory).keys() == set(FACTS)


class TestKeeping:
    """The file beside the memory."""

    def test_the_next_process_finds_the_same_devices_as_old_as_they_are(self, path: Path) -> None:
        """A read in the new process is the one that the old process would have made."""
        clock = Time()
        with memory_in(path, clock) as memory:
            plant(memory)
            analog(memory)
        assert path.with_name(FILE).exists()
        clock.now = EPOCH + timedelta(days=30)
        with memory_in(path, clock) as other:
            later = analog(other)
            programming = made(other).crossbar.programming
            assert set(programming.counts.tolist()) == {1}
            assert set(programming.times.tolist()) == {EPOCH.timestamp()}
        path.with_name(FILE).unlink()
        with memory_in(path, Time()) as fresh:
            analog(fresh)
            fresh._reader._clock = clock
            made(fresh)._clock = lambda: clock().timestamp()
            assert analog(fresh) == pytest.approx(later, abs=1e-6)

    def test_rows_that_changed_meanwhile_are_programmed_anew(self, path: Path) -> None:
        """By a process that did not use the crossbar."""
        clock = Time()
        with memory_in(path, clock) as memory:
            ids = plant(memory)
            analog(memory)
        clock.now = EPOCH + timedelta(days=1)
        with memory_in(path, clock) as writer:
            writer.update(ids[1], "The dentist appointment is on Monday")
        with memory_in(path, clock) as reader:
            assert "The dentist appointment is on Monday" in analog(reader)
            kept = made(reader).crossbar.programming
            changed = [slot for slot, at in zip(kept.slots, kept.times, strict=True) if at != EPOCH.timestamp()]
            assert changed == [reader.get(ids[1]).slot]

    def test_nothing_is_written_by_who_does_not_use_it(self, path: Path) -> None:
        """Nor before the memory is closed."""
        with memory_in(path, Time()) as memory:
            plant(memory)
            memory.search(QUESTION)
        assert not path.with_name(FILE).exists()
        with memory_in(path, Time()) as memory:
            analog(memory)
            assert not path.with_name(FILE).exists()

    def test_no_text_is_in_it(self, path: Path) -> None:
        """Places, counts, times and checksums of rows."""
        with memory_in(path, Time()) as memory:
            plant(memory)
            analog(memory)
        document = json.loads(path.with_name(FILE).read_text())
        assert document.keys() == {"format", "crossbar", "reads", "slots", "counts", "times", "rows"}

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"[]",
            b"7",
            b"{}",
            b'{"format": 1}',
            b'{"format": 2, "crossbar": 0}',
        ],
    )
    def test_a_file_that_cannot_be_read_is_passed_over(self, path: Path, data: bytes) -> None:
        """Its rows are programmed anew; the next one is whole."""
        with memory_in(path, Time()) as memory:
            plant(memory)
        path.with_name(FILE).write_bytes(data)
        with memory_in(path, Time()) as memory:
            assert analog(memory).keys() == set(FACTS)
        assert json.loads(path.with_name(FILE).read_text())["slots"] == list(range(len(FACTS)))

    @pytest.mark.parametrize(
        ("name", "value"), [("slots", [-1]), ("counts", [0] * 9), ("times", ["x"]), ("rows", None), ("times", [1e999])]
    )
    def test_a_file_with_numbers_that_cannot_be_is_passed_over(
        self, path: Path, name: str, value: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As one that is no file of ours."""
        with memory_in(path, Time()) as memory:
            plant(memory)
            analog(memory)
        document = json.loads(path.with_name(FILE).read_text())
        document[name] = value
        path.with_name(FILE).write_text(json.dumps(document))
        with caplog.at_level(logging.WARNING, logger="ntm_memory_skill"), memory_in(path, Time()) as memory:
            assert analog(memory).keys() == set(FACTS)

    def test_another_crossbar_begins_anew(self, path: Path) -> None:
        """Devices of another seed are others."""
        clock = Time()
        with memory_in(path, clock) as memory:
            plant(memory)
            first = analog(memory)
        clock.now = EPOCH + timedelta(days=1)
        with memory_in(path, clock, CrossbarSettings(rerank=0, seed=1)) as memory:
            assert analog(memory) != pytest.approx(first, abs=1e-4)
            assert set(made(memory).crossbar.programming.times.tolist()) == {clock.now.timestamp()}


def test_settings_go_before_the_preset() -> None:
    """Where they say nothing, the preset's own holds."""
    plain, said = CrossbarSettings(), CrossbarSettings(dac_bits=5, adc_bits=7, compensate=False)
    assert parameters_of(plain, 384).circuit.adc.bits == 8
    assert parameters_of(plain, 384).circuit.compensate
    circuit = parameters_of(said, 384).circuit
    assert (circuit.dac.bits, circuit.adc.bits, circuit.compensate) == (5, 7, False)
    assert not parameters_of(CrossbarSettings(preset="ideal"), 384).circuit.compensate


def test_memory_opens_and_closes_twice_without_harm(open_memory: OpenMemory) -> None:
    """Closing again writes nothing more."""
    memory = open_memory()
    plant(memory)
    memory.search(QUESTION, backend="crossbar")
    memory.close()
    memory.close()
