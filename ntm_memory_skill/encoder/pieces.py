"""Texts of any length through a model with a window: what all engines that run a model have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.chunking import pool, split_to_window
from ntm_memory_skill.encoder.protocol import Progress, Text
from ntm_memory_skill.encoder.recent import Recent
from ntm_memory_skill.model import EncoderIdentity

BATCH = 64  # texts at a time: keeps progress lively, large enough to fill the model
READINGS = 1024  # texts whose pieces are counted once, some 260 bytes each: a question is read, then encoded


class Reading(NamedTuple):
    """How a text looks to a tokenizer, without what the model puts around it."""

    pieces: int
    """How many word pieces it has."""
    unknown: int
    """How many of them the vocabulary lacks."""


class PiecewiseEncoder(ABC):
    """An encoder that cuts what is longer than its model's window into pieces, and pools their keys."""

    most_in_a_run = BATCH
    """Pieces of text that the model is given at once."""

    def __init__(self) -> None:
        self._readings: Recent[Reading] = Recent(READINGS)
        self._rooms: dict[str, int] = {}

    @property
    @abstractmethod
    def identity(self) -> EncoderIdentity:
        """Which keys these are."""

    @property
    def runs_at_once(self) -> int:
        """How many runs of the model may go on side by side, 1 and up."""
        return 1

    def warm_up(self) -> None:
        """Load the model, and run it once so that the first real text is not the slow one."""
        self.encode_query("warm-up")

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each text. One longer than the model's window is encoded in pieces and pooled."""
        keys = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            chunk = [Text(text, question=False) for text in texts[start : start + BATCH]]
            keys[start : start + BATCH] = self.encode_together(chunk)
            if on_progress is not None:
                on_progress(min(start + BATCH, len(texts)), len(texts))
        return keys

    def encode_query(self, text: str) -> Float32[np.ndarray, "m"]:
        """Return the unit key of a question."""
        key: Float32[np.ndarray, "m"] = self.encode_together([Text(text, question=True)])[0]
        return key

    def encode_together(self, texts: Sequence[Text]) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each of some questions and passages: up to rounding the one that it has alone.

        Pieces of like length go through the model together, so that little is filled up.
        """
        identity = self.identity
        prefixes = [identity.query_prefix if each.question else identity.passage_prefix for each in texts]
        splits = [
            split_to_window(each.text, self._count, self._room(prefix))
            for each, prefix in zip(texts, prefixes, strict=True)
        ]
        pieces = [prefix + piece for prefix, split in zip(prefixes, splits, strict=True) for piece in split]
        lengths = [self._count(piece) for split in splits for piece in split]
        encoded = np.zeros((len(pieces), identity.dimension), dtype=np.float32)
        groups = of_like_length(lengths, self.most_in_a_run)
        runs = self._run_each([[pieces[place] for place in group] for group in groups])
        for group, run in zip(groups, runs, strict=True):
            encoded[group] = run
        keys = np.zeros((len(texts), identity.dimension), dtype=np.float32)
        start = 0
        for index, split in enumerate(splits):
            stop = start + len(split)
            keys[index] = pool(encoded[start:stop], lengths[start:stop] if len(split) > 1 else [1])
            start = stop
        return keys

    def unknown_share(self, text: str) -> float:
        """Return the share of word pieces that the model's vocabulary lacks, 0 to 1."""
        reading = self._reading(text)
        return reading.unknown / reading.pieces if reading.pieces else 0.0

    @abstractmethod
    def _window(self) -> int:
        """Return how many tokens the model reads at once."""

    @abstractmethod
    def _unknown(self) -> int | None:
        """Return the token for what the vocabulary lacks, if there is one."""

    @abstractmethod
    def _tokens(self, text: str, *, special: bool = True) -> Sequence[int]:
        """Return the tokens of a text, those that the model puts around it among them or not."""

    @abstractmethod
    def _run(self, pieces: list[str]) -> Float32[np.ndarray, "k m"]:
        """Return a unit key for each of some pieces that fit into the window, in one run of the model."""

    def _run_each(self, groups: Sequence[list[str]]) -> Iterable[Float32[np.ndarray, "k m"]]:
        """Return the keys of each group of pieces, in their order."""
        return map(self._run, groups)

    def _room(self, prefix: str) -> int:
        """Return how many pieces of a text the window has room for beside a prefix and what the model puts around."""
        if prefix not in self._rooms:
            taken = len(self._tokens("")) + len(self._tokens(prefix, special=False))
            self._rooms[prefix] = max(1, self._window() - taken)
        return self._rooms[prefix]

    def _count(self, text: str) -> int:
        return self._reading(text).pieces

    def _reading(self, text: str) -> Reading:
        reading = self._readings.get(text)
        if reading is None:
            tokens, unknown = self._tokens(text, special=False), self._unknown()
            reading = Reading(len(tokens), sum(token == unknown for token in tokens))
            self._readings.put(text, reading)
        return reading


def of_like_length(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Return the places of some lengths in groups of at most `most`, whose longest is hardly twice their shortest.

    A group is filled up to its longest, and that costs as much as if all were as long.
    """
    groups: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if groups and len(groups[-1]) < most and lengths[place] <= 2 * lengths[groups[-1][0]] + 8:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups
