"""Arguments beat the environment, the environment beats the file, the file beats the defaults."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import ntm_memory_skill
from ntm_memory_skill.config import (
    CLAWHUB_VARIABLE,
    ENCODER_VARIABLE,
    ENVIRONMENT,
    MEMORY_VARIABLE,
    Config,
    load_config,
)
from ntm_memory_skill.encoder import RerankerSettings
from ntm_memory_skill.errors import ConfigError
from ntm_memory_skill.hosts.compose import configured
from tests.config.files import write_config

SOURCE = Path(ntm_memory_skill.__file__).parent
OWN_VARIABLE = re.compile(r"NTM_[A-Z_]+")
DOORS = {"environ", "environb", "getenv", "getenvb"}
"""The names under which `os` gives the environment away."""


class Watched(Mapping[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a variable may be looked up by name alone")

    def __len__(self) -> int:
        return len(self._values)


def parsed_modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the package, by its path in it."""
    return {
        file.relative_to(SOURCE).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in SOURCE.rglob("*.py")
    }


def opens_the_environment(node: ast.AST) -> bool:
    """Return whether a piece of code reaches for the process's environment."""
    if isinstance(node, ast.Attribute):
        return node.attr in DOORS
    return isinstance(node, ast.ImportFrom) and node.module == "os" and any(each.name in DOORS for each in node.names)


def model(folder: Path, environment: dict[str, str], argument: str | None) -> str:
    """Return the encoder's model under an environment and an argument."""
    overrides = None if argument is None else {"encoder": {"model": argument}}
    return load_config(environment, folder, overrides=overrides).settings.encoder.model


def test_nothing_configured_gives_the_defaults(tmp_path: Path) -> None:
    """No file, no variable, no argument."""
    assert load_config({}, tmp_path) == Config()
    assert load_config({}, tmp_path).memory_file == Path("memory/ntm_memory.json")


@pytest.mark.parametrize(
    ("file", "environment", "argument", "winner"),
    [
        (None, None, None, "bundled"),
        ("file", None, None, "file"),
        (None, "environment", None, "environment"),
        ("file", "environment", None, "environment"),
        (None, None, "argument", "argument"),
        ("file", None, "argument", "argument"),
        (None, "environment", "argument", "argument"),
        ("file", "environment", "argument", "argument"),
    ],
)
def test_the_model_comes_from_the_nearest_that_names_one(
    file: str | None, environment: str | None, argument: str | None, winner: str, tmp_path: Path
) -> None:
    """All eight ways in which the three can be given."""
    if file is not None:
        write_config(tmp_path, {"encoder": {"model": file}})
    variables = {} if environment is None else {ENCODER_VARIABLE: environment}
    assert model(tmp_path, variables, argument) == winner


def test_an_override_leaves_its_neighbours_in_the_file(tmp_path: Path) -> None:
    """What takes precedence is the single entry, not the group it stands in."""
    write_config(tmp_path, {"ntm_memory": {"memory_size": 5, "addressing": {"gate": 0.25, "hybrid": False}}})
    settings = load_config({}, tmp_path, overrides={"ntm_memory": {"addressing": {"gate": 0.75}}}).settings
    assert settings.memory_size == 5
    assert settings.addressing.head.gate == 0.75
    assert settings.addressing.hybrid is False


def test_the_encoder_s_variable_and_permission_are_not_the_reranker_s(tmp_path: Path) -> None:
    """Their entries have the same names."""
    write_config(tmp_path, {"encoder": {"allow_download": True}, "reranker": {"model": "file", "candidates": 7}})
    settings = load_config({ENCODER_VARIABLE: "environment"}, tmp_path).settings
    assert (settings.encoder.model, settings.encoder.allow_download) == ("environment", True)
    assert settings.reranker == RerankerSettings(model="file", candidates=7, allow_download=False)


def test_the_memory_file_comes_from_the_argument_then_the_environment(tmp_path: Path) -> None:
    """The file has no say in it."""
    variables = {MEMORY_VARIABLE: "from/environment.json"}
    assert load_config(variables, tmp_path).memory_file == Path("from/environment.json")
    chosen = load_config(variables, tmp_path, memory_file=Path("from/argument.json"))
    assert chosen.memory_file == Path("from/argument.json")


