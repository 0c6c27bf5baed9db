"""What every encoder promises, whatever makes its keys."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ntm_memory_skill.encoder import Encoder

ENGLISH = "The garden behind the house has a pond with three old carp. "
CHINESE = "今天我们在公园里散步，看到了很多花和鸟。"
TEXTS = ["The launch moved to 9 May.", "launch", CHINESE, "A tapir ate Anna's e-mail 🙂"]


def test_passages_become_unit_rows_in_float32(encoder: Encoder) -> None:
    """One row a text, of the identity's length."""
    keys = encoder.encode_passages(TEXTS)
    assert keys.shape == (len(TEXTS), encoder.identity.dimension)
    assert keys.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-5)


def test_question_becomes_one_unit_row_in_float32(encoder: Encoder) -> None:
    """Of the same length as a passage's, so that the two have a cosine."""
    for text in TEXTS:
        key = encoder.encode_query(text)
        assert key.shape == (encoder.identity.dimension,)
        assert key.dtype == np.float32
        assert np.linalg.norm(key) == pytest.approx(1, abs=1e-5)


def test_no_texts_make_no_rows(encoder: Encoder) -> None:
    """The shape still tells the length of a key."""
    assert encoder.encode_passages([]).shape == (0, encoder.identity.dimension)


def test_rows_stand_in_the_order_of_the_texts(encoder: Encoder) -> None:
    """However the encoder groups them for speed; and a text's key does not depend on its company."""
    keys = encoder.encode_passages(TEXTS)
    np.testing.assert_allclose(encoder.encode_passages(TEXTS[::-1]), keys[::-1], atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages([TEXTS[0]])[0], keys[0], atol=1e-5)


def test_same_text_has_the_same_key_every_time(encoder: Encoder) -> None:
    """To the last bit: the key cache stands for the encoder."""
    np.testing.assert_array_equal(encoder.encode_passages(TEXTS), encoder.encode_passages(TEXTS))
    np.testing.assert_array_equal(encoder.encode_query(TEXTS[0]), encoder.encode_query(TEXTS[0]))


def test_question_finds_the_text_that_repeats_it(encoder: Encoder) -> None:
    """The key of a question lies nearest to that of the text most like it."""
    keys = encoder.encode_passages(TEXTS)
    for place, text in enumerate(TEXTS):
        assert int(np.argmax(keys @ encoder.encode_query(text))) == place


@pytest.mark.parametrize(
    ("body", "ends"),
    [(ENGLISH * 22, ("It is a pelican.", "Revenue doubled.")), (CHINESE * 18, ("最后是鹈鹕", "zebra"))],
    ids=["English", "Chinese without blanks"],
)
def test_no_part_of_a_long_text_is_ignored(encoder: Encoder, body: str, ends: tuple[str, str]) -> None:
    """The very last and the very first words of a text longer than any window leave their mark on its key."""
    keys = encoder.encode_passages([f"{body}{ends[0]}", f"{body}{ends[1]}", f"{ends[0]}{body}", f"{ends[1]}{body}"])
    asked = encoder.encode_query(f"{body}{ends[0]}"), encoder.encode_query(f"{body}{ends[1]}")
    np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-5)
    for one, other in ((keys[0], keys[1]), (keys[2], keys[3]), asked):
        assert np.linalg.norm(one - other) > 1e-3


def test_progress_rises_to_the_number_of_texts(encoder: Encoder) -> None:
    """One batch is not the end of it."""
    seen: list[tuple[int, int]] = []
    encoder.encode_passages([f"text {number}" for number in range(70)], lambda *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert seen[-1] == (70, 70)
    assert {step[1] for step in seen} == {70}
    assert len(seen) > 1


@pytest.mark.parametrize("text", ["", " ", "plain words", CHINESE, "🙂", "Hello 今天"])
def test_unknown_share_is_a_share(encoder: Encoder, text: str) -> None:
    """Of nothing, nothing is unknown."""
    share = encoder.unknown_share(text)
    assert 0 <= share <= 1
    assert share == 0 or text.strip()


def test_identity_is_the_same_before_and_after_loading(encoder: Encoder) -> None:
    """What is known beforehand holds once the model is there; warming up twice is harmless."""
    before = encoder.known_identity
    encoder.warm_up()
    encoder.warm_up()
    assert before == encoder.known_identity == encoder.identity


def test_an_encoder_that_has_encoded_is_ready(encoder: Encoder) -> None:
    """Whether it was before or not."""
    encoder.encode_query("text")
    assert encoder.ready


def test_array_library_can_hold_the_matrix(encoder: Encoder) -> None:
    """It names an installed module whose arrays take the keys."""
    library = importlib.import_module(encoder.array_library)
    assert library.asarray(encoder.encode_query("text")).shape == (encoder.identity.dimension,)


def test_threads_may_encode_at_once(encoder: Encoder) -> None:
    """Each gets the keys that it would have got alone."""
    alone = encoder.encode_passages(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(encoder.encode_query, TEXTS))
    np.testing.assert_allclose(together, alone, atol=1e-5)
