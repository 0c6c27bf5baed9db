"""Which given memories turned out to be of use, noted as it shows: what training learns from.

The law: nothing is kept unless `Settings.feedback` is on, for questions are private; what is kept is a question with
ids, never a memory's text; and no other verb fails because of it. The latest answer that gave a memory has the credit,
once for each way in which the memory was of use. After a purge, by whichever process, all answers from before it are
forgotten: their questions may quote what was purged.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.errors import StoreError
from ntm_memory_skill.model import Erased, Event, Feedback, How, Memorized, Updated
from ntm_memory_skill.sources import Clock

logger = logging.getLogger(__name__)

REMEMBERED = 16
"""Answers that a process remembers: a memory that is changed because of one is changed soon after it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    query: str
    ids: tuple[str, ...]
    """What was given, best first."""
    purges: int
    """How many memories had been purged by then."""
    credited: set[tuple[str, How]] = field(default_factory=set)
    """What has been noted of this question, shared by all answers to it."""


class Recalled:
    """The last answers of one memory in this process, and what came of them.

    Args:
        live: The memory.
        clock: Gives the time.
        keep: Whether anything is remembered and noted at all.
    """

    def __init__(self, live: LiveMemory, clock: Clock, *, keep: bool) -> None:
        self._live, self._clock, self._keep = live, clock, keep
        self._answers: deque[_Answer] = deque(maxlen=REMEMBERED)
        if keep:
            live.on_commit = self._follow

    def remember(self, query: str, idents: Sequence[str]) -> None:
        """Remember what a question was given."""
        if not self._keep or not idents:
            return
        with self._live.mutex:
            credited = next((each.credited for each in self._answers if each.query == query), set())
            self._answers.append(_Answer(query, tuple(idents), self._purges, credited))

    def used(self, idents: Sequence[str], query: str | None) -> int:
        """Note that memories were of use, and return of how many that was new.

        Args:
            idents: Their ids; all must name live memories, else nothing is noted.
            query: The question that they were given for, here or elsewhere; None takes the latest that gave them here.

        Raises:
            UnknownMemory: One of the ids names no live memory.
            StoreError: It could not be written.
        """
        self._live.check_known(idents, erased_as_well=False)
        if not self._keep:
            return 0
        with self._live.transaction():
            self._live.check_known(idents, erased_as_well=False)
            if query is not None:
                self.remember(query, [ident for ident in idents if self._answer(ident, query) is None])
            return sum(self._note(ident, "use", query) for ident in idents)

    @property
    def _purges(self) -> int:
        return len(self._live.store.state.tombstones)

    def _follow(self, events: Sequence[Event]) -> None:
        """Note what a commit shows. It is acknowledged by then: what goes wrong here concerns nobody else."""
        shown: list[tuple[str, How]] = []
        for event in events:
            match event:
                case Updated(id=ident):
                    shown.append((ident, "update"))
                case Memorized(record=record) if record.supersedes is not None:
                    shown.append((record.supersedes, "supersede"))
                case Erased(id=ident):
                    shown.append((ident, "erase"))
                case _:
                    pass
        try:
            for ident, how in shown:
                self._note(ident, how)
        except StoreError as error:
            logger.info("feedback was not kept: %s", error.message)

    def _note(self, ident: str, how: How, query: str | None = None) -> bool:
        """Credit the latest answer that gave a memory, and return whether that was new. Called inside a transaction."""
        answer = self._answer(ident, query)
        if answer is None or (ident, how) in answer.credited:
            return False
        feedback = Feedback(query=answer.query, ids=answer.ids, used=ident, how=how, at=self._clock())
        self._live.store.keep_feedback(feedback)
        answer.credited.add((ident, how))
        return True

    def _answer(self, ident: str, query: str | None) -> _Answer | None:
        """Return the latest answer since the last purge that gave a memory; with a question, the latest to that."""
        return next(
            (
                each
                for each in reversed(self._answers)
                if each.purges == self._purges and ident in each.ids and query in (None, each.query)
            ),
            None,
        )
