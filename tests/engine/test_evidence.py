"""What speaks for a memory: each term of the content score, its weight, and the sum, recomputed in loops."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import AddressingSettings, HashedEncoder, Hit, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine.cue import Cue
from ntm_memory_skill.engine.evidence import TERMS, words_share
from ntm_memory_skill.lexical.tokens import tokenize, words
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from ntm_memory_skill.temporal import TimeMentions
from tests.conftest import EPOCH, ticking_clock
from tests.engine.support import FACTS, EnglishReader, PlannedEncoder, TorchEncoder, everything, found, plant
from tests.ntm.oracle import dot

QUESTION = "who keeps goats and who plays the violin?"
LONG = "We talked for an hour about the garden, where the roses should stand and who would water them while they travel"
"""The beginning of a memory that says something."""

SETTINGS = {
    "default": AddressingSettings(),
    "words and meaning alike": AddressingSettings(lexical_share=0.5),
    "meaning alone": AddressingSettings(lexical_share=0.0),
    "words alone": AddressingSettings(lexical_share=1.0),
    "neither commonness nor brevity": AddressingSettings(commonness=0.0, brevity=0.0),
    "much of both": AddressingSettings(commonness=2.0, brevity=3.0),
}


def opened(encoder: Encoder | None = None, addressing: AddressingSettings | None = None) -> NTMMemoryManager:
    """Return an empty memory that is kept nowhere."""
    whole = Settings(addressing=AddressingSettings() if addressing is None else addressing)
    encoder = HashedEncoder(32) if encoder is None else encoder
    return NTMMemoryManager(MemoryStore(), encoder, whole, clock=ticking_clock(), ids=seeded_ids(5))


def furnished(encoder: Encoder | None = None, addressing: AddressingSettings | None = None) -> NTMMemoryManager:
    """Return a memory of long and short notes, some of them alike, one faded and one erased."""
    memory = opened(encoder, addressing)
    ids = plant(memory, [*FACTS, f"{LONG} Anna", f"{LONG} the goats", "Goats!", "violin, violin"], session="s")
    memory.erase(ids[0], strength=0.4)
    memory.erase(ids[3])
    return memory


def standardized(values: Sequence[float]) -> list[float]:
    """Return values in standard deviations from their mean; zeros where only rounding tells them apart."""
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values) + 1e-8)
    return [(value - mean) / deviation for value in values]


def expected_terms(encoder: Encoder, hits: Sequence[Hit], query: str) -> dict[str, list[float]]:
    """Return each hit's default terms, from its text and its strength alone; BM25 itself has tests of its own."""
    keys = encoder.encode_passages([hit.content for hit in hits]).tolist()
    asked = encoder.encode_query(query).tolist()
    strengths = [hit.record.strength for hit in hits]
    mean = [sum(column) / len(keys) for column in zip(*keys, strict=True)]
    return {
        "meaning": standardized([dot(key, asked) * strength for key, strength in zip(keys, strengths, strict=True)]),
        "words": standardized([hit.trace.bm25 for hit in hits]),
        "commonness": standardized([dot(key, mean) for key in keys]),
        "brevity": [min(0.0, math.log(len(words(tokenize(hit.content))) / 24)) for hit in hits],
    }


def expected_share(terms: dict[str, list[float]], addressing: AddressingSettings) -> float:
    """Return λ of a question that the encoder reads."""
    if addressing.lexical_share is not None:
        return addressing.lexical_share
    ratio = max(terms["words"]) / max(*terms["meaning"], 0.1)
    return min(0.5, max(0.05, 0.2 * (ratio - 0.5)))


def expected_weights(share: float, count: int, addressing: AddressingSettings) -> dict[str, float]:
    """Return what each term weighs in a memory of so many, without those that weigh nothing."""
    settled = count / (count + 32)
    weights = {
        "meaning": 1 - share,
        "words": share,
        "commonness": -addressing.commonness * (1 - share) * settled,
        "brevity": addressing.brevity * (1 - share) * settled,
    }
    return {name: weight for name, weight in weights.items() if weight}


@pytest.mark.parametrize("addressing", SETTINGS.values(), ids=SETTINGS)
def test_every_term_and_weight_is_what_the_texts_amount_to(addressing: AddressingSettings) -> None:
    """Worked out for each memory by itself; their products sum to the content score."""
    encoder = HashedEncoder(32)
    hits = list(everything(furnished(encoder, addressing), QUESTION).values())
    terms = expected_terms(encoder, hits, QUESTION)
    share = expected_share(terms, addressing)
    weights = expected_weights(share, len(hits), addressing)
    for place, hit in enumerate(hits):
        shown = {term.name: term for term in hit.trace.terms}
        assert hit.trace.lexical_share == pytest.approx(share, abs=1e-4)
        assert {name: term.weight for name, term in shown.items()} == pytest.approx(weights, abs=1e-4)
        for name, term in shown.items():
            assert term.value == pytest.approx(terms[name][place], abs=1e-3), name
            assert term.contribution == term.value * term.weight
        total = sum(weight * terms[name][place] for name, weight in weights.items())
        assert hit.trace.content_score == pytest.approx(total, abs=1e-3)


