"""Question sets in which names that two memories share lead away from the answer: a policy can mind them less."""

from __future__ import annotations

import random
from typing import Any

WORDS = """anchor basket candle dolphin engine falcon garden harbour island jacket kettle lantern marble needle orchard
pepper quarry ribbon saddle timber urchin velvet walnut yarrow zither copper feather hammer mirror pillow""".split()
STEMS = "Bal Cor Dun Fal Gar Hol Kar Lom Mer Nor Ost Pel Quar Rus Sel Tor Ulm Ver Wen Zan".split()
ENDINGS = "dorf wick stad mere bruck ville ness grad vale holm".split()
NAMES = [stem + ending for stem in STEMS for ending in ENDINGS]
LED_AWAY = 7
"""Memories that share a name with what matches best, and have nothing to do with the question."""


def misled(seed: int, *, chats: int = 2, questions: int = 10) -> list[dict[str, Any]]:
    """Return memories with questions that are read on from, as a set in the product's own layout.

    Of each question, one memory holds all words, and a name that each of seven others shares; the evidence holds only
    half of the words, and no name.

    Args:
        seed: Of everything random.
        chats: Memories.
        questions: In each.
    """
    rng = random.Random(seed)  # noqa: S311  # repeatable is the point
    return [_chat(rng, questions) for _ in range(chats)]


def _chat(rng: random.Random, questions: int) -> dict[str, Any]:
    names, memories, asked = iter(rng.sample(NAMES, questions * LED_AWAY)), [], []
    pairs = rng.sample([(one, other) for one in WORDS for other in WORDS if one != other], questions)
    for number, (thing, whose) in enumerate(pairs):
        shared = [next(names) for _ in range(LED_AWAY)]
        memories.append(_memory(f"{number}-match", f"the {thing} of the {whose}: {', '.join(shared)}"))
        memories.append(_memory(f"{number}-gold", f"a {thing}, {' '.join(rng.sample(WORDS, 4))}"))
        memories += [
            _memory(f"{number}-{place}", f"{name} {' '.join(rng.sample(WORDS, 4))}")
            for place, name in enumerate(shared)
        ]
        question = f"Who has the {thing} of the {whose} that was seen there?"
        asked.append({"question": question, "gold": [f"{number}-match", f"{number}-gold"]})
    rng.shuffle(memories)
    return {"memories": memories, "questions": asked}


def _memory(ref: str, content: str) -> dict[str, Any]:
    return {"content": content, "ref": ref}
