"""clawhub.json, environment and arguments, turned into frozen values.

Arguments beat the environment, which beats the file, which beats the defaults. What checks them is imported when it is
first asked for: a command that another process answers needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ntm_memory_skill.config.found import (
    CLAWHUB_VARIABLE,
    ENCODER_VARIABLE,
    ENVIRONMENT,
    KEY_VARIABLE,
    MEMORY_VARIABLE,
    PLUGIN,
    TOKEN_VARIABLE,
    Found,
    ResidentSettings,
    find,
    read_key,
)
from ntm_memory_skill.config.violations import Violation, violations

__all__ = [
    "CLAWHUB_VARIABLE",
    "CONFIG_SCHEMA",
    "ENCODER_VARIABLE",
    "ENVIRONMENT",
    "KEY_VARIABLE",
    "MEMORY_VARIABLE",
    "PLUGIN",
    "TOKEN_VARIABLE",
    "Config",
    "Found",
    "MachineSettings",
    "ResidentSettings",
    "Violation",
    "find",
    "load_config",
    "read_key",
    "violations",
]

if TYPE_CHECKING:
    from ntm_memory_skill.config.load import Config, load_config
    from ntm_memory_skill.config.schema import CONFIG_SCHEMA, MachineSettings
else:
    _HOMES = {"Config": "load", "load_config": "load", "CONFIG_SCHEMA": "schema", "MachineSettings": "schema"}

    def __getattr__(name: str) -> object:
        """Import what is asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
