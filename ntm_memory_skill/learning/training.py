"""Training a head: how long, how far from the default, and how well it does on questions that it never saw.

Every question is left out once. The scenes of each kind (or, where there is only one, its questions) are dealt into
two folds; a head is trained on either and asked about the other. What it finds there decides two numbers, the steps to
take (early stopping) and the `scale` to which the departure from the default is shrunk, and makes the table before and
after. The head that is installed is then trained on everything, for that many steps and with that scale.

Training that goes on from a head ("learned") is held to it by what that head still knows of its questions (`ewc`). That
is a part of the loss, in each fold and in what decides on the steps, and a bound for the scale; the table is of the new
questions alone, for the old ones are not there. Statistics go on being measured as they were, so that the weights mean
the same.

The table is a little too kind, since the two numbers were chosen on it; to judge a head by data that had no part in it
at all, keep some aside and run `ntm-memory eval` on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import MEMORY_STATISTICS, AddressingSettings, TrainedHead, deviations
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.learning.ewc import Anchor, anchored, remembered
from ntm_memory_skill.learning.fitting import CHECK_EVERY, Learner, Standard, Weights, weights_of
from ntm_memory_skill.learning.scenes import Scene, by_kind
from ntm_memory_skill.learning.verdict import DEPTHS, Comparison, Found, compare, found
from ntm_memory_skill.ntm import ControllerShape, initial

SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
PATIENCE = 6  # checks without a better loss before training stops
LEAST_QUESTIONS = 10
FOLDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a head is trained."""

    controller: str = "linear"
    """"linear", "feedforward" or "lstm"."""
    hidden: int = 16
    """Units of a hidden layer, 1 and up."""
    heads: int = 1
    """Read heads, 1 to 16."""
    learning_rate: float = 0.001
    """Above 0."""
    initialization: str = "small_random"
    """"constant", "small_random", or "learned" to go on from `start`."""
    price: float = 0.05
    """μ: what departing from the default costs, 0 and up."""
    steps: int = 400
    """Of gradient descent at most, 1 and up."""
    seed: int = 0
    start: TrainedHead | None = None
    """For "learned"."""
    consolidation: float = 10.0
    """λ: for "learned", what departing from what was learnt costs; 0 and up, 0 is nothing. See `ewc`."""


@dataclass(frozen=True)
class Trained:
    """A trained head and what is known of it."""

    head: TrainedHead
    steps: int
    table: tuple[Comparison, ...]
    """Every kind before and after, on questions that the head had not seen."""
    unscaled: tuple[Comparison, ...]
    """The same with all of the departure, whatever the scale: what a scale of 0 is to be explained by."""

    @property
    def worse(self) -> tuple[str, ...]:
        """Kinds on which it is worse than the default head."""
        return tuple(each.kind for each in self.lost)

    @property
    def lost(self) -> tuple[Comparison, ...]:
        """What it is refused for: kinds on which it is worse or, shrunk to the default head, would have been."""
        return tuple(each for each in (self.table if self.head.scale else self.unscaled) if each.worse)


def train(
    scenes: Sequence[Scene],
    addressing: AddressingSettings,
    encoder: str,
    settings: TrainingSettings,
    *,
    progress: Progress | None = None,
) -> Trained:
    """Train a head on scenes of one or more kinds.

    Args:
        scenes: What to learn from.
        addressing: Holds the default head.
        encoder: Name of the encoder that made the keys.
        settings: How.
        progress: Told how many steps were taken, and how many there may be.

    Raises:
        InvalidArgument: There are too few questions to learn anything.
    """
    questions = sum(map(len, scenes))
    if questions < LEAST_QUESTIONS:
        message = f"{questions} question(s) with evidence in the memory are too few to train on"
        raise InvalidArgument(message, hint=f"Give at least {LEAST_QUESTIONS}; hundreds are better.")
    bench = _Bench(scenes, addressing, encoder, settings, progress)
    folds = deal(scenes, settings.seed)
    courses = [bench.course(folds[1 - fold], folds[fold], fold) for fold in range(FOLDS)]
    checks = min(len(course.losses) for course in courses)
    best = int(np.argmin(np.mean([course.losses[:checks] for course in courses], axis=0)))
    apart = [(course.head(best), folds[fold]) for fold, course in enumerate(courses)]
    tables = {scale: bench.table(apart, scale) for scale in bench.scales}
    scale = chosen(tables) if best or settings.start is not None else 0.0  # a start at random is nothing learnt
    steps = best * CHECK_EVERY
    learner = bench.course(scenes, (), FOLDS, steps).learner
    report = {"questions": questions, "steps": steps, "seed": settings.seed, "table": described(tables[scale])}
    head = bench.head(scenes, learner.weights, scale, report)
    head = replace(head, fisher=bench.remembered(learner))
    return Trained(head, steps, tables[scale], bench.table(apart, 1.0))


