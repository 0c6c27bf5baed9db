"""ntm-memory: a memory for chat agents with Neural Turing Machine addressing, durable on disk.

    from ntm_memory_skill import NTMMemoryManager

    with NTMMemoryManager.open("memory/ntm_memory.json") as memory:
        memory.memorize("The launch moved to 9 May", session="standup")
        print(memory.search("when do we launch?")[0].content)

This is the one door: what is not listed here may change without notice. A name is imported when it is first asked for,
so that the package costs nothing to those who only look at its version.
"""

from importlib import import_module
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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
else:
    _HOMES = {
        "encoder": "Encoder EncoderSettings HashedEncoder SentenceEncoder",
        "engine": (
            "AddressingSettings M3Settings Note NTMMemoryManager ReasoningSettings Receipt Recollection Settings"
        ),
        "errors": "ConfigError EncoderError EncoderMismatch InputError NTMMemoryError StoreError",
        "model": "EncoderIdentity Hit Record Trace Version",
        "ntm": "HeadParameters",
        "store": "StoreSettings",
    }

    def __getattr__(name: str) -> object:
        """Import what is asked for from the room where it lives, and keep it."""
        home = next((home for home, names in _HOMES.items() if name in names.split()), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value

    def __dir__() -> list[str]:
        """Return what there is, imported or not."""
        return sorted({*globals(), *__all__})
