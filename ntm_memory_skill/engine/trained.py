"""A head that was trained for a memory: a controller's weights, and everything that is needed to use them again.

The law: it is only ever added to the default head, in the measure of its `scale`, and only in memories that are like
those that it was trained on: of others it knows nothing, and there the default head stands. One that does not fit
(other terms, other statistics, another encoder, another kernel, numbers that are none) is refused as a whole, and the
default head stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.engine.derived import MEMORY_SCALES, MEMORY_STATISTICS
from ntm_memory_skill.engine.evidence import BY_THE_ENCODER, STATISTICS, TERMS, Evidence
from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.ntm import ControllerShape, HeadParameters, State, Steering, emit, forward
from ntm_memory_skill.ntm.addressing import EPSILON, Array
from ntm_memory_skill.ntm.namespaces import array_namespace

FORMAT = 1


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """What `ntm-memory train` made. Equal by identity: its arrays are not compared."""

    shape: ControllerShape
    weights: Mapping[str, Float32[np.ndarray, "..."]]
    mean: Float32[np.ndarray, "s"]
    """Of each statistic over the questions that it was trained on."""
    deviation: Float32[np.ndarray, "s"]
    """Their standard deviations, above 0."""
    scale: float
    """How far it departs from the default head: 0 (not at all) to 1."""
    encoder: str
    """Name of the encoder whose keys it was trained on."""
    known: Float32[np.ndarray, "kinds m"] = field(
        default_factory=lambda: np.zeros((0, len(MEMORY_STATISTICS)), np.float32)
    )
    """The mean `MEMORY_STATISTICS` of each kind of memory that it was trained on; none: it departs everywhere alike."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """What it was trained on and how it did, for people."""
    fisher: Mapping[str, Float32[np.ndarray, "..."]] = field(default_factory=dict)
    """For each weight, 0 and up: how much what it was trained on depends on it (the diagonal of the empirical Fisher
    information), which training that goes on from it needs. None for a head that was made before this was kept."""

    def standardized(self, statistics: Float32[np.ndarray, "... s"]) -> Float32[np.ndarray, "... s"]:
        """Return statistics in standard deviations of those that it was trained on."""
        return np.asarray((statistics - self.mean) / self.deviation, np.float32)

    def departure(
        self, statistics: Float32[np.ndarray, "... s"], scale: float | None = None
    ) -> Float32[np.ndarray, "..."]:
        """Return how far it departs from the default head for some statistics, 0 to 1.

        That is its scale where the memory is like one of the kinds that are known, and 0 where it is like none: with d
        the root mean square of its statistics' differences from the nearest kind's, in `MEMORY_SCALES`, all of it up to
        d = 1 and nothing from d = 2. Memories of one kind lie 0.3 apart, those of different kinds 2 and more.

        Args:
            statistics: Of the question and the memory; see `evidence.statistics`.
            scale: In place of its own.
        """
        measure = np.float32(self.scale if scale is None else scale)
        of_memory = np.asarray(statistics)[..., None, -len(MEMORY_STATISTICS) :]
        if not len(self.known):
            return np.full(of_memory.shape[:-2], measure, np.float32)
        distances = np.sqrt((((of_memory - self.known) / MEMORY_SCALES) ** 2).mean(axis=-1)).min(axis=-1)
        return np.asarray(measure * np.clip(2 - distances, 0, 1), np.float32)

    def to_json(self) -> bytes:
        """Return it as JSON."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "terms": list(TERMS),
            "statistics": list(STATISTICS),
            "encoder": self.encoder,
            "scale": self.scale,
            "shape": asdict(self.shape),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "known": self.known.tolist(),
            "weights": {name: values.tolist() for name, values in self.weights.items()},
            "report": dict(self.report),
        }
        if self.fisher:
            document["fisher"] = {name: values.tolist() for name, values in self.fisher.items()}
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes, encoder: str | None = None) -> Self:
        """Return the head that `to_json` wrote.

        Args:
            data: The JSON.
            encoder: Whose keys it is to be used with; None does not ask.

        Raises:
            UnusableHead: It is no such JSON, or was made for something else.
        """
        try:
            document = json.loads(data)
            found = (document["format"], document["terms"], document["statistics"])
            shape = ControllerShape(**{each.name: document["shape"][each.name] for each in fields(ControllerShape)})
            head = cls(
                shape=shape,
                weights={name: _numbers(document["weights"][name]) for name in shape.sizes()},
                mean=_numbers(document["mean"]),
                deviation=_numbers(document["deviation"]),
                known=_numbers(document["known"]).reshape(-1, len(MEMORY_STATISTICS)),
                scale=float(document["scale"]),
                encoder=str(document["encoder"]),
                report=dict(document["report"]),
                fisher={name: _numbers(values) for name, values in dict(document.get("fisher", {})).items()},
            )
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise UnusableHead(f"the trained head cannot be read: {type(error).__name__}") from error
        if found != (FORMAT, list(TERMS), list(STATISTICS)):
            raise UnusableHead("the trained head was made for another version")
        head._check()
        if encoder is not None:
            head.check_encoder(encoder)
        return head

    def check_encoder(self, encoder: str) -> None:
        """Make sure that it was trained on the keys of an encoder.

        Raises:
            UnusableHead: It was trained on another one's.
        """
        if self.encoder != encoder:
            raise UnusableHead(f"the trained head was made for the encoder {self.encoder!r}, not {encoder!r}")

    def check_kernel(self, base: HeadParameters) -> None:
        """Make sure that it can depart from a default head.

        Raises:
            UnusableHead: It moves a kernel of another width.
        """
        if self.shape.width != len(base.kernel):
            message = f"the trained head was made for a kernel of {self.shape.width} offsets, not {len(base.kernel)}"
            raise UnusableHead(message)

    def _check(self) -> None:
        sizes = {"mean": (len(STATISTICS),), "deviation": (len(STATISTICS),), **self.shape.sizes()}
        sizes["known"] = (len(self.known), len(MEMORY_STATISTICS))
        held = {"mean": self.mean, "deviation": self.deviation, "known": self.known, **self.weights}
        if any(held[name].shape != size or not np.isfinite(held[name]).all() for name, size in sizes.items()):
            raise UnusableHead("the trained head has numbers missing, or numbers that are none")
        if self.shape.inputs != len(STATISTICS) or self.shape.terms != len(TERMS) or not (self.deviation > 0).all():
            raise UnusableHead("the trained head does not fit its own description")
        if not 0 <= self.scale <= 1:
            raise UnusableHead(f"the trained head departs from the default by {self.scale}, which is not from 0 to 1")
        self._check_fisher()

    def _check_fisher(self) -> None:
        sizes = self.shape.sizes()
        if self.fisher and {name: values.shape for name, values in self.fisher.items()} != sizes:
            raise UnusableHead("the trained head has Fisher information of other weights than its own")
        if not all(np.isfinite(values).all() and (values >= 0).all() for values in self.fisher.values()):
            raise UnusableHead("the trained head has Fisher information that is none: it is 0 and up")


