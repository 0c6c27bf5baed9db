"""The contract of a store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ntm_memory_skill.model import EncoderIdentity, Event, Feedback
from ntm_memory_skill.store.keycache import KeyRows
from ntm_memory_skill.store.paths import Beside
from ntm_memory_skill.store.state import State

__all__ = ["Changes", "KeyRows", "Scrubbed", "Store", "StoreSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """How the files are kept."""

    lock_timeout: float = 10.0
    """Seconds to wait for another writer, 0 and up, before giving up with `StoreLocked`."""
    durability: str = "full"
    """"full": a write is on the disk before it is acknowledged. "relaxed": the operating system has it, so that it
    survives the death of this process, but not a power failure; folding and closing still wait for the disk."""
    passphrase: str | None = field(default=None, repr=False)
    """What encrypts the files; None leaves them readable by their owner."""
    fold_ratio: float = 0.5
    """The journal is folded into the snapshot once it has grown to this share of the snapshot's size."""
    fold_always_below: int = 4 * 2**20
    """Bytes: a snapshot smaller than this is rewritten on every closing after a write, for it costs little; a journal
    smaller than this is left alone until then."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What came to light since the last look."""

    reloaded: bool
    """The state was read anew from the snapshot: whatever was derived from it has to be rebuilt."""
    events: tuple[Event, ...] = ()
    """Where it was not: what other processes did, in order; already folded into the state."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What was done to leave nothing of a purged memory."""

    rewritten: tuple[str, ...] = ()
    """Names of the files that were written anew."""
    removed: tuple[str, ...] = ()
    """Names of older copies that were deleted."""
    checksums: tuple[tuple[str, str], ...] = ()
    """(name, SHA-256) of every rewritten file as it is now."""


class Store(Protocol):
    """Keeps events for good, and folds them into a state."""

    @property
    def state(self) -> State:
        """The fold of all events known so far. Only the store changes it."""

    @property
    def encoder(self) -> EncoderIdentity | None:
        """Whose keys the memory holds; None before the first write."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found amiss and left out when the files were last read, for a person."""

    def refresh(self) -> Changes:
        """Catch up with what other processes have committed. Takes no lock.

        Raises:
            StoreDamaged: The files hold something other than what was written.
        """

    def transaction(self, *, wait: bool = True) -> AbstractContextManager[Changes]:
        """Hold the writers' lock for a block, caught up. Gives what `refresh` gives.

        Raises:
            StoreLocked: Another process has it, and went on having it for as long as there was time to `wait`.
        """

    def commit(self, events: Sequence[Event], encoder: EncoderIdentity) -> None:
        """Make events durable as one transaction, all or none, then fold them in. Call it inside `transaction`.

        Raises:
            StoreDamaged: An event does not fit the state; nothing was stored.
            StoreFull: No space; nothing was stored.
            StoreUnreachable: Not writable; nothing was stored.
        """

    def key_rows(self) -> KeyRows:
        """Return the key rows that are on disk for the memory's encoder: some may be missing.

        Close them, or use them in a `with`: they may lie in a map of their file, which Windows does not replace until
        then.
        """

    @property
    def waiting_keys(self) -> int:
        """Bytes of the key rows that are held in memory until the next `compact` saves them."""

    def supply(self, rows: KeyRows) -> None:
        """Hand over rows that were missing and had to be encoded anew, for the next `compact` to save."""

    def compact(self) -> tuple[str, ...]:
        """Fold the journal into a new snapshot and save the live memories' key rows. Call it inside `transaction`.

        The generation before is kept beside it, unless it holds what has been purged: then `scrub` is done.
        Returns the names of the files that were rewritten.
        """

    def scrub(self) -> Scrubbed:
        """Leave no byte of what was purged in any file. Call it inside `transaction`."""

    def flush(self) -> None:
        """Wait until all that was committed is on the disk, which only durability "relaxed" leaves open."""

    def rekey(self, rows: KeyRows, encoder: EncoderIdentity) -> None:
        """Replace all key rows by another encoder's, and compact. Call it inside `transaction`."""

    def worth_folding(self, *, closing: bool) -> bool:
        """Return whether the journal has grown enough since the snapshot for `compact` to pay.

        On closing less will do: a small snapshot costs little to rewrite, and is then everything by itself.
        """

    def beside(self, what: Beside) -> bytes | None:
        """Return what is kept beside the memory, as `keep_beside` was given it; None if nothing is.

        It is beside the memory, not of it: what becomes of memories leaves it alone. It is not encrypted, for it holds
        no text.
        """

    def keep_beside(self, what: Beside, data: bytes | None) -> None:
        """Put something in the place of what was kept there; None removes it. Call it inside `transaction`.

        It is on the disk when this returns; until then the one before is there, whole.
        """

    def feedback(self) -> list[Feedback]:
        """Return which given memories turned out to be of use, oldest first: the newest 2,000 pieces of feedback.

        They may name memories that have been erased since; none that was purged.
        """

    def keep_feedback(self, feedback: Feedback) -> None:
        """Keep a piece of feedback. Call it inside `transaction`.

        A crash may lose the last ones. Nothing is kept of what names a purged memory or has over 8 KiB, and nothing
        beside a memory that was never written.
        """

    def forget_feedback(self) -> None:
        """Delete all feedback. Call it inside `transaction`."""
