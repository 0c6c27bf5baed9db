"""How the engine works, as frozen values. Every default is documented where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntm_memory_skill.encoder import EncoderSettings, RerankerSettings
from ntm_memory_skill.m3 import LAWS
from ntm_memory_skill.memnet.hops import HopPolicy
from ntm_memory_skill.model import Backend
from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.store import StoreSettings

DUPLICATES = ("count", "keep")
SUCCESSIONS = ("mark", "off")


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
    association: float = 0.25
    """Weight of memories that were recalled together with the best matches before, 0 and up."""
    context: float = 0.0
    """Weight of memories that resemble what was last said in the chat, 0 and up; the mode "contextual" raises it."""
    num_read_heads: int = 1
    """Read heads, 1 to 16. Each looks for itself; without training they differ in how much they trust words."""
    trained: bool = True
    """Use the head that was trained for this memory, if there is one."""
    head: HeadParameters = field(default_factory=HeadParameters)
    """β, g, s and γ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSettings:
    """How the memory is read in hops."""

    hops: int | None = None
    """Of searches that do not say, 1 to 4; None goes by the form of the question, 1 reads once."""
    beam: int = 5
    """How many chains are read on from in a hop, 1 to 16."""
    told: float = 1.0
    """ln of what the weight of a memory is raised by that somebody tells whom the question names, where it asks for
    several things of one kind; 0 and up."""
    trained: bool = True
    """Use the hop policy that was trained for this memory, if there is one."""
    policy: HopPolicy = field(default_factory=HopPolicy)
    """What each clue weighs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarSettings:
    """The emulated crossbar that may be searched with."""

    preset: str = "pcm"
    """What it is made of: "ideal", "pcm" or "reram" (`crossbar.presets`)."""
    capacity: int = 16_384
    """Rows that it has room for, 1 and up; each takes some 11 KiB of this process's memory with keys of 384 numbers."""
    rerank: int = 100
    """How many of its best matches are compared exactly, 0 and up."""
    dac_bits: int | None = None
    """Width of the converters of queries, 2 to 16; None is the preset's."""
    adc_bits: int | None = None
    """Width of the converters of sums, 2 to 16; None is the preset's."""
    compensate: bool = True
    """Whether drift is measured and divided out, where the preset does so."""
    seed: int = 0
    """Of its devices and of the noise of reads, 0 and up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class M3Settings:
    """The lifecycle: what is strengthened, stored once, superseded, merged and forgotten.

    Raises:
        ValueError: A name or number that is none of those allowed.
    """

    strength: str = "fsrs"
    """The law by which strength decays: "fsrs", "exponential", "act_r" or "priority"."""
    reconsolidate: bool = True
    """Whether recalling a memory strengthens it, and links it with what was recalled beside it."""
    forget: bool = True
    """When all slots are taken, whether the least valuable memories leave the matrix, so that there is room. If not,
    memorizing is refused with `MemoryFull`."""
    forget_below: float = 0.0
    """Strength, 0 to 1, under which consolidation forgets a memory; 0 forgets none for being weak."""
    duplicates: str = "count"
    """What becomes of a memory that says what another says already: "count" stores it once, "keep" stores both."""
    successions: str = "mark"
    """What becomes of a memory whose value a new one changes ("moved to"): "mark" supersedes it, "off" leaves it."""
    latest_first: bool = True
    """Whether the latest of several memories that answer a question alike goes before the best match."""
    source_quota: float = 1.0
    """Share of the slots, above 0 to 1, that memories of one named source may take: beyond it its own least valuable
    ones are forgotten. 1 is no quota."""
    gists: bool = False
    """Whether consolidation writes gists of clusters, as memories of the type "gist"."""
    idle_minutes: float = 0.0
    """Minutes without a call after which a server consolidates, for some five seconds; 0 never does."""
    context_window: int = 8
    """Inputs of each chat that the sensory buffer holds, 1 to 64: the working context of the next call."""
    buffer_dimension: int | None = None
    """Numbers that the sensory buffer keeps of a key, 8 and up, by components fitted to the memory's own keys. None
    keeps whole keys: compressing them costs recall (docs/lifecycle.md) and saves a kilobyte an input."""

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {value!r}, none of {', '.join(allowed)}"
            for name, value, allowed in (
                ("strength", self.strength, tuple(LAWS)),
                ("duplicates", self.duplicates, DUPLICATES),
                ("successions", self.successions, SUCCESSIONS),
            )
            if value not in allowed
        ]
        if problems:
            raise ValueError("; ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `NTMMemoryManager.open` can be told."""

    memory_size: int = 100_000
    """Slots of the memory matrix: how many memories are active, 1 and up."""
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
    backend: Backend = "dense"
    """What matches keys with rows in searches that do not say: "dense", exactly, or "crossbar", as emulated
    memristors do, with an exact comparison of the best."""
    index_from: int | None = 250_000
    """Memories from which on an index answers searches (ivf), 1 and up; None: all rows are read, by bytes."""
    addressing: AddressingSettings = field(default_factory=AddressingSettings)
    crossbar: CrossbarSettings = field(default_factory=CrossbarSettings)
    reasoning: ReasoningSettings = field(default_factory=ReasoningSettings)
    m3: M3Settings = field(default_factory=M3Settings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    reranker: RerankerSettings = field(default_factory=RerankerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
