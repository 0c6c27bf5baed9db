"""`NTMMemoryManager`: the memory's verbs, over text, words, matrix and files."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ntm_memory_skill.encoder import EXPORTS, Encoder, Progress, load_encoder
from ntm_memory_skill.engine import erasure, near_miss, validation
from ntm_memory_skill.engine.answers import Note, Receipt, Recollection
from ntm_memory_skill.engine.explaining import Explanation
from ntm_memory_skill.engine.feedback import Recalled
from ntm_memory_skill.engine.inspection import Inspectable
from ntm_memory_skill.engine.lifecycle import Lifecycle
from ntm_memory_skill.engine.likeness import resembling
from ntm_memory_skill.engine.live import LiveMemory, check_encoder
from ntm_memory_skill.engine.neighbourhood import around
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.engine.reading import Reader
from ntm_memory_skill.engine.recollecting import candidates
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.engine.visiting import Visitable
from ntm_memory_skill.engine.writing import Writer
from ntm_memory_skill.errors import MemoryFull, StoreError
from ntm_memory_skill.m3.association import Cue
from ntm_memory_skill.model import EncoderIdentity, Filters, Hit, Record, indexed_text
from ntm_memory_skill.sources import Clock, Ids, random_ids, system_clock
from ntm_memory_skill.store import DirectoryStore, State, Store

logger = logging.getLogger(__name__)


class NTMMemoryManager(Inspectable, Lifecycle, Visitable):
    """A memory: memorize, recall, search, update, erase.

    Safe to use from several threads; several processes may open the same files. Close it, or use it in a `with`.

    Args:
        store: Where memories are kept.
        encoder: What makes their keys.
        settings: How it works.
        clock: Gives the time.
        ids: Gives new ids.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
        ids: Ids = random_ids,
    ) -> None:
        self.settings = Settings() if settings is None else settings
        self._live = LiveMemory(
            store,
            encoder,
            self.settings.addressing.head.reach,
            index_from=self.settings.index_from,
            reconsolidate=self.settings.m3.reconsolidate,
        )
        self._reader = Reader(self._live, encoder, self.settings, clock)
        self.reranking = Reranking.of(self.settings)  # a host may put one in its place that several memories share
        self._writer = Writer(self._live, self.settings, clock, ids)
        self._recalled = Recalled(self._live, clock, keep=self.settings.feedback)
        self._clock, self._ids = clock, ids

    @classmethod
    def open(
        cls,
        path: str | Path = "memory/ntm_memory.json",
        *,
        settings: Settings | None = None,
        encoder: Encoder | None = None,
        require_encoder: bool = True,
        clock: Clock = system_clock,
        ids: Ids = random_ids,
    ) -> Self:
        """Open the memory in a file, or start one; the file appears with the first memory.

        Neither torch nor a model is loaded before the first call that needs one.

        Args:
            path: The file, or the folder that holds `ntm_memory.json`.
            settings: How it works; None takes the defaults.
            encoder: What makes its keys; None takes the one that the settings name.
            require_encoder: False opens a memory of another encoder as well: to read, export, erase or reindex it.
            clock: Gives the time.
            ids: Gives new ids.

        Raises:
            EncoderMismatch: Another encoder wrote it, as far as can be told without loading a model; else the first
                call that encodes raises it.
            StoreDamaged: The files do not hold what was written.
            StoreUnreachable: They cannot be read.
        """
        settings = Settings() if settings is None else settings
        store = DirectoryStore(Path(path), clock=clock, settings=settings.store)
        if encoder is None:
            exports = settings.encoder.exports or store.paths.folder / EXPORTS
            encoder = load_encoder(replace(settings.encoder, exports=exports))
        if require_encoder and encoder.known_identity is not None:
            check_encoder(store.encoder, encoder.known_identity)
        return cls(store, encoder, settings, clock=clock, ids=ids)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many live memories there are."""
        return len(self.state.records)

    @property
    def state(self) -> State:
        """What the store holds, caught up with other processes. Read it; the verbs change it."""
        return self._live.state

    @property
    def encoder(self) -> EncoderIdentity | None:
        """Whose keys the stored memories have; None before the first."""
        return self._live.store.encoder

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found amiss in the files and mended."""
        return self._live.store.warnings

    def warm_up(self) -> None:
        """Load the models and the matrix now, so that the next call need not. May be called from another thread."""
        self._live.encoder.warm_up()
        self._live.projection()
        self.reranking.warm_up()

    def get(self, ident: str) -> Record:
        """Return the live memory with an id.

        Raises:
            UnknownMemory: There is none.
        """
        return self._live.record(ident)

    def memorize(self, content: str, *, force: bool = False, **fields: Any) -> Note:
        """Store one memory. When this returns, it is on disk.

        What a memory says already is stored once, and counted there; what no longer holds because of it is superseded
        (`settings.m3`). The note says which.

        Args:
            content: The text.
            force: Store it as a memory of its own, whatever it repeats.
            **fields: key, importance (0–1), tags, type, session, at (datetime or ISO 8601; since then it holds),
                valid_until (when it stops), source, ref, supersedes (id of the memory that this one replaces), pinned
                (never forgotten), id (the one it had, where it comes back from an export).

        Raises:
            InvalidContent: Content that is empty, too long, or holds control characters.
            InvalidArgument: A field of the wrong type or out of range.
            UnknownArgument: A field that memories do not have.
            UnknownMemory: `supersedes` names no live memory.
            MemoryFull: All slots are taken, and nothing may be forgotten.
            StoreError: It could not be written; nothing was stored.
        """
        draft = validation.draft({"content": content, **fields}, self.settings.content_limit)
        text = indexed_text(draft.key, draft.content)
        keys = self._live.encode([text])
        with self._live.mutex:  # the slow part of a first call, before other writers are made to wait
            self._live.projection().saying(draft.content)
        with self._live.transaction() as state:
            now = self._clock()
            happened = now if draft.at is None else draft.at
            cue = Cue(key=keys[0], at=happened.timestamp(), context=self._reader.context(draft.session))
            alike = resembling(self._live.projection(), draft.key, draft.content, cue, now)
            note = self._writer.take_in(draft, keys[0], alike, state, force=force)
        self._reader.heard(draft.session, keys[0])
        return note

    def memorize_many(
        self, items: Iterable[Mapping[str, Any]], *, progress: bool | Progress | None = None
    ) -> list[str]:
        """Store many memories as one transaction, all or none, and return their ids in order.

        Each is stored as it is, as the record of a chat should be: `consolidate` looks for what repeats and what no
        longer holds.

        Args:
            items: Mappings with the arguments of `memorize`.
            progress: True or False to show a bar on standard error or not, None to show one on a terminal; or a
                function that is called with (done, in all).

        Raises:
            The same as `memorize`; of an item that is not acceptable, the message gives the number, from 0.
        """
        drafts = validation.drafts(items, self.settings.content_limit)
        if not drafts:
            return []
        with bar("memorizing", progress) as advance:
            keys = self._live.encode([indexed_text(draft.key, draft.content) for draft in drafts], advance)
        self._live.projection()
        with self._live.transaction() as state:
            return [record.id for record in self._writer.write(drafts, keys, state)]

    def search(
        self, query: str, *, top_k: int = 5, context: int = 0, counted: bool = True, **filters: Any
    ) -> list[Hit]:
        """Return the memories that answer a question, best first.

        Args:
            query: The question, as it was asked.
            top_k: How many at most, 1 to 1000.
            context: How many memories before and after each hit on its tape come with it, 0 to 10: see `neighbourhood`.
            counted: Whether the hits are given as an answer: False leaves no trace of the search.
            **filters: tags (all of them), type, session, since, until, as_of; include_superseded, include_forgotten
                (True: also what no longer holds, or is out of the matrix); mode (one of `MODES`).

        Raises:
            InvalidContent: An empty query, or one with control characters.
            InvalidArgument: `top_k`, `context` or a filter's value is out of range.
            UnknownFilter: There is no such filter.
            EncoderMismatch: The memory was written with another encoder.
        """
        asked = validation.question(query, top_k, filters, self.settings.content_limit)
        reach = validation.count("context", context, validation.CONTEXT_LIMIT, least=0)
        hits = self._reader.arranged(
            asked, self.reranking.best(self._reader.wide(asked, self.reranking), self._reader.search)
        )
        shown = around(self._live, hits, reach, asked.filters, self._clock())
        return self._given(asked.text, shown) if counted else shown

    def search_explained(
        self, query: str, *, top_k: int = 5, context: int = 0, **filters: Any
    ) -> tuple[list[Hit], Explanation | None]:
        """Search, and also return why the best memory that is not given is not: see `near_miss`. Raises as `search`."""
        asked = validation.question(query, top_k, filters, self.settings.content_limit)
        reach = validation.count("context", context, validation.CONTEXT_LIMIT, least=0)
        hits, missed = near_miss.search(self._reader, self.reranking, asked)
        return self._given(asked.text, around(self._live, hits, reach, asked.filters, self._clock())), missed

    def recall(
        self,
        query: str | None = None,
        *,
        key: str | None = None,
        session: str | None = None,
        budget: int | None = None,
        top_k: int | None = None,
        context: int = 0,
        **how: Any,
    ) -> Recollection:
        """Return the best memories that fit a budget of characters, ready to be put before a model.

        Args:
            query: What it is about.
            key: A memory's name. Memories so named come first, newest first; then what the query finds.
            session: The chat that asks; where it looked last draws it a little (the interpolation gate).
            budget: Characters of content in all; None takes `settings.recall_budget`. The best hit always comes.
            top_k: How many at most; None takes as many as fit.
            context: As in `search`, as much of it as fits into what the hits leave of the budget.
            **how: include_superseded, include_forgotten and mode, as in `search`.

        Raises:
            InvalidArgument: Neither query nor key was given, or the budget, `top_k` or `context` is out of range.
            InvalidContent: See `search`.
        """
        name = validation.name("key", key)
        text = validation.recall_text(query, name, self.settings.content_limit)
        limit = self.settings.recall_budget if budget is None else validation.count("budget", budget, 1_000_000)
        most = validation.TOP_K_LIMIT if top_k is None else validation.count("top_k", top_k, validation.TOP_K_LIMIT)
        reach = validation.count("context", context, validation.CONTEXT_LIMIT, least=0)
        wanted = validation.manner(text, session, how)
        found = candidates(self._reader, self.reranking, wanted, name, asked=query is not None)
        given = Recollection.within(found, limit, most)
        hits = around(self._live, given.hits, reach, Filters(), self._clock(), limit - given.characters)
        return given.with_context(self._given(text, hits))

    def update(
        self,
        ident: str,
        content: str | None = None,
        *,
        importance: float | None = None,
        tags: Sequence[str] | None = None,
        reason: str | None = None,
        pinned: bool | None = None,
    ) -> Record:
        """Give a memory a new version at the same address. The old one is kept beneath it.

        Raises:
            UnknownMemory: No live memory has the id.
            InvalidArgument: Nothing to change was given, or a value is out of range.
            InvalidContent: See `memorize`.
        """
        given = {"content": content, "importance": importance, "tags": tags, "reason": reason, "pinned": pinned}
        change = validation.change(given, self.settings.content_limit)
        return self._writer.update(ident, change)

    def erase(self, *idents: str, strength: float = 1.0, purge: bool = False, reason: str | None = None) -> Receipt:
        """Erase memories, in part or altogether.

        Args:
            *idents: Their ids; all must be known, else nothing is erased.
            strength: How far, 0 to 1. Below 1 the rows only fade, and match less.
            purge: Also remove the text from every file. Works on what was erased before, too, and may be repeated.
            reason: Kept with what is not purged.

        Raises:
            UnknownMemory: One of the ids is not known.
            InvalidArgument: No id, or a strength outside 0 to 1, or a purge of less than all.
        """
        share = validation.erasure(idents, strength, purge=purge)
        why = validation.name("reason", reason)
        self._live.check_known(idents, forgotten_as_well=share == 1, erased_as_well=purge)
        if share < 1:
            return erasure.fade(self._live, self._clock, idents, share)
        remove = erasure.purge if purge else erasure.erase
        return remove(self._live, self._clock, idents, why)

    def restore(self, *idents: str) -> list[Record]:
        """Bring memories back that were erased, forgotten or merged, as they were; what was purged is gone.

        `state.archive` and `state.forgotten` list them. A live memory that was superseded holds again.

        Raises:
            UnknownMemory: One of the ids is in neither, and not superseded; nothing was restored.
            InvalidArgument: No id, or one that is there twice.
            MemoryFull: There are not enough free slots, and nothing that may be forgotten in turn.
            StoreError: It could not be written.
        """
        validation.erasure(idents, 1.0, purge=False)
        return erasure.restore(self._live, self._clock, idents, self.settings)

    def used(self, *idents: str, query: str | None = None) -> int:
        """Tell that memories which were given were of use; return of how many that was noted (`settings.feedback`).

        Args:
            *idents: Their ids; all must be known, else nothing is noted.
            query: The question that they were given for; None takes the latest that gave them in this process.

        Raises:
            UnknownMemory: One of the ids names no live memory.
            InvalidArgument: No id, or one that is there twice.
            InvalidContent: See `search`.
            StoreError: It could not be written.
        """
        validation.identifiers("used", idents)
        asked = None if query is None else validation.content(query, self.settings.content_limit)
        return self._recalled.used(idents, asked)

    def compact(self) -> tuple[str, ...]:
        """Fold the journal into the snapshot now, and return the names of the files that were rewritten."""
        with self._live.transaction():
            return self._live.store.compact()

    def reindex(self, *, progress: bool | Progress | None = None) -> int:
        """Encode every memory anew with the present encoder, and return how many there were.

        Memories that other processes write meanwhile are encoded with the rest.
        """
        with bar("encoding anew", progress) as advance:
            return self._live.reindex(advance)

    def close(self) -> None:
        """Fold the journal into the snapshot if that is due, and let go. Closing twice is harmless."""
        self._reader.close()
        self._live.close()

    def _given(self, query: str, hits: list[Hit]) -> list[Hit]:
        """Count memories that are given as an answer, and remember what to."""
        self._bring_back(hits)
        best = max((hit.score for hit in hits), default=1.0)
        self._live.accessed({hit.id: hit.score / best if best > 0 else 1.0 for hit in hits}, self._clock())
        self._recalled.remember(query, [hit.id for hit in hits])
        return hits

    def _bring_back(self, hits: list[Hit]) -> None:
        """Restore what was forgotten and is recalled now, if nobody is writing; else it is given all the same."""
        forgotten = self._live.store.state.forgotten
        out = [hit.id for hit in hits if hit.id in forgotten and forgotten[hit.id].merged_into is None]
        if out:
            try:
                erasure.restore(
                    self._live, self._clock, out, self.settings, beside=[hit.id for hit in hits], wait=False
                )
            except (StoreError, MemoryFull) as error:
                logger.info("what was recalled was not restored: %s", error.message)
