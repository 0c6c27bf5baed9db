"""The encoder that remembers: each text is encoded once, and all of a set can be encoded ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder, parse
from tests.engine.support import CountingEncoder

SET = {
    "memories": [
        {"content": "Rent is 890.", "ref": "a"},
        {"content": "ring twice", "key": "door", "ref": "b"},
        {"content": "Rent is 890.", "ref": "c"},
    ],
    "questions": [{"question": "The rent?", "gold": ["a"]}, {"question": "The door?", "gold": ["b"]}],
}


class Asked(CountingEncoder):
    """Notes the questions, too."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def encode_query(self, text: str) -> np.ndarray:
        """Return the key, and remember the question."""
        self.questions.append(text)
        key: np.ndarray = HashedEncoder.encode_query(self, text)
        return key


@pytest.fixture
def dataset() -> Dataset:
    """Three memories, two of them alike, and two questions."""
    return parse(SET, Path("x.json"))


def test_all_of_a_set_is_encoded_ahead_and_once(dataset: Dataset) -> None:
    """A memory with its name before it, as it will be found by; nothing is left to encode afterwards."""
    inner = Asked()
    encoder = RememberingEncoder(inner)
    told: list[tuple[int, int]] = []
    encoder.encode_all(dataset, lambda done, total: told.append((done, total)))
    assert inner.encoded == ["Rent is 890.", "door: ring twice"]
    asked = list(inner.questions)
    encoder.encode_all(dataset)
    encoder.encode_passages(["door: ring twice"])
    encoder.encode_query("The rent?")
    assert len(inner.encoded) == 2
    assert inner.questions == asked
    assert told == sorted(told)
    assert told[-1] == (5, 5)


def test_keys_that_are_known_are_taken(dataset: Dataset) -> None:
    """Whatever the inner encoder would have made."""
    inner = Asked()
    encoder = RememberingEncoder(inner)
    key = np.zeros((1, 64), np.float32)
    key[0, 3] = 1
    encoder.take(["Rent is 890."], key)
    np.testing.assert_array_equal(encoder.encode_passages(["Rent is 890."]), key)
    assert inner.encoded == []
