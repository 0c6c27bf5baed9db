"""What does not have to wait for torch: importing the package, and opening a memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.encoder.bundled import IDENTITY

REPORT = """
import json, sys
print(json.dumps([name for name in ("torch", "sentence_transformers", "transformers", "rich") if name in sys.modules]))
"""


def loaded_after(code: str) -> list[str]:
    """Return which of the heavy libraries a fresh interpreter holds after running some code."""
    done = subprocess.run([sys.executable, "-c", code + REPORT], capture_output=True, check=True, text=True)
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


@pytest.mark.parametrize(
    "code",
    [
        "import ntm_memory_skill",
        "import ntm_memory_skill.encoder, ntm_memory_skill.engine",
        "from ntm_memory_skill import SentenceEncoder; SentenceEncoder().identity; SentenceEncoder('some/model')",
    ],
)
def test_importing_loads_no_heavy_library(code: str) -> None:
    """A command that only lists or counts should answer at once."""
    assert loaded_after(code) == []


def test_a_memory_of_the_default_encoder_is_read_and_erased_from_without_any(tmp_path: Path) -> None:
    """The first call that encodes pays, and no other."""
    path = tmp_path / "ntm_memory.json"
    stand_in = HashedEncoder(IDENTITY.dimension)
    stand_in.identity = stand_in.known_identity = IDENTITY
    with NTMMemoryManager.open(path, encoder=stand_in) as memory:
        ids = memory.memorize_many([{"content": "kept"}, {"content": "not kept"}])
    code = f"""
from ntm_memory_skill import NTMMemoryManager
with NTMMemoryManager.open({str(path)!r}) as memory:
    assert memory.get({ids[0]!r}).content == "kept"
    memory.erase({ids[1]!r})
    assert len(memory) == 1
"""
    assert loaded_after(code) == []


def test_the_check_itself_sees_a_heavy_library() -> None:
    """Else the tests above could not fail."""
    assert loaded_after("import rich") == ["rich"]
