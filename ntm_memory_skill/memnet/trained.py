"""A hop policy that was trained for a memory, as it is kept beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.memnet.hops import Clues, HopPolicy

FORMAT = 1
HINT = "Train a new one with `ntm-memory train --hops`, or remove it with `ntm-memory train --hops --remove`."


@dataclass(frozen=True)
class TrainedPolicy:
    """What clues weigh, learnt from questions with known answers."""

    policy: HopPolicy
    encoder: str
    """Name of the encoder whose keys it was trained on."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """What it was trained on and how it did, for people."""

    def to_json(self) -> bytes:
        """Return it as JSON."""
        document = {
            "format": FORMAT,
            "encoder": self.encoder,
            "clues": asdict(self.policy),
            "report": dict(self.report),
        }
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes, encoder: str | None = None) -> Self:
        """Return the policy that `to_json` wrote.

        Args:
            data: The JSON.
            encoder: Whose keys it is to be used with; None does not ask.

        Raises:
            UnusableHead: It is no such JSON, or was made for something else.
        """
        try:
            document = json.loads(data)
            form, clues = document["format"], document["clues"]
            if form != FORMAT or set(clues) != set(Clues._fields):
                raise UnusableHead("the trained hop policy was made for another version", hint=HINT)
            policy = HopPolicy(**{name: float(weight) for name, weight in clues.items()})
            trained = cls(policy, str(document["encoder"]), dict(document["report"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            message = f"the trained hop policy cannot be read: {type(error).__name__}"
            raise UnusableHead(message, hint=HINT) from error
        if encoder is not None:
            trained.check_encoder(encoder)
        return trained

    def check_encoder(self, encoder: str) -> None:
        """Make sure that it was trained on the keys of an encoder.

        Raises:
            UnusableHead: It was trained on another one's.
        """
        if self.encoder != encoder:
            message = f"the trained hop policy was made for the encoder {self.encoder!r}, not {encoder!r}"
            raise UnusableHead(message, hint=HINT)
