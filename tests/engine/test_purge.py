"""Purging: a receipt that can be checked by somebody else, and a purge that is finished whatever happens."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ntm_memory_skill import NTMMemoryManager, Settings
from ntm_memory_skill.engine.answers import Receipt
from ntm_memory_skill.errors import StoreFull, UnknownMemory
from ntm_memory_skill.store.fs import FileSystem
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, NEVER_FOLD, everything, plant

TREASURE = "the treasure lies under the oak"
COPIES = ("ntm_memory.v1.json", "ntm_memory.v1.journal.jsonl", "ntm_memory.json.tmp")


def holders(folder: Path) -> set[str]:
    """Return the names of the files in which the secret stands."""
    return {path.name for path in folder.rglob("*") if path.is_file() and TREASURE.encode() in path.read_bytes()}


def digest_of(receipt: Receipt) -> str:
    """Return the digest that a receipt has to have, put together from its description in the documentation."""
    value = {
        "action": receipt.action,
        "at": receipt.at.isoformat(),
        "count": len(receipt.ids),
        "ids": list(receipt.ids),
        "strength_left": list(receipt.strengths),
    }
    if receipt.action == "purged":
        value["files_rewritten"] = list(receipt.files_rewritten)
        value["files_removed"] = list(receipt.files_removed)
        value["sha256"] = dict(receipt.checksums)
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class TestReceipt:
    """What the caller is told."""

    def test_every_receipt_has_the_documented_digest(self, memory: NTMMemoryManager) -> None:
        """Of erasing, of fading and of purging; two receipts never have the same."""
        ids = plant(memory)
        receipts = [
            memory.erase(ids[0]),
            memory.erase(ids[1], strength=0.5),
            memory.erase(ids[2], ids[3], reason="why"),
            memory.erase(ids[4], purge=True),
            memory.erase(ids[4], purge=True),
        ]
        assert [receipt.digest for receipt in receipts] == [digest_of(receipt) for receipt in receipts]
        assert len({receipt.digest for receipt in receipts}) == len(receipts)

    def test_a_purge_names_its_files_with_the_checksums_that_they_have(
        self, memory: NTMMemoryManager, path: Path
    ) -> None:
        """So that somebody else can make sure that they are as the purge left them."""
        plant(memory)
        receipt = memory.erase(memory.memorize(TREASURE).id, purge=True)
        present = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in path.parent.iterdir()
            if file.suffix not in (".lock", ".writer")
        }
        assert dict(receipt.checksums) == present
        assert set(receipt.files_rewritten) == set(present)
        assert (receipt.files_removed, receipt.described()["sha256"]) == ((), present)

    def test_copies_of_older_files_are_deleted_and_named(self, memory: NTMMemoryManager, path: Path) -> None:
        """Wherever the text may still stand."""
        ident = memory.memorize(TREASURE).id
        quarantine = path.with_name("ntm_memory.damaged")
        quarantine.mkdir()
        copies = [*(path.with_name(name) for name in COPIES), quarantine / "ntm_memory.json"]
        for copy in copies:
            copy.write_text(TREASURE, encoding="utf-8")
        receipt = memory.erase(ident, purge=True)
        assert set(receipt.files_removed) == {str(copy.relative_to(path.parent)) for copy in copies}
        assert holders(path.parent) == set()

    def test_what_is_not_a_purge_says_nothing_of_files(self, memory: NTMMemoryManager) -> None:
        """It rewrote none."""
        ids = plant(memory)
        for receipt in (memory.erase(ids[0]), memory.erase(ids[1], strength=0.5)):
            assert (receipt.files_rewritten, receipt.files_removed, receipt.checksums) == ((), (), ())
            assert receipt.described().keys() == {"action", "at", "count", "ids", "strength_left"}


class TestInterruption:
    """The purge is committed, and then the files cannot be written anew."""

    @pytest.fixture
    def interrupted(self, open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch) -> str:
        """The id of a memory whose purge found no space; its process is gone."""
        memory = open_memory(settings=NEVER_FOLD)
        plant(memory, FACTS[:2])
        ident = memory.memorize(TREASURE).id

        def refuse(*rest: object) -> None:
            raise StoreFull("no space in this test")

        with monkeypatch.context() as full:
            full.setattr(FileSystem, "replace", refuse)
            with pytest.raises(StoreFull):
                memory.erase(ident, purge=True)
        return ident

    def test_the_next_opening_finishes_it(self, interrupted: str, open_memory: OpenMemory, path: Path) -> None:
        """Whatever it was opened for, and whatever its settings say of folding."""
        assert holders(path.parent)
        memory = open_memory(settings=NEVER_FOLD)
        assert holders(path.parent) == set()
        assert interrupted in memory.state.tombstones
        assert len(everything(memory)) == 2

    def test_the_text_answers_nobody_meanwhile(self, interrupted: str, open_memory: OpenMemory) -> None:
        """It was gone for every reader from the commit on."""
        memory = open_memory()
        assert interrupted not in everything(memory, TREASURE)
        with pytest.raises(UnknownMemory):
            memory.restore(interrupted)

    def test_another_write_does_not_bring_it_back(self, interrupted: str, open_memory: OpenMemory, path: Path) -> None:
        """Folding leaves it out, and keeps no generation in which it stands."""
        memory = open_memory(settings=Settings())
        memory.memorize("one more")
        memory.close()
        assert holders(path.parent) == set()
        assert len(everything(open_memory())) == 3


def test_purging_what_was_erased_before_takes_its_other_wordings_along(open_memory: OpenMemory, path: Path) -> None:
    """They were erased with it, as they say the same; so were its gists."""
    memory = open_memory()
    first = memory.memorize(f"The code of the vault is {TREASURE}").id
    assert memory.memorize(f"By the way, the code of the vault is {TREASURE}").stored == "merged"
    memory.erase(first)
    assert len(memory.state.archive) == 2
    memory.erase(first, purge=True)
    memory.close()
    assert holders(path.parent) == set()
