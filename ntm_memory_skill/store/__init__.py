"""What is acknowledged is on disk, and stays there.

An event is *committed* when its journal line is complete on the disk (fsync has returned). Nothing is acknowledged and
nothing is shown to a reader before that. The law that the rooms of this package keep:

1. `fold(snapshot, journal) == live state`: `State` is changed by `State.apply` alone, live and at opening alike.
2. One journal line is one transaction: all of its events hold, or none.
3. Writers take the lock, catch up with the journal, then append. Readers take no lock: they read what is complete.
4. A snapshot replaces its predecessor atomically, and the journal starts anew only after it. A crash between the two
   leaves lines that the snapshot already holds; their sequence numbers say so, and they are passed over.
5. A torn last line was never acknowledged: it is dropped and reported. Damage anywhere else is refused, not skipped,
   and the files are left as they are.

`docs/format.md` describes the files for people who read or back them up.
"""

from ntm_memory_skill.store.check import Finding, verify
from ntm_memory_skill.store.directory import DirectoryStore
from ntm_memory_skill.store.memory import MemoryStore
from ntm_memory_skill.store.protocol import Changes, KeyRows, Store, StoreSettings
from ntm_memory_skill.store.state import State

__all__ = [
    "Changes",
    "DirectoryStore",
    "Finding",
    "KeyRows",
    "MemoryStore",
    "State",
    "Store",
    "StoreSettings",
    "verify",
]
