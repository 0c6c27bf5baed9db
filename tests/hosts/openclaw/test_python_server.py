"""The plugin's own code in Node, without a gateway: the process that it keeps, and where each agent's memory lies."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill.hosts.openclaw.contract import META_FILE, META_WORKSPACE, PLUGIN_FOLDER
from tests.hosts.openclaw.installation import Installation

LIMIT_S = 60.0
ANSWERING = """
import json, os, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "die":
        os._exit(3)
    if message["method"] == "notifications/cancelled":
        print(json.dumps({"method": "seen"}), file=sys.stderr, flush=True)
    if "id" in message and message["method"] != "hang":
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {"pid": os.getpid()}}), flush=True)
"""
"""A server that answers each request with its number, dies if it is asked to, and hangs if it is asked to."""

PREAMBLE = """
import { PythonServer } from PLUGIN;
const told = [];
const logger = { warn: (line) => told.push(line), error: (line) => told.push(line) };
const ask = (server, method, timeoutMs = 20000, signal) => server.request(method, {}, { timeoutMs, signal });
const failed = (promise) => promise.then(() => "", (error) => error.message);
"""


@pytest.fixture
def node(installation: Installation, tmp_path: Path) -> Any:
    """A function that runs a module's text in Node and returns the JSON that it prints."""

    def run(text: str, *command: str) -> Any:
        script = tmp_path / "script.mjs"
        plugin = json.dumps((PLUGIN_FOLDER / "python-server.js").as_uri())
        body = f"const COMMAND = {json.dumps(command)};\n{textwrap.dedent(text)}"
        script.write_text(PREAMBLE.replace("PLUGIN", plugin) + body, encoding="utf-8")
        program = [installation.program("node"), str(script)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def answering(tmp_path: Path) -> tuple[str, str]:
    """The command of a server that answers."""
    program = tmp_path / "server.py"
    program.write_text(ANSWERING, encoding="utf-8")
    return sys.executable, str(program)


def test_a_death_costs_the_calls_under_way_and_the_next_one_is_answered_at_once(
    node: Any, answering: tuple[str, str]
) -> None:
    """By another process."""
    found = node(
        """
        const server = new PythonServer(COMMAND, logger);
        const first = await ask(server, "work");
        const lost = await Promise.all([failed(ask(server, "hang")), failed(ask(server, "die"))]);
        const second = await ask(server, "work");
        await server.stop();
        console.log(JSON.stringify({ first, lost, second, told }));
        """,
        *answering,
    )
    assert all("ended (exit status 3)" in message for message in found["lost"])
    assert found["first"]["pid"] != found["second"]["pid"]
    assert len(found["told"]) == 1


def test_a_process_that_keeps_dying_is_started_ever_later_and_nobody_waits(node: Any) -> None:
    """Ten calls start far fewer processes, and each is told why."""
    found = node(
        """
        const server = new PythonServer(COMMAND, logger);
        const messages = [];
        for (let call = 0; call < 10; call++) messages.push(await failed(ask(server, "work")));
        console.log(JSON.stringify({ messages, told }));
        """,
        sys.executable,
        "-c",
        "raise SystemExit(7)",
    )
    started = [line for line in found["told"] if "exit status 7" in line]
    assert len(started) == 2
    assert sum("keeps ending" in message for message in found["messages"]) == 8


def test_a_program_that_is_not_there_is_told_by_name(node: Any) -> None:
    """The gateway lives on."""
    message = node(
        'console.log(JSON.stringify(await failed(ask(new PythonServer(COMMAND, logger), "work"))));',
        "no-such-program-anywhere",
    )
    assert "no-such-program-anywhere" in message


def test_a_call_that_takes_too_long_or_is_aborted_is_let_go_and_cancelled(
    node: Any, answering: tuple[str, str]
) -> None:
    """The process is told of both, and goes on answering."""
    found = node(
        """
        const server = new PythonServer(COMMAND, logger);
        const { pid } = await ask(server, "work");
        const late = await failed(ask(server, "hang", 100));
        const abort = new AbortController();
        const aborted = failed(ask(server, "hang", 20000, abort.signal));
        await ask(server, "work"); // answered after the other had been sent
        abort.abort(new Error("the turn is over"));
        const why = await aborted;
        const again = await ask(server, "work");
        await server.stop();
        console.log(JSON.stringify({ late, why, same: again.pid === pid, told }));
        """,
        *answering,
    )
    assert "in time" in found["late"]
    assert found["why"] == "the turn is over"
    assert found["same"]
    assert sum("seen" in line for line in found["told"]) == 2


def test_what_is_asked_while_the_gateway_stops_starts_nothing(node: Any, answering: tuple[str, str]) -> None:
    """A service that is started again asks anew."""
    found = node(
        """
        const server = new PythonServer(COMMAND, logger);
        const before = await ask(server, "work");
        await server.stop();
        const refused = await failed(ask(server, "work"));
        await server.start();
        const after = await ask(server, "work");
        await server.stop();
        console.log(JSON.stringify({ refused, fresh: before.pid !== after.pid, told }));
        """,
        *answering,
    )
    assert found == {"refused": "the gateway is stopping", "fresh": True, "told": []}


def test_each_agent_has_a_place_of_its_own(node: Any, tmp_path: Path) -> None:
    """In its workspace, or in a sub-folder of the data folder; those who share a workspace are kept apart."""
    module = json.dumps((PLUGIN_FOLDER / "memory-place.js").as_uri())
    found = node(
        f"""
        const {{ placeOf }} = await import({module});
        const homes = {{ main: "/w/main", twin: "/w/main", other: "/w/other" }};
        const workspaceOf = (_config, agent) => homes[agent] ?? `/w/${{agent}}`;
        const config = {{ agents: {{ entries: {{ main: {{}}, twin: {{}}, other: {{}} }} }} }};
        const place = (agent, dataDir) => {{
          try {{
            return placeOf(agent, {{ config, dataDir, workspaceOf }});
          }} catch (error) {{
            return error.name;
          }}
        }};
        const agents = ["main", "twin", "other", "new", "..", "a/b", "", "A b"];
        console.log(JSON.stringify(agents.map((agent) => [place(agent), place(agent, "/data")])));
        """
    )
    files = [here if isinstance(here, str) else here[META_FILE] for here, _ in found]
    assert files == [
        "/w/main/memory/ntm_memory.json",
        "/w/main/memory/agents/twin/ntm_memory.json",
        "/w/other/memory/ntm_memory.json",
        "/w/new/memory/ntm_memory.json",
        *["TypeError"] * 4,
    ]
    assert [there[META_FILE] for _, there in found[:4]] == [
        f"/data/{agent}/ntm_memory.json" for agent in ("main", "twin", "other", "new")
    ]
    assert found[1][0][META_WORKSPACE] == "/w/main"
