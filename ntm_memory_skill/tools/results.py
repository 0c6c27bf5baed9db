"""What each tool answers with: the fields of its answer, and the envelope that they come in.

    {"ok": true, …}                                          the tool's fields, and no error
    {"ok": false, "error": {"code", "message", "hint"}}      the error, and none of the tool's fields

A client refuses an answer that breaks its schema, so bounds stand only where rounding cannot carry a number past them.
"""

from __future__ import annotations

from typing import Any

from ntm_memory_skill.model import LEADS, MATCHED
from ntm_memory_skill.tools.schema import JSONSchema, closed, each, flag, number, share, text, texts, whole

_COSINE = "Likeness of meaning, -1 to 1"

_MEMORY: dict[str, JSONSchema] = {
    "id": text("For update and erase."),
    "content": text("Its text."),
    "when": text("When it happened (ISO 8601)."),
    "session": text("The chat that it belongs to."),
    "key": text("The name to recall it by."),
    "type": text("The kind of memory."),
    "tags": texts("Its labels."),
    "importance": share("From 0 (trivia) to 1 (must not be lost)."),
    "source": text("Who or what it came from."),
    "ref": text("Its writer's own name for it."),
    "strength": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "What is left of it, where it was faded.",
    },
    "valid_until": text("When it stops holding (ISO 8601)."),
    "pinned": {"const": True, "description": "It is never forgotten."},
    "said": whole("How often it was said, where that was more than once.", 2),
    "superseded_by": text("Id of the memory that holds in its place."),
    "distilled_from": texts("Ids of the memories that it is the gist of."),
}
_NOT_ALWAYS_GIVEN = (
    "session",
    "key",
    "tags",
    "source",
    "ref",
    "strength",
    "valid_until",
    "pinned",
    "said",
    "superseded_by",
    "distilled_from",
)

_BY = (
    "Why it led on. named: it speaks of the next by its key; shared: both speak of something that is not in the "
    "question; joint: the next matches its names and the rest of the question; linked: they were recalled together."
)
_STEP: dict[str, JSONSchema] = {
    "id": text("The memory that was read."),
    "by": {"enum": [*LEADS], "description": _BY},
}
_WHY = closed(
    {
        "cosine": number(f"{_COSINE}; not given while the model is loading."),
        "words": texts("The question's terms that it holds."),
        "said_next_to": text("Id of the memory of the same chat that drew it."),
        "led_by": each(
            closed(
                {**_STEP, "name": text("What both speak of.")},
                optional=("name",),
            ),
            "What led to it, in the order of reading, where it was not found at once.",
        ),
        "later_than": text("Id of the best match, which says the same kind of thing and is older."),
        "rerank": number("What a reranker gave: more is better. Then hits stand in this order."),
        "backend": {"const": "crossbar", "description": "Matched through the emulated crossbar."},
    },
    optional=("cosine", "words", "said_next_to", "led_by", "later_than", "rerank", "backend"),
    description="Why it was found.",
)
_TRACE = closed(
    {
        "cosine": {
            "anyOf": [{"type": "number"}, {"type": "null"}],
            "description": f"{_COSINE}; null while the model is loading.",
        },
        "bm25": number("Likeness of words, 0 and up."),
        "lexical_share": number("Weight of words against meaning, 0 to 1."),
        "content_score": number("The contributions of all terms together."),
        "terms": each(
            closed(
                {
                    "name": text("What speaks for it or against it: docs/tools.md says what each term is."),
                    "value": number("How much of that it has."),
                    "weight": number("What that counts for this question; below 0, less of it is better."),
                    "contribution": number("Both multiplied."),
                }
            ),
            "What its score is made of; terms without weight are left out.",
        ),
        "stages": closed(
            {
                "content": number("By what it says."),
                "gated": number("Once the chat's last focus has joined in."),
                "shifted": number("Once weight has moved along the chat."),
                "sharpened": number("Once differences are spread: the score."),
            },
            description="Its share of attention after every stage of addressing.",
        ),
        "neighbours": each(
            closed(
                {
                    "id": text("The neighbour."),
                    "offset": {"type": "integer", "description": "Places from it to the hit; 1 is directly before."},
                    "weight": number("How much arrived from it."),
                }
            ),
            "Memories of the same chat whose weight moved to it, largest first.",
        ),
        "chain": each(
            closed(
                {
                    **_STEP,
                    "name": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "What both speak of."},
                    "amount": number("What it says for the next one, in standard deviations of the content score."),
                }
            ),
            "What led to it, in the order of reading; empty where it was found at once.",
        ),
        "told": number("ln of what its share gained after the shift because somebody told it whom the question names."),
        "later_than": {
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "description": "Id of the best match, where this one was put before it because it is later; else null.",
        },
        "rerank": {
            "anyOf": [{"type": "number"}, {"type": "null"}],
            "description": "What a reranker gave, which orders hits and leaves scores alone; null where none did.",
        },
        "backend": {
            "enum": [*MATCHED],
            "description": "What matched the question with it; quantised and ivf compare the best exactly.",
        },
    },
    description="How it came to its score; with explain.",
)
_CONTEXT = closed(
    {
        "id": text("For update and erase."),
        "content": text("Its text."),
        "offset": {"type": "integer", "description": "Places from the hit to it; -1 is directly before, 1 after."},
        "when": text("When it happened (ISO 8601)."),
        "source": text("Who or what it came from."),
        "ref": text("Its writer's own name for it."),
    },
    optional=("source", "ref"),
)

