"""Damage to single files, and the law on what a repair may lose: nothing unnamed, nothing made up, nothing purged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from random import Random

from ntm_memory_skill.store import State
from tests.store.wrecks import JOURNAL, OLD_JOURNAL, Kept, texts

Damage = Callable[[bytes], bytes | None]
"""What becomes of a file's bytes; None is no file."""


def flipped(data: bytes, place: int, mask: int = 0xFF) -> bytes:
    """Change bits of one byte."""
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


def flipped_at(share: float, mask: int = 0xFF) -> Damage:
    """Return what changes the byte that stands so far into the file; at 1, the very last."""
    return lambda data: flipped(data, min(int(share * len(data)), len(data) - 1), mask)


def garbage(data: bytes) -> bytes:
    """Return bytes that say nothing, lines of them."""
    return _bytes(len(data)) + b"\n" + _bytes(30) + b"\n"


def _bytes(count: int) -> bytes:
    return Random(count).randbytes(count)  # noqa: S311  # damage, the same in every run


DAMAGES: Mapping[str, Damage] = {
    **{f"a byte flipped at {share}": flipped_at(share) for share in (0, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 1)},
    **{f"a bit flipped at {share}": flipped_at(share, 1) for share in (0.1, 0.3, 0.5, 0.7, 0.9, 1)},
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "cut to a byte": lambda data: data[:1],
    "cut in half": lambda data: data[: len(data) // 2],
    "cut by a byte": lambda data: data[:-1],
    "cut by three": lambda data: data[:-3],
    "garbage": garbage,
    "zeros": lambda data: bytes(len(data)),
    "zeros from the middle": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "something behind the end": lambda data: data + b"\0" * 9 + b"\n",
    "twice": lambda data: data + data,
}
"""Everything that happens to files."""

_ENTRIES = re.compile(r"entr(?:y|ies) (\d+)(?: to (\d+))?")
_LINE = re.compile(r"line (\d+) of the (journal|previous_journal)")
_NUMBER = re.compile(rb'^\{"seq":(\d+),')
_ANY = ("what a damaged snapshot cannot show", "whatever the snapshot held")


def unnamed(whole: Kept, state: State, lost: Iterable[str]) -> set[str]:
    """Return the ids that do not say what they said last, though nothing that was lost names them."""
    said = list(lost)
    if any(each.startswith(_ANY) for each in said):
        return set()
    named = {ident_ for number in _numbers(whole, said) for ident_ in whole.told.about.get(number, set())}
    named |= {ident_ for ident_ in whole.told.ever if any(ident_ in each for each in said)}
    told = whole.told
    places = ((state.records, told.live), (state.archive, told.archive), (state.forgotten, told.forgotten))
    wrong = {each for found, right in places for each in told.ever if texts(found).get(each) != right.get(each)}
    return wrong - named


def invented(whole: Kept, state: State, lost: Iterable[str]) -> dict[str, str]:
    """Return what a state says that was never said, or was purged by an entry that is not lost."""
    told, numbers = whole.told, _numbers(whole, lost)
    purged = {ident_ for ident_ in told.purged if told.purging.get(ident_) not in numbers}
    said = {**texts(state.records), **texts(state.archive), **texts(state.forgotten)}
    return {ident_: text for ident_, text in said.items() if ident_ in purged or text not in told.ever[ident_]}


def _numbers(whole: Kept, lost: Iterable[str]) -> set[int]:
    """Return the numbers of the entries that are said to be lost."""
    numbers: set[int] = set()
    for said in lost:
        for found in _ENTRIES.finditer(said):
            numbers.update(range(int(found[1]), int(found[2] or found[1]) + 1))
        for found in _LINE.finditer(said):
            lines = whole.files[JOURNAL if found[2] == "journal" else OLD_JOURNAL].split(b"\n")
            numbers.update(int(number) for line in lines[int(found[1]) - 1 :][:1] for number in _NUMBER.findall(line))
    return numbers
