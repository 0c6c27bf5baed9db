"""The lexical index, against the formula worked out anew over plain lists for every score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.lexical import BM25Index, tokenize

Terms = list[str]
Documents = dict[int, Terms]


def slow_score(query: list[str], slot: int, documents: Documents, k1: float = 1.5, b: float = 0.75) -> float:
    """Return one document's BM25 as the paper writes it, term by term."""
    if slot not in documents:
        return 0.0
    number = len(documents)
    average = sum(len(terms) for terms in documents.values()) / number
    total = 0.0
    for term in set(query):
        frequency = documents[slot].count(term)
        holders = len([1 for terms in documents.values() if term in terms])
        if frequency == 0:
            continue
        idf = math.log(1 + (number - holders + 0.5) / (holders + 0.5))
        norm = k1 * (1 - b + b * len(documents[slot]) / average)
        total += idf * frequency * (k1 + 1) / (frequency + norm)
    return total


def indexed(documents: Documents, index: BM25Index | None = None) -> BM25Index:
    """Return an index that holds the documents."""
    index = BM25Index() if index is None else index
    for slot, terms in documents.items():
        index.add(slot, terms)
    return index


terms = st.lists(st.sampled_from("abcdefg"), max_size=8)
slots = st.integers(0, 12)
changes = st.lists(st.tuples(slots, st.none() | terms), max_size=40)


@given(changes, terms)
@settings(deadline=None, max_examples=150)
def test_scores_follow_the_formula_whatever_came_and_went(
    history: list[tuple[int, Terms | None]], query: Terms
) -> None:
    """After any adding, replacing and removing, the index scores as one that was made of what is left."""
    index, documents = BM25Index(), Documents()
    for slot, terms_of_slot in history:
        if terms_of_slot is None:
            index.remove(slot)
            documents.pop(slot, None)
        else:
            index.add(slot, terms_of_slot)
            documents[slot] = terms_of_slot
    expected = [slow_score(query, slot, documents) for slot in range(13)]
    scores = index.scores(query, 13)
    assert len(index) == len(documents)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("k1", "b"), [(0.0, 0.75), (1.2, 0.0), (2.0, 1.0)])
def test_saturation_and_length_discount_are_as_asked(k1: float, b: float) -> None:
    """With k1 = 0 a repeated term counts once; with b = 0 length does not matter."""
    documents = {0: ["a"], 1: ["a", "a", "b"], 2: ["c"] * 9 + ["a"]}
    index = indexed(documents, BM25Index(k1, b))
    expected = [slow_score(["a", "b"], slot, documents, k1, b) for slot in range(3)]
    np.testing.assert_allclose(index.scores(["a", "b"], 3), expected, rtol=1e-5)


def test_slots_far_apart_are_indexed() -> None:
    """The table of lengths grows to the slot, however far it is."""
    documents = {0: ["a"], 5_000: ["a", "b"]}
    scores = indexed(documents).scores(["b", "a"], 5_001)
    assert scores[5_000] == pytest.approx(slow_score(["a", "b"], 5_000, documents), rel=1e-5)
    assert np.count_nonzero(scores) == 2


def test_rare_term_outweighs_a_common_one() -> None:
    """That is what idf is for."""
    index = indexed({0: ["common", "rare"], 1: ["common", "filler"], 2: ["common", "filler"]})
    assert index.scores(["rare"], 3)[0] > 2 * index.scores(["common"], 3)[0] > 0


def test_repeated_query_term_counts_once() -> None:
    """Asking twice does not make it truer."""
    index = indexed({0: ["a", "b"], 1: ["b"]})
    np.testing.assert_array_equal(index.scores(["a", "b", "a"], 2), index.scores(["a", "b"], 2))


def test_empty_index_and_empty_documents_score_nothing() -> None:
    """No division by an average length of zero."""
    assert BM25Index().scores(["a"], 3).tolist() == [0, 0, 0]
    assert indexed({0: [], 1: []}).scores(["a"], 2).tolist() == [0, 0]


def test_matched_terms_come_in_the_query_s_order_once_each() -> None:
    """They are what the trace shows."""
    index = indexed({4: ["b", "a", "a", "c"]})
    assert index.matched(["c", "x", "a", "c", "a"], 4) == ("c", "a")
    assert index.matched(["a"], 5) == ()
    index.remove(4)
    assert index.matched(["a"], 4) == ()


@given(terms, terms)
@settings(deadline=None, max_examples=60)
def test_overlap_is_the_share_of_common_words(query: Terms, held: Terms) -> None:
    """Counted by hand: of all words that either has, how many do both have."""
    index = indexed({7: held})
    either = [word for word in "abcdefg" if word in query or word in held]
    both = [word for word in "abcdefg" if word in query and word in held]
    assert index.overlap(query, 7) == (len(both) / len(either) if either else 0.0)


def test_one_chinese_character_finds_the_pairs_that_it_stands_in() -> None:
    """A word of one character matches inside a sentence, and texts without it score nothing."""
    index = indexed({slot: tokenize(text) for slot, text in enumerate(["我家的猫九岁了", "猫", "下雨天", "a cat"])})
    scores = index.scores(tokenize("猫"), 4)
    assert (scores > 0).tolist() == [True, True, False, False]
    assert index.matched(tokenize("猫"), 0) == ("猫",)
    assert index.matched(tokenize("猫"), 2) == ()


def test_one_latin_letter_is_a_term_like_any_other() -> None:
    """It does not match inside words."""
    index = indexed({0: ["x"], 1: ["xylophon"]})
    assert (index.scores(["x"], 2) > 0).tolist() == [True, False]
