"""The file of a trained head: what is written is read back, and what cannot be used is refused as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import HeadParameters
from ntm_memory_skill.engine import STATISTICS, TrainedHead, deviations
from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.ntm import CONTROLLERS, State, forward
from tests.engine.heads import HASHED, random_head

Document = dict[str, Any]


def assert_same_head(one: TrainedHead, other: TrainedHead) -> None:
    """Compare two heads number by number."""
    assert (one.shape, one.scale, one.encoder, dict(one.report)) == (
        other.shape,
        other.scale,
        other.encoder,
        dict(other.report),
    )
    assert one.weights.keys() == other.weights.keys()
    for name in one.weights:
        np.testing.assert_array_equal(one.weights[name], other.weights[name])
        assert other.weights[name].dtype == np.float32
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.deviation, other.deviation)


@pytest.mark.parametrize("kind", CONTROLLERS)
@pytest.mark.parametrize(("heads", "scale"), [(1, 1.0), (3, 0.25), (2, 0.0)])
def test_head_is_read_back_as_it_was_written(kind: str, heads: int, scale: float) -> None:
    """Every number to the last bit."""
    head = random_head(kind, heads=heads, scale=scale, seed=heads)
    data = head.to_json()
    assert_same_head(head, TrainedHead.from_json(data))
    assert_same_head(head, TrainedHead.from_json(data, HASHED))
    assert TrainedHead.from_json(data).to_json() == data


def test_file_names_what_its_numbers_stand_for() -> None:
    """So that another version can tell that they are not its own."""
    document = json.loads(random_head().to_json())
    assert document["format"] == 1
    assert document["statistics"] == list(STATISTICS)
    assert document["report"]["note"] == "made up · 编的"


@pytest.mark.parametrize(("encoder", "fits"), [(HASHED, True), ("another", False), ("", False)])
def test_head_is_for_the_keys_of_one_encoder(encoder: str, fits: bool) -> None:
    """To another's it would be noise; where nobody asks, it is read all the same."""
    head = random_head()
    TrainedHead.from_json(head.to_json())
    if fits:
        assert TrainedHead.from_json(head.to_json(), encoder).encoder == encoder
        head.check_encoder(encoder)
        return
    for ask in (lambda: TrainedHead.from_json(head.to_json(), encoder), lambda: head.check_encoder(encoder)):
        with pytest.raises(UnusableHead):
            ask()


def test_head_is_for_a_kernel_of_its_own_width() -> None:
    """It says by how much each share of the kernel departs."""
    random_head(width=3).check_kernel(HeadParameters(kernel=(0.2, 0.5, 0.3)))
    for width in (1, 3, 5, 9):
        with pytest.raises(UnusableHead):
            random_head(width=width).check_kernel(HeadParameters())


def changed(*path: str, to: Any) -> Callable[[Document], None]:
    """Return what puts another value at a place of the document."""

    def change(document: Document) -> None:
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = to

    return change


def without(*path: str) -> Callable[[Document], None]:
    """Return what takes a place out of the document."""

    def change(document: Document) -> None:
        for name in path[:-1]:
            document = document[name]
        del document[path[-1]]

    return change


def shortened(*path: str) -> Callable[[Document], None]:
    """Return what drops the last of the numbers at a place."""

    def change(document: Any) -> None:
        for name in path:
            document = document[name]
        document.pop()

    return change


def swapped(name: str) -> Callable[[Document], None]:
    """Return what turns the order of some names around."""

    def change(document: Document) -> None:
        document[name] = document[name][::-1]

    return change


