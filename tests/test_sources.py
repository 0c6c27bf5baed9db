"""Where time and ids come from."""

from __future__ import annotations

import re
from collections import Counter

from ntm_memory_skill.sources import random_ids, seeded_ids


def test_an_id_needs_no_quoting_and_comes_once() -> None:
    """Letters and digits that nobody mistakes for each other, all of them as likely."""
    idents = [random_ids() for _ in range(2_000)]
    assert len(set(idents)) == len(idents)
    assert all(re.fullmatch("m[0-9a-hjkmnp-tv-z]{12}", ident) for ident in idents)
    drawn = Counter(letter for ident in idents for letter in ident[1:])
    assert len(drawn) == 32
    assert max(drawn.values()) < 1.4 * min(drawn.values())  # 750 of each, give or take 27


def test_seeded_ids_repeat() -> None:
    """For the same seed, and for no other."""
    one, same, other = seeded_ids(1), seeded_ids(1), seeded_ids(2)
    first = [one() for _ in range(3)]
    assert first == [same() for _ in range(3)] != [other() for _ in range(3)]
    assert all(re.fullmatch("m[0-9a-hjkmnp-tv-z]{12}", ident) for ident in first)
