"""What memories are called and who tells them, against a loop over what each slot holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.engine.labels import Labels, plain
from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.model import Query, Record
from tests.conftest import EPOCH

SLOTS = range(6)


def record(content: str = "goats", *, key: str | None = None, source: str | None = None) -> Record:
    """Return a memory; its slot and id do not matter to labels."""
    return Record(id="m1", slot=0, ordinal=0, content=content, created=EPOCH, at=EPOCH, key=key, source=source)


def labelled(*records: Record) -> Labels:
    """Return the labels of some memories, in the slots 0, 1, 2, ..."""
    labels = Labels()
    for slot, each in enumerate(records):
        labels.note(slot, each)
    return labels


def told(labels: Labels, question: str) -> list[int]:
    """Return the slots that are told by whom a question names, ascending."""
    return sorted(labels.told_by(frozenset(tokenize(question))))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("Golden Fig", "golden fig"),
        ("Golden Fig (restaurant)", "golden fig"),
        ("  GOLDEN FIG  ( a restaurant ) ", "golden fig"),
        ("金月楼（餐厅）", "金月楼"),
        ("Straße", "strasse"),
        ("f(x) = 2", "f(x) = 2"),
    ],
)
def test_name_is_compared_without_case_and_without_what_stands_in_brackets_behind_it(key: str, name: str) -> None:
    """Only at the end; so a memory is found by either form."""
    assert plain(key) == name
    labels = labelled(record(), record(key=key))
    for asked in (key, name, name.upper(), f"{name} (of any kind)"):
        assert labels.called(asked) == {1}


def test_several_memories_may_have_one_name() -> None:
    """A page and its parts, say; a part of a name is another name."""
    labels = labelled(record(key="Fig (tree)"), record(key="Heron"), record(key="fig (bar)"), record())
    assert labels.called("FIG") == {0, 2}
    assert labels.called("heron") == {1}
    assert labels.called("Golden Fig") == labels.called("fi") == labels.called("") == frozenset()


@pytest.mark.parametrize(
    ("content", "source", "asked", "others"),
    [
        ("Ann: I read Emma", None, "What books has Ann read?", "What books has Anna read?"),
        ("I read Emma", "Ann", "what has ann read", "what has Bob read"),
        ("Ann Lee: I read Emma", None, "what has Lee, Ann read", "what has Ann read"),
        ("安娜：我读了红楼梦", None, "安娜读过哪些书？", "安读过哪些书？"),
        ("我读了红楼梦", "安娜", "哪些书是安娜读过的？", "哪些书是娜安读过的？"),
        ("user: I read Emma", None, "what did the user read", "what did the assistant read"),
    ],
    ids=["English", "source", "two words", "Chinese", "Chinese source", "role"],
)
def test_teller_is_who_speaks_and_is_found_by_the_whole_name(
    content: str, source: str | None, asked: str, others: str
) -> None:
    """From "Ann: ...", else from the source; half of a name, or a longer one, is somebody else."""
    labels = labelled(record("Bob or the others say nothing"), record(content, source=source))
    assert told(labels, asked) == [1]
    assert told(labels, others) == []


def test_who_speaks_goes_before_the_source() -> None:
    """The file of a chat is not its speaker."""
    labels = labelled(record("Ann: I read Emma", source="chat"), record("Note: Emma is long", source="chat"))
    assert told(labels, "Ann") == [0]
    assert told(labels, "the chat") == [1]


def test_memory_that_nobody_tells_is_told_by_nobody() -> None:
    """Also where the question has no terms, and where the source has none."""
    labels = labelled(record(), record(source="???"))
    for question in ("Ann", "goats", "", "???"):
        assert told(labels, question) == []


def test_all_tellers_that_a_question_names_count() -> None:
    """Ann's memories and Bob's, each slot once."""
    labels = labelled(record("Ann: yes"), record("Bob: no"), record("Cem: perhaps"), record("Ann: no"))
    assert told(labels, "What do Ann and Bob say?") == [0, 1, 3]


def test_what_takes_a_slot_takes_the_labels_too() -> None:
    """The memory that stood there is called and told no more."""
    labels = labelled(record("Ann: goats", key="Fig"))
    labels.note(0, record("Bob: sheep", key="Heron"))
    assert (labels.called("Fig"), told(labels, "Ann")) == (frozenset(), [])
    assert (labels.called("Heron"), told(labels, "Bob")) == (frozenset({0}), [0])
    labels.remove(0)
    assert (labels.called("Heron"), told(labels, "Bob")) == (frozenset(), [])
    labels.remove(0)
    labels.remove(99)


def test_found_slots_are_the_caller_s_own() -> None:
    """Who writes into them moves no label."""
    labels = labelled(record("Ann: goats", key="Fig"))
    kept = labels.called("Fig")
    labels.told_by(frozenset({"ann"})).append(7)
    labels.note(1, record(key="Fig"))
    assert kept == {0}
    assert told(labels, "Ann") == [0]


names = st.sampled_from([None, "Fig", "fig (b)", "FIG（x）", "Heron", "金月楼", "(aside)"])
tellers = st.sampled_from([None, "Ann", "Ann Lee", "Lee", "安娜", "Zoë"])
histories = st.lists(
    st.tuples(st.sampled_from(SLOTS), st.none() | st.tuples(names, tellers, st.booleans())), max_size=30
)


@given(histories)
def test_labels_follow_whatever_comes_and_goes(
    history: list[tuple[int, tuple[str | None, str | None, bool] | None]],
) -> None:
    """Nothing is left of what was removed or replaced, and nothing of what is there is lost."""
    labels, held = Labels(), dict[int, tuple[str | None, str | None]]()
    for slot, change in history:
        if change is None:
            labels.remove(slot)
            held.pop(slot, None)
            continue
        name, teller, speaks = change
        content = "goats" if teller is None or not speaks else f"{teller}: goats"
        labels.note(slot, record(content, key=name, source=None if speaks else teller))
        held[slot] = (name, teller)
    families = ({"Fig", "fig (b)", "FIG（x）"}, {"Heron"}, {"金月楼"}, {"(aside)"})
    for family in families:
        for asked in family:
            assert labels.called(asked) == {slot for slot, (name, _) in held.items() if name in family}
    for question, named in (("Ann Lee", {"Ann", "Lee", "Ann Lee"}), ("安娜", {"安娜"}), ("who is Zoë", {"Zoë"})):
        assert told(labels, question) == sorted(slot for slot, (_, teller) in held.items() if teller in named)


def in_memory(memory: NTMMemoryManager) -> tuple[frozenset[int], list[int]]:
    """Return which slots of a memory are called Fig, and which are told by Ann."""
    with memory._reader.addressed(Query(text="goats")) as seen:
        assert seen is not None
        return seen.projection.labels.called("fig"), told(seen.projection.labels, "Ann")


def test_labels_of_a_memory_follow_what_is_done_to_it(memory: NTMMemoryManager) -> None:
    """What is written, changed, erased and brought back, be it before the labels are first asked for or after."""
    memory.memorize("Bob: sheep")
    first = memory.memorize("Ann: goats", key="Fig").record
    assert in_memory(memory) == (frozenset({first.slot}), [first.slot])
    second = memory.memorize("Ann: a tree", key="Fig (tree)").record
    assert in_memory(memory) == (frozenset({first.slot, second.slot}), [first.slot, second.slot])
    memory.update(first.id, "Bob: goats")
    assert in_memory(memory) == (frozenset({first.slot, second.slot}), [second.slot])
    memory.erase(second.id)
    assert in_memory(memory) == (frozenset({first.slot}), [])
    (back,) = memory.restore(second.id)
    assert in_memory(memory) == (frozenset({first.slot, back.slot}), [back.slot])
