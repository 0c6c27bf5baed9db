"""What a reader may make of a damaged memory: the law, put to a store that reads bytes from this process's memory.

Whatever is in the files, a reader refuses them with an error of the tree that has a code, or gives exactly what was
written, or gives less of it and says so; what was acknowledged is never missing beside an intact writer's note. Any
other exception is the reader's fault and goes through.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from ntm_memory_skill.errors import StoreError
from ntm_memory_skill.store import DirectoryStore, KeyRows, State, snapshot
from tests.store.builders import compact
from tests.store.mutations import Case, made
from tests.store.specimens import JOURNAL, SNAPSHOT, WRITER, Files, Shelf, Specimen, opened

Outcome = Literal["refused", "same", "prefix", "another", "loss"]
"""loss is the one that must not be: something is missing or wrong, and nothing says so."""


class Verdict(NamedTuple):
    """What became of a damaged memory."""

    outcome: Outcome
    detail: str = ""
    """An error's code; for a loss, what is amiss."""


class Loss(Exception):
    """Something is missing or wrong, and nothing says so."""


FOLLOWED = (1, 9)
"""How many entries of the journal a store has read before the damage is done; 9 are all."""
THOROUGH_EVERY = 4
"""Of the inputs whose bytes were damaged, these are also shown to stores that are open, and that may write."""


def tried(kind: str, number: int, seed: int, specimens: tuple[Specimen, ...], folder: Path) -> Verdict:
    """Judge an input by its number."""
    case = made(kind, number, seed, specimens)
    return judge(case, folder, thorough=case.law == "decodes" or number % THOROUGH_EVERY == 0)


def judge(case: Case, folder: Path, *, thorough: bool = True) -> Verdict:
    """Open a damaged memory in every way there is, and return what became of it.

    Args:
        case: The memory.
        folder: A real one, for the lock.
        thorough: Whether to let a store put things in order, and fold, as well; and one that is open catch up.
    """
    judging = _strictly if case.law == "strict" else _leniently
    try:
        _remains(case)
        return judging(case, folder, thorough=thorough)
    except Loss as loss:
        return Verdict("loss", str(loss))


def _strictly(case: Case, folder: Path, *, thorough: bool) -> Verdict:
    """Judge a memory whose bytes were damaged: what is read has to be what was written."""
    specimen = case.specimen
    verdict = _alone(specimen, {name: data for name, data in case.files.items() if name != WRITER}, folder)
    with_note = _with_note(specimen, case.files, folder)
    intact = case.files.get(WRITER) == specimen.files[WRITER]
    if intact and verdict.outcome != "same" and with_note.outcome != "refused":
        raise Loss("an acknowledged entry is missing beside an intact note")
    if verdict.outcome == "same" and with_note.outcome != "same":
        raise Loss("a whole memory is refused because of its note")
    if thorough:
        _tidied(case, folder, with_note)
    if thorough and intact:
        _followed(case, folder)
    return with_note if verdict.outcome == "another" else verdict


def _alone(specimen: Specimen, files: Files, folder: Path) -> Verdict:
    """Judge a memory without its writer's note."""
    try:
        store = opened(folder, Shelf(files), specimen.passphrase, tidy=False)
    except StoreError as error:
        return Verdict("refused", error.code)
    _check_rows(specimen, store.key_rows())
    known = specimen.states.get(store.sequence)
    if known is None or not _equal(store.state, known):
        raise Loss(f"a state that never was, at entry {store.sequence}")
    if store.sequence == specimen.last:
        return Verdict("same")
    if store.warnings:
        return Verdict("prefix")
    if files.get(JOURNAL, b"") not in specimen.earlier:
        raise Loss(f"it ends at entry {store.sequence} without a word")
    return Verdict("another", "a journal as it was once")


def _with_note(specimen: Specimen, files: Files, folder: Path) -> Verdict:
    try:
        store = opened(folder, Shelf(files), specimen.passphrase, tidy=False)
    except StoreError as error:
        return Verdict("refused", error.code)
    whole = store.sequence == specimen.last and _equal(store.state, specimen.states[specimen.last])
    return Verdict("same" if whole else "prefix")


def _followed(case: Case, folder: Path) -> None:
    """Let stores that were open before catch up: with some entries to read, and with none."""
    for entries in FOLLOWED:
        shelf = Shelf(case.specimen.grown(entries))
        store = opened(folder, shelf, case.specimen.passphrase, tidy=False)
        if all(case.files.get(name) == shelf.files[name] for name in (SNAPSHOT, JOURNAL)):
            continue  # cut back to what the store has read, to the byte: on a disk the time of change would show it
        shelf.change(case.files)
        try:
            store.refresh()
        except StoreError:
            continue
        if store.sequence != case.specimen.last or not _equal(store.state, case.specimen.states[store.sequence]):
            raise Loss(f"a store that was open catches up with entry {store.sequence} and thinks it is the last")


def _tidied(case: Case, folder: Path, expected: Verdict) -> None:
    """Let the store put a memory in order: nothing changes but what is left over, and what is refused stays."""
    shelf = Shelf(case.files)
    try:
        store = opened(folder, shelf, case.specimen.passphrase, tidy=True)
    except StoreError:
        if expected.outcome != "refused":
            raise Loss("it can be read, but not put in order") from None
        if shelf.files != case.files:
            raise Loss("a refused memory was changed") from None
        return
    again = opened(folder, shelf, case.specimen.passphrase, tidy=False)
    if expected.outcome == "refused" or again.warnings or not _equal(store.state, again.state):
        raise Loss("putting it in order changed what it says")
    if not _equal(again.state, case.specimen.states[again.sequence]):
        raise Loss("putting it in order lost something")


def _leniently(case: Case, folder: Path, *, thorough: bool) -> Verdict:
    """Judge a memory that says something else behind right checksums: what is read can be used, and written again."""
    shelf = Shelf(case.files)
    try:
        store = opened(folder, shelf, case.specimen.passphrase, tidy=False)
        store.key_rows()
    except StoreError as error:
        return Verdict("refused", error.code)
    if thorough:
        _refolded(store, shelf, case, folder)
    same = store.sequence == case.specimen.last and _equal(store.state, case.specimen.states[case.specimen.last])
    return Verdict("same" if same else "another")


def _refolded(store: DirectoryStore, shelf: Shelf, case: Case, folder: Path) -> None:
    """Fold what was read: a memory that can be read and never written is lost at its next write."""
    try:
        compact(store)
    except StoreError as error:
        raise Loss(f"it can be read, but not folded: {error.message}") from error
    again = opened(folder, shelf, case.specimen.passphrase, tidy=False)
    if not _equal(again.state, store.state):
        raise Loss("folding it changed what it says")


def _remains(case: Case) -> None:
    """Look for what is whole in the snapshot: memories that were there, or none."""
    left = snapshot.remains(case.files.get(SNAPSHOT, b""))
    if case.law == "strict" and not case.specimen.records.issuperset((*left.records, *left.archive, *left.forgotten)):
        raise Loss("a memory was found in the remains that was never written so")


def _check_rows(specimen: Specimen, rows: KeyRows) -> None:
    for digest, right in specimen.rows.items():
        place = rows.position(digest)
        if place is not None and rows.keys[place].tobytes() != right:
            raise Loss("a text has the key of another one")


def _equal(found: State, expected: State) -> bool:
    """Return whether two states are equal, the order of the memories included."""
    places = ("records", "forgotten", "consolidations")
    return found == expected and all(list(getattr(found, each)) == list(getattr(expected, each)) for each in places)
