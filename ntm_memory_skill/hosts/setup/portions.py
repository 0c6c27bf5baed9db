"""Changes cut into writes that the host accepts: it takes a file that loses half of itself at once for damaged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ntm_memory_skill.hosts.setup.plan import ALLOW, ENTRIES, LOAD, SLOT, Change, Place, Tree, leaves

WATCHED = 448
"""Bytes from which on the host may mind that a file shrinks: 512, less what it shows though it is not there."""
_SPARE = 64  # for the same reason


def portions(tree: Tree, changed: Iterable[Change], size: int) -> list[tuple[Change, ...]]:
    """Return changes in as few writes as the host allows, in an order in which each leaves a valid configuration.

    Args:
        tree: The present configuration, or the part of it that will be changed.
        changed: The changes.
        size: Of the whole configuration file, in bytes.
    """
    found: list[tuple[Change, ...]] = []
    portion: list[Change] = []
    for change in (part for whole in sorted(changed, key=_turn) for part in _in_parts(whole)):
        longer = [*portion, change]
        if portion and size >= WATCHED and 2 * _loss(tree, longer) > size - _SPARE:
            found.append(tuple(portion))
            size -= _loss(tree, portion)
            tree, longer = _applied(tree, portion), [change]
        portion = longer
    return [*found, tuple(portion)] if portion else found


def _loss(tree: Tree, changed: Iterable[Change]) -> int:
    """Return how many bytes the file loses by changes, laid out as the host does it."""
    return len(json.dumps(tree, indent=2)) - len(json.dumps(_applied(tree, changed), indent=2))


def _applied(tree: Tree, changed: Iterable[Change]) -> Tree:
    """Return a configuration after changes."""
    for change in changed:
        tree = _with(tree, change.path, change.after)
    return tree


def _with(tree: Tree, place: Place, value: Any) -> Tree:
    name, rest = place[0], place[1:]
    inside = tree.get(name)
    if rest:
        value = _with(inside if isinstance(inside, Mapping) else {}, rest, value)
    return {key: part for key, part in {**tree, name: value}.items() if key != name or part is not None}


def _turn(change: Change) -> int:
    """Return when a change is to be taken back: the slot's holder has to be there for as long as it holds it."""
    roots = (SLOT[:2], ENTRIES, ALLOW, LOAD[:2])
    return next(number for number, root in enumerate(roots) if change.path[: len(root)] == root)


def _in_parts(change: Change) -> Iterator[Change]:
    """Yield the removal of an object as those of its values, and then of what is left of it."""
    if change.after is None and isinstance(change.before, Mapping):
        yield from (Change(path, value, None) for path, value in leaves(change.before, change.path))
        change = Change(change.path, {}, None)
    yield change
