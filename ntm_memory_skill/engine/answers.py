"""What the memory's verbs give back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ntm_memory_skill.m3 import Suspicion
from ntm_memory_skill.model import Hit, Record

Stored = Literal["new", "counted", "merged"]
Action = Literal["both kept", "counted", "merged"]
"""Two memories that say nearly the same: both are there; or what was said again is counted where it is; or it is kept,
out of the matrix, merged into the one that was there."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A memory that resembles one just written."""

    id: str
    cosine: float
    """Of their keys, −1 to 1."""
    overlap: float
    """Of their words (Jaccard), 0 to 1."""
    action: Action = "both kept"
    """What was done about it, where it says nearly the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """One memory holds in the place of another."""

    old: str
    """Its id."""
    new: str
    """The id of the one that holds now."""
    reason: str
    """What changed, for people: "lives in: Paris → Berlin"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What was to be remembered is on disk."""

    record: Record
    """The memory that says it: a new one, or the one that said it before."""
    stored: Stored = "new"
    """"new": as a memory of its own; "counted": as one more time that `record` was said; "merged": whole, but out of
    the matrix, as a part of `record`."""
    related: tuple[Likeness, ...] = ()
    """Up to three memories that stand out as alike, most alike first."""
    duplicates: tuple[Likeness, ...] = ()
    """Memories that say nearly the same."""
    superseded: tuple[Change, ...] = ()
    """Memories that no longer hold because of it."""
    forgotten: tuple[str, ...] = ()
    """Ids of memories that left the matrix to make room for it."""

    @property
    def id(self) -> str:
        """For update and erase."""
        return self.record.id

    @property
    def slot(self) -> int:
        """The row of the memory matrix that it was written to."""
        return self.record.slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """What a consolidation did, or would do."""

    run: str
    """Its name, for undoing it."""
    merged: tuple[Change, ...]
    """`old` was merged into `new`."""
    superseded: tuple[Change, ...]
    """`new` holds in the place of `old`."""
    forgotten: tuple[Change, ...]
    """`old` left the matrix; `new` is empty."""
    gists: tuple[Change, ...]
    """`old` is the gist that was written; `new` is empty."""
    before: int
    """Active memories before it."""
    after: int
    """Active memories now."""
    finished: bool
    """Whether it came to its end in its time."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A memory that may be junk, or should not be there."""

    record: Record
    reasons: tuple[Suspicion, ...]
    """One or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """The best memories that fit a budget of characters."""

    hits: tuple[Hit, ...]
    characters: int
    """Of all hits' content together, and of their context."""
    omitted: int
    """How many more were found that did not fit."""

    @classmethod
    def within(cls, found: Sequence[Hit], budget: int, most: int) -> Recollection:
        """Return the hits that fit into `budget` characters, `most` of them, taken best first; the best always comes.

        One that is too long is passed over for shorter ones behind it.
        """
        chosen: list[Hit] = []
        characters = 0
        for hit in found:
            if not chosen or (len(chosen) < most and characters + len(hit.content) <= budget):
                chosen.append(hit)
                characters += len(hit.content)
        return cls(hits=tuple(chosen), characters=characters, omitted=len(found) - len(chosen))

    def with_context(self, hits: Sequence[Hit]) -> Recollection:
        """Return the same answer of the same hits, now with their context, which counts."""
        said = sum(len(each.content) for hit in hits for each in hit.context)
        return replace(self, hits=tuple(hits), characters=self.characters + said)


@dataclass(frozen=True, slots=True)
class Attention:
    """Where the head looks for one question. The weights of a stage sum to 1."""

    records: tuple[Record, ...] = ()
    """All live memories that it may see, in the order in which they happened."""
    content: tuple[float, ...] = ()
    gated: tuple[float, ...] = ()
    shifted: tuple[float, ...] = ()
    sharpened: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an erase did."""

    action: str
    """"erased", "faded" or "purged"."""
    at: datetime
    ids: tuple[str, ...]
    strengths: tuple[float, ...]
    """What is left of each, 0 to 1."""
    files_rewritten: tuple[str, ...] = ()
    """Names of the files that a purge wrote anew."""
    files_removed: tuple[str, ...] = ()
    """Names of older copies that a purge deleted, within the memory's folder."""
    checksums: tuple[tuple[str, str], ...] = ()
    """(name, SHA-256) of each rewritten file as the purge left it."""

    def described(self) -> dict[str, Any]:
        """Return the receipt as JSON values, without its digest."""
        shown: dict[str, Any] = {
            "action": self.action,
            "at": self.at.isoformat(),
            "count": len(self.ids),
            "ids": list(self.ids),
            "strength_left": list(self.strengths),
        }
        if self.action != "purged":
            return shown
        files = {"files_rewritten": list(self.files_rewritten), "files_removed": list(self.files_removed)}
        return {**shown, **files, "sha256": dict(self.checksums)}

    @property
    def digest(self) -> str:
        """SHA-256 of `described` as JSON with sorted keys and no blanks: a receipt that was changed no longer fits."""
        text = json.dumps(self.described(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
