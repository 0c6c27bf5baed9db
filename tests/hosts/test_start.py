"""What a command line imports before it does anything: only what it needs, looked at in a process of its own."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ntm_memory_skill
from ntm_memory_skill.hosts.resident.place import AVAILABLE
from tests.hosts.conftest import CommandLine
from tests.hosts.residents import residing

HEAVY = ("numpy", "torch", "jaxtyping", "mcp", "jsonschema", "sentence_transformers", "array_api_compat", "filelock")
ENGINE = "ntm_memory_skill.engine"
REPORT = f"""
import json, sys
seen = [name for name in {(*HEAVY, ENGINE, "rich", "pydantic", "typer")!r} if name in sys.modules]
rooms = [name for name in sys.modules if name.startswith("ntm_memory_skill.")]
sys.stderr.write("\\n" + json.dumps([status, seen, rooms]))
"""


def run(program: str) -> tuple[int, set[str], set[str]]:
    """Return the exit status of a program, and which of the libraries and of our rooms it had imported at its end."""
    done = subprocess.run([sys.executable, "-c", program + REPORT], capture_output=True, text=True, check=True)
    status, seen, rooms = json.loads(done.stderr.splitlines()[-1])
    return status, set(seen), set(rooms)


def command(*words: str | Path) -> tuple[int, set[str], set[str]]:
    """Return the same of a command line."""
    return run(f"from ntm_memory_skill.hosts.cli import run\nstatus = run({[str(word) for word in words]!r})")


def test_the_package_imports_nothing_before_a_name_is_asked_for() -> None:
    """Only itself."""
    assert run("import ntm_memory_skill\nstatus = 0") == (0, set(), set())


@pytest.mark.parametrize("line", [["--version"], ["recall", "--help"], ["memorize", "-h"]], ids=" ".join)
def test_what_computes_is_not_imported_to_say_what_there_is(line: list[str]) -> None:
    """Neither libraries nor the engine, nor another verb."""
    status, seen, rooms = command(*line)
    assert (status, seen & {*HEAVY, ENGINE}) == (0, set())
    assert rooms.isdisjoint(f"ntm_memory_skill.hosts.cli.{name}" for name in ("files", "upkeep", "train", "setup"))


@pytest.mark.skipif(not AVAILABLE, reason="this system has no sockets in folders")
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
@pytest.mark.parametrize(
    "line",
    [("recall", "noon"), ("search", "noon", "-k", "3"), ("memorize", "x", "-t", "y"), ("erase", "nobody")],
    ids=" ".join,
)
def test_a_command_that_a_resident_answers_imports_no_engine(
    cli: CommandLine, path: Path, line: tuple[str, ...], form: tuple[str, ...]
) -> None:
    """Nor pydantic, which typer takes to convert; rich only where words are printed."""
    cli("memorize", "the harbour master rings at noon")
    with residing(path):
        status, seen, rooms = command("--memory", path, *form, *line)
    assert status == (1 if line[0] == "erase" else 0)
    assert seen == {"typer", *(() if form else ("rich",))}
    assert rooms.isdisjoint({"ntm_memory_skill.config.load", "ntm_memory_skill.store.directory"})


def test_a_command_without_a_resident_does_import_it(cli: CommandLine, path: Path) -> None:
    """So that the tests above look at the right names."""
    cli("memorize", "x")
    _, seen, _ = command("--memory", path, "erase", "nobody")
    assert {"numpy", "jsonschema", ENGINE} <= seen


class TestDoor:
    """The package's names, which are imported when they are asked for."""

    def test_every_name_is_there_and_is_what_a_type_checker_sees(self) -> None:
        """The three lists of `__init__` name the same."""
        tree = ast.parse(Path(str(ntm_memory_skill.__file__)).read_text(encoding="utf-8"))
        typed = {
            f"{node.module}.{alias.name}"
            for branch in tree.body
            if isinstance(branch, ast.If)
            for node in branch.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        homes = vars(ntm_memory_skill)["_HOMES"].items()
        assert typed == {f"ntm_memory_skill.{home}.{name}" for home, names in homes for name in names.split()}
        assert sorted(name.rpartition(".")[2] for name in typed) == sorted(ntm_memory_skill.__all__)
        for name in typed:
            module, _, own = name.rpartition(".")
            assert getattr(ntm_memory_skill, own) is getattr(sys.modules[module], own)

    def test_dir_lists_what_is_not_imported_yet(self) -> None:
        """As an editor or a shell asks."""
        program = "import ntm_memory_skill\nstatus = len({*ntm_memory_skill.__all__} - {*dir(ntm_memory_skill)})"
        assert run(program)[0] == 0

    @pytest.mark.parametrize("room", ["", ".config", ".store", ".tools"])
    def test_a_name_that_is_not_there_is_an_error(self, room: str) -> None:
        """As in any module."""
        program = f"""
import importlib
module = importlib.import_module("ntm_memory_skill{room}")
status = int(hasattr(module, "conjured"))
for name in module.__all__:
    getattr(module, name)
"""
        assert run(program)[0] == 0
