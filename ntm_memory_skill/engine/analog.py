"""The emulated crossbar of one memory: programmed with its rows, aging with the clock, kept beside it on closing.

Rows are programmed when the memory is first searched with this backend, and later as they change. Which devices hold
them, and since when, is kept in a file, so that the next process finds the same devices, older; what a row says is not
in it. Two processes that use it at the same time have a crossbar each, and the one that closes last is kept.
"""

from __future__ import annotations

import json
import logging
import zlib
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.crossbar import PRESETS, Crossbar, CrossbarSimilarity, Parameters
from ntm_memory_skill.crossbar.crossbar import Programming
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.engine.settings import CrossbarSettings
from ntm_memory_skill.errors import CrossbarError, StoreError
from ntm_memory_skill.sources import Clock

logger = logging.getLogger(__name__)
FORMAT = 1


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file says."""

    programming: Programming
    checksums: list[int]
    """Of the rows that were programmed."""


class Analog:
    """A memory's crossbar. Hold the memory's mutex to use it.

    Args:
        live: The memory.
        settings: What it is made of.
        clock: Gives the time by which it ages.
    """

    def __init__(self, live: LiveMemory, settings: CrossbarSettings, clock: Clock) -> None:
        self._live, self._settings, self._clock = live, settings, clock
        self._made: CrossbarSimilarity | None = None

    def similarity(self, projection: Projection) -> CrossbarSimilarity:
        """Return what matches keys with the memory's rows, as old as they are now.

        Raises:
            CrossbarFull: The memory has more slots than the crossbar.
        """
        if self._made is None:
            dimension = projection.matrix.dimension
            parameters = parameters_of(self._settings, dimension)
            crossbar = Crossbar(parameters, dimension, self._settings.capacity, self._settings.seed)
            made = CrossbarSimilarity(crossbar, lambda: self._clock().timestamp(), self._settings.rerank)
            self._resume(made, np.asarray(projection.matrix.rows))
            self._made = made
        return self._made

    def keep(self) -> None:
        """Write down which devices hold the rows, if any were programmed here and nobody else is writing."""
        if self._made is None:
            return
        data = self._to_json(self._made)
        try:
            with self._live.store.transaction(wait=False):
                self._live.store.keep_beside("crossbar", data)
        except StoreError as error:
            logger.info("which devices hold the rows was not written down: %s", error.message)

    def _fingerprint(self, dimension: int) -> int:
        return zlib.crc32(f"{parameters_of(self._settings, dimension)} {dimension} {self._settings.seed}".encode())

    def _to_json(self, made: CrossbarSimilarity) -> bytes:
        programming, crossbar = made.crossbar.programming, made.crossbar
        document = {
            "format": FORMAT,
            "crossbar": self._fingerprint(crossbar.dimension),
            "reads": programming.reads,
            "slots": programming.slots.tolist(),
            "counts": programming.counts.tolist(),
            "times": programming.times.tolist(),
            "rows": [_checksum(row) for row in made.seen[programming.slots]],
        }
        return json.dumps(document).encode()

    def _resume(self, made: CrossbarSimilarity, rows: Float32[np.ndarray, "n m"]) -> None:
        """Take back the devices of before for all rows that are what they were."""
        data = self._live.store.beside("crossbar")
        if data is None:
            return
        try:
            kept = self._from_json(data, made.crossbar.dimension)
            if kept is None:
                return
            same = [
                place
                for place, (slot, checksum) in enumerate(
                    zip(kept.programming.slots.tolist(), kept.checksums, strict=True)
                )
                if 0 <= slot < len(rows) and _checksum(rows[slot]) == checksum
            ]
            old = kept.programming
            made.resume(replace(old, slots=old.slots[same], counts=old.counts[same], times=old.times[same]), rows)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, CrossbarError) as error:
            logger.warning("the crossbar's file cannot be read (%s); its rows are programmed anew", error)

    def _from_json(self, data: bytes, dimension: int) -> _Kept | None:
        """Return what the file says; None where it is about another crossbar."""
        document = json.loads(data)
        if (document["format"], document["crossbar"]) != (FORMAT, self._fingerprint(dimension)):
            logger.info("the crossbar is another one than before; its rows are programmed anew")
            return None
        programming = Programming(
            np.asarray(document["slots"], np.int64),
            np.asarray(document["counts"], np.int64),
            np.asarray(document["times"], np.float64),
            int(document["reads"]),
        )
        kept = _Kept(programming, [int(each) for each in document["rows"]])
        lengths = {len(each) for each in (programming.slots, programming.counts, programming.times, kept.checksums)}
        if len(lengths) > 1:
            raise ValueError("it names more of one thing than of another")
        return kept


def parameters_of(settings: CrossbarSettings, dimension: int) -> Parameters:
    """Return the preset with what the settings say otherwise."""
    preset = PRESETS[settings.preset](dimension)
    circuit = preset.circuit
    bits = {
        name: replace(getattr(circuit, name), bits=given)
        for name, given in (("dac", settings.dac_bits), ("adc", settings.adc_bits))
        if given is not None
    }
    return replace(preset, circuit=replace(circuit, **bits, compensate=circuit.compensate and settings.compensate))


def _checksum(row: Float32[np.ndarray, "m"]) -> int:
    return zlib.crc32(np.ascontiguousarray(row, np.float32).tobytes())
