"""What the plugin and the Python side have agreed on. The plugin's manifest and tool list are generated from here.

The plugin is one JavaScript file without dependencies (`plugin/index.js`). It starts one Python process for the whole
gateway, `ntm-memory serve --mcp stdio --agents`, and names the agent's memory with every request, in `_meta`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

PLUGIN_ID = "ntm-memory"
"""The plugin's name in the host's configuration: ``plugins.entries.ntm-memory``, ``plugins.slots.memory``."""
PLUGIN_FOLDER = Path(__file__).parent / "plugin"
"""What the host loads, shipped as package data."""
HOST_VERSION = "2026.9.6"
"""The oldest host that the plugin was proved on."""
META_FILE = "ntm-memory/file"
META_WORKSPACE = "ntm-memory/workspace"
"""Where a request's `_meta` names the memory's file and the agent's workspace, by absolute paths."""
TURN_BEGINS = "ntm-memory/turn-begins"
"""Request {message, session, budget}, answer {context}: what to put before the model, or null."""
TURN_ENDS = "ntm-memory/turn-ends"
"""Request {message, session}, answer {memorized}: the ids of what was worth keeping of the user's words."""
LOWEST_RECALL_BUDGET, RECALL_BUDGET, HIGHEST_RECALL_BUDGET = 300, 1500, 10_000

CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "command": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "The program and arguments that start ntm-memory; `ntm-memory setup` writes them.",
        },
        "dataDir": {
            "type": "string",
            "description": "Folder for all agents' memories, one sub-folder each; else each lies in its workspace.",
        },
        "autoRecall": {
            "type": "boolean",
            "default": True,
            "description": "Put what is remembered before the model in each turn.",
        },
        "recallBudget": {
            "type": "integer",
            "minimum": LOWEST_RECALL_BUDGET,
            "maximum": HIGHEST_RECALL_BUDGET,
            "default": RECALL_BUDGET,
            "description": "Characters that one automatic recall adds to the prompt at most.",
        },
        "autoCapture": {
            "type": "boolean",
            "default": False,
            "description": "Memorize what the user says, when it sounds worth keeping.",
        },
    },
}
"""What may stand under ``plugins.entries.ntm-memory.config``."""
