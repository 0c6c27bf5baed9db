"""What a search gives, and why the best memory that it does not give is not given.

The law: both come from one sight of the memory, and asking for the reasons changes no answer. A reranker has none to
give: where one has put the hits in order, nothing is explained.
"""

from __future__ import annotations

from ntm_memory_skill.engine.explaining import Explanation
from ntm_memory_skill.engine.reading import Reader
from ntm_memory_skill.engine.reranking import Reranking
from ntm_memory_skill.model import Hit, Query


def search(reader: Reader, reranking: Reranking, asked: Query) -> tuple[list[Hit], Explanation | None]:
    """Return the hits for a question, and the explanation of the best memory that is not among them, if there is one.

    Args:
        reader: Looks into the memory.
        reranking: Orders what it finds, or leaves it as it is.
        asked: The question. It comes from no chat: nothing is remembered of where the head looked.
    """
    missed: Explanation | None = None

    def find(wider: Query) -> list[Hit]:
        nonlocal missed
        hits, missed = reader.search_explained(wider, asked.top_k)
        return hits

    hits = reranking.best(reader.wide(asked, reranking), find)
    given = reader.arranged(asked, hits)
    as_weighed = {hit.id for hit in given} == {hit.id for hit in hits[: asked.top_k]}
    ranked = any(hit.trace.rerank is not None for hit in hits)
    return given, missed if as_weighed and not ranked else None
