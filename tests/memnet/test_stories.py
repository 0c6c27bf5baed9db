"""Stories as tensors: words by index, the latest memory first, empty memories put in between."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.memnet.stories import (
    EMPTY,
    NO_ANSWER,
    UNKNOWN,
    Batch,
    Questions,
    Story,
    Vocabulary,
    with_empty_memories,
)

TOLD = (("mary", "went", "home"), ("john", "slept"), ("mary", "left"))
STORY = Story(TOLD, ("where", "is", "mary"), "home")
SHORT = Story((("john", "slept"),), ("who", "slept"), "john")
VOCABULARY = Vocabulary.of([STORY, SHORT])


def told(batch: Batch, question: int) -> list[tuple[str, ...]]:
    """Return the memories of a question in words, empty ones too, the latest first."""
    rows = batch.keys[question][batch.present[question]]
    return [tuple(VOCABULARY.word(index) for index in text if index != EMPTY) for text in batch.texts[rows].tolist()]


class TestStory:
    """What a story is."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"sentences": ()},
            {"sentences": (("mary",), ())},
            {"question": ()},
            {"answer": ""},
            {"values": (("home",),)},
            {"values": (("home",), (), ("away",))},
        ],
    )
    def test_a_story_that_says_or_asks_nothing_is_refused(self, wrong: dict[str, Any]) -> None:
        """Whichever part is empty, or does not match the others."""
        with pytest.raises(InvalidArgument):
            Story(**{"sentences": TOLD, "question": ("where",), "answer": "home", **wrong})

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        """Three faults are three parts of one message."""
        with pytest.raises(InvalidArgument) as caught:
            Story((), (), "")
        assert len(caught.value.message.split("; ")) == 3


class TestVocabulary:
    """Words and their indices."""

    def test_every_word_has_its_own_index_after_the_marks(self) -> None:
        """Those of sentences, questions, answers and values alike."""
        story = Story((("key",),), ("asked",), "answered", (("value",),))
        vocabulary = Vocabulary.of([story])
        indices = vocabulary.indices(("answered", "asked", "key", "value"))
        assert sorted(indices) == list(range(UNKNOWN + 1, len(vocabulary)))
        assert [vocabulary.word(index) for index in indices] == ["answered", "asked", "key", "value"]

    def test_a_word_never_seen_is_unknown(self) -> None:
        """And an answer never seen is none, so that no network gives it."""
        assert VOCABULARY.indices(("mary", "sang"))[1] == UNKNOWN
        assert VOCABULARY.answer("sang") == NO_ANSWER
        assert VOCABULARY.answer("home") == VOCABULARY.indices(("home",))[0]

    def test_the_marks_have_no_word(self) -> None:
        """Neither no word nor an unknown one."""
        assert VOCABULARY.word(EMPTY) == VOCABULARY.word(UNKNOWN) == ""

    @pytest.mark.parametrize("words", [[], ["a", "b", "a"]])
    def test_no_words_or_one_twice_is_refused(self, words: list[str]) -> None:
        """An index is one word's."""
        with pytest.raises(InvalidArgument):
            Vocabulary(words)


