"""Training a memory network on stories, one check after the other.

The law: a run is a function of its settings and its questions. Which start is kept, and when its weights were best, is
judged by questions of the training set that are held back, never by others.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from ntm_memory_skill.errors import InvalidArgument, TrainingDiverged
from ntm_memory_skill.memnet.machine import MemoryNetwork, build
from ntm_memory_skill.memnet.settings import NetworkSettings, is_number
from ntm_memory_skill.memnet.stories import NO_ANSWER, Questions

AT_ONCE = 256
"""Questions answered at a time where nothing is learnt."""
POOLED = 8
"""Batches' worth of random questions that are shared out by how many memories they have, so that little is padded."""
WHOLE = {"seed": 0, "starts": 1, "epochs": 1, "batch": 1, "linear_epochs": 0, "linear_patience": 1}
"""The least that each whole number among the settings may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a network is trained. Raises InvalidArgument where a number is out of range, with all that is wrong."""

    seed: int = 0
    """Of the first start, 0 and up; each further one has the next seed. Of weights, order, noise and dropout alike."""
    starts: int = 1
    """How often to begin anew, 1 and up; the start with the fewest held-back questions wrong is kept."""
    epochs: int = 60
    """Times that each question is learnt from, 1 and up."""
    batch: int = 32
    """Questions in an update, 1 and up."""
    learning_rate: float = 0.003
    """Of Adam (Kingma & Ba 2015) at the start; above 0, up to 1. It falls to 0 along half a cosine."""
    decay: float = 0.0
    """Share of itself, times the learning rate, that each weight loses in an update (Loshchilov & Hutter 2019),
    0 to 1."""
    clip: float = 40.0
    """The most that the norm of a batch's summed gradient may be; longer ones are scaled down. Above 0. In the linear
    start, the sums over a long story's memories make gradients that would undo what was learnt."""
    linear_epochs: int = 15
    """The most epochs at the start in which hops read without a softmax, 0 and up."""
    linear_patience: int = 5
    """Epochs in a row without a lower held-back loss after which the softmax is put in before that, 1 and up."""

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is a whole number from {least}, not {getattr(self, name)!r}"
            for name, least in WHOLE.items()
            if not (is_number(getattr(self, name), whole=True) and least <= getattr(self, name) < 2**62)
        ]
        if not (is_number(self.learning_rate) and 0 < self.learning_rate <= 1):
            wrong.append(f"learning_rate is above 0, up to 1, not {self.learning_rate!r}")
        if not (is_number(self.decay) and 0 <= self.decay <= 1):
            wrong.append(f"decay is a share from 0 to 1, not {self.decay!r}")
        if not (is_number(self.clip) and 0 < self.clip < math.inf):
            wrong.append(f"clip is a finite number above 0, not {self.clip!r}")
        if wrong:
            raise InvalidArgument("; ".join(wrong), hint="Correct the training's settings.")


class Verdict(NamedTuple):
    """How a network fares with some questions."""

    loss: float
    """Nats for each question whose answer is in the vocabulary; 0 where there is none."""
    wrong: Bool[Tensor, "questions"]
    """Whether each answer is wrong."""

    @property
    def error(self) -> float:
        """Share of wrong answers, 0 to 1."""
        return float(self.wrong.double().mean())


class Check(NamedTuple):
    """How far a run has come, after each epoch: one point of the learning curve."""

    start: int
    """Which start, from 0."""
    epoch: int
    """Epochs of this start, from 1."""
    update: int
    """Updates of this start, from 1."""
    linear: bool
    """Whether hops read without a softmax in this epoch."""
    loss: float
    """Nats for each question, the mean over the epoch's updates."""
    error: float
    """Share of the epoch's questions that were wrong when they were learnt from, 0 to 1."""
    held_back_loss: float
    """Nats for each held-back question."""
    held_back_error: float
    """Share of held-back questions that are wrong, 0 to 1."""


