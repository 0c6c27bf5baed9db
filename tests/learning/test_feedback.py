"""Feedback as a question set: what can still be found is a target, and nothing is encoded that has a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.errors import EncoderMismatch
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder
from ntm_memory_skill.learning import feedback, feedback_set, scenes_of, take_keys
from ntm_memory_skill.model import Feedback
from ntm_memory_skill.model.feedback import How
from ntm_memory_skill.store import MemoryStore
from tests.conftest import EPOCH

TEXTS = ["Anna keeps goats", "the goats are three", "bread rises overnight", "the wifi is behind the mirror"]


class Used:
    """A memory that is asked, told what was of use, and looked at."""

    def __init__(self, encoder: HashedEncoder) -> None:
        self.store = MemoryStore()
        self.memory = NTMMemoryManager(self.store, encoder, Settings(), clock=lambda: EPOCH)
        self.ids = self.memory.memorize_many([{"content": text, "session": "s"} for text in TEXTS], progress=False)

    def told(self, query: str, place: int, how: How, *, minutes: int = 0) -> None:
        """Say that one of the memories was of use for a question."""
        at = EPOCH + timedelta(minutes=minutes)
        given = tuple(self.ids)
        self.store.keep_feedback(Feedback(query=query, ids=given, used=self.ids[place], how=how, at=at))

    def asked(self) -> dict[str, set[str]]:
        """Return the questions of the set, with what answers them."""
        (corpus,) = feedback_set(self.store).corpora
        return {question.text: set(question.evidence) for question in corpus.questions}


class Noting(HashedEncoder):
    """Notes what it makes keys of."""

    def __init__(self) -> None:
        super().__init__(64)
        self.texts: list[str] = []

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
        """Return the keys."""
        self.texts.extend(texts)
        return super().encode_passages(texts, on_progress)


@pytest.fixture
def used(hashed: HashedEncoder) -> Used:
    """A memory of four texts that was not asked yet."""
    return Used(hashed)


def test_what_was_of_use_answers_the_question(used: Used) -> None:
    """In whichever way it showed, but for erasing."""
    used.told("who keeps goats?", 0, "use")
    used.told("how long does bread take?", 2, "update")
    used.told("where is the wifi?", 3, "erase")
    assert used.asked() == {"who keeps goats?": {used.ids[0]}, "how long does bread take?": {used.ids[2]}}


def test_a_question_that_was_asked_again_is_one_question(used: Used) -> None:
    """With all that was of use, and the time at which it was asked last."""
    used.told("goats?", 0, "use")
    used.told("goats?", 0, "use", minutes=1)
    used.told("goats?", 1, "update", minutes=2)
    (question,) = feedback_set(used.store).corpora[0].questions
    assert set(question.evidence) == set(used.ids[:2])
    assert question.asked == EPOCH + timedelta(minutes=2)


def test_an_erased_memory_is_no_target(used: Used) -> None:
    """However it had been of use before; the question goes with the last of its targets."""
    used.told("goats?", 0, "use")
    used.told("goats?", 1, "use")
    used.told("bread?", 2, "use")
    used.memory.erase(used.ids[0], used.ids[2])
    assert used.asked() == {"goats?": {used.ids[1]}}


def test_a_superseded_memory_stands_for_the_one_that_took_its_place(used: Used) -> None:
    """Through any number of them; what is superseded is not among the memories."""
    used.told("where is the wifi?", 3, "supersede")
    second = used.memory.memorize("the wifi is in the drawer", supersedes=used.ids[3]).id
    third = used.memory.memorize("the wifi is on the fridge", supersedes=second).id
    assert used.asked() == {"where is the wifi?": {third}}
    (corpus,) = feedback_set(used.store).corpora
    assert [item["ref"] for item in corpus.items] == [*used.ids[:3], third]
    used.memory.erase(third)
    assert used.asked() == {}


def test_a_memory_is_taken_as_it_is_now(used: Used) -> None:
    """Content, name, chat and time; so the scenes are those of a search."""
    used.memory.update(used.ids[0], "Anna keeps five goats")
    used.memory.memorize("ring twice", key="door", session="t")
    used.told("who keeps goats?", 0, "update")
    (corpus,) = feedback_set(used.store).corpora
    assert [item["content"] for item in corpus.items] == ["Anna keeps five goats", *TEXTS[1:], "ring twice"]
    (scene,) = scenes_of(feedback_set(used.store), RememberingEncoder(HashedEncoder(64)), Settings())
    examined = used.memory.examine("who keeps goats?")
    np.testing.assert_allclose(scene.terms[0], examined.terms, atol=1e-6)
    np.testing.assert_array_equal(scene.sources, examined.sources)
    assert scene.evidence.tolist() == [[True, False, False, False, False]]


def test_a_memory_that_was_never_asked_has_no_questions(hashed: HashedEncoder) -> None:
    """Nor has one that was never written."""
    assert feedback_set(Used(hashed).store).questions == 0
    empty: Dataset = feedback_set(MemoryStore())
    assert empty.questions == 0
    assert scenes_of(empty, hashed, Settings()) == []


def test_of_a_large_memory_the_newest_questions_are_taken(used: Used, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there is room for, by when they were asked last; at least one."""
    for place, query in enumerate(["goats?", "how many?", "bread?", "goats?"]):
        used.told(query, min(place, 2), "use", minutes=place)
    monkeypatch.setattr(feedback, "ROOM", 2 * len(TEXTS))
    assert list(used.asked()) == ["bread?", "goats?"]
    monkeypatch.setattr(feedback, "ROOM", 1)
    assert list(used.asked()) == ["goats?"]


def test_texts_whose_keys_are_kept_are_not_encoded_anew(used: Used) -> None:
    """Only a text without a key is."""
    rows = used.store.key_rows()
    assert len(rows) == 0  # a store in memory keeps what it is given
    encoder = used.memory._live.encoder
    digests = [encoder.identity.digest(text) for text in TEXTS[:3]]
    used.store.supply(type(rows)(digests, encoder.encode_passages(TEXTS[:3])))
    used.told("goats?", 0, "use")
    noting = Noting()
    remembering = RememberingEncoder(noting)
    take_keys(remembering, used.store)
    scenes_of(feedback_set(used.store), remembering, Settings())
    assert noting.texts == TEXTS[3:]
    np.testing.assert_array_equal(remembering.encode_passages(TEXTS), HashedEncoder(64).encode_passages(TEXTS))


def test_keys_of_another_encoder_are_not_taken(used: Used) -> None:
    """A cosine between the two would mean nothing; a memory that was never written has none."""
    other = RememberingEncoder(HashedEncoder(32))
    with pytest.raises(EncoderMismatch):
        take_keys(other, used.store)
    take_keys(other, MemoryStore())
