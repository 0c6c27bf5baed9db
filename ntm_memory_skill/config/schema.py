"""What clawhub.json may hold for this plugin: types, bounds and what each value means.

The documentation's table and `skill.yaml` are generated from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ntm_memory_skill.config.found import MOST_MINUTES, RESIDENT_MODES, ResidentSettings
from ntm_memory_skill.crossbar import PRESETS
from ntm_memory_skill.crossbar.params import MOST_BITS
from ntm_memory_skill.encoder import ENGINES
from ntm_memory_skill.engine import (
    DUPLICATES,
    SUCCESSIONS,
    AddressingSettings,
    CrossbarSettings,
    M3Settings,
    ReasoningSettings,
    Settings,
)
from ntm_memory_skill.engine.validation import TOP_K_LIMIT
from ntm_memory_skill.m3 import LAWS
from ntm_memory_skill.memnet.hops import MOST_HOPS
from ntm_memory_skill.model import BACKENDS
from ntm_memory_skill.ntm import INITIALIZATIONS
from ntm_memory_skill.store import StoreSettings

DURABILITIES = ("full", "relaxed")

_SETTINGS = Settings()
_ADDRESSING = AddressingSettings()
_STORE = StoreSettings()
_M3 = M3Settings()
_REASONING = ReasoningSettings()
_CROSSBAR = CrossbarSettings()
_RESIDENT = ResidentSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """The machine's shape, and how it is trained."""

    num_read_heads: int = 1
    """1 to 16."""
    num_write_heads: int = 1
    """1 to 16."""
    initialization: str = "small_random"
    """What training starts from: "constant" is exactly the default head, "small_random" lies near it and lets several
    heads differ, "learned" goes on with the head that is installed."""
    learning_rate: float = 0.001
    """Step size of the optimiser, above 0, up to 1."""


