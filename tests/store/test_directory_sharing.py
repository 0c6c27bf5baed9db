"""Two processes and one folder: each sees what the other has acknowledged, and neither writes over it.

A second `DirectoryStore` on the same path stands for the second process: the two share nothing but the files.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill.errors import StoreDamaged, StoreUnreachable
from ntm_memory_skill.model import EncoderIdentity, Event, Faded, Memorized
from ntm_memory_skill.store import Changes, KeyRows, journal
from ntm_memory_skill.store.directory import DirectoryStore
from ntm_memory_skill.store.fs import FileSystem, Signature
from tests.store.builders import (
    DIMENSION,
    MidwayFileSystem,
    commit,
    compact,
    contents,
    die_writing,
    eventful,
    folded,
    ident,
    memorized,
    moment,
    open_store,
    record,
    row,
)


class InterruptedFileSystem(FileSystem):
    """A reader that is interrupted once, right after it looked at the file of a name, by another process's work."""

    def __init__(self, name: str, meanwhile: Callable[[], object]) -> None:
        self._name, self._meanwhile = name, meanwhile
        self.armed = True

    def signature(self, path: Path) -> Signature | None:
        """Look, then be interrupted."""
        found = super().signature(path)
        self._interrupt(path)
        return found

    def read(self, path: Path, offset: int = 0) -> tuple[bytes, Signature] | None:
        """Read, then be interrupted."""
        found = super().read(path, offset)
        self._interrupt(path)
        return found

    def _interrupt(self, path: Path) -> None:
        if self.armed and path.name == self._name:
            self.armed = False
            self._meanwhile()


def exchange(path: Path, data: bytes) -> None:
    """Put another file in a file's place, as a restored backup or a synchronising program does."""
    other = path.with_name("other")
    other.write_bytes(data)
    other.replace(path)


def same_as_reopened(store: DirectoryStore, path: Path) -> bool:
    """Return whether a store knows exactly what the files say."""
    found = open_store(path)
    return (store.state, store.sequence, store.encoder) == (found.state, found.sequence, found.encoder)


class TestNews:
    """What one store commits, the other is told."""

    def test_commits_of_the_other_come_as_events(self, path: Path) -> None:
        """In order and once, already folded in."""
        commit(open_store(path), memorized(9))
        writer, reader = open_store(path), open_store(path)
        for events in eventful():
            commit(writer, *events)
            assert reader.refresh() == Changes(reloaded=False, events=tuple(events))
            assert reader.state == writer.state
            assert reader.refresh() == Changes(reloaded=False)

    def test_several_commits_come_at_once(self, path: Path) -> None:
        """A reader may look as seldom as it likes."""
        commit(open_store(path), memorized(9))
        writer, reader = open_store(path), open_store(path)
        for events in eventful():
            commit(writer, *events)
        expected = tuple(event for events in eventful() for event in events)
        assert reader.refresh() == Changes(reloaded=False, events=expected)

    def test_the_first_commit_of_the_other_is_seen(self, path: Path) -> None:
        """A store that was opened on nothing finds the files that came since."""
        reader, writer = open_store(path), open_store(path)
        commit(writer, memorized(0))
        assert reader.refresh().reloaded
        assert same_as_reopened(reader, path)

    @pytest.mark.parametrize("rounds", [1, 2, 3])
    def test_what_the_other_compacted_is_seen(self, path: Path, rounds: int) -> None:
        """The files are others; the reader says that it read them anew."""
        writer = open_store(path)
        commit(writer, memorized(0))
        reader = open_store(path)
        for number in range(1, rounds + 1):
            commit(writer, memorized(number))
            compact(writer)
        assert reader.refresh().reloaded
        assert same_as_reopened(reader, path)
        commit(writer, memorized(7))
        assert reader.refresh() == Changes(reloaded=False, events=(memorized(7),))

    def test_an_encoder_that_the_other_changed_is_seen(self, path: Path) -> None:
        """Its keys mean nothing any more."""
        commit(open_store(path), memorized(0))
        writer, reader = open_store(path), open_store(path)
        wider = EncoderIdentity("another", "1", dimension=2 * DIMENSION)
        with writer.transaction():
            writer.rekey(KeyRows([], np.zeros((0, wider.dimension), np.float32)), wider)
            writer.commit([Memorized(record(1), row(1, wider.dimension))], wider)
        assert reader.refresh().reloaded
        assert reader.encoder == wider
        assert reader.key_rows().keys.tobytes() == row(1, wider.dimension)


