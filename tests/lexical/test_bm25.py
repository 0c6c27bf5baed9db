"""The lexical index, against the formula worked out anew over plain lists for every score."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.lexical import BM25Index, tokenize
from tests.lexical.cutting import pairs_of, texts

Terms = list[str]
Documents = dict[int, Terms]


def slow_idf(term: str, documents: Documents) -> float:
    """Return how telling a term is."""
    holders = len([1 for terms in documents.values() if term in terms])
    return math.log(1 + (len(documents) - holders + 0.5) / (holders + 0.5))


def slow_coverage(query: list[str], slot: int, documents: Documents) -> float:
    """Return which part of the query's idf one document holds."""
    held = sum(slow_idf(term, documents) for term in set(query) if term in documents.get(slot, []))
    return held / sum(slow_idf(term, documents) for term in set(query)) if query and documents else 0.0


def slow_score(query: list[str], slot: int, documents: Documents, k1: float = 1.5, b: float = 0.75) -> float:
    """Return one document's BM25 as the paper writes it, term by term."""
    if slot not in documents:
        return 0.0
    average = sum(len(terms) for terms in documents.values()) / len(documents)
    total = 0.0
    for term in set(query):
        frequency = documents[slot].count(term)
        if frequency == 0:
            continue
        norm = k1 * (1 - b + b * len(documents[slot]) / average)
        total += slow_idf(term, documents) * frequency * (k1 + 1) / (frequency + norm)
    return total


def indexed(documents: Documents, index: BM25Index | None = None) -> BM25Index:
    """Return an index that holds the documents."""
    index = BM25Index() if index is None else index
    for slot, terms in documents.items():
        index.add(slot, terms)
    return index


letters = st.lists(st.sampled_from("abcdefg"), max_size=8)
terms = letters | texts.map(tokenize)
slots = st.integers(0, 12)
changes = st.lists(st.tuples(slots, st.none() | terms), max_size=40)


def lived_through(history: list[tuple[int, Terms | None]]) -> tuple[BM25Index, Documents]:
    """Return an index after adding, replacing and removing (None), and what is left."""
    index, documents = BM25Index(), Documents()
    for slot, terms_of_slot in history:
        if terms_of_slot is None:
            index.remove(slot)
            documents.pop(slot, None)
        else:
            index.add(slot, terms_of_slot)
            documents[slot] = terms_of_slot
    return index, documents


@given(changes, terms)
@settings(deadline=None, max_examples=150)
def test_scores_follow_the_formula_whatever_came_and_went(
    history: list[tuple[int, Terms | None]], query: Terms
) -> None:
    """After any adding, replacing and removing, the index scores what is left as the paper does."""
    index, documents = lived_through(history)
    expected = [slow_score(query, slot, documents) for slot in range(13)]
    scores = index.match(query, 13).scores
    assert len(index) == len(documents)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(index.match(query, 13).scores, scores)


@given(changes, terms)
@settings(deadline=None, max_examples=150)
def test_coverage_rarity_and_known_are_counted_from_what_is_left(
    history: list[tuple[int, Terms | None]], query: Terms
) -> None:
    """Each worked out by loops over lists; never NaN, never a warning, coverage never beyond 1."""
    index, documents = lived_through(history)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        match = index.match(query, 13)
    distinct = list(dict.fromkeys(query))
    held = [term for term in distinct if any(term in terms_of for terms_of in documents.values())]
    scale = math.log(len(documents) + 1)
    rarity = [slow_idf(term, documents) / scale if documents else 0.0 for term in distinct]
    expected = [slow_coverage(query, slot, documents) for slot in range(13)]
    np.testing.assert_allclose(match.coverage, expected, rtol=1e-5)
    np.testing.assert_allclose(match.rarity, rarity, rtol=1e-5)
    assert match.coverage.dtype == match.rarity.dtype == np.float32
    assert 0 <= match.coverage.min() <= match.coverage.max() <= 1
    assert match.known == (len(held) / len(distinct) if distinct else 0.0)


@given(changes, terms)
@settings(deadline=None, max_examples=100)
def test_index_with_a_past_answers_as_a_fresh_one(history: list[tuple[int, Terms | None]], query: Terms) -> None:
    """Nothing of what was removed is left behind."""
    index, documents = lived_through(history)
    fresh = indexed(documents)
    mine_at_all, theirs_at_all = index.match(query, 13), fresh.match(query, 13)
    for name in ("scores", "coverage", "rarity", "known"):
        mine, theirs = getattr(mine_at_all, name), getattr(theirs_at_all, name)
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(index.lengths(13), fresh.lengths(13))
    for slot in range(13):
        assert index.matched(query, slot) == fresh.matched(query, slot)
        assert index.overlap(query, slot) == fresh.overlap(query, slot)


