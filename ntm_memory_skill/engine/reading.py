"""The memory's read head at work: from a question to a sight of the memory, with what each chat left behind.

The law of the read path: the model works before anything is locked, and what is looked at holds still while it is
looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64

from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine import recall as read_path
from ntm_memory_skill.engine.analog import Analog
from ntm_memory_skill.engine.contexts import Contexts
from ntm_memory_skill.engine.cue import Cue, CueMaker
from ntm_memory_skill.engine.evidence import gather, statistics
from ntm_memory_skill.engine.explaining import Explanation, explain
from ntm_memory_skill.engine.hopping import Itinerary, Journey, further
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.loading import BackgroundLoad
from ntm_memory_skill.engine.modes import IN_HOPS, addressing_for, arranged, wide
from ntm_memory_skill.engine.projection import Projection
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.engine.sessions import LastFocus, SessionFocuses
from ntm_memory_skill.engine.settings import ReasoningSettings, Settings
from ntm_memory_skill.engine.trained import TrainedHead, stacked, trust, weights_in_order
from ntm_memory_skill.errors import InvalidArgument, UnusableHead
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.model import Hit, Query
from ntm_memory_skill.ntm import Similarity
from ntm_memory_skill.sources import Clock

logger = logging.getLogger(__name__)

WHOLLY = 1 - 1e-4
"""Share of a question's words, by their rarity, that a memory holds if it holds all of them."""
UNSEEN = "Drop the filters that leave it out; one that was superseded is seen with include_superseded."


@dataclass(frozen=True)
class Examination:
    """What the heads would be given for one question: what training learns from. Shapes as in `recall.focus`."""

    terms: Float32[np.ndarray, "terms n"]
    """In the order of `evidence.TERMS`; one that is missing is 0."""
    weights: Float32[np.ndarray, "terms"]
    """ω₀."""
    statistics: Float32[np.ndarray, "s"]
    trust: Float32[np.ndarray, "terms"]
    sources: Int64[np.ndarray, "width n"]
    relative_lengths: Float32[np.ndarray, "width n"]


