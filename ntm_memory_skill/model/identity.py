"""Which encoder made a memory's keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """Two encoders whose identities are equal give interchangeable keys."""

    name: str
    """Model name, for example "bundled" or "intfloat/multilingual-e5-small"."""
    revision: str
    """What pins the weights: a sha256 prefix or a release."""
    dimension: int
    """Length M of a key."""
    query_prefix: str = ""
    passage_prefix: str = ""

    def __str__(self) -> str:
        prompts = f", prefixes {self.query_prefix!r} and {self.passage_prefix!r}" if self.passage_prefix else ""
        return f"{self.name} ({self.revision}, {self.dimension}-d{prompts})"

    def digest(self, text: str) -> bytes:
        """Return 16 bytes that name the key row of `text` under this encoder, for the key cache."""
        parts = (self.name, self.revision, str(self.dimension), self.passage_prefix, text)
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()
