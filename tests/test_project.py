"""The repository as a whole: its one door, its generated files, what would be published, and its house rules."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

import ntm_memory_skill
from ntm_memory_skill.config import ENVIRONMENT
from ntm_memory_skill.errors import NTMMemoryError, error_classes
from ntm_memory_skill.hosts import manifest
from ntm_memory_skill.hosts.openclaw.generate import plugin_files
from ntm_memory_skill.tools import TOOLS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ntm_memory_skill"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
PUBLISHED_TOP = {
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "README.zh-CN.md",
    "SKILL.md",
    "constraints.txt",
    "docs",
    "examples",
    "memory",
    "ntm_memory_skill",
    "pyproject.toml",
    "skill.yaml",
}


def tracked() -> list[str]:
    """Return the repository's files as git knows them."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607  # git is on the path or the test fails
    return listed.stdout.splitlines()


def published() -> list[str]:
    """Return the files that a publication of this folder would take: regular, not hidden, not ignored."""
    patterns = [line for line in (ROOT / ".clawhubignore").read_text().splitlines() if line and line[0] not in "#!"]
    kept = [line[1:] for line in (ROOT / ".clawhubignore").read_text().splitlines() if line.startswith("!")]

    def ignored(name: str) -> bool:
        return name not in kept and any(
            name.startswith(pattern) if pattern.endswith("/") else fnmatch(name, pattern) for pattern in patterns
        )

    return [name for name in tracked() if not ignored(name) and not any(p.startswith(".") for p in Path(name).parts)]


def frontmatter() -> dict[str, Any]:
    """Return what stands between the first two lines of dashes in SKILL.md."""
    _, head, _ = (ROOT / "SKILL.md").read_text(encoding="utf-8").split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(head)
    return loaded


def test_everything_in_the_door_can_be_imported_and_nothing_is_listed_twice() -> None:
    """`__all__` is sorted, free of repeats, and true."""
    names = ntm_memory_skill.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(ntm_memory_skill, name) for name in names)
    assert len(names) <= 25


def test_generated_files_are_up_to_date() -> None:
    """skill.yaml and the marked blocks in the documents say what the code says."""
    assert manifest.outdated(ROOT) == {}


