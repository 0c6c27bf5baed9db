"""What is purged is in no line of the feedback; of an encrypted memory, no line can be read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ntm_memory_skill.model import Erased, Feedback, Purged, Updated
from ntm_memory_skill.store import DirectoryStore, feedback
from tests.store.builders import (
    commit,
    compact,
    ident,
    memorized,
    moment,
    open_store,
    record,
    row,
)
from tests.store.remarks import GOOD, KEPT, NAME, history, keep, lines_of, remark


@pytest.fixture(autouse=True)
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five lines are kept, and not thousands."""
    monkeypatch.setattr(feedback, "KEPT", KEPT)


SECRET, EARLIER = "The treasure lies\nunder the old oak", "There are 4711 pieces of gold"
TELLING = {
    "among what was given": remark(0, "a question", ident(7), ident(0)),
    "what was of use": remark(0, "a question", ident(0), ident(7)),
    "the whole text": remark(0, f"is it so? {SECRET} is what I heard"),
    "in other letters": remark(0, f"is it so? {SECRET.upper()}"),
    "with other blanks": remark(0, "is it so? The  treasure lies under\tthe old oak"),
    "the text contains it": remark(0, "lies\nunder the"),
    "a part of the text": remark(0, "where under the old trees is it?"),
    "what it said before": remark(0, "4711 pieces of what?"),
    "what it is called": remark(0, "what is the gold box?"),
    "a short text": remark(0, "who wrote qwx?"),
    "four characters of a text": remark(0, "请问，钥匙在门垫那里吗"),
}
SEVERAL = list(TELLING.values())[1:-1]
"""As many as are kept without cutting back."""
HARMLESS = {
    "others": remark(1, "a question", ident(1), ident(0)),
    "eleven letters of it": remark(2, "treasure like that"),
    "half of a short text": remark(3, "who wrote qw?"),
    "three characters of a text": remark(4, "请问，钥匙在哪里"),
}


def with_secrets(path: Path, passphrase: str | None = None) -> DirectoryStore:
    """Leave a memory in which something is to be purged: a text, what it said before, its name, and two short ones."""
    store = history(path, passphrase)
    commit(store, memorized(7, content=EARLIER, key="Gold box"))
    commit(store, Updated(ident(7), moment(8), content=SECRET, key_row=row(8)))
    compact(store)
    commit(store, memorized(8, content="qwx"), memorized(9, content="钥匙在门垫下"))
    return store


def purge(store: DirectoryStore) -> tuple[str, ...]:
    """Purge them, and return the names of the files that were rewritten."""
    numbers, at = (7, 8, 9), moment(20)
    with store.transaction():
        assert store.encoder is not None
        events = [event for each in numbers for event in (Erased(ident(each), at), Purged(ident(each), at))]
        store.commit(events, store.encoder)
        return store.scrub().rewritten


