"""A memory for OpenClaw agents that a Python program drives with openclaw-sdk: recalled before a turn, kept after it.

    handler = MemoryCallbackHandler({"main": NTMMemoryManager.open("memory/main")})
    result = await handler.execute(client.get_agent("main"), "When do we launch?")

The SDK's callbacks hear of a query and cannot change it. So `handler.execute` takes the place of `agent.execute`: it
puts what is remembered before the query. Where the handler is only among the callbacks, of a call or of the client, it
keeps what the user says and recalls nothing.

The law: an agent's turn never fails, and the event loop never waits, because of the memory; an agent is never answered
from another's memory; and only a turn that went well is kept from, once, and of it nothing but the query.

What openclaw-sdk 2.1.0 leaves out, read in its code and tried on OpenClaw 2026.9.6:

- `execute_stream`, `execute_stream_typed` and `stream_events` call no callbacks: nothing is kept of them.
  `execute_structured` and whatever else calls `agent.execute` by itself (pipelines, supervisors, goal loops, workflows,
  voice) call those of the client alone, and what they have written around a query counts as the user's words there.
  `batch(…, callbacks=[handler])` and `conversation().say(…, callbacks=[handler])` do call it.
- A callback is told the agent and not the session: what is kept without `handler.execute` belongs to no chat.
- Errors of the SDK's own tree, a timeout among them, end a turn without any callback.
- It does not reach that host by itself. Its WebSocket client speaks protocol 3, and the host 4. Its HTTP client posts
  `chat.send` to /v1/responses with fields that the host refuses. `examples/sdk_agent.py` has a gateway that does.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from openclaw_sdk import Agent, CallbackHandler, ExecutionOptions, ExecutionResult

from ntm_memory_skill.engine import NTMMemoryManager
from ntm_memory_skill.hosts.openclaw.contract import RECALL_BUDGET
from ntm_memory_skill.hosts.turns import Turns

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

Memories = Mapping[str, NTMMemoryManager] | Callable[[str], NTMMemoryManager | None]
"""Whose memory is which, by the agents' ids. An agent that has none goes without."""

COMMAND = "/"
"""How a message begins that is for the host ("/new"), which would not know it behind a block."""


@dataclass(slots=True)
class _Execution:
    """One call of `agent.execute`; of one that failed, nobody says that it has ended, and the next takes its place."""

    session: str | None = None
    query: str = ""


class MemoryCallbackHandler(CallbackHandler):
    """Recalls before an agent's turn and keeps what the user says. One serves several agents at once.

    The memories stay the caller's, who closes them.

    Args:
        memories: The memory of each agent. A function is asked, in a thread, when an agent first needs its memory, so
            it may open it there.
        recall: Put what is remembered before the query, in `execute`.
        capture: Memorize what the user says, when it sounds worth keeping.
        budget: Characters that are put before a query, at most.
    """

    def __init__(
        self, memories: Memories, *, recall: bool = True, capture: bool = True, budget: int = RECALL_BUDGET
    ) -> None:
        self._memory_of = memories.get if isinstance(memories, Mapping) else memories
        self._recall, self._capture, self._budget = recall, capture, budget
        self._finding = threading.Lock()
        self._turns: dict[str, Turns] = {}
        self._running: WeakKeyDictionary[asyncio.Task[Any] | None, dict[str, _Execution]] = WeakKeyDictionary()

    async def execute(
        self,
        agent: Agent,
        query: str,
        options: ExecutionOptions | None = None,
        callbacks: list[CallbackHandler] | None = None,
        idempotency_key: str | None = None,
    ) -> ExecutionResult:
        """Do what `agent.execute` does, with what is remembered before the query and this handler among the callbacks.

        The chat is the agent's session, by its `session_key`.

        Args:
            agent: Who is asked.
            query: What the user says, and nothing else.
            options: As `agent.execute` takes them.
            callbacks: The same; this handler need not be among them.
            idempotency_key: The same.

        Raises:
            OpenClawError: What `agent.execute` raises.
        """
        block = await self._recalled(agent, query)
        running = self._here()
        running[agent.agent_id] = _Execution(agent.session_key)
        try:
            return await agent.execute(
                query if block is None else f"{block}\n\n{query}", options, [*(callbacks or ()), self], idempotency_key
            )
        finally:
            running.pop(agent.agent_id, None)

    async def on_execution_start(self, agent_id: str, query: str) -> None:
        """Note what is said."""
        self._here().setdefault(agent_id, _Execution()).query = query

    async def on_execution_end(self, agent_id: str, result: ExecutionResult) -> None:
        """Keep from it, unless the turn went wrong; once, though the handler be the call's and the client's as well."""
        execution = self._here().pop(agent_id, None)
        if execution is not None and result.success and self._capture:
            said, session = execution.query, execution.session
            await self._asked(agent_id, lambda turns: turns.end(said, session=session))

    async def _recalled(self, agent: Agent, query: str) -> str | None:
        if not self._recall or query.lstrip().startswith(COMMAND):
            return None
        session, budget = agent.session_key, self._budget
        return await self._asked(agent.agent_id, lambda turns: turns.begin(query, session=session, budget=budget))

    async def _asked(self, agent_id: str, work: Callable[[Turns], Answer]) -> Answer | None:
        """Return what an agent's memory answers, asked in a thread; None if it has none, or it fails."""

        def ask() -> Answer | None:
            turns = self._turns_of(agent_id)
            return None if turns is None else work(turns)

        try:
            return await asyncio.to_thread(ask)
        except Exception:  # the agent can answer without
            logger.exception("agent %s: a turn goes on without its memory", agent_id)
            return None

    def _turns_of(self, agent_id: str) -> Turns | None:
        with self._finding:
            if agent_id not in self._turns:
                memory = self._memory_of(agent_id)
                if memory is None:
                    return None
                self._turns[agent_id] = Turns(memory)
            return self._turns[agent_id]

    def _here(self) -> dict[str, _Execution]:
        """Return what this task executes, by agent: the SDK calls all callbacks of an execution in its own task."""
        return self._running.setdefault(asyncio.current_task(), {})
