"""Where each chat looked last: w_{t−1} of the interpolation gate."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.ntm import State

KEPT = 64  # chats; the one that was quiet longest gives way


@dataclass(frozen=True, slots=True)
class LastFocus:
    """Where a chat's head looked last: its weights before they were sharpened.

    The paper's w_{t−1} is sharpened; but a content weighting with a low β is nearly flat, and a tenth of a focus on a
    few rows would outweigh the question.
    """

    weights: Float32[np.ndarray, "n"]
    written: int
    """How many memories had ever been written then."""
    state: State | None = None
    """What a trained LSTM made of the chat so far."""

    def today(self, projection: Projection, admitted: Bool[np.ndarray, "n"]) -> Float32[np.ndarray, "n"] | None:
        """Return the weights of the memories that are still there and may be seen; None where nothing of them is left.

        A slot that was given to another memory since does not pass its weight on.
        """
        today = np.zeros(len(admitted), dtype=np.float32)
        today[: len(self.weights)] = self.weights[: len(admitted)]
        today *= admitted & projection.written_before(self.written)
        total = today.sum()
        return today / total if total > 0 else None


class SessionFocuses:
    """The last focus of each chat, in this process alone: a restart opens every gate."""

    def __init__(self) -> None:
        self._focuses: OrderedDict[str, LastFocus] = OrderedDict()

    def remember(self, session: str, focus: LastFocus) -> None:
        """Keep where a chat just looked."""
        self._focuses[session] = focus
        self._focuses.move_to_end(session)
        if len(self._focuses) > KEPT:
            self._focuses.popitem(last=False)

    def forget_states(self) -> None:
        """Drop what an LSTM made of the chats: another head cannot go on from it. Where they looked stays."""
        for session, focus in self._focuses.items():
            self._focuses[session] = replace(focus, state=None)

    def last(self, session: str | None) -> LastFocus | None:
        """Return where a chat looked last, or None for one that has not looked yet."""
        return None if session is None else self._focuses.get(session)
