"""Training a hop policy: what each clue weighs, by gradient descent through the hops and the whole head.

What is minimised is how far down the evidence stands, as for a head (`fitting`), with the weights of `memnet.hops`

    v_f = v⁰_f · exp(θ_f)          bonus(i) = max(0, max_c a(c) · σ · Σ_f v_f · clue_f(c, i))

and a price on departing from the configured policy v⁰, μ · |θ|². The chains c are those that v⁰ takes; which others the
learnt weights would take is left to the judgement, in which everything is searched anew.

Every question is left out once: each kind's memories (or, where there is only one, its questions) are dealt into two
halves, and each half is asked with the policy that was trained on the other, shrunk to θ · scale. The scale that finds
most without being worse on any kind is taken, and the policy that is kept is trained on everything. It has to win: what
it finds more has to be beyond chance, `CHANCE` standard errors, or nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import Settings, TrainedHead
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.evaluation import RememberingEncoder
from ntm_memory_skill.learning.fitting import BATCH, depth_of_evidence
from ntm_memory_skill.learning.journeys import Journeys, Lesson, answered
from ntm_memory_skill.learning.training import FOLDS, LEAST_QUESTIONS, chosen, described
from ntm_memory_skill.learning.verdict import Comparison, Found, compare, wins
from ntm_memory_skill.memnet.hops import Clues, HopPolicy
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.ntm import Ground, Steering, address

if TYPE_CHECKING:
    import torch

SCALES = (0.25, 0.5, 0.75, 1.0)
HINT = (
    f"Give at least {LEAST_QUESTIONS} questions that describe what they ask about by something else; "
    "docs/reasoning.md says which are read on from."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HopTrainingSettings:
    """How a hop policy is trained."""

    learning_rate: float = 0.05
    """Of Adam (Kingma & Ba 2015); above 0."""
    price: float = 0.01
    """μ, 0 and up."""
    steps: int = 60
    """Of gradient descent, 1 and up."""
    seed: int = 0


@dataclass(frozen=True)
class TrainedHops:
    """A trained policy and what is known of it."""

    policy: TrainedPolicy
    scale: float
    """How far it departs from the configured policy, 0 to 1; 0 where nothing better was found."""
    table: tuple[Comparison, ...]
    """Every kind before and after, on questions that the policy had not seen."""
    unscaled: tuple[Comparison, ...]
    """The same with all of the departure."""

    @property
    def lost(self) -> tuple[Comparison, ...]:
        """What it is refused for: kinds on which it is worse or, given up, would have been."""
        return tuple(each for each in (self.table if self.scale else self.unscaled) if each.worse)


def train_hops(
    kinds: Sequence[Journeys],
    encoder: RememberingEncoder,
    settings: Settings,
    how: HopTrainingSettings,
    head: TrainedHead | None = None,
    *,
    progress: Progress | None = None,
) -> TrainedHops:
    """Train a policy on the journeys of one or more kinds.

    Args:
        kinds: What to learn from; those without a journey are left out.
        encoder: What made the keys.
        settings: How the memory is read; holds the policy that is departed from.
        how: How to train.
        head: The trained head that looks; None for the configured one.
        progress: Told how much is done, and of how much.

    Raises:
        InvalidArgument: There are too few questions to learn anything.
    """
    kinds = [each for each in kinds if each.lessons]
    questions = sum(len(each.lessons) for each in kinds)
    if questions < LEAST_QUESTIONS:
        raise InvalidArgument(f"{questions} question(s) that are read on from are too few to train on", hint=HINT)
    course = _Course(kinds, encoder, settings, how, head, _Told(progress, how.steps * (FOLDS + 1) + questions))
    found = course.found()
    tables = {scale: compare(found[0.0], each) for scale, each in found.items()}
    scale = chosen(tables)
    if not wins(found[0.0], found[scale]):
        scale = 0.0
    theta = course.fit([each.lessons for each in kinds], FOLDS)
    report = {"questions": questions, "scale": scale, **asdict(how), "table": described(tables[scale])}
    trained = TrainedPolicy(scaled(settings.reasoning.policy, theta, scale), encoder.identity.name, report)
    return TrainedHops(trained, scale, tables[scale], tables[SCALES[-1]])


def scaled(start: HopPolicy, theta: Float[np.ndarray, "clues"], scale: float) -> HopPolicy:
    """Return v⁰ · exp(scale · θ)."""
    moved = np.asarray(astuple(start)) * np.exp(scale * theta)
    return HopPolicy(**dict(zip(Clues._fields, moved.tolist(), strict=True)))


def halves(kinds: Sequence[Journeys], seed: int) -> list[Int[np.ndarray, "q"]]:
    """Return for each question of each kind which half it is dealt into: 0 or 1.

    All questions of a memory are dealt together where a kind has several memories; a question alone is in either half.
    """
    rng = np.random.default_rng(seed)
    dealt = []
    for each in kinds:
        groups = each.groups if len(set(each.groups)) > 1 else list(range(len(each.lessons)))
        sides = np.argsort(rng.permutation(max(groups) + 1)) % FOLDS
        dealt.append(sides[groups])
    return dealt


class _Lesson(NamedTuple):
    """A lesson in torch."""

    by_head: torch.Tensor
    heads: Steering
    ground: Ground
    deviation: float
    slots: torch.Tensor
    shares: torch.Tensor
    clues: torch.Tensor
    evidence: torch.Tensor
    """Of each slot, whether it answers; shape ``(1, n)``."""

    def depth(self, weights: torch.Tensor) -> torch.Tensor:
        """Return how far down the evidence stands with some weights of the clues, shape ``(1,)``."""
        said = self.shares * self.deviation * (self.clues @ weights)
        nothing = weights.new_zeros(self.by_head.shape[-1])
        bonus = nothing.scatter_reduce(0, self.slots, said, "amax", include_self=True)
        looked = address(self.by_head + bonus, self.heads, self.ground).merged(self.heads.sharpening).shifted
        return depth_of_evidence(looked[None], self.evidence)


@dataclass(frozen=True)
class _Told:
    """Somebody who is told how far a training has come, part by part."""

    progress: Progress | None
    whole: int

    def part(self, before: int, size: int) -> Progress | None:
        """Return who is told how far a part has come that begins after so much, and is so large."""
        tell = self.progress
        return None if tell is None else lambda done, of: tell(before + size * done // max(1, of), self.whole)


@dataclass(frozen=True)
class _Course:
    """What all trainings of one call share."""

    kinds: Sequence[Journeys]
    encoder: RememberingEncoder
    settings: Settings
    how: HopTrainingSettings
    head: TrainedHead | None
    told: _Told

    def __len__(self) -> int:
        """How many questions there are."""
        return sum(len(each.lessons) for each in self.kinds)

    def found(self) -> dict[float, Found]:
        """Return what is found by scale, kind by kind, each question with what was learnt from the other half."""
        sides = halves(self.kinds, self.how.seed)
        thetas = [
            self.fit([_of(each.lessons, dealt != half) for each, dealt in zip(self.kinds, sides, strict=True)], half)
            for half in range(FOLDS)
        ]
        found: dict[float, Found] = {scale: {} for scale in (0.0, *SCALES)}
        done = self.how.steps * FOLDS
        for each, dealt in zip(self.kinds, sides, strict=True):
            policies = {str(scale): [self._policy(thetas[half], scale) for half in dealt] for scale in found}
            told = self.told.part(done, len(each.lessons))
            answers = answered(each, policies, self.encoder, self.settings, self.head, progress=told)
            for scale, of_scale in found.items():
                of_scale[each.kind] = answers[str(scale)]
            done += len(each.lessons)
        return found

    def fit(self, lessons: Sequence[Sequence[Lesson]], number: int) -> Float[np.ndarray, "clues"]:
        """Return θ, trained on lessons by kind; each kind has the same say."""
        import torch

        kinds = [[_in_torch(each) for each in kind] for kind in lessons if kind]
        start = torch.tensor(astuple(self.settings.reasoning.policy))
        theta = torch.zeros_like(start, requires_grad=True)
        optimizer = torch.optim.Adam([theta], lr=self.how.learning_rate)
        rng = np.random.default_rng([self.how.seed, number])
        done = self.how.steps * number + (len(self) if number == FOLDS else 0)
        told = self.told.part(done, self.how.steps)
        for step in range(1, self.how.steps + 1):
            optimizer.zero_grad()
            loss = self.how.price * theta.square().sum()
            for kind in kinds:
                drawn = [kind[place] for place in rng.permutation(len(kind))[:BATCH]]
                depths = torch.cat([each.depth(start * theta.exp()) for each in drawn])
                loss = loss + depths.mean() / len(kinds)
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it without types
            optimizer.step()
            if told is not None:
                told(step, self.how.steps)
        return theta.detach().numpy().astype(np.float64)

    def _policy(self, theta: Float[np.ndarray, "clues"], scale: float) -> TrainedPolicy | None:
        """Return the policy with so much of θ; None for the configured one."""
        if scale == 0:
            return None
        return TrainedPolicy(scaled(self.settings.reasoning.policy, theta, scale), self.encoder.identity.name)


def _of(lessons: Sequence[Lesson], chosen: Bool[np.ndarray, "q"]) -> list[Lesson]:
    return [lesson for lesson, is_chosen in zip(lessons, chosen.tolist(), strict=True) if is_chosen]


def _in_torch(lesson: Lesson) -> _Lesson:
    import torch

    taken = lesson.itinerary
    size = taken.by_head.shape[-1]
    evidence = torch.zeros(1, size, dtype=torch.bool)
    evidence[0, list(lesson.evidence)] = True
    slots, shares, clues = map(torch.asarray, taken.claims)
    present, sources, lengths, previous = (
        None if each is None else torch.asarray(each) for each in taken.ground[: Ground._fields.index("conveyance")]
    )
    return _Lesson(
        torch.asarray(taken.by_head),
        Steering(*map(torch.asarray, taken.heads)),
        Ground(present, sources, lengths, previous),
        taken.deviation,
        slots,
        shares,
        clues,
        evidence,
    )
