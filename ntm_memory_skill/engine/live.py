"""The store and its projection, kept in step: what is committed here or elsewhere is in the matrix before anyone looks.

The law of the write path: a memory is checked and encoded first, then committed by the store, and only then shown to
the head. What fails before the commit leaves everything as it was.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder import Encoder, Progress
from ntm_memory_skill.engine.accesses import AccessCounts
from ntm_memory_skill.engine.footprint import Footprint
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.errors import EncoderMismatch, StoreClosed, StoreError, StoreLocked, UnknownMemory
from ntm_memory_skill.model import EncoderIdentity, Event, Memorized, Record, Restored, Updated, indexed_text
from ntm_memory_skill.store import Changes, KeyRows, State, Store

logger = logging.getLogger(__name__)


class LiveMemory:
    """One open memory. Its methods take the mutex themselves; hold it to keep several calls together.

    Args:
        store: Where memories are kept.
        encoder: What makes their keys.
        reach: R of the head's shift kernel.
        index_from: Rows of the matrix from which on it is searched through an index; None never does that.
        reconsolidate: Whether being recalled strengthens and links memories.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        reach: int,
        *,
        index_from: int | None = None,
        reconsolidate: bool = True,
    ) -> None:
        self.store, self.encoder = store, encoder
        self.mutex = threading.RLock()
        self.on_commit: Callable[[Sequence[Event]], None] | None = None
        """Told what this process has made durable and shown, while the writers' lock is still held."""
        self._reach, self._index_from = reach, index_from
        self._projection: Projection | None = None
        self._makeshift = False  # the projection was built without a model
        self._whole: Projection | None = None
        self._accesses = AccessCounts(reconsolidate=reconsolidate)
        self._written = False
        self._alone = False  # the writers' lock is held here: nobody else can have written since it was taken
        self._closed = False

    @property
    def state(self) -> State:
        """What the store holds, caught up with other processes."""
        with self.mutex:
            self._catch_up()
            return self.store.state

    def record(self, ident: str) -> Record:
        """Return the live memory with an id.

        Raises:
            UnknownMemory: There is none.
        """
        self.check_known([ident])
        return self.store.state.records[ident]

    def check_known(
        self, idents: Sequence[str], *, forgotten_as_well: bool = False, erased_as_well: bool = False
    ) -> None:
        """Make sure that every id names a live memory, or one that was forgotten or erased where that will do as well.

        Raises:
            UnknownMemory: One does not.
        """
        state = self.state
        for ident in idents:
            out = forgotten_as_well and ident in state.forgotten
            if ident not in state.records and not out and not (erased_as_well and state.knows(ident)):
                raise UnknownMemory(f"there is no memory {ident!r}")

    def projection(self) -> Projection:
        """Return the projection, caught up; built on the first call and after another process has compacted."""
        with self.mutex:
            self._catch_up()
            if self._projection is None or self._makeshift:
                self._projection = self._build(self._projection)
                self._makeshift = False
            return self._projection

    def words(self) -> Projection:
        """Return the projection as far as it can be had without a model: its words and tapes are whole.

        Rows that only a model could make are missing until `projection` is called.
        """
        with self.mutex:
            self._catch_up()
            if self._projection is None:
                self._projection = self._build_without_model()
                self._makeshift = True
            return self._projection

    @property
    def successors(self) -> Container[str]:
        """Ids of the memories that hold in the place of others, as they stood when anybody looked last."""
        with self.mutex:
            return (self.words() if self._projection is None else self._projection).successors

    def whole(self) -> Projection:
        """Return the projection of all that can be found, forgotten memories included.

        It is built when it is first asked for, with a row for each memory that was ever written.
        """
        with self.mutex:
            self._catch_up()
            if self._whole is None:
                self._whole = self._filled(whole=True)
            return self._whole

    def footprint(self) -> Footprint:
        """Return what this memory takes of the process's memory, without loading anything."""
        with self.mutex:
            self._catch_up()
            built = [each for each in (self._projection, self._whole) if each is not None]
            return Footprint.of(self.store.state, self.store.waiting_keys, built)

    def encode(self, texts: Sequence[str], on_progress: Progress | None = None) -> Float32[np.ndarray, "k m"]:
        """Return texts' keys; that the memory takes this encoder's keys is checked before any work is done."""
        check_encoder(self.store.encoder, self.encoder.identity)
        return self.encoder.encode_passages(texts, on_progress)

    def keys_of(self, records: Sequence[Record]) -> dict[str, Float32[np.ndarray, "m"]]:
        """Return the keys of memories' texts by id: those on disk, and the rest encoded anew."""
        identity = self.encoder.identity
        check_encoder(self.store.encoder, identity)
        texts = {record.id: indexed_text(record.key, record.content) for record in records}
        with self.store.key_rows() as rows:
            places = {ident: rows.position(identity.digest(text)) for ident, text in texts.items()}
            here = {ident: place for ident, place in places.items() if place is not None}
            found = dict(zip(here, rows.taken(np.fromiter(here.values(), np.int64, len(here))), strict=True))
        missing = [ident for ident in texts if ident not in found]
        encoded = self.encoder.encode_passages([texts[ident] for ident in missing]) if missing else ()
        return found | dict(zip(missing, encoded, strict=True))

    def accessed(self, shares: Mapping[str, float], at: datetime) -> None:
        """Note what was given as an answer, with each one's share of attention relative to the best; see `accesses`."""
        with self.mutex:
            self._accesses.add(shares, at)
            if self._accesses.full:
                self._store_accesses()

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[State]:
        """Hold the writers' lock for a block, and give the state, caught up. Then fold an overgrown journal.

        Raises:
            StoreLocked: Another process has it; without `wait`, at once.
        """
        with self.mutex:
            self._check_open()
            with self.store.transaction(wait=wait) as changes:
                self._follow(changes)
                self._alone = True
                try:
                    yield self.store.state
                finally:
                    self._alone = False
                self._fold(closing=False)

    def commit(self, events: Sequence[Event]) -> None:
        """Make events durable, then visible. Called inside `transaction`.

        Raises:
            EncoderMismatch: An event brings a key, and another process has reindexed since it was made.
        """
        identity = self.store.encoder
        if any(isinstance(event, Memorized | Updated | Restored) and event.key_row is not None for event in events):
            check_encoder(identity, self.encoder.identity)
        whole = [*self._accesses.take(self.store.state), *events]
        self.store.commit(whole, self.encoder.identity if identity is None else identity)
        self._written = True
        self._show(whole)
        if self.on_commit is not None:
            self.on_commit(events)

    def reindex(self, on_progress: Progress | None) -> int:
        """Encode every memory anew with the present encoder, and return how many there were."""
        self._catch_up()
        if self.store.encoder is None:
            return 0
        with self.transaction() as state:
            texts = [indexed_text(record.key, record.content) for record in state.remembered()]
            keys = self.encoder.encode_passages(texts, on_progress)
            identity = self.encoder.identity
            self.store.rekey(KeyRows([identity.digest(text) for text in texts], keys), identity)
            self._projection = self._whole = None
            return len(state.records)

    def settle(self) -> None:
        """Store the access counts now, unless somebody is writing or the folder is read-only."""
        with self.mutex:
            self._store_accesses()

    def close(self) -> None:
        """Store the access counts and fold the journal, if that is due and nobody is writing; then let go.

        What was acknowledged is on disk in any case, except that durability "relaxed" waits for the disk here.
        """
        with self.mutex:
            if self._closed:
                return
            self._store_accesses()
            try:
                if self._written:
                    with self.store.transaction(wait=False):
                        self._fold(closing=True)
            except StoreLocked as error:
                logger.info("the journal was not folded on closing: %s", error.message)
            except StoreError as error:
                logger.warning("the journal was not folded on closing: %s", error.message)
            finally:
                self._closed = True
            self._let_go()
            self.store.flush()

    def _let_go(self) -> None:
        for projection in (self._projection, self._whole):
            if projection is not None:
                projection.matrix.close()

    def _store_accesses(self) -> None:
        """Store the access counts by themselves, unless somebody is writing or the folder is read-only."""
        if self._accesses.empty:
            return
        try:
            with self.store.transaction(wait=False) as changes:
                self._follow(changes)
                counted = self._accesses.take(self.store.state)
                if counted and self.store.encoder is not None:
                    self.store.commit(counted, self.store.encoder)
                    self._show(counted)
                    self._fold(closing=False)
        except StoreError as error:
            self._accesses.postpone()
            logger.info("access counts were not stored: %s", error.message)

    def _fold(self, *, closing: bool) -> None:
        """Fold the journal if it has grown enough. A fold that fails loses nothing, and is left to the next one."""
        if not self.store.worth_folding(closing=closing):
            return
        try:
            self.store.compact()
        except StoreError as error:
            logger.warning("the journal was not folded: %s", error.message)

    def _catch_up(self) -> None:
        self._check_open()
        if not self._alone:
            self._follow(self.store.refresh())

    def _follow(self, changes: Changes) -> None:
        if changes.reloaded:
            self._let_go()
            self._projection = self._whole = None
        self._show(changes.events)

    def _show(self, events: Sequence[Event]) -> None:
        for projection in (self._projection, self._whole):
            if projection is not None:
                for event in events:
                    projection.apply(event, self.store.state)
        if self._projection is not None and self._projection.outdated:
            self._projection = None
        if self._whole is not None and self._whole.outdated:
            self._whole = None

    def _build(self, makeshift: Projection | None) -> Projection:
        """Build the projection, out of the one that was built without a model if that has all rows."""
        if makeshift is not None and makeshift.complete:
            check_encoder(self.store.encoder, self.encoder.identity)
            makeshift.move_to(importlib.import_module(self.encoder.array_library))
            return makeshift
        return self._filled(whole=False)

    def _filled(self, *, whole: bool) -> Projection:
        identity = self.encoder.identity
        check_encoder(self.store.encoder, identity)
        xp = importlib.import_module(self.encoder.array_library)
        projection = Projection(xp, identity.dimension, self._reach, whole=whole, index_from=self._index_from)
        with self.store.key_rows() as rows:
            missing = projection.fill(self.store.state, rows, identity, self.encoder.encode_passages)
        self.store.supply(missing)
        return projection

    def _build_without_model(self) -> Projection:
        identity = self.encoder.known_identity or self.store.encoder
        if identity is None:
            raise LookupError("a memory that was never written has no words to look for")
        check_encoder(self.store.encoder, identity)
        projection = Projection(np, identity.dimension, self._reach, index_from=self._index_from)
        with self.store.key_rows() as rows:
            projection.fill(self.store.state, rows, identity, None)
        return projection

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the memory has been closed")


def check_encoder(wrote: EncoderIdentity | None, reads: EncoderIdentity) -> None:
    """Let a memory's keys meet those of their own encoder alone.

    Raises:
        EncoderMismatch: They differ, so that no cosine between them means anything.
    """
    if wrote is not None and wrote != reads:
        raise EncoderMismatch(f"the memory was written with the encoder {wrote}, but {reads} is configured")
