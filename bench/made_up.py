"""Sentences that are made up: much like each other, as what is said every day is, each with a number that is not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

SEED = 20141020
SESSION = 20  # memories of one made-up chat
WHO = "Ana Bruno Chen Dana Emil Farah Goran Hana Ivo Juno Kofi Lena Mika Noor Omar Pia Quinn Rosa Sven Tuva".split()
DID = "booked lost found painted repaired returned planted cancelled promised sold borrowed forgot signed".split()
WHAT = "ticket bicycle roof contract piano garden passport recipe invoice kitchen medal lamp boat mirror oven".split()
WHERE = "Lisbon Chengdu Oslo Porto Nairobi Lima Quito Turin Kyoto Leeds Gdansk Izmir Perth Tartu Hue Cork".split()
WHEN = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday noon dusk dawn Easter midsummer".split()


def sentence(rng: random.Random) -> str:
    """Return a sentence that is much like others, with a number that is not."""
    who, did, what, where, when = (rng.choice(words) for words in (WHO, DID, WHAT, WHERE, WHEN))
    return f"{who} {did} the {what} in {where} on {when}, for {rng.randrange(10_000)} crowns."


def sentences(seed: int) -> Iterator[str]:
    """Yield sentences without end, no two of them the same."""
    rng = random.Random(seed)  # noqa: S311  # repeatable is the point
    seen: set[str] = set()
    while True:
        made = sentence(rng)
        if made not in seen:
            seen.add(made)
            yield made


def items(count: int, seed: int = SEED) -> list[dict[str, Any]]:
    """Return the arguments of `memorize` for `count` different memories, in chats of `SESSION`."""
    return [
        {"content": content, "session": f"day {number // SESSION}"}
        for number, content in zip(range(count), sentences(seed), strict=False)
    ]
