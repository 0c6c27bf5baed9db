"""Encryption of single pieces: the seal itself, and the journal's lines, the snapshot and the key cache under it."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from functools import cache
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import KeyRefused, StoreDamaged, StoreError, StoreTooNew
from ntm_memory_skill.model import Event, Faded
from ntm_memory_skill.store import KeyRows, State, journal, keycache, snapshot
from ntm_memory_skill.store.seal import SALT_BYTES, SCRYPT, Seal
from tests.store.builders import IDENTITY, eventful, folded, ident, memorized, moment
from tests.store.strategies import EVENTS

SALT = bytes(range(16))
OURS = "open sesame"
HEADER = snapshot.Header(generation=3, sequence=121, encoder=IDENTITY, written=moment(60))
STATE = folded(eventful())
HEAD = zlib.crc32(journal.header(3, 0))
WORDS = (
    "你好，世界 🌍".encode(),
    b"greet",
    b"memory number",
    b'"chat"',
    b'"m000"',
    b"content",
    b"memorized",
    b"hashed",
)
"""What stands in these events in clear."""


@cache
def seal_of(passphrase: str = OURS, salt: bytes = SALT) -> Seal:
    """Return a seal; deriving its key takes a while, and once is enough."""
    return Seal(passphrase, salt)


def changed(data: bytes, position: int, mask: int = 0x01) -> bytes:
    """Return data with one byte changed."""
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


class TestSeal:
    """Closing and opening."""

    @given(st.binary(max_size=200))
    @settings(deadline=None, max_examples=50)
    def test_what_was_closed_is_opened_as_it_was(self, data: bytes) -> None:
        """And stands in the file as one word of printable ASCII, which JSON need not escape."""
        token = seal_of().encrypt(data)
        assert seal_of().decrypt(token) == data
        assert token.isascii()
        assert json.dumps(token.decode()) == f'"{token.decode()}"'

    def test_two_closings_of_the_same_are_different(self) -> None:
        """Whoever sees both does not learn that they hold the same."""
        assert seal_of().encrypt(b"same") != seal_of().encrypt(b"same")

    def test_the_key_is_the_documented_one(self) -> None:
        """Fernet under a key of scrypt: another program can open it, and a later release will."""
        key = hashlib.scrypt(b"open sesame", salt=SALT, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
        fernet = Fernet(base64.urlsafe_b64encode(key))
        assert fernet.decrypt(seal_of().encrypt(b"data")) == b"data"
        assert seal_of().decrypt(fernet.encrypt(b"data")) == b"data"
        assert SCRYPT == {"n": 2**15, "r": 8, "p": 1}

    @pytest.mark.parametrize(
        ("passphrase", "salt"), [("open sesamE", SALT), ("", SALT), ("open sesame ", SALT), ("open sesame", bytes(16))]
    )
    def test_another_key_is_refused(self, passphrase: str, salt: bytes) -> None:
        """Another passphrase, or the same with another salt."""
        token = seal_of().encrypt(b"data")
        with pytest.raises(KeyRefused) as caught:
            seal_of(passphrase, salt).decrypt(token)
        assert caught.value.code == "key_refused"

    def test_a_token_changed_at_any_byte_is_refused(self) -> None:
        """It says that it was changed, and never gives something else."""
        token = seal_of().encrypt(b"data")
        for position in range(len(token) - 1):  # the last character may carry bits that say nothing
            with pytest.raises(KeyRefused):
                seal_of().decrypt(changed(token, position))
        for other in (b"", token[:-1], token[1:], b"no token", b"\xff\0"):
            with pytest.raises(KeyRefused):
                seal_of().decrypt(other)

    def test_a_salt_is_drawn_where_none_is_given(self) -> None:
        """Two memories with one passphrase have two keys."""
        one, other = Seal("open sesame"), Seal("open sesame")
        assert len(one.salt) == len(other.salt) == SALT_BYTES
        assert one.salt != other.salt
        with pytest.raises(KeyRefused):
            other.decrypt(one.encrypt(b"data"))
        assert Seal("open sesame", one.salt).decrypt(one.encrypt(b"data")) == b"data"

    def test_any_text_is_a_passphrase(self) -> None:
        """Also one that came from the environment with bytes that are no text."""
        for passphrase in ("钥匙 🔑", "", "a\udcff", "x" * 10_000):
            token = Seal(passphrase, SALT).encrypt(b"data")
            assert Seal(passphrase, SALT).decrypt(token) == b"data"


class TestJournalLines:
    """Sealed lines of the journal."""

    @staticmethod
    def lines() -> list[bytes]:
        """Return three sealed lines that follow each other."""
        lines, checksum = [], HEAD
        transactions: list[list[Event]] = [[memorized(1), memorized(2)], [Faded(ident(1), moment(5), 0.5)], []]
        for number, events in enumerate(transactions, 1):
            text, checksum = journal.line(number, events, checksum, seal_of())
            lines.append(text)
        return lines

    @given(st.lists(st.lists(EVENTS, max_size=3), max_size=3))
    @settings(deadline=None, max_examples=40)
    def test_every_line_is_read_back_as_written(self, transactions: list[list[Event]]) -> None:
        """And is a line of valid JSON like the others."""
        data, checksum = b"", HEAD
        for number, events in enumerate(transactions, 1):
            text, checksum = journal.line(number, events, checksum, seal_of())
            assert json.loads(text).keys() == {"seq", "after", "crc", "sealed"}
            data += text
        tail = journal.read_lines(data, 0, HEAD, seal_of())
        assert [list(entry.events) for entry in tail.entries] == transactions
        assert (tail.end, tail.torn, tail.checksum) == (len(data), 0, checksum)

    def test_nothing_of_what_happened_can_be_read(self) -> None:
        """Not the texts, nor the ids, nor what kind of event it was."""
        data = b"".join(journal.line(1, events, HEAD, seal_of())[0] for events in eventful())
        plain = b"".join(journal.line(1, events, HEAD)[0] for events in eventful())
        assert all(word in plain for word in WORDS[:-1])
        assert not any(word in data for word in WORDS)

    @pytest.mark.parametrize("seal", [None, seal_of("another")], ids=["no key", "another key"])
    def test_without_the_key_they_are_refused(self, seal: Seal | None) -> None:
        """And are no damage: the remedy is another."""
        with pytest.raises(KeyRefused):
            journal.read_lines(b"".join(self.lines()), 0, HEAD, seal)

    def test_lines_that_are_passed_over_need_no_key(self) -> None:
        """Their order and checksums are looked at all the same."""
        data = b"".join(self.lines())
        assert journal.read_lines(data, 3, HEAD, None).end == len(data)

    def test_a_line_that_was_moved_to_another_place_is_refused(self) -> None:
        """With number, link and checksum put right, as only somebody with an intention would."""
        first, second, _ = self.lines()
        token = json.dumps(json.loads(second)["sealed"]).encode()
        crc = zlib.crc32(f"1:{HEAD:08x}:".encode() + token)
        moved = f'{{"seq":1,"after":"{HEAD:08x}","crc":"{crc:08x}","sealed":'.encode() + token + b"}\n"
        assert journal.parse(moved[:-1]) is not None
        with pytest.raises(StoreDamaged):
            journal.read_lines(moved, 0, HEAD, seal_of())
        assert journal.read_lines(first + second, 0, HEAD, seal_of()).entries[1].sequence == 2

    def test_a_changed_token_with_a_right_checksum_is_refused(self) -> None:
        """The checksum is for accidents; the seal is for the rest."""
        text = self.lines()[0]
        token = json.loads(text)["sealed"].encode()
        for position in range(0, len(token) - 2, 7):
            payload = b'"' + changed(token, position) + b'"'
            crc = zlib.crc32(f"1:{HEAD:08x}:".encode() + payload)
            forged = f'{{"seq":1,"after":"{HEAD:08x}","crc":"{crc:08x}","sealed":'.encode() + payload + b"}\n"
            with pytest.raises(StoreError):
                journal.read_lines(forged, 0, HEAD, seal_of())


class TestSnapshot:
    """A sealed snapshot."""

    DATA = snapshot.encode(HEADER, STATE, seal_of())

    def test_it_is_read_back_as_written(self) -> None:
        """Header and state."""
        assert snapshot.decode(self.DATA, seal_of()) == (HEADER, STATE)
        assert snapshot.decode(snapshot.encode(HEADER, State(), seal_of()), seal_of()) == (HEADER, State())

    def test_it_is_json_that_says_how_to_open_it(self) -> None:
        """And no more than that."""
        value = json.loads(self.DATA)
        assert value.keys() == {"format", "version", "kdf", "sealed", "crc"}
        assert value["kdf"] == {"name": "scrypt", "n": 2**15, "r": 8, "p": 1, "salt": SALT.hex()}
        assert json.loads(seal_of().decrypt(value["sealed"].encode()))["format"] == "ntm-memory"
        assert not any(word in self.DATA for word in WORDS)

    def test_the_salt_is_found_without_a_key(self) -> None:
        """It is what the key is derived with; a snapshot that is not encrypted has none."""
        assert snapshot.salt(self.DATA) == SALT
        assert snapshot.salt(snapshot.encode(HEADER, STATE)) is None

    @pytest.mark.parametrize("seal", [None, seal_of("another")], ids=["no key", "another key"])
    def test_without_the_key_it_is_refused(self, seal: Seal | None) -> None:
        """And is no damage."""
        with pytest.raises(KeyRefused):
            snapshot.decode(self.DATA, seal)

    def test_a_key_for_what_is_not_encrypted_is_refused(self) -> None:
        """Its owner believes that it is encrypted, and would go on writing in clear."""
        with pytest.raises(KeyRefused) as caught:
            snapshot.decode(snapshot.encode(HEADER, STATE), seal_of())
        assert caught.value.hint != KeyRefused.default_hint

    @pytest.mark.parametrize("mask", [0x01, 0x80])
    def test_any_changed_byte_is_refused(self, mask: int) -> None:
        """By the checksum, before a key is needed; a changed version may read as a newer one."""
        for position in range(len(self.DATA)):
            for look in (snapshot.salt, lambda data: snapshot.decode(data, seal_of())):
                with pytest.raises((StoreDamaged, StoreTooNew)):
                    look(changed(self.DATA, position, mask))

    @staticmethod
    def rewritten(*, without: str | None = None, sealed: str | None = None, **kdf: object) -> bytes:
        """Return the snapshot with its outer JSON changed and a right checksum."""
        value = json.loads(TestSnapshot.DATA)
        del value["crc"]
        value["kdf"].update(kdf)
        value["kdf"].pop(without, None)
        value["sealed"] = value["sealed"] if sealed is None else sealed
        body = json.dumps(value).encode()[:-1] + b","
        return body + f'\n"crc":"{zlib.crc32(body):08x}"}}\n'.encode()

    @pytest.mark.parametrize("other", [{"n": 2**16}, {"r": 9}, {"p": 2}, {"name": "argon2id"}], ids=str)
    def test_another_way_of_deriving_the_key_is_a_newer_release_s(self, other: dict[str, Any]) -> None:
        """Its costs may be raised one day; to derive another key would pass for a wrong passphrase."""
        assert snapshot.salt(self.rewritten()) == SALT
        with pytest.raises(StoreTooNew):
            snapshot.salt(self.rewritten(**other))

    @pytest.mark.parametrize("name", ["n", "r", "p", "salt", "name"])
    def test_a_snapshot_that_does_not_say_how_it_was_encrypted_is_refused(self, name: str) -> None:
        """Nothing is guessed."""
        with pytest.raises(StoreDamaged):
            snapshot.salt(self.rewritten(without=name))

    @pytest.mark.parametrize("wrong", ["no hex", "0", 7, None])
    def test_a_salt_that_is_none_is_refused(self, wrong: object) -> None:
        """As damage, not as a wrong key: another passphrase would not help."""
        with pytest.raises(StoreDamaged):
            snapshot.salt(self.rewritten(salt=wrong))

    def test_what_is_sealed_is_checked_like_any_snapshot(self) -> None:
        """A right key does not make damage right, nor does it make sense of something else."""
        plain = snapshot.encode(HEADER, STATE)
        for inside in (plain[:-5], b"{}", plain.replace(b'"generation":3', b'"generation":4')):
            token = seal_of().encrypt(inside).decode()
            with pytest.raises(StoreDamaged):
                snapshot.decode(self.rewritten(sealed=token), seal_of())


class TestKeyCache:
    """A sealed key cache."""

    KEYS = np.asarray([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    ROWS = KeyRows([b"d" * 16], KEYS)

    def test_rows_come_back_with_the_key(self) -> None:
        """And stand nowhere in clear: a key says a good deal about its text."""
        data = keycache.encode(self.ROWS, seal_of())
        found = keycache.decode(data, 4, seal_of())
        assert (found.digests, found.keys.tolist()) == ([b"d" * 16], self.KEYS.tolist())
        assert b"d" * 16 not in data
        assert self.KEYS.tobytes() not in data
        assert not data.startswith(b"\x93NUMPY")

    def test_without_the_key_there_are_no_rows(self) -> None:
        """It is only a cache: they are encoded anew."""
        for written, read in ((seal_of(), None), (seal_of(), seal_of("another")), (None, seal_of())):
            assert len(keycache.decode(keycache.encode(self.ROWS, written), 4, read)) == 0

    def test_a_changed_byte_loses_the_rows_and_raises_nothing(self) -> None:
        """All of them: what is sealed is whole or nothing."""
        data = keycache.encode(self.ROWS, seal_of())
        for position in range(0, len(data) - 1, 5):
            assert len(keycache.decode(changed(data, position), 4, seal_of())) == 0
