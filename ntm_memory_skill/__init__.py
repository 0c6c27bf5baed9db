"""ntm-memory: a memory for chat agents with Neural Turing Machine addressing, durable on disk.

    from ntm_memory_skill import NTMMemoryManager

    with NTMMemoryManager.open("memory/ntm_memory.json") as memory:
        memory.memorize("The launch moved to 9 May", session="standup")
        print(memory.search("when do we launch?")[0].content)

This is the one door: what is not listed here may change without notice.
"""

from ntm_memory_skill.encoder import Encoder, EncoderSettings, HashedEncoder, SentenceEncoder
from ntm_memory_skill.engine import (
    AddressingSettings,
    M3Settings,
    Note,
    NTMMemoryManager,
    ReasoningSettings,
    Receipt,
    Recollection,
    Settings,
)
from ntm_memory_skill.errors import (
    ConfigError,
    EncoderError,
    EncoderMismatch,
    InputError,
    NTMMemoryError,
    StoreError,
)
from ntm_memory_skill.model import EncoderIdentity, Hit, Record, Trace, Version
from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.store import StoreSettings

__all__ = [
    "AddressingSettings",
    "ConfigError",
    "Encoder",
    "EncoderError",
    "EncoderIdentity",
    "EncoderMismatch",
    "EncoderSettings",
    "HashedEncoder",
    "HeadParameters",
    "Hit",
    "InputError",
    "M3Settings",
    "NTMMemoryError",
    "NTMMemoryManager",
    "Note",
    "ReasoningSettings",
    "Receipt",
    "Recollection",
    "Record",
    "SentenceEncoder",
    "Settings",
    "StoreError",
    "StoreSettings",
    "Trace",
    "Version",
]

__version__ = "0.1.0"
