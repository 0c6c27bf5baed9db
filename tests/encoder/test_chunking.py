"""Cutting a text that is longer than a model's window, and putting the keys of its pieces together."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.encoder.chunking import pool, split_to_window

Count = Callable[[str], int]


def count_words(text: str) -> int:
    """Return how many blank-separated words there are."""
    return len(text.split())


def count_pieces(text: str) -> int:
    """Return what a word-piece model might: four letters a piece, a Chinese character a piece of its own."""
    total = 0
    for word in text.split():
        chinese = len([char for char in word if char >= "一"])
        total += chinese + math.ceil((len(word) - chinese) / 4)
    return total


COUNTS: list[Count] = [len, count_words, count_pieces]
mixed_texts = st.text(alphabet="ab 中文\n。", max_size=300)


@given(mixed_texts, st.sampled_from(COUNTS), st.integers(1, 20))
@settings(deadline=None, max_examples=200)
def test_pieces_join_to_the_text_and_each_fits(text: str, count: Count, window: int) -> None:
    """Nothing is lost, doubled or left too long, whatever counts as a token."""
    pieces = split_to_window(text, count, window)
    assert "".join(pieces) == text
    assert all(count(piece) <= window for piece in pieces)
    assert all(pieces) or pieces == [""]


@given(mixed_texts, st.integers(1, 30))
@settings(deadline=None, max_examples=100)
def test_no_piece_is_a_short_rest(text: str, window: int) -> None:
    """A rest of a few characters would weigh little and cost a full pass of the model."""
    pieces = split_to_window(text, len, window)
    assert len(pieces) == 1 or min(map(len, pieces)) >= window / 4


def test_text_that_fits_is_left_whole() -> None:
    """Even where it fits exactly."""
    assert split_to_window("one two three", count_words, 3) == ["one two three"]
    assert split_to_window("", len, 1) == [""]


def test_cut_falls_behind_a_blank_near_the_middle() -> None:
    """A word is not torn where there is a choice."""
    assert split_to_window("aaaa bbbbb", len, 6) == ["aaaa ", "bbbbb"]
    assert split_to_window("one two three four", count_words, 2) == ["one two ", "three four"]


@pytest.mark.parametrize("text", ["今天天气很好我们去公园" * 30, "x" * 400])
def test_text_without_blanks_is_cut_all_the_same(text: str) -> None:
    """Chinese has no blanks, and a single word may be longer than the window."""
    pieces = split_to_window(text, count_pieces, 24)
    assert "".join(pieces) == text
    assert len(pieces) > 1
    assert all(count_pieces(piece) <= 24 for piece in pieces)


def test_blank_far_from_the_middle_is_no_place_to_cut() -> None:
    """Else one early blank would leave a single word against all the rest."""
    pieces = split_to_window("a " + "中" * 98, len, 50)
    assert [len(piece) for piece in pieces] == [50, 50]


def test_character_that_fits_no_window_is_refused() -> None:
    """Halving could go on for ever."""
    with pytest.raises(ValueError, match=r".+"):
        split_to_window("字字", lambda text: 5 * len(text), 3)


def slow_pool(keys: list[list[float]], lengths: list[int]) -> list[float]:
    """Return the weighted mean of rows at length 1, number by number."""
    total = [0.0] * len(keys[0])
    for row, length in zip(keys, lengths, strict=True):
        for place, number in enumerate(row):
            total[place] += length * number
    norm = math.sqrt(sum(number * number for number in total))
    return [number / norm for number in total]


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(0, 9)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_pooled_key_is_the_mean_by_tokens_at_length_one(pieces: list[tuple[int, int]]) -> None:
    """A long piece says more than a short one."""
    rng = np.random.default_rng([number for _, number in pieces])
    keys = (rng.random((len(pieces), 5)) + 0.1).astype(np.float32)
    lengths = [length for length, _ in pieces]
    pooled = pool(keys, lengths)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, slow_pool(keys.tolist(), lengths), rtol=1e-5)


def test_keys_that_cancel_out_pool_to_nothing_not_to_nan() -> None:
    """Two opposite pieces have no direction in common."""
    keys = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    assert pool(keys, [3, 3]).tolist() == [0, 0]