class TestPurging:
    """What is purged is in no line any more."""

    @pytest.mark.parametrize("line", TELLING.values(), ids=TELLING)
    def test_a_line_that_tells_of_it_goes(self, path: Path, line: Feedback) -> None:
        """By an id, or by its question; the others stay, in their order."""
        store = with_secrets(path)
        keep(store, HARMLESS["others"], line, remark(9))
        assert NAME in purge(store)
        left = path.with_name(NAME).read_bytes()
        assert len(left.splitlines()) == 2
        assert store.feedback() == open_store(path).feedback() == [HARMLESS["others"], remark(9)]

    @pytest.mark.parametrize("line", HARMLESS.values(), ids=HARMLESS)
    def test_a_line_that_tells_nothing_stays(self, path: Path, line: Feedback) -> None:
        """The file is not touched, and no receipt says so."""
        store = with_secrets(path)
        keep(store, line)
        before = path.with_name(NAME).stat()
        assert NAME not in purge(store)
        after = path.with_name(NAME).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert store.feedback() == [line]

    def test_the_receipt_has_the_checksum_of_what_is_left(self, path: Path) -> None:
        """So that somebody else can make sure of it; a second purge finds nothing to rewrite."""
        store = with_secrets(path)
        keep(store, remark(1), *SEVERAL)
        commit(store, Erased(ident(7), moment(19)), Purged(ident(7), moment(20)))
        with store.transaction():
            found = store.scrub()
        data = path.with_name(NAME).read_bytes()
        assert dict(found.checksums)[NAME] == hashlib.sha256(data).hexdigest()
        assert found.rewritten == tuple(name for name, _ in found.checksums)
        with store.transaction():
            assert NAME not in store.scrub().rewritten

    def test_all_lines_are_looked_at_not_only_those_that_are_given(self, path: Path) -> None:
        """The file may hold twice as many."""
        store = with_secrets(path)
        keep(store, TELLING["the whole text"], *(remark(number) for number in range(KEPT + 2)))
        purge(store)
        assert b"treasure" not in path.with_name(NAME).read_bytes()

    @pytest.mark.parametrize("end", [b"", b"\n"])
    def test_what_cannot_be_read_goes_with_it(self, path: Path, end: bytes) -> None:
        """A torn or foreign line may tell anything."""
        store = with_secrets(path)
        keep(store, remark(1))
        with path.with_name(NAME).open("ab") as file:
            file.write(f'{{"query":"{SECRET}"'.replace("\n", " ").encode() + end)
        assert NAME in purge(store)
        assert b"treasure" not in path.with_name(NAME).read_bytes()
        assert store.feedback() == [remark(1)]

    def test_what_stands_beside_the_words_of_a_line_goes_with_it(self, path: Path) -> None:
        """JSON has room for it: a member that is there twice."""
        store = with_secrets(path)
        line = json.dumps(GOOD).replace('"query":', f'"query":{json.dumps(SECRET)},"query":')
        path.with_name(NAME).write_text(line + "\n", encoding="utf-8")
        assert len(store.feedback()) == 1
        assert NAME in purge(store)
        assert b"treasure" not in path.with_name(NAME).read_bytes()
        assert len(store.feedback()) == 1

    def test_whoever_folds_after_a_purge_cleans_it_too(self, path: Path) -> None:
        """Another process, which learns of the purge from the journal, and of the text from its snapshot."""
        store, other = with_secrets(path), open_store(path)
        keep(store, remark(1), *SEVERAL)
        commit(store, Erased(ident(7), moment(20)), Purged(ident(7), moment(20)))
        compact(other)
        assert b"treasure" not in path.with_name(NAME).read_bytes()
        assert b"m007" not in path.with_name(NAME).read_bytes()

    def test_a_purge_that_was_broken_off_tells_nobody_and_is_finished(self, path: Path) -> None:
        """It was committed and not scrubbed: a reader is given no line, the next opening cleans the file."""
        store = with_secrets(path)
        keep(store, remark(1), *SEVERAL)
        before = path.with_name(NAME).read_bytes()
        events = [
            event for each in (7, 8, 9) for event in (Erased(ident(each), moment(20)), Purged(ident(each), moment(20)))
        ]
        commit(store, *events)
        assert open_store(path, tidy=False).feedback() == store.feedback() == [remark(1)]
        assert path.with_name(NAME).read_bytes() == before
        assert open_store(path).feedback() == [remark(1)]
        assert len(lines_of(path)) == 1

    def test_nothing_is_kept_afterwards_that_names_it(self, path: Path) -> None:
        """By a process that had given it before."""
        store, other = with_secrets(path), open_store(path)
        purge(store)
        keep(other, TELLING["among what was given"], remark(1))
        assert lines_of(path) == lines_of(path)[-1:]
        assert other.feedback() == [remark(1)]

    def test_erasing_leaves_it(self, path: Path) -> None:
        """The text is in the archive still, and may come back."""
        store = with_secrets(path)
        keep(store, *list(TELLING.values())[:3])
        commit(store, Erased(ident(7), moment(20)))
        compact(store)
        assert store.feedback() == list(TELLING.values())[:3]

    def test_the_trained_head_is_left_alone(self, path: Path) -> None:
        """There is no text in it."""
        store = with_secrets(path)
        with store.transaction():
            store.keep_beside("head", b"numbers")
        assert "ntm_memory.head.json" not in purge(store)
        assert open_store(path).beside("head") == b"numbers"


