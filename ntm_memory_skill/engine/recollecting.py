"""What a recall has to choose from: memories of a name, the newest first, and then what its question finds."""

from __future__ import annotations

from dataclasses import replace

from ntm_memory_skill.engine.reading import Reader
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.engine.validation import TOP_K_LIMIT
from ntm_memory_skill.model import Hit, Query

CANDIDATES = 20  # more than a budget of a few thousand characters ever holds


def candidates(reader: Reader, reranking: Reranking, wanted: Query, name: str | None, *, asked: bool) -> list[Hit]:
    """Return the memories that are wanted, each once.

    Args:
        reader: Looks into the memory.
        reranking: Orders what the question finds, not what the name does.
        wanted: The text, the chat that asks, and what may be seen.
        name: The key that memories were given, if they are asked for by it.
        asked: Whether the text is a question, not merely the name; else what has the name is enough, if anything has.
    """
    named: list[Hit] = []
    if name is not None:
        named = reader.search(Query(text=wanted.text, top_k=TOP_K_LIMIT, filters=replace(wanted.filters, key=name)))
        named.sort(key=lambda hit: hit.at, reverse=True)
    if named and not asked:
        return named
    have = {hit.id for hit in named}
    asking = replace(wanted, top_k=CANDIDATES)
    found = reader.arranged(asking, reranking.best(asking, reader.search))
    return named + [hit for hit in found if hit.id not in have]
