"""Changing a memory in place, letting it fade, erasing it, and removing its text from every file."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine.validation import FAINTEST
from ntm_memory_skill.errors import StoreFull, UnknownMemory
from ntm_memory_skill.store import MemoryStore
from ntm_memory_skill.store.fs import FileSystem
from tests.conftest import OpenMemory, ticking_clock
from tests.engine.support import FACTS, NEVER_FOLD, STEADY, everything, found, plant

INTIMATE = 'Anna\'s "PIN" für\tdas Schließfach: 保险箱 4711'


def test_update_is_found_by_its_new_words_at_the_same_place(memory: NTMMemoryManager) -> None:
    """Id, slot, name, chat and time stay; the old words no longer match."""
    plant(memory, session="s")
    note = memory.memorize("the launch is on 2 May", key="launch date", session="s", tags=["a"])
    record = memory.update(note.id, "departure was put off until autumn")
    assert (record.id, record.slot, record.key) == (note.id, note.slot, "launch date")
    assert (record.session, record.at, record.tags) == ("s", note.record.at, ("a",))
    best = memory.search("departure in autumn")[0]
    assert (best.id, best.content) == (note.id, "departure was put off until autumn")
    assert everything(memory, "2 May")[note.id].trace.matched_terms == ()


def test_update_keeps_every_version_beneath(open_memory: OpenMemory) -> None:
    """Oldest first, each with what it said, until when, and why it was replaced; also after a restart."""
    memory = open_memory()
    ident = memory.memorize("first", importance=0.2, tags=["a"]).id
    memory.update(ident, "second", reason="it moved")
    memory.update(ident, importance=0.0, tags=[])
    memory.close()
    record = open_memory().get(ident)
    assert (record.content, record.importance, record.tags) == ("second", 0.0, ())
    oldest, newer = record.versions
    assert (oldest.content, oldest.importance, oldest.tags, oldest.reason) == ("first", 0.2, ("a",), "it moved")
    assert (newer.content, newer.importance, newer.tags, newer.reason) == ("second", 0.2, ("a",), None)
    assert record.created < oldest.replaced_at < newer.replaced_at


def test_update_gives_back_the_new_version_on_either_store(memory: NTMMemoryManager, hashed: HashedEncoder) -> None:
    """Not the one from before the commit."""
    for each in (memory, NTMMemoryManager(MemoryStore(), hashed, clock=ticking_clock())):
        ident = each.memorize("old").id
        assert each.update(ident, "new").content == each.get(ident).content == "new"


def test_erased_memory_is_gone_from_every_reader_and_kept_in_the_archive(open_memory: OpenMemory) -> None:
    """With the reason; a restart does not bring it back."""
    memory = open_memory()
    ids = plant(memory)
    receipt = memory.erase(ids[0], ids[1], reason="no longer true")
    assert (receipt.action, receipt.ids, receipt.strengths) == ("erased", (ids[0], ids[1]), (0.0, 0.0))
    memory.close()
    for each in (open_memory(), open_memory()):
        assert set(everything(each)) == set(ids[2:])
        assert each.recall("three goats in Kirchberg", budget=10_000).hits[0].id != ids[0]
        archived = each.state.archive[ids[0]]
        assert (archived.content, archived.erased_because) == (FACTS[0], "no longer true")
        with pytest.raises(UnknownMemory):
            each.get(ids[0])


def test_freed_slot_is_used_again_without_a_ghost_of_its_last_memory(memory: NTMMemoryManager) -> None:
    """Not by its words, meaning, name, tags, kind, chat or place in time."""
    old = memory.memorize("goats in Kirchberg", key="goats", tags=["animal"], type="fact", session="farm").id
    others = plant(memory, FACTS[3:], session="farm")
    memory.erase(old)
    new = memory.memorize("a flat tyre")
    assert new.slot == 0
    hits = everything(memory, "goats in Kirchberg")
    assert set(hits) == {new.id, *others}
    key = HashedEncoder(64).encode_query
    assert hits[new.id].trace.cosine == pytest.approx(float(key("goats in Kirchberg") @ key("a flat tyre")), abs=1e-5)
    assert hits[new.id].trace.matched_terms == ()
    assert hits[new.id].trace.neighbours == ()
    assert everything(memory, tags=["animal"]) == everything(memory, type="fact") == {}
    assert set(everything(memory, session="farm")) == set(others)
    assert {each.id for hit in hits.values() for each in hit.trace.neighbours} == set(others)
    assert old not in {hit.id for hit in memory.recall(key="goats").hits}


def test_neighbours_of_an_erased_remark_close_up(memory: NTMMemoryManager) -> None:
    """The tape has no hole."""
    one, two, three = plant(memory, FACTS[:3], session="s")
    memory.erase(two)
    offsets = {neighbour.id: neighbour.offset for neighbour in everything(memory)[three].trace.neighbours}
    assert offsets == {one: 1}


def test_fading_weakens_the_match_by_just_its_share(memory: NTMMemoryManager) -> None:
    """The paper's erase with e < 1: half of a half is a quarter. What the memory means stays the same."""
    plant(memory)
    ident = memory.memorize("goats, goats, goats").id
    whole = everything(memory, "goats")[ident]
    assert found(memory.search("goats"))[0] == whole.content
    for left in (0.5, 0.25):
        receipt = memory.erase(ident, strength=0.5)
        assert (receipt.action, receipt.ids, receipt.strengths) == ("faded", (ident,), (left,))
        faded = everything(memory, "goats")[ident]
        assert memory.get(ident).strength == left
        assert faded.trace.cosine == pytest.approx(whole.trace.cosine, abs=1e-4)
        assert faded.trace.content_score < whole.trace.content_score
        whole = faded


