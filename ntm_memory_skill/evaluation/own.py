"""Anybody's own data: memories with the fields of `memorize`, and questions with the refs of what answers them.

    {"memories": [{"content": "Rent is 890 a month.", "ref": "a", "session": "May", "at": "2026-05-01"}, …],
     "questions": [{"question": "What is the rent?", "gold": ["a"], "category": "money", "asked": "2026-06-01"}, …]}

One such object, or a line each: then each is a memory of its own. `category` and `asked` may be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ntm_memory_skill.engine import validation
from ntm_memory_skill.errors import DatasetRefused, InputError
from ntm_memory_skill.evaluation.corpus import Corpus, Question, corpus
from ntm_memory_skill.evaluation.shapes import TEXT, WHOLE, Entry, Layout, a_list, an_object

LONGEST = 10_000_000  # characters of one memory: what is right for a chat's turns need not be so here


def _own(entries: Sequence[Entry], file: Path) -> list[Corpus]:
    found = []
    for number, entry in enumerate(entries):
        try:
            found.append(_corpus(entry, validation.name("name", entry.get("name")) or str(number)))
        except InputError as error:
            raise DatasetRefused(f"{file}, entry {number}: {error.message}", hint=error.hint) from error
    return found


def _corpus(entry: Entry, name: str) -> Corpus:
    """Return one memory; raises InputError where a field is not as it should be."""
    drafts = validation.drafts(entry["memories"], LONGEST)
    questions = [_question(each) for each in entry["questions"]]
    refs = [draft.ref for draft in drafts if draft.ref is not None]
    if len(set(refs)) < len(refs):
        raise DatasetRefused("two memories have the same ref", hint="Give each memory a ref of its own.")
    unknown = frozenset[str]().union(*(each.evidence for each in questions)).difference(refs)
    if unknown:
        raise DatasetRefused(f"no memory has the ref {min(unknown)!r}", hint="Name memories by their refs as gold.")
    items = [{**item, "at": draft.at} for item, draft in zip(entry["memories"], drafts, strict=True)]
    return corpus(name, items, questions)


def _question(asked: Entry) -> Question:
    return Question(
        validation.content(asked["question"], LONGEST),
        frozenset(asked["gold"]),
        validation.name("category", asked.get("category")) or WHOLE,
        validation.optional_moment("asked", asked.get("asked")),
    )


OWN = Layout(
    name="JSON lines",
    shown='{"memories": [{"content": …, "ref": …}], "questions": [{"question": …, "gold": [ref]}]}',
    marks=frozenset({"memories", "questions"}),
    schema=an_object(
        memories=a_list(an_object(content=TEXT)),
        questions=a_list(
            an_object(
                {"category": TEXT, "asked": TEXT},
                question=TEXT,
                gold={"type": "array", "items": TEXT, "minItems": 1},
            )
        ),
    ),
    read=_own,
)
