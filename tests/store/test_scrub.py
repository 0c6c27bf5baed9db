"""What is purged is in no file any more: not in copies, not after a purge that was broken off."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest

from ntm_memory_skill.model import Erased, Purged, Updated
from ntm_memory_skill.store import DirectoryStore, Scrubbed, verify
from ntm_memory_skill.store.codec import event_to_json
from tests.conftest import ticking_clock
from tests.store.builders import (
    all_bytes,
    commit,
    compact,
    contents,
    ident,
    memorized,
    moment,
    open_store,
    previous_fold,
    read_only_disk,
    record,
    row,
)
from tests.store.doubles import Fault, FaultyOS, ProcessDeath, installed, once
from tests.store.make_golden import GOLDEN

SECRET, OLDER_SECRET = "the treasure lies under the oak", "the treasure lies under the elm"
TRACES = (SECRET.encode(), OLDER_SECRET.encode(), b"treasure", row(70), row(71))
WRITTEN = (
    "ntm_memory.json",
    "ntm_memory.journal.jsonl",
    "ntm_memory.keys.npy",
    "ntm_memory.previous.json",
    "ntm_memory.previous.journal.jsonl",
)


def history(path: Path) -> DirectoryStore:
    """Leave a secret, an older version of it, and both keys in snapshot, journal, key cache and previous generation."""
    store = open_store(path)
    commit(store, memorized(0), memorized(1, content=OLDER_SECRET), memorized(2))
    compact(store)
    commit(store, Updated(ident(1), moment(5), content=SECRET, key_row=row(71)))
    compact(store)
    commit(store, Updated(ident(1), moment(6), importance=1.0), Erased(ident(2), moment(6)))
    return store


def purge(store: DirectoryStore) -> Scrubbed:
    """Purge the secret, as the engine does."""
    with store.transaction():
        assert store.encoder is not None
        store.commit([Erased(ident(1), moment(9), "treasure"), Purged(ident(1), moment(9))], store.encoder)
        return store.scrub()


def holders(folder: Path) -> set[str]:
    """Return the names of all files below a folder in which a trace of the secret stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(trace in path.read_bytes() for trace in TRACES)}


def is_clean(path: Path) -> None:
    """Check that the secret is gone from every file, and all else is there."""
    assert holders(path.parent) == set()
    store = open_store(path)
    assert contents(store) == {ident(0): record(0).content}
    assert (list(store.state.archive), list(store.state.tombstones)) == ([ident(2)], [ident(1)])
    assert all(finding.ok for finding in verify(path, ticking_clock()))


class TestScrubbing:
    """One process, undisturbed."""

    def test_the_secret_stood_everywhere_before(self, path: Path) -> None:
        """Else the tests below would show nothing."""
        store = history(path)
        commit(store, Erased(ident(1), moment(9), "treasure"))
        assert holders(path.parent) == set(WRITTEN)

    def test_no_trace_is_left_in_any_file(self, path: Path) -> None:
        """Nor of what it said before, nor of either key."""
        purge(history(path))
        is_clean(path)

    def test_all_files_are_named_with_the_checksums_that_they_have(self, path: Path) -> None:
        """So that somebody else can make sure that they are still as the purge left them."""
        found = purge(history(path))
        assert found.rewritten == tuple(name for name, _ in found.checksums) == WRITTEN
        for name, checksum in found.checksums:
            assert hashlib.sha256(path.with_name(name).read_bytes()).hexdigest() == checksum

    def test_a_generation_of_clean_files_is_kept_again(self, path: Path) -> None:
        """The loss of one file must not cost the memory, right after a purge either."""
        store = history(path)
        purge(store)
        previous = previous_fold(store)
        assert previous is not None
        assert previous.state == store.state

    def test_copies_that_are_not_written_anew_are_deleted_and_named(self, path: Path) -> None:
        """Of an older format version, of damaged files, and what a crash left in the middle of a rewrite."""
        store = history(path)
        copies = [
            *store.paths.outdated(1),
            store.paths.quarantine / "one.json",
            store.paths.quarantine / "two.jsonl",
            path.with_name("ntm_memory.json.tmp"),
            path.with_name("ntm_memory.previous.json.tmp"),
        ]
        store.paths.quarantine.mkdir()
        for copy in copies:
            copy.write_bytes(SECRET.encode())
        (path.parent / "a file of somebody else").write_bytes(b"nothing to us")
        found = purge(store)
        assert set(found.removed) == {str(copy.relative_to(path.parent)) for copy in copies}
        assert not any(copy.exists() for copy in copies)
        assert (path.parent / "a file of somebody else").exists()
        is_clean(path)

    def test_scrubbing_again_changes_nothing_that_can_be_read(self, path: Path) -> None:
        """Whoever wants to be sure may repeat it."""
        store = history(path)
        purge(store)
        before = store.state
        with store.transaction():
            found = store.scrub()
        assert (found.rewritten, found.removed) == (WRITTEN, ())
        assert open_store(path).state == before

    def test_scrubbing_nothing_makes_nothing(self, path: Path) -> None:
        """There are no files."""
        store = open_store(path)
        with store.transaction():
            assert store.scrub() == Scrubbed()
        assert all_bytes(path.parent) == {}

    def test_compacting_keeps_no_generation_that_holds_what_was_purged(self, path: Path) -> None:
        """Whether or not somebody scrubs: a commit of a purge and a fold are enough."""
        store = history(path)
        commit(store, Erased(ident(1), moment(9)), Purged(ident(1), moment(9)))
        compact(store)
        is_clean(path)

    def test_another_process_s_compaction_does_the_same(self, path: Path) -> None:
        """It learns of the purge from the journal."""
        store, other = history(path), open_store(path)
        commit(store, Erased(ident(1), moment(9)), Purged(ident(1), moment(9)))
        compact(other)
        is_clean(path)


