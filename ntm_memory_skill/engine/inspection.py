"""How the memory's head looks: where, why, and with which weights; and what room the memory takes."""

from __future__ import annotations

from typing import Any

from ntm_memory_skill.engine import recall as read_path
from ntm_memory_skill.engine import validation
from ntm_memory_skill.engine.answers import Attention
from ntm_memory_skill.engine.explaining import Explanation
from ntm_memory_skill.engine.footprint import Footprint
from ntm_memory_skill.engine.hopping import Itinerary
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.reading import Examination, Reader
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.engine.trained import TrainedHead
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.model import Query


class Inspectable:
    """The part of a memory that shows and changes how it is looked at."""

    settings: Settings
    _live: LiveMemory
    _reader: Reader

    def footprint(self) -> Footprint:
        """Return what the memory takes of this process's memory, part by part: an estimate; nothing is loaded for it.

        Raises:
            StoreClosed: The memory has been closed.
        """
        return self._live.footprint()

    def attention(self, query: str) -> Attention:
        """Return where the head looks for a question, stage by stage, over all live memories in the order of time.

        Raises:
            InvalidContent: See `search`.
        """
        text = validation.content(query, self.settings.content_limit)
        with self._reader.addressed(Query(text=text)) as seen:
            return Attention() if seen is None else read_path.attention(seen)

    def explain(self, ident: str, query: str, *, top_k: int = 5, **filters: Any) -> Explanation:
        """Return why a memory stands where it stands for a question: what keeps it from the first `top_k`, or in them.

        A reranker, if there is one, has no part in it.

        Raises:
            UnknownMemory: No live memory has the id.
            InvalidArgument: The filters do not let it through, or see `search`.
            InvalidContent: See `search`.
            UnknownFilter: See `search`.
        """
        asked = validation.question(query, top_k, filters, self.settings.content_limit)
        self._live.record(ident)
        return self._reader.explain(ident, asked)

    def examine(self, query: str, **filters: Any) -> Examination:
        """Return what the heads would be given for a question: what `ntm_memory_skill.learning` trains on.

        Raises:
            LookupError: The memory is empty.
            InvalidContent: See `search`.
            UnknownFilter: See `search`.
        """
        text = validation.content(query, self.settings.content_limit)
        return self._reader.examine(Query(text=text, filters=validation.filters(filters)))

    def travel(self, query: str, *, hops: int | None = None) -> Itinerary | None:
        """Return what was said on the journey of a question: what `ntm_memory_skill.learning` trains hop policies on.

        None where it was read once, as most questions are, and where the memory is empty.

        Args:
            query: The question.
            hops: See `search`.

        Raises:
            InvalidContent: See `search`.
            InvalidArgument: See `search`.
        """
        return self._reader.travel(validation.question(query, 1, {"hops": hops}, self.settings.content_limit))

    @property
    def head(self) -> TrainedHead | None:
        """The trained head that it looks with; None for the default one."""
        return self._reader.trained

    def use_head(self, head: TrainedHead | None, *, keep: bool = False) -> None:
        """Look with a trained head from now on; None for the default one.

        Args:
            head: The head.
            keep: Also write it beside the memory, or remove the one there, for whoever opens it next.

        Raises:
            UnusableHead: It was made for another encoder, or another kernel.
            StoreError: It could not be written.
        """
        if head is not None:
            self._reader.check(head)
        if keep:
            with self._live.transaction():
                self._live.store.keep_beside("head", None if head is None else head.to_json())
        self._reader.take(head)

    @property
    def hop_policy(self) -> TrainedPolicy | None:
        """The trained policy that it reads on by; None for the configured one."""
        return self._reader.policy

    def use_hop_policy(self, policy: TrainedPolicy | None, *, keep: bool = False) -> None:
        """Weigh by a trained policy what leads on from now on; None for the configured one.

        Args:
            policy: The policy.
            keep: Also write it beside the memory, or remove the one there, for whoever opens it next.

        Raises:
            UnusableHead: It was made for another encoder.
            StoreError: It could not be written.
        """
        if policy is not None:
            self._reader.check(policy)
        if keep:
            with self._live.transaction():
                self._live.store.keep_beside("hops", None if policy is None else policy.to_json())
        self._reader.read_on(policy)
