"""The key cache: `ntm_memory.keys.npy`, the key rows of the snapshot's memories, so that opening encodes nothing.

A numpy array of structures (digest, checksum, key). The digest names the text and the encoder, so a row is right or
absent, never stale; the checksum is of digest and key, so that no digest stands before another one's key. It is only a
cache: what is missing or damaged in it is encoded anew.

In version 1 the checksum was of the key alone.
"""

from __future__ import annotations

import io
import mmap
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Self

import numpy as np
from jaxtyping import Float32, Int64

from ntm_memory_skill.errors import KeyRefused
from ntm_memory_skill.store.seal import Seal

_MAGIC = b"\x93NUMPY\x01\x00"
"""How a file of `np.save` begins; the length of its header follows. `np.load` would take other kinds of file for one,
and fails on a damaged header in more ways than can be listed."""


class KeyRows:
    """Key rows by digest. Those of a file may lie in a map of it: `with` lets go of the map when they are not needed.

    Args:
        digests: 16 bytes each, from `EncoderIdentity.digest`.
        keys: The rows in the same order, k × M, float32.
        mapped: What they lie in, if that is a file's map, and not memory of this process.
    """

    def __init__(
        self, digests: Sequence[bytes], keys: Float32[np.ndarray, "k m"], mapped: mmap.mmap | None = None
    ) -> None:
        last = {digest: position for position, digest in enumerate(digests)}  # equal texts have equal rows: one is kept
        self._positions = {digest: position for position, digest in enumerate(last)}
        self._parts = [keys]
        """Rows, one block after the other."""
        self._places: Int64[np.ndarray, "k"] | None = None
        """Where in these blocks each row stands; None where it is each row's own number."""
        if len(last) < len(keys):
            self._places = np.fromiter(last.values(), np.int64, len(last))
        self._mapped = mapped

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._positions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def dimension(self) -> int:
        """M."""
        return int(self._parts[0].shape[1])

    @property
    def keys(self) -> Float32[np.ndarray, "k m"]:
        """All rows, in memory of this process: those of a file are copied when they are first asked for."""
        if len(self._parts) > 1 or self._places is not None or not self._parts[0].flags.carray:
            self._own(self.taken(np.arange(len(self))))
        return self._parts[0]

    def position(self, digest: bytes) -> int | None:
        """Return where the row of a digest stands in `keys`, or None if it is absent."""
        return self._positions.get(digest)

    def taken(self, positions: Int64[np.ndarray, "s"]) -> Float32[np.ndarray, "s m"]:
        """Return a copy of the rows in some positions, and read no others."""
        places = positions if self._places is None else self._places[positions]
        if len(self._parts) == 1:
            only: Float32[np.ndarray, "s m"] = self._parts[0][places]
            return only
        found = np.empty((len(places), self.dimension), np.float32)
        first = 0
        for part in self._parts:
            here = (places >= first) & (places < first + len(part))
            found[here] = part[places[here] - first]
            first += len(part)
        return found

    def merged(self, newer: dict[bytes, bytes]) -> KeyRows:
        """Return these rows and others, given as digest to float32 bytes. Let go of the result, and not of these."""
        if not newer:
            return self
        added = np.stack([np.frombuffer(row, dtype="<f4") for row in newer.values()])
        if not self._positions:  # no rows have no length that could be compared
            return KeyRows(list(newer), added)
        both = KeyRows([], added[:0], self._mapped)
        first = sum(map(len, self._parts))
        places = dict(zip(self._positions, range(len(self)) if self._places is None else self._places, strict=True))
        places |= {digest: first + number for number, digest in enumerate(newer)}
        both._positions = {digest: position for position, digest in enumerate(places)}
        both._parts = [*self._parts, added]
        both._places = np.fromiter(places.values(), np.int64, len(places))
        return both

    def chosen(self, digests: Iterable[bytes]) -> KeyRows:
        """Return the rows of those digests that are here, once each, in memory of this process."""
        found = {digest: self._positions[digest] for digest in digests if digest in self._positions}
        return KeyRows(list(found), self.taken(np.fromiter(found.values(), np.int64, len(found))))

    @property
    def digests(self) -> list[bytes]:
        """The digests, in the order of `keys`."""
        return list(self._positions)

    def close(self) -> None:
        """Let go of the file, if the rows lie in its map: there are none from then on. Windows replaces no such file.

        Closing twice is harmless.
        """
        if self._mapped is not None:
            self._positions = {}
            self._own(np.zeros((0, self.dimension), np.float32))

    def _own(self, keys: Float32[np.ndarray, "k m"]) -> None:
        """Have all rows in one block of this process's own, and let go of the file."""
        self._parts, self._places = [keys], None
        if self._mapped is not None:
            with suppress(BufferError):  # merged rows may lie in the same map: it goes with the last of them
                self._mapped.close()
            self._mapped = None


