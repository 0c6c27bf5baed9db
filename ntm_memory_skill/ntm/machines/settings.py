"""How large a machine is and of which kind: a value that is kept with its weights."""

from __future__ import annotations

from dataclasses import dataclass

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.controller import INITIALIZATIONS
from ntm_memory_skill.ntm.machines.controller import MACHINE_CONTROLLERS, OPEN
from ntm_memory_skill.ntm.machines.heads import HABITS

MACHINES = ("ntm", "dnc", "mann", "hopfield", "dkvmn")
SIZES = ("inputs", "outputs", "memory_size", "memory_dim", "num_read_heads", "num_write_heads", "hidden", "reach")
LARGEST = 65_536
"""The most of anything, so that a mistyped number is an error and not a machine that fills the computer."""

FURTHEST = 10
"""As far as the forget gate's bias may be from 0; a gate of 0.99995 is as good as open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """A machine's sizes. Raises InvalidArgument where one is out of range, with all that is wrong."""

    kind: str = "ntm"
    """"ntm", "dnc", "mann", "hopfield" or "dkvmn"."""
    inputs: int
    """Numbers in a step's input, 1 and up."""
    outputs: int
    """Numbers in a step's output, 1 and up."""
    memory_size: int = 128
    """N: slots, 1 and up, and no fewer than there are heads."""
    memory_dim: int = 20
    """M: numbers in a slot, 1 and up."""
    num_read_heads: int = 1
    """1 and up."""
    num_write_heads: int = 1
    """1 and up."""
    controller: str = "lstm"
    """"lstm" or "feedforward"."""
    hidden: int = 100
    """Units of the controller, 1 and up."""
    forget_bias: float = OPEN
    """Of the LSTM's forget gate at the start, −10 to 10: 1 is open, 0 lets half of the cells go in every step, so that
    what lasts is left to the memory. Of the Neural Turing Machine alone."""
    reach: int = 1
    """R: how many slots a shift moves at most, 1 and up. Of the Neural Turing Machine alone."""
    habits: str = "none"
    """What the heads begin with: "none", "sharp" or "list"; see `heads.HABITS`. Of the Neural Turing Machine alone."""
    scaled: bool = False
    """Whether all outputs are multiplied by one learned number, with which a machine that is right is soon sure of it.
    Of the Neural Turing Machine alone."""
    initialization: str = "constant"
    """What the memory starts as: "constant", "small_random" or "learned"."""

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is one of {', '.join(known)}, not {value!r}"
            for name, value, known in (
                ("kind", self.kind, MACHINES),
                ("controller", self.controller, MACHINE_CONTROLLERS),
                ("habits", self.habits, HABITS),
                ("initialization", self.initialization, INITIALIZATIONS),
            )
            if value not in known
        ]
        wrong += [
            f"{name} is a whole number from 1 to {LARGEST}, not {getattr(self, name)!r}"
            for name in SIZES
            if not _is_size(getattr(self, name))
        ]
        if not (_is_number(self.forget_bias) and abs(self.forget_bias) <= FURTHEST):
            wrong.append(f"forget_bias is a number from {-FURTHEST} to {FURTHEST}, not {self.forget_bias!r}")
        if not isinstance(self.scaled, bool):
            wrong.append(f"scaled is true or false, not {self.scaled!r}")
        if not wrong and self.num_read_heads + self.num_write_heads > self.memory_size:
            heads = self.num_read_heads + self.num_write_heads
            wrong.append(f"{heads} heads are more than the {self.memory_size} slot(s) that they share")
        if wrong:
            raise InvalidArgument("; ".join(wrong), hint="Correct the machine's sizes.")


def _is_size(value: object) -> bool:
    """Tell whether a value is a size; it may come from a file. True is no number here, though Python calls it 1."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
