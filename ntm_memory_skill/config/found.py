"""What is configured, as it was found: the variables' names, clawhub.json, the key.

The law: what is found here is compared, never used. Two processes that find the same are configured alike, and one of
them has checked it (`load`). So a command that is answered by another process loads nothing that checks or computes.
That nothing is said of the encoder may be acted upon: no check would say otherwise.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntm_memory_skill.errors import ConfigError

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

RESIDENT_MODES = ("use", "start", "off")
MOST_MINUTES = 10_080
"""A week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentSettings:
    """Whether another process answers the command line."""

    mode: str = "use"
    """"use" asks a process that serves the memory where there is one, "start" also starts one, "off" never asks."""
    minutes: float = 15.0
    """Minutes without a call, above 0 and up to a week, after which one that was started on demand ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a process is configured with, unchecked."""

    memory_file: Path
    resident: ResidentSettings
    plain_encoder: bool
    """Whether nothing at all is said of the encoder: the bundled model makes the keys, exported or with torch."""
    fingerprint: str = field(repr=False)
    """Of all that has a part in an answer, the key included: two that are equal answer alike."""


def find(environment: Mapping[str, str], folder: Path, memory_file: Path | None) -> Found | None:
    """Return what is configured; None where it has to be looked at closely, because it is wrong or switched off.

    Args:
        environment: The environment's variables.
        folder: Where clawhub.json is looked for, and what relative names of models start from.
        memory_file: From the command line.
    """
    try:
        origin = origin_of(environment, folder)
        entry = {} if origin is None else entry_of(origin)
        config = _object(entry, "config")
        store, memory = _object(config, "store"), dict(_object(config, "ntm_memory"))
        resident = _resident(memory.pop("resident", {}))
        if entry.get("enabled", True) is not True or resident is None:
            return None
        named = environment.get(MEMORY_VARIABLE)
        chosen = memory_file or (memory_named(named) if named else DEFAULT_MEMORY)
        passphrase = environment.get(KEY_VARIABLE) or key_of(store.get("key_file"), origin or folder)
        model = environment.get(ENCODER_VARIABLE) or None
        encoder = _object(config, "encoder")
        models = (model or encoder.get("model"), _object(config, "reranker").get("model"))
        others = {name: value for name, value in entry.items() if name not in {"config", "auto_update"}}
        place = str(folder) if any(map(_is_relative, models)) else None
        told = json.dumps([others, {**config, "ntm_memory": memory}, model, passphrase, place], sort_keys=True)
    except (ConfigError, TypeError, OSError, RecursionError):
        return None
    return Found(
        memory_file=chosen,
        resident=resident,
        plain_encoder=not encoder and model is None and "memory_dim" not in memory,
        fingerprint=hashlib.sha256(told.encode()).hexdigest(),
    )


def _object(value: Any, name: str) -> dict[str, Any]:
    """Return the object under a name, an empty one where there is none. Raises TypeError for anything else."""
    inner = value.get(name, {}) if isinstance(value, dict) else None
    if not isinstance(inner, dict):
        raise TypeError(f"{name} is no object")
    return inner


def _resident(value: object) -> ResidentSettings | None:
    """Return the settings, None where one is wrong."""
    if not isinstance(value, dict) or not value.keys() <= {"mode", "minutes"}:
        return None
    mode, minutes = value.get("mode", "use"), value.get("minutes", 15.0)
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool) and math.isfinite(minutes)
    if mode not in RESIDENT_MODES or not number or not 0 < minutes <= MOST_MINUTES:
        return None
    return ResidentSettings(mode=mode, minutes=minutes)


def _is_relative(model: object) -> bool:
    """Return whether a model's name may be that of a folder here."""
    return isinstance(model, str) and model != "bundled" and not Path(model).is_absolute()


def origin_of(environment: Mapping[str, str], folder: Path) -> Path | None:
    """Return the clawhub.json that is read; None where there is none."""
    named = environment.get(CLAWHUB_VARIABLE)
    if named:
        return Path(named)
    found = folder / FILE
    return found if found.is_file() else None


def memory_named(named: str) -> Path:
    """Return the path that the environment names. Raises ConfigError where it climbs out of where it starts."""
    path = _at_home(named, MEMORY_VARIABLE)
    if ".." in path.parts:
        message = f"{MEMORY_VARIABLE} is {named!r}, which climbs out of its folder"
        raise ConfigError(message, hint=f'Write the path without ".." in {MEMORY_VARIABLE}.')
    return path


def key_of(named: str | None, beside: Path) -> str | None:
    """Return the text of the key file, which a relative name places beside clawhub.json. Raises ConfigError."""
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


def entry_of(path: Path) -> Any:
    """Return this plugin's entry; what the file holds for other plugins is theirs. Raises ConfigError."""
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
