"""Stories as index tensors: what was told, what is asked about it and the answer, all in words of one vocabulary.

The law: a text is the same row wherever it occurs, and memories stand latest first, so that a memory's place is its
age. A word that the vocabulary lacks is UNKNOWN; an answer that it lacks is NO_ANSWER, which no network gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ntm_memory_skill.errors import InvalidArgument

EMPTY = 0
"""Index of no word: what fills a text up to the length of the longest."""
UNKNOWN = 1
"""Index of every word that the vocabulary lacks."""
NO_ANSWER = -1
"""Instead of the index of an answer that the vocabulary lacks; a question with it is answered wrong."""

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What was told, in order, and one question about it.

    Raises InvalidArgument where a text has no words, where there is no memory, or where values do not match keys.
    """

    sentences: tuple[Words, ...]
    """The memories' texts, the oldest first; of a key-value memory the keys, such as who, what and when."""
    question: Words
    answer: str
    """One word of the vocabulary, however it is written: "kitchen", or "n,e" for two steps."""
    values: tuple[Words, ...] | None = None
    """Of a key-value memory what each key leads to; None where keys are read themselves."""

    def __post_init__(self) -> None:
        wrong = []
        if not self.sentences:
            wrong.append("a story has at least one sentence")
        if not all(self.sentences) or not all(self.values or ()):
            wrong.append("a sentence has at least one word")
        if not self.question:
            wrong.append("a question has at least one word")
        if not self.answer:
            wrong.append("an answer is not empty")
        if self.values is not None and len(self.values) != len(self.sentences):
            wrong.append(f"{len(self.sentences)} keys have as many values, not {len(self.values)}")
        if wrong:
            raise InvalidArgument("; ".join(wrong), hint="Leave out stories that say or ask nothing.")


class Vocabulary:
    """The words that a network knows, by index; EMPTY and UNKNOWN come first.

    Args:
        words: Each once, in the order of their indices, without the two marks.

    Raises:
        InvalidArgument: There is no word, or one occurs twice.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._index = {word: number for number, word in enumerate(self.words, UNKNOWN + 1)}
        if not words or len(self._index) != len(self.words):
            raise InvalidArgument("a vocabulary has at least one word, and each word once")

    @classmethod
    def of(cls, stories: Iterable[Story]) -> Vocabulary:
        """Return all words and answers of these stories, in order of the alphabet."""
        found: set[str] = set()
        for story in stories:
            found.update(story.question, (story.answer,), *story.sentences, *(story.values or ()))
        return cls(sorted(found))

    def __len__(self) -> int:
        """Return V, the two marks included."""
        return len(self.words) + UNKNOWN + 1

    def indices(self, words: Words) -> list[int]:
        """Return each word's index, UNKNOWN where there is none."""
        return [self._index.get(word, UNKNOWN) for word in words]

    def answer(self, word: str) -> int:
        """Return the index of an answer, NO_ANSWER where there is none."""
        return self._index.get(word, NO_ANSWER)

    def word(self, index: int) -> str:
        """Return the word at an index; the two marks are the empty text."""
        return self.words[index - UNKNOWN - 1] if index > UNKNOWN else ""


class Batch(NamedTuple):
    """B questions, each over at most N memories. Texts have at most J words."""

    texts: Int[Tensor, "t j"]
    """The distinct texts of all memories, words by index, EMPTY after the last. Row 0 is a text without words."""
    keys: Int[Tensor, "b n"]
    """Rows of `texts`, the latest memory first; 0 where there is none."""
    values: Int[Tensor, "b n"]
    """The same for what is read there; equal to `keys` where stories have no values."""
    present: Bool[Tensor, "b n"]
    """Whether there is a memory."""
    questions: Int[Tensor, "b q"]
    """Words by index, EMPTY after the last."""
    answers: Int[Tensor, "b"]
    """Index of the right answer, or NO_ANSWER."""


