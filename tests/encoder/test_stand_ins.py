"""The encoders that compute keys without a model: hashed n-grams, and the projection onto fewer directions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import EncoderSettings, HashedEncoder, SentenceEncoder
from ntm_memory_skill.encoder import ProjectedEncoder, load_encoder
from ntm_memory_skill.encoder.batching import BatchingEncoder
from ntm_memory_skill.encoder.caching import CachingEncoder
from ntm_memory_skill.errors import InvalidArgument
from tests.encoder.engines import engine

TEXTS = [f"{subject} {verb} {place}" for subject in ("the cat", "一只猫", "Anna") for verb in ("sits", "读书", "ran")
         for place in ("at home", "在公园里", "on the moon")]  # fmt: skip


@given(st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable()), st.sampled_from([1, 8, 64]))
@settings(deadline=None, max_examples=200)
def test_hashed_keys_have_length_one_however_short_the_text(text: str, dimension: int) -> None:
    """In a few buckets the hashes of a short text may cancel out; a key of zeros would match nothing."""
    key = HashedEncoder(dimension).encode_query(text)
    assert np.linalg.norm(key) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["id", "nq", "oc"])
def test_hashes_that_cancel_out_still_make_a_key(text: str) -> None:
    """These two letters each fall into one bucket of 64 with opposite signs."""
    assert np.linalg.norm(HashedEncoder(64).encode_query(text)) == pytest.approx(1)


def test_hashed_keys_of_texts_that_share_letters_are_alike() -> None:
    """That is all it knows, and enough for tests."""
    key = HashedEncoder(256).encode_query
    launch = key("the launch is on 9 May")
    assert launch @ key("The LAUNCH was on 9 May") > 0.7
    assert launch @ key("bread needs yeast and time") < 0.4


def test_projection_is_the_same_in_every_process_and_release() -> None:
    """Its seed is part of the file format: these numbers were written down when the format was made."""
    key = ProjectedEncoder(HashedEncoder(16), 8).encode_query("golden key")
    written = [0.02313, -0.46446, -0.33425, 0.33645, -0.20972, -0.04528, 0.67149, -0.24875]
    np.testing.assert_allclose(key, written, atol=1e-4)


def cosines(encoder: HashedEncoder | ProjectedEncoder) -> list[float]:
    """Return the cosine of each pair of texts."""
    keys = encoder.encode_passages(TEXTS)
    return [float(keys[one] @ keys[other]) for one, other in combinations(range(len(TEXTS)), 2)]


def test_projection_onto_all_directions_is_a_rotation() -> None:
    """Orthonormal directions, so that no cosine changes at all."""
    inner = HashedEncoder(48)
    np.testing.assert_allclose(cosines(ProjectedEncoder(inner, 48)), cosines(inner), atol=1e-5)


def test_distances_survive_the_better_the_more_directions_are_kept() -> None:
    """Johnson and Lindenstrauss: the error falls with the number of directions."""
    inner = HashedEncoder(256)
    exact = np.array(cosines(inner))
    errors = [np.abs(np.array(cosines(ProjectedEncoder(inner, kept))) - exact).mean() for kept in (8, 32, 128)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.06


def test_projected_identity_tells_its_keys_from_the_inner_ones() -> None:
    """Keys of one length and another, or of another projection, must never meet."""
    inner = HashedEncoder(64)
    identities = {inner.identity, ProjectedEncoder(inner, 32).identity, ProjectedEncoder(inner, 64).identity}
    assert len(identities) == 3
    assert ProjectedEncoder(inner, 32).identity.dimension == 32
    assert ProjectedEncoder(inner, 32).known_identity == ProjectedEncoder(HashedEncoder(64), 32).identity


def test_more_dimensions_than_the_inner_encoder_has_are_refused() -> None:
    """By whatever is asked of it first: there is nothing to fill them with."""
    too_long = ProjectedEncoder(HashedEncoder(8), 16)
    for ask in (lambda: too_long.identity, lambda: too_long.known_identity, lambda: too_long.encode_query("text")):
        with pytest.raises(InvalidArgument) as refused:
            ask()
        assert refused.value.code == "invalid_argument"


def test_settings_choose_the_encoder_without_loading_it() -> None:
    """The bundled model's identity is known beforehand, also under a projection."""
    plain, shortened = load_encoder(EncoderSettings()), load_encoder(EncoderSettings(dimension=64))
    assert plain.known_identity is not None
    assert shortened.known_identity is not None
    assert (plain.known_identity.name, plain.known_identity.dimension) == ("bundled", 384)
    assert (shortened.known_identity.name, shortened.known_identity.dimension) == ("bundled", 64)


@pytest.mark.parametrize("dimension", [None, 64], ids=["as long as they are", "projected"])
def test_every_encoder_that_is_loaded_remembers_questions_and_encodes_together(dimension: int | None) -> None:
    """Whichever host asks for it; what is remembered is the key that is given, so that it is not projected again."""
    encoder = load_encoder(EncoderSettings(dimension=dimension))
    assert isinstance(encoder, CachingEncoder)
    inner = encoder._inner
    if dimension is not None:
        assert isinstance(inner, ProjectedEncoder)
        inner = inner._inner
    assert isinstance(inner, BatchingEncoder)
    assert isinstance(engine(encoder), SentenceEncoder)
    assert not encoder.ready
