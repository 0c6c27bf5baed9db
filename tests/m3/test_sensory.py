"""The sensory buffer against a list a session, and the compressor against the inner products that it is to keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.sensory import Compressor, SensoryBuffer, fit

SESSIONS = ["a", "b", "c", "d", "e"]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors at length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def key_of(number: int, length: int = 6) -> np.ndarray:
    """Return the unit key of the input with a number, always the same."""
    return unit(np.random.default_rng(number).normal(size=length))


def keys_of_rank(rank: int, count: int = 60, length: int = 96, seed: int = 0) -> np.ndarray:
    """Return unit keys that lie in a subspace."""
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=(count, rank)) @ rng.normal(size=(rank, length)))


def spread_keys(count: int = 300, length: int = 96, seed: int = 0) -> np.ndarray:
    """Return unit keys whose energy falls off from direction to direction, each at its own pace."""
    rng = np.random.default_rng(seed)
    paces = rng.uniform(0.5, 20, size=(count, 1))
    keys = rng.normal(size=(count, length)) * np.exp(-np.arange(length) / length * paces)
    return unit(keys)


@given(
    told=st.lists(st.sampled_from(SESSIONS), max_size=40),
    size=st.integers(1, 4),
    most=st.integers(1, 4),
)
def test_buffer_holds_the_last_inputs_of_the_sessions_that_spoke_last(told: list[str], size: int, most: int) -> None:
    """Against a dict of lists. A session that gave way begins anew."""
    buffer = SensoryBuffer(size=size, most_sessions=most)
    held: dict[str, list[np.ndarray]] = {}
    for number, session in enumerate(told):
        key = key_of(number)
        buffer = buffer.heard(session, key)
        held[session] = [*held.pop(session, []), key][-size:]
        if len(held) > most:
            del held[next(iter(held))]
    for name in SESSIONS:
        np.testing.assert_array_equal(buffer.keys(name), held.get(name, []))


def test_buffer_that_has_heard_is_another_one() -> None:
    """The one before is as it was, so that a caller can go back to it."""
    before = SensoryBuffer().heard("a", key_of(0))
    after = before.heard("a", key_of(1))
    np.testing.assert_array_equal(before.keys("a"), [key_of(0)])
    np.testing.assert_array_equal(after.keys("a"), [key_of(0), key_of(1)])
    assert after.without("a").keys("a") == ()
    assert len(after.keys("a")) == 2


@given(count=st.integers(1, 8), fading=st.floats(0.05, 1))
def test_context_is_the_unit_mean_with_each_input_fading(count: int, fading: float) -> None:
    """Summed one by one."""
    buffer = SensoryBuffer(fading=fading)
    total = np.zeros(6)
    for number in range(count):
        buffer = buffer.heard("a", key_of(number))
        total = fading * total + key_of(number)
    context = buffer.context("a")
    assert context is not None
    np.testing.assert_allclose(context, total / np.linalg.norm(total), atol=1e-5)
    assert context.dtype == np.float32


def test_context_is_nearer_to_what_was_said_last() -> None:
    """Two inputs at right angles: the later one weighs more."""
    first, last = np.eye(6, dtype=np.float32)[:2]
    context = SensoryBuffer().heard("a", first).heard("a", last).context("a")
    assert context is not None
    assert context @ last > context @ first > 0


def test_session_that_says_nothing_has_no_context() -> None:
    """Never heard of, unreadable, or of two keys that cancel out."""
    key = key_of(0)
    assert SensoryBuffer().context("a") is None
    assert SensoryBuffer().heard("a", np.zeros(6, np.float32)).context("a") is None
    assert SensoryBuffer(fading=1.0).heard("a", key).heard("a", -key).context("a") is None
    assert SensoryBuffer().heard("b", key).context("a") is None


def test_buffer_settings_out_of_range_are_refused_all_at_once() -> None:
    """Every one of them is named."""
    with pytest.raises(ValueError, match=r"size.*most_sessions.*fading"):
        SensoryBuffer(size=0, most_sessions=-1, fading=math.nan)


@given(dimension=st.integers(1, 96), seed=st.integers(0, 5))
def test_components_are_orthonormal(dimension: int, seed: int) -> None:
    """Also where there are fewer keys than components."""
    components = fit(spread_keys(count=40, seed=seed), dimension).components
    assert components.shape == (dimension, 96)
    np.testing.assert_allclose(components @ components.T, np.eye(dimension), atol=1e-5)


@given(rank=st.integers(1, 40), seed=st.integers(0, 5))
def test_cosines_of_keys_in_as_many_dimensions_are_kept(rank: int, seed: int) -> None:
    """Nothing is lost where there is nothing more to keep, and no gate is in the way."""
    keys = keys_of_rank(rank, seed=seed)
    compressor = fit(keys, dimension=40, fidelity=None)
    vectors = compressor.compress_all(keys).vectors
    assert compressor.loss == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(vectors @ vectors.T, keys @ keys.T, atol=1e-4)
    np.testing.assert_allclose(vectors @ compressor.project(keys[0]), keys @ keys[0], atol=1e-4)


def test_fitted_components_lose_no_more_than_random_ones_or_the_first_coordinates() -> None:
    """Eckart and Young, against other orthonormal rows."""
    keys = spread_keys()
    turned = keys @ np.linalg.qr(np.random.default_rng(1).normal(size=(96, 96)))[0].astype(np.float32)
    random = np.linalg.qr(np.random.default_rng(2).normal(size=(96, 32)))[0].T.astype(np.float32)

    def lost(components: np.ndarray) -> float:
        compressor = Compressor(components=components, fidelity=None, loss=0.0)
        return float(compressor.compress_all(turned).loss.mean())

    fitted = fit(turned, 32, fidelity=None)
    assert fitted.loss == pytest.approx(lost(fitted.components), abs=1e-5)
    assert fitted.loss < min(lost(random), lost(np.eye(96, dtype=np.float32)[:32])) - 0.1


@given(fidelity=st.floats(0.3, 1), dimension=st.sampled_from([20, 32, 48, 64, 96]))
def test_gate_keeps_the_fewest_blocks_that_explain_enough(fidelity: float, dimension: int) -> None:
    """Block by block, for each key on its own."""
    keys = spread_keys(count=30)
    compressor = fit(spread_keys(), dimension, fidelity)
    vectors, kept, loss = compressor.compress_all(keys)
    assert compressor.blocks == {20: (20,), 32: (32,), 48: (32, 48), 64: (32, 64), 96: (32, 64, 96)}[dimension]
    for row, key in enumerate(keys):
        whole = (compressor.components @ key).astype(np.float64) ** 2
        enough = [block for block in compressor.blocks if whole[:block].sum() >= fidelity * whole.sum() - 1e-6]
        assert kept[row] in compressor.blocks
        assert kept[row] >= enough[0]
        assert whole[: kept[row]].sum() >= fidelity * whole.sum() - 1e-6
        assert not vectors[row, kept[row] :].any()
        assert np.linalg.norm(vectors[row]) == pytest.approx(1, abs=1e-5)
        assert loss[row] == pytest.approx(1 - whole[: kept[row]].sum() / (key @ key), abs=1e-5)


def test_complex_input_keeps_more_components_and_the_cosine_sees_it() -> None:
    """What a gate on the whole vector could not do."""
    keys = np.eye(96, dtype=np.float32) * np.linspace(2, 1, 96, dtype=np.float32)[:, None]
    simple, complex_ = np.zeros(96, np.float32), np.full(96, 96**-0.5, np.float32)
    simple[:4] = 0.5
    fine, coarse = fit(keys, 96, fidelity=0.95), fit(keys, 96, fidelity=0.3)
    (kept_whole, many), (kept_in_part, few) = fine.compress(complex_), coarse.compress(complex_)
    assert fine.compress(simple)[1] == 32
    assert (many, few) == (96, 32)
    question = fine.project(complex_)
    assert kept_whole @ question == pytest.approx(1)
    assert kept_in_part @ question == pytest.approx(3**-0.5, abs=1e-5), "a third of the energy is left"


def test_key_without_a_direction_stays_without_one() -> None:
    """A zero row has no cosine, before and after."""
    compressor = fit(spread_keys(), 64)
    vectors, _, loss = compressor.compress_all(np.zeros((2, 96), np.float32))
    assert not vectors.any()
    assert not loss.any()
    assert not compressor.project(np.zeros(96, np.float32)).any()
    assert fit(np.zeros((3, 96), np.float32), 64).loss == 0


def test_fit_gives_the_same_components_each_time_and_in_any_order_of_the_keys() -> None:
    """A direction's sign is a free choice, so it is made."""
    keys = spread_keys(length=16)
    once, again = fit(keys, 8), fit(keys[::-1], 8)
    np.testing.assert_allclose(once.components, again.components, atol=1e-3)
    assert (np.take_along_axis(once.components, np.abs(once.components).argmax(1)[:, None], 1) > 0).all()


@pytest.mark.parametrize(("count", "dimension", "fidelity"), [(0, 8, 0.9), (5, 0, 0.9), (5, 97, 0.9), (5, 8, 0.0)])
def test_fit_out_of_range_is_refused(count: int, dimension: int, fidelity: float) -> None:
    """No keys, no components, more than there are, or a gate that keeps nothing."""
    with pytest.raises(ValueError, match="not"):
        fit(np.ones((count, 96), np.float32), dimension, fidelity)