def steer(
    head: TrainedHead, evidence: Evidence, seen: Float32[np.ndarray, "s"], base: HeadParameters, state: State | None
) -> tuple[Float32[np.ndarray, "heads terms"], Steering, State | None]:
    """Return the weights of the terms and the parameters of each head for one question, in numpy, and the new state.

    Args:
        head: The trained head.
        evidence: What its default weights are for this question.
        seen: The statistics; see `evidence.statistics`.
        base: The default head.
        state: An LSTM's state after the chat's last recall; None for others, and at the first.
    """
    said, state = forward(head.shape, head.weights, head.standardized(seen), state)
    omega, steering = emit(head.departure(seen) * said, weights_in_order(evidence), trust(seen), base)
    return omega, steering, state


def weights_in_order(evidence: Evidence) -> Float32[np.ndarray, "terms"]:
    """Return ω₀ in the order of `TERMS`."""
    return np.asarray([evidence.weights.get(name, 0.0) for name in TERMS], np.float32)


def trust(statistics: Float32[np.ndarray, "... s"]) -> Float32[np.ndarray, "... terms"]:
    """Return how far each term may be moved: those of the encoder only as far as it can read the question."""
    legible = 1 - statistics[..., STATISTICS.index("unknown"), None]
    by_encoder = np.asarray([name in BY_THE_ENCODER for name in TERMS], np.float32)
    return np.asarray(1 - by_encoder + by_encoder * legible, np.float32)


def stacked(evidence: Evidence) -> Array:
    """Return the terms as one array, shape ``(terms, n)``, in the order of `TERMS`; one that is missing is 0."""
    like = next(iter(evidence.terms.values()))
    xp = array_namespace(like)
    return xp.stack([evidence.terms.get(name, xp.zeros_like(like)) for name in TERMS], axis=0)


def deviations(statistics: Float32[np.ndarray, "k s"]) -> Float32[np.ndarray, "s"]:
    """Return standard deviations of statistics over questions; of one that never varies, 1."""
    spread = statistics.std(axis=0)
    return np.where(spread > EPSILON**0.5, spread, 1).astype(np.float32)


def _numbers(values: Any) -> Float32[np.ndarray, "..."]:
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused with the rest
        return np.asarray(values, np.float32)
