"""What matches questions with many memories: which backend, what it says, and that it follows every write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.model import Hit
from ntm_memory_skill.ntm import SimilarityBySize
from ntm_memory_skill.ntm.backends.inverted import can_index
from ntm_memory_skill.ntm.backends.quantised import can_scan_bytes
from ntm_memory_skill.store import MemoryStore
from tests.ntm.inverted_rows import built

WHO = "Ana Bruno Chen Dana Emil Farah Goran Hana".split()
WHAT = "ticket bicycle roof contract piano garden passport recipe".split()
WHERE = "Lisbon Chengdu Oslo Porto Nairobi Lima Quito Turin".split()
TEXTS = [f"{who} lost the {what} in {where}" for who in WHO for what in WHAT for where in WHERE]
QUESTION = "What did Goran lose in Nairobi?"


@pytest.fixture(params=["exact", "quantised", "ivf"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a memory of a few hundred is matched by: the sizes from which on it is, lowered."""
    name: str = request.param
    if name == "quantised" and not can_scan_bytes():
        pytest.skip("numkong, of the extra fast, is not installed")
    if name == "ivf" and not can_index():
        pytest.skip("faiss, of the extra fast, is not installed")
    sizes = {"exact": (10**6, None), "quantised": (100, None), "ivf": (10**6, 100)}[name]

    class Lowered(SimilarityBySize):
        def __init__(self, **_: Any) -> None:
            super().__init__(*sizes)

    monkeypatch.setattr("ntm_memory_skill.engine.projection.SimilarityBySize", Lowered)
    return name


def opened(texts: list[str], settings: Settings | None = None) -> NTMMemoryManager:
    """Return a memory that holds some texts."""
    memory = NTMMemoryManager(MemoryStore(), HashedEncoder(128), settings)
    memory.memorize_many([{"content": text, "session": text[:3]} for text in texts], progress=False)
    return memory


def searched(memory: NTMMemoryManager, backend: str, question: str = QUESTION, **how: Any) -> list[Hit]:
    """Return what is found, once the backend is there: an index is made in the background."""
    matrix = memory._live.projection().matrix
    similarity = matrix._similarity
    assert isinstance(similarity, SimilarityBySize)
    memory.search(question, counted=False)
    if similarity._inverted is not None:
        built(similarity._inverted, np.asarray(matrix.rows))
    hits = memory.search(question, counted=False, **how)
    assert {hit.trace.backend for hit in hits} <= {backend}
    return hits


def exact_cosine(memory: NTMMemoryManager, hit: Hit) -> float:
    """Return the cosine of the question's and a memory's key, by the encoder alone."""
    encoder = HashedEncoder(128)
    return float(encoder.encode_query(QUESTION) @ encoder.encode_passages([hit.content])[0])


class TestAnswers:
    """The same from each backend."""

    def test_best_answer_is_found_and_its_cosine_is_exact(self, backend: str) -> None:
        """Whatever matched it; hits that words or neighbours brought in have exact cosines as well."""
        memory = opened(TEXTS)
        hits = searched(memory, backend, top_k=20)
        assert hits[0].content.startswith("Goran")
        assert hits[0].content.endswith("Nairobi")
        for hit in hits:
            assert hit.trace.cosine == pytest.approx(exact_cosine(memory, hit), abs=1e-5)

    def test_hits_are_nearly_those_of_the_exact_product(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first are the same ones, with scores that differ by roundings, or by what an index estimates."""
        found = {hit.content: hit.score for hit in searched(opened(TEXTS), backend, top_k=5)}
        monkeypatch.undo()
        expected = {hit.content: hit.score for hit in opened(TEXTS).search(QUESTION, counted=False, top_k=5)}
        assert len(found.keys() & expected.keys()) >= 4
        both = found.keys() & expected.keys()
        assert [found[text] for text in both] == pytest.approx([expected[text] for text in both], rel=0.5)

    def test_filters_leave_out_what_they_leave_out(self, backend: str) -> None:
        """A session of few among many."""
        hits = searched(opened(TEXTS), backend, top_k=10, session="Ana")
        assert {hit.record.session for hit in hits} == {"Ana"}
        assert len(hits) == 10


class TestFollowing:
    """What is written is found, and what is gone is not, by the next question."""

    def test_new_changed_faded_and_erased_memories(self, backend: str) -> None:
        """One after the other, by an index that was made before them."""
        memory = opened(TEXTS)
        best = searched(memory, backend)[0]
        memory.erase(best.id)
        assert best.id not in {hit.id for hit in searched(memory, backend, top_k=50)}
        note = memory.memorize(QUESTION, force=True)
        assert searched(memory, backend, mode="semantic")[0].id == note.id
        memory.erase(note.id, strength=0.9)
        assert searched(memory, backend, mode="semantic")[0].id != note.id
        memory.update(note.id, "The weather was fine all week")
        assert note.id not in {hit.id for hit in searched(memory, backend, mode="semantic", top_k=20)}


def test_closing_abandons_an_index_that_is_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a memory that nobody has open are not held on to."""
    closed: list[bool] = []

    class Noting(SimilarityBySize):
        def close(self) -> None:
            closed.append(True)
            super().close()

    monkeypatch.setattr("ntm_memory_skill.engine.projection.SimilarityBySize", Noting)
    memory = opened(TEXTS[:3], Settings(index_from=1))
    memory.search(QUESTION)
    memory.close()
    assert closed == [True]


def test_settings_say_from_when_on_an_index_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """And None that there is none."""
    seen: list[int | None] = []

    class Noting(SimilarityBySize):
        def __init__(self, indexed_from: int | None) -> None:
            super().__init__(indexed_from=indexed_from)
            seen.append(indexed_from)

    monkeypatch.setattr("ntm_memory_skill.engine.projection.SimilarityBySize", Noting)
    for index_from in (7, None):
        opened(TEXTS[:3], Settings(index_from=index_from)).search(QUESTION)
    assert seen == [7, None]
