"""What a head is trained on: memories as the head sees them, with questions and where their evidence lies.

A scene holds no text: the terms of the content score, the statistics that the controller sees and the tapes are all
that training touches. The answer enters it as a mask over slots, which only the loss and the verdict look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from ntm_memory_skill.encoder import Encoder, Progress
from ntm_memory_skill.engine import Examination, NTMMemoryManager, Settings
from ntm_memory_skill.evaluation import LONGEST, Corpus, Dataset, Question
from ntm_memory_skill.store import MemoryStore


@dataclass(frozen=True)
class Scene:
    """One memory and the questions about it: q of them, over n slots."""

    kind: str
    """Which kind of data it is: heads are judged kind by kind."""
    sources: Int64[np.ndarray, "width n"]
    """The tapes; see `ntm.addressing.shift_along`."""
    relative_lengths: Float32[np.ndarray, "width n"]
    """See `ntm.addressing.passing`."""
    terms: Float32[np.ndarray, "q terms n"]
    """In the order of `engine.evidence.TERMS`."""
    weights: Float32[np.ndarray, "q terms"]
    """ω₀: what the default head gives each term."""
    statistics: Float32[np.ndarray, "q s"]
    trust: Float32[np.ndarray, "q terms"]
    evidence: Bool[np.ndarray, "q n"]
    """Where the answer lies; at least one slot for every question."""
    wanted: Float32[np.ndarray, "q"]
    """How many memories answer each question, those that the memory does not hold among them."""

    def __len__(self) -> int:
        """How many questions there are."""
        return len(self.wanted)

    def only(self, places: Sequence[int]) -> Scene:
        """Return the scene with some of its questions."""
        chosen = list(places)
        names = ("terms", "weights", "statistics", "trust", "evidence", "wanted")
        rows = {name: getattr(self, name)[chosen] for name in names}
        return Scene(kind=self.kind, sources=self.sources, relative_lengths=self.relative_lengths, **rows)


def scenes_of(
    dataset: Dataset, encoder: Encoder, settings: Settings, *, kind: str | None = None, progress: Progress | None = None
) -> list[Scene]:
    """Return a scene for each memory of a set that has questions whose evidence it holds.

    Args:
        dataset: The set.
        encoder: What makes the keys.
        settings: The default head that is departed from.
        kind: What to call the kind; None takes the set's name.
        progress: Told how many questions are done, and of how many.
    """
    made, done = [], 0
    for corpus in dataset.corpora:
        if corpus.questions:
            scene = _scene(dataset.name if kind is None else kind, corpus, encoder, settings)
            made.extend([] if scene is None else [scene])
        done += len(corpus.questions)
        if progress is not None:
            progress(done, dataset.questions)
    return made


def by_kind(scenes: Iterable[Scene]) -> dict[str, list[Scene]]:
    """Return the scenes of each kind, in their order."""
    kinds: dict[str, list[Scene]] = {}
    for scene in scenes:
        kinds.setdefault(scene.kind, []).append(scene)
    return kinds


def scene_of(
    kind: str, examined: Sequence[Examination], evidence: Sequence[Bool[np.ndarray, "n"]], wanted: Sequence[int]
) -> Scene | None:
    """Return the scene of what was examined in one memory; None where no question has evidence in it."""
    kept = [index for index, found in enumerate(evidence) if found.any()]
    if not kept:
        return None
    first = examined[kept[0]]
    return Scene(
        kind=kind,
        sources=first.sources,
        relative_lengths=first.relative_lengths,
        terms=np.stack([examined[index].terms for index in kept]),
        weights=np.stack([examined[index].weights for index in kept]),
        statistics=np.stack([examined[index].statistics for index in kept]),
        trust=np.stack([examined[index].trust for index in kept]),
        evidence=np.stack([evidence[index] for index in kept]),
        wanted=np.asarray([wanted[index] for index in kept], np.float32),
    )


def _scene(kind: str, corpus: Corpus, encoder: Encoder, settings: Settings) -> Scene | None:
    whole = Settings(memory_size=len(corpus.items), content_limit=LONGEST, addressing=settings.addressing)
    now = corpus.now
    with NTMMemoryManager(MemoryStore(), encoder, whole, clock=lambda: now) as memory:
        memory.memorize_many(corpus.items, progress=False)
        slots: dict[Any, int] = {record.ref: record.slot for record in memory.state.records.values()}
        examined = []
        for question in corpus.questions:
            now = corpus.now if question.asked is None else question.asked
            examined.append(memory.examine(question.text))
        evidence = list(_masks(corpus.questions, slots, len(corpus.items)))
    return scene_of(kind, examined, evidence, [len(question.evidence) for question in corpus.questions])


def _masks(questions: Sequence[Question], slots: Mapping[Any, int], size: int) -> Iterator[Bool[np.ndarray, "n"]]:
    for question in questions:
        mask = np.zeros(size, dtype=bool)
        mask[[slots[ref] for ref in question.evidence if ref in slots]] = True
        yield mask
