"""The content addressing of a trained machine through emulated devices.

A machine rewrites its memory at every step, so that every row is programmed at every step, and read at once. Lengths
are taken out before, digitally: what the array multiplies are unit keys and unit rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ntm_memory_skill.crossbar import device as devices
from ntm_memory_skill.crossbar import mapping
from ntm_memory_skill.crossbar.params import Parameters
from ntm_memory_skill.crossbar.tile import convert
from ntm_memory_skill.ntm.addressing import EPSILON

if TYPE_CHECKING:
    from torch import Tensor

FRESH = np.zeros(1)


class AnalogSimilarities:
    """Stands in for `ntm.addressing.similarities` in a machine that is not being trained.

    Args:
        parameters: What the devices and circuits are; of slices, wires and tiles nothing is used.
        seed: Of their noise, 0 and up.
    """

    def __init__(self, parameters: Parameters, seed: int = 0) -> None:
        self._parameters = parameters
        self._rng = np.random.default_rng(seed)

    def __call__(self, keys: Float[Tensor, "b h m"], memory: Float[Tensor, "b n m"]) -> Float[Tensor, "b h n"]:
        """Return the cosine of each key with each row as the converters give it."""
        device, circuit = self._parameters.device, self._parameters.circuit
        rows, asked = _units(memory.detach().numpy()), _units(keys.detach().numpy())
        goals, scale = mapping.targets(rows.reshape(-1, rows.shape[-1]), device, circuit)
        held = devices.program(goals, device, self._rng, circuit)
        now = devices.conductances(held, FRESH, device)
        spread = devices.read_deviation(held, now, FRESH, device)
        width = 1 / (device.g_max - device.g_min)
        signal = ((now[:, 0, 0] - now[:, 0, 1]) * width).reshape(rows.shape)
        variance = ((spread[:, 0, 0] ** 2 + spread[:, 0, 1] ** 2) * width**2).reshape(rows.shape)
        volts = convert(asked, circuit.dac)
        sums = volts @ signal.swapaxes(1, 2)
        if device.read:
            noise = np.sqrt(volts**2 @ variance.swapaxes(1, 2))
            sums = sums + noise * self._rng.standard_normal(sums.shape)
        found = convert(sums * scale.reshape(len(rows), 1, -1), circuit.adc)
        return memory.new_tensor(found)


def _units(values: Float[np.ndarray, "b n m"]) -> Float[np.ndarray, "b n m"]:
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    units: Float[np.ndarray, "b n m"] = values / np.maximum(lengths, EPSILON)
    return units
