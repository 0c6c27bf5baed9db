"""The change to OpenClaw's configuration: from what is there and what is wanted to what differs, and back.

Pure functions over the value of `plugins`, as the host gives it. None stands for what is not there. Only values that
differ are changed, so that a second set-up changes nothing; taking a change back touches only what still holds what
was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntm_memory_skill.hosts.openclaw import contract

Tree = Mapping[str, Any]
Place = tuple[str, ...]

ROOT = "plugins"
LOAD = (ROOT, "load", "paths")
ALLOW = (ROOT, "allow")
SLOT = (ROOT, "slots", "memory")
ENTRIES = (ROOT, "entries")
ENTRY = (*ENTRIES, contract.PLUGIN_ID)
CORE = (*ENTRIES, "memory-core", "enabled")

_OWN_FOLDER = contract.PLUGIN_FOLDER.parts[-4:]  # ntm_memory_skill/hosts/openclaw/plugin, wherever that is installed
_DEFAULTS = {
    name: schema["default"] for name, schema in contract.CONFIG_SCHEMA["properties"].items() if "default" in schema
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the set-up is to bring about."""

    command: tuple[str, ...]
    """Starts ntm-memory; its first word is an absolute path, since the host changes PATH."""
    folder: Path = contract.PLUGIN_FOLDER
    """The plugin's."""
    enabled: bool = True
    """As clawhub.json has it. A plugin that is switched off does not take the slot."""
    data_folder: Path | None = None
    """For all agents' memories; None keeps what is there."""
    auto_recall: bool | None = None
    """None keeps what is there, and is on where nothing is."""
    auto_capture: bool | None = None
    """None keeps what is there, and is off where nothing is."""
    disable_memory_core: bool = False
    """Whether the host's own memory plugin, with its tool and its command, is to go."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value of the configuration, before and after."""

    path: Place
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The path as the host's own command line takes it."""
        return dotted(self.path)


def changes(tree: Tree, wishes: Wishes) -> tuple[Change, ...]:
    """Return what has to change in a configuration, in the order in which a person would read it."""
    wanted: dict[Place, Any] = {LOAD: _folders(_listed(tree, LOAD), str(wishes.folder))}
    allowed = _listed(tree, ALLOW)
    if allowed and contract.PLUGIN_ID not in allowed:  # an empty list allows everything; with us in it, nothing else
        wanted[ALLOW] = [*allowed, contract.PLUGIN_ID]
    if wishes.enabled:
        wanted[SLOT] = contract.PLUGIN_ID
    elif at(tree, SLOT) == contract.PLUGIN_ID:
        wanted[SLOT] = None
    wanted[(*ENTRY, "enabled")] = wishes.enabled
    wanted[(*ENTRY, "hooks", "allowConversationAccess")] = True
    wanted |= {(*ENTRY, "config", name): value for name, value in _config(tree, wishes).items()}
    if wishes.disable_memory_core and wishes.enabled:
        wanted[CORE] = False
    return _differing(tree, wanted)


def removal(tree: Tree) -> tuple[Change, ...]:
    """Return what takes ntm-memory out of a configuration, where it is not known what was there before."""
    wanted: dict[Place, Any] = {ENTRY: None}
    if any(ours(each) for each in _listed(tree, LOAD)):
        wanted[LOAD] = [each for each in _listed(tree, LOAD) if not ours(each)] or None
    allowed = [each for each in _listed(tree, ALLOW) if each != contract.PLUGIN_ID]
    if allowed:  # an empty list would allow everything
        wanted[ALLOW] = allowed
    if at(tree, SLOT) == contract.PLUGIN_ID:
        wanted[SLOT] = None
    return _differing(tree, wanted)


