"""A question that was asked before: the model is not run again, and nobody can tell but by the time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.encoder.caching import CachingEncoder
from ntm_memory_skill.encoder.recent import Recent
from ntm_memory_skill.errors import EncoderUnavailable


class CountingEncoder(HashedEncoder):
    """A stand-in that notes what it is asked, and refuses while it is `broken`."""

    def __init__(self) -> None:
        super().__init__(16)
        self.asked: list[tuple[str, object]] = []
        self.broken = False

    def encode_query(self, text: str) -> np.ndarray:
        """Return the unit key of a question."""
        self._note("query", text)
        return super().encode_query(text)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Return a unit key for each text."""
        self._note("passages", tuple(texts))
        return np.stack([HashedEncoder.encode_query(self, text) for text in texts])

    def unknown_share(self, text: str) -> float:
        """Return a share that tells texts apart."""
        self._note("share", text)
        return len(text) / 100

    def _note(self, kind: str, what: object) -> None:
        self.asked.append((kind, what))
        if self.broken:
            raise EncoderUnavailable("broken")


@pytest.fixture
def inner() -> CountingEncoder:
    """What makes the keys."""
    return CountingEncoder()


def test_the_same_question_is_encoded_and_read_once(inner: CountingEncoder) -> None:
    """Its key and its share are those of the first time; a share of 0 is known, too."""
    encoder = CachingEncoder(inner)
    for text in ("when?", "", "when?", ""):
        np.testing.assert_array_equal(encoder.encode_query(text), HashedEncoder(16).encode_query(text))
        assert encoder.unknown_share(text) == len(text) / 100
    assert inner.asked == [("query", "when?"), ("share", "when?"), ("query", ""), ("share", "")]


def test_passages_are_made_each_time(inner: CountingEncoder) -> None:
    """And are no questions: a model may make other keys of them."""
    encoder = CachingEncoder(inner)
    for _ in range(2):
        assert encoder.encode_passages(["a", "b"]).shape == (2, 16)
    encoder.encode_query("a")
    assert inner.asked == [("passages", ("a", "b"))] * 2 + [("query", "a")]


def test_a_caller_may_do_with_its_key_what_it_likes(inner: CountingEncoder) -> None:
    """The first caller, and those after it."""
    encoder = CachingEncoder(inner)
    for _ in range(3):
        key = encoder.encode_query("when?")
        np.testing.assert_array_equal(key, HashedEncoder(16).encode_query("when?"))
        key[:] = 7


def test_what_was_asked_longest_ago_goes_first(inner: CountingEncoder) -> None:
    """Asking again counts as asking."""
    encoder = CachingEncoder(inner, room=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode_query(text)
    assert [what for _, what in inner.asked] == ["a", "b", "c", "b"]


@given(st.integers(1, 4), st.lists(st.text("abcdef", min_size=1, max_size=1)))
def test_a_bounded_number_is_kept_and_never_a_wrong_one(room: int, texts: list[str]) -> None:
    """Against a list that is searched from its end."""
    recent: Recent[str] = Recent(room)
    used: list[str] = []
    for text in texts:
        expected = text if text in list(dict.fromkeys(reversed(used)))[:room] else None
        assert recent.get(text) == expected
        if expected is None:
            recent.put(text, text)
        used.append(text)
        assert len(recent) == min(room, len(set(used)))


def test_half_a_character_is_a_text_too() -> None:
    """Some clients send lone surrogates."""
    recent: Recent[int] = Recent(4)
    recent.put("\ud800", 1)
    assert (recent.get("\ud800"), recent.get("\udfff")) == (1, None)


def test_errors_are_not_kept(inner: CountingEncoder) -> None:
    """A model that could not be loaded may be installed by the next call."""
    encoder = CachingEncoder(inner)
    inner.broken = True
    for ask in (encoder.encode_query, encoder.unknown_share):
        for _ in range(2):
            with pytest.raises(EncoderUnavailable):
                ask("when?")
    inner.broken = False
    np.testing.assert_array_equal(encoder.encode_query("when?"), HashedEncoder(16).encode_query("when?"))
    assert encoder.unknown_share("when?") == 0.05


def test_what_the_inner_encoder_says_of_itself_is_passed_on(inner: CountingEncoder) -> None:
    """As it is at the time: a model may be loaded later, and only then know its identity."""
    encoder = CachingEncoder(inner)
    inner.ready, inner.known_identity = False, None
    assert (encoder.ready, encoder.known_identity) == (False, None)
    inner.ready, inner.known_identity = True, inner.identity
    assert encoder.ready
    assert encoder.known_identity == encoder.identity == inner.identity
    assert encoder.array_library == "numpy"


def test_threads_get_the_keys_of_their_own_questions(inner: CountingEncoder) -> None:
    """Also while there is room for fewer than they ask."""
    encoder = CachingEncoder(inner, room=3)
    texts = [f"question {number % 7}" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(encoder.encode_query, texts))
    np.testing.assert_array_equal(keys, [HashedEncoder(16).encode_query(text) for text in texts])
