"""Which memory a request is for: the one that is served, or that of the agent that the host names with it.

An agent never chooses its memory. The host does, in the request's `_meta`, which no model can write to.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.errors import NTMMemoryError, UnknownAgent
from ntm_memory_skill.hosts.mcp.idle import SECONDS, Idle
from ntm_memory_skill.hosts.openclaw.contract import META_FILE, META_WORKSPACE

logger = logging.getLogger(__name__)

Meta = Mapping[str, Any]


class WarmUp:
    """Work that makes the first call quick: done once, in a thread of its own, by whoever begins it first."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._begun = False

    def begin(self) -> None:
        """Begin it, unless it was begun before."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._run, name="ntm-memory warm-up", daemon=True).start()

    def _run(self) -> None:
        try:
            self._work()
        except NTMMemoryError as error:  # the first call meets it again, and answers with it
            logger.warning("warming up failed: %s: %s", error.code, error.message)


class LazyMemory:
    """A memory that is opened by whoever needs it first, once.

    Args:
        open_it: Opens the memory. An error is raised to the caller, and the next call tries again.
    """

    def __init__(self, open_it: Callable[[], NTMMemoryManager]) -> None:
        self._open_it = open_it
        self._opening = threading.Lock()
        self._memory: NTMMemoryManager | None = None
        self._idle = Idle(0, lambda: None)
        self._warm_up = WarmUp(lambda: self.get().warm_up())

    def of(self, _: Meta) -> LazyMemory:
        """Return the memory that a request is for: this one, whatever the request says."""
        return self

    def get(self) -> NTMMemoryManager:
        """Return the memory, opening it if need be."""
        with self._opening:
            if self._memory is None:
                self._memory = memory = self._open_it()
                self._idle = Idle(
                    60 * memory.settings.m3.idle_minutes,
                    lambda: memory.consolidate(seconds=SECONDS, progress=False),
                )
            self._idle.touch()
            return self._memory

    def warm_up_in_background(self) -> None:
        """Open the memory and load its model in a thread of its own; a second call does nothing."""
        self._warm_up.begin()

    def close(self) -> None:
        """Close the memory if it was opened."""
        self._idle.stop()
        if self._memory is not None:
            self._memory.close()


class Memories(Protocol):
    """What a server has to offer."""

    def of(self, meta: Meta) -> LazyMemory:
        """Return the memory that a request with this `_meta` is for.

        Raises:
            UnknownAgent: The request does not say.
        """

    def warm_up_in_background(self) -> None:
        """Get ready for the first request, without waiting."""

    def close(self) -> None:
        """Close what was opened."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent's memory lies."""

    file: Path
    workspace: Path
    """Where its clawhub.json is looked for."""


class AgentMemories:
    """The memories of all agents of one host, each opened when its agent first needs it.

    Args:
        open_it: Opens the memory of a place.
        warm_up: Loads what all of them share, the model above all.
    """

    def __init__(self, open_it: Callable[[Place], NTMMemoryManager], warm_up: Callable[[], None]) -> None:
        self._open_it, self._warm_up = open_it, WarmUp(warm_up)
        self._finding = threading.Lock()
        self._memories: dict[Place, LazyMemory] = {}

    def of(self, meta: Meta) -> LazyMemory:
        """Return the memory that the host names: there is no other way to one.

        Raises:
            UnknownAgent: It names none, or not by absolute paths.
        """
        place = Place(_absolute(meta, META_FILE), _absolute(meta, META_WORKSPACE))
        with self._finding:
            if place not in self._memories:
                self._memories[place] = LazyMemory(lambda: self._open_it(place))
            return self._memories[place]

    def warm_up_in_background(self) -> None:
        """Load what the memories share, in a thread of its own; a second call does nothing."""
        self._warm_up.begin()

    def close(self) -> None:
        """Close all memories that were opened."""
        for memory in self._memories.values():
            memory.close()


def _absolute(meta: Meta, name: str) -> Path:
    named = meta.get(name)
    path = Path(named) if isinstance(named, str) else None
    if path is None or not path.is_absolute() or ".." in path.parts:
        raise UnknownAgent(f"the request's _meta holds no absolute path under {name!r}, but {named!r}")
    return path
