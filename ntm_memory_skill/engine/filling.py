"""The keys of many texts, some on disk and some encoded anew, handed out in parts: the matrix is their only copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float32, Int64

from ntm_memory_skill.model import EncoderIdentity, Record
from ntm_memory_skill.ntm import MemoryMatrix
from ntm_memory_skill.store import KeyRows

Encode = Callable[[Sequence[str]], Float32[np.ndarray, "k m"]]

TILE = 512
"""Rows that are copied at once: 768 KiB, where keys have 384 numbers."""


class Keys:
    """The keys of texts by their number.

    Args:
        texts: What the keys are of.
        rows: What is on disk.
        encoder: Whose keys they are.
        encode: What makes those that are missing; None leaves these out.
    """

    def __init__(self, texts: Sequence[str], rows: KeyRows, encoder: EncoderIdentity, encode: Encode | None) -> None:
        self._texts, self._rows, self._encode = texts, rows, encode
        self._digests = [encoder.digest(text) for text in texts]
        found = [rows.position(digest) for digest in self._digests]
        self._places: Int64[np.ndarray, "k"] = np.asarray([-1 if each is None else each for each in found], np.int64)
        self._missing = np.flatnonzero(self._places < 0)
        self.complete = encode is not None or not len(self._missing)
        """Whether there is a key for every text."""
        self.encoded = KeyRows([], np.zeros((0, encoder.dimension), np.float32))
        """Those that were encoded, once all parts were handed out."""

    def parts(self) -> Iterator[tuple[Int64[np.ndarray, "t"], Float32[np.ndarray, "t m"]]]:
        """Yield numbers, ascending, and their keys: those on disk in tiles, then what had to be encoded, at once.

        The rows are closed in between: encoding takes long, and nobody should wait that long for their file.
        """
        present = np.flatnonzero(self._places >= 0)
        for first in range(0, len(present), TILE):
            numbers = present[first : first + TILE]
            yield numbers, self._rows.taken(self._places[numbers])
        self._rows.close()
        if self._encode is not None and len(self._missing):
            keys = self._encode([self._texts[number] for number in self._missing.tolist()])
            self.encoded = KeyRows([self._digests[number] for number in self._missing.tolist()], keys)
            yield self._missing, keys


def lay(
    matrix: MemoryMatrix, keys: Keys, records: Sequence[Record], merged: Sequence[Record]
) -> dict[str, Float32[np.ndarray, "m"]]:
    """Write the rows of memories into an empty matrix, and return the keys of what was merged into them, by id.

    Args:
        matrix: The matrix.
        keys: Those of the memories' texts and then of the merged ones'. What has none is a row of zeros.
        records: The memories, each in the slot that it is to have.
        merged: What was merged into them.
    """
    slots = np.asarray([record.slot for record in records], np.int64)
    strengths = np.asarray([record.strength for record in records], np.float32)
    of_merged = {source.id: np.zeros(matrix.dimension, np.float32) for source in merged}
    matrix.lay_out(slots.tolist())
    for numbers, part in keys.parts():
        own = int(np.searchsorted(numbers, len(records)))  # numbers ascend: those of the merged ones are the last
        of_rows = numbers[:own]
        matrix.store_many(slots[of_rows].tolist(), part[:own] * strengths[of_rows, None])
        for number, key in zip(numbers[own:].tolist(), part[own:], strict=True):
            of_merged[merged[number - len(records)].id] = key.copy()
    return of_merged
