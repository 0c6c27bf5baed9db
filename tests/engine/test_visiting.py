"""A visit finds the memory as a process of its own would, and leaves on disk what it did."""

from __future__ import annotations

from ntm_memory_skill import NTMMemoryManager
from tests.conftest import OpenMemory

TEXTS = ("the harbour master rings at noon", "the ferry leaves at nine", "the mole is red", "Ana keeps the lighthouse")


def shown(memory: NTMMemoryManager, question: str = "when does it ring?") -> list[tuple[str, float]]:
    """Return what a chat's recall gives, and how sure."""
    return [(hit.id, round(hit.score, 6)) for hit in memory.recall(question, session="harbour").hits]


def test_a_visit_has_heard_nothing_of_a_chat(memory: NTMMemoryManager) -> None:
    """Its recall is the chat's first, whatever was asked before; the memory itself goes on from there."""
    memory.memorize_many({"content": text, "session": "harbour"} for text in TEXTS)
    with memory.visit() as visited:
        first = shown(visited)
    shown(memory, "who keeps the lighthouse?")
    assert shown(memory) != first  # the gate lets the last focus in
    with memory.visit() as visited:
        assert [ident for ident, _ in shown(visited)] == [ident for ident, _ in first]


def test_what_a_visit_does_is_everybodys(open_memory: OpenMemory) -> None:
    """At once: for the memory, for other visits, and for other processes."""
    memory, other = open_memory(), open_memory()
    with memory.visit() as visited:
        ident = visited.memorize(TEXTS[0]).id
        assert memory.get(ident).content == TEXTS[0]
        with memory.visit() as second:
            second.update(ident, TEXTS[1])
    assert other.get(ident).content == TEXTS[1]


def test_what_was_recalled_is_counted_when_a_visit_ends(open_memory: OpenMemory) -> None:
    """On disk, as when a process ends."""
    memory, other = open_memory(), open_memory()
    ident = memory.memorize(TEXTS[0]).id
    with memory.visit() as visited:
        visited.search("noon")
        assert other.get(ident).accesses == 0
    assert other.get(ident).accesses == 1


def test_a_visit_waits_where_the_memory_would_not(memory: NTMMemoryManager) -> None:
    """And the memory's own settings stay as they are."""
    memory.settings = type(memory.settings)(answer_while_loading=True)
    with memory.visit() as visited:
        assert visited.settings.answer_while_loading is False
        assert visited.reranking.pending is False
    assert memory.settings.answer_while_loading is True
