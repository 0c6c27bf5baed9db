"""What a new memory resembles. Reported to the writer; nothing is merged or refused here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine.answers import Likeness
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.model import Filters

CANDIDATES = 8
RELATED = 3
STANDS_OUT = 2.0  # standard deviations above the mean cosine: no fixed cosine means "related" in every language
SAME_WORDS = 0.8  # word overlap from which two texts are near duplicates whatever their keys say
SAME_MEANING = (0.95, 0.5)  # or this cosine together with this overlap: numbers and names differ, the sentence does not


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Memories that are like a text."""

    related: tuple[Likeness, ...] = ()
    duplicates: tuple[Likeness, ...] = ()


def resembling(projection: Projection, text: str, key: Float32[np.ndarray, "m"]) -> Resemblance:
    """Return the live memories that are like `text`, most alike first."""
    admitted = np.flatnonzero(projection.admitted(Filters()))
    if len(admitted) == 0:
        return Resemblance()
    similarity = np.asarray(projection.matrix.similarities(key))[admitted]
    best = np.argpartition(-similarity, min(CANDIDATES, len(similarity)) - 1)[:CANDIDATES]
    threshold = float(similarity.mean() + STANDS_OUT * similarity.std())
    terms = tokenize(text)
    related: list[Likeness] = []
    duplicates: list[Likeness] = []
    for position in best[np.argsort(-similarity[best], kind="stable")].tolist():
        slot = int(admitted[position])
        record = projection.record(slot)
        alike = Likeness(
            record.id, float(similarity[position]) / record.strength, projection.lexical.overlap(terms, slot)
        )
        if _same(alike):
            duplicates.append(alike)
        elif similarity[position] > threshold and len(related) < RELATED:
            related.append(alike)
    return Resemblance(tuple(related), tuple(duplicates))


def _same(alike: Likeness) -> bool:
    cosine, overlap = SAME_MEANING
    return alike.overlap >= SAME_WORDS or (alike.cosine >= cosine and alike.overlap >= overlap)