MEMORY = closed(_MEMORY, _NOT_ALWAYS_GIVEN, title="memory", description="A memory; what was not given is left out.")
HIT = closed(
    {
        **_MEMORY,
        "forgotten_because": text("Why it was out of the matrix."),
        "score": share(
            "Its share of attention. Ranks one answer's hits, unless a reranker does; not to be compared between "
            "questions."
        ),
        "why": _WHY,
        "context": each(_CONTEXT, "What was said around it, in order, each memory once in an answer; with context."),
        "trace": _TRACE,
    },
    optional=(*_NOT_ALWAYS_GIVEN, "forgotten_because", "context", "trace"),
    title="hit",
    description="A memory that was found, and why.",
)

_LIKENESS: dict[str, JSONSchema] = {
    "id": text("The other memory."),
    "content": text("How its text begins."),
    "cosine": number(f"{_COSINE}."),
    "overlap": share("Share of words in common."),
}
_MISSED = closed(
    {
        "id": text("Its id."),
        "content": text("How its text begins."),
        "rank": whole("Its place: the next after the last hit.", 2),
        "differences": each(
            closed(
                {
                    "name": text("A term, or the gate, the shift, or the merging of several heads."),
                    "amount": number("What it adds to ln(its share / the last hit's share): below 0 against it."),
                }
            ),
            "What sets it apart from the last hit, the greatest first.",
        ),
    },
    description=(
        "With explain: the best memory that was not given, and why. Left out where all were given, or where a reranker "
        "chose."
    ),
)
_NOTICE = text("What to know of the answer as a whole: a model is still loading, and what was done without it.")

_PURGED = ("files_rewritten", "files_removed", "sha256")
_DONE = ("action", "count", "ids", "at", "strength_left", "digest")


def _exactly(*names: str) -> JSONSchema:
    """Return what holds of an object with these properties and no others."""
    return {"required": list(names), "maxProperties": len(names)}


def _without(*names: str) -> JSONSchema:
    """Return what holds of an object with none of these properties."""
    return {"not": {"anyOf": [{"required": [name]} for name in names]}}


def _action(*names: str, **more: JSONSchema) -> dict[str, Any]:
    """Return what holds of a receipt for one of these actions."""
    return {"properties": {"action": {"enum": list(names)}, **more}}


