"""An emulated memristor crossbar: the same match of a key with every row, by Ohm's and Kirchhoff's laws.

A row's numbers become conductances of device pairs (`mapping`), which are programmed with noise, drift and are read
with noise (`device`); a query becomes voltages, currents add up along wires, and converters turn them into numbers
(`tile`); `crossbar` holds all that for many rows, over time. What that would cost is estimated in `energy`. Devices and
circuits are values (`params`) with published measurements behind them (`presets`).

The law: nothing here is a claim about a chip. With the preset "ideal" the same path is exact mathematics; with any
other, an analog match is a proposal, and whoever searches decides by the exact rows (`similarity`).
"""

from ntm_memory_skill.crossbar.crossbar import Crossbar
from ntm_memory_skill.crossbar.params import Circuit, Converter, Device, Parameters, Tile
from ntm_memory_skill.crossbar.presets import PRESETS
from ntm_memory_skill.crossbar.similarity import CrossbarSimilarity

__all__ = ["PRESETS", "Circuit", "Converter", "Crossbar", "CrossbarSimilarity", "Device", "Parameters", "Tile"]
