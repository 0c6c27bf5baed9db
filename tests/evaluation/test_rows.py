"""Rows: each finds what it is said to, and fusion is what its formula says."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill import AddressingSettings, HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import RerankerSettings
from ntm_memory_skill.evaluation.rows import BM25, COSINE, DEFAULT, RRF, RRF_CONSTANT, Addressed, Filled, fuse, rows_for
from ntm_memory_skill.lexical import BM25Index, tokenize
from ntm_memory_skill.store import MemoryStore
from tests.conftest import EPOCH
from tests.learning.made_up import head

TEXTS = [
    "the harbour master rings the bell at noon",
    "a bell for the goat",
    "the baker opens at six",
    "noon is hot in the harbour",
    "我的猫叫豆包",
    "goats like thistles",
]
QUESTION = "when does the harbour master ring the bell?"

weightings = st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.9]), min_size=5, max_size=5), min_size=1, max_size=3)


@pytest.fixture
def filled(hashed: HashedEncoder) -> Filled:
    """A memory of six texts in one session; each one's ref is its number."""
    filled = Filled(store=MemoryStore(), encoder=hashed, settings=Settings(), clock=lambda: EPOCH)
    items = [{"content": text, "ref": str(number), "session": "s"} for number, text in enumerate(TEXTS)]
    with NTMMemoryManager(filled.store, hashed, filled.settings, clock=filled.clock) as memory:
        memory.memorize_many(items, progress=False)
    return filled


def cosines(encoder: HashedEncoder) -> list[float]:
    """Return the cosine of the question with every text."""
    return [float(np.dot(encoder.encode_query(QUESTION), encoder.encode_query(text))) for text in TEXTS]


def words() -> list[float]:
    """Return the BM25 score of the question with every text."""
    index = BM25Index()
    for slot, text in enumerate(TEXTS):
        index.add(slot, tokenize(text))
    return [float(score) for score in index.match(tokenize(QUESTION), len(TEXTS)).scores]


def order(scores: list[float]) -> list[str]:
    """Return the refs by score, best first, equal ones in the order of their numbers."""
    return [str(number) for number in sorted(range(len(scores)), key=lambda number: -scores[number])]


def slow_fusion(weights: list[list[float]]) -> list[float]:
    """Return the fused scores, one place at a time."""
    return [
        sum(1 / (RRF_CONSTANT + 1 + sum(other > each[number] for other in each)) for each in weights)
        for number in range(len(weights[0]))
    ]


@given(weightings)
def test_fusion_adds_the_reciprocals_of_the_places(weights: list[list[float]]) -> None:
    """Equal weights share a place."""
    assert fuse([np.asarray(each) for each in weights]) == pytest.approx(slow_fusion(weights))


def test_cosine_and_bm25_rank_by_their_scores_alone(filled: Filled, hashed: HashedEncoder) -> None:
    """No neighbour and no other signal moves them."""
    with COSINE.open(filled) as search:
        assert list(search(QUESTION, 6)) == order(cosines(hashed))
    with BM25.open(filled) as search:
        assert list(search(QUESTION, 6)) == order(words())


def test_rrf_fuses_the_two_over_all_memories(filled: Filled, hashed: HashedEncoder) -> None:
    """However few are asked for."""
    fused = order(slow_fusion([cosines(hashed), words()]))
    with RRF.open(filled) as search:
        assert list(search(QUESTION, 6)) == fused
        assert list(search(QUESTION, 2)) == fused[:2]


def test_a_head_is_the_products_own_search(filled: Filled, hashed: HashedEncoder) -> None:
    """With the settings of the row."""
    settings = Settings(addressing=DEFAULT.addressing)
    with NTMMemoryManager(filled.store, hashed, settings) as memory, DEFAULT.open(filled) as search:
        assert list(search(QUESTION, 4)) == [hit.ref for hit in memory.search(QUESTION, top_k=4)]


