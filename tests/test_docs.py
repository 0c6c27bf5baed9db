"""What the documents show is run: every Python snippet, every JSON snippet, every command's verb."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from ntm_memory_skill import SentenceEncoder
from ntm_memory_skill.config import PLUGIN, load_config
from ntm_memory_skill.engine import manager
from ntm_memory_skill.hosts.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def snippets(language: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every fenced snippet in a language."""
    for path in DOCUMENTS:
        for number, found in enumerate(FENCE.finditer(path.read_text(encoding="utf-8"))):
            if found[1] == language:
                yield f"{path.name}[{number}]", found[2]


def cases(language: str) -> pytest.MarkDecorator:
    """Parametrise a test over the snippets in a language."""
    found = list(snippets(language))
    return pytest.mark.parametrize("text", [text for _, text in found], ids=[name for name, _ in found])


PROMISED = {
    "wedding": ("180", "豆包"),
    "Porto": ("Porto -> Rotterdam", "Ana moved to Rotterdam.\nAna lives in Porto."),
    "launch moved to 9 May": ("The launch moved to 9 May crossbar",),
    "dumplings": ("Blue Heron. [led there by Dana Okafor]",),
    "permutations": ("0% of 6 are wrong after 20 epochs",),
    "Trainer": ("3 updates", "6 updates", "(1, 1, 8)"),
}
"""What a snippet is about, and the answers that it asks for."""


@pytest.mark.model
@cases("python")
def test_a_python_snippet_runs_and_prints_what_it_promises(
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    bundled: SentenceEncoder,
) -> None:
    """Each snippet runs as it stands, in an empty folder; the answers that it asks for are among what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(manager, "load_encoder", lambda _: bundled)
    exec(compile(text, "snippet", "exec"), {})  # noqa: S102  # the point of the test
    printed = capsys.readouterr().out
    wanted = next((answers for topic, answers in PROMISED.items() if topic in text), ("一百八", "pier four"))
    assert all(answer in printed for answer in wanted), printed


@cases("json")
def test_a_json_snippet_is_json_and_its_configuration_is_accepted(text: str, tmp_path: Path) -> None:
    """Each snippet parses; one that configures the plugin passes the checks."""
    value = json.loads(text)
    if PLUGIN in value.get("plugins", {}):
        (tmp_path / "clawhub.json").write_text(text, encoding="utf-8")
        assert load_config({}, tmp_path).origin is not None


def named(words: list[str]) -> TyperCommand:
    """Return the command that is called: the words after a group's name one of its own, and so on down."""
    command: Any = typer.main.get_group(app)
    for word in words:
        if isinstance(command, TyperGroup) and not word.startswith("-"):
            command = command.commands[word]
    assert isinstance(command, TyperCommand), f"{' '.join(words)}: which of its commands?"
    return command


@cases("bash")
def test_a_command_in_the_documents_exists(text: str) -> None:
    """Each `ntm-memory` line uses a verb that there is, or a group's, with options that the verb has."""
    for line in text.splitlines():
        for part in line.split("#")[0].split("&&"):
            words = shlex.split(part)
            if not words or words[0] != "ntm-memory":
                continue
            parameters = named(words[1:]).params
            options = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
            given = {word.split("=")[0] for word in words if word.startswith("--")}
            assert given <= options | {"--json", "--memory"}, line


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    """Every relative link names a file that exists."""
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
