"""What the engine's tests share: a small chat, doubles of encoders, and looks at hits and folders."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, Hit, M3Settings, NTMMemoryManager, Settings, StoreSettings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.errors import EncoderUnavailable

Keys = np.ndarray[tuple[int, int], np.dtype[np.float32]]

FACTS = (
    "Anna keeps three goats in Kirchberg",
    "The dentist appointment is on Thursday",
    "Our wifi password hangs behind the mirror",
    "Bread needs twelve hours of cold proofing",
    "北京的会议改到下个月了",
    "Marco plays the violin in a string quartet",
    "The blue bicycle has a flat tyre",
    "Flight LX 1612 leaves Zurich at dawn",
)
"""Memories that share next to no words."""

NEVER_FOLD = Settings(store=StoreSettings(fold_ratio=1e9, fold_always_below=0))
"""Leaves the journal as it is, so that opening has to read it."""

STEADY = Settings(m3=M3Settings(reconsolidate=False))
"""Being asked for changes nothing but counts, so that two answers can be compared to the last number."""

BY_SCORE = Settings(m3=M3Settings(latest_first=False))
"""Hits stand in the order of their scores: the latest of those that rival the best one is not put in front."""

AT_TIMES = frozenset({"time", "association", "context"})
"""Terms that are there where the question names a time, memories have links, or something was said before."""

PATIENT = 30.0  # seconds that no test waits unless it is broken


class CountingEncoder(HashedEncoder):
    """Notes every text that it is asked to make a key for."""

    def __init__(self, dimension: int = 64) -> None:
        super().__init__(dimension)
        self.encoded: list[str] = []

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Keys:
        """Return the keys, and remember the texts."""
        self.encoded.extend(texts)
        keys: Keys = super().encode_passages(texts, on_progress)
        return keys


class TorchEncoder(HashedEncoder):
    """The same keys, for a matrix of torch tensors."""

    array_library = "torch"


class EnglishReader(HashedEncoder):
    """Its vocabulary lacks some Chinese characters; the others it has never learnt to understand."""

    def __init__(self, dimension: int = 16, lacks: str = "的一是不了人我在有他这中来上国个到说们为散步公园") -> None:
        super().__init__(dimension)
        self._lacks = lacks

    def unknown_share(self, text: str) -> float:
        """Return the share of characters that are lacking."""
        return sum(char in self._lacks for char in text) / max(1, len(text))


class PlannedEncoder(HashedEncoder):
    """Gives texts the directions that a test has planned for them, and every other text one of its own.

    Args:
        planned: By text; the first few numbers of its key, the rest is 0. Each is brought to length 1.
        dimension: Length of a key; more than there are texts.
    """

    def __init__(self, planned: Mapping[str, Sequence[float]], dimension: int = 64) -> None:
        super().__init__(dimension)
        self._planned = dict(planned)
        self._reserved = max(map(len, planned.values()), default=0)

    def encode_query(self, text: str) -> np.ndarray:
        """Return the planned key, or one at right angles to all others."""
        if text not in self._planned:
            self._planned[text] = [*[0.0] * (self._reserved + len(self._planned)), 1.0]
        key = np.zeros(self.identity.dimension, np.float32)
        key[: len(self._planned[text])] = self._planned[text]
        return key / np.linalg.norm(key)


class LoadingEncoder(TorchEncoder):
    """An encoder whose model is there once the test allows it, or fails to load."""

    def __init__(self, *, fails: int = 0) -> None:
        super().__init__()
        self.allowed, self.asked = threading.Event(), threading.Event()
        self.loaded, self.fails = False, fails

    @property
    def ready(self) -> bool:  # type: ignore[override]  # the double has a constant
        """Whether the model is there."""
        return self.loaded

    def warm_up(self) -> None:
        """Load it."""
        self.asked.set()
        assert self.allowed.wait(PATIENT)
        if self.fails:
            self.fails -= 1
            raise EncoderUnavailable("no such model")
        self.loaded = True

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Keys:
        """Load the model, then encode."""
        self.warm_up()
        keys: Keys = super().encode_passages(texts, on_progress)
        return keys

    def encode_query(self, text: str) -> np.ndarray:
        """Load the model, then encode."""
        if not self.loaded:
            self.warm_up()
        return super().encode_query(text)


def plant(memory: NTMMemoryManager, contents: Iterable[str] = FACTS, **fields: Any) -> list[str]:
    """Write memories one by one, all with the same fields, and return their ids."""
    return [memory.memorize(content, **fields).id for content in contents]


def found(hits: Iterable[Hit]) -> list[str]:
    """Return what hits say, in their order."""
    return [hit.content for hit in hits]


def everything(memory: NTMMemoryManager, query: str = "anything at all", **filters: Any) -> dict[str, Hit]:
    """Return every memory that a search can reach, by id."""
    return {hit.id: hit for hit in memory.search(query, top_k=1000, **filters)}


def fingerprint(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, by name, but of the note that every holder of the lock writes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".writer")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def as_numbers(hits: Iterable[Hit]) -> list[tuple[str, str, Sequence[float]]]:
    """Return hits as ids, texts and the numbers of their traces, for a comparison with some tolerance."""
    rows: list[tuple[str, str, Sequence[float]]] = []
    for hit in hits:
        trace = hit.trace
        stages = (trace.content, trace.gated, trace.shifted, trace.sharpened)
        weights = [term.weight for term in sorted(trace.terms, key=lambda term: term.name)]
        assert trace.cosine is not None
        rows.append((hit.id, hit.content, (trace.cosine, trace.bm25, trace.content_score, *stages, *weights)))
    return rows


def assert_same_hits(one: Iterable[Hit], other: Iterable[Hit]) -> None:
    """Compare two answers: the same memories with the same texts and numbers; equal weights may swap places."""
    one, other = list(one), list(other)
    mine = {ident: (text, numbers) for ident, text, numbers in as_numbers(one)}
    theirs = {ident: (text, numbers) for ident, text, numbers in as_numbers(other)}
    assert mine.keys() == theirs.keys()
    for ident, (text, numbers) in mine.items():
        assert text == theirs[ident][0]
        np.testing.assert_allclose(numbers, theirs[ident][1], rtol=1e-3, atol=1e-4)
    known = {hit.id: {term.name: term.value for term in hit.trace.terms} for hit in other}
    for hit in one:
        values = {term.name: term.value for term in hit.trace.terms}
        assert values == pytest.approx(known[hit.id], abs=2e-3)  # of equal values, what is left of rounding is a term
