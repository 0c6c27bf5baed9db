"""Fitting a text of any length into a model's window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32


def split_to_window(text: str, count_tokens: Callable[[str], int], window: int) -> list[str]:
    """Return `text` in consecutive pieces of at most `window` tokens each; joined, they are the text again.

    A text that is too long is halved at the blank nearest to its middle, or in the very middle where there is none
    close by (Chinese), until every piece fits. The pieces come out alike in length, so that no short rest weighs as
    much as a full window.

    Raises:
        ValueError: One character alone is longer than the window.
    """
    if count_tokens(text) <= window:
        return [text]
    if len(text) < 2:
        raise ValueError(f"a window of {window} tokens is too small for any text")
    middle = _blank_near(text, len(text) // 2)
    left, right = text[:middle], text[middle:]
    return split_to_window(left, count_tokens, window) + split_to_window(right, count_tokens, window)


def pool(keys: Float32[np.ndarray, "k m"], lengths: list[int]) -> Float32[np.ndarray, "m"]:
    """Return one unit key for a text from the keys of its pieces, each weighing as many as it has tokens."""
    mean = np.asarray(lengths, dtype=np.float32) @ keys
    norm = float(np.linalg.norm(mean))
    unit: Float32[np.ndarray, "m"] = (mean / norm if norm > 0 else mean).astype(np.float32)
    return unit


def _blank_near(text: str, middle: int) -> int:
    """Return the place after the blank nearest to `middle`, or `middle` if none is within a quarter of the text."""
    for distance in range(len(text) // 4):
        for place in (middle - distance, middle + distance):
            if text[place - 1].isspace():
                return place
    return middle