def test_fading_by_nothing_leaves_all_as_it_is(open_memory: OpenMemory) -> None:
    """Zero is a share like any other."""
    memory = open_memory(settings=STEADY)
    ids = plant(memory)
    before = everything(memory)[ids[0]].trace
    assert memory.erase(ids[0], strength=0.0).strengths == (1.0,)
    assert everything(memory)[ids[0]].trace == before


def test_memory_that_fades_for_ever_can_still_be_found(open_memory: OpenMemory) -> None:
    """Its row keeps a length, however small: one of length 0 would break the memory for good."""
    memory = open_memory()
    (ident, *_) = plant(memory)
    cosine = everything(memory, FACTS[0])[ident].trace.cosine
    for _ in range(12):
        memory.erase(ident, strength=0.9999999999999999)
    assert memory.get(ident).strength == FAINTEST
    memory.close()
    assert everything(open_memory(), FACTS[0])[ident].trace.cosine == pytest.approx(cosine, abs=1e-3)
    assert open_memory().memorize(FACTS[0]).duplicates[0].id == ident


def test_update_of_a_faded_memory_leaves_it_faded(memory: NTMMemoryManager) -> None:
    """New words do not undo the fading, in the process that wrote them and in one that reads them."""
    ident = memory.memorize("goats").id
    memory.erase(ident, strength=0.75)
    assert memory.update(ident, "sheep").strength == 0.25
    assert everything(memory, "sheep")[ident].trace.cosine == pytest.approx(1, abs=1e-5)


def spellings(text: str) -> list[bytes]:
    """Return a text as it might stand in a file."""
    return [text.encode(), json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()]


def holders(folder: Path, traces: list[bytes]) -> set[str]:
    """Return the names of the files in which any of the traces stands."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in files if any(trace in path.read_bytes() for trace in traces)}


@pytest.mark.parametrize("settings", [Settings(), NEVER_FOLD], ids=["in the snapshot", "in the journal"])
@pytest.mark.parametrize("erased_before", [False, True])
def test_purge_removes_text_and_key_from_every_file(
    open_memory: OpenMemory, path: Path, hashed: HashedEncoder, settings: Settings, erased_before: bool
) -> None:
    """Also of earlier versions, and of one that was erased long ago; all others stay."""
    memory = open_memory(settings=settings)
    ids = plant(memory, FACTS[:2])
    ident = memory.memorize(INTIMATE, key="strongbox", tags=["treasure"], source="grandmother").id
    memory.update(ident, "it was moved under the floorboard")
    if erased_before:
        memory.erase(ident, reason="too dangerous")
    memory.close()
    texts = [INTIMATE, "it was moved under the floorboard"]
    rows = [key.tobytes() for key in hashed.encode_passages([f"strongbox: {text}" for text in texts])]
    names = [b"strongbox", b"treasure", b"grandmother", b"too dangerous"]
    traces = [*rows, *map(base64.b64encode, rows), *names, *(form for text in texts for form in spellings(text))]
    assert holders(path.parent, traces)

    memory = open_memory(settings=settings)
    receipt = memory.erase(ident, purge=True)
    assert holders(path.parent, traces) == set()
    assert (receipt.action, receipt.ids, receipt.strengths) == ("purged", (ident,), (0.0,))
    assert set(receipt.files_rewritten) == {
        path.name,
        "ntm_memory.journal.jsonl",
        "ntm_memory.keys.npy",
        "ntm_memory.previous.json",
        "ntm_memory.previous.journal.jsonl",
    }
    assert set(everything(memory)) == set(everything(open_memory())) == set(ids)
    assert ident in memory.state.tombstones


def test_purged_memory_is_nobody(memory: NTMMemoryManager) -> None:
    """Its id is kept, and opens nothing."""
    ident = memory.memorize("goats").id
    memory.erase(ident, purge=True)
    for call in (lambda: memory.erase(ident), lambda: memory.erase(ident, strength=0.5), lambda: memory.get(ident)):
        with pytest.raises(UnknownMemory):
            call()


def test_purge_that_found_no_space_can_be_finished(
    open_memory: OpenMemory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are rewritten after the commit: where that fails the text still stands, until the purge is repeated."""
    memory = open_memory(settings=NEVER_FOLD)
    kept = memory.memorize("goats").id
    ident = memory.memorize(INTIMATE).id

    def refuse(*rest: object) -> None:
        raise StoreFull("no space in this test")

    with monkeypatch.context() as full:
        full.setattr(FileSystem, "replace", refuse)
        with pytest.raises(StoreFull):
            memory.erase(ident, purge=True)
    assert holders(path.parent, spellings(INTIMATE))
    assert set(everything(memory)) == {kept}
    assert memory.erase(ident, purge=True).action == "purged"
    assert holders(path.parent, spellings(INTIMATE)) == set()
    assert set(everything(open_memory())) == {kept}


def test_purge_spares_the_same_text_in_another_memory(memory: NTMMemoryManager, path: Path) -> None:
    """They share a key row, which has to stay."""
    twin, ident = (memory.memorize("the very same words", force=True).id for _ in range(2))
    memory.erase(ident, purge=True)
    assert holders(path.parent, spellings("the very same words")) == {path.name, "ntm_memory.previous.json"}
    assert found(memory.search("the very same words")) == ["the very same words"]
    assert set(everything(memory)) == {twin}
