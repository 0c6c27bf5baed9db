"""Where each chat looked last: w_{t−1} of the interpolation gate."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from jaxtyping import Bool, Float32

KEPT = 64  # chats; the one that was quiet longest gives way


class SessionFocuses:
    """The last read weights of each chat, in this process alone: a restart opens every gate."""

    def __init__(self) -> None:
        self._weights: OrderedDict[str, Float32[np.ndarray, "n"]] = OrderedDict()

    def remember(self, session: str, weights: Float32[np.ndarray, "n"]) -> None:
        """Keep where a chat just looked."""
        self._weights[session] = weights
        self._weights.move_to_end(session)
        if len(self._weights) > KEPT:
            self._weights.popitem(last=False)

    def last(self, session: str | None) -> Float32[np.ndarray, "n"] | None:
        """Return where a chat looked last, or None for one that has not looked yet."""
        return None if session is None else self._weights.get(session)


def carried(
    weights: Float32[np.ndarray, "n"] | None, admitted: Bool[np.ndarray, "n"]
) -> Float32[np.ndarray, "n"] | None:
    """Return earlier weights over today's slots, of those that may be seen; None where nothing of them is left."""
    if weights is None:
        return None
    today = np.zeros(len(admitted), dtype=np.float32)
    today[: len(weights)] = weights[: len(admitted)]
    today *= admitted
    total = today.sum()
    return today / total if total > 0 else None
