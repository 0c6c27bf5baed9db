"""What is acknowledged is on disk, and stays there.

An *entry* is one transaction: one line of the journal. It is *committed* when that line is whole on the disk (fsync has
returned); with durability "relaxed", when the operating system has it. Nothing is acknowledged, and nothing is shown to
a reader, before that. The law that the modules of this package keep:

1. `fold(snapshot, journal) == live state`: `State` is changed by `State.apply` alone, live and at opening alike.
2. One journal line is one transaction: all of its events hold, or none. Each line names the checksum of the one before.
3. Writers take the lock, catch up with the journal, then append. Readers take no lock: they read what is complete. An
   answer reflects all that was acknowledged, by any process, before the question began.
4. A snapshot replaces its predecessor atomically, and the journal starts anew only after it. A crash between the two
   leaves lines that the snapshot already holds; their sequence numbers say so, and they are passed over.
5. The generation before is kept, snapshot and journal, until the next one has succeeded: folded, the two are the
   present snapshot, so that a damaged snapshot loses nothing.
6. A torn last line was never acknowledged: it is dropped and reported. Damage anywhere else, an acknowledged entry that
   is missing included, is refused, not skipped, and the files are left as they are. `repair` mends what can be mended,
   and loses nothing without being told to.
7. What is purged is in no file any more once the purge is acknowledged; a purge that was broken off is finished by the
   next opening.

What the operating system has to provide: an `fsync` that reaches the disk, an atomic rename within a folder, and file
locks that end with their holder. `docs/format.md` describes the files for people who read or back them up.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Beside",
    "Changes",
    "DirectoryStore",
    "Finding",
    "KeyRows",
    "MemoryStore",
    "Paths",
    "Scrubbed",
    "State",
    "Store",
    "StoreSettings",
    "verify",
]

if TYPE_CHECKING:
    from ntm_memory_skill.store.check import Finding, verify
    from ntm_memory_skill.store.directory import DirectoryStore
    from ntm_memory_skill.store.memory import MemoryStore
    from ntm_memory_skill.store.paths import Beside, Paths
    from ntm_memory_skill.store.protocol import Changes, KeyRows, Scrubbed, Store, StoreSettings
    from ntm_memory_skill.store.state import State
else:  # where the files are can be asked without what reads them
    _HOMES = {
        "check": "Finding verify",
        "directory": "DirectoryStore",
        "memory": "MemoryStore",
        "paths": "Beside Paths",
        "protocol": "Changes KeyRows Scrubbed Store StoreSettings",
        "state": "State",
    }

    def __getattr__(name: str) -> object:
        """Import what is asked for."""
        home = next((home for home, names in _HOMES.items() if name in names.split()), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value
