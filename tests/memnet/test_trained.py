"""The file of a trained hop policy: what is written is read back, and what cannot be used is refused as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import UnusableHead
from ntm_memory_skill.memnet.hops import HopPolicy
from ntm_memory_skill.memnet.trained import TrainedPolicy

POLICY = TrainedPolicy(HopPolicy(words=0.1, joint=-2.5, named=1e-9, shared=0.0), "hashed", {"note": "made up · 编的"})

Document = dict[str, Any]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=5))
def test_policy_is_read_back_as_it_was_written(weights: list[float]) -> None:
    """Every number to the last bit."""
    policy = TrainedPolicy(HopPolicy(**dict(zip(HopPolicy.__dataclass_fields__, weights, strict=True))), "hashed")
    assert TrainedPolicy.from_json(policy.to_json()) == policy
    assert TrainedPolicy.from_json(policy.to_json(), "hashed").to_json() == policy.to_json()


def test_file_names_what_its_numbers_stand_for() -> None:
    """So that people can read it, and another version can tell that they are not its own."""
    document = json.loads(POLICY.to_json())
    assert document["format"] == 1
    assert document["clues"] == {"words": 0.1, "joint": -2.5, "named": 1e-9, "shared": 0.0, "linked": 0.5}
    assert document["report"] == {"note": "made up · 编的"}


def test_policy_is_for_the_keys_of_one_encoder() -> None:
    """With another's, likeness has another scale."""
    POLICY.check_encoder("hashed")
    for check in (POLICY.check_encoder, lambda name: TrainedPolicy.from_json(POLICY.to_json(), name)):
        with pytest.raises(UnusableHead, match="'hashed', not 'another'") as caught:
            check("another")
        assert "--hops" in (caught.value.hint or "")


DAMAGES: dict[str, Callable[[Document], object]] = {
    "another format": lambda document: document.update(format=2),
    "no format": lambda document: document.pop("format"),
    "no encoder": lambda document: document.pop("encoder"),
    "no report": lambda document: document.pop("report"),
    "a report that is none": lambda document: document.update(report=7),
    "a clue too few": lambda document: document["clues"].pop("joint"),
    "a clue too many": lambda document: document["clues"].update(smell=1.0),
    "a word for a number": lambda document: document["clues"].update(joint="much"),
    "no finite number": lambda document: document["clues"].update(joint=float("nan")),
    "an endless number": lambda document: document["clues"].update(joint=float("inf")),
    "clues that are a list": lambda document: document.update(clues=[1, 2, 3, 4, 5]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_file_that_lacks_something_is_refused(damage: Callable[[Document], object]) -> None:
    """Whatever is amiss; what to do is said."""
    document = json.loads(POLICY.to_json())
    damage(document)
    with pytest.raises(UnusableHead, match="hop policy") as caught:
        TrainedPolicy.from_json(json.dumps(document).encode())
    assert "--hops" in (caught.value.hint or "")


@pytest.mark.parametrize("data", [b"", b"hops", b"\xff\xfe", b"[]", b"7", b"null", b"{}", b"[" * 100_000])
def test_file_that_holds_no_policy_is_refused(data: bytes) -> None:
    """By the same error."""
    with pytest.raises(UnusableHead, match="hop policy"):
        TrainedPolicy.from_json(data)


@given(st.integers(0, len(POLICY.to_json()) - 1), st.binary(max_size=3), st.integers(0, 40))
@settings(max_examples=300)
def test_policy_with_any_few_bytes_changed_is_refused_or_whole(place: int, inserted: bytes, dropped: int) -> None:
    """There is nothing in between."""
    whole = POLICY.to_json()
    try:
        policy = TrainedPolicy.from_json(whole[:place] + inserted + whole[place + dropped :])
    except UnusableHead:
        return
    assert all(isinstance(weight, float) for weight in astuple(policy.policy))