def test_a_stale_block_would_be_noticed(tmp_path: Path) -> None:
    """A changed table is reported, and writing mends it without touching the text around it."""
    for name in (*manifest.DOCUMENTS, manifest.MANIFEST, *plugin_files()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    tools = tmp_path / "docs/tools.md"
    tools.write_text(tools.read_text(encoding="utf-8").replace("| **content** |", "| contents |"), encoding="utf-8")
    assert list(manifest.outdated(tmp_path)) == [tools]
    assert manifest.outdated(tmp_path)[tools] == (ROOT / "docs/tools.md").read_text(encoding="utf-8")


def test_the_manifest_lists_the_five_tools_with_their_schemas() -> None:
    """skill.yaml, read as YAML, agrees with the code."""
    loaded = yaml.safe_load((ROOT / "skill.yaml").read_text(encoding="utf-8"))
    assert [tool["name"] for tool in loaded["tools"]] == ["memorize", "recall", "search", "update", "erase"]
    assert {tool["name"]: (tool["input_schema"], tool["output_schema"]) for tool in loaded["tools"]} == {
        name: (spec.input_schema, spec.output_schema) for name, spec in TOOLS.items()
    }
    assert loaded["version"] == ntm_memory_skill.__version__


def test_the_skill_has_a_frontmatter_that_clawhub_accepts() -> None:
    """Name in kebab case, one-line description under 160 characters, known metadata, the variables that are read."""
    head = frontmatter()
    assert head.keys() <= {"name", "description", "homepage", "metadata"}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", head["name"])
    assert head["name"] == manifest.SKILL
    assert "\n" not in head["description"]
    assert len(head["description"]) < 160
    host = head["metadata"]["openclaw"]
    assert host.keys() <= {"emoji", "homepage", "os", "requires", "envVars", "install"}
    assert host["requires"].keys() <= {"bins", "anyBins", "env", "config"}
    assert {variable["name"]: variable["description"] for variable in host["envVars"]} == ENVIRONMENT


def test_the_skill_is_short_and_its_commands_exist() -> None:
    """SKILL.md stays under 150 lines, and each command in it is one of the command line's."""
    text = (ROOT / "SKILL.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    import typer

    from ntm_memory_skill.hosts.cli import app

    known = set(typer.main.get_group(app).commands)
    used = set(re.findall(r"^ntm-memory (?:--\S+ )*([a-z]+)", text, flags=re.MULTILINE))
    assert used
    assert used <= known


def test_what_would_be_published_is_text_and_nothing_else() -> None:
    """No tests, no benches, no memories, nothing binary, nothing large."""
    files = published()
    assert {name.split("/")[0] for name in files} == PUBLISHED_TOP
    assert [name for name in files if name.startswith("memory/")] == ["memory/README.md"]
    for name in files:
        data = (ROOT / name).read_bytes()
        assert len(data) < 10 * 2**20
        data.decode("utf-8")


def test_a_filled_memory_is_neither_committed_nor_published() -> None:
    """Git and ClawHub both pass over what the tools write into memory/."""
    ignored = (ROOT / "memory/.gitignore").read_text().splitlines()
    assert "*" in ignored
    assert "memory/*" in (ROOT / ".clawhubignore").read_text().splitlines()


def test_importing_the_package_loads_no_heavy_library() -> None:
    """Neither torch nor what stands on it is imported by the package, its tools or its command line."""
    program = (
        "import sys, ntm_memory_skill, ntm_memory_skill.tools, ntm_memory_skill.hosts.cli\n"
        "heavy = ('torch', 'sentence_transformers', 'transformers', 'mcp', 'openclaw_sdk', 'tomlkit')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_every_error_has_a_code_of_its_own_and_says_what_to_do() -> None:
    """Codes are unique; every error that is raised has a hint and stands in the tree's drawing."""
    classes = error_classes()
    codes = [kind.code for kind in classes]
    assert len(codes) == len(set(codes))
    drawing = ast.get_docstring(ast.parse((PACKAGE / "errors.py").read_text(encoding="utf-8"))) or ""
    for kind in classes:
        assert issubclass(kind, NTMMemoryError)
        assert kind.default_hint
        assert re.search(rf"\b{kind.__name__}\s+{kind.code}\s+{kind.exit_status}\b", drawing), kind


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_and_says_what_it_is(module: Path) -> None:
    """No module is over 400 lines, no function over 60, and each module has a docstring."""
    text = module.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def test_only_one_module_calls_the_file_system_for_the_store() -> None:
    """In the store's room, `fs` is the only module that opens, renames or deletes; `lock` leaves that to filelock."""
    calls = re.compile(r"\bopen\(|\bos\.|\.unlink\(|\.rename\(|\.write_(text|bytes)\(|\.read_(text|bytes)\(")
    offenders = [
        path.name
        for path in (PACKAGE / "store").glob("*.py")
        if path.name != "fs.py" and calls.search(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_nothing_names_a_machine_or_its_folders() -> None:
    """No tracked text holds an absolute path of somebody's machine."""
    paths = re.compile(
        r"(?<![A-Za-z0-9_.])/(?:" + "|".join(("work", "root", "home/[a-z]+", "Users/[A-Za-z]+")) + r")/\w"
    )
    for name in tracked():
        data = (ROOT / name).read_bytes()
        if b"\x00" not in data and (ROOT / name).suffix != ".npy":
            assert not paths.search(data.decode("utf-8", errors="replace")), name


def test_every_ignored_lint_and_type_error_has_its_reason() -> None:
    """A `noqa` or `type: ignore` names its code and is followed by a reason on the same line."""
    marks = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?P<rest>.*)$")
    reasoned = re.compile(r"(?::\s*[A-Z0-9, ]+|\[[a-z-]+(?:,\s*[a-z-]+)*\])\s+#\s*\S+")
    for path in [*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").glob("*.py")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = marks.search(line)
            if found and path != Path(__file__):
                assert reasoned.match(found["rest"]), f"{path.name}:{number}: {line.strip()}"


def test_the_gate_runs_what_the_readme_says() -> None:
    """The README has exactly two set-up commands, the Chinese one has the same, and the gate can be executed."""
    wanted = [
        "pip install -c constraints.txt -e . && ntm-memory demo",
        'pip install -c constraints.txt -e ".[dev]" && pytest -n auto --dist loadscope',
    ]
    for name in ("README.md", "README.zh-CN.md"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line.startswith("pip install")] == wanted
    assert os.access(ROOT / ".ci/run", os.X_OK)
