"""What can be seen of a memory's text at a glance: marks that tell questions from statements, plans from chatter."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

_QUESTION = re.compile(r"[?？][\s\"'”’)\]]*$")
_DIGIT = re.compile(r"\d")


class Traits:
    """Marks by slot, 1 or 0; a free slot has the marks of the last memory in it."""

    def __init__(self) -> None:
        self.question: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        """Whether the text ends in a question mark."""
        self.digits: Float32[np.ndarray, "n"] = np.zeros(0, np.float32)
        """Whether there is a digit in it."""

    def extend(self, slots: Sequence[int], texts: Sequence[str]) -> None:
        """Look at the memories in some slots."""
        self._make_room(max(slots, default=-1) + 1)
        self.question[slots] = [_QUESTION.search(text[-8:]) is not None for text in texts]
        self.digits[slots] = [_DIGIT.search(text) is not None for text in texts]

    def _make_room(self, size: int) -> None:
        if size > len(self.question):
            more = np.zeros(max(size, 2 * len(self.question), 256) - len(self.question), np.float32)
            self.question = np.concatenate([self.question, more])
            self.digits = np.concatenate([self.digits, more])
