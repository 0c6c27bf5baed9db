"""What is generated from the code: `skill.yaml`, the plugin's manifest, and the marked blocks in the documentation.

    python -m ntm_memory_skill.hosts.manifest --check      exit with 1 if a file in this checkout is out of date
    python -m ntm_memory_skill.hosts.manifest --write      bring them up to date

A block stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; what stands outside is written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import typer.main

from ntm_memory_skill import __version__
from ntm_memory_skill.config import CONFIG_SCHEMA, ENVIRONMENT, PLUGIN
from ntm_memory_skill.errors import error_classes
from ntm_memory_skill.hosts.openclaw import contract
from ntm_memory_skill.hosts.openclaw.generate import plugin_files
from ntm_memory_skill.hosts.setup.clients import CLIENTS, GENERIC
from ntm_memory_skill.tools import TOOLS
from ntm_memory_skill.tools.results import HIT, MEMORY
from ntm_memory_skill.tools.wording import WORDING

SKILL = "ntm-memory-system"
MANIFEST = "skill.yaml"
DOCUMENTS = ("docs/tools.md", "docs/configuration.md", "docs/openclaw.md", "docs/mcp-clients.md")

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def manifest() -> dict[str, Any]:
    """Return what `skill.yaml` says."""
    package = metadata("ntm-memory-skill")
    return {
        "name": SKILL,
        "version": __version__,
        "description": package["Summary"],
        "license": package["License-Expression"],
        "package": package["Name"],
        "requires": {"python": package["Requires-Python"]},
        "setup": ["pip install -c constraints.txt -e .", "ntm-memory setup"],
        "command": "ntm-memory",
        "server": {"transport": "stdio", "command": ["ntm-memory", "serve", "--mcp", "stdio"]},
        "tools": [
            {
                "name": spec.name,
                "description": spec.description,
                "input_schema": spec.input_schema,
                "output_schema": spec.output_schema,
            }
            for spec in TOOLS.values()
        ],
        "environment": [{"name": name, "description": text} for name, text in ENVIRONMENT.items()],
        "configuration": {"file": "clawhub.json", "plugin": PLUGIN, "schema": CONFIG_SCHEMA},
    }


def skill_yaml() -> str:
    """Return the text of `skill.yaml`."""
    import yaml  # only a checkout needs it

    text: str = yaml.safe_dump(manifest(), sort_keys=False, allow_unicode=True, width=100)
    return "# Generated from the code by: python -m ntm_memory_skill.hosts.manifest --write\n" + text


def tools_block() -> str:
    """Return a section for each tool, with a table of its arguments and one of what it gives."""
    lines: list[str] = []
    for spec in TOOLS.values():
        lines += [f"### {spec.name}", "", spec.description, ""]
        lines += [*_table("argument", spec.input_schema), "", *_table("gives", spec.gives), ""]
    return "\n".join(lines)


def memories_block() -> str:
    """Return a table of a memory's fields, and one of those that a hit has besides."""
    besides = {name: part for name, part in HIT["properties"].items() if name not in MEMORY["properties"]}
    hit = _table("a hit has besides", {**HIT, "properties": besides})
    return "\n".join([*_table("a memory has", MEMORY), "", *hit]) + "\n"


def terms_block() -> str:
    """Return a table of what a score is made of, and of what else can set two memories apart."""
    lines = ["| name | in words | what it is |", "|---|---|---|"]
    lines += [f"| `{name}` | {each.label} | {each.about} |" for name, each in WORDING.items()]
    return "\n".join(lines) + "\n"


