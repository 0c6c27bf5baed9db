"""Scenes: what a head would be given in each memory of a set, and where the evidence lies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine import STATISTICS, TERMS
from ntm_memory_skill.evaluation import Corpus, Dataset, Question, parse
from ntm_memory_skill.learning import Scene, scenes_of
from ntm_memory_skill.store import MemoryStore

DIARY = [
    {"content": "The kiln was fired twice", "ref": "a", "session": "s", "at": "2026-03-02T10:00:00Z"},
    {"content": "Ines dropped the blue bowl", "ref": "b", "session": "s", "at": "2026-03-02T10:01:00Z"},
    {"content": "The glaze came out green", "ref": "c", "session": "t", "at": "2026-03-09T10:00:00Z"},
]
ASKED = [
    {"question": "Who dropped the bowl?", "gold": ["b"]},
    {"question": "What became of bowl and glaze?", "gold": ["c", "b"]},
]


def dataset(*corpora: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> Dataset:
    """Return a set of memories with their questions."""
    return parse([{"memories": memories, "questions": asked} for memories, asked in corpora], Path("pots.jsonl"))


def with_questions(questions: list[Question]) -> Dataset:
    """Return the diary with questions whose evidence nobody checked."""
    (whole,) = dataset((DIARY, ASKED)).corpora
    return Dataset("pots.jsonl", "x", (Corpus(whole.name, whole.items, tuple(questions), whole.now),))


def only(scenes: list[Scene]) -> Scene:
    """Return the one scene."""
    (scene,) = scenes
    return scene


def test_the_evidence_is_where_the_memories_stand(hashed: HashedEncoder) -> None:
    """In the order of the slots, question by question."""
    scene = only(scenes_of(dataset((DIARY, ASKED)), hashed, Settings()))
    assert scene.evidence.tolist() == [[False, True, False], [False, True, True]]
    assert scene.wanted.tolist() == [1, 2]
    assert scene.kind == "pots.jsonl"


def test_evidence_that_the_memory_lacks_is_wanted_and_nowhere(hashed: HashedEncoder) -> None:
    """A question with nothing at all to find is left out: nothing can be learnt by it."""
    questions = [
        Question("Who dropped it?", frozenset({"b", "lost"}), "x"),
        Question("Who is the mayor?", frozenset({"lost"}), "x"),
        Question("Which glaze?", frozenset({"c"}), "x"),
    ]
    scene = only(scenes_of(with_questions(questions), hashed, Settings()))
    assert scene.evidence.tolist() == [[False, True, False], [False, False, True]]
    assert scene.wanted.tolist() == [2, 1]


def test_a_memory_without_anything_to_find_makes_no_scene(hashed: HashedEncoder) -> None:
    """Others are not in its way."""
    assert scenes_of(with_questions([Question("Who?", frozenset({"lost"}), "x")]), hashed, Settings()) == []
    assert len(scenes_of(dataset((DIARY, []), (DIARY, ASKED)), hashed, Settings())) == 1


def test_a_scene_is_what_the_memory_would_give_its_head(hashed: HashedEncoder) -> None:
    """Question by question, whatever head the memory looks with."""
    whole = dataset((DIARY, ASKED))
    scene = only(scenes_of(whole, hashed, Settings(), kind="pottery"))
    (corpus,) = whole.corpora
    with NTMMemoryManager(MemoryStore(), hashed, Settings(), clock=lambda: corpus.now) as memory:
        memory.memorize_many(corpus.items, progress=False)
        examined = [memory.examine(asked.text) for asked in corpus.questions]
    assert scene.kind == "pottery"
    assert scene.terms.shape == (2, len(TERMS), len(DIARY))
    assert scene.statistics.shape == (2, len(STATISTICS))
    for number, each in enumerate(examined):
        np.testing.assert_array_equal(scene.terms[number], each.terms)
        np.testing.assert_array_equal(scene.weights[number], each.weights)
        np.testing.assert_array_equal(scene.statistics[number], each.statistics)
        np.testing.assert_array_equal(scene.trust[number], each.trust)
        np.testing.assert_array_equal(scene.sources, each.sources)
        np.testing.assert_array_equal(scene.relative_lengths, each.relative_lengths)


def test_a_question_is_asked_when_it_was_asked(hashed: HashedEncoder) -> None:
    """Yesterday is another day then."""
    text, gold = "What happened yesterday?", frozenset({"a"})
    days = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (3, 10)]
    scene = only(scenes_of(with_questions([Question(text, gold, "x", day) for day in days]), hashed, Settings()))
    time = scene.terms[:, TERMS.index("time")]
    assert time[0].argmax() == 0
    assert time[1].argmax() == 2


def test_progress_counts_questions(hashed: HashedEncoder) -> None:
    """Memory by memory, up to all of them."""
    told: list[tuple[int, int]] = []
    whole = dataset((DIARY, ASKED), (DIARY, ASKED[:1]))
    scenes_of(whole, hashed, Settings(), progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_some_questions_of_a_scene_are_a_scene(hashed: HashedEncoder) -> None:
    """Over the same memory."""
    scene = only(scenes_of(dataset((DIARY, ASKED)), hashed, Settings()))
    second = scene.only([1])
    assert len(second) == 1
    np.testing.assert_array_equal(second.terms[0], scene.terms[1])
    np.testing.assert_array_equal(second.evidence[0], scene.evidence[1])
    assert second.sources is scene.sources
