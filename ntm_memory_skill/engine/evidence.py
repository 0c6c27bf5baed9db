"""The content score: what speaks for each memory, term by term, and how much each term weighs for this question.

    score(i) = Σ_t  ω_t · term_t(i)

The paper's content addressing has one term, the cosine. Here words stand beside the meaning, and three terms set right
what a cosine gets wrong in a chat: it favours what resembles everything (`commonness`), it takes a greeting for an
answer (`brevity`), and it knows nothing of time. BM25 weighs length and frequency itself, so the first two go with the
share of meaning.

How much words weigh against meaning, λ, follows the scores: the better of the two is the one that makes its best memory
stand out further, in standard deviations (`words_share`). Where the encoder cannot read the question, words decide.

A trained head moves the weights and brings in further terms (`LEARNT`), whose default weight is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from ntm_memory_skill.engine.associations import associated
from ntm_memory_skill.engine.cue import Cue
from ntm_memory_skill.engine.derived import MEMORY_STATISTICS, Column
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.engine.settings import AddressingSettings
from ntm_memory_skill.engine.times import closeness_of
from ntm_memory_skill.lexical import Match
from ntm_memory_skill.model import Matched
from ntm_memory_skill.ntm import addressing

DEFAULT_TERMS = ("meaning", "words", "commonness", "brevity", "time", "association", "context")
LEARNT = ("coverage", "strong_meaning", "strong_words", "length", "question", "digits")
TERMS = DEFAULT_TERMS + LEARNT
"""meaning: z(cosine); words: z(bm25); commonness: z(likeness to the mean key); brevity: ln(terms/24), at most 0; time:
closeness to the times that the question names, 0 to 1; association: activation that spreads to it from the best matches
along links, 0 to 1; context: z(cosine with what was last said in the chat); coverage: share of the question's rarity
that the memory holds;
strong_meaning, strong_words: how far z is above 1.5; length: ln(terms) less its median; question: ends in a question
mark; digits: has one. z: standard deviations from the mean over the memories that may be seen."""
BY_THE_ENCODER = frozenset({"meaning", "commonness", "brevity", "context", "strong_meaning"})
"""Terms that go with the encoder's understanding of the question."""
STRONG = 1.5  # standard deviations

STEEPNESS, LEAST_LEAD = 0.2, 0.5
LEAST_SHARE, GREATEST_SHARE = 0.05, 0.5
"""λ = 0.2 · (lead of words / lead of meaning − 0.5), from 0.05 to 0.5. A lead is the z of the best memory."""

SETTLING = 32
"""Memories at which commonness and brevity have half their weight."""

QUERY_STATISTICS = (
    "unknown",
    "terms",
    "mean_rarity",
    "greatest_rarity",
    "lead_of_meaning",
    "tenth_by_meaning",
    "lead_of_words",
    "tenth_by_words",
    "share_of_words",
    "agreement",
    "times",
)
"""Share of the question that the encoder cannot read; ln(1 + terms); mean and greatest rarity of its terms; z of the
best memory and of the tenth, by meaning and by words; λ; share of the ten best that both have; whether it names a
time."""
STATISTICS = QUERY_STATISTICS + MEMORY_STATISTICS
TENTH = 10
BY_WORDS = 256
"""Memories that are compared exactly because words speak for them, where an index does not look at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for each memory. Arrays have one entry a slot."""

    terms: Mapping[str, Column]
    """The terms that anybody asked for."""
    weights: Mapping[str, float]
    """ω₀: the default weights for this question; a term that is not there weighs 0."""
    lexical_share: float
    """λ."""
    similarity: Column | None
    """Cosine × strength; None where the cue has no key."""
    backend: Matched
    """What matched it."""
    match: Match
    """By words."""
    admitted: Bool[np.ndarray, "n"]
    """Which slots may be seen."""
    settings: AddressingSettings

    def shared(self, share: float) -> Evidence:
        """Return the same evidence with another λ."""
        weights = default_weights(share, int(np.count_nonzero(self.admitted)), self.settings)
        return replace(self, lexical_share=share, weights=weights)


def default_weights(share: float, count: int, settings: AddressingSettings) -> dict[str, float]:
    """Return ω₀ for a share λ of words, over `count` memories.

    What is common, and what is short, shows in the company of many. Of a handful the best z is hardly above 1, and the
    two would drown it; so they settle in as the memory grows.
    """
    by_meaning = 1 - share
    settled = by_meaning * count / (count + SETTLING)
    return {
        "meaning": by_meaning,
        "words": share,
        "commonness": -settings.commonness * settled,
        "brevity": settings.brevity * settled,
        "time": settings.time,
        "association": settings.association,
        "context": settings.context,
    }


