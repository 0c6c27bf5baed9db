"""What a new memory is to those that are there: said again, or in the place of what no longer holds.

The law: nothing is refused, and nothing is lost. What is stored once is counted; what is merged keeps its text, and can
be taken apart again; what is superseded stays, and `as_of` finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ntm_memory_skill.engine.answers import Action, Change, Likeness, Stored
from ntm_memory_skill.engine.settings import M3Settings
from ntm_memory_skill.engine.validation import Draft
from ntm_memory_skill.m3 import Statement, same
from ntm_memory_skill.model import Record

NEW = "(new)"  # stands for the id of a memory that has none yet; no id has brackets
_PERSON = re.compile(r"[A-Z][\w'’-]*(?: [A-Z][\w'’.-]*){0,2}|[\u3400-\u9fff]{2,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done with a draft."""

    stored: Stored = "new"
    of: Record | None = None
    """The memory that says it already, where one does."""
    changes: tuple[Change, ...] = ()
    """What supersedes what; the new memory is called `NEW`."""


def judge(draft: Draft, preview: Record, candidates: Sequence[Record], settings: M3Settings) -> Verdict:
    """Return what a draft is to the memories that are most like it.

    Args:
        draft: What was asked for.
        preview: The memory that it would become.
        candidates: Current memories.
        settings: Whether duplicates are counted, and successions marked.
    """
    now = preview.created
    candidates = [record for record in candidates if record.valid_until is None or record.valid_until > now]
    if settings.duplicates == "count":
        for record in candidates:
            alike = same(draft.content, record.content)
            if alike is not None and brings_nothing(draft, record):
                return Verdict(stored="counted" if alike == "exact" else "merged", of=record)
    if settings.successions != "mark" or draft.supersedes is not None:
        return Verdict()
    from ntm_memory_skill.m3.succession import successions_of

    found = successions_of(statement(preview), [statement(record) for record in candidates])
    return Verdict(changes=tuple(Change(each.old, each.new, each.reason) for each in found))


def brings_nothing(draft: Draft, record: Record) -> bool:
    """Return whether a draft that says the same as a memory says nothing more about it either.

    When and where it was said, by whom, and what it is called there is kept with the count. But what two people say of
    themselves in the same words are two things.
    """
    people = {speaker(draft.source), speaker(record.source)} - {None}
    return (
        draft.id is None
        and draft.supersedes is None
        and draft.key in (None, record.key)
        and draft.type == record.type
        and set(draft.tags) <= set(record.tags)
        and (draft.at is None or draft.at >= record.at)
        and draft.valid_until in (None, record.valid_until)
        and (record.pinned or not draft.pinned)
        and len(people) < 2
    )


def merge_weight(into: Record, more: int = 0) -> float:
    """Return w of the next merge into a memory, so that each key in its row has about the same share.

    Args:
        into: The memory.
        more: Merges into it that come before and are not in it yet.
    """
    return 1 / (2 + more + sum(each.weight > 0 for each in into.absorbed))


def statement(record: Record) -> Statement:
    """Return a memory as what somebody stated."""
    return Statement(record.id, record.content, record.said_at(), record.ordinal, speaker(record.source))


def speaker(source: str | None) -> str | None:
    """Return a source's name, where it reads like a person's: what "I" means in their mouth."""
    return source if source is not None and _PERSON.fullmatch(source) else None


def acted_on(duplicates: Iterable[Likeness], verdict: Verdict) -> tuple[Likeness, ...]:
    """Return what resembles the new memory, with what was done about each."""
    if verdict.of is None:
        return tuple(duplicates)
    action: Action = "counted" if verdict.stored == "counted" else "merged"
    others = [each for each in duplicates if each.id != verdict.of.id]
    found = next((each for each in duplicates if each.id == verdict.of.id), Likeness(verdict.of.id, 1.0, 1.0))
    return (Likeness(found.id, found.cosine, found.overlap, action), *others)