class Reader:
    """Looks into one memory.

    Args:
        live: The memory.
        encoder: What makes keys of questions.
        settings: How it looks.
        clock: Gives the time that "last week" is counted from.
    """

    def __init__(self, live: LiveMemory, encoder: Encoder, settings: Settings, clock: Clock) -> None:
        self._live, self._clock = live, clock
        self._settings, self._reasoning = settings.addressing, settings.reasoning
        self._latest_first = settings.m3.latest_first
        self._cues = CueMaker(encoder, settings.addressing)
        self._loading = BackgroundLoad(encoder) if settings.answer_while_loading else None
        self._focuses = SessionFocuses()
        self._contexts = Contexts(live, settings.m3)
        self._backend, self._analog = settings.backend, Analog(live, settings.crossbar, clock)

    @cached_property
    def trained(self) -> TrainedHead | None:
        """The head that was trained for this memory; None where there is none, or none that can be used."""
        kept = self._live.store.beside("head") if self._settings.trained else None
        identity = self._live.store.encoder
        if kept is None or identity is None:
            return None
        try:
            head = TrainedHead.from_json(kept, identity.name)
            head.check_kernel(self._settings.head)
        except UnusableHead as error:
            logger.warning("%s; the default head is used instead", error.message)
            return None
        return head

    @cached_property
    def policy(self) -> TrainedPolicy | None:
        """The hop policy that was trained for this memory; None where there is none, or none that can be used."""
        kept = self._live.store.beside("hops") if self._reasoning.trained else None
        identity = self._live.store.encoder
        if kept is None or identity is None:
            return None
        try:
            return TrainedPolicy.from_json(kept, identity.name)
        except UnusableHead as error:
            logger.warning("%s; the configured hop policy is used instead", error.message)
            return None

    def check(self, learnt: TrainedHead | TrainedPolicy) -> None:
        """Make sure that what was trained can be used here. Raises UnusableHead."""
        identity = self._live.store.encoder or self._live.encoder.known_identity
        if identity is not None:
            learnt.check_encoder(identity.name)
        if isinstance(learnt, TrainedHead):
            learnt.check_kernel(self._settings.head)

    def take(self, head: TrainedHead | None) -> None:
        """Look with this head from now on, whichever the store keeps; None for the default one."""
        with self._live.mutex:
            self.__dict__["trained"] = head
            self._focuses.forget_states()

    def read_on(self, policy: TrainedPolicy | None) -> None:
        """Weigh clues by this policy from now on, whichever the store keeps; None for the configured one."""
        with self._live.mutex:
            self.__dict__["policy"] = policy

    def wide(self, query: Query, reranking: Reranking) -> Query:
        """Return a query for as many hits as `arranged` has use for; a reranker's order is left to it."""
        puts_first = self._latest_first and query.mode == "adaptive" and not reranking.decides
        arranges = query.filters.include_superseded or puts_first
        return wide(query) if arranges else query

    def arranged(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """Return an answer's hits in the order in which they are given; see `modes.arranged`."""
        return arranged(query, hits, self._live.successors if self._latest_first and hits else None)

    def heard(self, session: str | None, key: Float32[np.ndarray, "m"]) -> None:
        """Take in what was said in a chat: the working context of its next call."""
        self._contexts.heard(session, key)

    def context(self, session: str | None) -> Float32[np.ndarray, "m"] | None:
        """Return what is being talked about in a chat, as a unit key; None where nothing was said yet."""
        return self._contexts.context(session)

    def examine(self, query: Query) -> Examination:
        """Return what the heads would be given for a question. The memory must not be empty."""
        with self._prepared(query) as found:
            if found is None:
                raise LookupError("an empty memory cannot be examined")
            projection, cue, admitted = found
            evidence = gather(projection, cue, self._settings, admitted, learnt=True)
            shown = statistics(evidence, cue, projection)
            return Examination(
                terms=stacked(evidence),
                weights=weights_in_order(evidence),
                statistics=shown,
                trust=trust(shown),
                sources=projection.derived.sources,
                relative_lengths=projection.derived.relative_lengths,
            )

    def travel(self, query: Query) -> Itinerary | None:
        """Return what was said on the journey of a question; None where it was read once."""
        with self.addressed(query) as seen:
            return seen.journey.itinerary() if seen is not None and isinstance(seen.journey, Journey) else None

    def search(self, query: Query) -> list[Hit]:
        """Return the hits for a query, best first, and remember for its chat where the head looked."""
        with self.addressed(query) as seen:
            if seen is None:
                return []
            if query.session is not None and not query.filters.include_forgotten:
                weights, written = seen.focus.stages.shifted, self._live.store.state.next_ordinal
                self._focuses.remember(query.session, LastFocus(weights, written, seen.focus.state))
            if seen.cue.key is not None:
                self.heard(query.session, seen.cue.key)
            return self._as_stored(query, read_path.hits(seen, query))

    def search_explained(self, query: Query, given: int) -> tuple[list[Hit], Explanation | None]:
        """Return the hits for a query, and why the one behind the first `given` is not among these, if there is one."""
        with self.addressed(query) as seen:
            if seen is None:
                return [], None
            hits = read_path.hits(seen, replace(query, top_k=max(query.top_k, given + 1)))
            missed = hits[given].record.slot if len(hits) > given else None
            why = None if missed is None else explain(seen, missed, replace(query, top_k=given))
            return self._as_stored(query, hits[: query.top_k]), why

    def explain(self, ident: str, query: Query) -> Explanation:
        """Return why a memory stands where it stands. Raises InvalidArgument where it is not among those to be seen."""
        with self.addressed(query) as seen:
            slot = None if seen is None else seen.projection.slot(ident)
            if seen is None or slot is None or not bool(seen.focus.ground.present[slot]):
                raise InvalidArgument(f"the memory {ident!r} is not among those that may be seen", hint=UNSEEN)
            return explain(seen, slot, query)

    @contextmanager
    def addressed(self, query: Query) -> Iterator[read_path.Sight | None]:
        """Address the memory, and hold it still for the block. None where the filters let nothing through."""
        with self._prepared(query) as found:
            if found is None:
                yield None
                return
            projection, cue, admitted = found
            settings = addressing_for(query.mode, self._settings)
            past = self._past(query, projection, admitted)
            trained = self.trained if query.mode == "adaptive" else None
            focus = read_path.focus(projection, cue, settings, admitted, past, trained)
            seen = read_path.Sight(projection, cue, focus)
            yield further(seen, self._hops(query), self._weighed(query)) if settings.content else seen

    @contextmanager
    def _prepared(self, query: Query) -> Iterator[tuple[Projection, Cue, Bool[np.ndarray, "n"]] | None]:
        """Hold the memory still for the block, with the question encoded and the filters applied."""
        state, forgotten = self._live.state, query.filters.include_forgotten
        if not state.records and not (forgotten and state.forgotten):
            yield None  # no model is loaded to find nothing
            return
        by_words = self._loading is not None and self._loading.under_way()
        look = self._live.words if by_words else self._live.whole if forgotten else self._live.projection
        look()
        make = self._cues.of_words if by_words else self._cues.make
        now = self._clock()
        cue = make(query.text, now)
        # the slow part is over, and nobody else had to wait for it
        with self._live.mutex:
            projection = look()
            admitted = projection.admitted(query.filters, now)
            if query.mode == "exact":
                admitted &= projection.lexical.match(cue.terms, len(projection)).coverage > WHOLLY
            if not by_words:
                cue = replace(cue, context=self.context(query.session), matcher=self._matcher(query, projection))
            yield (projection, cue, admitted) if admitted.any() else None

    def close(self) -> None:
        """Write down what is worth keeping of how the memory was looked at."""
        with self._live.mutex:
            self._analog.keep()

    def _matcher(self, query: Query, projection: Projection) -> Similarity | None:
        """Return what matches the query's key with the rows; None for the matrix's own way.

        Forgotten memories have no row in the crossbar: where they may be seen, all are matched exactly.
        """
        backend = self._backend if query.backend is None else query.backend
        return None if backend == "dense" or query.filters.include_forgotten else self._analog.similarity(projection)

    def _hops(self, query: Query) -> int | None:
        """Return how often to read for a query; None goes by its form."""
        if query.mode not in IN_HOPS:
            return 1
        return self._reasoning.hops if query.hops is None else query.hops

    def _weighed(self, query: Query) -> ReasoningSettings:
        """Return how to read on: by the trained policy only where the trained head looks, too."""
        policy = self.policy if query.mode == "adaptive" else None
        return self._reasoning if policy is None else replace(self._reasoning, policy=policy.policy)

    def _as_stored(self, query: Query, hits: list[Hit]) -> list[Hit]:
        """Return hits with the memories in the slots that they have, where they were looked at in other ones."""
        if not query.filters.include_forgotten:
            return hits
        state = self._live.store.state
        return [replace(hit, record=state.anywhere(hit.id) or hit.record) for hit in hits]

    def _past(self, query: Query, projection: Projection, admitted: Bool[np.ndarray, "n"]) -> read_path.Past:
        """Return what the chat's last recall left: nothing where there was none, so that the gate stands open."""
        gated = self._settings.hybrid and not query.filters.include_forgotten
        last = self._focuses.last(query.session) if gated else None
        today = None if last is None else last.today(projection, admitted)
        if today is None and not self._settings.content:
            today = projection.newest(admitted)
        return read_path.Past(today, None if last is None else last.state)