notes = st.lists(
    st.lists(st.sampled_from("goat violin tyre bread 会议 mirror dawn".split()), min_size=1, max_size=30).map(" ".join),
    min_size=1,
    max_size=14,
)


@given(notes, st.integers(0, 2), st.sampled_from(["goat", "bread at dawn", "会议", "nothing of all that", "what?"]))
@settings(max_examples=60)
def test_content_score_is_the_sum_of_its_terms(texts: list[str], faded: int, query: str) -> None:
    """Over any small memory: one of equal notes, one of a single one, one that has partly faded."""
    memory, encoder = opened(), HashedEncoder(32)
    ids = plant(memory, texts, force=True)
    for ident in ids[:faded]:
        memory.erase(ident, strength=0.5)
    hits = list(everything(memory, query).values())
    assert len(hits) == len(texts)
    terms = expected_terms(encoder, hits, query)
    share = expected_share(terms, AddressingSettings())
    for place, hit in enumerate(hits):
        weights = expected_weights(hit.trace.lexical_share, len(hits), AddressingSettings())
        assert hit.trace.lexical_share == pytest.approx(share, abs=5e-3)
        total = sum(weight * terms[name][place] for name, weight in weights.items())
        assert hit.trace.content_score == pytest.approx(total, abs=2e-2)


def test_terms_are_measured_against_those_that_the_filters_admit() -> None:
    """A memory that may not be seen moves nobody's score; only what is common is common to all."""
    encoder = HashedEncoder(32)
    memory = opened(encoder)
    plant(memory, FACTS[:5], tags=["kept"])
    plant(memory, ["violin " * 20, "goats goats", LONG])
    hits = memory.search(QUESTION, tags=["kept"], top_k=50)
    assert sorted(found(hits)) == sorted(FACTS[:5])
    terms = expected_terms(encoder, hits, QUESTION)
    for name in ("meaning", "words"):
        values = [term.value for hit in hits for term in hit.trace.terms if term.name == name]
        assert values == pytest.approx(terms[name], abs=1e-3)


def test_matrix_of_torch_weighs_the_same_terms() -> None:
    """And gives them the same values."""
    mine, theirs = (everything(furnished(encoder(32)), QUESTION) for encoder in (HashedEncoder, TorchEncoder))
    assert mine.keys() == theirs.keys()
    for ident, hit in mine.items():
        for term, other in zip(hit.trace.terms, theirs[ident].trace.terms, strict=True):
            assert term.name == other.name
            assert (term.value, term.weight) == pytest.approx((other.value, other.weight), abs=1e-4)


def test_fading_does_not_make_a_memory_less_common() -> None:
    """Else it would speak for what is being forgotten: only its meaning weakens."""
    memory = furnished()
    faded = next(hit for hit in everything(memory, QUESTION).values() if hit.content == FACTS[1])
    memory.erase(faded.id, strength=0.99)
    after = everything(memory, QUESTION)[faded.id]
    before, now = ({term.name: term.value for term in hit.trace.terms} for hit in (faded, after))
    assert now["commonness"] == pytest.approx(before["commonness"], abs=1e-3)
    assert (now["brevity"], now["words"]) == (before["brevity"], before["words"])
    assert now["meaning"] != pytest.approx(before["meaning"], abs=0.1)