def reversal(
    tree: Tree, done: Iterable[Change], made: Iterable[Place]
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Return what takes changes back, and those that somebody has changed since: they are left alone.

    Args:
        tree: The present configuration.
        done: What was changed.
        made: The objects that were not there before; those that would be left empty go with it.
    """
    wanted: dict[Place, Any] = {}
    left: list[Change] = []
    for change in done:
        now = at(tree, change.path)
        if now == change.after:
            wanted[change.path] = change.before
            continue
        others = [each for each in now if each not in _added(change)] if isinstance(now, list) else now
        if others != now and (others or change.path != ALLOW):
            wanted[change.path] = others
        elif now != change.before:
            left.append(change)
    for place in sorted(made, key=len, reverse=True):
        gone = {path for path, value in wanted.items() if value is None and path[: len(place)] == place}
        if gone and _hollow(tree, place, gone):
            wanted = {path: value for path, value in wanted.items() if path not in gone} | {place: None}
    return _differing(tree, wanted), tuple(left)


def missing_objects(tree: Tree, changed: Iterable[Change]) -> tuple[Place, ...]:
    """Return the objects that a change will make, outermost first; without the root."""
    above = {change.path[:depth] for change in changed for depth in range(2, len(change.path))}
    return tuple(sorted((place for place in above if at(tree, place) is None), key=lambda place: (len(place), place)))


def patch(changed: Iterable[Change]) -> dict[str, Any]:
    """Return the changes as one configuration-shaped value, in which None deletes."""
    result: dict[str, Any] = {}
    for change in changed:
        inside = result
        for name in change.path[:-1]:
            inside = inside.setdefault(name, {})
        inside[change.path[-1]] = change.after
    return result


def obstacles(tree: Tree) -> tuple[str, ...]:
    """Return what its owner has decided against any change of ours: a set-up would be without effect."""
    found = []
    if at(tree, (ROOT, "enabled")) is False:
        found.append("plugins.enabled is false: OpenClaw loads no plugins")
    if contract.PLUGIN_ID in _listed(tree, (ROOT, "deny")):
        found.append(f"plugins.deny names {contract.PLUGIN_ID}")
    return tuple(found)


def at(tree: Tree, place: Place) -> Any:
    """Return the value at a place, or None."""
    value: Any = tree
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def leaves(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """Yield every value below a place that is no object, or an empty one, with where it stands."""
    if not isinstance(value, Mapping) or not value:
        yield place, value
        return
    for name, part in value.items():
        yield from leaves(part, (*place, name))


def dotted(place: Place) -> str:
    """Return a path as the host's command line takes it."""
    return "".join(f".{name}" if name.isidentifier() else f'["{name}"]' for name in place).removeprefix(".")


def _config(tree: Tree, wishes: Wishes) -> dict[str, Any]:
    found: dict[str, Any] = {"command": list(wishes.command)}
    if wishes.data_folder is not None:
        found["dataDir"] = str(wishes.data_folder)
    for name, wish in (("autoRecall", wishes.auto_recall), ("autoCapture", wishes.auto_capture)):
        present = at(tree, (*ENTRY, "config", name))
        kept = present if isinstance(present, bool) else _DEFAULTS[name]
        found[name] = kept if wish is None else wish
    return found


def _folders(present: list[Any], folder: str) -> list[Any]:
    """Return the load paths with `folder` once, in the place of the first of a former installation's."""
    found: list[Any] = []
    for each in present:
        kept = folder if ours(each) else each
        if kept != folder or folder not in found:
            found.append(kept)
    return found if folder in found else [*found, folder]


def ours(path: object) -> bool:
    """Say whether a load path is the plugin of some installation of ntm-memory."""
    return isinstance(path, str) and Path(path).parts[-len(_OWN_FOLDER) :] == _OWN_FOLDER


def _added(change: Change) -> list[Any]:
    """Return what a change put into a list; nothing if it is about no list."""
    return (
        [each for each in change.after if each not in (change.before or ())] if isinstance(change.after, list) else []
    )


def _hollow(tree: Tree, place: Place, gone: set[Place]) -> bool:
    """Say whether nothing is left at a place without what goes. Our defaults count as nothing: the host adds them."""
    return all(
        any(path[: len(each)] == each for each in gone)
        or (path[:-1] == (*ENTRY, "config") and value == _DEFAULTS.get(path[-1]))
        for path, value in leaves(at(tree, place), place)
    )


def _listed(tree: Tree, place: Place) -> list[Any]:
    found = at(tree, place)
    return found if isinstance(found, list) else []


def _differing(tree: Tree, wanted: Mapping[Place, Any]) -> tuple[Change, ...]:
    found = (Change(path, at(tree, path), value) for path, value in wanted.items())
    return tuple(change for change in found if change.before != change.after)
