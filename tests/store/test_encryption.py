"""A memory that is encrypted: nothing of it in clear in any file, and no way in without the key."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ntm_memory_skill.errors import KeyRefused, StoreDamaged, StoreError
from ntm_memory_skill.model import Erased, Purged, indexed_text
from ntm_memory_skill.store import DirectoryStore, seal
from tests.store.builders import (
    all_bytes,
    commit,
    compact,
    contents,
    eventful,
    folded,
    ident,
    memorized,
    moment,
    open_store,
    record,
    row,
)

OURS, OTHER = "open sesame", "open, rye"
WORDS = (
    "memory number",
    "你好",
    "greet",
    "outdated",
    '"chat"',
    "hashed",
    f'"{ident(0)}"',
    f'"{ident(3)}"',
    "memorized",
    "importance",
    *("not recalled", "says the same", "said again", "occurrences", "merged", "forgotten", "consolidat", "distilled"),
)
"""What stands in clear in the files of `eventful`: contents, tags, reasons, sessions, ids, names of fields, events."""


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are derived without delay; what a real one costs is paid for in `test_seal.py` and by the golden store."""
    monkeypatch.setitem(seal.SCRYPT, "n", 2)


def history(path: Path, passphrase: str | None = OURS) -> DirectoryStore:
    """Leave a memory with all kinds of files: snapshot, journal, key cache, previous generation."""
    store = open_store(path, passphrase=passphrase)
    for number, events in enumerate(eventful()):
        commit(store, *events)
        if number in (1, 6, 7):  # the purge before the second leaves no generation to keep
            compact(store)
    return store


def in_clear(folder: Path) -> set[str]:
    """Return the names of all files in which anything of the memory stands in clear, a key row or a word of it."""
    texts = [form for word in WORDS for form in (word.encode(), json.dumps(word)[1:-1].encode())]
    keys = [form for number in (0, 1, 2, 3, 5, 6, 8, 10) for form in (row(number), base64.b64encode(row(number)))]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name for path in files if any(trace in path.read_bytes() for trace in (*texts, *keys))}


def has_all_keys(store: DirectoryStore) -> bool:
    """Return whether no memory's text would have to be encoded anew, of those that can be found."""
    assert store.encoder is not None
    rows, texts = store.key_rows(), (indexed_text(known.key, known.content) for known in store.state.remembered())
    return all(rows.position(store.encoder.digest(text)) is not None for text in texts)


class TestKey:
    """Who gets in."""

    def test_the_key_opens_it(self, path: Path) -> None:
        """With everything that was written, and the keys of its memories."""
        history(path)
        for _ in range(2):
            store = open_store(path, passphrase=OURS)
            assert (store.state, store.encrypted) == (folded(eventful()), True)
            assert has_all_keys(store)
            compact(store)

    @pytest.mark.parametrize("passphrase", [None, "", OTHER, OURS + " ", OURS.upper()])
    def test_no_other_key_does(self, path: Path, passphrase: str | None) -> None:
        """Nor none; and the files stay as they are."""
        history(path)
        before = all_bytes(path.parent)
        with pytest.raises(KeyRefused) as caught:
            open_store(path, passphrase=passphrase)
        assert caught.value.code == "key_refused"
        assert all_bytes(path.parent) == before

    def test_a_key_for_a_memory_that_is_not_encrypted_is_refused(self, path: Path) -> None:
        """Its owner believes that it is, and would go on writing in clear."""
        assert not history(path, None).encrypted
        before = all_bytes(path.parent)
        with pytest.raises(KeyRefused):
            open_store(path, passphrase=OURS)
        assert all_bytes(path.parent) == before

    def test_two_memories_with_one_passphrase_have_two_keys(self, tmp_path: Path) -> None:
        """The files of one do not open as files of the other."""
        salts = set()
        for name in ("one.json", "other.json"):
            history(tmp_path / name)
            salts.add(json.loads((tmp_path / name).read_bytes())["kdf"]["salt"])
        assert len(salts) == 2

    def test_the_journal_of_another_key_is_refused(self, path: Path, tmp_path: Path) -> None:
        """Everything else about it is right: generation, numbers, checksums."""
        for folder in ("one", "other"):
            store = open_store(tmp_path / folder, passphrase=OURS)
            commit(store, memorized(0))
        foreign = tmp_path / "other" / "ntm_memory.journal.jsonl"
        (tmp_path / "one" / "ntm_memory.journal.jsonl").write_bytes(foreign.read_bytes())
        with pytest.raises(KeyRefused):
            open_store(tmp_path / "one", passphrase=OURS)


class TestFiles:
    """What can be read without the key."""

    def test_a_memory_in_clear_can_be_read_everywhere(self, path: Path) -> None:
        """Else the test below would show nothing."""
        history(path, None)
        names = ("json", "journal.jsonl", "keys.npy", "previous.json", "previous.journal.jsonl")
        assert in_clear(path.parent) == {f"ntm_memory.{name}" for name in names}

    def test_nothing_stands_in_clear_in_any_file(self, path: Path) -> None:
        """Not a word of the content, no id, no key, not the encoder's name: from the first commit on."""
        store = open_store(path, passphrase=OURS)
        for events in eventful():
            commit(store, *events)
            assert in_clear(path.parent) == set()
            compact(store)
            assert in_clear(path.parent) == set()

    def test_what_must_be_told_is(self, path: Path) -> None:
        """Numbers of entries and generations, by which readers notice a change without a key."""
        store = history(path)
        lines = store.paths.journal.read_bytes().splitlines()
        assert json.loads(lines[0]).keys() == {"journal", "version", "generation", "sequence"}
        assert all(json.loads(line).keys() == {"seq", "after", "crc", "sealed"} for line in lines[1:])
        assert len(lines) > 1


