"""What a hop policy is trained on and judged by: questions that are read on from, with where their evidence lies.

The law: a policy is judged by what the memory answers with it, the whole read path, never by what training computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import Itinerary, Settings, TrainedHead
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder, measure
from ntm_memory_skill.evaluation.rows import Filled, Search
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.memnet.trained import TrainedPolicy


@dataclass(frozen=True)
class Lesson:
    """A question that is read on from."""

    itinerary: Itinerary
    """What its journey said, by the policy that is configured."""
    evidence: tuple[int, ...]
    """Slots of what answers it, at least one."""


@dataclass(frozen=True)
class Journeys:
    """One kind of data, with all of its questions that are read on from and have evidence in the memory."""

    kind: str
    dataset: Dataset
    """With these questions alone."""
    lessons: tuple[Lesson, ...]
    """In the order of the questions."""
    asked: int
    """How many questions the whole set has."""

    @property
    def groups(self) -> list[int]:
        """For each question, which of the set's memories it is asked of."""
        return [number for number, corpus in enumerate(self.dataset.corpora) for _ in corpus.questions]

    def only(self, chosen: Bool[np.ndarray, "q"]) -> Journeys:
        """Return the same with some of its questions."""
        flags = chosen.tolist()
        lessons = tuple(lesson for lesson, kept in zip(self.lessons, flags, strict=True) if kept)
        corpora, start = [], 0
        for corpus in self.dataset.corpora:
            end = start + len(corpus.questions)
            kept = zip(corpus.questions, flags[start:end], strict=True)
            corpora.append(replace(corpus, questions=tuple(question for question, is_kept in kept if is_kept)))
            start = end
        some = replace(self.dataset, corpora=tuple(corpus for corpus in corpora if corpus.questions))
        return replace(self, dataset=some, lessons=lessons)


@dataclass(frozen=True, kw_only=True)
class _Travelling:
    """A row that takes each question's journey, and finds nothing."""

    settings: Settings
    head: TrainedHead | None
    name: str = "journeys"
    about: str = "what a policy learns from"
    taken: list[tuple[Itinerary | None, Mapping[Any, int]]] = field(default_factory=list)
    """Of each question, with the slot of each ref."""

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""
        with filled.open(self.settings.addressing, self.settings.reasoning, head=self.head) as memory:
            slots = {record.ref: record.slot for record in memory.state.records.values()}

            def search(text: str, _: int) -> tuple[str, ...]:
                self.taken.append((memory.travel(text), slots))
                return ()

            yield search


@dataclass(frozen=True, kw_only=True)
class _Apart:
    """A row that answers each question with a policy of its own."""

    name: str
    settings: Settings
    head: TrainedHead | None
    policies: Iterator[TrainedPolicy | None]
    """In the order of the questions."""
    about: str = "each question with the policy that was not trained on it"

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""
        with filled.open(self.settings.addressing, self.settings.reasoning, head=self.head) as memory:

            def search(text: str, depth: int) -> list[str | None]:
                memory.use_hop_policy(next(self.policies))
                return [hit.ref for hit in memory.search(text, top_k=depth)]

            yield search


def journeys_of(
    dataset: Dataset,
    encoder: RememberingEncoder,
    settings: Settings,
    head: TrainedHead | None = None,
    *,
    progress: Progress | None = None,
) -> Journeys:
    """Return the questions of a set that are read on from, each with its journey.

    Args:
        dataset: The set.
        encoder: What makes the keys.
        settings: How the memory is read.
        head: The trained head that looks; None for the configured one.
        progress: Told how much is done, and of how much.
    """
    row = _Travelling(settings=settings, head=head)
    measure(dataset, [row], encoder, max(DEPTHS), progress=False if progress is None else progress)
    lessons, corpora = [], []
    taken = iter(row.taken)
    for corpus in dataset.corpora:
        kept = []
        for question in corpus.questions:
            itinerary, slots = next(taken)
            evidence = tuple(sorted(slots[ref] for ref in question.evidence if ref in slots))
            if itinerary is not None and evidence:
                kept.append(question)
                lessons.append(Lesson(itinerary, evidence))
        if kept:
            corpora.append(replace(corpus, questions=tuple(kept)))
    some = replace(dataset, corpora=tuple(corpora))
    return Journeys(dataset.name, some, tuple(lessons), dataset.questions)


def answered(
    journeys: Journeys,
    policies: Mapping[str, Sequence[TrainedPolicy | None]],
    encoder: RememberingEncoder,
    settings: Settings,
    head: TrainedHead | None = None,
    *,
    progress: Progress | None = None,
) -> dict[str, Float[np.ndarray, "q depths"]]:
    """Return the share of each question's evidence that is found among the first k, for each of `DEPTHS`.

    Args:
        journeys: What is asked.
        policies: By name, the policy that each question is asked with; None for the configured one.
        encoder: What makes the keys.
        settings: How the memory is read.
        head: See `journeys_of`.
        progress: See `journeys_of`.
    """
    rows = [_Apart(name=name, settings=settings, head=head, policies=iter(each)) for name, each in policies.items()]
    measured = measure(journeys.dataset, rows, encoder, max(DEPTHS), progress=False if progress is None else progress)
    wanted = [question.evidence for question in measured.questions]
    return {
        name: np.asarray(
            [
                [len(evidence & set(answer.ranking[:depth])) / len(evidence) for depth in DEPTHS]
                for answer, evidence in zip(answers, wanted, strict=True)
            ]
        )
        for name, answers in measured.answers.items()
    }
