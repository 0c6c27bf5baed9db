"""Running a set: every question once a row, in order, at its own time, over memories that nobody else sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.errors import InvalidContent
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder, measure, parse, read, rows_for, sample
from ntm_memory_skill.evaluation.rows import COSINE, Filled, Search
from tests.evaluation import sets


class CountingEncoder(HashedEncoder):
    """Counts what it is asked to encode."""

    def __init__(self) -> None:
        super().__init__()
        self.passages: list[str] = []
        self.queries: list[str] = []

    def encode_passages(self, texts, on_progress=None):  # type: ignore[no-untyped-def]  # the parent's signature
        """Note the texts."""
        self.passages.extend(texts)
        return super().encode_passages(texts, on_progress)

    def encode_query(self, text):  # type: ignore[no-untyped-def]  # the parent's signature
        """Note the question."""
        self.queries.append(text)
        return super().encode_query(text)


@dataclass
class Watching:
    """A row that finds nothing, and notes what it is asked, when, and in how large a memory."""

    name: str = "watching"
    about: str = "finds nothing"
    asked: list[tuple[str, int, datetime, int]] = field(default_factory=list)

    @contextmanager
    def open(self, filled: Filled) -> Iterator[Search]:
        """Give the search for a block."""

        def search(text: str, depth: int) -> Sequence[str]:
            self.asked.append((text, depth, filled.clock(), len(filled.store.state.records)))
            return []

        yield search


@pytest.fixture
def encoder() -> RememberingEncoder:
    """An encoder without a model."""
    return RememberingEncoder(HashedEncoder())


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two people's messages."""
    return read(sets.WRITERS["MemDaily"](tmp_path))


def test_every_row_answers_every_question_in_order(tmp_path: Path, encoder: RememberingEncoder) -> None:
    """As the product's search over that memory alone does."""
    dataset = read(sets.WRITERS["LoCoMo"](tmp_path))
    rows = list(rows_for(Settings()).values())
    measured = measure(dataset, rows, encoder, 3, progress=False)
    assert [each.text for each in measured.questions] == ["What is broken?", "What did they see?", "How are things?"]
    assert list(measured.answers) == [row.name for row in rows]
    for given in (*measured.answers.values(), measured.encoding):
        assert len(given) == 3
    for name in ("cosine", "default"):
        first, second, third = (each.ranking for each in measured.answers[name])
        assert set(first) == set(second) == {"D1:1", "D2:1", "D2:2"}
        assert third == ("D1:1",)
    assert all(given.seconds > 0 for given in measured.answers["default"])


def test_questions_are_asked_at_their_own_time_or_just_after_the_memories(
    dataset: Dataset, encoder: RememberingEncoder
) -> None:
    """Each in the memory of its person, and nobody else's."""
    row = Watching()
    untimed = replace(dataset.corpora[1], questions=tuple(replace(q, asked=None) for q in dataset.corpora[1].questions))
    measure(replace(dataset, corpora=(dataset.corpora[0], untimed)), [row], encoder, 7, progress=False)
    (first,) = dataset.corpora[0].questions
    (second,) = untimed.questions
    assert row.asked == [(first.text, 7, first.asked, 3), (second.text, 7, untimed.now, 1)]


def test_memories_without_a_time_are_written_when_the_set_says() -> None:
    """Not today: what is measured does not depend on the day on which it is."""
    dataset = parse(sets.squad(), Path("squad"))
    seen: list[datetime] = []

    class Looking(Watching):
        """Looks at the memories' times."""

        @contextmanager
        def open(self, filled: Filled) -> Iterator[Search]:
            """Look."""
            seen.extend(record.at for record in filled.store.state.records.values())
            yield lambda text, depth: []

    measure(dataset, [Looking()], RememberingEncoder(HashedEncoder()), 1, progress=False)
    assert set(seen) == {dataset.corpora[0].now}


