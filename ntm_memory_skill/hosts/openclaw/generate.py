"""The plugin's manifest, package file and tool list: everything in them is said elsewhere in the code."""

from __future__ import annotations

import json
from typing import Any

from ntm_memory_skill import __version__
from ntm_memory_skill.hosts.openclaw.contract import CONFIG_SCHEMA, HOST_VERSION, PLUGIN_ID
from ntm_memory_skill.tools import TOOLS

FOLDER = "ntm_memory_skill/hosts/openclaw/plugin"
NAME = "NTM Memory"
DESCRIPTION = "Long-term memory with Neural Turing Machine addressing, on your own machine."
PROFILES = ["minimal", "coding", "messaging", "full"]


def plugin_files() -> dict[str, str]:
    """Return the generated files of the plugin, by their path in a checkout."""
    files = {"openclaw.plugin.json": _manifest(), "package.json": _package(), "tools.json": _tools()}
    return {f"{FOLDER}/{name}": json.dumps(value, indent=2, ensure_ascii=False) + "\n" for name, value in files.items()}


def _manifest() -> dict[str, Any]:
    return {
        "id": PLUGIN_ID,
        "name": NAME,
        "description": DESCRIPTION,
        "version": __version__,
        "categories": ["memory"],
        "kind": "memory",
        "activation": {"onStartup": True},
        "contracts": {"tools": list(TOOLS)},
        "toolMetadata": {
            name: {"profiles": PROFILES, **({"replaySafe": True} if spec.read_only else {"sideEffecting": True})}
            for name, spec in TOOLS.items()
        },
        "cliCommands": [
            {
                "name": "ntm",
                "description": "Look at and look after an agent's long-term memory",
                "hasSubcommands": True,
            }
        ],
        "configSchema": CONFIG_SCHEMA,
    }


def _package() -> dict[str, Any]:
    return {
        "name": "ntm-memory-openclaw",
        "version": __version__,
        "description": DESCRIPTION,
        "license": "MIT-0",
        "private": True,
        "type": "module",
        "openclaw": {
            "extensions": ["./index.js"],
            "compat": {"pluginApi": f">={HOST_VERSION}", "minGatewayVersion": HOST_VERSION},
            "build": {"openclawVersion": HOST_VERSION},
        },
    }


def _tools() -> list[dict[str, Any]]:
    return [
        {
            "name": spec.name,
            "label": spec.title,
            "description": spec.description,
            "parameters": spec.input_schema,
            "outputSchema": spec.output_schema,
        }
        for spec in TOOLS.values()
    ]