@given(changes, st.lists(st.tuples(slots, terms), unique_by=lambda each: each[0]), terms)
@settings(deadline=None, max_examples=100)
def test_many_at_once_are_as_one_after_the_other(
    history: list[tuple[int, Terms | None]], many: list[tuple[int, Terms]], query: Terms
) -> None:
    """In an index with a past as well, and whatever the order of the slots."""
    index, documents = lived_through(history)
    new = [(slot, said) for slot, said in many if slot not in documents]
    index.extend(new)
    fresh = indexed(documents | dict(new))
    mine, theirs = index.match(query, 13), fresh.match(query, 13)
    np.testing.assert_array_equal(mine.scores, theirs.scores)
    np.testing.assert_array_equal(mine.coverage, theirs.coverage)
    np.testing.assert_array_equal(index.lengths(13), fresh.lengths(13))
    assert len(index) == len(fresh)
    for slot in range(13):
        assert index.matched(query, slot) == fresh.matched(query, slot)
        assert index.overlap(query, slot) == fresh.overlap(query, slot)
        index.remove(slot)
    assert not index.match(query, 13).scores.any()


@pytest.mark.parametrize(("k1", "b"), [(0.0, 0.75), (1.2, 0.0), (2.0, 1.0)])
def test_saturation_and_length_discount_are_as_asked(k1: float, b: float) -> None:
    """With k1 = 0 a repeated term counts once; with b = 0 length does not matter."""
    documents = {0: ["a"], 1: ["a", "a", "b"], 2: ["c"] * 9 + ["a"]}
    index = indexed(documents, BM25Index(k1, b))
    expected = [slow_score(["a", "b"], slot, documents, k1, b) for slot in range(3)]
    np.testing.assert_allclose(index.match(["a", "b"], 3).scores, expected, rtol=1e-5)


def test_slots_far_apart_are_indexed() -> None:
    """The table of lengths grows to the slot, however far it is."""
    documents = {0: ["a"], 5_000: ["a", "b"]}
    scores = indexed(documents).match(["b", "a"], 5_001).scores
    assert scores[5_000] == pytest.approx(slow_score(["a", "b"], 5_000, documents), rel=1e-5)
    assert np.count_nonzero(scores) == 2


def test_rare_term_outweighs_a_common_one() -> None:
    """That is what idf is for."""
    index = indexed({0: ["common", "rare"], 1: ["common", "filler"], 2: ["common", "filler"]})
    assert index.match(["rare"], 3).scores[0] > 2 * index.match(["common"], 3).scores[0] > 0


def test_repeated_query_term_counts_once() -> None:
    """Asking twice does not make it truer."""
    index = indexed({0: ["a", "b"], 1: ["b"]})
    np.testing.assert_array_equal(index.match(["a", "b", "a"], 2).scores, index.match(["a", "b"], 2).scores)


def test_empty_index_and_empty_documents_score_nothing() -> None:
    """No division by an average length of zero, by ln 1, or by the idf of no terms."""
    for index in (BM25Index(), indexed({0: [], 1: []})):
        for query in ([], ["a", "b"]):
            match = index.match(query, 3)
            assert match.scores.tolist() == match.coverage.tolist() == [0, 0, 0]
            assert match.rarity.shape == (len(query),)
            assert match.known == 0
    assert BM25Index().match(["a"], 0).scores.shape == (0,)
    assert BM25Index().match(["a"], 1).rarity.tolist() == [0]


def test_memory_with_all_terms_covers_all_and_one_with_the_common_one_little() -> None:
    """Coverage weighs terms by their idf; a term that nobody holds is missing in every memory."""
    index = indexed({0: ["common", "rare"], 1: ["common"], 2: ["common"], 3: ["common"]})
    coverage = index.match(["rare", "common"], 4).coverage
    assert coverage[0] == 1
    assert 0 < coverage[1] < 0.2
    match = index.match(["rare", "common", "nowhere"], 4)
    assert match.coverage[0] < 0.6
    assert match.known == pytest.approx(2 / 3)
    assert 0 < match.rarity[1] < match.rarity[0] < 1 < match.rarity[2] <= 2


def test_matched_terms_come_in_the_query_s_order_once_each() -> None:
    """They are what the trace shows."""
    index = indexed({4: ["b", "a", "a", "c"]})
    assert index.matched(["c", "x", "a", "c", "a"], 4) == ("c", "a")
    assert index.matched(["a"], 5) == ()
    index.remove(4)
    assert index.matched(["a"], 4) == ()


@given(changes)
@settings(deadline=None, max_examples=100)
def test_terms_of_a_slot_are_those_of_what_it_holds(history: list[tuple[int, Terms | None]]) -> None:
    """Each once, characters beside their pairs included; none for a slot that is free or was never taken."""
    index, documents = lived_through(history)
    for slot in range(14):
        assert index.terms(slot) == set(documents.get(slot, []))


@given(changes, letters | st.lists(st.sampled_from(["什么", "什", "么", "猫", "谁的", "a", "nowhere"]), max_size=4))
@settings(deadline=None, max_examples=150)
def test_holders_are_the_slots_that_have_every_term(history: list[tuple[int, Terms | None]], wanted: Terms) -> None:
    """Whatever came and went before: ascending, each once, and none where no term is wanted."""
    index, documents = lived_through(history)
    expected = [slot for slot in sorted(documents) if set(wanted) <= set(documents[slot])] if wanted else []
    holders = index.holders(wanted)
    assert holders.dtype == np.int64
    assert holders.tolist() == expected
    assert index.holders(frozenset(wanted)).tolist() == index.holders(iter(wanted * 2)).tolist() == expected


