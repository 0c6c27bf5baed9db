"""Finding, checking and reading the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntm_memory_skill.config.schema import CONFIG_SCHEMA, ENTRY_SCHEMA, MachineSettings
from ntm_memory_skill.config.violations import Violation, violations
from ntm_memory_skill.encoder import EncoderSettings, RerankerSettings
from ntm_memory_skill.engine import AddressingSettings, CrossbarSettings, M3Settings, ReasoningSettings, Settings
from ntm_memory_skill.errors import ConfigError
from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.store import StoreSettings

PLUGIN = "official-1580021414-afk-ntm-memory-system"
"""The skill's name in clawhub.json."""
FILE = "clawhub.json"
DEFAULT_MEMORY = Path("memory/ntm_memory.json")

MEMORY_VARIABLE = "NTM_MEMORY_FILE"
CLAWHUB_VARIABLE = "NTM_CLAWHUB_JSON"
ENCODER_VARIABLE = "NTM_ENCODER_MODEL"
KEY_VARIABLE = "NTM_MEMORY_KEY"
TOKEN_VARIABLE = "NTM_MEMORY_TOKEN"  # noqa: S105  # the variable's name
ENVIRONMENT = {
    MEMORY_VARIABLE: "The memory's file; memory/ntm_memory.json in the current folder by default.",
    CLAWHUB_VARIABLE: "The configuration file; clawhub.json in the current folder by default.",
    ENCODER_VARIABLE: 'The encoder\'s model, in place of encoder.model in the configuration ("bundled" by default).',
    KEY_VARIABLE: "The text that encrypts the memory's files, in place of store.key_file; not encrypted by default.",
    TOKEN_VARIABLE: "The bearer token of `serve --mcp http`; by default one is made and kept beside the memory.",
}
"""Every environment variable that is read, and what it does."""

