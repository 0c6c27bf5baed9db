"""Several managers over the same files, as several processes would be; and files that lost their keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.errors import EncoderMismatch, UnknownMemory
from ntm_memory_skill.store import Changes, DirectoryStore
from tests.conftest import OpenMemory, ticking_clock
from tests.engine.support import (
    FACTS,
    NEVER_FOLD,
    STEADY,
    CountingEncoder,
    assert_same_hits,
    everything,
    fingerprint,
    found,
    plant,
)

Damage = Callable[[Path], object]
KEYS = "ntm_memory.keys.npy"


def test_two_managers_by_turns_see_each_other_s_every_step(open_memory: OpenMemory) -> None:
    """What one has acknowledged, the other answers from at once."""
    one, other = open_memory(), open_memory()
    ident = one.memorize("goats", session="s", tags=["a"]).id
    assert found(other.search("goats", tags=["a"])) == ["goats"]
    other.update(ident, "sheep", tags=["b"])
    assert found(one.search("sheep", tags=["b"], session="s")) == ["sheep"]
    one.erase(ident, strength=0.5)
    assert other.get(ident).strength == 0.5
    new = other.memorize("cattle", supersedes=ident, session="s").id
    assert set(everything(one)) == {new}
    one.erase(new)
    assert everything(other) == {}
    assert (other.memorize("bees").slot, one.memorize("ants").slot) == (1, 2)


def test_slots_and_ids_of_two_writers_never_clash(open_memory: OpenMemory) -> None:
    """Each writes into what the other left free."""
    one, other = open_memory(), open_memory()
    texts = [f"{fact} {place}" for place, fact in enumerate(FACTS)]
    notes = [manager.memorize(text, force=True) for text in texts for manager in (one, other)]
    assert [note.slot for note in notes] == list(range(16))
    assert len({note.id for note in notes}) == 16
    assert_same_hits(everything(one).values(), everything(other).values())


@pytest.mark.parametrize("settings", [Settings(), NEVER_FOLD], ids=["folds", "does not fold"])
def test_manager_goes_on_after_another_has_closed(open_memory: OpenMemory, settings: Settings) -> None:
    """Closing may fold the journal away; whoever still works reads everything anew."""
    stays = open_memory(settings=settings)
    plant(stays, FACTS[:3], session="s")
    before = stays.search("goats")
    goes = open_memory(settings=settings)
    plant(goes, FACTS[3:5], session="s")
    goes.close()
    assert len(stays) == 5
    assert stays.search("goats")[0].id == before[0].id
    plant(stays, FACTS[5:], session="s")
    assert_same_hits(everything(stays).values(), everything(open_memory()).values())


def test_purge_by_another_is_noticed(open_memory: OpenMemory) -> None:
    """It rewrites every file."""
    one, other = open_memory(), open_memory()
    ids = plant(one)
    assert len(everything(other)) == len(FACTS)
    one.erase(ids[0], purge=True)
    assert set(everything(other)) == set(ids[1:])
    with pytest.raises(UnknownMemory):
        other.get(ids[0])


@pytest.fixture
def written(open_memory: OpenMemory, path: Path) -> list[str]:
    """Ids of memories that a 64-number encoder wrote; two of them say the same. Nobody has them open."""
    memory = open_memory()
    ids = plant(memory, [*FACTS, FACTS[0]], force=True)
    memory.close()
    return ids


def test_another_encoder_is_refused_and_touches_nothing(
    written: list[str], open_memory: OpenMemory, path: Path
) -> None:
    """No cosine between the keys of two encoders means anything."""
    before = fingerprint(path.parent)
    with pytest.raises(EncoderMismatch) as refused:
        open_memory(encoder=HashedEncoder(32))
    assert refused.value.code == "encoder_mismatch"
    assert fingerprint(path.parent) == before


def open_foreign(path: Path, dimension: int = 32) -> NTMMemoryManager:
    """Open the memory with another encoder than wrote it, for what needs no encoder."""
    return NTMMemoryManager.open(
        path, settings=STEADY, encoder=HashedEncoder(dimension), require_encoder=False, clock=ticking_clock()
    )


def test_foreign_memory_can_be_read_and_erased_from_but_not_asked(written: list[str], path: Path) -> None:
    """What encodes is refused, and leaves the files alone."""
    with open_foreign(path) as memory:
        assert memory.get(written[0]).content == FACTS[0]
        assert memory.encoder == HashedEncoder(64).identity
        before = fingerprint(path.parent)
        refused = [
            lambda: memory.search("goats"),
            lambda: memory.recall("goats"),
            lambda: memory.memorize("goats"),
            lambda: memory.memorize_many([{"content": "goats"}]),
            lambda: memory.update(written[0], "sheep"),
            memory.warm_up,
        ]
        for call in refused:
            with pytest.raises(EncoderMismatch):
                call()
        assert fingerprint(path.parent) == before
        memory.update(written[0], importance=1.0)
        memory.erase(written[1])
        memory.erase(written[2], purge=True)
        assert len(memory) == len(written) - 2


def test_reindex_hands_the_memory_to_the_new_encoder(written: list[str], open_memory: OpenMemory, path: Path) -> None:
    """The same answers as if it had written them; equal texts are no obstacle, and the old one is refused."""
    steps: list[tuple[int, int]] = []
    with open_foreign(path) as memory:
        assert memory.reindex(progress=lambda *step: steps.append(step)) == len(written)
        assert memory.encoder == HashedEncoder(32).identity
        hits = memory.search("goats in Kirchberg", top_k=1000)
    assert steps[-1] == (len(written), len(written))
    key = HashedEncoder(32).encode_query
    for hit in hits:
        assert hit.trace.cosine == pytest.approx(float(key("goats in Kirchberg") @ key(hit.content)), abs=1e-5)
    counting = CountingEncoder(32)
    again = open_memory(encoder=counting, settings=STEADY)
    assert_same_hits(again.search("goats in Kirchberg", top_k=1000), hits)
    assert counting.encoded == []
    with pytest.raises(EncoderMismatch):
        open_memory()


def test_manager_notices_that_another_has_reindexed(written: list[str], open_memory: OpenMemory, path: Path) -> None:
    """Its own keys are worth nothing from then on: neither reading nor writing goes on with them."""
    stays = open_memory()
    assert len(stays.search("goats", top_k=1000)) == len(written)
    with open_foreign(path) as memory:
        memory.reindex()
    before = fingerprint(path.parent)
    for call in (lambda: stays.search("goats"), lambda: stays.memorize("goats")):
        with pytest.raises(EncoderMismatch):
            call()
    assert fingerprint(path.parent) == before


@pytest.mark.parametrize("verb", ["memorize", "memorize_many", "update"])
def test_a_reindex_between_encoding_and_writing_is_noticed(
    written: list[str], open_memory: OpenMemory, path: Path, verb: str
) -> None:
    """A key that was made just before is not written among another encoder's; nothing is stored."""

    class Overtaken(HashedEncoder):
        """Lets another process reindex while it encodes."""

        def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
            if list(texts) == ["sheep"]:
                with open_foreign(path) as memory:
                    memory.reindex()
            return super().encode_passages(texts, on_progress)

    memory = open_memory(encoder=Overtaken())
    calls: dict[str, Callable[[], object]] = {
        "memorize": lambda: memory.memorize("sheep"),
        "memorize_many": lambda: memory.memorize_many([{"content": "sheep"}]),
        "update": lambda: memory.update(written[0], "sheep"),
    }
    with pytest.raises(EncoderMismatch):
        calls[verb]()
    with open_memory(encoder=HashedEncoder(32)) as other:
        assert "sheep" not in {record.content for record in other.state.records.values()}