class TestWork:
    """It behaves like any other memory."""

    def test_two_processes_take_turns(self, path: Path) -> None:
        """Both were opened before there was anything, so that each had drawn a salt of its own."""
        one, other = (open_store(path, passphrase=OURS) for _ in range(2))
        for number in range(6):
            commit((one, other)[number % 2], memorized(number))
            if number == 3:
                compact(one)
        one.refresh()
        other.refresh()
        assert contents(one) == contents(other) == {ident(number): record(number).content for number in range(6)}
        assert open_store(path, passphrase=OURS).state == one.state

    def test_a_torn_line_is_dropped_and_reported(self, path: Path) -> None:
        """Whether it was to be sealed or not."""
        store = open_store(path, passphrase=OURS)
        commit(store, memorized(0))
        whole = store.paths.journal.read_bytes()
        commit(store, memorized(1))
        more = store.paths.journal.read_bytes()
        store.paths.journal.write_bytes(more[: len(whole) + 50])
        store.paths.writer.unlink()
        found = open_store(path, passphrase=OURS)
        assert (list(found.state.records), len(found.warnings)) == ([ident(0)], 1)

    def test_damage_is_told_from_a_wrong_key(self, path: Path) -> None:
        """Another passphrase would not help."""
        store = history(path)
        for file in (path, store.paths.journal):
            good = file.read_bytes()
            file.write_bytes(good[: len(good) // 2] + b"?" + good[len(good) // 2 + 1 :])
            with pytest.raises(StoreDamaged):
                open_store(path, passphrase=OURS)
            file.write_bytes(good)

    def test_a_purge_leaves_nothing(self, path: Path) -> None:
        """The sealed text is gone as well: whoever learns the key later does not find it."""
        store = history(path)
        with store.transaction():
            assert store.encoder is not None
            store.commit([Erased(ident(0), moment(30)), Purged(ident(0), moment(30))], store.encoder)
            store.scrub()
        key = seal.Seal(OURS, bytes.fromhex(json.loads(path.read_bytes())["kdf"]["salt"]))
        opened = b""
        for data in all_bytes(path.parent).values():
            for piece in data.split(b'"'):
                try:
                    opened += key.decrypt(piece)
                except StoreError:
                    continue
        assert record(1).content.encode() in opened
        assert "你好".encode() not in opened


class TestResealing:
    """The key is changed, given, or taken away."""

    @staticmethod
    def reseal(store: DirectoryStore, passphrase: str | None) -> tuple[str, ...]:
        """Change the key, and return the names of the files that were written anew."""
        with store.transaction():
            return store.reseal(passphrase).rewritten

    @pytest.mark.parametrize(("before", "after"), [(None, OURS), (OURS, OTHER), (OURS, OURS), (OURS, None)])
    def test_the_new_key_alone_opens_it(self, path: Path, before: str | None, after: str | None) -> None:
        """All that was there is there, and no key has to be made anew; the same store goes on."""
        store = history(path, before)
        assert len(self.reseal(store, after)) == 5
        for found in (store, open_store(path, passphrase=after)):
            assert (found.state, found.encrypted) == (folded(eventful()), after is not None)
            assert has_all_keys(found)
        if before != after:
            with pytest.raises(KeyRefused):
                open_store(path, passphrase=before)
        commit(store, memorized(30))
        compact(store)
        assert contents(open_store(path, passphrase=after)) == contents(store)

    def test_encrypting_leaves_nothing_in_clear(self, path: Path) -> None:
        """In no copy either: not in the generation before, nor in one of an older version or of damaged files."""
        store = history(path, None)
        for copy in (*store.paths.outdated(1), path.with_name("ntm_memory.json.tmp")):
            copy.write_bytes(b"memory number 0")
        self.reseal(store, OURS)
        assert in_clear(path.parent) == set()

    def test_the_same_passphrase_gives_another_key(self, path: Path) -> None:
        """A new salt: what somebody kept of the old key opens nothing."""
        store = history(path)
        salt = json.loads(path.read_bytes())["kdf"]["salt"]
        self.reseal(store, OURS)
        assert json.loads(path.read_bytes())["kdf"]["salt"] != salt

    def test_who_has_it_open_with_the_old_key_is_refused(self, path: Path) -> None:
        """At the next look; and it must not write in clear, or with the old key, into the new files."""
        store = history(path, None)
        for old, new in ((None, OURS), (OURS, OTHER), (OTHER, None)):
            early = open_store(path, passphrase=old)
            self.reseal(store, new)
            before = all_bytes(path.parent)
            for _ in range(2):
                with pytest.raises(KeyRefused):
                    early.refresh()
                with pytest.raises(KeyRefused):
                    commit(early, memorized(9))
            assert all_bytes(path.parent) == before

    def test_an_empty_memory_is_encrypted_from_its_first_write_on(self, path: Path) -> None:
        """There is nothing to rewrite before."""
        store = open_store(path)
        assert self.reseal(store, OURS) == ()
        commit(store, memorized(0))
        assert in_clear(path.parent) == set()
        assert list(open_store(path, passphrase=OURS).state.records) == [ident(0)]