class TestShareOfWords:
    """λ: how much words weigh against meaning."""

    @given(st.floats(0, 50), st.floats(0, 50), st.floats(0, 1))
    def test_it_stays_within_its_bounds(self, words: float, meaning: float, illegible: float) -> None:
        """From 0.05 to 0.5 for a question that is read whole, and from there on up to 1."""
        share = self.share(words, meaning, 0.0)
        assert 0.05 <= share <= 0.5
        assert self.share(words, meaning, illegible) == pytest.approx(share + (1 - share) * illegible)

    @given(st.floats(0, 50), st.floats(0, 50), st.floats(0, 50))
    def test_it_grows_with_the_lead_of_words_and_falls_with_that_of_meaning(
        self, one: float, other: float, fixed: float
    ) -> None:
        """The signal whose best memory stands out further is the better one."""
        small, large = sorted((one, other))
        assert self.share(small, fixed, 0.0) <= self.share(large, fixed, 0.0)
        assert self.share(fixed, small, 0.0) >= self.share(fixed, large, 0.0)

    @pytest.mark.parametrize(
        ("words", "meaning", "expected"),
        [(0, 3, 0.05), (3, 3, 0.1), (6, 3, 0.3), (9, 3, 0.5), (90, 3, 0.5), (0.15, 0, 0.2), (0, 0, 0.05)],
    )
    def test_it_follows_the_ratio_of_the_leads(self, words: float, meaning: float, expected: float) -> None:
        """0.2 a multiple of the lead of meaning, from half of it on; a lead of nothing counts as a tenth."""
        assert self.share(words, meaning, 0.0) == pytest.approx(expected)

    @pytest.mark.parametrize("fixed", [0.0, 0.3, 1.0])
    def test_one_that_is_set_is_held_to(self, fixed: float) -> None:
        """Whatever leads; the unreadable alone raises it."""
        assert self.share(9, 1, 0.0, lexical_share=fixed) == fixed
        assert self.share(9, 1, 0.5, lexical_share=fixed) == fixed + (1 - fixed) / 2
        assert self.share(9, 1, 1.0, lexical_share=fixed) == 1

    @staticmethod
    def share(words: float, meaning: float, illegible: float, lexical_share: float | None = None) -> float:
        """Return λ for scores whose best memories stand so many deviations above the mean."""
        leads = {"words": words, "meaning": meaning}
        terms = {name: np.asarray([0, lead, -lead], np.float32) for name, lead in leads.items()}
        cue = Cue(key=None, terms=(), illegible=illegible, times=TimeMentions(), now=EPOCH)
        return words_share(terms, cue, AddressingSettings(lexical_share=lexical_share))

    def test_words_count_more_where_they_tell_memories_apart_and_meaning_does_not(self) -> None:
        """The same notes and the same question, for two encoders: one knows the answer, the other guesses."""
        texts = [f"note {place} about nothing" for place in range(20)] + ["Olga paints icebergs"]
        knows = PlannedEncoder({"icebergs": [1, 0], texts[-1]: [0.9, 0.4]})
        guesses = PlannedEncoder({"icebergs": [1, 0], **{text: [place, 20] for place, text in enumerate(texts)}})
        shares = []
        for encoder in (knows, guesses):
            memory = opened(encoder)
            plant(memory, texts)
            hits = memory.search("icebergs")
            assert hits[0].content == texts[-1]
            shares.append(hits[0].trace.lexical_share)
        assert shares[0] == pytest.approx(0.1, abs=0.01)
        assert shares[1] > 0.3

    def test_question_that_the_encoder_cannot_read_is_left_to_the_words(self) -> None:
        """Not even how little a memory says counts then."""
        memory = opened(EnglishReader(32))
        plant(memory, [*FACTS, "下个月见"])
        hits = memory.search("北京的会议什么时候开？")
        assert hits[0].content == FACTS[4]
        assert {hit.trace.lexical_share for hit in hits} == {1.0}
        assert [[term.name for term in hit.trace.terms] for hit in hits] == [["words"]] * len(hits)


ORDINARY = [f"{LONG} and so on, as on day {place}" for place in range(18)]
"""What else there is in the memories below."""
ASKED = "did they like it?"
ANSWER = f"{LONG}: yes, the roses pleased them"


def first(texts: Sequence[str], planned: Mapping[str, Sequence[float]], **addressing: float) -> str:
    """Return what comes first for the question, where texts mean what was planned for them."""
    memory = opened(PlannedEncoder({ASKED: [1, 0], **planned}), AddressingSettings(**addressing))  # type: ignore[arg-type]  # floats all
    plant(memory, [*texts, *ORDINARY])
    return memory.search(ASKED)[0].content


def test_greeting_is_not_taken_for_an_answer() -> None:
    """Its cosine is a little better, as that of a greeting often is; it says next to nothing."""
    planned = {"Wow, great!": [0.6, 0, 0.8], ANSWER: [0.55, 0, 0, 0.83]}
    assert first(list(planned), planned, lexical_share=0.0) == ANSWER
    assert first(list(planned), planned, lexical_share=0.0, brevity=0.0) == "Wow, great!"


def test_memory_that_resembles_everything_gives_way_to_one_that_resembles_the_question() -> None:
    """Its cosine is a little better, but it would be with any question."""
    common = f"{LONG}: it was all as always"
    planned: dict[str, Sequence[float]] = {text: [0, 1, *[0.0] * place, 1] for place, text in enumerate(ORDINARY, 4)}
    planned |= {common: [0.6, 0.8], ANSWER: [0.55, 0, 0.83]}
    assert first([common, ANSWER], planned) == ANSWER
    assert first([common, ANSWER], planned, commonness=0.0) == common


def test_one_word_memory_that_is_asked_for_comes_first() -> None:
    """However much the others say."""
    memory = opened()
    plant(memory, [*(f"{LONG} and so on, as on day {place}" for place in range(40)), "Biscuit", "thanks"])
    assert memory.search("Biscuit")[0].content == "Biscuit"
    assert memory.search("what about Biscuit?")[0].content == "Biscuit"


def test_terms_have_one_name_each() -> None:
    """The trained head's numbers are laid out by them."""
    assert len(set(TERMS)) == len(TERMS)