def test_each_text_is_encoded_once_for_all_rows(dataset: Dataset) -> None:
    """Rows share their keys, and so do sets that are measured one after another."""
    counting = CountingEncoder()
    encoder = RememberingEncoder(counting)
    for _ in range(2):
        measure(dataset, list(rows_for(Settings()).values()), encoder, 5, progress=False)
    texts = [item["content"] for corpus in dataset.corpora for item in corpus.items]
    assert sorted(counting.passages) == sorted(set(texts))
    assert len(counting.queries) == len(set(counting.queries))


def test_progress_rises_to_the_whole(dataset: Dataset, encoder: RememberingEncoder) -> None:
    """Never above it, also where a text was known already."""
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        seen.clear()
        measure(dataset, [COSINE, Watching()], encoder, 5, progress=lambda done, total: seen.append((done, total)))
        (total,) = {total for _, total in seen}
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert seen[-1] == (total, total)


def test_a_memory_that_the_product_refuses_is_refused(encoder: RememberingEncoder) -> None:
    """By its number."""
    data = sets.squad()
    dataset = parse(data, Path("squad"))
    blank = ({**dataset.corpora[0].items[0], "content": " "}, *dataset.corpora[0].items[1:])
    with pytest.raises(InvalidContent, match="item 0"):
        measure(replace(dataset, corpora=(replace(dataset.corpora[0], items=blank),)), [], encoder, 1, progress=False)


def test_long_and_many_memories_are_taken(encoder: RememberingEncoder) -> None:
    """A set may hold longer texts than a memory does by default, and is no reason to raise its limits."""
    text = "word " * 10_000
    assert len(text) > Settings().content_limit
    dataset = parse({"data": [{"paragraphs": [{"context": text, "qas": [{"question": "word?"}]}]}]}, Path("long"))
    measured = measure(dataset, [COSINE], encoder, 1, progress=False)
    assert measured.answers["cosine"][0].ranking == ("p0",)


class TestSample:
    """Some of the questions."""

    @pytest.fixture
    def large(self) -> Dataset:
        """Five memories with twenty questions each."""
        asked = [{"question": f"{number}?", "gold": ["a"]} for number in range(20)]
        return parse([{"memories": [{"content": "x", "ref": "a"}], "questions": asked}] * 5, Path("large"))

    def test_as_many_as_asked_for_are_drawn_from_all(self, large: Dataset) -> None:
        """In their order, each once."""
        some = sample(large, 30, 1)
        assert some.questions == 30
        for corpus in some.corpora:
            numbers = [int(each.text[:-1]) for each in corpus.questions]
            assert numbers == sorted(set(numbers))
        assert len(some.corpora) == 5

    def test_the_same_seed_draws_the_same_and_another_another(self, large: Dataset) -> None:
        """So that figures can be printed again."""
        assert sample(large, 30, 1) == sample(large, 30, 1) != sample(large, 30, 2)

    def test_memories_without_a_question_are_left_out(self, large: Dataset) -> None:
        """Nobody waits for them to be stored."""
        assert len(sample(large, 1, 0).corpora) == 1

    @pytest.mark.parametrize("limit", [None, 100, 1_000])
    def test_all_are_kept_where_there_are_not_more(self, limit: int | None, large: Dataset) -> None:
        """Also without a limit."""
        assert sample(large, limit, 0) == large


def test_remembering_gives_what_the_encoder_gives(hashed: HashedEncoder) -> None:
    """In the order that was asked for, repeats included, and nothing for nothing."""
    encoder = RememberingEncoder(hashed)
    texts = ["b", "a", "b", "c"]
    for _ in range(2):
        assert encoder.encode_passages(texts).tolist() == hashed.encode_passages(texts).tolist()
        assert encoder.encode_query("a").tolist() == hashed.encode_query("a").tolist()
        assert encoder.unknown_share("a") == hashed.unknown_share("a")
    assert encoder.encode_passages([]).shape == (0, hashed.identity.dimension)
    with NTMMemoryManager.open("nowhere", encoder=encoder) as memory:
        assert memory.encoder is None
