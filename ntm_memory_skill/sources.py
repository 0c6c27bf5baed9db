"""Where time and ids come from.

The rooms below the hosts never look at the wall clock or a global random generator: they are handed these, so that a
test can replay a history exactly.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

Clock = Callable[[], datetime]
"""Returns the present moment, timezone-aware, in UTC."""

Ids = Callable[[], str]
"""Returns a new id on every call: letters and digits that need no quoting in a shell, a prompt or JSON."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread
_ID_LENGTH = 12  # 60 bits: a clash among a million memories has odds of 1 in 2 million, and is looked for besides


def system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def random_ids() -> str:
    """Return an id such as ``m4k2x9q0ab7tz`` from the operating system's randomness."""
    return "m" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in os.urandom(_ID_LENGTH))  # 32 letters divide 256


def seeded_ids(seed: int) -> Ids:
    """Return a source of ids that repeats for the same `seed`: for tests and reproducible fixtures."""
    rng = Random(seed)  # noqa: S311  # repeatable is the point
    return lambda: "m" + "".join(rng.choice(_ALPHABET) for _ in range(_ID_LENGTH))