def encode(rows: KeyRows, seal: Seal | None = None) -> bytes:
    """Return the bytes of a key cache, closed if there is a seal."""
    keys = np.ascontiguousarray(rows.keys if len(rows) else rows.keys.reshape(0, 0), dtype="<f4")
    table = np.zeros(len(keys), dtype=_layout(keys.shape[1]))
    table["digest"] = np.frombuffer(b"".join(rows.digests), dtype="V16")
    table["crc"] = [_checksum(digest, key) for digest, key in zip(rows.digests, keys, strict=True)]
    table["key"] = keys
    buffer = io.BytesIO()
    np.save(buffer, table, allow_pickle=False)
    return buffer.getvalue() if seal is None else seal.encrypt(buffer.getvalue())


def decode(data: bytes | mmap.mmap, dimension: int, seal: Seal | None = None, version: int = 2) -> KeyRows:
    """Return the rows of a key cache's bytes that are whole and of the right length; a damaged file has none.

    They lie in `data`: nothing is copied, except what was encrypted.

    Args:
        data: The file's bytes, or its map.
        dimension: M of the memory's encoder.
        seal: What opens an encrypted memory.
        version: Of the snapshot that they belong to.
    """
    if seal is not None:
        try:
            data = seal.decrypt(bytes(data))
        except KeyRefused:
            return empty(dimension)
    if data[: len(_MAGIC)] != _MAGIC or 4 * dimension > len(data):  # a damaged file may name any: numpy ends at 2^31
        return empty(dimension)
    layout = _layout(dimension)
    start = len(_MAGIC) + 2 + int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 2], "little")
    count, rest = divmod(len(data) - start, layout.itemsize)
    described = f"{{'descr': {layout.descr!r}, 'fortran_order': False, 'shape': ({count},), }}".encode()
    if rest or data[len(_MAGIC) + 2 : start].rstrip() != described:
        return empty(dimension)
    table = np.frombuffer(data, dtype=layout, offset=start)
    keys = table["key"]
    names = table["digest"].tobytes()
    digests = [names[place : place + 16] for place in range(0, len(names), 16)]
    whole = _sums(digests, keys) == table["crc"]
    if version == 1:  # or of version 2 already: an upgrade that was broken off had written the keys first
        whole |= _sums([b""] * len(digests), keys) == table["crc"]
    mapped = data if isinstance(data, mmap.mmap) else None
    if whole.all():  # as a rule; a choice would be a copy
        return KeyRows(digests, keys, mapped)
    return KeyRows([digest for digest, good in zip(digests, whole, strict=True) if good], keys[whole], mapped)


def empty(dimension: int) -> KeyRows:
    """Return no rows, of length `dimension`."""
    return KeyRows([], np.zeros((0, dimension), np.float32))


def _sums(covered: Sequence[bytes], keys: Float32[np.ndarray, "k m"]) -> np.ndarray:
    """Return the checksum of each key behind what else it covers."""
    return np.array([_checksum(digest, key) for digest, key in zip(covered, keys, strict=True)], dtype=np.uint32)


def _checksum(digest: bytes, key: Float32[np.ndarray, "m"]) -> int:
    return zlib.crc32(key.data, zlib.crc32(digest))


def _layout(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("digest", "V16"), ("crc", "<u4"), ("key", "<f4", (dimension,))])
