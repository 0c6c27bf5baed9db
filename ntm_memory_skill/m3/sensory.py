"""Keys of what was said last in each chat, and their compression: the working context of the next call.

    context     c = u / |u|,  u = Σ_i fading^i · k_i          k_0 the last input's key, k_1 the one before, …
    compressor  z = V·k,  V the k leading right singular vectors of the keys (Eckart & Young 1936)
    gate        keep the first b of z, b the least of 32, 64, 128, … with |z_1…b|² ≥ fidelity · |z|²

V has orthonormal rows, and no other matrix of its shape keeps the keys' inner products better (in squared error), hence
their cosines. It is fitted without centring: a cosine is an angle at the origin. The gate lets an input keep as many
components as its own energy is spread over, so that a complex one keeps more detail. A gate that multiplies the whole
vector would change its length alone, which no cosine sees.

Values in, values out: a buffer is not changed by what it hears, the next one is returned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

Key = Float32[np.ndarray, "k"]

SMALLEST_BLOCK = 32  # components


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SensoryBuffer:
    """The last inputs of each chat session, first in first out. Nothing here outlives the process."""

    size: int = 8
    """Inputs a session, 1 and up."""
    most_sessions: int = 64
    """Sessions, 1 and up; the one that said nothing for longest gives way."""
    fading: float = 0.7
    """Weight of an input against the one after it, above 0 to 1. With 0.7 the last three of eight have 70 %."""
    sessions: tuple[tuple[str, tuple[Key, ...]], ...] = ()
    """The keys of each session's inputs, oldest first, compressed or not, all of one length; the session that spoke
    last stands last. No text is held: a purge could not reach it here."""

    def __post_init__(self) -> None:
        problems = [
            f"{name} is a whole number from 1 up, not {value}"
            for name, value in (("size", self.size), ("most_sessions", self.most_sessions))
            if value < 1
        ]
        if not 0 < self.fading <= 1:
            problems.append(f"fading is from above 0 to 1, not {self.fading}")
        if problems:
            raise ValueError("; ".join(problems))

    def heard(self, session: str, key: Key) -> SensoryBuffer:
        """Return the buffer after one more input, given by its key."""
        keys = (*self.keys(session), key)[-self.size :]
        others = self.without(session).sessions
        return replace(self, sessions=(*others, (session, keys))[-self.most_sessions :])

    def without(self, session: str) -> SensoryBuffer:
        """Return the buffer with one session forgotten; one that it does not hold is no error."""
        return replace(self, sessions=tuple(each for each in self.sessions if each[0] != session))

    def keys(self, session: str) -> tuple[Key, ...]:
        """Return the keys of a session's last inputs, oldest first; none for a session that it does not hold."""
        return next((keys for name, keys in self.sessions if name == session), ())

    def context(self, session: str) -> Key | None:
        """Return the unit mean of a session's keys, the later the heavier; None where there is none to take.

        Keys without a direction, of texts that the encoder cannot read, say nothing; nor do keys that cancel out.
        """
        keys = self.keys(session)
        if not keys:
            return None
        weights = self.fading ** np.arange(len(keys) - 1, -1, -1, dtype=np.float32)
        mean = weights @ _unit(np.stack(keys))
        length = np.linalg.norm(mean)
        return None if length < 1e-6 * weights.sum() else (mean / length).astype(np.float32)


