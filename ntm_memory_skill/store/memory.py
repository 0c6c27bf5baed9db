"""The store that keeps nothing: for tests, and for trying things out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ntm_memory_skill.model import EncoderIdentity, Event, Feedback, Purged, Record
from ntm_memory_skill.store import keycache
from ntm_memory_skill.store.feedback import KEPT, Traces, line
from ntm_memory_skill.store.paths import Beside
from ntm_memory_skill.store.protocol import Changes, KeyRows, Scrubbed
from ntm_memory_skill.store.state import State


class MemoryStore:
    """A `Store` in this process alone; it goes when the process goes."""

    def __init__(self) -> None:
        self.state = State()
        self.encoder: EncoderIdentity | None = None
        self.warnings: tuple[str, ...] = ()
        self._rows: KeyRows | None = None
        self._beside: dict[Beside, bytes | None] = {}
        self._feedback: deque[Feedback] = deque(maxlen=KEPT)
        self._purged: list[Record] = []

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
            if isinstance(event, Purged):
                self._purged.append(self.state.archive[event.id])
            self.state.apply(event)
        self.encoder = encoder if self.encoder is None else self.encoder

    def key_rows(self) -> KeyRows:
        """Return the rows that were supplied."""
        return keycache.empty(0) if self._rows is None else self._rows

    @property
    def waiting_keys(self) -> int:
        """Bytes of the rows that were supplied: nothing ever saves them."""
        return 0 if self._rows is None else self._rows.keys.nbytes

    def supply(self, rows: KeyRows) -> None:
        """Keep rows, beside those that were supplied before."""
        self._rows = self.key_rows().merged(
            {digest: key.astype("<f4").tobytes() for digest, key in zip(rows.digests, rows.keys, strict=True)}
        )

    def compact(self) -> tuple[str, ...]:
        """Do nothing: there are no files."""
        return ()

    def scrub(self) -> Scrubbed:
        """Forget what was purged; there are no files."""
        kept = self.feedback()
        self._feedback.clear()
        self._feedback.extend(kept)
        self._purged = []
        return Scrubbed()

    def flush(self) -> None:
        """Do nothing: there is no disk."""

    def rekey(self, rows: KeyRows, encoder: EncoderIdentity) -> None:
        """Take the rows and identity of another encoder."""
        self._rows, self.encoder = rows, encoder

    def worth_folding(self, *, closing: bool) -> bool:  # noqa: ARG002  # the protocol's signature
        """Return False: there is no journal."""
        return False

    def beside(self, what: Beside) -> bytes | None:
        """Return what was given last; see `Store.beside`."""
        return self._beside.get(what)

    def keep_beside(self, what: Beside, data: bytes | None) -> None:
        """Take what is to be kept beside the memory."""
        self._beside[what] = data

    def feedback(self) -> list[Feedback]:
        """Return what was given, without what tells of a purged memory."""
        traces = self._traces()
        return [each for each in self._feedback if not traces.left_by(each)]

    def keep_feedback(self, feedback: Feedback) -> None:
        """Take a piece of feedback, unless it tells of a purged memory, or is too long for a file."""
        if self.encoder is not None and line(feedback) is not None and not self._traces().left_by(feedback):
            self._feedback.append(feedback)

    def forget_feedback(self) -> None:
        """Forget all of it."""
        self._feedback.clear()

    def _traces(self) -> Traces:
        return Traces(self.state.tombstones, self._purged)