class TestQuestions:
    """Stories as tensors."""

    def test_memories_stand_latest_first(self) -> None:
        """Each as its own words, without those of others, and no more than there are."""
        batch = Questions([STORY, SHORT], VOCABULARY, 50).batch(torch.tensor([1, 0]))
        assert told(batch, 0) == [("john", "slept")]
        assert told(batch, 1) == list(reversed(TOLD))
        assert batch.questions[1].tolist() == VOCABULARY.indices(STORY.question)
        assert batch.answers.tolist() == [VOCABULARY.answer("john"), VOCABULARY.answer("home")]
        assert torch.equal(batch.keys, batch.values)

    def test_only_the_latest_memories_are_kept(self) -> None:
        """As many as the capacity."""
        batch = Questions([STORY], VOCABULARY, 2).batch(torch.tensor([0]))
        assert told(batch, 0) == [("mary", "left"), ("john", "slept")]

    def test_the_same_text_is_one_row(self) -> None:
        """In whichever story; the first row is the text without words."""
        batch = Questions([STORY, SHORT], VOCABULARY, 50).batch(torch.tensor([0, 1]))
        assert len(batch.texts) == 1 + len(TOLD)
        assert (batch.texts[0] == EMPTY).all()

    def test_a_batch_is_no_longer_than_it_needs(self) -> None:
        """One memory of two words, and a question of two."""
        batch = Questions([STORY, SHORT], VOCABULARY, 50).batch(torch.tensor([1]))
        assert (batch.keys.shape, batch.texts.shape, batch.questions.shape) == ((1, 1), (2, 2), (1, 2))

    def test_values_are_other_texts_than_keys(self) -> None:
        """In the same order."""
        story = Story((("john", "slept"), ("mary", "left")), ("who",), "john", (("home",), ("where",)))
        batch = Questions([story], VOCABULARY, 50).batch(torch.tensor([0]))
        values = [[VOCABULARY.word(index) for index in text if index] for text in batch.texts[batch.values[0]].tolist()]
        assert values == [["where"], ["home"]]
        assert told(batch, 0) == [("mary", "left"), ("john", "slept")]

    @pytest.mark.parametrize(("stories", "capacity"), [([], 50), ([STORY], 0)])
    def test_nothing_to_ask_or_no_room_is_refused(self, stories: list[Story], capacity: int) -> None:
        """At least one of each."""
        with pytest.raises(InvalidArgument):
            Questions(stories, VOCABULARY, capacity)


class TestEmptyMemories:
    """Empty memories among those that there are."""

    @staticmethod
    def spread(share: float, capacity: int = 50, seed: int = 0) -> Batch:
        """Return both stories with empty memories put in."""
        batch = Questions([STORY, SHORT], VOCABULARY, 50).batch(torch.tensor([0, 1]))
        return with_empty_memories(batch, share, capacity, torch.Generator().manual_seed(seed))

    def test_a_share_of_none_changes_nothing(self) -> None:
        """Not even the shapes."""
        batch = Questions([STORY, SHORT], VOCABULARY, 50).batch(torch.tensor([0, 1]))
        for before, after in zip(batch, self.spread(0), strict=True):
            assert torch.equal(before, after)

    def test_a_share_of_all_puts_one_before_each(self) -> None:
        """The latest memory is then the second youngest."""
        assert told(self.spread(1), 1) == [(), ("john", "slept")]
        assert told(self.spread(1), 0) == [(), TOLD[2], (), TOLD[1], (), TOLD[0]]

    def test_what_is_older_than_the_capacity_goes(self) -> None:
        """The latest stay."""
        assert told(self.spread(1, capacity=3), 0) == [(), TOLD[2], ()]

    @pytest.mark.parametrize("seed", range(5))
    def test_the_order_stays(self, seed: int) -> None:
        """Without the empty ones, all memories are there as before."""
        assert [text for text in told(self.spread(0.5, seed=seed), 0) if text] == list(reversed(TOLD))

    def test_about_the_asked_for_share_is_put_in(self) -> None:
        """A tenth of 20,000 memories, within five standard deviations."""
        batch = Questions([Story(TOLD[:1] * 100, ("who",), "mary")], VOCABULARY, 100).batch(torch.zeros(200).long())
        spread = with_empty_memories(batch, 0.1, 1000, torch.Generator().manual_seed(0))
        assert abs(int(spread.present.sum()) - 22_000) < 5 * (20_000 * 0.1 * 0.9) ** 0.5

    def test_seeds_repeat(self) -> None:
        """And another seed gives other places."""
        first, again = self.spread(0.5, seed=1), self.spread(0.5, seed=1)
        assert torch.equal(first.keys, again.keys)
        assert any(not torch.equal(first.present, self.spread(0.5, seed=seed).present) for seed in range(2, 8))
