"""While the model loads, a server's memory answers by words and says so; nothing is missing once it is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine.loading import BackgroundLoad
from ntm_memory_skill.errors import EncoderMismatch, EncoderUnavailable
from ntm_memory_skill.model import EncoderIdentity
from ntm_memory_skill.tools import call
from ntm_memory_skill.tools.verbs import LOADING
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, PATIENT, LoadingEncoder, TorchEncoder, assert_same_hits, found, plant

AT_ONCE = Settings(answer_while_loading=True)


@pytest.fixture
def encoder() -> Iterator[LoadingEncoder]:
    """A model that loads for as long as the test wants; at the end nobody is left waiting for it."""
    loading = LoadingEncoder()
    yield loading
    loading.allowed.set()


@pytest.fixture
def planted(open_memory: OpenMemory) -> NTMMemoryManager:
    """Another process's view of the memory, in which the facts stand as one chat."""
    memory = open_memory()
    plant(memory, session="chat")
    return memory


def loaded(encoder: LoadingEncoder) -> None:
    """Let the model load, and wait for it."""
    encoder.allowed.set()
    for thread in threading.enumerate():
        if thread.name == "ntm-memory loads its model":
            thread.join(PATIENT)
    assert encoder.ready


def test_words_find_the_answer_while_the_model_loads(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """In both languages, with what was said next to it behind; no cosine is claimed."""
    memory = open_memory(encoder, AT_ONCE)
    hits = memory.search("who has goats in Kirchberg?", top_k=2)
    assert found(hits) == [FACTS[0], FACTS[1]]
    assert [hit.trace.cosine for hit in hits] == [None, None]
    assert [hit.trace.lexical_share for hit in hits] == [1.0, 1.0]
    assert found(memory.recall("北京的会议", budget=20).hits)[0] == FACTS[4]
    assert encoder.asked.wait(PATIENT)
    assert not encoder.ready


def test_meaning_decides_as_soon_as_the_model_is_there(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """The answer is then the one that a memory gives that waited for its model."""
    memory = open_memory(encoder, AT_ONCE)
    memory.search("goats")
    loaded(encoder)
    assert_same_hits(memory.search("goats", top_k=50), open_memory(TorchEncoder()).search("goats", top_k=50))


def test_what_others_write_meanwhile_is_found_by_words_and_then_by_meaning(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """New, changed and erased memories alike."""
    memory = open_memory(encoder, AT_ONCE)
    memory.search("goats")
    planted.memorize("Olga paints icebergs", session="chat")
    goats = planted.search("goats")[0].id
    planted.update(goats, "Anna sold the goats")
    planted.erase(planted.search("violin")[0].id)
    assert found(memory.search("icebergs", top_k=1)) == ["Olga paints icebergs"]
    assert found(memory.search("goats", top_k=1)) == ["Anna sold the goats"]
    assert FACTS[5] not in found(memory.search("violin", top_k=50))
    loaded(encoder)
    assert_same_hits(memory.search("goats", top_k=50), open_memory(TorchEncoder()).search("goats", top_k=50))


def test_rows_that_no_file_holds_are_encoded_once_the_model_is_there(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder, path: Path
) -> None:
    """A memory whose key cache was lost: found by words at first, with all its rows later."""
    planted.close()
    for cache in path.parent.glob("*.keys.npy"):
        cache.unlink()
    memory = open_memory(encoder, AT_ONCE)
    assert found(memory.search("violin", top_k=1)) == [FACTS[5]]
    loaded(encoder)
    assert_same_hits(memory.search("goats", top_k=50), open_memory(TorchEncoder()).search("goats", top_k=50))


def test_writing_waits_for_the_model(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """Nothing is stored without its key; searches go on meanwhile."""
    memory = open_memory(encoder, AT_ONCE)
    stored: list[str] = []
    writer = threading.Thread(target=lambda: stored.append(memory.memorize("Olga paints icebergs").id))
    writer.start()
    assert encoder.asked.wait(PATIENT)
    assert found(memory.search("violin", top_k=1)) == [FACTS[5]]
    assert stored == []
    encoder.allowed.set()
    writer.join(PATIENT)
    assert memory.search("icebergs", top_k=1)[0].id == stored[0]


def test_an_empty_memory_loads_no_model_to_find_nothing(open_memory: OpenMemory, encoder: LoadingEncoder) -> None:
    """And has nothing to say of a loading."""
    memory = open_memory(encoder, AT_ONCE)
    assert memory.search("anything") == []
    assert not encoder.asked.is_set()


def test_a_memory_that_was_not_told_to_hurry_waits(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """As a program wants it, whose answers must not depend on the time of day."""
    encoder.allowed.set()
    assert open_memory(encoder).search("goats")[0].trace.cosine is not None


def test_a_model_that_cannot_be_loaded_is_an_error_and_no_endless_loading(
    planted: NTMMemoryManager, open_memory: OpenMemory
) -> None:
    """Answers by words stop with the loading; a later attempt that works is taken."""
    encoder = LoadingEncoder(fails=2)
    memory = open_memory(encoder, AT_ONCE)
    assert memory.search("goats")[0].trace.cosine is None
    encoder.allowed.set()
    for thread in threading.enumerate():
        if thread.name == "ntm-memory loads its model":
            thread.join(PATIENT)
    with pytest.raises(EncoderUnavailable):
        memory.search("goats")
    assert memory.search("goats")[0].trace.cosine is not None


def test_a_memory_of_another_encoder_is_refused_without_its_model(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """The wait for the model would only put the error off."""
    encoder.identity = encoder.known_identity = EncoderIdentity(name="other", revision="1", dimension=64)
    with pytest.raises(EncoderMismatch):
        open_memory(encoder, AT_ONCE).search("goats")


def test_the_tools_say_that_the_model_is_loading(
    planted: NTMMemoryManager, open_memory: OpenMemory, encoder: LoadingEncoder
) -> None:
    """In the envelope as a whole, and by the cosine that is missing from the reasons; afterwards no word of it."""
    memory = open_memory(encoder, AT_ONCE)
    answers = [
        call(memory, "search", {"query": "goats", "explain": True}),
        call(memory, "recall", {"query": "goats", "explain": True}),
    ]
    for answer in answers:
        assert answer["notice"] == LOADING
        for hit in answer["hits" if "hits" in answer else "memories"]:
            assert "cosine" not in hit["why"]
            assert hit["trace"]["cosine"] is None
    assert call(memory, "erase", {"query": "goats"})["notice"] == LOADING
    loaded(encoder)
    assert "notice" not in call(memory, "erase", {"query": "goats"})
    later = call(memory, "search", {"query": "goats"})
    assert "notice" not in later
    assert all("cosine" in hit["why"] for hit in later["hits"])


def test_a_model_is_loaded_once_however_many_ask(encoder: LoadingEncoder) -> None:
    """One thread, whoever asks first."""
    load = BackgroundLoad(encoder)
    assert all(load.under_way() for _ in range(5))
    assert [thread.name for thread in threading.enumerate()].count("ntm-memory loads its model") == 1
    loaded(encoder)
    assert not load.under_way()


def test_a_model_that_is_there_is_not_loaded_again() -> None:
    """No thread is started for it."""
    before = threading.active_count()
    assert not BackgroundLoad(HashedEncoder()).under_way()
    assert threading.active_count() == before