def chosen(tables: dict[float, tuple[Comparison, ...]]) -> float:
    """Return the scale with the greatest mean gain over kinds among those on which no kind is worse; else 0."""
    fit = {scale: table for scale, table in tables.items() if not any(each.worse for each in table)}
    return max(fit, key=lambda scale: (np.mean([each.gain for each in fit[scale]]), -scale), default=0.0)


def deal(scenes: Iterable[Scene], seed: int) -> tuple[list[Scene], list[Scene]]:
    """Return two folds: each kind's scenes in turn, or the questions of a kind that has only one scene."""
    rng = np.random.default_rng(seed)
    folds: tuple[list[Scene], list[Scene]] = ([], [])
    for of_kind in by_kind(scenes).values():
        if len(of_kind) > 1:
            for place, index in enumerate(rng.permutation(len(of_kind))):
                folds[place % FOLDS].append(of_kind[index])
        elif len(of_kind[0]) > 1:
            order = rng.permutation(len(of_kind[0]))
            for fold in range(FOLDS):
                folds[fold].append(of_kind[0].only(sorted(order[fold::FOLDS].tolist())))
        else:
            min(folds, key=lambda fold: sum(map(len, fold))).append(of_kind[0])  # no fold is left without a question
    return folds


def known(scenes: Sequence[Scene]) -> np.ndarray:
    """Return the mean `MEMORY_STATISTICS` of each kind, shape ``(kinds, m)``: what a head may say that it knows."""
    of_memory = slice(-len(MEMORY_STATISTICS), None)
    kinds = by_kind(scenes).values()
    means = [np.mean([each.statistics[:, of_memory].mean(axis=0) for each in kind], axis=0) for kind in kinds]
    return np.stack(means).astype(np.float32)


@dataclass(frozen=True)
class _Course:
    """One training, with the weights at every check."""

    bench: _Bench
    learner: Learner
    scenes: Sequence[Scene]
    weights: list[Weights]
    losses: list[float]

    def head(self, check: int) -> TrainedHead:
        """Return the head as it stood at a check."""
        return self.bench.head(self.scenes, self.weights[check], 1.0, {})


