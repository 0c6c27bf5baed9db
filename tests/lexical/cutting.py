"""Chinese text cut the dumb way, into pairs alone: what likeness and lengths are counted in."""

from __future__ import annotations

import re

from hypothesis import strategies as st

STOPS = ("什么", "是谁", "谁的", "多少")  # of the tokenizer's, those that the texts below can hold

texts = st.text("什么是谁的多少猫咪9，", max_size=14)
"""Chinese characters with a digit and a comma among them; some pairs of them make question words."""


def pairs_of(text: str) -> list[str]:
    """Return each run's pairs, or the run itself where it is one character or a number; stop words if nothing else."""
    found = []
    for run in re.findall("9+|[^9，]+", text):
        if run[0] == "9" or len(run) == 1:
            found.append(run)
        else:
            found.extend(run[place] + run[place + 1] for place in range(len(run) - 1))
    return [term for term in found if term not in STOPS] or found
