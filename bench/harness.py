"""What the measurements share: an encoder that remembers, from one run to the next if it is given a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.evaluation import RememberingEncoder

__all__ = ["KeepingEncoder", "RememberingEncoder"]


class KeepingEncoder(RememberingEncoder):
    """An encoder whose keys are kept in a file: encoding all sets takes minutes, everything else seconds.

    Args:
        inner: Makes the keys that are not in the file.
        file: Where they are kept, a numpy .npz; None keeps nothing. One of another encoder is not read, but replaced.
    """

    def __init__(self, inner: Encoder, file: Path | None) -> None:
        super().__init__(inner)
        self._file = file
        if file is not None and file.exists():
            with np.load(file) as kept:
                if _text(kept["encoder"]) == [str(self.identity)]:
                    self._passages = dict(zip(_text(kept["passages"]), kept["passage_keys"], strict=True))
                    self._queries = dict(zip(_text(kept["queries"]), kept["query_keys"], strict=True))
                    self._unknown = dict(zip(_text(kept["known"]), kept["unknown"].tolist(), strict=True))
        self._read = self._size

    def keep(self) -> None:
        """Write the file, if there is something new to keep."""
        if self._file is None or self._size == self._read:
            return
        unfinished = self._file.with_suffix(".unfinished.npz")
        np.savez(
            unfinished,
            encoder=_bytes([str(self.identity)]),
            passages=_bytes(self._passages),
            passage_keys=np.asarray(list(self._passages.values())),
            queries=_bytes(self._queries),
            query_keys=np.asarray(list(self._queries.values())),
            known=_bytes(self._unknown),
            unknown=np.asarray(list(self._unknown.values())),
        )
        unfinished.replace(self._file)
        self._read = self._size

    @property
    def _size(self) -> int:
        return len(self._passages) + len(self._queries) + len(self._unknown)


def _bytes(texts: Iterable[str]) -> np.ndarray:
    """Return texts as an array of bytes, which needs no pickle to be read again."""
    return np.frombuffer(json.dumps(list(texts)).encode(), dtype=np.uint8)


def _text(data: np.ndarray) -> list[str]:
    texts: list[str] = json.loads(data.tobytes())
    return texts