class Questions:
    """Many stories as tensors, from which batches are taken.

    Args:
        stories: At least one.
        vocabulary: Of the words.
        capacity: Memories that a question may look at, the latest ones, 1 and up.

    Raises:
        InvalidArgument: There is no story, or no room for a memory.
    """

    def __init__(self, stories: Sequence[Story], vocabulary: Vocabulary, capacity: int) -> None:
        if not stories or capacity < 1:
            raise InvalidArgument("questions take at least one story, and room for at least one memory")
        rows: dict[Words, int] = {(): 0}
        keys = [_latest(story.sentences, capacity, rows) for story in stories]
        values = [_latest(story.values or story.sentences, capacity, rows) for story in stories]
        self.words = len(vocabulary)
        self.texts = _table([vocabulary.indices(words) for words in rows])
        self.lengths = torch.tensor([len(each) for each in keys])
        self.keys, self.values = _table(keys), _table(values)
        self.questions = _table([vocabulary.indices(story.question) for story in stories])
        self.answers = torch.tensor([vocabulary.answer(story.answer) for story in stories])

    def __len__(self) -> int:
        """Return how many questions there are."""
        return len(self.answers)

    def batch(self, chosen: Int[Tensor, "b"]) -> Batch:
        """Return the questions with these numbers, with no more places and words than they need."""
        lengths = self.lengths[chosen]
        longest = int(lengths.max())
        keys, values = self.keys[chosen, :longest], self.values[chosen, :longest]
        first = torch.zeros(1, dtype=torch.long)
        used, places = torch.unique(torch.cat([first, keys.flatten(), values.flatten()]), return_inverse=True)
        placed_keys, placed_values = places[1:].view(2, *keys.shape)
        present = torch.arange(longest) < lengths[:, None]
        questions = _trimmed(self.questions[chosen])
        return Batch(_trimmed(self.texts[used]), placed_keys, placed_values, present, questions, self.answers[chosen])


def with_empty_memories(batch: Batch, share: float, capacity: int, rng: torch.Generator) -> Batch:
    """Return the questions with empty memories put in at random, so that ages are spread (Sukhbaatar 2015, 4.1).

    Args:
        batch: The questions.
        share: Chance that an empty memory is put before one, 0 to 1.
        capacity: Memories that a question may look at; what is older is left out.
        rng: The random numbers.
    """
    before = (torch.rand(batch.keys.shape, generator=rng) < share) & batch.present
    ages = torch.arange(batch.keys.shape[1]) + before.cumsum(dim=1)
    counts = (ages * batch.present).amax(dim=1) + 1
    longest = int(counts.max())  # those without a memory go to a last column, which is cut off
    ages = ages.masked_fill(~batch.present, longest)
    keys, values = (
        rows.new_zeros(len(rows), longest + 1).scatter(1, ages, rows)[:, : min(longest, capacity)]
        for rows in (batch.keys, batch.values)
    )
    present = torch.arange(keys.shape[1]) < counts[:, None]
    return batch._replace(keys=keys, values=values, present=present)


def _latest(texts: tuple[Words, ...], capacity: int, rows: dict[Words, int]) -> list[int]:
    """Return the rows of the latest texts, the latest first, and give each text that has none a row."""
    return [rows.setdefault(words, len(rows)) for words in texts[: -capacity - 1 : -1]]


def _table(rows: list[list[int]]) -> Int[Tensor, "rows longest"]:
    """Return rows of differing lengths as one tensor, filled up with 0."""
    table = torch.zeros(len(rows), max(1, *map(len, rows)), dtype=torch.long)
    for number, row in enumerate(rows):
        table[number, : len(row)] = torch.tensor(row, dtype=torch.long)
    return table


def _trimmed(texts: Int[Tensor, "rows longest"]) -> Int[Tensor, "rows shorter"]:
    """Return texts without the columns in which none has a word; at least one column stays."""
    return texts[:, : max(1, int((texts != EMPTY).sum(dim=1).max()))]
