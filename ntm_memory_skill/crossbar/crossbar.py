"""A crossbar that holds rows: programmed one by one, read all at once, older with every second that passes.

    x = DAC(query)
    product(row) = Σ over slices and tiles of  worth · ADC( x · (G⁺ − G⁻)(t) / (g_max − g_min) · s + noise )

Devices are drawn from the seed, the row's place and how often it was programmed: the same rows, programmed at the same
times, are the same crossbar, so that only these need to be kept. The noise of a read is drawn for each converted sum: a
sum of independent normal numbers is one, with the variance Σ x² σ².

Conductances are worked out again where ln t has moved by more than `STILL`: 0.2 % at the largest mean exponent of PCM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64

from ntm_memory_skill.crossbar import device as devices
from ntm_memory_skill.crossbar import mapping
from ntm_memory_skill.crossbar.energy import Cost, cost_of_programming, cost_of_reading
from ntm_memory_skill.crossbar.params import Parameters
from ntm_memory_skill.crossbar.tile import convert, with_wires
from ntm_memory_skill.errors import CrossbarFull, InvalidCrossbar, TimeReversed

STILL = 0.02
LARGEST = float(np.finfo(np.float32).max)
FIRST_ROWS = 256
GROWTH = 2
PROGRAMMING, READING, COMPENSATING = 0, 1, 2
"""Streams of the seed."""


@dataclass(frozen=True, slots=True)
class Programming:
    """What tells which devices hold each row: with the rows themselves, a crossbar can be had again from it."""

    slots: Int64[np.ndarray, "k"]
    counts: Int64[np.ndarray, "k"]
    """How often each slot has been programmed, 1 and up."""
    times: Float64[np.ndarray, "k"]
    """When, seconds."""
    reads: int = 0
    """How often the crossbar has been read: what the noise of the next read is drawn from."""


class Crossbar:
    """An emulated crossbar.

    Args:
        parameters: What it is made of.
        dimension: M, numbers in a row, 1 and up.
        capacity: How many rows it has room for, 1 and up.
        seed: Of all that is random, 0 and up.

    Raises:
        InvalidCrossbar: One of the numbers is out of range.
    """

    def __init__(self, parameters: Parameters, dimension: int, capacity: int, seed: int = 0) -> None:
        wrong = [
            f"{name} is a whole number from {least}, not {value!r}"
            for name, value, least in (("dimension", dimension, 1), ("capacity", capacity, 1), ("seed", seed, 0))
            if type(value) is not int or value < least
        ]
        if wrong:
            raise InvalidCrossbar("; ".join(wrong))
        self.parameters, self.dimension, self.capacity, self.seed = parameters, dimension, capacity, seed
        self._shape = (parameters.circuit.slices, 2, dimension)
        self._held: list[devices.Programmed | None] = []
        self._counts: Int64[np.ndarray, "n"] = np.zeros(0, np.int64)
        self._times: Float64[np.ndarray, "n"] = np.zeros(0)
        self._scales: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        self._factors: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        self._sums: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        """Of each row's conductances when it was programmed, µS: what compensation compares with."""
        self._logs: Float64[np.ndarray, "n"] = np.zeros(0)
        """ln t for which each row was worked out; infinity where it has to be."""
        self._signal: Float32[np.ndarray, "slices n m"] = np.zeros((self._shape[0], 0, dimension), np.float32)
        self._variance: Float32[np.ndarray, "slices n m"] = self._signal.copy()
        self._now = -np.inf
        self._reads = 0

    def __len__(self) -> int:
        """One more than the highest slot ever programmed."""
        return len(self._held)

    @property
    def occupied(self) -> Bool[np.ndarray, "n"]:
        """Which slots hold a row."""
        return np.asarray([each is not None for each in self._held], np.bool_)

    @property
    def programming(self) -> Programming:
        """Which devices hold each row."""
        slots = np.flatnonzero(self.occupied)
        return Programming(slots, self._counts[slots], self._times[slots], self._reads)

    def write(self, slots: Sequence[int], rows: Float[np.ndarray, "k m"], at: float) -> Cost:
        """Program rows, and return what that would have cost. What was in the slots is gone.

        Args:
            slots: Where, each once, 0 and up, below the capacity.
            rows: Finite numbers.
            at: When, seconds; no earlier than anything that was done before.

        Raises:
            CrossbarFull: A slot is beyond the capacity.
            TimeReversed: It is earlier.
            InvalidCrossbar: The rows do not fit, or hold what is no number.
        """
        self._check(slots, rows)
        counts = [int(self._counts[slot]) + 1 if slot < len(self) else 1 for slot in slots]
        self._advance(at)
        return self._program(list(slots), np.asarray(rows, np.float32), counts, [at] * len(slots))

    def restore(self, kept: Programming, rows: Float[np.ndarray, "k m"]) -> None:
        """Program rows as they were programmed once: the same devices, as old as they are. The crossbar must be empty.

        Args:
            kept: What `programming` gave.
            rows: What was programmed, in the same order.

        Raises:
            CrossbarFull: A slot is beyond the capacity.
            InvalidCrossbar: The rows do not fit, or the crossbar is not empty.
        """
        slots, counts, times = kept.slots.tolist(), kept.counts.tolist(), kept.times.tolist()
        if len(self) or not len(slots) == len(counts) == len(times):
            raise InvalidCrossbar("rows are restored into an empty crossbar, each with its count and its time")
        self._check(slots, rows)
        if min(counts, default=1) < 1 or kept.reads < 0 or not np.isfinite(kept.times).all():
            raise InvalidCrossbar("a row was programmed at no time, or less than once, or read less than never")
        self._now, self._reads = max([self._now, *times]), kept.reads
        self._program(slots, np.asarray(rows, np.float32), counts, times)

    def erase(self, slots: Sequence[int]) -> None:
        """Let go of rows: their columns are not read any more. Slots that hold none are left alone."""
        for slot in slots:
            if 0 <= slot < len(self):
                self._held[slot] = None
                self._signal[:, slot] = self._variance[:, slot] = 0
                self._logs[self._neighbours(slot)] = np.inf

    def read(self, query: Float[np.ndarray, "m"], at: float) -> Float32[np.ndarray, "n"]:
        """Return the product of a query with every row as the converters give it; 0 for a slot that holds none.

        Args:
            query: M finite numbers.
            at: When, seconds; no earlier than anything that was done before.

        Raises:
            TimeReversed: It is earlier.
            InvalidCrossbar: The query does not fit.
        """
        if np.shape(query) != (self.dimension,) or not (np.abs(query) <= LARGEST).all():
            raise InvalidCrossbar(f"a query has {self.dimension} finite numbers")
        self._advance(at)
        self._refresh(at)
        self._reads += 1
        rng = np.random.default_rng([self.seed, READING, self._reads])
        circuit = self.parameters.circuit
        volts = convert(np.asarray(query, np.float32), circuit.dac).astype(np.float32)
        total = np.zeros(len(self), np.float32)
        for worth, signal, variance in zip(mapping.significances(circuit), self._signal, self._variance, strict=True):
            for inputs in self._blocks():
                sums = signal[: len(self), inputs] @ volts[inputs]
                if self.parameters.device.read:
                    noise = np.sqrt(variance[: len(self), inputs] @ volts[inputs] ** 2)
                    sums = sums + noise * rng.standard_normal(len(sums), dtype=np.float32)
                scale = self._scales if circuit.weight_range is None else np.float32(1)
                total += worth * scale * convert(sums, circuit.adc)
        return np.where(self.occupied, total * self._factors, 0).astype(np.float32)

    def cost_of_read(self) -> Cost:
        """Return what reading all rows once would cost."""
        return cost_of_reading(self.parameters, self.dimension, int(self.occupied.sum()), self._mean_conductance())

    def _check(self, slots: Sequence[int], rows: Float[np.ndarray, "k m"]) -> None:
        shape = np.shape(rows)
        if shape != (len(slots), self.dimension) or not (np.abs(rows) <= LARGEST).all():
            raise InvalidCrossbar(f"{len(slots)} row(s) of {self.dimension} finite numbers were expected, not {shape}")
        if len(set(slots)) != len(slots) or min(slots, default=0) < 0:
            raise InvalidCrossbar("slots are whole numbers from 0 up, each given once")
        if max(slots, default=0) >= self.capacity:
            raise CrossbarFull(f"slot {max(slots)} is beyond the {self.capacity} rows that the crossbar has room for")

    def _advance(self, at: float) -> None:
        if not np.isfinite(at):
            raise TimeReversed(f"{at!r} is no time")
        if at < self._now:
            raise TimeReversed(f"{at:.3f} s is before {self._now:.3f} s, when the crossbar was last used")
        self._now = at

    def _program(
        self, slots: list[int], rows: Float32[np.ndarray, "k m"], counts: list[int], times: list[float]
    ) -> Cost:
        self._grow(max(slots, default=-1) + 1)
        device, circuit = self.parameters.device, self.parameters.circuit
        goals, scale = mapping.targets(rows, device, circuit)
        pulses = 0
        for place, slot in enumerate(slots):
            rng = np.random.default_rng([self.seed, PROGRAMMING, slot, counts[place]])
            held = devices.program(goals[place], device, rng, circuit)
            self._held[slot] = held._replace(pulses=np.zeros(0, np.int32))
            self._sums[slot] = held.conductance.sum()
            pulses += int(held.pulses.sum())
        self._counts[slots], self._times[slots], self._scales[slots] = counts, times, scale
        for slot in slots:
            self._logs[self._neighbours(slot)] = np.inf
        return cost_of_programming(self.parameters, pulses)

    def _grow(self, size: int) -> None:
        if size <= len(self):
            return
        more = size - len(self)
        self._held += [None] * more
        self._counts = np.append(self._counts, np.zeros(more, np.int64))
        self._times = np.append(self._times, np.zeros(more))
        self._logs = np.append(self._logs, np.full(more, np.inf))
        self._scales, self._factors, self._sums = (
            np.append(each, np.ones(more, np.float32)) for each in (self._scales, self._factors, self._sums)
        )
        room = self._signal.shape[1]
        if size > room:
            wider = np.zeros((self._shape[0], max(size, FIRST_ROWS, GROWTH * room) - room, self.dimension), np.float32)
            self._signal = np.concatenate([self._signal, wider], axis=1)
            self._variance = np.concatenate([self._variance, wider], axis=1)
        if self.parameters.circuit.tile.wire_ohm and size > more:  # the last tile has more columns now
            self._logs[self._neighbours(size - more - 1)] = np.inf

    def _blocks(self) -> Iterator[slice]:
        """Yield the inputs of each tile."""
        rows = self.parameters.circuit.tile.rows
        for start in range(0, self.dimension, rows):
            yield slice(start, min(start + rows, self.dimension))

    def _neighbours(self, slot: int) -> slice:
        """Return the slots whose currents a slot's have a part in: itself or, where wires lose something, its tile."""
        tile = self.parameters.circuit.tile
        if tile.wire_ohm == 0:
            return slice(slot, slot + 1)
        pairs = tile.columns // 2
        return slice(slot // pairs * pairs, slot // pairs * pairs + pairs)

    def _refresh(self, at: float) -> None:
        """Work out the conductances of rows for which enough time has passed."""
        elapsed = np.maximum(at - self._times, 0)
        logs = np.log1p(elapsed / self.parameters.device.settled)
        ages = self._changes_with_time()
        stale = self.occupied & ((np.abs(logs - self._logs) > STILL) if ages else np.isinf(self._logs))
        if self.parameters.circuit.tile.wire_ohm:  # what one loses depends on all that share its wires
            for slot in np.flatnonzero(stale).tolist():
                stale[self._neighbours(slot)] = True
            stale &= self.occupied
        slots = np.flatnonzero(stale)
        for start in range(0, len(slots), FIRST_ROWS):
            self._work_out(slots[start : start + FIRST_ROWS], elapsed)
        self._logs[slots] = logs[slots]
        if self.parameters.circuit.tile.wire_ohm and len(slots):
            self._lose_in_wires(slots)

    def _changes_with_time(self) -> bool:
        device = self.parameters.device
        return device.drift_mean is not None or bool(device.relaxation) or bool(device.read)

    def _work_out(self, slots: Int64[np.ndarray, "k"], elapsed: Float64[np.ndarray, "n"]) -> None:
        """Fill in signal, variance and factor of rows, wires left out."""
        device = self.parameters.device
        held = [each for slot in slots.tolist() if (each := self._held[slot]) is not None]
        exponents = [each.exponent for each in held if each.exponent is not None]
        wanderings = [each.wandering for each in held if each.wandering is not None]
        together = devices.Programmed(
            np.stack([each.conductance for each in held]),
            np.stack(exponents) if exponents else None,
            np.stack(wanderings) if wanderings else None,
            np.zeros(0, np.int32),
        )
        since = elapsed[slots][:, None, None, None]
        now = devices.conductances(together, since, device)
        spread = devices.read_deviation(together, now, since, device)
        width = np.float32(self._unit())
        self._signal[:, slots] = np.moveaxis((now[:, :, 0] - now[:, :, 1]) * width, 1, 0)
        if device.read:
            self._variance[:, slots] = np.moveaxis((spread[:, :, 0] ** 2 + spread[:, :, 1] ** 2) * width**2, 1, 0)
        if self.parameters.circuit.compensate:
            rng = np.random.default_rng([self.seed, COMPENSATING, self._reads])
            drawn = rng.standard_normal(len(self), dtype=np.float32)[slots]  # of each slot, whichever come with it
            noise = np.sqrt((spread**2).sum(axis=(1, 2, 3))) * drawn
            measured = np.maximum(now.sum(axis=(1, 2, 3)) + noise, np.float32(1e-6))
            self._factors[slots] = np.where(self._sums[slots] > 0, self._sums[slots] / measured, 1)

    def _unit(self) -> float:
        """Return what 1 µS adds to a sum; rows that have a scale of their own get that behind the ADC."""
        device, circuit = self.parameters.device, self.parameters.circuit
        worth = 1.0 if circuit.weight_range is None else circuit.weight_range
        return worth / (device.g_max - device.g_min)

    def _lose_in_wires(self, slots: Int64[np.ndarray, "k"]) -> None:
        """Take what wires lose from the signal of all tiles that the slots are in."""
        pairs = max(1, self.parameters.circuit.tile.columns // 2)
        device = self.parameters.device
        width = np.float32(self._unit())
        for first in sorted({slot // pairs * pairs for slot in slots.tolist()}):
            columns = slice(first, min(first + pairs, len(self)))
            for place in range(self._shape[0]):
                for inputs in self._blocks():
                    seen = self._signal[place, columns, inputs] / width
                    both = np.stack([np.maximum(seen, 0), np.maximum(-seen, 0)], axis=1) + np.float32(device.g_min)
                    flat = both.reshape(-1, both.shape[-1])
                    left = with_wires(flat, self.parameters.circuit.tile.wire_ohm).reshape(both.shape)
                    self._signal[place, columns, inputs] = (left[:, 0] - left[:, 1]) * width

    def _mean_conductance(self) -> float:
        """Return the mean conductance of the devices in use, µS."""
        kept = self._sums[self.occupied]
        return float(kept.mean() / np.prod(self._shape)) if len(kept) else 0.0
