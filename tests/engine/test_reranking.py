"""A reranker decides which of the first hits are given, and in which order; nothing else changes, and nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ntm_memory_skill import Hit, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Reranker, RerankerSettings
from ntm_memory_skill.engine import Reranking
from ntm_memory_skill.errors import RerankerUnavailable
from ntm_memory_skill.model import Query
from ntm_memory_skill.tools import call
from ntm_memory_skill.tools.verbs import LOADING, UNRANKED
from tests.conftest import OpenMemory
from tests.encoder.rerankers import BackwardsReranker, LetterReranker, Scores, save_tiny_cross_encoder
from tests.engine.support import BY_SCORE, FACTS, PATIENT, LoadingEncoder, found, plant

AT_ONCE = replace(BY_SCORE, answer_while_loading=True)
QUESTION = "who has goats in Kirchberg?"


class LoadingReranker(BackwardsReranker):
    """A reranker whose model is there once the test allows it, or fails to load."""

    def __init__(self, *, fails: int = 0) -> None:
        super().__init__()
        self.begun, self.allowed = threading.Event(), threading.Event()
        self.loaded, self.fails = False, fails

    @property
    def ready(self) -> bool:  # type: ignore[override]  # the double has a constant
        """Whether the model is there."""
        return self.loaded

    def warm_up(self) -> None:
        """Load it."""
        self.begun.set()
        assert self.allowed.wait(PATIENT)
        if self.fails:
            self.fails -= 1
            raise RerankerUnavailable("no such model")
        self.loaded = True

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """Load the model, then score."""
        if not self.loaded:
            self.warm_up()
        return super().scores(query, texts)


@pytest.fixture
def planted(open_memory: OpenMemory) -> NTMMemoryManager:
    """A memory without a reranker, in which the facts stand as one chat."""
    memory = open_memory(settings=BY_SCORE)
    plant(memory, session="chat")
    return memory


@pytest.fixture
def loading() -> Iterator[LoadingReranker]:
    """A model that loads for as long as the test wants; at the end nobody is left waiting for it."""
    reranker = LoadingReranker()
    yield reranker
    reranker.allowed.set()


def with_reranker(
    open_memory: OpenMemory, reranker: Reranker, candidates: int = 20, settings: Settings | None = None
) -> NTMMemoryManager:
    """Open the memory with a reranker, as a host does that shares one."""
    memory = open_memory(settings=BY_SCORE if settings is None else settings)
    memory.reranking = Reranking(reranker, candidates, wait=settings is None or not settings.answer_while_loading)
    return memory


def loaded() -> None:
    """Wait for models that are being loaded."""
    for thread in threading.enumerate():
        if thread.name == "ntm-memory loads its model":
            thread.join(PATIENT)


def without_rerank(hits: Sequence[Hit]) -> dict[str, Hit]:
    """Return hits by id, as they are without a reranker."""
    return {hit.id: replace(hit, trace=replace(hit.trace, rerank=None)) for hit in hits}


class TestOrder:
    """What is given, and in which order."""

    def test_hits_stand_in_the_order_of_the_reranker_s_scores(
        self, planted: NTMMemoryManager, open_memory: OpenMemory
    ) -> None:
        """Which the trace tells; where two are equal, the head's order decides. The oracle is a sort in Python."""
        hits = with_reranker(open_memory, LetterReranker()).search(QUESTION, top_k=8)
        plain = found(planted.search(QUESTION, top_k=8))
        counts = {text: sum(char in QUESTION for char in text[:20]) for text in FACTS}
        assert len(set(counts.values())) < len(FACTS)
        assert found(hits) == sorted(plain, key=lambda text: (-counts[text], plain.index(text)))
        assert found(hits) != plain
        assert [hit.trace.rerank for hit in hits] == [counts[hit.content] for hit in hits]

    @pytest.mark.parametrize(
        ("top_k", "candidates", "read"), [(2, 5, 5), (5, 2, 5), (1, 1, 1), (3, 8, 8), (1000, 3, 8), (2, 1000, 8)]
    )
    def test_it_reads_as_many_as_it_may_and_never_fewer_than_are_asked_for(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, top_k: int, candidates: int, read: int
    ) -> None:
        """The best of them are given, also one that the head had placed behind the first `top_k`."""
        reranker = BackwardsReranker()
        hits = with_reranker(open_memory, reranker, candidates).search(QUESTION, top_k=top_k)
        first = found(planted.search(QUESTION, top_k=read))
        assert reranker.asked == [(QUESTION, first)]
        assert found(hits) == first[::-1][:top_k]

    def test_recall_fills_its_budget_in_that_order(self, planted: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """The reranker's best comes in any case."""
        backwards = found(planted.search(QUESTION, top_k=8))[::-1]
        given = with_reranker(open_memory, BackwardsReranker()).recall(QUESTION, budget=1)
        assert found(given.hits) == backwards[:1]
        assert given.omitted == len(FACTS) - 1

    def test_memories_recalled_by_name_stay_in_the_order_of_time(self, open_memory: OpenMemory) -> None:
        """The reranker is asked about the others alone."""
        reranker = BackwardsReranker()
        memory = with_reranker(open_memory, reranker)
        older = memory.memorize("hunter2", key="wifi").id
        newer = memory.memorize("hunter3", key="wifi").id
        plant(memory, FACTS[:2])
        hits = memory.recall("wifi", key="wifi").hits
        assert [hit.id for hit in hits[:2]] == [newer, older]
        assert [hit.trace.rerank is None for hit in hits] == [True, True, False, False]
        assert len(reranker.asked) == 1
        assert len(memory.recall(key="wifi").hits) == 2
        assert len(reranker.asked) == 1

    def test_it_reads_a_memory_s_name_with_its_text_and_the_version_that_held(self, open_memory: OpenMemory) -> None:
        """What the memory is found by, and what the hit shows."""
        reranker = BackwardsReranker()
        memory = with_reranker(open_memory, reranker)
        note = memory.memorize("hunter2", key="wifi password")
        before = memory.get(note.id).created
        memory.update(note.id, "hunter3")
        memory.search("password")
        memory.search("password", as_of=before)
        (_, (now,)), (_, (then,)) = reranker.asked
        assert ("wifi password" in now, "hunter3" in now) == (True, True)
        assert ("wifi password" in then, "hunter2" in then, "hunter3" in then) == (True, True, False)

    def test_filters_keep_out_what_they_keep_out(self, planted: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """The reranker never sees it."""
        planted.memorize("Goats of another chat", session="other")
        reranker = BackwardsReranker()
        hits = with_reranker(open_memory, reranker).search(QUESTION, session="other")
        assert found(hits) == ["Goats of another chat"]
        assert reranker.asked == [(QUESTION, ["Goats of another chat"])]


class TestTheRest:
    """What a reranker leaves alone."""

    def test_a_hit_keeps_its_score_and_every_other_field(
        self, planted: NTMMemoryManager, open_memory: OpenMemory
    ) -> None:
        """The score is the head's weight in either case; what was said around it comes with it."""
        mine = with_reranker(open_memory, BackwardsReranker()).search(QUESTION, top_k=8, session="chat")
        theirs = planted.search(QUESTION, top_k=8, session="chat")
        assert without_rerank(mine) == {hit.id: replace(hit) for hit in theirs}
        assert all(hit.score == hit.trace.sharpened for hit in mine)
        surrounded = with_reranker(open_memory, BackwardsReranker()).search(QUESTION, top_k=1, context=1)
        assert surrounded[0].context

    def test_the_chat_s_next_recall_starts_from_where_the_head_looked(
        self, planted: NTMMemoryManager, open_memory: OpenMemory
    ) -> None:
        """Not from what the reranker put first."""
        memory = with_reranker(open_memory, BackwardsReranker())
        for each in (memory, planted):
            each.recall("goats", session="asking")
        mine = memory.recall("violin", session="asking", budget=10**6).hits
        theirs = planted.recall("violin", session="asking", budget=10**6).hits
        assert {hit.id: hit.trace.gated for hit in mine} == {hit.id: hit.trace.gated for hit in theirs}

    def test_attention_is_the_head_s_alone(self, planted: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """It shows the stages of addressing, and asks no reranker."""
        reranker = BackwardsReranker()
        assert with_reranker(open_memory, reranker).attention(QUESTION) == planted.attention(QUESTION)
        assert reranker.asked == []

    def test_only_what_is_given_counts_as_accessed(self, planted: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """Not what the reranker read and passed over."""
        memory = with_reranker(open_memory, BackwardsReranker())
        (hit,) = memory.search(QUESTION, top_k=1)
        memory.close()
        counts = {record.content: record.accesses for record in open_memory().state.records.values()}
        assert counts == {text: int(text == hit.content) for text in FACTS}

    def test_an_empty_memory_asks_no_reranker(self, open_memory: OpenMemory) -> None:
        """Nor does a filter that lets nothing through: a model that is missing is no matter then."""
        memory = with_reranker(open_memory, LoadingReranker(fails=9))
        assert memory.search("anything") == []
        memory.memorize("something")
        assert memory.search("anything", type="elsewhere") == []

    def test_without_a_reranker_the_trace_has_none(self, planted: NTMMemoryManager) -> None:
        """As by default."""
        assert Settings().reranker.model is None
        assert {hit.trace.rerank for hit in planted.search(QUESTION, top_k=8)} == {None}
        assert not planted.reranking.pending
        planted.reranking.warm_up()


class TestOthers:
    """Nobody else waits for the reranker."""

    def test_others_read_and_write_while_it_reads(self, planted: NTMMemoryManager, open_memory: OpenMemory) -> None:
        """On the same manager: it runs outside of the mutex."""
        begun, may_end = threading.Event(), threading.Event()

        class SlowReranker(BackwardsReranker):
            def scores(self, query: str, texts: Sequence[str]) -> Scores:
                begun.set()
                assert may_end.wait(PATIENT)
                return super().scores(query, texts)

        memory = with_reranker(open_memory, SlowReranker())
        answers: list[list[Hit]] = []
        asking = threading.Thread(target=lambda: answers.append(memory.search(QUESTION, top_k=1)))
        asking.start()
        try:
            assert begun.wait(PATIENT)
            seen: list[int] = []
            other = threading.Thread(target=lambda: seen.append(memory.memorize("Olga paints").slot), daemon=True)
            other.start()
            other.join(PATIENT)
            assert (len(seen), len(memory), len(memory.attention("Olga").records)) == (1, 9, 9)
            assert answers == []
        finally:
            may_end.set()
            asking.join(PATIENT)
        assert len(answers) == 1

    def test_a_memory_erased_meanwhile_is_still_the_answer_of_that_moment(
        self, planted: NTMMemoryManager, open_memory: OpenMemory
    ) -> None:
        """Its hit was made before; counting it as accessed troubles nobody."""

        class ErasingReranker(BackwardsReranker):
            def scores(self, query: str, texts: Sequence[str]) -> Scores:
                planted.erase(*planted.state.records)
                return super().scores(query, texts)

        memory = with_reranker(open_memory, ErasingReranker())
        assert len(memory.search(QUESTION, top_k=2, context=1)) == 2
        assert memory.search(QUESTION) == []


class TestLoading:
    """A server does not wait for the model."""

    def test_hits_keep_the_head_s_order_until_the_model_is_there(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, loading: LoadingReranker
    ) -> None:
        """And no reranker is claimed; then it decides."""
        plain = found(planted.search(QUESTION, top_k=3))
        memory = with_reranker(open_memory, loading, settings=AT_ONCE)
        early = memory.search(QUESTION, top_k=3)
        assert found(early) == plain
        assert [hit.trace.rerank for hit in early] == [None] * 3
        assert memory.reranking.pending
        loading.allowed.set()
        loaded()
        late = memory.search(QUESTION, top_k=8)
        assert [hit.trace.rerank for hit in late] == [4, 3, 2, 1, 0, -1, -2, -3]
        assert found(late)[-3:] == plain[::-1]
        assert not memory.reranking.pending

    def test_a_program_waits(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, loading: LoadingReranker
    ) -> None:
        """Its answers must not depend on the time of day."""
        memory = with_reranker(open_memory, loading)
        answers: list[list[Hit]] = []
        asking = threading.Thread(target=lambda: answers.append(memory.search(QUESTION)))
        asking.start()
        assert loading.begun.wait(PATIENT)
        assert answers == []
        assert not memory.reranking.pending
        loading.allowed.set()
        asking.join(PATIENT)
        assert all(hit.trace.rerank is not None for hit in answers[0])

    def test_a_model_that_cannot_be_loaded_is_an_error_and_no_endless_loading(
        self, planted: NTMMemoryManager, open_memory: OpenMemory
    ) -> None:
        """The head's order stops with the loading; a later attempt that works is taken."""
        reranker = LoadingReranker(fails=2)
        memory = with_reranker(open_memory, reranker, settings=AT_ONCE)
        assert memory.search(QUESTION)[0].trace.rerank is None
        reranker.allowed.set()
        loaded()
        with pytest.raises(RerankerUnavailable):
            memory.search(QUESTION)
        assert memory.search(QUESTION)[0].trace.rerank is not None

    def test_warming_up_loads_both_models(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, loading: LoadingReranker
    ) -> None:
        """The next search need wait for neither."""
        loading.allowed.set()
        with_reranker(open_memory, loading, settings=AT_ONCE).warm_up()
        assert loading.ready

    def test_the_tools_say_that_the_reranker_is_loading(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, loading: LoadingReranker
    ) -> None:
        """In the envelope as a whole; afterwards no word of it, but its scores among the reasons."""
        memory = with_reranker(open_memory, loading, settings=AT_ONCE)
        asked = [("search", {"query": QUESTION}), ("recall", {"query": QUESTION}), ("erase", {"query": "goats"})]
        assert [call(memory, *each)["notice"] for each in asked] == [UNRANKED] * 3
        assert "notice" not in call(memory, "search", {"query": QUESTION, "filters": {"type": "elsewhere"}})
        loading.allowed.set()
        loaded()
        assert ["notice" in call(memory, *each) for each in asked] == [False] * 3
        hits = call(memory, "search", {"query": QUESTION, "explain": True})["hits"]
        assert [hit["why"]["rerank"] for hit in hits] == [hit["trace"]["rerank"] for hit in hits] == [4, 3, 2, 1, 0]

    def test_of_two_models_that_are_loading_the_encoder_s_is_told(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, loading: LoadingReranker
    ) -> None:
        """It is the greater lack."""
        encoder = LoadingEncoder()
        memory = open_memory(encoder, AT_ONCE)
        memory.reranking = Reranking(loading, 20, wait=False)
        assert call(memory, "search", {"query": QUESTION})["notice"] == LOADING
        encoder.allowed.set()
        loading.allowed.set()
        loaded()


class TestSettings:
    """From the settings to the model."""

    def test_a_model_in_a_folder_orders_the_hits_as_the_library_itself_would(
        self, planted: NTMMemoryManager, open_memory: OpenMemory, tmp_path: Path
    ) -> None:
        """End to end, with a cross-encoder of random weights; the oracle is the library, a pair at a time."""
        from sentence_transformers import CrossEncoder

        folder = save_tiny_cross_encoder(tmp_path / "reranker")
        settings = replace(BY_SCORE, reranker=RerankerSettings(model=str(folder), candidates=6))
        hits = open_memory(settings=settings).search(QUESTION, top_k=4)
        library = CrossEncoder(str(folder), local_files_only=True, device="cpu")

        def predicted(text: str) -> float:
            return float(library.predict([(QUESTION, text)], show_progress_bar=False)[0])

        first = found(planted.search(QUESTION, top_k=6))
        assert found(hits) == sorted(first, key=predicted, reverse=True)[:4]
        assert [hit.trace.rerank for hit in hits] == pytest.approx([predicted(hit.content) for hit in hits], abs=1e-5)

    def test_a_model_that_is_missing_is_an_error_at_first_use_and_stops_nothing_else(
        self, open_memory: OpenMemory, tmp_path: Path
    ) -> None:
        """It names the model and the way out; memories can be stored, read and erased."""
        settings = Settings(reranker=RerankerSettings(model=str(tmp_path / "nowhere")))
        memory = open_memory(settings=settings)
        note = memory.memorize("goats")
        for ask in (memory.search, memory.recall):
            with pytest.raises(RerankerUnavailable) as refused:
                ask("goats")
            assert "nowhere" in refused.value.message
            assert "reranker.model" in refused.value.hint
        assert memory.get(note.id).accesses == 0
        memory.erase(note.id)

    def test_it_finds_what_the_settings_ask_for(self) -> None:
        """The number of candidates is theirs."""
        asked: list[int] = []

        def find(query: Query) -> list[Hit]:
            asked.append(query.top_k)
            return []

        off = Reranking.of(Settings(reranker=RerankerSettings(candidates=50)))
        on = Reranking.of(Settings(reranker=RerankerSettings(model="nobody/no-such-model", candidates=50)))
        for each in (off, on):
            assert each.best(Query(text="x", top_k=5), find) == []
        assert asked == [5, 50]
