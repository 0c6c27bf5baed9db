"""What clawhub.json may hold for this plugin: types, bounds and what each value means.

The documentation's table and `skill.yaml` are generated from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ntm_memory_skill.engine import AddressingSettings, Settings
from ntm_memory_skill.store import StoreSettings

INITIALIZATIONS = ("constant", "small_random", "learned")
DURABILITIES = ("full", "relaxed")

_SETTINGS = Settings()
_ADDRESSING = AddressingSettings()
_STORE = StoreSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """The trainable machine's shape. The memory's own recall uses one fixed head and reads none of these."""

    num_read_heads: int = 1
    """1 to 16."""
    num_write_heads: int = 1
    """1 to 16."""
    initialization: str = "small_random"
    """What the matrix holds before the first write: "constant", "small_random" or "learned"."""
    learning_rate: float = 0.001
    """Step size of the optimiser, above 0, up to 1."""


def _object(description: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


def _value(kind: str, description: str, default: Any, **bounds: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, "default": default, **bounds}


_MACHINE = MachineSettings()

CONFIG_SCHEMA: dict[str, Any] = _object(
    "The plugin's config in clawhub.json.",
    ntm_memory=_object(
        "The memory matrix and its head.",
        memory_size=_value(
            "integer",
            "Slots: how many live memories there can be.",
            _SETTINGS.memory_size,
            minimum=1,
            maximum=10_000_000,
        ),
        memory_dim={
            "anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 8, "maximum": 8192}],
            "description": "Length of a key. A number below the encoder's own projects the keys.",
            "default": "auto",
        },
        num_read_heads=_value(
            "integer", "Read heads of the trainable machine.", _MACHINE.num_read_heads, minimum=1, maximum=16
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
            lexical_share=_value(
                "number", "Weight of words against meaning.", _ADDRESSING.lexical_share, minimum=0, maximum=1
            ),
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
        ),
        initialization={
            "enum": list(INITIALIZATIONS),
            "description": "What the trainable machine's matrix starts from.",
            "default": _MACHINE.initialization,
        },
        learning_rate=_value("number", "Step size in training.", _MACHINE.learning_rate, exclusiveMinimum=0, maximum=1),
        content_limit=_value(
            "integer", "Characters that one memory may have.", _SETTINGS.content_limit, minimum=1, maximum=10_000_000
        ),
        recall_budget=_value(
            "integer", "Characters that one recall returns.", _SETTINGS.recall_budget, minimum=1, maximum=1_000_000
        ),
    ),
    encoder=_object(
        "What turns text into keys.",
        model=_value(
            "string", '"bundled", a sentence-transformers name, or a folder.', _SETTINGS.encoder.model, minLength=1
        ),
        engine={"enum": ["auto", "torch"], "description": "What runs the model.", "default": "auto"},
        allow_download=_value("boolean", "Whether a named model may be fetched.", _SETTINGS.encoder.allow_download),
        query_prefix={"type": "string", "description": "Put before a question; the model's own by default."},
        passage_prefix={"type": "string", "description": "Put before a text to remember; the model's own by default."},
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
    m3=_object("The lifecycle of memories. No options yet."),
    reasoning=_object("Recall over several hops. No options yet."),
    crossbar=_object("The emulated memristor crossbar. No options yet."),
)

ENTRY_SCHEMA: dict[str, Any] = _object(
    "This plugin's entry under plugins in clawhub.json.",
    enabled=_value("boolean", "Whether the skill is used at all.", True),
    auto_update=_value("boolean", "Kept for ClawHub; ntm-memory itself never updates anything.", True),
    config=CONFIG_SCHEMA,
)
