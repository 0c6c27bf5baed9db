"""How a machine is trained on a task, and what has been found to work for each."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ntm_memory_skill.errors import InvalidArgument

WHOLE = ("seed", "batch", "updates", "check_every", "patience", "first_level")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a machine is trained. Raises InvalidArgument where a number is out of range, with all that is wrong."""

    seed: int = 0
    """Of the weights and of the sequences, 0 and up."""
    batch: int = 32
    """Sequences in an update, 1 and up."""
    learning_rate: float = 0.001
    """Of Adam (Kingma & Ba 2015) at the start; above 0, up to 1."""
    last_rate: float = 0.1
    """Share of the learning rate that is left after the last update, 0 to 1. From the hardest level on it falls to that
    along half a cosine; before, what there is to learn is still growing."""
    decay: float = 0.0
    """Share of itself, times the learning rate, that each weight of a layer loses in an update (Loshchilov & Hutter
    2019), 0 to 1; biases and first states lose nothing. What training does not ask for, a machine does not keep."""
    clip: float = 10.0
    """The most that the gradient's norm may be; longer ones are scaled down. Above 0."""
    updates: int = 10_000
    """The most, 1 and up."""
    check_every: int = 100
    """Updates between two looks at the held-back sequences, 1 and up."""
    solved: float = 0.003
    """Bits for each held-back sequence below which training stops, 0 and up. Stopping at a tenth of a bit leaves a
    machine that is perfect on what it was trained on and fails on what is longer."""
    patience: int = 100
    """Checks at the hardest level without a better cost before training stops, 1 and up."""
    first_level: int = 1
    """Level of the curriculum to start at, 1 and up."""
    advance: float = 0.05
    """Share of wrong bits, on average over the latest updates, below which the next level begins; 0 to 1."""
    compiled: bool = True
    """Whether to compile the machine, where this computer has a C++ compiler."""

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[float, float]] = {
            "seed": (0, 2**63 - 1),
            "batch": (1, 65_536),
            "updates": (1, math.inf),
            "check_every": (1, math.inf),
            "patience": (1, math.inf),
            "first_level": (1, math.inf),
            "last_rate": (0, 1),
            "decay": (0, 1),
            "solved": (0, math.inf),
            "advance": (0, 1),
        }
        wrong = [
            f"{name} is a {'whole ' * (name in WHOLE)}number from {low} to {high}, not {getattr(self, name)!r}"
            for name, (low, high) in ranges.items()
            if not (_is_number(getattr(self, name), whole=name in WHOLE) and low <= getattr(self, name) <= high)
        ]
        if not (_is_number(self.learning_rate) and 0 < self.learning_rate <= 1):
            wrong.append(f"learning_rate is above 0, up to 1, not {self.learning_rate!r}")
        if not (_is_number(self.clip) and 0 < self.clip < math.inf):
            wrong.append(f"clip is a finite number above 0, not {self.clip!r}")
        if not isinstance(self.compiled, bool):
            wrong.append(f"compiled is true or false, not {self.compiled!r}")
        if wrong:
            raise InvalidArgument("; ".join(wrong), hint="Correct the training's settings.")


def _is_number(value: object, *, whole: bool = False) -> bool:
    """Tell whether a value is a number; it may come from a file. True is none here, though Python calls it 1."""
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool)