def test_two_encoders_that_begin_one_memory_together_do_not_mix(open_memory: OpenMemory) -> None:
    """The first to write decides, also for one that had looked before there was anything."""
    early = open_memory(encoder=HashedEncoder(32))
    assert early.search("goats") == []
    open_memory().memorize("goats")
    for call in (lambda: early.memorize("sheep"), lambda: early.search("goats")):
        with pytest.raises(EncoderMismatch):
            call()


def test_reindex_of_an_empty_memory_does_nothing(memory: NTMMemoryManager, path: Path) -> None:
    """There is nobody's key to replace."""
    assert memory.reindex() == 0
    assert not path.exists()


def test_opening_whole_files_encodes_nothing(written: list[str], open_memory: OpenMemory) -> None:
    """The keys are on disk."""
    counting = CountingEncoder()
    open_memory(encoder=counting).search("goats")
    assert counting.encoded == []


def flip(file: Path, place: int) -> None:
    """Change one byte of a file."""
    data = bytearray(file.read_bytes())
    data[place] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (Path.unlink, len(FACTS)),
        (lambda keys: keys.write_bytes(b""), len(FACTS)),
        (lambda keys: keys.write_bytes(b"no keys at all"), len(FACTS)),
        (lambda keys: keys.write_bytes(keys.read_bytes()[:-7]), len(FACTS)),
        (lambda keys: flip(keys, -3), 1),
    ],
    ids=["missing", "empty", "garbage", "cut", "one byte of one key"],
)
def test_lost_keys_are_made_anew_and_saved_with_the_next_write(
    written: list[str], open_memory: OpenMemory, path: Path, damage: Damage, lost: int
) -> None:
    """Just those that are lost; the answers stay what they were."""
    before = open_memory().search("goats in Kirchberg", top_k=1000)
    damage(path.with_name(KEYS))
    mending = CountingEncoder()
    memory = open_memory(encoder=mending)
    assert_same_hits(memory.search("goats in Kirchberg", top_k=1000), before)
    assert len(set(mending.encoded)) == lost
    memory.erase(written[0])
    memory.close()
    content = CountingEncoder()
    assert len(open_memory(encoder=content).search("goats", top_k=1000)) == len(written) - 1
    assert content.encoded == []


def test_while_a_write_holds_the_lock_no_other_writer_is_looked_for(
    open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once before, once with the lock; and again as ever after a write that failed."""
    one, other = open_memory(), open_memory()
    one.memorize("goats", session="s")
    looked, refresh = [], DirectoryStore.refresh

    def looking(store: DirectoryStore) -> Changes:
        looked.append(store)
        return refresh(store)

    monkeypatch.setattr(DirectoryStore, "refresh", looking)
    one.memorize("sheep", session="s")
    assert len(looked) == 2
    with pytest.raises(UnknownMemory):
        one.memorize("bees", supersedes="nobody")
    other.memorize("cattle")
    assert found(one.search("cattle", top_k=1)) == ["cattle"]