DEATHS = pytest.mark.parametrize("death", ["dies before", "dies after"])


def interruptions(tmp_path: Path, death: Literal["dies before", "dies after"]) -> Iterator[Path]:
    """Give a memory whose purge was broken off at each system call in turn, once the purge was committed."""
    history(tmp_path / "template" / "ntm_memory.json")
    for number in itertools.count():
        folder = tmp_path / f"attempt{number}"
        shutil.copytree(tmp_path / "template", folder)
        path = folder / "ntm_memory.json"
        double = FaultyOS(once(number, Fault(death)))
        with installed(double), suppress(ProcessDeath):
            purge(open_store(path, tidy=False))
        if not double.died:
            return
        if ident(1) in open_store(path, tidy=False).state.tombstones:
            yield path


class TestInterruptedPurge:
    """A process dies after it committed a purge and before every file was written anew."""

    @DEATHS
    def test_the_next_opening_finishes_it(self, tmp_path: Path, death: Literal["dies before", "dies after"]) -> None:
        """Wherever it was broken off; `test_fault_deaths.py` goes through every single system call."""
        met = 0
        for path in itertools.islice(interruptions(tmp_path, death), 0, None, 2):
            open_store(path)
            is_clean(path)
            met += 1
        assert met > 20

    @DEATHS
    def test_repeating_the_purge_finishes_it(self, tmp_path: Path, death: Literal["dies before", "dies after"]) -> None:
        """As a caller does who was not told that it succeeded."""
        for path in itertools.islice(interruptions(tmp_path, death), 0, None, 5):
            store = open_store(path, tidy=False)
            with store.transaction():
                store.scrub()
            is_clean(path)

    def test_whoever_only_looks_leaves_it_to_others(self, tmp_path: Path) -> None:
        """The text is not shown, and no file is touched."""
        for path in itertools.islice(interruptions(tmp_path, "dies after"), 0, None, 9):
            before = all_bytes(path.parent)
            store = open_store(path, tidy=False)
            assert contents(store) == {ident(0): record(0).content}
            assert all_bytes(path.parent) == before

    def test_a_folder_that_cannot_be_written_hides_the_text_all_the_same(self, path: Path) -> None:
        """It is read as it is; the next who may write finishes the purge."""
        store = history(path)
        commit(store, Erased(ident(1), moment(9)), Purged(ident(1), moment(9)))
        with read_only_disk():
            assert contents(open_store(path)) == {ident(0): record(0).content}
        assert holders(path.parent)
        open_store(path)
        is_clean(path)

    def test_a_purge_of_an_older_release_that_was_broken_off_is_finished(self, tmp_path: Path) -> None:
        """Its journal stands behind its snapshot, which holds no such text any more; the upgrade must not keep it."""
        path = tmp_path / "ntm_memory.json"
        shutil.copytree(GOLDEN / "folded_with_archive", tmp_path, dirs_exist_ok=True)
        snapshot = path.read_bytes()
        generation = json.loads(snapshot)["generation"]
        sequence = json.loads(snapshot)["sequence"]
        gone = next(iter(json.loads(snapshot)["tombstones"]))
        entries = [
            [event_to_json(memorized(1, id=gone, content=SECRET))],
            [event_to_json(Erased(gone, moment(1))), event_to_json(Purged(gone, moment(1)))],
        ]
        lines = [line_of_version_1(sequence - 1 + place, events) for place, events in enumerate(entries)]
        header = b'{"journal":"ntm-memory","version":1,"generation":%d}\n' % (generation - 1)
        path.with_name("ntm_memory.journal.jsonl").write_bytes(header + b"".join(lines))
        assert holders(tmp_path)
        open_store(path)
        assert holders(tmp_path) == set()


def line_of_version_1(sequence: int, events: list[dict[str, Any]]) -> bytes:
    """Return a journal line as version 1 of the format had it."""
    payload = json.dumps(events).encode()
    crc = zlib.crc32(f"{sequence}:".encode() + payload)
    return f'{{"seq":{sequence},"crc":"{crc:08x}","events":'.encode() + payload + b"}\n"
