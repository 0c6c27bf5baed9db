"""The best memory that a search does not give: from the same look, without counting, and not where a reranker chose."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine import Reranking
from ntm_memory_skill.errors import InvalidArgument, InvalidContent, UnknownFilter
from tests.conftest import OpenMemory
from tests.encoder.rerankers import BackwardsReranker
from tests.engine.support import FACTS, plant

QUESTION = "who has goats in Kirchberg?"


class AskedEncoder(HashedEncoder):
    """Counts the questions that it encodes."""

    def __init__(self) -> None:
        super().__init__(dimension=64)
        self.asked = 0

    def encode_query(self, text: str) -> np.ndarray:
        """Return the key, and count it."""
        self.asked += 1
        return super().encode_query(text)


class LateReranker(BackwardsReranker):
    """A reranker whose model is not there until the test ends."""

    ready = False

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def warm_up(self) -> None:
        """Wait for the end."""
        self.over.wait()


@pytest.fixture
def late() -> Iterator[LateReranker]:
    """A reranker for which nobody is left waiting at the end."""
    reranker = LateReranker()
    yield reranker
    reranker.over.set()


@pytest.fixture
def planted(memory: NTMMemoryManager) -> NTMMemoryManager:
    """A memory with the facts in it, as one chat."""
    plant(memory, session="chat")
    return memory


def test_it_is_explained_as_by_its_id(planted: NTMMemoryManager) -> None:
    """The same memory, rank, rival and differences as `explain` gives; and the hits are those of a plain search."""
    for top_k in range(1, len(FACTS)):
        hits, missed = planted.search_explained(QUESTION, top_k=top_k)
        assert hits == planted.search(QUESTION, top_k=top_k)
        assert missed is not None
        assert missed == planted.explain(missed.hit.id, QUESTION, top_k=top_k)
        assert missed.other == hits[-1]
        assert not missed.given


def test_where_all_are_given_none_is_missed(planted: NTMMemoryManager) -> None:
    """Nor in an empty memory, nor where the filters leave nothing."""
    assert planted.search_explained(QUESTION, top_k=len(FACTS))[1] is None
    assert planted.search_explained(QUESTION, top_k=1, session="nobody's") == ([], None)


def test_an_empty_memory_has_neither_hits_nor_a_miss(memory: NTMMemoryManager) -> None:
    """And that is no error."""
    assert memory.search_explained(QUESTION) == ([], None)


def test_the_question_is_encoded_once(open_memory: OpenMemory) -> None:
    """Hits and reasons come from one look: nothing can change between the two."""
    encoder = AskedEncoder()
    memory = open_memory(encoder)
    plant(memory)
    encoder.asked = 0
    memory.search_explained(QUESTION, top_k=2)
    assert encoder.asked == 1


def test_what_is_missed_is_not_counted_as_given(planted: NTMMemoryManager) -> None:
    """It was no answer."""
    hits, missed = planted.search_explained(QUESTION, top_k=1)
    assert missed is not None
    planted.memorize("carries the counts to disk")
    assert [planted.get(ident).accesses for ident in (hits[0].id, missed.hit.id)] == [1, 0]


@pytest.mark.parametrize("candidates", [1, 3, 20])
def test_where_a_reranker_chose_nothing_is_explained(planted: NTMMemoryManager, candidates: int) -> None:
    """The terms are not why. It reads as many as without the reasons, and chooses the same."""
    reranker = BackwardsReranker()
    planted.reranking = Reranking(reranker, candidates)
    plain = planted.search(QUESTION, top_k=2)
    assert planted.search_explained(QUESTION, top_k=2) == (plain, None)
    assert reranker.asked[0] == reranker.asked[1]


def test_a_reranker_that_is_not_there_yet_did_not_choose(planted: NTMMemoryManager, late: LateReranker) -> None:
    """So the head's order is explained, though more was looked at for the reranker's sake."""
    planted.reranking = Reranking(late, candidates=20, wait=False)
    hits, missed = planted.search_explained(QUESTION, top_k=2)
    assert len(hits) == 2
    assert missed is not None
    assert (missed.rank, missed.other) == (3, hits[-1])


def test_context_comes_with_the_hits(planted: NTMMemoryManager) -> None:
    """As with a plain search."""
    hits, _ = planted.search_explained(QUESTION, top_k=1, context=1)
    assert hits == planted.search(QUESTION, top_k=1, context=1)
    assert hits[0].context


def test_what_a_search_refuses_is_refused(open_memory: OpenMemory) -> None:
    """With the same errors."""
    memory = open_memory(settings=Settings(content_limit=10))
    for query, arguments, error in (
        ("", {}, InvalidContent),
        ("x" * 11, {}, InvalidContent),
        ("x", {"top_k": 0}, InvalidArgument),
        ("x", {"context": 11}, InvalidArgument),
        ("x", {"colour": "red"}, UnknownFilter),
    ):
        with pytest.raises(error):
            memory.search_explained(query, **arguments)
