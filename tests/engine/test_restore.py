"""Bringing erased memories back: as they were, into a free slot, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.errors import EncoderMismatch, InvalidArgument, MemoryFull, UnknownMemory
from ntm_memory_skill.store import MemoryStore
from tests.conftest import OpenMemory, ticking_clock
from tests.engine.support import FACTS, STEADY, CountingEncoder, assert_same_hits, everything, fingerprint, plant


def test_it_is_found_again_as_if_it_had_never_been_erased(open_memory: OpenMemory) -> None:
    """By its words, its meaning, its name, its tags, its chat and its place in time; also after a restart."""
    memory = open_memory(settings=STEADY)
    plant(memory, FACTS[:3], session="s")
    note = memory.memorize(
        "the launch is on 2 May", key="launch", tags=["a"], type="fact", session="s", at="2026-02-02"
    )
    memory.update(note.id, "the launch is on 3 May", reason="it moved")
    plant(memory, FACTS[3:], session="s")
    before, record = everything(memory, "when is the launch?"), memory.get(note.id)
    memory.erase(note.id, reason="by mistake")
    assert note.id not in everything(memory)
    memory.restore(note.id)
    memory.close()
    for each in (open_memory(settings=STEADY), open_memory(settings=STEADY)):
        back = each.get(note.id)
        assert back == replace(record, accesses=back.accesses, accessed_at=back.accessed_at)  # it was looked for since
        assert_same_hits(everything(each, "when is the launch?").values(), before.values())
        assert [hit.id for hit in each.recall(key="launch").hits] == [note.id]
        assert set(everything(each, tags=["a"], type="fact", session="s")) == {note.id}


def test_what_comes_back_is_given_back(memory: NTMMemoryManager) -> None:
    """In the order in which it was asked for, without a word of the erasing; the archive is without it."""
    ids = plant(memory)
    memory.erase(*ids[:3], reason="by mistake")
    restored = memory.restore(ids[2], ids[0])
    assert [record.id for record in restored] == [ids[2], ids[0]]
    assert {(record.erased_at, record.erased_because) for record in restored} == {(None, None)}
    assert restored == [memory.get(ids[2]), memory.get(ids[0])]
    assert list(memory.state.archive) == [ids[1]]
    assert set(everything(memory)) == {*ids} - {ids[1]}


def test_it_takes_another_slot_where_its_own_is_taken(memory: NTMMemoryManager) -> None:
    """Neither of the two is disturbed."""
    ids = plant(memory)
    memory.erase(ids[0])
    new = memory.memorize("a new one in its place")
    assert new.slot == 0
    (back,) = memory.restore(ids[0])
    assert back.slot == len(FACTS)
    key = HashedEncoder(64).encode_query
    for ident, content in ((new.id, "a new one in its place"), (ids[0], FACTS[0])):
        hit = everything(memory, FACTS[0])[ident]
        assert hit.content == content
        assert hit.trace.cosine == pytest.approx(float(key(FACTS[0]) @ key(content)), abs=1e-5)


def test_a_faded_memory_comes_back_as_faint_as_it_was(memory: NTMMemoryManager) -> None:
    """To erase and to restore is no way around fading."""
    ids = plant(memory)
    memory.erase(ids[0], strength=0.75)
    before = everything(memory, FACTS[0])
    memory.erase(ids[0])
    (back,) = memory.restore(ids[0])
    assert back.strength == 0.25
    assert_same_hits(everything(memory, FACTS[0]).values(), before.values())


def test_what_it_was_replaced_by_still_replaces_it(memory: NTMMemoryManager) -> None:
    """It comes back as what no longer holds; today's answer stays."""
    old = memory.memorize("the launch is on 2 May").id
    new = memory.memorize("the launch is on 3 May", supersedes=old).id
    memory.erase(old)
    (back,) = memory.restore(old)
    assert back.superseded_by == new
    assert set(everything(memory, "launch")) == {new}


def test_another_process_sees_it_come_back(open_memory: OpenMemory) -> None:
    """By following the journal, in its own matrix."""
    one, other = open_memory(), open_memory()
    ids = plant(one)
    assert set(everything(other)) == set(ids)
    one.erase(ids[0])
    one.restore(ids[0])
    assert_same_hits(everything(other).values(), everything(one).values())
    other.erase(ids[1])
    one.restore(ids[1])
    assert_same_hits(everything(other).values(), everything(one).values())


def test_its_key_is_in_the_cache_afterwards(open_memory: OpenMemory) -> None:
    """It is encoded once, on coming back, and not again by the next opening."""
    memory = open_memory()
    ids = plant(memory)
    memory.erase(ids[0])
    memory.close()
    counting = CountingEncoder()
    memory = open_memory(encoder=counting)
    memory.restore(ids[0])
    assert counting.encoded == [FACTS[0]]
    memory.close()
    again = CountingEncoder()
    assert len(everything(open_memory(encoder=again))) == len(FACTS)
    assert again.encoded == []


