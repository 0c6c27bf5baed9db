"""What a process does to a memory, and what it is promised: hence what has to be found, whatever goes wrong.

The oracle is a list of states: before and after whatever is under way. It knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import numpy as np

from ntm_memory_skill.model import EncoderIdentity, Event, Feedback, Memorized, Restored, Updated, indexed_text
from ntm_memory_skill.store import Beside, DirectoryStore, KeyRows, State
from tests.store.builders import IDENTITY, open_store, row


@dataclass(frozen=True)
class Expected:
    """What may be found: any one of each list."""

    states: tuple[State, ...]
    encoders: tuple[EncoderIdentity | None, ...]
    passphrases: tuple[str | None, ...]
    rows: dict[bytes, bytes]
    """The right key row of every text there ever was, by digest."""
    complete: bool
    """Whether every live memory must have its row at hand."""
    learnt: dict[Beside, tuple[bytes | None, ...]]
    moment: int
    """How much had been promised by then."""

    @property
    def key(self) -> Hashable:
        """What is the same for what is expected at the same moment of the same story."""
        return self.moment, len(self.states), len(self.encoders), self.passphrases, self.complete


@dataclass
class Ledger:
    """What was promised of one memory."""

    alive: list[State] = field(default_factory=lambda: [State()])
    """What may be found after the death of a process. With every commit that fails there is twice as much."""
    powered: list[State] = field(default_factory=lambda: [State()])
    """And after a power failure: with durability "relaxed", also what was before."""
    encoders: tuple[EncoderIdentity | None, ...] = (None,)
    passphrases: tuple[str | None, ...] = (None,)
    rows: dict[bytes, bytes] = field(default_factory=dict)
    complete: bool = True
    learnt: dict[Beside, tuple[bytes | None, ...]] = field(
        default_factory=lambda: dict.fromkeys(get_args(Beside), (None,))
    )
    """What is beside the memory, of which one may be found each; it is always waited for."""
    entries: int = 0
    """Goes up with every change, so that of two moments in the same story the same is promised if this is the same."""

    def copy(self) -> Ledger:
        """Return a ledger that goes its own way."""
        return replace(
            self,
            alive=list(self.alive),
            powered=list(self.powered),
            rows=dict(self.rows),
            learnt=dict(self.learnt),
        )

    def begin(self, events: Sequence[Event], encoder: EncoderIdentity) -> int:
        """Enter that a commit is under way, and return what `done` has to be told."""
        self.entries += 1
        if None in self.encoders and encoder not in self.encoders:
            self.encoders = (*self.encoders, encoder)
        later = [after(state, events) for state in self.alive]
        self.alive += later
        self.powered += later
        self._learn(later[-1], events)
        return len(later)

    def done(self, count: int, *, durable: bool) -> None:
        """Enter that a commit was acknowledged."""
        self.entries += 1
        self.alive = self.alive[-count:]
        self.encoders = tuple(encoder for encoder in self.encoders if encoder is not None)
        if durable:
            self.powered = list(self.alive)

    def settled(self) -> None:
        """Enter that all that was acknowledged is on the disk."""
        self.entries += 1
        self.powered = list(self.alive)

    def changing(self, *, encoder: EncoderIdentity | None = None, passphrases: tuple[str | None, ...] = ()) -> None:
        """Enter that another encoder or passphrase may hold from now on: keys may have to be encoded anew."""
        self.entries += 1
        self.complete = False
        self.encoders = self.encoders if encoder is None else (*self.encoders, encoder)
        self.passphrases = passphrases or self.passphrases

    def changed(self) -> None:
        """Enter that it does."""
        self.settled()
        self.complete = True
        self.encoders, self.passphrases = self.encoders[-1:], self.passphrases[-1:]

    def expected(self, *, power: bool = False) -> Expected:
        """Return what may be found if now a process dies, or the power fails."""
        states = self.powered if power else self.alive
        return Expected(
            tuple(states),
            self.encoders,
            self.passphrases,
            dict(self.rows),
            self.complete,
            dict(self.learnt),
            self.entries,
        )

    def training(self, what: Beside, *data: bytes | None) -> None:
        """Enter that one of these will be found."""
        self.entries += 1
        self.learnt[what] = data

    def _learn(self, state: State, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Memorized(record=known, key_row=key_row):
                    pass
                case Updated(id=ident, key_row=bytes(key_row)) | Restored(id=ident, key_row=key_row):
                    known = state.records[ident]
                case _:
                    continue
            text = indexed_text(known.key, known.content)
            self.rows.update((encoder.digest(text), key_row) for encoder in self.encoders if encoder is not None)


def after(state: State, events: Sequence[Event]) -> State:
    """Return another state, with events folded in."""
    result = State(
        dict(state.records),
        dict(state.archive),
        dict(state.tombstones),
        state.next_ordinal,
        dict(state.forgotten),
        dict(state.consolidations),
    )
    for event in events:
        result.apply(event)
    return result


class Process:
    """A process that works on a memory, and enters what it is promised.

    Args:
        path: The memory.
        ledger: Where it enters that.
        durability: As in `StoreSettings`.
    """

    def __init__(self, path: Path, ledger: Ledger, durability: str = "full") -> None:
        self.path, self.ledger, self.durability = path, ledger, durability
        self.store: DirectoryStore | None = None

    @property
    def opened(self) -> DirectoryStore:
        """The store, opened now if it was not before."""
        if self.store is None:
            [passphrase] = self.ledger.passphrases
            self.store = open_store(self.path, passphrase=passphrase, durability=self.durability)
        return self.store

    def commit(self, *events: Event, scrub: bool = False) -> None:
        """Commit one transaction, and with `scrub` leave nothing of what it purged."""
        with self.opened.transaction():
            self.committed(*events)
            if scrub:
                self.opened.scrub()
                self.ledger.settled()

    def committed(self, *events: Event) -> None:
        """Commit within a transaction that was begun."""
        encoder = self.opened.encoder or IDENTITY
        count = self.ledger.begin(events, encoder)
        self.opened.commit(events, encoder)
        self.ledger.done(count, durable=self.durability == "full")

    def compact(self) -> None:
        """Fold the journal in."""
        with self.opened.transaction():
            self.opened.compact()
        self.ledger.settled()

    def keep_beside(self, what: Beside, data: bytes | None) -> None:
        """Keep what was trained, or none of it any more."""
        with self.opened.transaction():
            self.ledger.training(what, *self.ledger.learnt[what], data)
            self.opened.keep_beside(what, data)
        self.ledger.training(what, data)

    def note(self, *lines: Feedback) -> None:
        """Keep feedback, of which nothing is promised."""
        with self.opened.transaction():
            for line in lines:
                self.opened.keep_feedback(line)

    def flush(self) -> None:
        """Wait for the disk."""
        self.opened.flush()
        self.ledger.settled()

    def rekey(self, encoder: EncoderIdentity) -> None:
        """Give every memory the key of another encoder."""
        store = self.opened
        with store.transaction():
            texts = [indexed_text(known.key, known.content) for known in store.state.remembered()]
            digests = [encoder.digest(text) for text in texts]
            keys = [row(70 + number) for number in range(len(texts))]
            self.ledger.changing(encoder=encoder)
            self.ledger.rows.update(zip(digests, keys, strict=True))
            store.rekey(KeyRows(digests, np.frombuffer(b"".join(keys), "<f4").reshape(len(keys), -1)), encoder)
        self.ledger.changed()

    def reseal(self, passphrase: str | None) -> None:
        """Change the passphrase, or take it away."""
        with self.opened.transaction():
            self.ledger.changing(passphrases=(*self.ledger.passphrases, passphrase))
            self.opened.reseal(passphrase)
        self.ledger.changed()
