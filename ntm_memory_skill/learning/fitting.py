"""Gradient descent through the whole read path: controller, content, shift (Graves 2014, §3; trained as in §4).

What is minimised is how far down the evidence stands. Of a question with evidence E among slots N,

    loss = mean over e in E of  log2( 1 + Σ_{j not in E} σ( (ln w(j) − ln w(e)) / τ ) )

the logarithm of each one's rank, with a soft step for "stands above" (τ = 0.25). Unlike the cross entropy of the
weights it does not mind how much weight the evidence has, only what stands above it, which is what a reader of the
first ten cares about; and the logarithm keeps hopeless questions from drowning the others. To it comes a price on
departing from the default, μ · |o|². Every kind of data weighs the same, however many questions it has. Where training
goes on from a head that was learnt, an anchor adds what departing from that head costs (`ewc`).

RMSProp with momentum 0.9, and gradients clipped elementwise, are the paper's (§4.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.learning.ewc import Anchor, penalty, squared_gradients
from ntm_memory_skill.learning.scenes import Scene, by_kind
from ntm_memory_skill.ntm import ControllerShape, Ground, HeadParameters, State, address, emit, forward

if TYPE_CHECKING:
    import torch

SOFTNESS = 0.25  # τ
BATCH = 64  # questions of a kind in one step
CHAT = 8  # questions that an LSTM is shown one after the other
SCENES = 16  # of a kind in one step, at most
CLIP = 10.0
MOMENTUM, DECAY = 0.9, 0.95
CHECK_EVERY = 20  # steps

Weights = Mapping[str, Float32[np.ndarray, "..."]]


@dataclass(frozen=True, slots=True)
class Standard:
    """What statistics are measured by."""

    mean: Float32[np.ndarray, "s"]
    deviation: Float32[np.ndarray, "s"]


class Learner:
    """A controller in training.

    Args:
        shape: The controller's.
        weights: What it starts from.
        standard: What statistics are measured by.
        base: The default head.
        price: μ, 0 and up.
        anchor: What holds the weights; None lets them go anywhere.
    """

    def __init__(
        self,
        shape: ControllerShape,
        weights: Weights,
        standard: Standard,
        base: HeadParameters,
        price: float,
        anchor: Anchor | None = None,
    ) -> None:
        import torch

        self._torch, self._anchor = torch, anchor
        self._shape, self._standard, self._base, self._price = shape, standard, base, price
        self._weights = {name: torch.tensor(values, requires_grad=True) for name, values in weights.items()}

    @property
    def weights(self) -> dict[str, Float32[np.ndarray, "..."]]:
        """The weights as they stand."""
        return {name: values.detach().numpy().copy() for name, values in self._weights.items()}

    def learn(self, scenes: Sequence[Scene], learning_rate: float, rng: np.random.Generator) -> Iterator[int]:
        """Take one step of gradient descent each time that it is advanced, and yield how many were taken."""
        torch = self._torch
        optimizer = torch.optim.RMSprop(self._weights.values(), lr=learning_rate, alpha=DECAY, momentum=MOMENTUM)
        kinds = by_kind(scenes).values()
        step = 0
        while True:
            optimizer.zero_grad()
            for kind in kinds:
                losses = [self._loss(part) for part in _batch(kind, rng)]
                (torch.cat(losses).mean() / len(kinds)).backward()
            if self._anchor is not None:
                penalty(self._weights, self._anchor, torch.asarray).backward()
            torch.nn.utils.clip_grad_value_(self._weights.values(), CLIP)
            optimizer.step()
            step += 1
            yield step

    def loss(self, scenes: Sequence[Scene]) -> float:
        """Return the mean over kinds of the mean loss of their questions, and what the anchor adds to it."""
        with self._torch.no_grad():
            means = [
                self._torch.cat([self._loss(part) for scene in kind for part in _parts(scene)]).mean().item()
                for kind in by_kind(scenes).values()
            ]
        held = 0.0 if self._anchor is None else penalty(self.weights, self._anchor, np.asarray)
        return float(np.mean(means) + held)

    def fisher(self, scenes: Sequence[Scene]) -> dict[str, Float32[np.ndarray, "..."]]:
        """Return the diagonal of the empirical Fisher information, weight by weight.

        It is the mean over kinds of the mean squared gradient of their questions' losses, without the anchor's part.
        """
        found = {name: np.zeros(values.shape) for name, values in self._weights.items()}
        kinds = by_kind(scenes).values()
        for kind in kinds:
            questions = sum(map(len, kind))
            for part in (part for scene in kind for part in _parts(scene, CHAT)):
                for name, squares in squared_gradients(*self._judged(part), self._weights).items():
                    found[name] += squares / (questions * len(kinds))
        return {name: values.astype(np.float32) for name, values in found.items()}

    def _loss(self, scene: Scene) -> Any:
        return self._judged(scene)[1]

    def _judged(self, scene: Scene) -> tuple[Any, Any]:
        """Return what the controller says for each question, and each question's loss."""
        torch = self._torch
        said = self._say(torch.tensor((scene.statistics - self._standard.mean) / self._standard.deviation))
        weights = look(scene, said, self._base, torch.asarray)
        evidence = torch.tensor(scene.evidence)
        return said, depth_of_evidence(weights, evidence) + self._price * (said**2).mean(dim=1).sum(dim=-1)

    def _say(self, inputs: torch.Tensor) -> Any:
        if self._shape.kind != "lstm":
            return forward(self._shape, self._weights, inputs)[0]
        return in_chats(lambda x, state: forward(self._shape, self._weights, x, state), inputs, self._torch)