class Trainer:
    """A network, and how it is trained.

    Args:
        learnt: Questions to learn from, each with an answer in the vocabulary.
        held_back: Questions of the same vocabulary to judge by.
        network: Sizes; as many words as the vocabulary has, and room for all memories of a question.
        settings: How.

    Raises:
        InvalidArgument: The network does not fit the questions, or one to learn from has no answer.
    """

    def __init__(
        self, learnt: Questions, held_back: Questions, network: NetworkSettings, settings: TrainingSettings
    ) -> None:
        most = max(questions.keys.shape[1] for questions in (learnt, held_back))
        wrong = []
        if most > network.capacity:
            wrong.append(f"{most} memories are more than the network's capacity of {network.capacity}")
        if {learnt.words, held_back.words} != {network.words}:
            wrong.append(
                f"vocabularies of {learnt.words} and {held_back.words} words, and a network of {network.words}"
            )
        if bool((learnt.answers == NO_ANSWER).any()):
            wrong.append("an answer to learn from is not in the vocabulary")
        if wrong:
            raise InvalidArgument("; ".join(wrong))
        self.learnt, self.held_back = learnt, held_back
        self.settings = settings
        self.network = build(network, settings.seed).eval()
        """The network as it was best so far; before the first check that read with a softmax, an untrained one."""
        self.best: Check | None = None
        """When that was."""

    def run(self) -> Iterator[Check]:
        """Train from the first start to the last, with a check after each epoch.

        Raises:
            TrainingDiverged: The loss of an update is no finite number.
        """
        for start in range(self.settings.starts):
            yield from self._run(start)

    def _run(self, start: int) -> Iterator[Check]:
        seed, epochs = self.settings.seed + start, self.settings.epochs
        network, rng = build(self.network.settings, seed), torch.Generator().manual_seed(seed)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=self.settings.learning_rate, weight_decay=self.settings.decay, fused=True
        )
        updates = epochs * math.ceil(len(self.learnt) / self.settings.batch)
        annealing = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
        linear, lowest, waited = self.settings.linear_epochs > 0, math.inf, 0
        for epoch in range(1, epochs + 1):
            losses, wrong = 0.0, 0
            for chosen in _order(self.learnt, self.settings.batch, rng):
                loss, missed = self._update(network, optimizer, chosen, linear=linear, rng=rng)
                annealing.step()
                losses, wrong = losses + loss, wrong + missed
            held = judge(network, self.held_back, linear=linear)
            count = len(self.learnt)
            check = Check(
                start, epoch, updates * epoch // epochs, linear, losses / count, wrong / count, held.loss, held.error
            )
            self._keep(network, check)
            yield check
            waited = 0 if held.loss < lowest else waited + 1
            lowest = min(lowest, held.loss)
            linear = linear and epoch < self.settings.linear_epochs and waited < self.settings.linear_patience

    def _update(
        self,
        network: MemoryNetwork,
        optimizer: torch.optim.Optimizer,
        chosen: Int[Tensor, "b"],
        *,
        linear: bool,
        rng: torch.Generator,
    ) -> tuple[float, int]:
        """Learn from some questions; return the loss and how many were wrong."""
        batch = self.learnt.batch(chosen)
        scores = network.train()(batch, linear=linear, rng=rng).scores
        loss = cross_entropy(scores, batch.answers, reduction="sum")  # as the paper's limit of the norm is for sums
        nats = loss.item()
        if not math.isfinite(nats):
            raise TrainingDiverged(f"the loss is {nats}", hint="Try a lower learning rate, or another seed.")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it without types
        clip_grad_norm_(network.parameters(), self.settings.clip)
        optimizer.step()
        return nats, int((scores.argmax(dim=1) != batch.answers).sum())

    def _keep(self, network: MemoryNetwork, check: Check) -> None:
        """Take over the weights where no check before was as good; the loss decides between equal errors."""
        if check.linear:
            return
        if self.best is None or _cost(check) < _cost(self.best):
            self.network.load_state_dict(network.state_dict())
            self.best = check


def judge(network: MemoryNetwork, questions: Questions, *, linear: bool = False) -> Verdict:
    """Return how a network fares with questions that it does not learn from; an unknown answer counts as wrong."""
    network.eval()
    wrong, loss = torch.zeros(len(questions), dtype=torch.bool), 0.0
    with torch.no_grad():
        for chosen in torch.split(questions.lengths.argsort(stable=True), AT_ONCE):
            batch = questions.batch(chosen)
            scores = network(batch, linear=linear).scores
            wrong[chosen] = scores.argmax(dim=1) != batch.answers
            loss += float(cross_entropy(scores, batch.answers, ignore_index=NO_ANSWER, reduction="sum"))
    return Verdict(loss / max(1, int((questions.answers != NO_ANSWER).sum())), wrong)


def hold_back(groups: Sequence[Hashable], seed: int, share: float = 0.1) -> Bool[Tensor, "questions"]:
    """Return which questions to hold back, whole groups at random: questions about one story share what is told.

    Args:
        groups: Of each question, what it shares with others.
        seed: Of the choice, 0 and up.
        share: Of the groups, above 0 and below 1.

    Raises:
        InvalidArgument: The share is out of range, or leaves no group on one side.
    """
    distinct = list(dict.fromkeys(groups))
    count = round(len(distinct) * share)
    if not 0 < count < len(distinct):
        raise InvalidArgument(f"{share} of {len(distinct)} group(s) leaves none to learn from or none to judge by")
    order = torch.randperm(len(distinct), generator=torch.Generator().manual_seed(seed)).tolist()
    held = {distinct[number] for number in order[:count]}
    return torch.tensor([group in held for group in groups])


def _cost(check: Check) -> tuple[float, float]:
    return check.held_back_error, check.held_back_loss


def _order(questions: Questions, batch: int, rng: torch.Generator) -> list[Tensor]:
    """Return all questions once, in batches; those of a batch have about as many memories."""
    batches: list[Tensor] = []
    for pool in torch.split(torch.randperm(len(questions), generator=rng), batch * POOLED):
        batches += torch.split(pool[questions.lengths[pool].argsort(stable=True)], batch)
    return [batches[number] for number in torch.randperm(len(batches), generator=rng).tolist()]
