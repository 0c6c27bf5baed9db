"""The five tools by way of the real gateway: HTTP, the plugin, its Python process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from tests.hosts.openclaw.gateway import Gateway
from tests.hosts.openclaw.host import Host


class GatewayTransport:
    """`POST /tools/invoke`, as an agent.

    Args:
        host: Where the gateway runs; the plugin is enabled there.
        agent: Whose memory it is.
    """

    def __init__(self, host: Host, agent: str = "main") -> None:
        self._host, self._agent = host, agent
        self._running = ExitStack()
        self.gateway = self._running.enter_context(Gateway(host))

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool and return its envelope."""
        return self.gateway.invoke(tool, arguments, agent=self._agent).details

    def restart(self) -> None:
        """Stop the gateway, and start another over the same files."""
        self.close()
        self._running = ExitStack()
        self.gateway = self._running.enter_context(Gateway(self._host))

    def close(self) -> None:
        """Stop the gateway."""
        self._running.close()