class Compressed(NamedTuple):
    """Compressed keys."""

    vectors: Float32[np.ndarray, "n k"]
    """Unit rows, 0 behind the components that were kept. The cosine of two is near that of the keys."""
    kept: Int64[np.ndarray, "n"]
    """How many components each keeps: 1 to k. What a row needs to be stored, in numbers."""
    loss: Float32[np.ndarray, "n"]
    """Share of each key's energy |k|² that is in no kept component, 0 to 1. 0 for a key without a direction."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Compressor:
    """A projection fitted to a memory's own keys, and the gate."""

    components: Float32[np.ndarray, "k m"]
    """V: orthonormal rows, the one that explains most first."""
    fidelity: float | None = None
    """Share of what all components explain that a gated key keeps, above 0 to 1. None: no gate, all are kept; at
    equal bytes a gate found no more than fewer components for every key do."""
    loss: float
    """Share of the fitted keys' energy that no component explains, 0 to 1."""

    def __post_init__(self) -> None:
        if self.fidelity is not None and not 0 < self.fidelity <= 1:
            raise ValueError(f"fidelity is from above 0 to 1, or None, not {self.fidelity}")

    @property
    def dimension(self) -> int:
        """k: how many components there are."""
        return len(self.components)

    @property
    def blocks(self) -> tuple[int, ...]:
        """How many components a gated key may keep: 32, 64, 128, … and all of them at the end."""
        sizes, size = [], SMALLEST_BLOCK
        while size < self.dimension:
            sizes.append(size)
            size *= 2
        return (*sizes, self.dimension)

    def compress(self, key: Float32[np.ndarray, "m"]) -> tuple[Float32[np.ndarray, "k"], int]:
        """Return one compressed key, and how many components it keeps; zeros for a key without a direction."""
        compressed = self.compress_all(key[None])
        return compressed.vectors[0], int(compressed.kept[0])

    def compress_all(self, keys: Float32[np.ndarray, "n m"]) -> Compressed:
        """Return compressed keys; see `Compressed`."""
        projected = keys @ self.components.T
        explained = np.cumsum(projected.astype(np.float64) ** 2, axis=1)
        kept = self._kept(explained)
        vectors = np.where(np.arange(self.dimension) < kept[:, None], projected, 0)
        energy = np.square(keys, dtype=np.float64).sum(axis=1)
        share = np.divide(explained[np.arange(len(keys)), kept - 1], energy, out=np.ones_like(energy), where=energy > 0)
        return Compressed(_unit(vectors), kept, np.clip(1 - share, 0, 1).astype(np.float32))

    def project(self, key: Float32[np.ndarray, "m"]) -> Float32[np.ndarray, "k"]:
        """Return a question's unit key with all its components: it is not stored, so there is nothing to save."""
        return _unit(self.components @ key)

    def expand(self, vector: Float32[np.ndarray, "k"]) -> Float32[np.ndarray, "m"]:
        """Return the unit key that a compressed one stands for: Vᵀ·z."""
        return _unit(vector @ self.components)

    def _kept(self, explained: np.ndarray) -> Int64[np.ndarray, "n"]:
        """Return how many components the gate lets through, given the energy in the first 1, 2, … of them."""
        blocks = np.asarray(self.blocks, np.int64)
        if self.fidelity is None:
            return np.full(len(explained), self.dimension, np.int64)
        enough = explained[:, blocks - 1] >= self.fidelity * explained[:, -1:]
        chosen: Int64[np.ndarray, "n"] = blocks[enough.argmax(axis=1)]
        return chosen


def fit(keys: Float32[np.ndarray, "n m"], dimension: int = 128, fidelity: float | None = None) -> Compressor:
    """Return the compressor that loses the least of some keys' energy.

    With fewer keys than components, the last ones mean nothing: they are right for these keys, and as good as random
    for others.

    Args:
        keys: What it is fitted to, n at least 1.
        dimension: Components, 1 to m.
        fidelity: The gate's; None for no gate.

    Raises:
        ValueError: No keys, or a dimension or fidelity out of its range.
    """
    count, length = keys.shape
    if count < 1 or not 1 <= dimension <= length:
        raise ValueError(f"at least one key, and 1 to {length} components: not {count} and {dimension}")
    exact = keys.astype(np.float64)
    energies, directions = np.linalg.eigh(exact.T @ exact)  # ascending; the right singular vectors are its columns
    components = directions[:, ::-1][:, :dimension].T
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(dimension), largest])[:, None]  # a sign is a free choice
    total = float(energies.sum())
    lost = 0.0 if total <= 0 else 1 - float(energies[::-1][:dimension].sum()) / total
    return Compressor(components=components.astype(np.float32), fidelity=fidelity, loss=min(max(lost, 0.0), 1.0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors at length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: np.ndarray = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit
