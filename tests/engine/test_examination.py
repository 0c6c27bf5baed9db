"""What a head is given for a question: the terms, the default weights and the statistics that training learns from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, NTMMemoryManager, Record, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine import STATISTICS, TERMS, Examination
from ntm_memory_skill.lexical.tokens import tokenize, words
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import ticking_clock
from tests.engine.heads import random_head
from tests.engine.support import AT_TIMES, FACTS, EnglishReader, TorchEncoder, everything, plant
from tests.ntm.oracle import dot, neighbour_table, relative_lengths

QUESTIONS = (
    "goats, goats: who keeps them in Zurich?",
    "北京的会议",
    "what?",
    "nothing of all that",
    "the goats last week",
)
ENCODER = HashedEncoder(32)


def furnished(encoder: Encoder = ENCODER, **addressing: object) -> NTMMemoryManager:
    """Return a memory of two chats and some notes: questions, figures, a page, a faded and two erased memories."""
    settings = Settings(addressing=AddressingSettings(**addressing))  # type: ignore[arg-type]  # typed by the callers
    memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=ticking_clock(), ids=seeded_ids(6))
    ids = plant(memory, [*FACTS, "Who feeds the goats?", "Room 12, at 9"], session="one")
    ids += plant(memory, ["谁去？", "goats", " ".join(f"word{place}" for place in range(60))], session="two")
    ids += plant(memory, ["No chat: goats", "No chat: 3 tyres"])
    memory.erase(ids[1], strength=0.5)
    memory.erase(ids[3], ids[-1])
    return memory


def admitted(memory: NTMMemoryManager) -> list[Record]:
    """Return the live memories in the order of their slots."""
    return sorted(memory.state.records.values(), key=lambda record: record.slot)


@pytest.mark.parametrize("query", QUESTIONS)
def test_examination_shows_what_the_default_head_was_given(query: str) -> None:
    """Every weight and every term of a search's traces, and scores that are their sums."""
    memory = furnished()
    seen = memory.examine(query)
    for hit in everything(memory, query, hops=1).values():
        shown = {term.name: term for term in hit.trace.terms}
        assert {name: term.weight for name, term in shown.items()} == {
            name: weight
            for name, weight in zip(TERMS, seen.weights.tolist(), strict=True)
            if weight and (name not in AT_TIMES or name in shown)
        }
        values = dict(zip(TERMS, seen.terms[:, hit.record.slot].tolist(), strict=True))
        assert {name: term.value for name, term in shown.items()} == {name: values[name] for name in shown}
        total = float(seen.weights @ seen.terms[:, hit.record.slot])
        assert hit.trace.content_score == pytest.approx(total, abs=1e-5)


def test_examination_has_a_column_a_slot_and_a_row_a_term() -> None:
    """In float32, whichever library the matrix is of; free slots among them."""
    for encoder in (ENCODER, TorchEncoder(32)):
        seen = furnished(encoder).examine(QUESTIONS[0])
        slots = len(FACTS) + 2 + 3 + 2
        shapes = {name: getattr(seen, name).shape for name in Examination.__dataclass_fields__}
        assert shapes == {
            "terms": (len(TERMS), slots),
            "weights": (len(TERMS),),
            "statistics": (len(STATISTICS),),
            "trust": (len(TERMS),),
            "sources": (7, slots),
            "relative_lengths": (7, slots),
        }
        assert seen.sources.dtype == np.int64
        assert {getattr(seen, name).dtype for name in shapes if name != "sources"} == {np.dtype(np.float32)}


def test_both_libraries_are_examined_alike() -> None:
    """A head that is trained on one serves the other."""
    for query in QUESTIONS:
        mine, theirs = (furnished(encoder).examine(query) for encoder in (ENCODER, TorchEncoder(32)))
        for name in Examination.__dataclass_fields__:
            np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), atol=1e-4)