def gather(
    projection: Projection, cue: Cue, settings: AddressingSettings, admitted: Bool[np.ndarray, "n"], *, learnt: bool
) -> Evidence:
    """Return what speaks for each memory. At least one slot must be admitted.

    Args:
        projection: The memory.
        cue: The question.
        settings: The default weights.
        admitted: Which slots may be seen.
        learnt: Whether the terms that only a trained head weighs are wanted as well.
    """
    match = projection.lexical.match(cue.terms, len(projection))
    terms: dict[str, Column] = {"words": addressing.standardize(match.scores, admitted)}
    similarity, share, backend = None, 1.0, projection.matrix.backend
    if cue.key is not None:
        similarity = np.asarray(projection.matrix.similarities(cue.key, cue.matcher))
        backend = projection.matrix.backend if cue.matcher is None else cue.matcher.name
        if backend == "ivf":
            _look_at(_most(match.scores, BY_WORDS), similarity, cue.key, projection)
        terms["meaning"] = addressing.standardize(similarity, admitted)
        share = words_share(terms, cue, settings)
        if settings.commonness or learnt:
            terms["commonness"] = projection.derived.standing_out(admitted)
        terms["brevity"] = projection.derived.brevity
    if cue.times:
        terms["time"] = closeness_of(projection, cue.times, admitted)
    if cue.context is not None and settings.context:
        terms["context"] = addressing.standardize(np.asarray(projection.matrix.similarities(cue.context)), admitted)
    weights = default_weights(share, int(np.count_nonzero(admitted)), settings)
    if settings.association and projection.has_links:
        terms["association"] = associated(projection, _sum(terms, weights), admitted, cue.now)
    if learnt:
        terms |= _learnt(terms, match.coverage, projection)
    return Evidence(
        terms=terms,
        weights=weights,
        lexical_share=share,
        similarity=similarity,
        backend=backend,
        match=match,
        admitted=admitted,
        settings=settings,
    )


def _look_at(
    slots: Int64[np.ndarray, "k"], similarity: Column, key: Float32[np.ndarray, "m"], projection: Projection
) -> None:
    """Compare some memories exactly that an index may have passed over."""
    similarity[slots] = projection.matrix.matches(key[None, :], slots)[0]


def words_share(terms: Mapping[str, Column], cue: Cue, settings: AddressingSettings) -> float:
    """Return λ for a question: from how far the best memory leads by words and by meaning, and what is legible."""
    share = settings.lexical_share
    if share is None:
        lead = _lead(terms["words"]) / max(_lead(terms["meaning"]), 0.1)
        share = min(max(STEEPNESS * (lead - LEAST_LEAD), LEAST_SHARE), GREATEST_SHARE)
    return share + (1 - share) * cue.illegible


def statistics(evidence: Evidence, cue: Cue, projection: Projection) -> Float32[np.ndarray, "s"]:
    """Return what a controller sees: `STATISTICS`, of the question and of the memory. Needs the learnt terms."""
    words = evidence.terms["words"][evidence.admitted]
    meaning = evidence.terms["meaning"][evidence.admitted] if "meaning" in evidence.terms else np.zeros_like(words)
    rarity = evidence.match.rarity
    tops = [_top(values) for values in (meaning, words)]
    leads = [values[top[end]] for values, top in zip((meaning, words), tops, strict=True) for end in (0, -1)]
    asked = [
        cue.illegible,
        np.log1p(len(rarity)),
        rarity.mean() if len(rarity) else 0.0,
        rarity.max() if len(rarity) else 0.0,
        *leads,
        evidence.lexical_share,
        len(set(tops[0].tolist()) & set(tops[1].tolist())) / TENTH,
        float(bool(cue.times)),
    ]
    return np.concatenate([np.asarray(asked, np.float32), projection.derived.statistics])


def _learnt(terms: Mapping[str, Column], coverage: Column, projection: Projection) -> dict[str, Column]:
    derived = projection.derived
    strong = {f"strong_{name}": _above(terms[name]) for name in ("meaning", "words") if name in terms}
    return {
        "coverage": coverage,
        **strong,
        "length": derived.length,
        "question": derived.question,
        "digits": derived.digits,
    }


def _sum(terms: Mapping[str, Column], weights: Mapping[str, float]) -> Column:
    total = np.zeros_like(terms["words"])
    for name, values in terms.items():
        total += np.float32(weights[name]) * values
    return total


def _above(values: Column) -> Column:
    return np.maximum(values - np.float32(STRONG), 0)


def _lead(values: Column) -> float:
    return float(values.max())


def _most(values: Column, count: int) -> Int64[np.ndarray, "k"]:
    """Return the places of the largest values above 0, `count` at most, in no order."""
    places = np.flatnonzero(values > 0)
    return places if len(places) <= count else places[np.argpartition(-values[places], count - 1)[:count]]


def _top(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the places of the ten largest values, or of as many as there are, largest first; equal ones in order."""
    values = np.round(values, 4)  # what differs by rounding alone is equal, in every library
    count = min(TENTH, len(values))
    least = np.partition(values, len(values) - count)[len(values) - count]
    candidates = np.flatnonzero(values >= least)
    chosen: np.ndarray[Any, Any] = candidates[np.argsort(-values[candidates], kind="stable")[:count]]
    return chosen
