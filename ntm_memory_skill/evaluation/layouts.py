"""Reading question sets, whichever of the known layouts they have.

A published set's texts are taken as they are, but for characters that no memory may hold: these become blanks. Messages
and questions without a text are passed over, and so are questions without evidence: nothing can be measured by them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ntm_memory_skill.errors import DatasetRefused
from ntm_memory_skill.evaluation.chats import BEAM, LOCOMO, MEMDAILY
from ntm_memory_skill.evaluation.corpus import Dataset
from ntm_memory_skill.evaluation.own import OWN
from ntm_memory_skill.evaluation.passages import MUSIQUE, SQUAD
from ntm_memory_skill.evaluation.shapes import Entry, a_list, check, clean, json_of

LAYOUTS = (OWN, LOCOMO, BEAM, MEMDAILY, SQUAD, MUSIQUE)


def read(path: Path) -> Dataset:
    """Return what a file or a folder holds.

    Raises:
        DatasetRefused: It cannot be read, is in no known layout, breaks the layout that it has, or asks nothing.
    """
    parts = [parse(json_of(file), file) for file in _files(path)]
    return Dataset(
        clean(path.absolute().name), parts[0].layout, tuple(corpus for part in parts for corpus in part.corpora)
    )


def parse(value: object, file: Path) -> Dataset:
    """Return what a JSON value holds.

    Args:
        value: What was in the file: one entry, or a list of several.
        file: Where it lies; what belongs to it, in some layouts, is looked for beside it.

    Raises:
        DatasetRefused: See `read`.
    """
    entries: Any = value if isinstance(value, list) else [value]
    first: Entry = entries[0] if entries and isinstance(entries[0], dict) else {}
    layout = next((each for each in LAYOUTS if each.marks <= first.keys()), None)
    if layout is None:
        raise DatasetRefused(f"{file} is in no known layout", hint=_known())
    check(entries, a_list(layout.schema), file)
    corpora = layout.read(entries, file)
    if not any(corpus.questions for corpus in corpora):
        raise DatasetRefused(f"{file} has no question with evidence", hint="Then there is nothing to measure.")
    return Dataset(clean(file.name), layout.name, tuple(corpora))


def _files(path: Path) -> list[Path]:
    """Return the file itself; of a folder the chats in it, or the one chat that it is."""
    try:
        if not path.is_dir():
            return [path]
        chats = [path / "chat.json"] if (path / "chat.json").exists() else sorted(path.glob("*/chat.json"))
    except OSError as error:
        raise DatasetRefused(f"{path}: {error.strerror}", hint="Check the name and the permissions.") from error
    if not chats:
        raise DatasetRefused(f"{path} is a folder without chats", hint=f"Give a file, or {BEAM.shown}.")
    return chats


def _known() -> str:
    return "The known layouts are " + "; ".join(f"{each.name}: {each.shown}" for each in LAYOUTS) + "."