class TestTakingTurns:
    """A writer catches up before it writes."""

    def test_a_transaction_begins_caught_up(self, path: Path) -> None:
        """It says what the other did, and its own commit comes behind that."""
        first, second = open_store(path), open_store(path)
        commit(first, memorized(0))
        commit(second, memorized(1))
        assert commit(first, memorized(2)) == Changes(reloaded=False, events=(memorized(1),))
        assert same_as_reopened(first, path)
        assert list(open_store(path).state.records) == [ident(0), ident(1), ident(2)]

    @pytest.mark.parametrize("compact_every", [1, 2, 3, 100])
    def test_nothing_is_lost_in_turns(self, path: Path, compact_every: int) -> None:
        """However commits and compactions of three processes follow each other."""
        stores = [open_store(path) for _ in range(3)]
        for number in range(12):
            commit(stores[number % 3], memorized(number))
            if number % compact_every == 0:
                compact(stores[(number + 1) % 3])
        for store in stores:
            store.refresh()
            assert store.state == folded([[memorized(number) for number in range(12)]])
            assert store.sequence == 12

    def test_two_processes_cannot_both_have_the_first_word(self, path: Path) -> None:
        """Both were opened on nothing; the second to write finds the first one's files."""
        first, second = open_store(path), open_store(path)
        commit(first, memorized(0))
        assert commit(second, memorized(1)).reloaded
        assert list(open_store(path).state.records) == [ident(0), ident(1)]


class TestRaces:
    """The other process works while this one reads."""

    @pytest.mark.parametrize("name", ["ntm_memory.json", "ntm_memory.journal.jsonl"])
    def test_opening_during_a_compaction_gives_one_whole_state(self, path: Path, name: str) -> None:
        """Never an old snapshot with a new journal."""
        writer = open_store(path)
        commit(writer, memorized(0))
        commit(writer, memorized(1))

        def meanwhile() -> None:
            compact(writer)
            commit(writer, memorized(2))

        reader = open_store(path, InterruptedFileSystem(name, meanwhile))
        assert list(reader.state.records) in ([ident(0), ident(1)], [ident(0), ident(1), ident(2)])
        reader.refresh()
        assert same_as_reopened(reader, path)

    @pytest.mark.parametrize("name", ["ntm_memory.json", "ntm_memory.journal.jsonl"])
    def test_opening_during_the_first_commit_gives_one_whole_state(self, path: Path, name: str) -> None:
        """A journal whose snapshot was not there a moment ago is no damage."""
        writer = open_store(path)
        reader = open_store(path, InterruptedFileSystem(name, lambda: commit(writer, memorized(0))))
        assert name != path.name or contents(reader) == contents(writer)
        reader.refresh()
        assert same_as_reopened(reader, path)

    @pytest.mark.parametrize("name", ["ntm_memory.json", "ntm_memory.journal.jsonl"])
    def test_catching_up_during_a_compaction_gives_one_whole_state(self, path: Path, name: str) -> None:
        """Whichever file was looked at before it."""
        writer = open_store(path)
        commit(writer, memorized(0))
        interrupted = InterruptedFileSystem(name, lambda: (commit(writer, memorized(2)), compact(writer)))
        interrupted.armed = False
        reader = open_store(path, interrupted)
        commit(writer, memorized(1))
        interrupted.armed = True
        reader.refresh()
        assert list(reader.state.records) in ([ident(0), ident(1)], [ident(0), ident(1), ident(2)])
        reader.refresh()
        assert same_as_reopened(reader, path)
        assert reader.warnings == ()

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
    def test_a_line_that_is_still_being_written_is_no_lasting_warning(self, path: Path, share: float) -> None:
        """A reader without the lock may see half of it; it was not acknowledged then, and is whole at the next look."""
        commit(open_store(path), memorized(0))
        reader = open_store(path)
        seen: list[list[str]] = []

        def look() -> None:
            for each in (reader, open_store(path)):
                each.refresh()
                seen.append(list(each.state.records))

        commit(open_store(path, MidwayFileSystem(share, look)), memorized(1))
        assert seen == [[ident(0)], [ident(0)]]
        reader.refresh()
        assert list(reader.state.records) == [ident(0), ident(1)]
        assert reader.warnings == ()

    @pytest.mark.parametrize("content", ["short", "memory number 1", "a longer text than the one that was lost"])
    def test_a_line_seen_before_its_sync_failed_is_forgotten(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, content: str
    ) -> None:
        """It was never acknowledged, and another one may stand in its place: shorter, as long, or longer."""
        writer = open_store(path)
        commit(writer, memorized(0))
        reader = open_store(path)

        def looked_at_and_failed(handle: int) -> None:
            reader.refresh()
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", looked_at_and_failed)
            with pytest.raises(StoreUnreachable):
                commit(writer, memorized(1))
        commit(writer, memorized(2, content=content, id="m001", ordinal=1, slot=1))
        commit(reader, memorized(3))
        assert contents(reader)["m001"] == content
        assert same_as_reopened(reader, path)

    @pytest.mark.parametrize("content", ["short", "memory number 1", "a longer text than the one that was lost"])
    def test_lines_behind_one_that_was_written_over_are_found(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, content: str
    ) -> None:
        """A reader that was opened meanwhile stands behind a line that is another one now, or in the middle of it."""
        writer = open_store(path)
        commit(writer, memorized(0))
        readers: list[DirectoryStore] = []

        def opened_and_failed(handle: int) -> None:
            readers.append(open_store(path))
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", opened_and_failed)
            with pytest.raises(StoreUnreachable):
                commit(writer, memorized(1))
        (reader,) = readers
        assert list(reader.state.records) == [ident(0), ident(1)]
        commit(writer, memorized(1, content=content))
        commit(writer, memorized(2))
        reader.refresh()
        assert contents(reader)[ident(1)] == content
        assert same_as_reopened(reader, path)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
    def test_a_journal_whose_first_line_was_torn_is_read_anew(self, path: Path, share: float) -> None:
        """A reader that saw half a header finds the whole one that took its place."""
        die_writing(path, memorized(0), share=share)
        reader, writer = open_store(path, tidy=False), open_store(path)
        commit(writer, memorized(0))
        reader.refresh()
        assert list(reader.state.records) == [ident(0)]
        assert reader.warnings == ()


