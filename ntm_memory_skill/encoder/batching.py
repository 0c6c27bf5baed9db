"""Texts that several threads ask for at once, in one run of the model.

Nobody waits for company: a caller that finds the model free runs it at once. While it runs, others line up; whoever is
first in line when it is free again runs it for itself and for those behind it whose texts are about as long. There is
no thread and no timer here: every run is made by a caller, and lasts no longer than its own batch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.protocol import Encoder, Progress, Text
from ntm_memory_skill.encoder.wrapping import Wrapping

LARGEST = 32
"""Texts of several callers that are encoded together at most. A run of twice as many is hardly cheaper a text."""
CHUNK = 64
"""Texts of one caller that are encoded at a time: between two chunks of a long list, others get their turn."""
NEAR = 64
"""Characters by which lengths may differ in a batch, beside a factor of two."""


class BatchEncoder(Encoder, Protocol):
    """An encoder that can be given questions and passages at once."""

    @property
    def runs_at_once(self) -> int:
        """How many runs of the model may go on side by side, 1 and up: more would only slow each other down."""

    def encode_together(self, texts: Sequence[Text]) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text: the one that it has alone, up to rounding."""


class _Request:
    """One call's texts, and what became of them. Changed only under the lock, or by whoever runs the batch it is in."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self.texts = texts
        self.longest = max(len(each.text) for each in texts)
        self.called = threading.Event()  # set once: when it has been answered, or when it is to run the model
        self.runs = False
        self.left = False
        self.batch: list[_Request] = []
        self.keys: np.ndarray | None = None
        self.error: Exception | None = None

    @property
    def answered(self) -> bool:
        """Whether it has keys or an error."""
        return self.keys is not None or self.error is not None

    def is_like(self, other: _Request) -> bool:
        """Return whether the texts of both are about as long: neither would make the other wait much."""
        short, long = sorted((self.longest, other.longest))
        return long <= 2 * short + NEAR

    def result(self) -> np.ndarray:
        """Return its keys. Raises the error that its texts met."""
        if self.error is not None:
            raise self.error
        assert self.keys is not None  # noqa: S101  # whoever is called has been answered, or has run its batch
        return self.keys


class BatchingEncoder(Wrapping[BatchEncoder]):
    """Another encoder, run once for what several threads ask at the same time.

    Each caller gets its own rows, or the error that its own texts meet: where a batch fails, each of its callers' texts
    are tried alone. A caller that is interrupted leaves the line, and hands on what it was to run for others. Until the
    model is loaded, each caller's texts go alone.

    Args:
        inner: What makes the keys; several of its runs may go on at once if it says so.
    """

    def __init__(self, inner: BatchEncoder) -> None:
        super().__init__(inner)
        self._changing = threading.Lock()
        self._free = inner.runs_at_once  # while any is free, nobody waits
        self._waiting: deque[_Request] = deque()

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text; of a long list a chunk at a time, so that others get their turn."""
        if not texts:
            return self._inner.encode_passages(texts, on_progress)
        keys = []
        for start in range(0, len(texts), CHUNK):
            keys.append(self._encode([Text(text, question=False) for text in texts[start : start + CHUNK]]))
            if on_progress is not None:
                on_progress(min(start + CHUNK, len(texts)), len(texts))
        return keys[0] if len(keys) == 1 else np.concatenate(keys)

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a question."""
        key: Float32[np.ndarray, "m"] = self._encode([Text(text, question=True)])[0]
        return key

    def unknown_share(self, text: str) -> float:
        """Return the inner encoder's share; the model is not run for it."""
        return self._inner.unknown_share(text)

    def _encode(self, texts: Sequence[Text]) -> Float32[np.ndarray, "k m"]:
        request = _Request(texts)
        try:
            self._line_up(request)
            request.called.wait()
            if request.runs:
                self._gather(request)
                self._run(request.batch)
        finally:
            self._leave(request)
        return request.result()

    def _line_up(self, request: _Request) -> None:
        with self._changing:
            if self._free:
                self._free -= 1
                self._call_to_run(request)
            else:
                self._waiting.append(request)

    @staticmethod
    def _call_to_run(request: _Request) -> None:
        request.runs = True
        request.called.set()

    def _gather(self, request: _Request) -> None:
        """Put a request into its batch, and those that wait and go with it, as many as there is room for."""
        with self._changing:
            request.batch.append(request)
            if not self._inner.ready:
                return
            room = LARGEST - len(request.texts)
            for each in tuple(self._waiting):
                if len(each.texts) <= room and request.is_like(each):
                    request.batch.append(each)
                    self._waiting.remove(each)
                    room -= len(each.texts)

    def _run(self, batch: Sequence[_Request]) -> None:
        """Answer every request of a batch: together, or each alone where that fails."""
        if len(batch) > 1:
            try:
                keys = self._inner.encode_together([text for each in batch for text in each.texts])
            except Exception:  # noqa: BLE001  # whoever's text it was meets it again below, and nobody else
                keys = None
            if keys is not None:
                start = 0
                for each in batch:
                    each.keys = keys[start : start + len(each.texts)].copy()
                    start += len(each.texts)
                return
        for each in batch:
            try:
                each.keys = self._inner.encode_together(each.texts)
            except Exception as error:  # noqa: BLE001  # raised in the thread that asked
                each.error = error

    def _leave(self, request: _Request) -> None:
        """Take a request out, however its call ends, call those it has answered, and let the next one run."""
        with self._changing:
            request.left = True
            if request in self._waiting:
                self._waiting.remove(request)
            if not request.runs:
                return
            for each in reversed(request.batch):
                if each.answered:
                    each.called.set()
                elif not each.left and each not in self._waiting:
                    self._waiting.appendleft(each)  # the run was interrupted, and not by this one's caller
            if self._waiting:
                self._call_to_run(self._waiting.popleft())
            else:
                self._free += 1