def errors_block() -> str:
    """Return a table of every error that can reach a caller."""
    lines = ["| code | exit status | meaning | what to do |", "|---|---|---|---|"]
    for kind in error_classes():
        meaning = (kind.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| `{kind.code}` | {kind.exit_status} | {meaning} | {kind.default_hint} |")
    return "\n".join(lines) + "\n"


def commands_block() -> str:
    """Return a table of the command line's verbs."""
    from ntm_memory_skill.hosts.cli import app

    lines = ["| command | what it does |", "|---|---|"]
    for name, command in typer.main.get_group(app).commands.items():
        lines.append(f"| `{name}` | {(command.help or '').splitlines()[0]} |")
    return "\n".join(lines) + "\n"


def configuration_block() -> str:
    """Return a table of every entry of the config in clawhub.json."""
    return _settings(CONFIG_SCHEMA)


def plugin_block() -> str:
    """Return a table of every entry of the plugin's config in OpenClaw."""
    return _settings(contract.CONFIG_SCHEMA)


def clients_block() -> str:
    """Return a table of the MCP clients that can be set up, and of the files that they keep their servers in."""
    lines = ["| client | file | with `--project` |", "|---|---|---|"]
    for name, client in CLIENTS.items():
        project = "" if client.project is None else f"`{client.project}`"
        lines.append(f"| `{name}` | `{client.file(Path('~'), platform='linux')}` | {project} |")
    return "\n".join([*lines, f"| `{GENERIC}` | none: the entry is printed | |"]) + "\n"


def environment_block() -> str:
    """Return a table of the environment variables."""
    lines = ["| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in ENVIRONMENT.items()]
    return "\n".join(lines) + "\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "tools": tools_block,
    "memories": memories_block,
    "terms": terms_block,
    "errors": errors_block,
    "commands": commands_block,
    "configuration": configuration_block,
    "environment": environment_block,
    "plugin": plugin_block,
    "clients": clients_block,
}


def refreshed(text: str) -> str:
    """Return a document with its generated blocks brought up to date."""
    return _BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found['name']]()}{found[3]}", text)


def outdated(root: Path) -> dict[Path, str]:
    """Return the generated files of a checkout that are not as they should be, with what they should hold."""
    wanted = {root / MANIFEST: skill_yaml()} | {root / name: text for name, text in plugin_files().items()}
    wanted |= {root / name: refreshed((root / name).read_text(encoding="utf-8")) for name in DOCUMENTS}
    return {
        path: text for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def main() -> int:
    """Check or write, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="compare, and change nothing")
    action.add_argument("--write", action="store_true", help="write what differs")
    arguments = parser.parse_args()
    stale = outdated(arguments.root)
    for path, text in stale.items():
        if arguments.write:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'wrote' if arguments.write else 'out of date:'} {path}\n")
    return int(bool(stale) and not arguments.write)


def _settings(schema: dict[str, Any]) -> str:
    lines = ["| entry | type | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{path}` | {_type(part)} | {_default(part)} | {part['description']} |" for path, part in _leaves(schema, "")
    ]
    return "\n".join(lines) + "\n"


def _leaves(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in schema["properties"].items():
        here = f"{path}.{name}" if path else name
        if part.get("properties"):
            yield from _leaves(part, here)
        else:
            yield here, part


def _table(head: str, schema: dict[str, Any]) -> list[str]:
    """Return a table of an object's properties; those that are always there are in bold."""
    return [f"| {head} | type | meaning |", "|---|---|---|", *_rows(schema, "", always=True)]


def _rows(schema: dict[str, Any], path: str, *, always: bool) -> Iterator[str]:
    for name, part in schema["properties"].items():
        here, sure = path + name, always and name in schema.get("required", ())
        yield f"| {f'**{here}**' if sure else here} | {_type(part)} | {part['description']} |"
        inner = part.get("items", part)
        if "properties" in inner and "title" not in inner:  # what has a title has a table of its own
            yield from _rows(inner, f"{here}[]." if "items" in part else f"{here}.", always=sure)


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "type" not in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    kind = _kind(schema)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    if low is None or high is None:
        return kind
    return f"{kind}, {'above ' if 'exclusiveMinimum' in schema else ''}{low} to {high}"


def _kind(schema: dict[str, Any]) -> str:
    title = schema.get("items", schema).get("title")
    if title is not None:
        return f"list, each a {title}" if "items" in schema else str(title)
    return str({"string": "text", "array": "list"}.get(schema["type"], schema["type"]))


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.exit(main())
