"""The tools' behaviour over every transport there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.command_line import run_here, words
from tests.hosts.folders import bytes_in
from tests.hosts.transports import (
    CommandLineTransport,
    McpTransport,
    PythonTransport,
    Tidied,
    Transport,
    mcp_in_process,
    mcp_over_http,
    mcp_over_stdio,
)
from tests.hosts.verbs_suite import MISTYPED, VerbsSuite, stored


class TestPython(VerbsSuite):
    """`tools.call`, as a host written in Python uses it."""

    @pytest.fixture
    def transport(self, path: Path) -> Iterator[Transport]:
        """An open memory."""
        python = PythonTransport(path)
        yield python
        python.close()


class TestCommandLine(VerbsSuite):
    """`ntm-memory --json`."""

    @pytest.fixture
    def transport(self, path: Path, no_model: None) -> Transport:
        """A memory that each command opens for itself."""
        return CommandLineTransport(path)

    def test_there_are_no_other_tools(self, transport: Transport) -> None:
        """Here an unknown tool is an unknown command: wrong usage."""
        assert run_here("--json", "forget_everything").status == 2

    def test_a_value_that_is_none_of_those_is_answered_and_changes_nothing(self, transport: Transport) -> None:
        """Here options have types: wrong usage."""
        assert isinstance(transport, CommandLineTransport)
        stored(transport, content="kept")
        before = bytes_in(transport.path.parent)
        for tool, arguments in MISTYPED:
            assert (tool, arguments, run_here("--memory", transport.path, *words(tool, arguments)).status) == (
                tool,
                arguments,
                2,
            )
        assert bytes_in(transport.path.parent) == before


class TestMcpInProcess(VerbsSuite):
    """The MCP server, without a process and a model of its own."""

    @pytest.fixture
    def transport(self, path: Path) -> Iterator[Transport]:
        """A connected client."""
        client = mcp_in_process(path)
        yield client
        client.close()


@pytest.mark.model
class TestMcpOverStdio(VerbsSuite):
    """The MCP server as people run it."""

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpTransport]:
        """One server for all tests: it loads the model."""
        folder = tmp_path_factory.mktemp("stdio")
        with (folder / "log").open("w", encoding="utf-8") as log:
            client = mcp_over_stdio(folder / "ntm_memory.json", log)
            yield client
            client.close()
        assert (folder / "log").read_text(encoding="utf-8") == ""

    @pytest.fixture
    def transport(self, server: McpTransport) -> Iterator[Transport]:
        """The server's memory, emptied after each test."""
        tidied = Tidied(server)
        yield tidied
        tidied.close()


@pytest.mark.model
class TestMcpOverHttp(VerbsSuite):
    """The MCP server for the clients of this machine."""

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpTransport]:
        """One server for all tests: it loads the model."""
        client = mcp_over_http(tmp_path_factory.mktemp("http") / "memory" / "ntm_memory.json")
        yield client
        client.close()

    @pytest.fixture
    def transport(self, server: McpTransport) -> Iterator[Transport]:
        """The server's memory, emptied after each test."""
        tidied = Tidied(server)
        yield tidied
        tidied.close()