def test_holders_that_were_told_are_the_caller_s_own() -> None:
    """Who writes into them moves no memory, and the index can change while they are kept."""
    index = indexed({3: ["a", "b"], 1: ["a"]})
    found = index.holders(["a"])
    found[:] = 99
    index.add(2, ["a"])
    index.remove(3)
    assert index.holders(["a"]).tolist() == [1, 2]
    assert found.tolist() == [99, 99]


@given(letters, letters)
@settings(deadline=None, max_examples=60)
def test_overlap_is_the_share_of_common_words(query: Terms, held: Terms) -> None:
    """Counted by hand: of all words that either has, how many do both have."""
    index = indexed({7: held})
    either = [word for word in "abcdefg" if word in query or word in held]
    both = [word for word in "abcdefg" if word in query and word in held]
    assert index.overlap(query, 7) == (len(both) / len(either) if either else 0.0)


@given(texts, texts)
@settings(deadline=None, max_examples=150)
def test_overlap_of_chinese_texts_is_that_of_their_pairs(text: str, held: str) -> None:
    """Characters that two sentences share by chance make no duplicates of them."""
    mine, theirs = pairs_of(text), pairs_of(held)
    either = {*mine, *theirs}
    both = [term for term in either if term in mine and term in theirs]
    assert indexed({0: tokenize(held)}).overlap(tokenize(text), 0) == (len(both) / len(either) if either else 0.0)


def test_sentences_of_the_same_characters_are_no_duplicates() -> None:
    """The order of characters makes the words."""
    index = indexed({0: tokenize("上海的天")})
    assert index.overlap(tokenize("天上的海"), 0) == 0
    assert index.match(tokenize("天上的海"), 1).scores[0] > 0


@given(st.dictionaries(slots, texts), slots, st.integers(0, 300))
@settings(deadline=None, max_examples=60)
def test_lengths_count_pairs_once_and_free_slots_as_nothing(documents: dict[int, str], freed: int, size: int) -> None:
    """Whether the table reaches as far as is asked for or not."""
    index = indexed({slot: tokenize(text) for slot, text in documents.items()})
    index.remove(freed)
    lengths = index.lengths(size)
    expected = [len(pairs_of(documents[slot])) if slot in documents and slot != freed else 0 for slot in range(size)]
    assert lengths.dtype == np.float32
    assert lengths.tolist() == expected


def test_told_lengths_are_the_caller_s_own() -> None:
    """Who writes into them changes no memory's length."""
    index = indexed({0: ["a", "b"], 1: ["a"]})
    before = index.match(["a"], 2).scores
    index.lengths(2)[:] = 99
    assert index.lengths(2).tolist() == [2, 1]
    np.testing.assert_array_equal(index.match(["a"], 2).scores, before)


def test_one_chinese_character_finds_the_texts_that_it_stands_in() -> None:
    """A word of one character matches inside a sentence, and texts without it score nothing."""
    index = indexed({slot: tokenize(text) for slot, text in enumerate(["我家的猫九岁了", "猫", "下雨天", "a cat"])})
    scores = index.match(tokenize("猫"), 4).scores
    assert (scores > 0).tolist() == [True, True, False, False]
    assert index.matched(tokenize("猫"), 0) == ("猫",)
    assert index.matched(tokenize("猫"), 2) == ()


def test_one_character_of_a_question_finds_the_word_that_is_shortened_to_it() -> None:
    """No pair is shared, and the character still tells the two apart."""
    index = indexed({slot: tokenize(text) for slot, text in enumerate(["我在沪工作", "她住北京"])})
    assert index.match(tokenize("去沪上"), 2).scores.argmax() == 0
    assert index.matched(tokenize("去沪上"), 0) == ("沪",)


def test_matched_pair_stands_for_its_characters() -> None:
    """What is read is the word; a character is listed where its pair was not found."""
    index = indexed({0: tokenize("北京大学在海淀"), 1: tokenize("京都")})
    assert index.matched(tokenize("北京海边"), 0) == ("北京", "海")
    assert index.matched(tokenize("北京海边"), 1) == ("京",)


def test_one_latin_letter_is_a_term_like_any_other() -> None:
    """It does not match inside words."""
    index = indexed({0: ["x"], 1: ["xylophon"]})
    assert (index.match(["x"], 2).scores > 0).tolist() == [True, False]


def test_bytes_follow_the_terms() -> None:
    """More with each memory, less once it is gone; counting changes nothing."""
    index = BM25Index()
    for slot in range(100):
        index.add(slot, tokenize(f"memory {slot} 记忆"))
    before = index.nbytes
    terms = tokenize(" ".join(f"word{number}" for number in range(1000)))
    index.add(100, terms)
    grown = index.nbytes
    assert grown > before + 8 * len(terms)
    index.remove(100)
    assert before <= index.nbytes < grown  # a dictionary keeps the room that it had
    assert index.terms(3) == frozenset(tokenize("memory 3 记忆"))
