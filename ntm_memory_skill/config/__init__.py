"""clawhub.json, environment and arguments, turned into frozen values.

Arguments beat the environment, which beats the file, which beats the defaults.
"""

from ntm_memory_skill.config.load import (
    CLAWHUB_VARIABLE,
    ENCODER_VARIABLE,
    ENVIRONMENT,
    KEY_VARIABLE,
    MEMORY_VARIABLE,
    PLUGIN,
    TOKEN_VARIABLE,
    Config,
    load_config,
    read_key,
)
from ntm_memory_skill.config.schema import CONFIG_SCHEMA, MachineSettings
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
    "MachineSettings",
    "Violation",
    "load_config",
    "read_key",
    "violations",
]