def line_behind(data: bytes, *events: Event) -> bytes:
    """Return the line of a transaction that comes behind a journal's last one, whether it fits or not."""
    head = journal.read_header(data)
    assert head is not None
    entries, _, _, checksum = journal.read_lines(data[head.length :], 0, head.checksum)
    return journal.line(entries[-1].sequence + 1, events, checksum)[0]


class TestDamageMeanwhile:
    """Files that go bad while a store is open."""

    @pytest.mark.parametrize(
        ("name", "damage"),
        [
            ("ntm_memory.json", lambda good: good[: len(good) // 2] + b"?" + good[len(good) // 2 + 1 :]),
            ("ntm_memory.journal.jsonl", lambda good: good[: len(good) // 2] + b"?" + good[len(good) // 2 + 1 :]),
            ("ntm_memory.journal.jsonl", lambda good: good + line_behind(good, Faded(ident(99), moment(9), 0.5))),
        ],
        ids=["snapshot", "journal", "unfit event"],
    )
    def test_it_is_refused_at_every_look_until_it_is_mended(
        self, path: Path, name: str, damage: Callable[[bytes], bytes]
    ) -> None:
        """The first refusal must not make the second look pass, nor a commit write over the evidence."""
        store = open_store(path)
        for number in range(3):
            commit(store, memorized(number))
        file = path.with_name(name)
        good = file.read_bytes()
        exchange(file, damage(good))
        for _ in range(2):
            with pytest.raises(StoreDamaged):
                store.refresh()
            with pytest.raises(StoreDamaged):
                commit(store, memorized(7))
        assert file.read_bytes() == damage(good)
        exchange(file, good)
        commit(store, memorized(7))
        assert list(open_store(path).state.records) == [ident(0), ident(1), ident(2), ident(7)]

    def test_a_journal_that_was_exchanged_is_read_anew(self, tmp_path: Path) -> None:
        """It goes on where ours does, but what it says before that is something else."""
        store, other = open_store(tmp_path / "a.json"), open_store(tmp_path / "b.json")
        commit(store, memorized(0, content="this"))
        commit(other, memorized(0, content="that"))
        commit(other, memorized(1))
        exchange(store.paths.journal, other.paths.journal.read_bytes())
        assert store.refresh().reloaded
        assert contents(store) == contents(other)

    def test_what_came_before_the_damage_is_told_once_it_is_mended(self, path: Path) -> None:
        """In place, so that the file is the same: the reader must not believe that it has told it already."""
        store = open_store(path)
        commit(store, memorized(0))
        reader = open_store(path)
        commit(store, memorized(1))
        good = store.paths.journal.read_bytes()
        store.paths.journal.write_bytes(good + line_behind(good, Faded(ident(1), moment(8), 0.5), memorized(0)))
        with pytest.raises(StoreDamaged):
            reader.refresh()
        os.truncate(store.paths.journal, len(good))
        commit(store, memorized(2))
        changes = reader.refresh()
        assert changes.reloaded or changes.events == (memorized(1), memorized(2))
        assert contents(reader) == contents(store)
        assert same_as_reopened(reader, path)

    def test_a_journal_that_was_put_back_to_an_earlier_state_is_refused(self, path: Path) -> None:
        """Within the same file: an entry that was acknowledged is gone; without the note, it is read anew."""
        store = open_store(path)
        commit(store, memorized(0))
        earlier = store.paths.journal.stat().st_size
        commit(store, memorized(1))
        os.truncate(store.paths.journal, earlier)
        for _ in range(2):
            with pytest.raises(StoreDamaged):
                store.refresh()
        store.paths.writer.unlink()
        assert store.refresh().reloaded
        assert list(store.state.records) == [ident(0)]

    def test_files_that_are_gone_without_their_note_are_refused(self, path: Path) -> None:
        """Nobody who means to delete a memory leaves the note that says what has to be there."""
        store = open_store(path)
        commit(store, memorized(0))
        for file in (store.paths.journal, store.paths.snapshot):
            file.unlink()
        for _ in range(2):
            with pytest.raises(StoreDamaged):
                store.refresh()

    def test_files_that_are_all_gone_are_an_empty_memory(self, path: Path) -> None:
        """Someone deleted the memory while it was open; a new one can be begun."""
        store = open_store(path)
        commit(store, memorized(0))
        for file in (store.paths.journal, store.paths.snapshot, store.paths.writer):
            file.unlink()
        assert store.refresh().reloaded
        assert contents(store) == {}
        commit(store, memorized(0))
        assert same_as_reopened(store, path)
