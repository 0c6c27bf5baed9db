"""The key cache gives the rows that were saved, or none; never a wrong one, and never an error."""

from __future__ import annotations

import io
import mmap
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.store import KeyRows, keycache
from ntm_memory_skill.store.fs import FileSystem

DIGESTS = st.binary(min_size=16, max_size=16)
FLOATS = st.floats(-1, 1, width=32)


def rows_of(keys: dict[bytes, list[float]], dimension: int) -> KeyRows:
    """Return rows by digest, from plain lists."""
    return KeyRows(list(keys), np.asarray(list(keys.values()), dtype=np.float32).reshape(-1, dimension))


def plain(rows: KeyRows, digests: list[bytes]) -> dict[bytes, list[float]]:
    """Return the rows of those digests that are there, as plain lists."""
    found = {digest: rows.position(digest) for digest in digests}
    return {digest: rows.keys[place].tolist() for digest, place in found.items() if place is not None}


SAVED = {bytes([number]) * 16: [float(number), 0.5, -0.25, 1.0] for number in range(5)}
NAMES = list(SAVED)
DATA = keycache.encode(rows_of(SAVED, 4))
ROW_LENGTH = 16 + 4 + 4 * 4  # digest, checksum, key


@given(st.integers(1, 5).flatmap(lambda m: st.dictionaries(DIGESTS, st.lists(FLOATS, min_size=m, max_size=m))))
@settings(deadline=None, max_examples=60)
def test_rows_come_back_as_saved(saved: dict[bytes, list[float]]) -> None:
    """All of them, under their digests, and nothing else."""
    dimension = len(next(iter(saved.values()), [0.0]))
    found = keycache.decode(keycache.encode(rows_of(saved, dimension)), dimension)
    assert plain(found, list(saved)) == saved
    assert (len(found), found.digests) == (len(saved), list(saved))
    assert found.keys.shape == (len(saved), dimension)


def test_the_file_is_a_plain_numpy_array() -> None:
    """Other programs open it with `numpy.load`, without unpickling anything."""
    table = np.load(io.BytesIO(DATA), allow_pickle=False)
    assert table.dtype.names == ("digest", "crc", "key")
    assert table["key"].tolist() == list(SAVED.values())
    assert [digest.tobytes() for digest in table["digest"]] == NAMES


def test_rows_of_equal_texts_are_kept_once() -> None:
    """Two memories may say the same; the rows that a caller encoded for them are as many as the memories."""
    rows = KeyRows([NAMES[0], NAMES[1], NAMES[0]], np.asarray([[1.0], [2.0], [1.0]], dtype=np.float32))
    expected = {NAMES[0]: [1.0], NAMES[1]: [2.0]}
    for found in (rows, keycache.decode(keycache.encode(rows), 1), rows.merged({NAMES[0]: rows.keys[0].tobytes()})):
        assert plain(found, NAMES) == expected
        assert (len(found), len(found.digests), len(found.keys)) == (2, 2, 2)


def test_merging_adds_rows_and_replaces_those_of_the_same_digest() -> None:
    """What the journal holds is newer than what the file holds."""
    newer = {NAMES[1]: [9.0, 9.0, 9.0, 9.0], b"n" * 16: [8.0, 8.0, 8.0, 8.0]}
    added = {digest: np.asarray(key, dtype="<f4").tobytes() for digest, key in newer.items()}
    merged = rows_of(SAVED, 4).merged(added)
    assert plain(merged, [*NAMES, b"n" * 16]) == {**SAVED, **newer}
    assert plain(keycache.empty(4).merged(added), list(newer)) == newer
    assert plain(keycache.empty(0).merged(added), list(newer)) == newer
    assert plain(rows_of(SAVED, 4).merged({}), NAMES) == SAVED


def test_choosing_keeps_the_rows_that_are_asked_for_and_there() -> None:
    """Once each, so that a saved file shrinks with its memory."""
    chosen = rows_of(SAVED, 4).chosen([NAMES[3], b"?" * 16, NAMES[1], NAMES[3]])
    assert plain(chosen, NAMES) == {NAMES[3]: SAVED[NAMES[3]], NAMES[1]: SAVED[NAMES[1]]}
    assert (len(chosen), len(chosen.keys)) == (2, 2)
    assert len(rows_of(SAVED, 4).chosen([])) == 0