def depth_of_evidence(weights: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
    """Return how far down the evidence of each question stands, shape ``(q,)``: the loss above, 0 and up.

    Args:
        weights: Where the head looks, shape ``(q, n)``, 0 and up.
        evidence: Which slots answer, shape ``(q, n)``; at least one for each question.
    """
    logs = (weights + 1e-12).log()
    question, slot = evidence.nonzero(as_tuple=True)
    above = ((logs[question] - logs[question, slot][:, None]) / SOFTNESS).sigmoid()
    ranks = (1 + (above * ~evidence[question]).sum(dim=1)).log2()
    return weights.new_zeros(len(weights)).index_add(0, question, ranks) / evidence.sum(dim=1)


def in_chats(step: Callable[[Any, State | None], tuple[Any, State | None]], inputs: Any, xp: Any) -> Any:
    """Return what a controller with a state says, with the questions asked one after the other in chats of eight."""
    said, state = [], None
    for place in range(len(inputs)):
        state = None if place % CHAT == 0 else state
        spoken, state = step(inputs[place], state)
        said.append(spoken)
    return xp.stack(said)


def look(scene: Scene, said: Any, base: HeadParameters, array: Callable[[Any], Any]) -> Any:
    """Return the heads' merged weights for each question of a scene, shape ``(q, n)``.

    Args:
        scene: The questions.
        said: What the controller says for each, already scaled, shape ``(q, heads, emitted)``.
        base: The default head.
        array: Makes an array of the same kind as `said`.
    """
    omega, heads = emit(said, array(scene.weights), array(scene.trust), base)
    scores = omega @ array(scene.terms)
    present = array(np.ones(scene.terms.shape[-1], dtype=bool))
    ground = Ground(present, array(scene.sources), array(scene.relative_lengths))
    return address(scores, heads, ground).merged(heads.sharpening).shifted


def weights_of(head: TrainedHead, scene: Scene, base: HeadParameters, scale: float | None = None) -> np.ndarray:
    """Return where a head looks for each question of a scene, shape ``(q, n)``; each question in a chat of its own.

    Args:
        head: The head.
        scene: The questions.
        base: The default head.
        scale: In place of the head's own: 0 gives the default head.
    """
    said, _ = forward(head.shape, head.weights, head.standardized(scene.statistics))
    said = head.departure(scene.statistics, scale)[:, None, None] * said
    looked = [
        look(part, said[BATCH * number :][: len(part)], base, np.asarray) for number, part in enumerate(_parts(scene))
    ]
    return np.concatenate(looked)


def _parts(scene: Scene, size: int = BATCH) -> Iterator[Scene]:
    """Yield the questions of a scene in their order, so many at a time."""
    for start in range(0, len(scene), size):
        yield scene.only(range(start, min(start + size, len(scene))))


def _batch(scenes: Sequence[Scene], rng: np.random.Generator) -> list[Scene]:
    """Return up to `BATCH` questions of a kind, from one scene after the other, drawn at random; runs for an LSTM."""
    chosen, room = [], BATCH
    for index in rng.permutation(len(scenes))[:SCENES]:
        scene = scenes[index]
        take = min(room, len(scene))
        start = int(rng.integers(0, len(scene) - take + 1))
        places = range(start, start + take) if take < CHAT else _runs(len(scene), take, rng)
        chosen.append(scene.only(list(places)))
        room -= take
        if room <= 0:
            break
    return chosen


def _runs(size: int, take: int, rng: np.random.Generator) -> list[int]:
    """Return runs of `CHAT` places that follow one another, each begun at random."""
    starts = rng.integers(0, size - CHAT + 1, take // CHAT)
    return [int(start) + step for start in starts for step in range(CHAT)]