_RECEIPT: JSONSchema = {
    "type": "object",
    "description": "What was done.",
    "properties": {
        "action": {"enum": ["erased", "faded", "purged", "none"], "description": "What was done to each."},
        "count": whole("To how many.", 0),
        "ids": texts("To which, in the order in which they were named."),
        "at": text("When it was done (ISO 8601)."),
        "strength_left": each({"type": "number", "minimum": 0, "maximum": 1}, "What is left of each, 0 to 1."),
        "files_rewritten": texts("By a purge: the files that were written anew."),
        "files_removed": texts("By a purge: older copies that were deleted."),
        "sha256": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "By a purge: SHA-256 of each rewritten file.",
        },
        "digest": text("SHA-256 of all the rest as JSON with sorted keys and no blanks."),
    },
    "additionalProperties": False,
    "required": ["action", "count", "ids"],
    "anyOf": [
        {**_action("erased", "faded"), **_exactly(*_DONE)},
        {**_action("purged"), **_exactly(*_DONE, *_PURGED)},
        {**_action("none", count={"const": 0}, ids={"maxItems": 0}), **_exactly("action", "count", "ids")},
    ],
}

_ACTION: JSONSchema = {"enum": ["both kept", "counted", "merged"], "description": "What was done about it."}
MEMORIZED = closed(
    {
        "id": text("Id of the memory that says it: a new one, or the one that said it before."),
        "slot": whole("The row of the memory matrix that it has.", 0),
        "stored": {
            "enum": ["new", "counted", "merged"],
            "description": (
                "new: as a memory of its own; counted: another says the same, and how often it was said is counted "
                "there; merged: another says the same in other words, and this text is kept with it."
            ),
        },
        "related": each(closed(_LIKENESS), "Memories that stand out as alike, most alike first; three at most."),
        "duplicates": each(
            closed({**_LIKENESS, "action": _ACTION}),
            "Memories that say nearly the same.",
        ),
        "superseded": each(
            closed(
                {
                    "id": text("The memory that no longer holds."),
                    "by": text("The one that holds in its place."),
                    "reason": text("What changed."),
                }
            ),
            "What no longer holds because of it; still found with as_of or include_superseded.",
        ),
        "forgotten": texts("Where the memory was full: what left to make room; found with include_forgotten."),
    },
    optional=("forgotten",),
)
RECALLED = closed(
    {
        "memories": each(HIT, "The best that fit the budget."),
        "characters": whole("Of their texts together, context included.", 0),
        "omitted": whole("How many more were found that did not fit.", 0),
        "notice": _NOTICE,
    },
    optional=("notice",),
)
FOUND = closed({"hits": each(HIT, "Best first."), "missed": _MISSED, "notice": _NOTICE}, optional=("missed", "notice"))
UPDATED = closed(
    {
        "memory": {**MEMORY, "description": "As it is now."},
        "version": whole("Which version that is; the first text was 1.", 2),
        "previous": text("The text of the version before."),
    }
)
ERASED = {
    **closed(
        {
            "receipt": _RECEIPT,
            "candidates": each(MEMORY, "Where nothing was erased: which memories may have been meant."),
            "hint": text("Where nothing was erased: what to do next."),
            "notice": _NOTICE,
        },
        optional=("candidates", "hint", "notice"),
    ),
    "anyOf": [
        {"properties": {"receipt": _action("erased", "faded", "purged")}, **_without("candidates", "hint", "notice")},
        {"properties": {"receipt": _action("none")}, "required": ["candidates", "hint"]},
    ],
}

_ERROR = closed(
    {
        "code": text("Which error it is; docs/tools.md lists them."),
        "message": text("What went wrong."),
        "hint": text("What to do about it."),
    },
    description="Where it was not done: why.",
)


def envelope(fields: JSONSchema) -> JSONSchema:
    """Return the schema of an envelope: an object with exactly the fields of an answer, or exactly an error."""
    done = {"properties": {"ok": {"const": True}}, "required": fields["required"], **_without("error")}
    return {
        "type": "object",
        "properties": {"ok": flag("Whether it was done."), **fields["properties"], "error": _ERROR},
        "additionalProperties": False,
        "required": ["ok"],
        "anyOf": [
            {**done, "anyOf": fields["anyOf"]} if "anyOf" in fields else done,
            {"properties": {"ok": {"const": False}}, **_exactly("ok", "error")},
        ],
    }