def test_a_changed_byte_of_a_row_loses_that_row_at_most() -> None:
    """The others need no encoding; a changed digest names a text that nobody asks for."""
    start = len(DATA) - ROW_LENGTH * len(SAVED)
    for position in range(start, len(DATA)):
        damaged = NAMES[(position - start) // ROW_LENGTH]
        changed = DATA[:position] + bytes([DATA[position] ^ 0xFF]) + DATA[position + 1 :]
        rest = {digest: key for digest, key in SAVED.items() if digest != damaged}
        assert plain(keycache.decode(changed, 4), NAMES) == rest


def as_version_1() -> bytes:
    """Return the file as version 1 of the format had it: a row's checksum was that of its key alone."""
    start = len(DATA) - ROW_LENGTH * len(SAVED)
    rows = [DATA[place : place + ROW_LENGTH] for place in range(start, len(DATA), ROW_LENGTH)]
    return DATA[:start] + b"".join(row[:16] + zlib.crc32(row[20:]).to_bytes(4, "little") + row[20:] for row in rows)


def test_a_row_under_another_s_name_is_lost() -> None:
    """It would be taken for that text's key: the checksum is of both."""
    start = len(DATA) - ROW_LENGTH * len(SAVED)
    first, second = DATA[start : start + 16], DATA[start + ROW_LENGTH : start + ROW_LENGTH + 16]
    swapped = DATA.replace(first, b"?" * 16).replace(second, first).replace(b"?" * 16, second)
    rest = {digest: key for digest, key in SAVED.items() if digest not in (first, second)}
    assert plain(keycache.decode(swapped, 4), NAMES) == rest


def test_the_checksum_is_the_documented_one() -> None:
    """CRC-32 of digest and key, so that another program can check it and a later release reads it."""
    table = np.load(io.BytesIO(DATA), allow_pickle=False)
    for row in table:
        assert int(row["crc"]) == zlib.crc32(row["digest"].tobytes() + row["key"].tobytes())


def test_rows_of_version_1_are_read_with_its_snapshot_alone() -> None:
    """Which is upgraded at the next chance; rows of today beside such a snapshot are right as well."""
    assert plain(keycache.decode(as_version_1(), 4, version=1), NAMES) == SAVED
    assert plain(keycache.decode(as_version_1(), 4), NAMES) == {}
    assert plain(keycache.decode(DATA, 4, version=1), NAMES) == SAVED


@pytest.mark.parametrize("dimension", [0, 10**6, 2**31, 2**40, 2**53])
def test_a_dimension_that_no_file_could_have_is_no_error(dimension: int) -> None:
    """A damaged snapshot may name any."""
    assert len(keycache.decode(DATA, dimension)) == 0


@pytest.mark.parametrize("mask", [0x01, 0x02, 0x08, 0x20, 0x80])
def test_a_changed_byte_of_the_header_loses_rows_and_raises_nothing(mask: int) -> None:
    """Numpy's own reader fails in many ways on such a header, and warns on others."""
    for position in range(len(DATA) - ROW_LENGTH * len(SAVED)):
        changed = DATA[:position] + bytes([DATA[position] ^ mask]) + DATA[position + 1 :]
        assert plain(keycache.decode(changed, 4), NAMES) in ({}, SAVED)


def test_a_cut_file_has_no_wrong_rows() -> None:
    """At whichever byte it was cut."""
    for length in range(len(DATA)):
        found = plain(keycache.decode(DATA[:length], 4), NAMES)
        assert found.items() <= SAVED.items()


def test_rows_of_another_length_are_not_taken() -> None:
    """They are another encoder's."""
    for dimension in (1, 3, 5, 8):
        found = keycache.decode(DATA, dimension)
        assert len(found) == 0
        assert found.keys.shape == (0, dimension)


def archive_of_arrays() -> bytes:
    """Return what `numpy.savez` writes."""
    buffer = io.BytesIO()
    np.savez(buffer, keys=np.zeros(3))
    return buffer.getvalue()


def plain_array() -> bytes:
    """Return what `numpy.save` writes of numbers."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((5, 4), dtype=np.float32))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 200, b"PK\x03\x04" + bytes(50), archive_of_arrays(), plain_array(), pickle.dumps([1, 2]), DATA[1:]],
    ids=["empty", "zeros", "torn zip", "npz", "numbers", "pickle", "shifted"],
)
def test_a_file_of_another_kind_has_no_rows(data: bytes) -> None:
    """It is only a cache: the rows are encoded anew."""
    assert len(keycache.decode(data, 4)) == 0


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_any_bytes_behind_a_right_header_are_read_or_passed_over(rest: bytes) -> None:
    """Chance does not produce a row with a right checksum."""
    start = len(DATA) - ROW_LENGTH * len(SAVED)
    assert plain(keycache.decode(DATA[:start] + rest, 4), NAMES) == {}


def test_read_rows_may_be_written_to() -> None:
    """The engine scales rows by their strength; it need not know that they came from a file."""
    for count in (1, 2):
        rows = keycache.decode(keycache.encode(rows_of(dict(list(SAVED.items())[:count]), 4)), 4)
        rows.keys[0] *= 2
        assert rows.keys[0].tolist() == [2 * part for part in SAVED[NAMES[0]]]


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[KeyRows]:
    """The saved rows, in a map of their file."""
    file = tmp_path / "keys.npy"
    file.write_bytes(DATA)
    found = FileSystem().map(file)
    assert isinstance(found, mmap.mmap)
    with keycache.decode(found, 4) as rows:
        yield rows


def test_mapped_rows_are_those_of_the_file(mapped: KeyRows) -> None:
    """Whether some are taken, chosen or merged with others, or all are asked for."""
    assert mapped.taken(np.asarray([3, 0, 3])).tolist() == [SAVED[NAMES[each]] for each in (3, 0, 3)]
    assert plain(mapped.chosen([NAMES[2]]), NAMES) == {NAMES[2]: SAVED[NAMES[2]]}
    newer = {NAMES[1]: [9.0, 9.0, 9.0, 9.0], b"n" * 16: [8.0, 8.0, 8.0, 8.0]}
    with mapped.merged({digest: np.asarray(key, dtype="<f4").tobytes() for digest, key in newer.items()}) as merged:
        everything = SAVED | newer
        assert merged.digests == list(everything)
        assert merged.taken(np.arange(6)).tolist() == list(everything.values())
        assert plain(merged, list(everything)) == everything
    assert plain(mapped, NAMES) == SAVED


def test_taken_rows_are_the_caller_s_own(mapped: KeyRows) -> None:
    """They are scaled by strengths; what is in the file, or at hand, stays as it is."""
    for rows in (mapped, rows_of(SAVED, 4)):
        rows.taken(np.asarray([1]))[:] = 0
        assert rows.taken(np.asarray([1])).tolist() == [SAVED[NAMES[1]]]


def test_closing_lets_go_of_the_file(tmp_path: Path) -> None:
    """There are no rows from then on; what was taken before stays. Windows replaces no file that is mapped."""
    file = tmp_path / "keys.npy"
    file.write_bytes(DATA)
    found = FileSystem().map(file)
    assert isinstance(found, mmap.mmap)
    rows = keycache.decode(found, 4)
    taken, chosen = rows.taken(np.asarray([4])), rows.chosen(NAMES)
    assert not found.closed
    rows.close()
    rows.close()
    assert found.closed
    assert (len(rows), rows.position(NAMES[0]), rows.keys.shape) == (0, None, (0, 4))
    assert taken.tolist() == [SAVED[NAMES[4]]]
    assert plain(chosen, NAMES) == SAVED


def test_asking_for_all_rows_lets_go_of_the_file(mapped: KeyRows, tmp_path: Path) -> None:
    """They are a copy then, which may be written to."""
    mapped.keys[0] *= 2
    assert mapped.keys[0].tolist() == [2 * part for part in SAVED[NAMES[0]]]
    assert (tmp_path / "keys.npy").read_bytes() == DATA


def test_rows_of_a_file_that_was_replaced_stay_those_of_the_old_one(mapped: KeyRows, tmp_path: Path) -> None:
    """Another process may fold while this one reads."""
    FileSystem().replace(tmp_path / "keys.npy", b"another file, and a shorter one")
    assert mapped.taken(np.arange(5)).tolist() == list(SAVED.values())


def test_rows_that_were_never_mapped_stay_when_they_are_closed() -> None:
    """Nobody waits for them."""
    rows = rows_of(SAVED, 4)
    rows.close()
    assert plain(rows, NAMES) == SAVED


def test_damaged_rows_of_a_mapped_file_are_left_out(tmp_path: Path) -> None:
    """As if it had been read."""
    file = tmp_path / "keys.npy"
    for data, expected in ((DATA[:-1] + b"!", 4), (DATA[:-1], 0), (DATA[1:], 0), (b"", 0), (b"\x93NUMPY", 0)):
        file.write_bytes(data)
        found = FileSystem().map(file)
        assert found is not None
        with keycache.decode(found, 4) as rows:
            assert len(rows) == expected
            assert plain(rows, NAMES) == plain(keycache.decode(data, 4), NAMES)