def _object(description: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


def _value(kind: str, description: str, default: Any, **bounds: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, "default": default, **bounds}


def _width(description: str) -> dict[str, Any]:
    """Return the schema of a converter's width."""
    bits = {"type": "integer", "minimum": 2, "maximum": MOST_BITS}
    return {"anyOf": [{"const": "auto"}, bits], "description": description, "default": "auto"}


_MACHINE = MachineSettings()

CONFIG_SCHEMA: dict[str, Any] = _object(
    "The plugin's config in clawhub.json.",
    ntm_memory=_object(
        "The memory matrix and its head.",
        memory_size=_value(
            "integer",
            "Slots: how many memories are active at once.",
            _SETTINGS.memory_size,
            minimum=1,
            maximum=10_000_000,
        ),
        backend={
            "enum": list(BACKENDS),
            "description": "What matches in searches that do not say: dense is exact, crossbar emulates memristors.",
            "default": _SETTINGS.backend,
        },
        index_from={
            "anyOf": [{"const": "never"}, {"type": "integer", "minimum": 1, "maximum": 10_000_000}],
            "description": "From how many memories on an index answers searches; needs the extra fast.",
            "default": _SETTINGS.index_from,
        },
        memory_dim={
            "anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 8, "maximum": 8192}],
            "description": "Length of a key. A number below the encoder's own projects the keys.",
            "default": "auto",
        },
        num_read_heads=_value(
            "integer", "Read heads; each looks for itself.", _MACHINE.num_read_heads, minimum=1, maximum=16
        ),
        num_write_heads=_value(
            "integer", "Write heads of the trainable machine.", _MACHINE.num_write_heads, minimum=1, maximum=16
        ),
        addressing=_object(
            "Where the head looks.",
            content=_value("boolean", "Find what matches the query.", _ADDRESSING.content),
            location=_value(
                "boolean", "Shift along the chat, to what was said before and after.", _ADDRESSING.location
            ),
            hybrid=_value("boolean", "Let a chat's last focus carry into its next recall.", _ADDRESSING.hybrid),
            lexical_share={
                "anyOf": [{"const": "auto"}, {"type": "number", "minimum": 0, "maximum": 1}],
                "description": "λ: weight of words against meaning. auto follows the scores of each question.",
                "default": "auto",
            },
            commonness=_value(
                "number",
                "Weight against memories that resemble all others.",
                _ADDRESSING.commonness,
                minimum=0,
                maximum=100,
            ),
            brevity=_value(
                "number",
                "Weight against memories that hardly say anything.",
                _ADDRESSING.brevity,
                minimum=0,
                maximum=100,
            ),
            time=_value(
                "number", "Weight of the times that a question names.", _ADDRESSING.time, minimum=0, maximum=100
            ),
            association=_value(
                "number",
                "Weight of what was recalled together with the best matches before.",
                _ADDRESSING.association,
                minimum=0,
                maximum=100,
            ),
            context=_value(
                "number",
                "Weight of what resembles the chat so far; the mode contextual raises it from 0.",
                _ADDRESSING.context,
                minimum=0,
                maximum=100,
            ),
            trained=_value("boolean", "Use the head that was trained for this memory.", _ADDRESSING.trained),
            key_strength=_value(
                "number",
                "β: how sharply matches stand out.",
                _ADDRESSING.head.key_strength,
                exclusiveMinimum=0,
                maximum=100,
            ),
            gate=_value(
                "number", "g: the query against the chat's last focus.", _ADDRESSING.head.gate, minimum=0, maximum=1
            ),
            shift_kernel={
                "type": "array",
                "items": {"type": "number", "minimum": 0, "maximum": 1},
                "description": "s over the offsets -R to R: an odd number of shares that sum to 1.",
                "default": list(_ADDRESSING.head.kernel),
            },
            sharpening=_value(
                "number", "γ: how far scores are spread apart.", _ADDRESSING.head.sharpening, minimum=1, maximum=100
            ),
            length_ratio=_value(
                "number",
                "How many times as long as its neighbour a memory may be and get all of the shifted weight.",
                _ADDRESSING.head.length_ratio,
                exclusiveMinimum=0,
                maximum=1_000_000,
            ),
        ),
        initialization={
            "enum": list(INITIALIZATIONS),
            "description": "What training starts from: the default head, a place near it, or what was learnt before.",
            "default": _MACHINE.initialization,
        },
        learning_rate=_value("number", "Step size in training.", _MACHINE.learning_rate, exclusiveMinimum=0, maximum=1),
        content_limit=_value(
            "integer", "Characters that one memory may have.", _SETTINGS.content_limit, minimum=1, maximum=10_000_000
        ),
        recall_budget=_value(
            "integer", "Characters that one recall returns.", _SETTINGS.recall_budget, minimum=1, maximum=1_000_000
        ),
        feedback=_value(
            "boolean",
            "Note beside the memory, as questions and ids, what turned out to be of use, to train a head on.",
            _SETTINGS.feedback,
        ),
        resident=_object(
            "Whether the commands of the five tools are answered by a process that has the memory open.",
            mode={
                "enum": list(RESIDENT_MODES),
                "description": '"use": ask one that is there. "start": also start one. "off": never ask.',
                "default": _RESIDENT.mode,
            },
            minutes=_value(
                "number",
                "Minutes without a call after which one that was started so ends.",
                _RESIDENT.minutes,
                exclusiveMinimum=0,
                maximum=MOST_MINUTES,
            ),
        ),
    ),
    encoder=_object(
        "What turns text into keys.",
        model=_value(
            "string", '"bundled", a sentence-transformers name, or a folder.', _SETTINGS.encoder.model, minLength=1
        ),
        engine={
            "enum": list(ENGINES),
            "description": "What runs the model: onnx is the exported one, auto takes that if there is one.",
            "default": _SETTINGS.encoder.engine,
        },
        allow_download=_value("boolean", "Whether a named model may be fetched.", _SETTINGS.encoder.allow_download),
        query_prefix={"type": "string", "description": "Put before a question; the model's own by default."},
        passage_prefix={"type": "string", "description": "Put before a text to remember; the model's own by default."},
    ),
    reranker=_object(
        "What reads the first hits again, together with the question.",
        model={
            "type": "string",
            "minLength": 1,
            "description": (
                "A cross-encoder, by its sentence-transformers name or as a folder, which orders the first hits; "
                "without it, the head's order stands."
            ),
        },
        candidates=_value(
            "integer",
            "How many of the first hits it reads; never fewer than are asked for.",
            _SETTINGS.reranker.candidates,
            minimum=1,
            maximum=TOP_K_LIMIT,
        ),
        allow_download=_value("boolean", "Whether a named model may be fetched.", _SETTINGS.reranker.allow_download),
    ),
    store=_object(
        "The files.",
        lock_timeout=_value(
            "number", "Seconds to wait for another writer.", _STORE.lock_timeout, minimum=0, maximum=3600
        ),
        durability={
            "enum": list(DURABILITIES),
            "description": '"full": on the disk when acknowledged. "relaxed": a power failure may lose the last.',
            "default": _STORE.durability,
        },
        key_file={
            "type": "string",
            "minLength": 1,
            "description": "A file whose text encrypts the memory; without it, and without NTM_MEMORY_KEY, it is not.",
        },
    ),
    m3=_object(
        "The lifecycle of memories.",
        strength={
            "enum": list(LAWS),
            "description": "The law by which strength decays.",
            "default": _M3.strength,
        },
        reconsolidate=_value(
            "boolean", "Whether recalling strengthens memories, and links those of one answer.", _M3.reconsolidate
        ),
        forget=_value(
            "boolean",
            "When all slots are taken, whether the least valuable memories leave the matrix; if not, memorize refuses.",
            _M3.forget,
        ),
        forget_below=_value(
            "number", "Strength under which consolidation forgets; 0 never.", _M3.forget_below, minimum=0, maximum=1
        ),
        duplicates={
            "enum": list(DUPLICATES),
            "description": '"count": what is said again is stored once. "keep": it is stored again.',
            "default": _M3.duplicates,
        },
        successions={
            "enum": list(SUCCESSIONS),
            "description": '"mark": a memory whose value a later one changes is superseded. "off": only if asked for.',
            "default": _M3.successions,
        },
        latest_first=_value(
            "boolean", "Whether the latest of memories that answer a question alike goes first.", _M3.latest_first
        ),
        source_quota=_value(
            "number",
            "Share of the slots that one named source may take; 1 sets no limit.",
            _M3.source_quota,
            exclusiveMinimum=0,
            maximum=1,
        ),
        gists=_value("boolean", "Whether consolidation writes gists of clusters, as memories.", _M3.gists),
        idle_minutes=_value(
            "number",
            "Minutes without a call after which a server consolidates, for some five seconds; 0 never.",
            _M3.idle_minutes,
            minimum=0,
            maximum=10_080,
        ),
        context_window=_value(
            "integer", "Inputs of each chat that make its present context.", _M3.context_window, minimum=1, maximum=64
        ),
        buffer_dimension={
            "anyOf": [{"const": "off"}, {"type": "integer", "minimum": 8, "maximum": 8192}],
            "description": "Numbers that are kept of such an input's key; off keeps all.",
            "default": "off",
        },
    ),
    reasoning=_object(
        "How the memory is read in hops: what was read leads to what is read next.",
        hops={
            "anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1, "maximum": MOST_HOPS}],
            "description": "Of searches that do not say: auto goes by the question, 1 reads once.",
            "default": "auto",
        },
        beam=_value("integer", "How many chains are read on from in a hop.", _REASONING.beam, minimum=1, maximum=16),
        told=_value(
            "number",
            "How far what somebody told is raised, where the question names them and asks for several things.",
            _REASONING.told,
            minimum=0,
            maximum=10,
        ),
        trained=_value(
            "boolean", "Use the hop policy that was trained for this memory, if there is one.", _REASONING.trained
        ),
    ),
    crossbar=_object(
        "The emulated memristor crossbar, which can match queries with memories.",
        preset={
            "enum": list(PRESETS),
            "description": "What it is made of: ideal is exact, pcm is phase-change memory, reram resistive memory.",
            "default": _CROSSBAR.preset,
        },
        capacity=_value("integer", "Memories that it has room for.", _CROSSBAR.capacity, minimum=1, maximum=1_000_000),
        rerank=_value(
            "integer",
            "How many of its best matches are compared exactly.",
            _CROSSBAR.rerank,
            minimum=0,
            maximum=100_000,
        ),
        dac_bits=_width("Width of the converters of queries; auto is the preset's."),
        adc_bits=_width("Width of the converters of sums; auto is the preset's."),
        compensate=_value("boolean", "Measure how far devices have drifted, and divide it out.", _CROSSBAR.compensate),
        seed=_value(
            "integer", "Of its devices and of the noise of reads.", _CROSSBAR.seed, minimum=0, maximum=2**31 - 1
        ),
    ),
)

ENTRY_SCHEMA: dict[str, Any] = _object(
    "This plugin's entry under plugins in clawhub.json.",
    enabled=_value("boolean", "Whether the skill is used at all.", True),
    auto_update=_value("boolean", "Kept for ClawHub; ntm-memory itself never updates anything.", True),
    config=CONFIG_SCHEMA,
)
