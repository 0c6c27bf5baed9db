"""What a new memory resembles. Reported to the writer; nothing is merged or refused here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ntm_memory_skill.engine.answers import Likeness
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.m3 import association
from ntm_memory_skill.model import Filters, Record, indexed_text

CANDIDATES = 16
RELATED = 3
STANDS_OUT = 2.0  # standard deviations above the mean cosine: no fixed cosine means "related" in every language
SAME_WORDS = 0.8  # word overlap from which two texts are near duplicates whatever their keys say
SAME_MEANING = (0.95, 0.5)  # or this cosine together with this overlap: numbers and names differ, the sentence does not


ASSOCIATOR = association.ContextualAssociator()


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Memories that are like a text."""

    related: tuple[Likeness, ...] = ()
    duplicates: tuple[Likeness, ...] = ()
    candidates: tuple[Record, ...] = ()
    """Those that say the same, and then the most alike by meaning, whatever that amounts to."""


def resembling(
    projection: Projection, name: str | None, content: str, cue: association.Cue, now: datetime
) -> Resemblance:
    """Return the live memories that are like what is to be written.

    Related are those whose meaning stands out, the most closely associated first: by meaning, by time, and by what is
    being talked about (`m3.association`).

    Args:
        projection: The memory.
        name: The key of what is to be written, if it has one.
        content: Its text.
        cue: Its key, when it happened, and the chat's context.
        now: The present moment: what held until before it is not looked at.
    """
    admitted = np.flatnonzero(projection.admitted(Filters(), now))
    if len(admitted) == 0:
        return Resemblance()
    similarity = np.asarray(projection.matrix.similarities(cue.key))[admitted]
    behind = max(0, len(similarity) - CANDIDATES)
    best = np.argpartition(similarity, behind)[behind:]
    best = best[np.argsort(-similarity[best], kind="stable")]
    threshold = float(similarity.mean() + STANDS_OUT * similarity.std())
    terms, slots = tokenize(indexed_text(name, content)), admitted[best].tolist()
    records = [projection.record(slot) for slot in slots]
    alike = [
        Likeness(record.id, match / record.strength, overlap)
        for record, match, overlap in zip(
            records, similarity[best].tolist(), projection.lexical.overlaps(terms, slots), strict=True
        )
    ]
    said = [record for record in projection.saying(content) if record.superseded_by is None]
    same = np.asarray([_same(each) for each in alike])
    around = association.Surroundings(
        keys=np.asarray(projection.matrix.rows)[slots],
        times=projection.times[slots],
        present=(similarity[best] > threshold) & ~same,
    )
    related = ASSOCIATOR.related(cue, around, RELATED).tolist()
    return Resemblance(
        related=tuple(alike[place] for place in related),
        duplicates=tuple(each for each, is_same in zip(alike, same.tolist(), strict=True) if is_same),
        candidates=tuple({record.id: record for record in (*said, *records)}.values()),
    )


def _same(alike: Likeness) -> bool:
    cosine, overlap = SAME_MEANING
    return alike.overlap >= SAME_WORDS or (alike.cosine >= cosine and alike.overlap >= overlap)