OURS, OTHER = "open sesame", "open, rye"


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are derived without delay."""
    monkeypatch.setattr("ntm_memory_skill.store.seal.SCRYPT", {"n": 2, "r": 8, "p": 1})
    monkeypatch.setattr("ntm_memory_skill.store.snapshot.SCRYPT", {"n": 2, "r": 8, "p": 1})


@pytest.mark.usefixtures("cheap_keys")
class TestEncryption:
    """The memory is encrypted."""

    def test_no_word_can_be_read_without_the_key(self, path: Path) -> None:
        """Neither the question nor an id; with it all can, in order."""
        store = history(path, OURS)
        remarks = [remark(number) for number in range(KEPT)]
        keep(store, *remarks)
        for line in lines_of(path):
            assert json.loads(line).keys() == {"sealed"}
        data = path.with_name(NAME).read_bytes()
        assert not any(word in data for word in (b"question", b"m00", b"use", b"2026"))
        assert open_store(path, passphrase=OURS).feedback() == remarks

    def test_it_is_bounded_and_purged_as_ever(self, path: Path) -> None:
        """What cannot be opened goes as well."""
        store = with_secrets(path, OURS)
        keep(store, *(remark(number) for number in range(2 * KEPT + 1)))
        assert len(lines_of(path)) == KEPT
        keep(store, *list(TELLING.values())[:4])
        assert NAME in purge(store)
        assert len(lines_of(path)) == KEPT
        assert store.feedback() == [remark(number) for number in range(KEPT + 1, 2 * KEPT + 1)]
        assert NAME not in purge_again(store)

    def test_a_readable_line_is_not_ours(self, path: Path) -> None:
        """Anybody can write one; nor is one of another key, nor a piece of another file of this memory."""
        store, other = history(path, OURS), history(path.parent / "other" / "ntm_memory.json", OTHER)
        keep(other, remark(1))
        commit(store, memorized(2))
        journal = store.paths.journal.read_bytes().splitlines()[-1]
        assert store._fold.seal is not None
        forged = store._fold.seal.encrypt(b"whatever:" + json.dumps(GOOD).encode())  # the key's holder, elsewhere
        sealed = [b'{"sealed":"%s"}' % token for token in (json.loads(journal)["sealed"].encode(), forged)]
        strange = [json.dumps(GOOD).encode(), *lines_of(other.paths.snapshot), *sealed]
        path.with_name(NAME).write_bytes(b"".join(line + b"\n" for line in strange))
        keep(store, remark(2))
        assert store.feedback() == [remark(2)]

    @pytest.mark.parametrize(("before", "after"), [(None, OURS), (OURS, OTHER), (OURS, OURS), (OURS, None)])
    def test_another_key_closes_it_anew(self, path: Path, before: str | None, after: str | None) -> None:
        """And the file is among those that were written."""
        store = history(path, before)
        keep(store, remark(0), remark(1))
        with store.transaction():
            done = store.reseal(after)
        for name, checksum in done.checksums:
            assert hashlib.sha256(path.with_name(name).read_bytes()).hexdigest() == checksum
        assert NAME in done.rewritten
        assert (b"question" in path.with_name(NAME).read_bytes()) == (after is None)
        for found in (store, open_store(path, passphrase=after)):
            assert found.feedback() == [remark(0), remark(1)]
        keep(store, remark(2))
        assert open_store(path, passphrase=after).feedback() == [remark(0), remark(1), remark(2)]

    def test_another_key_makes_no_file_where_there_was_none(self, path: Path) -> None:
        """Nor does it name one."""
        store = history(path)
        with store.transaction():
            assert NAME not in store.reseal(OURS).rewritten
        assert not path.with_name(NAME).exists()

    def test_the_trained_head_stays_readable(self, path: Path) -> None:
        """It holds no text, and is not encrypted."""
        store = history(path)
        with store.transaction():
            store.keep_beside("head", b"numbers")
            store.reseal(OURS)
        assert (
            open_store(path, passphrase=OURS).beside("head")
            == path.with_name("ntm_memory.head.json").read_bytes()
            == b"numbers"
        )


def purge_again(store: DirectoryStore) -> tuple[str, ...]:
    """Scrub once more, and return the names of the files that were rewritten."""
    with store.transaction():
        return store.scrub().rewritten


def test_the_texts_of_a_purged_record_are_all_that_it_says_and_said() -> None:
    """Neither its tags nor its session are texts of its own."""
    traces = feedback.Traces(
        (), [record(7, content="a text of some length", tags=("important things",), session="chat 12345678")]
    )
    assert traces.left_by(remark(0, "of some length"))
    assert not traces.left_by(remark(0, "important things in chat 12345678"))
