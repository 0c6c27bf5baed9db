"""Recalling before a turn and keeping after it, for hosts that do both without the model's asking."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable

from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.hosts.turns.block import memory_block, spoken
from ntm_memory_skill.hosts.turns.capture import worth_keeping
from ntm_memory_skill.lexical import says_something
from ntm_memory_skill.m3 import bare, restates

LONGEST_QUERY = 1_000  # characters of a message: what it is about stands in its beginning
CANDIDATES = 8
AS_LONG_AS_THEY_ARE = 1_000_000  # characters: the block cuts long memories short
CHATS = 64  # whose recalled texts are kept in mind; the one that was quiet longest gives way
RECALLED = 200  # texts a chat
FRAGMENT = 16  # characters from which a piece of a text is told by its characters alone
SOURCE, TAG = "chat", "auto-capture"


class Turns:
    """The turns of the chats that use one memory. Safe to use from several threads.

    What was put before the model in a chat is kept in mind, so that a user who repeats it, or a host that passes it
    back, does not have it memorized again.

    Args:
        memory: Where to recall from, and to keep in.
    """

    def __init__(self, memory: NTMMemoryManager) -> None:
        self._memory = memory
        self._noting = threading.Lock()
        self._recalled: OrderedDict[str | None, deque[str]] = OrderedDict()

    def begin(self, message: str, *, session: str | None = None, budget: int) -> str | None:
        """Return what to put before the model for a message: a fenced block, or None where nothing stands out.

        A memory stands out if the head looks at it at least as hard as it would by looking at all of them evenly.

        Args:
            message: What the user says.
            session: The chat.
            budget: Characters of the block.
        """
        query = spoken(message)[:LONGEST_QUERY]
        if not says_something(query):
            return None
        found = self._memory.recall(query, session=session, budget=AS_LONG_AS_THEY_ARE, top_k=CANDIDATES)
        evenly = (1 - 1e-6) / max(1, len(self._memory))  # the tolerance of rounding
        hits = [hit for hit in found.hits if hit.score >= evenly]
        block = memory_block(hits, budget)
        if block is not None:
            self._note(session, [hit.content for hit in hits])
        return block

    def end(self, message: str, *, session: str | None = None) -> list[str]:
        """Memorize what of the user's own words sounds worth keeping, and return the ids.

        A sentence that stands, word for word, in a text that was recalled in this chat or is in the memory already is
        passed over, and so is one that says the same in other words.
        """
        kept = []
        for sentence in worth_keeping(spoken(message)):
            known = [hit.content for hit in self._memory.search(sentence, top_k=CANDIDATES, counted=False)]
            told = [*self._said(session), *known]
            if not _stands_in(sentence, told) and not restates(sentence, told):
                kept.append(self._memory.memorize(sentence, session=session, source=SOURCE, tags=[TAG]).id)
        return kept

    def _note(self, session: str | None, texts: Iterable[str]) -> None:
        with self._noting:
            self._recalled.setdefault(session, deque(maxlen=RECALLED)).extend(texts)
            self._recalled.move_to_end(session)
            if len(self._recalled) > CHATS:
                self._recalled.popitem(last=False)

    def _said(self, session: str | None) -> list[str]:
        with self._noting:
            return list(self._recalled.get(session, ()))


def _stands_in(sentence: str, texts: Iterable[str]) -> bool:
    """Return whether the words of a sentence stand in a text; a longer one may be cut off within words."""
    words = f" {bare(sentence)} "
    sought = words.strip() if len(words) >= FRAGMENT else words
    return any(sought in f" {bare(text)} " for text in texts)
