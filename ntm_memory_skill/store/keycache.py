"""The key cache: `ntm_memory.keys.npy`, the key rows of the snapshot's memories, so that opening encodes nothing.

A numpy array of structures (digest, checksum, key). The digest names the text and the encoder, so a row is right or
absent, never stale; the checksum is of digest and key, so that no digest stands before another one's key. It is only a
cache: what is missing or damaged in it is encoded anew.

In version 1 the checksum was of the key alone.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.errors import KeyRefused
from ntm_memory_skill.store.seal import Seal

_MAGIC = b"\x93NUMPY\x01\x00"
"""How a file of `np.save` begins; the length of its header follows. `np.load` would take other kinds of file for one,
and fails on a damaged header in more ways than can be listed."""


class KeyRows:
    """Key rows by digest.

    Args:
        digests: 16 bytes each, from `EncoderIdentity.digest`.
        keys: The rows in the same order, k × M, float32.
    """

    def __init__(self, digests: Sequence[bytes], keys: Float32[np.ndarray, "k m"]) -> None:
        last = {digest: position for position, digest in enumerate(digests)}  # equal texts have equal rows: one is kept
        self._positions = {digest: position for position, digest in enumerate(last)}
        self.keys = keys if len(last) == len(keys) else keys[list(last.values())]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._positions)

    def position(self, digest: bytes) -> int | None:
        """Return where the row of a digest stands in `keys`, or None if it is absent."""
        return self._positions.get(digest)

    def merged(self, newer: dict[bytes, bytes]) -> KeyRows:
        """Return these rows and others, given as digest to float32 bytes."""
        if not newer:
            return self
        added = np.stack([np.frombuffer(row, dtype="<f4") for row in newer.values()])
        if not self._positions:  # no rows have no length that could be compared
            return KeyRows(list(newer), added)
        return KeyRows([*self._positions, *newer], np.concatenate([self.keys, added]))

    def chosen(self, digests: Iterable[bytes]) -> KeyRows:
        """Return the rows of those digests that are here, once each."""
        found = {digest: self._positions[digest] for digest in digests if digest in self._positions}
        return KeyRows(list(found), self.keys[list(found.values())])

    @property
    def digests(self) -> list[bytes]:
        """The digests, in the order of `keys`."""
        return list(self._positions)


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


def decode(data: bytes, dimension: int, seal: Seal | None = None, version: int = 2) -> KeyRows:
    """Return the rows of a key cache's bytes that are whole and of the right length; a damaged file has none.

    Args:
        data: The file's bytes.
        dimension: M of the memory's encoder.
        seal: What opens an encrypted memory.
        version: Of the snapshot that they belong to.
    """
    if seal is not None:
        try:
            data = seal.decrypt(data)
        except KeyRefused:
            return empty(dimension)
    if not data.startswith(_MAGIC) or 4 * dimension > len(data):  # a damaged file may name any: numpy ends at 2^31
        return empty(dimension)
    layout = _layout(dimension)
    start = len(_MAGIC) + 2 + int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 2], "little")
    count, rest = divmod(len(data) - start, layout.itemsize)
    described = f"{{'descr': {layout.descr!r}, 'fortran_order': False, 'shape': ({count},), }}".encode()
    if rest or data[len(_MAGIC) + 2 : start].rstrip() != described:
        return empty(dimension)
    table = np.frombuffer(data, dtype=layout, offset=start)
    keys = np.array(table["key"], order="C")
    digests = [digest.tobytes() for digest in table["digest"]]
    whole = _sums(digests, keys) == table["crc"]
    if version == 1:  # or of version 2 already: an upgrade that was broken off had written the keys first
        whole |= _sums([b""] * len(digests), keys) == table["crc"]
    if whole.all():  # as a rule; a choice would be a copy
        return KeyRows(digests, keys)
    return KeyRows([digest for digest, good in zip(digests, whole, strict=True) if good], keys[whole])


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