_ADDRESSING_SCHEMA = CONFIG_SCHEMA["properties"]["ntm_memory"]["properties"]["addressing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that was configured, checked."""

    memory_file: Path = DEFAULT_MEMORY
    enabled: bool = True
    auto_update: bool = True
    stated: frozenset[str] = frozenset()
    """Which of `enabled` and `auto_update` the file says anything of."""
    settings: Settings = field(default_factory=Settings)
    machine: MachineSettings = field(default_factory=MachineSettings)
    http_token: str | None = field(default=None, repr=False)
    """What clients of the HTTP server have to show; None leaves it to the server."""
    origin: Path | None = None
    """The clawhub.json that was read, if there was one."""


def load_config(
    environment: Mapping[str, str],
    folder: Path,
    *,
    memory_file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Return the configuration for a process.

    Args:
        environment: The environment's variables.
        folder: Where clawhub.json is looked for.
        memory_file: From the command line.
        overrides: Entries of the plugin's config, nested as there, that take precedence.

    Raises:
        ConfigError: The file cannot be read, or it or the overrides hold something that they should not; every
            violation is listed.
    """
    origin = _origin(environment, folder)
    entry = {} if origin is None else _entry(origin)
    _check(entry, str(origin))
    merged = entry.get("config", {})
    if environment.get(ENCODER_VARIABLE):
        merged = _merged(merged, {"encoder": {"model": environment[ENCODER_VARIABLE]}})
    if overrides is not None:
        merged = _merged(merged, overrides)
        _check({"config": merged}, "the configuration with its overrides")
    named = environment.get(MEMORY_VARIABLE)
    passphrase = environment.get(KEY_VARIABLE) or _key(merged.get("store", {}).get("key_file"), origin or folder)
    return Config(
        memory_file=memory_file or (_from_environment(named) if named else DEFAULT_MEMORY),
        enabled=entry.get("enabled", True),
        auto_update=entry.get("auto_update", True),
        stated=frozenset(entry) & {"enabled", "auto_update"},
        settings=_settings(merged, passphrase),
        machine=MachineSettings(**_present(merged.get("ntm_memory", {}), *MachineSettings.__dataclass_fields__)),
        http_token=environment.get(TOKEN_VARIABLE) or None,
        origin=origin,
    )


def _origin(environment: Mapping[str, str], folder: Path) -> Path | None:
    named = environment.get(CLAWHUB_VARIABLE)
    if named:
        return Path(named)
    found = folder / FILE
    return found if found.is_file() else None


def _from_environment(named: str) -> Path:
    """Return the path that the environment names, unless it climbs out of where it starts."""
    path = _at_home(named, MEMORY_VARIABLE)
    if ".." in path.parts:
        message = f"{MEMORY_VARIABLE} is {named!r}, which climbs out of its folder"
        raise ConfigError(message, hint=f'Write the path without ".." in {MEMORY_VARIABLE}.')
    return path


def _key(named: str | None, beside: Path) -> str | None:
    """Return the text of the key file, which a relative name places beside clawhub.json."""
    if named is None:
        return None
    return read_key((beside if beside.is_dir() else beside.parent) / _at_home(named, "store.key_file"))


def _at_home(named: str, where: str) -> Path:
    """Return a path, in which a leading ~ stands for a home folder."""
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{where} is {named!r}, and there is no such home folder") from error


def read_key(path: Path) -> str:
    """Return the text of a key file, without the blanks around it.

    Raises:
        ConfigError: It cannot be read, is empty, or is not text.
    """
    hint = "Correct the name of the key file, or set NTM_MEMORY_KEY instead."
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"the key file {path} cannot be read: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the key file {path} is not UTF-8 text", hint=hint) from error
    except ValueError as error:
        raise ConfigError(f"the key file's name {str(path)!r} is none that a file can have", hint=hint) from error
    if not text:
        raise ConfigError(f"the key file {path} is empty", hint=hint)
    return text


def _entry(path: Path) -> Any:
    """Return this plugin's entry; what the file holds for other plugins is theirs."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(message, hint=f"Correct {CLAWHUB_VARIABLE}, or make the file.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no JSON: {error}") from error
    plugins = value.get("plugins", {}) if isinstance(value, dict) else None
    if not isinstance(plugins, dict):
        raise ConfigError(f'{path} has to be an object with an object "plugins"')
    return plugins.get(PLUGIN, {})


def _check(entry: object, where: str) -> None:
    found = [*violations(entry, ENTRY_SCHEMA), *_across_fields(entry)]
    if found:
        raise ConfigError(f"{where} has {len(found)} mistake(s):\n" + "\n".join(f"  {each}" for each in found))


def _across_fields(entry: object) -> list[Violation]:
    """Return what no single value shows. Values that are wrong by themselves are not compared."""
    names = ("config", "ntm_memory", "addressing")
    addressing: Any = entry
    for name in names:
        addressing = addressing.get(name, {}) if isinstance(addressing, dict) else {}
    if any(not each.unknown for each in violations(addressing, _ADDRESSING_SCHEMA)):
        return []
    path = ".".join(names)
    found = []
    if addressing.get("content") is False and addressing.get("location") is False:
        found.append(Violation(path, "content and location are both false; then nothing can be found"))
    kernel = addressing.get("shift_kernel", [1.0])
    if len(kernel) % 2 == 0 or abs(sum(kernel) - 1) > 1e-6:  # the tolerance of rounding to 1
        found.append(Violation(f"{path}.shift_kernel", "an odd number of shares that sum to 1 is needed"))
    return found


def _settings(config: Mapping[str, Any], passphrase: str | None) -> Settings:
    memory, encoder = config.get("ntm_memory", {}), config.get("encoder", {})
    addressing, lifecycle = memory.get("addressing", {}), dict(config.get("m3", {}))
    head = _present(addressing, "key_strength", "gate", "sharpening", "length_ratio")
    if "shift_kernel" in addressing:
        head["kernel"] = tuple(addressing["shift_kernel"])
    if lifecycle.get("buffer_dimension") == "off":
        del lifecycle["buffer_dimension"]
    reasoning = config.get("reasoning", {})
    hops = reasoning.get("hops", "auto")
    crossbar = config.get("crossbar", {})
    widths = {name: crossbar[name] for name in ("dac_bits", "adc_bits") if crossbar.get(name, "auto") != "auto"}
    share, dimension = addressing.get("lexical_share", "auto"), memory.get("memory_dim", "auto")
    return Settings(
        **_present(memory, "memory_size", "content_limit", "recall_budget", "feedback", "backend"),
        addressing=AddressingSettings(
            **_present(addressing, "content", "location", "hybrid", "commonness", "brevity", "time", "trained"),
            **_present(addressing, "association", "context"),
            **_present(memory, "num_read_heads"),
            lexical_share=None if share == "auto" else share,
            head=HeadParameters(**head),
        ),
        crossbar=CrossbarSettings(**_present(crossbar, "preset", "capacity", "rerank", "compensate", "seed"), **widths),
        reasoning=ReasoningSettings(
            **_present(reasoning, "beam", "told", "trained"), hops=None if hops == "auto" else hops
        ),
        m3=M3Settings(**lifecycle),
        encoder=EncoderSettings(
            **_present(encoder, "model", "engine", "allow_download", "query_prefix", "passage_prefix"),
            dimension=None if dimension == "auto" else dimension,
        ),
        reranker=RerankerSettings(**_present(config.get("reranker", {}), "model", "candidates", "allow_download")),
        store=StoreSettings(**_present(config.get("store", {}), "lock_timeout", "durability"), passphrase=passphrase),
    )


def _present(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, value in over.items():
        old = result.get(name)
        result[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
