"""The tools' behaviour by way of the real gateway: the suite that every other transport passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.openclaw.host import Host
from tests.hosts.openclaw.transport import GatewayTransport
from tests.hosts.transports import Tidied, Transport
from tests.hosts.verbs_suite import VerbsSuite


@pytest.mark.model
class TestGateway(VerbsSuite):
    """The gateway with the plugin in its memory slot."""

    @pytest.fixture(scope="class")
    def server(self, host: Host) -> Iterator[GatewayTransport]:
        """One gateway for all tests: it takes seconds to start, and its Python loads the model."""
        host.enable_plugin()
        gateway = GatewayTransport(host)
        yield gateway
        gateway.close()

    @pytest.fixture
    def transport(self, server: GatewayTransport) -> Iterator[Transport]:
        """The main agent's memory, emptied after each test."""
        tidied = Tidied(server)
        yield tidied
        tidied.close()

    def test_there_are_no_other_tools(self, transport: Transport) -> None:
        """Here the host itself knows none by another name."""
        assert isinstance(transport, Tidied)
        assert isinstance(transport.inner, GatewayTransport)
        assert transport.inner.gateway.invoke("forget_everything", {}).status == 404
