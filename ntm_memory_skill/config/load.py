"""Finding, checking and reading the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntm_memory_skill.config.found import (
    DEFAULT_MEMORY,
    ENCODER_VARIABLE,
    KEY_VARIABLE,
    MEMORY_VARIABLE,
    TOKEN_VARIABLE,
    ResidentSettings,
    entry_of,
    key_of,
    memory_named,
    origin_of,
)
from ntm_memory_skill.config.schema import CONFIG_SCHEMA, ENTRY_SCHEMA, MachineSettings
from ntm_memory_skill.config.violations import Violation, violations
from ntm_memory_skill.encoder import EncoderSettings, RerankerSettings
from ntm_memory_skill.engine import AddressingSettings, CrossbarSettings, M3Settings, ReasoningSettings, Settings
from ntm_memory_skill.errors import ConfigError
from ntm_memory_skill.ntm import HeadParameters
from ntm_memory_skill.store import StoreSettings

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
    resident: ResidentSettings = field(default_factory=ResidentSettings)
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
    origin = origin_of(environment, folder)
    entry = {} if origin is None else entry_of(origin)
    _check(entry, str(origin))
    merged = entry.get("config", {})
    if environment.get(ENCODER_VARIABLE):
        merged = _merged(merged, {"encoder": {"model": environment[ENCODER_VARIABLE]}})
    if overrides is not None:
        merged = _merged(merged, overrides)
        _check({"config": merged}, "the configuration with its overrides")
    named = environment.get(MEMORY_VARIABLE)
    passphrase = environment.get(KEY_VARIABLE) or key_of(merged.get("store", {}).get("key_file"), origin or folder)
    return Config(
        memory_file=memory_file or (memory_named(named) if named else DEFAULT_MEMORY),
        enabled=entry.get("enabled", True),
        auto_update=entry.get("auto_update", True),
        stated=frozenset(entry) & {"enabled", "auto_update"},
        settings=_settings(merged, passphrase),
        machine=MachineSettings(**_present(merged.get("ntm_memory", {}), *MachineSettings.__dataclass_fields__)),
        resident=ResidentSettings(**merged.get("ntm_memory", {}).get("resident", {})),
        http_token=environment.get(TOKEN_VARIABLE) or None,
        origin=origin,
    )


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
        **_present({**memory, "index_from": None} if memory.get("index_from") == "never" else memory, "index_from"),
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