def test_learnt_terms_say_what_stands_in_the_texts() -> None:
    """Memory by memory; by default they weigh nothing."""
    memory = furnished()
    query = QUESTIONS[0]
    seen = memory.examine(query)
    asked = list(dict.fromkeys(tokenize(query)))
    records = admitted(memory)
    logs = [math.log(len(words(tokenize(record.content)))) for record in records]
    idf = rarities(asked, records)
    for record, log in zip(records, logs, strict=True):
        column = dict(zip(TERMS, seen.terms[:, record.slot].tolist(), strict=True))
        held = sum(idf[term] for term in asked if term in tokenize(record.content))
        assert column["coverage"] == pytest.approx(held / sum(idf.values()), abs=1e-5)
        for name in ("meaning", "words"):
            assert column[f"strong_{name}"] == pytest.approx(max(0.0, column[name] - 1.5), abs=1e-6)
        assert column["length"] == pytest.approx(log - float(np.median(logs)), abs=1e-5)
        assert column["question"] == record.content.endswith(("?", "？"))
        assert column["digits"] == any(letter.isdigit() for letter in record.content)
    weights = dict(zip(TERMS, seen.weights.tolist(), strict=True))
    learnt = ("coverage", "strong_meaning", "strong_words", "length", "question", "digits")
    assert [weights[name] for name in learnt] == [0] * 6
    assert max(seen.terms[TERMS.index("strong_words")]) > 0


def rarities(terms: Sequence[str], records: Sequence[Record]) -> dict[str, float]:
    """Return each term's idf among memories (Robertson & Zaragoza 2009, eq. 3.15)."""
    count = len(records)
    holders = Counter(term for record in records for term in set(tokenize(record.content)))
    return {term: math.log(1 + (count - holders[term] + 0.5) / (holders[term] + 0.5)) for term in terms}


@pytest.mark.parametrize("query", QUESTIONS)
def test_statistics_of_a_question_are_what_its_scores_say(query: str) -> None:
    """Leads, the tenth, the agreement of both rankings: by sorting; only memories that may be seen count."""
    memory = furnished()
    seen = memory.examine(query)
    told = dict(zip(STATISTICS, seen.statistics.tolist(), strict=True))
    records = admitted(memory)
    asked = list(dict.fromkeys(tokenize(query)))
    idf = rarities(asked, records)
    rare = [idf[term] / math.log(len(records) + 1) for term in asked]
    ranked = {}
    for name in ("meaning", "words"):
        row = {record.slot: float(seen.terms[TERMS.index(name), record.slot]) for record in records}
        ranked[name] = sorted(row, key=lambda slot: (-row[slot], slot))
        assert told[f"lead_of_{name}"] == pytest.approx(row[ranked[name][0]])
        assert told[f"tenth_by_{name}"] == pytest.approx(row[ranked[name][9]])
    agreed = set(ranked["meaning"][:10]) & set(ranked["words"][:10])
    assert told["agreement"] == pytest.approx(len(agreed) / 10)
    assert told["unknown"] == 0
    assert told["terms"] == pytest.approx(math.log(1 + len(asked)))
    assert told["mean_rarity"] == pytest.approx(sum(rare) / len(rare), rel=1e-5)
    assert told["greatest_rarity"] == pytest.approx(max(rare), rel=1e-5)
    assert told["share_of_words"] == pytest.approx(float(seen.weights[TERMS.index("words")]))
    assert told["times"] == ("last week" in query)


def test_statistics_of_a_memory_are_what_its_texts_say() -> None:
    """Lengths, neighbours, questions: counted one by one, whatever is asked."""
    memory = furnished()
    records = admitted(memory)
    keys = dict(
        zip([r.slot for r in records], ENCODER.encode_passages([r.content for r in records]).tolist(), strict=True)
    )
    logs = {record.slot: math.log(len(words(tokenize(record.content)))) for record in records}
    tapes = [[record.slot for record in records if record.session == name] for name in ("one", "two")]
    pairs = [pair for tape in tapes for pair in pairwise(tape)]
    mean = sum(logs.values()) / len(logs)
    strangers = sum(dot(one, other) for one in keys.values() for other in keys.values()) / len(keys) ** 2
    neighbours = sum(dot(keys[one], keys[other]) for one, other in pairs) / len(pairs)
    expected = {
        "size": math.log(len(records)),
        "mean_length": mean,
        "spread_of_lengths": math.sqrt(sum((log - mean) ** 2 for log in logs.values()) / len(logs)),
        "share_on_tapes": len(pairs) / len(records),
        "likeness_of_neighbours": neighbours - strangers,
        "likeness_of_strangers": strangers,
        "share_of_questions": 2 / len(records),
        "contrast_of_neighbours": sum(abs(logs[one] - logs[other]) for one, other in pairs) / len(pairs),
    }
    for query in QUESTIONS[:2]:
        told = dict(zip(STATISTICS, memory.examine(query).statistics.tolist(), strict=True))
        assert {name: told[name] for name in expected} == pytest.approx(expected, abs=1e-4)