def test_both_stores_do_the_same(memory: NTMMemoryManager, hashed: HashedEncoder) -> None:
    """The one that keeps nothing as well."""
    for each in (memory, NTMMemoryManager(MemoryStore(), hashed, clock=ticking_clock())):
        ids = plant(each)
        each.erase(ids[0])
        each.restore(ids[0])
        assert set(everything(each)) == set(ids)


class Overtaken(HashedEncoder):
    """Lets another process act while it encodes what is to come back."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__(64)
        self._act = act

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Encode, and be overtaken."""
        if list(texts) == ["erased"]:
            self._act()
        return super().encode_passages(texts, on_progress)


class TestRefusals:
    """Nothing comes back unless all of it can; and no file is touched."""

    @pytest.fixture
    def memory(self, open_memory: OpenMemory) -> NTMMemoryManager:
        """One live memory, two erased ones, a purged one, and room for one more."""
        memory = open_memory(settings=Settings(memory_size=2, m3=M3Settings(forget=False)))
        for name in ("purged", "erased", "erased too"):
            memory.memorize(name, id=name.replace(" ", ""))
            memory.erase(name.replace(" ", ""), purge=name == "purged")
        memory.memorize("live", id="live")
        return memory

    @pytest.mark.parametrize("ident", ["live", "purged", "nobody", ""])
    def test_what_is_not_in_the_archive_is_unknown(self, memory: NTMMemoryManager, path: Path, ident: str) -> None:
        """Alone, or beside one that is."""
        before = fingerprint(path.parent)
        for idents in ([ident], ["erased", ident], [ident, "erased"]):
            with pytest.raises(UnknownMemory) as caught:
                memory.restore(*idents)
            assert caught.value.code == "unknown_memory"
        assert fingerprint(path.parent) == before
        assert list(memory.state.archive) == ["erased", "erasedtoo"]

    @pytest.mark.parametrize("idents", [[], ["erased", "erased"]])
    def test_none_or_one_twice_is_refused(self, memory: NTMMemoryManager, path: Path, idents: list[str]) -> None:
        """It is not clear what was meant."""
        before = fingerprint(path.parent)
        with pytest.raises(InvalidArgument):
            memory.restore(*idents)
        assert fingerprint(path.parent) == before

    def test_a_full_memory_takes_none_back(self, memory: NTMMemoryManager, path: Path) -> None:
        """Not even those for which there would be room."""
        before = fingerprint(path.parent)
        with pytest.raises(MemoryFull):
            memory.restore("erased", "erasedtoo")
        assert fingerprint(path.parent) == before
        memory.restore("erasedtoo")
        with pytest.raises(MemoryFull):
            memory.restore("erased")
        assert set(everything(memory)) == {"live", "erasedtoo"}

    def test_what_another_purged_is_gone(self, memory: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """However lately this one has looked."""
        assert "erased" in memory.state.archive
        open_memory().erase("erased", purge=True)
        with pytest.raises(UnknownMemory):
            memory.restore("erased")

    def test_another_encoder_is_refused(self, memory: NTMMemoryManager, path: Path) -> None:
        """Its key would mean nothing among the others."""
        before = fingerprint(path.parent)
        foreign = NTMMemoryManager.open(path, encoder=HashedEncoder(32), require_encoder=False, clock=ticking_clock())
        with foreign, pytest.raises(EncoderMismatch):
            foreign.restore("erased")
        assert fingerprint(path.parent) == before

    def test_a_reindex_between_encoding_and_writing_is_noticed(
        self, memory: NTMMemoryManager, open_memory: OpenMemory, path: Path
    ) -> None:
        """A key that was made just before is not written among another encoder's."""

        def reindex() -> None:
            with NTMMemoryManager.open(path, encoder=HashedEncoder(32), require_encoder=False) as quick:
                quick.reindex()

        overtaken = open_memory(encoder=Overtaken(reindex))
        with pytest.raises(EncoderMismatch):
            overtaken.restore("erased")
        with open_memory(encoder=HashedEncoder(32)) as found:
            assert set(found.state.records) == {"live"}

    @pytest.mark.parametrize("purge", [False, True])
    def test_another_who_is_faster_is_noticed(
        self, memory: NTMMemoryManager, open_memory: OpenMemory, path: Path, purge: bool
    ) -> None:
        """It is not in the archive any more when its turn comes: purged, or restored already."""

        def act() -> None:
            quick = open_memory()
            quick.erase("erased", purge=True) if purge else quick.restore("erased")

        overtaken = open_memory(encoder=Overtaken(act))
        with pytest.raises(UnknownMemory):
            overtaken.restore("erased")
        assert ("erased" in open_memory().state.records) is not purge
