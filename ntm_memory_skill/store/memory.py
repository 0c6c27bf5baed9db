"""The store that keeps nothing: for tests, and for trying things out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ntm_memory_skill.model import EncoderIdentity, Event
from ntm_memory_skill.store import keycache
from ntm_memory_skill.store.protocol import Changes, KeyRows, Scrubbed
from ntm_memory_skill.store.state import State


class MemoryStore:
    """A `Store` in this process alone; it goes when the process goes."""

    def __init__(self) -> None:
        self.state = State()
        self.encoder: EncoderIdentity | None = None
        self.warnings: tuple[str, ...] = ()
        self._rows: KeyRows | None = None

    def refresh(self) -> Changes:
        """Return that nothing changed: nobody else can write here."""
        return Changes(reloaded=False)

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[Changes]:  # noqa: ARG002  # the protocol's signature
        """Hold nothing: there is no other process."""
        yield self.refresh()

    def commit(self, events: Sequence[Event], encoder: EncoderIdentity) -> None:
        """Fold events in, all or none."""
        self.state.check(events)
        for event in events:
            self.state.apply(event)
        self.encoder = encoder if self.encoder is None else self.encoder

    def key_rows(self) -> KeyRows:
        """Return the rows that were supplied."""
        return keycache.empty(0) if self._rows is None else self._rows

    def supply(self, rows: KeyRows) -> None:
        """Keep rows, beside those that were supplied before."""
        self._rows = self.key_rows().merged(
            {digest: key.astype("<f4").tobytes() for digest, key in zip(rows.digests, rows.keys, strict=True)}
        )

    def compact(self) -> tuple[str, ...]:
        """Do nothing: there are no files."""
        return ()

    def scrub(self) -> Scrubbed:
        """Do nothing: there are no files."""
        return Scrubbed()

    def flush(self) -> None:
        """Do nothing: there is no disk."""

    def rekey(self, rows: KeyRows, encoder: EncoderIdentity) -> None:
        """Take the rows and identity of another encoder."""
        self._rows, self.encoder = rows, encoder

    def worth_folding(self, *, closing: bool) -> bool:  # noqa: ARG002  # the protocol's signature
        """Return False: there is no journal."""
        return False
