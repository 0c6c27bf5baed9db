"""Every way in which the files of a memory are damaged, by name. `judging.py` says what a reader may make of it.

Two sorts: bytes that are changed, and files that are mixed up, which checksums and links have to notice; and JSON that
says something else behind right checksums, so that the code behind them is reached.
"""

from __future__ import annotations

import copy
import json
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any, Literal

from tests.store.builders import DIMENSION
from tests.store.byte_damage import BYTES, Bytes
from tests.store.forging import JSON, RAW, line_bytes, note_bytes, snapshot_bytes
from tests.store.specimens import JOURNAL, KEYS, SNAPSHOT, WRITER, Files, Specimen

Law = Literal["strict", "decodes"]
"""strict: refused, or exactly what was written, or less of it with a report. decodes: refused, or anything usable."""


@dataclass(frozen=True, slots=True)
class Case:
    """A damaged memory."""

    specimen: Specimen
    files: Files
    law: Law = "strict"


Mutator = Callable[[Random, tuple[Specimen, ...]], Case]
"""Damages one of the memories, in the order in which `specimens` gives them."""


# --- whole files and lines --------------------------------------------------------------------------------------------


def _in_bytes(change: Bytes, rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Damage the journal, the snapshot or both of a memory that anybody can read."""
    specimen = rng.choice(specimens[:2])
    return Case(specimen, _damaged(change, rng, specimen))


def _damaged(change: Bytes, rng: Random, specimen: Specimen) -> Files:
    names = rng.choice(((JOURNAL,), (JOURNAL,), (SNAPSHOT,), (SNAPSHOT, JOURNAL)))
    return {**specimen.files, **{name: change(rng, specimen.files[name]) for name in names}}


def _spliced(rng: Random, lines: list[bytes], others: list[bytes]) -> bytes:
    """Put other lines between those of a file, or in their place, or let it go on as another one does."""
    lines = list(lines)
    if rng.random() < 0.25:
        return b"".join(lines[: rng.randint(0, len(lines))] + others[rng.randint(0, len(others)) :])
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randint(0, len(lines))
        lines[place : place + rng.randrange(2)] = [rng.choice(others)]
    return b"".join(lines)


def _generations_mixed(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Bring lines of the generation before among those of today, or a whole file of it."""
    specimen = rng.choice((specimens[0], specimens[2]))  # lines of version 1 are not linked: only their numbers count
    files, number = dict(specimen.files), rng.randrange(2)
    name, old = (SNAPSHOT, JOURNAL)[number], specimen.previous[number]
    mixed = _spliced(rng, files[name].splitlines(keepends=True), old.splitlines(keepends=True))
    files[name] = rng.choice((old, mixed, mixed, mixed))
    return Case(specimen, files)


def _versions_mixed(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Bring lines of one format version among those of the other."""
    specimen, other = rng.sample(specimens[:2], 2)
    files, name = dict(specimen.files), rng.choice((SNAPSHOT, JOURNAL, JOURNAL))
    first, *lines = files[name].splitlines(keepends=True)
    files[name] = first + _spliced(rng, lines, other.files[name].splitlines(keepends=True)[1:])
    return Case(replace(specimen, records=specimen.records | other.records), files)  # both were written, if not here


def _missing(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Delete a file, or empty it."""
    specimen, name = rng.choice(specimens), rng.choice((SNAPSHOT, JOURNAL, KEYS))
    files = dict(specimen.files)
    del files[name]
    return Case(specimen, rng.choice((files, {**files, name: b""})))


def _note(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Damage the writer's note alone, or let it name another entry."""
    specimen = rng.choice(specimens)
    if rng.random() < 0.5:
        return Case(specimen, {**specimen.files, WRITER: note_bytes(rng.choice((0, 1, 10**17)))}, "decodes")
    change = rng.choice((BYTES["huge numbers"], *BYTES.values()))
    return Case(specimen, {**specimen.files, WRITER: change(rng, specimen.files[WRITER])})


def _keys_damaged(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Damage the key cache, the encrypted one as well."""
    specimen = rng.choice(specimens)
    return Case(specimen, {**specimen.files, KEYS: rng.choice(list(BYTES.values()))(rng, specimen.files[KEYS])})


def _keys_mixed(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Let digests, checksums or keys of two rows change places, or stand in both."""
    specimen = specimens[0]
    data = specimen.files[KEYS]
    width = 16 + 4 + 4 * DIMENSION
    count = (len(data) - 10 - int.from_bytes(data[8:10], "little")) // width
    rows = bytearray(data[len(data) - count * width :])
    first, second = (number * width for number in rng.sample(range(count), 2))
    start, end = sorted(rng.sample((0, 16, 20, width), 2))
    here, there = bytes(rows[first + start : first + end]), bytes(rows[second + start : second + end])
    rows[first + start : first + end] = there
    if rng.random() < 0.5:
        rows[second + start : second + end] = here
    return Case(specimen, {**specimen.files, KEYS: data[: len(data) - len(rows)] + bytes(rows)})


def _encrypted(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Damage an encrypted memory's bytes, in any way."""
    specimen = specimens[2]
    return Case(specimen, _damaged(rng.choice(list(BYTES.values())), rng, specimen))


# --- behind right checksums -------------------------------------------------------------------------------------------

AWKWARD: tuple[JSON, ...] = (
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -(2**63)),
    *(0.5, 1.5, -0.25, 1e308, 5e-324, math.nan, math.inf),
    *("", "m000", "m003", "m999", "9", "9" * 5000, "\x00", "\ud800", "crc", *RAW),
    *("2026-01-01T00:00:00", "2026-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "now"),
    *("====", "A", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AADAfwAAwH8AAMB/AADAfw==", "AAAAAAAAAAAAAAAAAAAAAAAA"),
    *([], {}, [0], [[]], ["m000", "m000"], {"id": 0}, {"event": "purged"}),
)
NAMES = ("id", "slot", "ordinal", "content", "at", "crc", "event", "record", "key_row", "sealed", "versions", "unknown")

Place = tuple[Any, Any]
"""A list or an object, and an index or a name in it."""


def changed_tree(rng: Random, places: list[Place]) -> None:
    """Change values, types, names or nesting at one or two of some places of a JSON value."""
    for _ in range(rng.choice((1, 1, 1, 2))):
        container, key = rng.choice(places)
        if _there(container, key):
            rng.choice((_replace, _alike, _alike, _alike, _remove, _rename, _repeat, _wrap, _swap))(
                rng, container, key, places
            )


def _there(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


def _replace(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    container[key] = copy.deepcopy(rng.choice(AWKWARD))


def _alike(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    """Put another value of the same type there: such changes get furthest."""
    kind = type(container[key])
    there = [other[name] for other, name in places if _there(other, name)]
    container[key] = copy.deepcopy(rng.choice([value for value in (*AWKWARD, *there) if type(value) is kind]))


def _remove(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    del container[key]


def _rename(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    if isinstance(container, dict):
        container[rng.choice(NAMES)] = container.pop(key)
    else:
        container.reverse()


def _repeat(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    value = copy.deepcopy(container[key])
    if isinstance(container, dict):
        container[rng.choice(NAMES)] = value
    else:
        container.insert(rng.randint(0, len(container)), value)


def _wrap(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    container[key] = rng.choice(([container[key]], {"id": container[key]}, str(container[key])))


def _swap(rng: Random, container: Any, key: Any, places: list[Place]) -> None:
    other, name = rng.choice(places)
    if _there(other, name):
        value = copy.deepcopy(other[name])
        other[name] = copy.deepcopy(container[key])
        container[key] = value


def places_in(value: JSON) -> Iterator[Place]:
    """Give every place within a JSON value."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for key in keys:
        yield value, key
        yield from places_in(value[key])


def _top(value: JSON) -> list[Place]:
    return [(value, key) for key in (value if isinstance(value, dict) else range(len(value)))]


TARGETS: dict[str, Callable[[JSON, list[JSON]], list[Place]]] = {
    "snapshot's header": lambda snapshot, _: _top(snapshot),
    "encoder": lambda snapshot, _: list(places_in(snapshot["encoder"])),
    "records": lambda snapshot, _: [*places_in(snapshot["records"]), *places_in(snapshot["archive"])],
    "forgotten": lambda snapshot, _: list(places_in(snapshot.get("forgotten", []))),
    "consolidations": lambda snapshot, _: list(places_in(snapshot.get("consolidations", {}))),
    "tombstones": lambda snapshot, _: [(snapshot, "tombstones"), *places_in(snapshot["tombstones"])],
    "journal's header": lambda _, journal: [(journal, 0), *places_in(journal[0])],
    "entries": lambda _, journal: [*_top(journal), *(place for line in journal[1:] for place in _top(line))],
    "events": lambda _, journal: [place for line in journal[1:] for place in places_in(line["events"])],
}
"""What can be changed, as places in what a snapshot and a journal say."""


def _told_otherwise(target: str, rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Let a memory say something else in one of its parts, behind right checksums, under its seal if it has one."""
    specimen = rng.choice(specimens)
    snapshot, journal = copy.deepcopy((specimen.snapshot, specimen.journal))
    alone = rng.random() < 0.25
    if alone:
        del journal[1:]  # whose entries would contradict most of what the snapshot may say
    changed_tree(rng, TARGETS[target](snapshot, journal) or TARGETS["snapshot's header"](snapshot, journal))
    files = dict(specimen.told(snapshot, journal))
    if alone:
        del files[WRITER]
    return Case(specimen, files, "decodes")


def _forged(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Let somebody without the key write a line, linked and checked: a readable one, or another one's sealed events."""
    specimen = specimens[2]
    lines = specimen.files[JOURNAL].splitlines(keepends=True)
    place = rng.randint(1, len(lines))
    sealed = [{"sealed": json.loads(line)["sealed"]} for number, line in enumerate(lines) if number not in (0, place)]
    readable = [{"events": line["events"]} for line in specimens[0].journal[1:]]
    line = {"seq": specimen.last - len(lines) + 1 + place, **rng.choice(rng.choice((sealed, readable)))}
    before = json.loads(lines[place - 1])
    after = int(before["crc"], 16) if "crc" in before else zlib.crc32(lines[place - 1])
    return Case(specimen, {**specimen.files, JOURNAL: b"".join(lines[:place]) + line_bytes(line, after)[0]})


def _kdf(rng: Random, specimens: tuple[Specimen, ...]) -> Case:
    """Let an encrypted snapshot say something else of its key."""
    specimen = specimens[2]
    box = {"kdf": copy.deepcopy(specimen.kdf)}
    changed_tree(rng, list(places_in(box)))
    changed = snapshot_bytes(specimen.snapshot, specimen.seal, box.get("kdf"))
    return Case(specimen, {**specimen.files, SNAPSHOT: changed}, "decodes")


KINDS: dict[str, Mutator] = {
    **{name: partial(_in_bytes, change) for name, change in BYTES.items()},
    "lines of another generation": _generations_mixed,
    "lines of another version": _versions_mixed,
    "files missing or empty": _missing,
    "writer's note": _note,
    "key cache damaged": _keys_damaged,
    "key cache, rows mixed": _keys_mixed,
    "encrypted, damaged": _encrypted,
    "encrypted, lines forged": _forged,
    **{f"behind checksums: {target}": partial(_told_otherwise, target) for target in TARGETS},
    "behind checksums: kdf": _kdf,
}
"""Every kind of damage by name."""


def made(kind: str, number: int, seed: int, specimens: tuple[Specimen, ...]) -> Case:
    """Return an input by its number: the same one each time, but for what encryption draws by itself."""
    return KINDS[kind](Random(f"{seed} {kind} {number}"), specimens)  # noqa: S311  # repeatable is the point