DAMAGE: dict[str, Callable[[Document], None]] = {
    **{f"no {name}": without(name) for name in json.loads(random_head().to_json())},
    "another format": changed("format", to=2),
    "other terms": swapped("terms"),
    "a term fewer": shortened("terms"),
    "other statistics": swapped("statistics"),
    "a statistic fewer": shortened("statistics"),
    "a layer missing": without("weights", "W"),
    "a row missing": shortened("weights", "W"),
    "a number missing": shortened("weights", "b"),
    "ragged rows": lambda document: document["weights"]["W"][0].pop(),
    "a word for a number": lambda document: document["weights"]["b"].__setitem__(0, "much"),
    "no number": lambda document: document["weights"]["b"].__setitem__(0, None),
    "not a number": lambda document: document["mean"].__setitem__(0, float("nan")),
    "infinite": lambda document: document["weights"]["b"].__setitem__(0, float("inf")),
    "too large": lambda document: document["weights"]["b"].__setitem__(0, 1e300),
    "too large for any type": lambda document: document["weights"]["b"].__setitem__(0, 10**400),
    "a mean missing": shortened("mean"),
    "no spread": lambda document: document["deviation"].__setitem__(3, 0),
    "a spread below nothing": lambda document: document["deviation"].__setitem__(3, -1),
    "too far": changed("scale", to=1.5),
    "backwards": changed("scale", to=-0.1),
    "how far is unknown": changed("scale", to=float("nan")),
    "far": changed("scale", to="far"),
    "immeasurably far": changed("scale", to=10**400),
    "no controller": changed("shape", "kind", to="oracle"),
    "another controller": changed("shape", "kind", to="feedforward"),
    "no heads": changed("shape", "heads", to=0),
    "half a head": changed("shape", "heads", to=0.5),
    "more heads": changed("shape", "heads", to=2),
    "heads without number": changed("shape", "heads", to="one"),
    "another width": changed("shape", "width", to=5),
    "an even width": changed("shape", "width", to=6),
    "other inputs": changed("shape", "inputs", to=3),
    "no sizes": changed("shape", to=[]),
    "no size": without("shape", "terms"),
    "a report that is none": changed("report", to=7),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_head_is_refused(damage: Callable[[Document], None]) -> None:
    """Whatever is amiss: with half of its numbers it would look anywhere."""
    document = json.loads(random_head().to_json())
    TrainedHead.from_json(json.dumps(document).encode())
    damage(document)
    with pytest.raises(UnusableHead):
        TrainedHead.from_json(json.dumps(document).encode())


NO_HEADS = {
    "empty": b"",
    "a word": b"head",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"7",
    "nothing": b"null",
    "a string": b'"head"',
    "no fields": b"{}",
    "a hole": b"[" * 100_000,
    "torn": random_head().to_json()[:-9],
}


@pytest.mark.parametrize("data", NO_HEADS.values(), ids=NO_HEADS)
def test_file_that_holds_no_head_is_refused(data: bytes) -> None:
    """By the same error."""
    with pytest.raises(UnusableHead):
        TrainedHead.from_json(data)


WHOLE = random_head("lstm", hidden=1).to_json()


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=3), st.integers(0, 40))
@settings(max_examples=300)
def test_head_with_any_few_bytes_changed_is_refused_or_whole(place: int, inserted: bytes, dropped: int) -> None:
    """There is nothing in between: one that is taken can be asked."""
    data = WHOLE[:place] + inserted + WHOLE[place + dropped :]
    try:
        head = TrainedHead.from_json(data)
    except UnusableHead:
        return
    statistics = np.zeros(len(STATISTICS), np.float32)
    said, _ = forward(head.shape, head.weights, head.standardized(statistics))
    assert said.shape == (1, head.shape.emitted)
    assert np.isfinite(said).all()
    assert 0 <= head.scale <= 1


def test_statistics_are_told_in_the_deviations_of_training() -> None:
    """For one question or for many."""
    head = replace(random_head(), mean=np.full(len(STATISTICS), 2, np.float32))
    seen = np.stack([head.mean, head.mean + 3 * head.deviation])
    np.testing.assert_allclose(head.standardized(seen), [[0] * len(STATISTICS), [3] * len(STATISTICS)], atol=1e-5)
    np.testing.assert_allclose(head.standardized(seen[1]), [3] * len(STATISTICS), atol=1e-5)


def test_statistic_that_never_varies_divides_by_nothing() -> None:
    """It counts as one with a deviation of 1."""
    seen = np.asarray([[1, 0, 7], [3, 0, 7 + 1e-6]], np.float32)
    assert deviations(seen).tolist() == [1, 1, 1]
    assert deviations(2 * seen).tolist() == [2, 1, 1]
    assert deviations(seen).dtype == np.float32


def test_state_of_an_lstm_is_a_step_of_its_own() -> None:
    """It comes out of one recall and goes into the next; the head itself holds none."""
    head = random_head("lstm")
    seen = np.ones(len(STATISTICS), np.float32)
    first, state = forward(head.shape, head.weights, seen)
    again, _ = forward(head.shape, head.weights, seen)
    later, _ = forward(head.shape, head.weights, seen, state)
    assert isinstance(state, State)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, later)
