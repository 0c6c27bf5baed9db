"""A memory as somebody else finds it who opens it for one call: what a resident gives each command.

The law: a visit answers what a process of its own would. It has heard nothing of any chat, it waits for models, and
what being recalled does is on disk when it ends. It only need not load what is loaded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Self

from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.reading import Reader
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.sources import Clock


class Visitable:
    """The part of a memory that lets several use it, each as if it were theirs alone."""

    settings: Settings
    reranking: Reranking
    _live: LiveMemory
    _reader: Reader
    _clock: Clock

    @contextmanager
    def visit(self) -> Iterator[Self]:
        """Give this memory for a block as if it had just been opened, without a past and without haste.

        Raises:
            StoreClosed: This one has been closed.
        """
        guest = copy.copy(self)
        guest.settings = replace(self.settings, answer_while_loading=False)
        guest.reranking = self.reranking.waiting()
        guest._reader = Reader(self._live, self._live.encoder, guest.settings, self._clock)  # noqa: SLF001  # of this class
        try:
            yield guest
        finally:
            guest._reader.close()  # noqa: SLF001  # of this class
            self._live.settle()
