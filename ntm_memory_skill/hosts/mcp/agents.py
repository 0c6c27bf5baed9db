"""What the OpenClaw plugin asks beyond the five tools: what to put before a turn, and what to keep after it.

These are requests of the host's own, no tools: no model sees or calls them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Annotated

from mcp.server.lowlevel import Server
from mcp_types import RequestParams
from pydantic import Field

from ntm_memory_skill.errors import NTMMemoryError
from ntm_memory_skill.hosts.mcp.memories import AgentMemories, LazyMemory, Meta
from ntm_memory_skill.hosts.mcp.server import Context, build_server, in_thread
from ntm_memory_skill.hosts.openclaw import contract
from ntm_memory_skill.hosts.turns import Turns

logger = logging.getLogger(__name__)

Answer = dict[str, object]


class TurnBegins(RequestParams):
    """A user has spoken, and the model has not answered yet."""

    message: str
    session: str | None = None
    budget: Annotated[int, Field(ge=contract.LOWEST_RECALL_BUDGET, le=contract.HIGHEST_RECALL_BUDGET)] = (
        contract.RECALL_BUDGET
    )


class TurnEnds(RequestParams):
    """The model has answered."""

    message: str
    session: str | None = None


class AgentTurns:
    """The turns of every agent's chats.

    Args:
        memories: Of the agents.
    """

    def __init__(self, memories: AgentMemories) -> None:
        self._memories = memories
        self._finding = threading.Lock()
        self._turns: dict[LazyMemory, Turns] = {}

    def begin(self, turn: TurnBegins, meta: Meta) -> Answer:
        """Return {context}: what to put before the model, or None."""
        return _or_error(
            lambda: {"context": self._of(meta).begin(turn.message, session=turn.session, budget=turn.budget)}
        )

    def end(self, turn: TurnEnds, meta: Meta) -> Answer:
        """Return {memorized}: the ids of what was kept."""
        return _or_error(lambda: {"memorized": self._of(meta).end(turn.message, session=turn.session)})

    def _of(self, meta: Meta) -> Turns:
        lazy = self._memories.of(meta)
        memory = lazy.get()
        with self._finding:
            return self._turns.setdefault(lazy, Turns(memory))


def build_agent_server(memories: AgentMemories) -> Server[dict[str, object]]:
    """Return an MCP server over the memories of several agents, with the plugin's own requests."""
    server, turns = build_server(memories), AgentTurns(memories)

    async def begins(context: Context, turn: TurnBegins) -> Answer:
        return await in_thread(context, lambda: turns.begin(turn, context.meta or {}), "recall")

    async def ends(context: Context, turn: TurnEnds) -> Answer:
        return await in_thread(context, lambda: turns.end(turn, context.meta or {}), "memorize")

    server.add_request_handler(contract.TURN_BEGINS, TurnBegins, begins)
    server.add_request_handler(contract.TURN_ENDS, TurnEnds, ends)
    return server


def _or_error(work: Callable[[], Answer]) -> Answer:
    """Return what `work` returns, or {error} with its code: the plugin logs it, and the turn goes on without."""
    try:
        return work()
    except NTMMemoryError as error:
        logger.error("a turn was served without its memory: %s: %s", error.code, error.message)
        return {"error": {"code": error.code, "hint": error.hint}}