@pytest.mark.parametrize("named", ["..", "../a.json", "a/../b.json", "~/../b.json", "/a/../b.json", "./../a"])
def test_a_memory_file_that_climbs_out_of_its_folder_is_refused(named: str, tmp_path: Path) -> None:
    """A variable may come from a file in some workspace: it must not lead anywhere that cannot be seen in it."""
    with pytest.raises(ConfigError) as caught:
        load_config({MEMORY_VARIABLE: named}, tmp_path)
    assert caught.value.code == "invalid_config"
    assert MEMORY_VARIABLE in caught.value.message


@pytest.mark.parametrize("named", ["a..b/c.json", "...", "a/..b", "a/b..json", "/a/b.json"])
def test_dots_within_a_name_are_part_of_it(named: str, tmp_path: Path) -> None:
    """Only the name of two dots climbs."""
    assert load_config({MEMORY_VARIABLE: named}, tmp_path).memory_file == Path(named)


def test_a_memory_file_that_is_an_argument_may_climb(tmp_path: Path) -> None:
    """Whoever types it sees where it leads; the variable, which would be refused, has no say then."""
    found = load_config({MEMORY_VARIABLE: "../a.json"}, tmp_path, memory_file=Path("../b.json"))
    assert found.memory_file == Path("../b.json")


def test_a_tilde_in_the_memory_file_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's unit file is no shell, which would have replaced it; elsewhere in the name it is a character."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config({MEMORY_VARIABLE: "~/a.json"}, tmp_path).memory_file == tmp_path / "a.json"
    assert load_config({MEMORY_VARIABLE: "a/~/b.json"}, tmp_path).memory_file == Path("a/~/b.json")
    with pytest.raises(ConfigError):
        load_config({MEMORY_VARIABLE: "~no-such-user-here/a.json"}, tmp_path)


def test_a_named_clawhub_json_is_read_in_place_of_the_folder_s(tmp_path: Path) -> None:
    """And the configuration says which one it came from."""
    (tmp_path / "named").mkdir()
    write_config(tmp_path, {"ntm_memory": {"memory_size": 1}})
    named = write_config(tmp_path / "named", {"ntm_memory": {"memory_size": 2}})
    found = load_config({CLAWHUB_VARIABLE: str(named)}, tmp_path)
    assert (found.settings.memory_size, found.origin) == (2, named)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """That is how a shell switches one off for a command."""
    file = write_config(tmp_path, {"encoder": {"model": "file"}})
    found = load_config(dict.fromkeys(ENVIRONMENT, ""), tmp_path)
    assert found == load_config({}, tmp_path)
    assert (found.origin, found.settings.encoder.model) == (file, "file")


def test_this_process_is_configured_from_its_environment_and_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The composition root hands both over."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    write_config(tmp_path, {"ntm_memory": {"memory_size": 3}})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ENCODER_VARIABLE, "from the environment")
    found = configured(Path("argument.json"))
    assert found.memory_file == Path("argument.json")
    assert (found.settings.memory_size, found.settings.encoder.model) == (3, "from the environment")


def test_the_documented_variables_are_those_that_are_looked_up(tmp_path: Path) -> None:
    """Not one more, not one less."""
    environment = Watched({CLAWHUB_VARIABLE: str(write_config(tmp_path, {}))})
    load_config(environment, tmp_path)
    assert environment.asked == ENVIRONMENT.keys()
    assert all(ENVIRONMENT.values())


def test_the_source_names_no_other_variable_of_ours() -> None:
    """A variable that a module reads on its own account would be missing from the documentation."""
    named = {
        name
        for tree in parsed_modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in OWN_VARIABLE.findall(node.value)
    }
    assert named == ENVIRONMENT.keys()


def test_one_module_opens_the_environment() -> None:
    """The composition root; it hands it on whole, and sets what torch and a library that draws are to read."""
    modules = parsed_modules()
    assert [name for name, tree in modules.items() if any(map(opens_the_environment, ast.walk(tree)))] == [
        "hosts/compose.py"
    ]
    taken = [
        ast.unparse(node)
        for node in ast.walk(modules["hosts/compose.py"])
        if isinstance(node, ast.Attribute | ast.Subscript) and ast.unparse(node.value) == "os.environ"
    ]
    assert sorted(taken) == [
        "os.environ.get",
        "os.environ.setdefault",
        "os.environ[variable]",
        "os.environ[variable]",
    ]
