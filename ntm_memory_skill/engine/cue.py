"""From a question to what the read head is given: a key, terms, and how far each of them can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine.settings import AddressingSettings
from ntm_memory_skill.lexical import PLAIN, Asking, asking, cjk_share, tokenize
from ntm_memory_skill.ntm import Similarity
from ntm_memory_skill.temporal import TimeMentions, mentioned

COMMON_CHINESE = (
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心"
)
"""Characters that stand in nearly every Chinese text. A model that lacks many of these reads no Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A query, encoded: what the controller hands to the read head."""

    key: Float32[np.ndarray, "m"] | None
    """None where there is no model to make one yet: then words alone decide."""
    terms: tuple[str, ...]
    illegible: float
    """How far the encoder fails to understand the query, 0 to 1; at 1 its words alone count."""
    times: TimeMentions
    """What it says about time."""
    now: datetime
    """When it is asked."""
    text: str = ""
    """As it was asked."""
    asking: Asking = PLAIN
    """Its form."""
    matcher: Similarity | None = None
    """What matches its key with the rows; None is the matrix's own way, exactly."""
    context: Float32[np.ndarray, "m"] | None = None
    """What was last said in the chat that asks, as a unit key; None where nothing was, or where it does not matter."""


class CueMaker:
    """Makes cues with one encoder. The less of a question the encoder can read, the more its words count."""

    def __init__(self, encoder: Encoder, settings: AddressingSettings) -> None:
        self._encoder, self._settings = encoder, settings

    def make(self, text: str, now: datetime) -> Cue:
        """Encode a question that is asked at a moment."""
        illegible = min(1.0, self._unreadable_share(text) / self._settings.unknown_tolerance)
        return replace(self.of_words(text, now), key=self._encoder.encode_query(text), illegible=illegible)

    def of_words(self, text: str, now: datetime) -> Cue:
        """Return a cue without a key; no model is needed."""
        times = mentioned(text, now) if self._settings.time else TimeMentions()
        return Cue(
            key=None,
            text=text,
            terms=tuple(tokenize(text)),
            asking=asking(text),
            illegible=1.0,
            times=times,
            now=now,
        )

    def _unreadable_share(self, text: str) -> float:
        """Return the share of `text` that means nothing to the encoder, 0 to 1.

        An English vocabulary holds a few hundred Chinese characters that its model never learnt: in a text of just
        those, no piece is unknown, and its key is noise all the same.
        """
        unknown = self._encoder.unknown_share(text)
        return unknown if self._reads_chinese else max(unknown, cjk_share(text))

    @cached_property
    def _reads_chinese(self) -> bool:
        return self._encoder.unknown_share(COMMON_CHINESE) < self._settings.unknown_tolerance