def test_in_one_chat_the_last_focus_draws_the_next_question(filled: Filled) -> None:
    """With a gate that is nearly closed, the second question finds what the first one did."""
    gate = replace(AddressingSettings().head, gate=0.01)
    head = AddressingSettings(location=False, head=gate)
    alone = Addressed(name="alone", about="", addressing=head)
    in_chat = replace(alone, in_one_chat=True)
    firsts = []
    for row in (alone, in_chat):
        with row.open(filled) as search:
            search("thistles", 1)
            firsts.append(search(QUESTION, 1)[0])
    assert firsts == ["0", "5"]


def test_a_trained_heads_row_searches_with_it(filled: Filled) -> None:
    """As a memory does that was told to use it."""
    trained = head(1)
    with filled.open(DEFAULT.addressing) as memory:
        memory.use_head(trained)
        weights = [hit.score for hit in memory.search(QUESTION, top_k=6)]
        expected = [hit.ref for hit in memory.search(QUESTION, top_k=6)]
    with DEFAULT.open(filled) as search:
        plain = list(search(QUESTION, 6))
    row = rows_for(Settings(), trained)["trained"]
    with row.open(filled) as search:
        assert list(search(QUESTION, 6)) == expected != plain
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize("name", ["cosine", "bm25", "rrf", "default"])
def test_the_other_rows_look_with_the_default_head_whatever_is_installed(filled: Filled, name: str) -> None:
    """A head that is kept beside the memory moves none of them."""
    row = rows_for(Settings(), head(1))[name]
    with row.open(filled) as search:
        before = list(search(QUESTION, 6))
    filled.store.keep_beside("head", head(1).to_json())
    with NTMMemoryManager(filled.store, filled.encoder, filled.settings) as memory:
        assert memory.head is not None
    with row.open(filled) as search:
        assert list(search(QUESTION, 6)) == before


class TestChoice:
    """What a user can choose from."""

    def test_a_trained_head_is_the_last(self) -> None:
        """So that it is compared with all others, the default among them; otherwise it is as configured."""
        trained = head(1)
        assert list(rows_for(Settings(), trained)) == ["cosine", "bm25", "rrf", "default", "trained"]
        settings = Settings(addressing=AddressingSettings(location=False), reranker=RerankerSettings(model="m"))
        rows = rows_for(settings, trained)
        assert list(rows)[-2:] == ["configured", "trained"]
        row, configured = rows["trained"], rows["configured"]
        assert isinstance(row, Addressed)
        assert isinstance(configured, Addressed)
        assert (row.addressing, row.reranking) == (settings.addressing, configured.reranking)
        assert row.head is trained
        assert configured.head is None

    def test_whether_trained_heads_are_used_is_no_setting_of_a_row(self) -> None:
        """Each says outright which head it looks with."""
        off = Settings(addressing=AddressingSettings(trained=False))
        assert list(rows_for(off)) == ["cosine", "bm25", "rrf", "default"]

    def test_the_default_is_the_last_of_the_usual_rows(self) -> None:
        """The last is compared with the others."""
        assert list(rows_for(Settings())) == ["cosine", "bm25", "rrf", "default"]

    @pytest.mark.parametrize(
        "settings",
        [Settings(addressing=AddressingSettings(location=False)), Settings(reranker=RerankerSettings(model="m"))],
        ids=["addressing", "reranker"],
    )
    def test_a_configured_head_comes_last(self, settings: Settings) -> None:
        """Only where it differs: settings of the store make no other row."""
        rows = rows_for(settings)
        assert list(rows)[-1] == "configured"
        assert rows["default"] is DEFAULT
        assert list(rows_for(Settings(memory_size=7))) == list(rows_for(Settings()))

    def test_every_row_says_what_it_is(self) -> None:
        """For the report."""
        rows = rows_for(Settings(addressing=AddressingSettings(unknown_tolerance=inf)))
        assert all(row.about and row.name == name for name, row in rows.items())