def test_memories_that_may_not_be_seen_are_in_no_ranking() -> None:
    """With four of them admitted there is no tenth: the last stands for it."""
    memory = furnished()
    memory.memorize_many([{"content": fact, "tags": ["few"]} for fact in FACTS[:4]])
    seen = memory.examine(QUESTIONS[0], tags=["few"])
    told = dict(zip(STATISTICS, seen.statistics.tolist(), strict=True))
    few = [record.slot for record in admitted(memory) if record.tags]
    others = [record.slot for record in admitted(memory) if not record.tags]
    for name in ("meaning", "words"):
        row = seen.terms[TERMS.index(name)]
        assert told[f"tenth_by_{name}"] == pytest.approx(float(row[few].min()))
        assert row[few].mean() == pytest.approx(0, abs=1e-5)
        assert not row[others].any()
    assert told["agreement"] == pytest.approx(4 / 10)


def test_tables_of_the_shift_are_those_of_the_chats() -> None:
    """Who stands where, and how lengths compare; each text counts as ten words at least."""
    memory = furnished()
    seen = memory.examine(QUESTIONS[0])
    slots = seen.terms.shape[1]
    records = {record.slot: record for record in admitted(memory)}
    tapes = [[slot for slot, record in records.items() if record.session == name] for name in ("one", "two")]
    np.testing.assert_array_equal(seen.sources, neighbour_table(tapes, slots, 3))
    lengths = [max(10, len(words(tokenize(records[slot].content)))) if slot in records else 10 for slot in range(slots)]
    np.testing.assert_allclose(seen.relative_lengths, relative_lengths(lengths, tapes, 3), atol=1e-6)


@pytest.mark.parametrize(("query", "unknown"), [("goats", 0.0), ("散23456789", (1 / 9) / 0.25), ("北京的会议", 1.0)])
def test_terms_of_the_encoder_are_trusted_as_far_as_it_reads_the_question(query: str, unknown: float) -> None:
    """The others always."""
    seen = furnished(EnglishReader(32)).examine(query)
    by_encoder = {"meaning", "commonness", "brevity", "context", "strong_meaning"}
    expected = [1 - unknown if name in by_encoder else 1 for name in TERMS]
    assert seen.trust.tolist() == pytest.approx(expected, abs=1e-6)
    assert seen.statistics[STATISTICS.index("unknown")] == pytest.approx(unknown, abs=1e-6)


def test_term_that_weighs_nothing_by_default_is_examined_all_the_same() -> None:
    """A head may learn that it matters."""
    mine, theirs = furnished().examine(QUESTIONS[0]), furnished(commonness=0.0, brevity=0.0).examine(QUESTIONS[0])
    np.testing.assert_array_equal(mine.terms, theirs.terms)
    assert mine.terms[TERMS.index("commonness")].any()
    assert theirs.weights[TERMS.index("commonness")] == theirs.weights[TERMS.index("brevity")] == 0


def test_trained_head_does_not_change_what_is_examined() -> None:
    """Training begins from the default one every time."""
    memory = furnished()
    before = memory.examine(QUESTIONS[0])
    memory.use_head(random_head(heads=3))
    after = memory.examine(QUESTIONS[0])
    for name in Examination.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_examining_leaves_no_trace(memory: NTMMemoryManager) -> None:
    """No memory counts as given."""
    ids = plant(memory)
    memory.examine("goats")
    memory.memorize("one more")
    assert [memory.get(ident).accesses for ident in ids] == [0] * len(ids)


def test_there_is_nothing_to_examine_where_nothing_may_be_seen(memory: NTMMemoryManager) -> None:
    """An empty memory, or filters that leave nothing."""
    with pytest.raises(LookupError):
        memory.examine("goats")
    plant(memory)
    with pytest.raises(LookupError):
        memory.examine("goats", tags=["no such"])
