"""Asking a memory the questions of a set, once for each row, and keeping what was found and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.evaluation.corpus import Corpus, Dataset, Question
from ntm_memory_skill.evaluation.metrics import Ranking
from ntm_memory_skill.evaluation.own import LONGEST
from ntm_memory_skill.evaluation.remembering import RememberingEncoder
from ntm_memory_skill.evaluation.rows import Filled, Row
from ntm_memory_skill.store import MemoryStore

Steps = Callable[[int], None]
"""Told how many units of work were done since it was last told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one row gave for one question."""

    ranking: Ranking
    seconds: float
    """Of the search alone: the question had been encoded before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One set, searched. Questions, encoding and each row's answers have the same order."""

    dataset: Dataset
    questions: tuple[Question, ...]
    rows: tuple[Row, ...]
    answers: dict[str, tuple[Answer, ...]]
    """By the row's name."""
    encoding: tuple[float, ...]
    """Seconds that it took to encode each question; next to none for a text that had been asked before."""


class _Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def sample(dataset: Dataset, limit: int | None, seed: int) -> Dataset:
    """Return the set with `limit` of its questions, drawn evenly from all; memories without any are left out."""
    places = [(number, index) for number, each in enumerate(dataset.corpora) for index in range(len(each.questions))]
    if limit is not None and limit < len(places):
        places = Random(seed).sample(places, limit)  # noqa: S311  # repeatable is the point
    kept = set(places)
    corpora = [
        replace(each, questions=tuple(asked for index, asked in enumerate(each.questions) if (number, index) in kept))
        for number, each in enumerate(dataset.corpora)
    ]
    return replace(dataset, corpora=tuple(each for each in corpora if each.questions))


def measure(
    dataset: Dataset,
    rows: Sequence[Row],
    encoder: RememberingEncoder,
    depth: int,
    *,
    progress: bool | Progress | None = None,
) -> Measured:
    """Return what every row gives for every question, over memories that exist in this process alone.

    Args:
        dataset: The set.
        rows: What is compared.
        encoder: Makes the keys of all rows, and may be used for further sets.
        depth: How many memories to ask for, 1 to 1000.
        progress: See `engine.progress.bar`.

    Raises:
        InputError: A memory or a question is none that the product takes.
        EncoderError: There is no model.
    """
    answers: dict[str, list[Answer]] = {row.name: [] for row in rows}
    encoding: list[float] = []
    units = sum(len(each.items) + len(each.questions) * (len(rows) + 1) for each in dataset.corpora)
    with bar(dataset.name, progress) as advance:
        step = _steps(advance, units)
        for corpus in dataset.corpora:
            clock = _Clock(corpus.now)
            filled = _fill(corpus, encoder, clock, step)
            encoding.extend(_encode(corpus, encoder, step))
            for row in rows:
                answers[row.name].extend(_ask(corpus, row, filled, clock, depth, step))
    return Measured(
        dataset=dataset,
        questions=tuple(asked for corpus in dataset.corpora for asked in corpus.questions),
        rows=tuple(rows),
        answers={name: tuple(given) for name, given in answers.items()},
        encoding=tuple(encoding),
    )


def _fill(corpus: Corpus, encoder: RememberingEncoder, clock: _Clock, step: Steps) -> Filled:
    apart = M3Settings(reconsolidate=False)  # the order of the questions must not matter
    settings = Settings(memory_size=max(1, len(corpus.items)), content_limit=LONGEST, m3=apart)
    filled = Filled(store=MemoryStore(), encoder=encoder, settings=settings, clock=clock)
    told = 0

    def on_progress(done: int, _: int) -> None:
        nonlocal told
        step(done - told)
        told = done

    with NTMMemoryManager(filled.store, encoder, settings, clock=clock) as memory:
        memory.memorize_many(corpus.items, progress=on_progress)
    step(len(corpus.items) - told)  # those whose texts were known
    return filled


def _encode(corpus: Corpus, encoder: RememberingEncoder, step: Steps) -> list[float]:
    """Encode the questions, so that no search has to, and return how long each took."""
    seconds = []
    for asked in corpus.questions:
        started = time.perf_counter()
        encoder.encode_query(asked.text)
        encoder.unknown_share(asked.text)
        seconds.append(time.perf_counter() - started)
        step(1)
    return seconds


def _ask(corpus: Corpus, row: Row, filled: Filled, clock: _Clock, depth: int, step: Steps) -> list[Answer]:
    given = []
    with row.open(filled) as search:
        for asked in corpus.questions:
            clock.now = corpus.now if asked.asked is None else asked.asked
            started = time.perf_counter()
            ranking = search(asked.text, depth)
            given.append(Answer(tuple(ranking), time.perf_counter() - started))
            step(1)
    return given


def _steps(advance: Progress | None, units: int) -> Steps:
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        if advance is not None:
            advance(done, units)

    return step
