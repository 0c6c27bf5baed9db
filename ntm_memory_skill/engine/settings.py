"""How the engine works, as frozen values. Every default is documented where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntm_memory_skill.encoder import EncoderSettings, RerankerSettings
from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.store import StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressingSettings:
    """Where the head looks."""

    content: bool = True
    """Content addressing: find rows that match the query. Off: start from the last focus, or the newest memory."""
    location: bool = True
    """Location addressing: shift along the session's tape, to what was said just before and after a match."""
    hybrid: bool = True
    """Interpolation: let a session's last focus carry into its next recall."""
    lexical_share: float | None = None
    """λ, 0 to 1: weight of words against meaning in the content score, where the encoder understands the query. None
    lets it follow the scores; see `evidence`."""
    unknown_tolerance: float = 0.25
    """Share of a query that the encoder cannot read, above 0, at which it is held to understand nothing and λ reaches
    1; between 0 and this, λ rises evenly. Infinity keeps λ as it is."""
    commonness: float = 0.4
    """Weight against memories that resemble all others, per standard deviation, 0 and up, of the meaning's share."""
    brevity: float = 1.2
    """Weight against memories that hardly say anything, 0 and up, of the meaning's share."""
    time: float = 1.0
    """Weight of memories from the time that a query names, 0 and up: a term of the score, where `since` filters."""
    num_read_heads: int = 1
    """Read heads, 1 to 16. Each looks for itself; without training they differ in how much they trust words."""
    trained: bool = True
    """Use the head that was trained for this memory, if there is one."""
    head: HeadParameters = field(default_factory=HeadParameters)
    """β, g, s and γ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `NTMMemoryManager.open` can be told."""

    memory_size: int = 100_000
    """Slots of the memory matrix: how many live memories there can be, 1 and up."""
    content_limit: int = 32_768
    """Characters that one memory may have, 1 and up."""
    recall_budget: int = 2_000
    """Characters of memory text that one recall returns at most, 1 and up; the best memory comes whole in any case."""
    answer_while_loading: bool = False
    """While the model loads, let search and recall answer by words alone instead of waiting for it; `Trace.cosine` is
    None then. For servers, whose callers give up sooner than a cold start may take."""
    feedback: bool = False
    """Note beside the memory which given memories turned out to be of use, and for which question, to train a head on.
    Off, because questions are private: they may say more than any memory does."""
    addressing: AddressingSettings = field(default_factory=AddressingSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    reranker: RerankerSettings = field(default_factory=RerankerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
