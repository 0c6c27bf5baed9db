"""The key cache: `ntm_memory.keys.npy`, the key rows of the snapshot's memories, so that opening encodes nothing.

A numpy array of structures (digest, checksum, key). The digest names the text and the encoder, so a row is right or
absent, never stale. It is only a cache: what is missing or damaged in it is encoded anew.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float32


class KeyRows:
    """Key rows by digest.

    Args:
        digests: 16 bytes each, from `EncoderIdentity.digest`.
        keys: The rows in the same order, k × M, float32.
    """

    def __init__(self, digests: Sequence[bytes], keys: Float32[np.ndarray, "k m"]) -> None:
        self._positions = {digest: position for position, digest in enumerate(digests)}  # the last of equals wins
        self.keys = keys

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
        old = self.keys.reshape(-1, added.shape[1])
        return KeyRows([*self._positions, *newer], np.concatenate([old, added]))

    def chosen(self, digests: Iterable[bytes]) -> KeyRows:
        """Return the rows of those digests that are here, once each."""
        found = {digest: self._positions[digest] for digest in digests if digest in self._positions}
        return KeyRows(list(found), self.keys[list(found.values())])

    @property
    def digests(self) -> list[bytes]:
        """The digests, in the order of `keys`."""
        return list(self._positions)


def encode(rows: KeyRows) -> bytes:
    """Return the bytes of a key cache."""
    keys = np.ascontiguousarray(rows.keys, dtype="<f4")
    table = np.zeros(len(keys), dtype=_layout(keys.shape[1]))
    table["digest"] = np.frombuffer(b"".join(rows.digests), dtype="V16")
    table["crc"] = [zlib.crc32(key.tobytes()) for key in keys]
    table["key"] = keys
    buffer = io.BytesIO()
    np.save(buffer, table, allow_pickle=False)
    return buffer.getvalue()


def decode(data: bytes, dimension: int) -> KeyRows:
    """Return the rows of a key cache's bytes that are whole and of the right length; a damaged file has none."""
    try:
        table = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        return empty(dimension)
    if table.dtype != _layout(dimension):
        return empty(dimension)
    keys = np.ascontiguousarray(table["key"])
    whole = [zlib.crc32(key) == crc for key, crc in zip(keys, table["crc"].tolist(), strict=True)]
    digests = [digest.tobytes() for digest, good in zip(table["digest"], whole, strict=True) if good]
    return KeyRows(digests, keys if all(whole) else keys[np.asarray(whole)])


def empty(dimension: int) -> KeyRows:
    """Return no rows, of length `dimension`."""
    return KeyRows([], np.zeros((0, dimension), np.float32))


def _layout(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("digest", "V16"), ("crc", "<u4"), ("key", "<f4", (dimension,))])
