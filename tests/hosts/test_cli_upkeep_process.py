"""Looking after the files needs no model: a process of its own, and what it has loaded in the end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import KEY_VARIABLE
from tests.hosts.folders import cut_in_half

SCRIPT = """
import json, sys
from ntm_memory_skill.hosts.cli import run
told = []
for line in json.loads(sys.argv[1]):
    status = run(line)
    heavy = sorted({"torch", "sentence_transformers", "transformers"} & sys.modules.keys())
    told.append([line, status, heavy])
print(json.dumps(told), file=sys.stderr)
"""


def ran(path: Path, *lines: list[str], environment: dict[str, str] | None = None) -> list[tuple[int, list[str]]]:
    """Run command lines in one new process, and return the status of each and which heavy packages were loaded."""
    given = json.dumps([["--memory", str(path), *line] for line in lines])
    command = [sys.executable, "-c", SCRIPT, given]
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    return [(status, heavy) for _, status, heavy in json.loads(done.stderr.splitlines()[-1])]


@pytest.fixture
def memory_file(here: Path, path: Path) -> Path:
    """A memory with live and erased memories, and a generation before."""
    for text in ("first", "second"):
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            memory.erase(memory.memorize(f"erased {text}").id)
            memory.memorize(text)
    return path


def test_looking_after_the_files_loads_no_model(memory_file: Path, here: Path) -> None:
    """Not even torch, which alone takes a second: whoever repairs a memory may have no working installation of it."""
    (here / "key.txt").write_text("open sesame")
    lines = [["verify"], ["repair"], ["compact"], ["restore"], ["stats"], ["export", "-"], ["decrypt"]]
    assert ran(memory_file, *lines, ["encrypt", "--key-file", "key.txt"], ["verify"]) == [
        *[(0, [])] * (len(lines) + 1),
        (3, []),  # it is encrypted now, and no key is configured
    ]


def test_mending_loads_no_model(memory_file: Path) -> None:
    """Damage that costs nothing, and damage that costs something."""
    cut_in_half(memory_file)
    assert ran(memory_file, ["verify"], ["repair"], ["verify"]) == [(3, []), (0, []), (0, [])]
    for name in ("json", "journal.jsonl", "previous.json", "previous.journal.jsonl"):
        (memory_file.with_suffix(f".{name}")).write_bytes(b"garbage")
    assert ran(memory_file, ["repair"], ["repair", "--accept-loss"], ["verify"]) == [(3, []), (0, []), (0, [])]


def test_a_key_of_its_real_cost_works_between_processes(memory_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypted by one, opened by the next, decrypted by a third."""
    monkeypatch.setenv(KEY_VARIABLE, "open sesame")
    for line, status in ((["encrypt"], 0), (["verify"], 0), (["restore"], 0), (["decrypt"], 0), (["verify"], 3)):
        assert ran(memory_file, line) == [(status, [])]
    monkeypatch.delenv(KEY_VARIABLE)
    assert ran(memory_file, ["verify"]) == [(0, [])]
