"""A stand-in for the host's command line, for what the real one does not do on demand: refuse, break, hang, be old.

    python fake_openclaw.py FOLDER ARGUMENT…        FOLDER holds openclaw.json, and behaviour.json with these names:

version     what it is
broken      it does not start, and says this
hangs       the call that never ends, by its first two words; "written" hangs after a write
refuses     it says this to a write
complains   it says this of a configuration that ntm-memory is in
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any


def main(folder: Path, arguments: list[str]) -> int:
    """Answer one call."""
    behaviour = json.loads((folder / "behaviour.json").read_text())
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    name = " ".join(arguments[:2])
    if behaviour.get("hangs") == name:
        signal.pause()
    if "broken" in behaviour:
        sys.stderr.write(behaviour["broken"])
        return 1
    file = folder / "openclaw.json"
    if name == "--version":
        sys.stdout.write(f"OpenClaw {behaviour.get('version', '2026.9.6')} (abcdef0)\n")
        return 0
    if name == "config patch":
        return _patch(file, behaviour)
    status, answer = _answer(name, file, behaviour)
    sys.stdout.write(json.dumps(answer))
    return status


def _answer(name: str, file: Path, behaviour: dict[str, Any]) -> tuple[int, Any]:
    text = file.read_text() if file.exists() else "{}"
    if name == "config file":
        return 0, {"path": str(file)}
    if name == "agents list":
        return 0, [{"id": agent, "workspace": str(file.parent / "work")} for agent in ("main", "other")]
    try:
        config = _config(text)
    except ValueError as error:
        return 1, {"error": {"message": "config is invalid"}, "issues": [{"path": "<root>", "message": str(error)}]}
    if name == "config validate":
        wrong = "complains" in behaviour and "ntm-memory" in text
        return int(wrong), {"valid": not wrong, "error": {"message": behaviour.get("complains")}}
    unset = {"ok": False, "error": {"message": "Config path is valid but unset: plugins."}}
    return (0, config["plugins"]) if "plugins" in config else (1, unset)


def _config(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("\n".join(line.split("//")[0] for line in text.splitlines()))
    return found


def _patch(file: Path, behaviour: dict[str, Any]) -> int:
    if "refuses" in behaviour:
        sys.stderr.write(behaviour["refuses"])
        return 1
    text = file.read_text() if file.exists() else "{}"
    config = _config(text)
    _merge(config, json.loads(sys.stdin.read()))
    written = json.dumps(config, indent=2)
    if len(written) < len(text) / 2 and len(text) >= 512:
        sys.stderr.write(f"Config write rejected (size-drop:{len(text)}->{len(written)})")
        return 1
    file.write_text(written)
    if behaviour.get("hangs") == "written":
        signal.pause()
    sys.stdout.write("Applied. Change will apply without restarting the gateway.\n")
    return 0


def _merge(config: dict[str, Any], change: dict[str, Any]) -> None:
    for name, value in change.items():
        if value is None:
            config.pop(name, None)
        elif isinstance(value, dict):
            _merge(config.setdefault(name, {}), value)
        else:
            config[name] = value


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