@dataclass(frozen=True)
class _Bench:
    """What all trainings of one call share."""

    scenes: Sequence[Scene]
    addressing: AddressingSettings
    encoder: str
    settings: TrainingSettings
    progress: Progress | None

    @property
    def shape(self) -> ControllerShape:
        """The controller's."""
        scene, settings = self.scenes[0], self.settings
        return ControllerShape(
            kind=settings.controller,
            inputs=scene.statistics.shape[1],
            terms=scene.terms.shape[1],
            heads=settings.heads,
            width=scene.sources.shape[0],
            hidden=settings.hidden,
        )

    @property
    def before(self) -> TrainedHead | None:
        """The head that training goes on from."""
        return self.settings.start if self.settings.initialization == "learned" else None

    @property
    def anchor(self) -> Anchor | None:
        """What holds the head that training goes on from."""
        return anchored(self.before, self.settings.consolidation)

    @property
    def scales(self) -> tuple[float, ...]:
        """The scales to choose from: of a head that is held, none beyond its own."""
        if self.anchor is None:
            return SCALES
        return (*(scale for scale in SCALES if scale < self.anchor.scale), self.anchor.scale)

    def standard(self, scenes: Sequence[Scene]) -> Standard:
        """Return mean and deviation of the statistics, each kind with the same say; those learnt before stay."""
        if self.before is not None:
            return Standard(self.before.mean, self.before.deviation)
        whole = [np.concatenate([each.statistics for each in kind]) for kind in by_kind(scenes).values()]
        most = max(map(len, whole))
        even = np.concatenate([np.resize(part, (most, part.shape[1])) for part in whole])
        return Standard(even.mean(axis=0).astype(np.float32), deviations(even))

    def start(self) -> Weights:
        """Return the weights that training starts from."""
        start = self.before
        if start is None:
            kind = "small_random" if self.settings.initialization == "learned" else self.settings.initialization
            return initial(self.shape, kind, np.random.default_rng(self.settings.seed))
        if start.shape != self.shape:
            message = f"the head that was learnt is a {start.shape.kind} controller with {start.shape.heads} head(s)"
            raise InvalidArgument(message, hint="Train one like it, or start from small_random.")
        return start.weights

    def course(self, scenes: Sequence[Scene], asked: Sequence[Scene], number: int, steps: int | None = None) -> _Course:
        """Train on scenes, and look at others every so often; stop when that no longer gets better."""
        settings = self.settings
        base = self.addressing.head
        learner = Learner(self.shape, self.start(), self.standard(scenes), base, settings.price, self.anchor)
        course = _Course(self, learner, scenes, [learner.weights], [learner.loss(asked)] if asked else [])
        most = settings.steps if steps is None else steps
        rng = np.random.default_rng([settings.seed, number])
        walk = learner.learn(scenes, settings.learning_rate, rng)
        for step in range(1, most + 1):
            next(walk)
            self._tell(number, step)
            if step % CHECK_EVERY:
                continue
            course.weights.append(learner.weights)
            if asked:
                course.losses.append(learner.loss(asked))
                if len(course.losses) - 1 - int(np.argmin(course.losses)) >= PATIENCE:
                    break
        return course

    def head(self, scenes: Sequence[Scene], weights: Weights, scale: float, report: dict[str, object]) -> TrainedHead:
        """Return the head with some weights, as it was trained on scenes."""
        standard = self.standard(scenes)
        before = self.before
        return TrainedHead(
            shape=self.shape,
            weights=weights,
            mean=standard.mean,
            deviation=standard.deviation,
            known=known(scenes) if before is None else np.concatenate([before.known, known(scenes)]),
            scale=scale,
            encoder=self.encoder,
            report=report,
        )

    def remembered(self, learner: Learner) -> Weights:
        """Return the Fisher information of what a learner was trained on, and of what was learnt before."""
        return remembered({} if self.before is None else self.before.fisher, learner.fisher(self.scenes))

    def table(self, apart: Sequence[tuple[TrainedHead, Sequence[Scene]]], scale: float) -> tuple[Comparison, ...]:
        """Compare heads with the default one on scenes that they have not seen."""
        return compare(self._found(apart, 0.0), self._found(apart, scale))

    def _found(self, apart: Sequence[tuple[TrainedHead, Sequence[Scene]]], scale: float) -> Found:
        asked = [(head, scene) for head, scenes in apart for scene in scenes]
        looked = [weights_of(head, scene, self.addressing.head, scale) for head, scene in asked]
        return found([scene for _, scene in asked], looked)

    def _tell(self, number: int, step: int) -> None:
        if self.progress is not None:
            self.progress(number * self.settings.steps + step, (FOLDS + 1) * self.settings.steps)


def described(table: Sequence[Comparison]) -> list[dict[str, object]]:
    """Return a table as JSON."""
    return [
        {
            "kind": each.kind,
            "questions": each.questions,
            "depths": DEPTHS,
            "default": each.default,
            "trained": each.trained,
        }
        for each in table
    ]
