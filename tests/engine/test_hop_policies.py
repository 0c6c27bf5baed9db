"""A trained hop policy leads on from then on, stays beside the memory, and is passed over where it cannot be used."""

from __future__ import annotations

import logging
from dataclasses import astuple, replace

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.engine.settings import ReasoningSettings
from ntm_memory_skill.errors import InvalidArgument, UnusableHead
from ntm_memory_skill.memnet.hops import HopPolicy
from ntm_memory_skill.memnet.trained import TrainedPolicy
from tests.conftest import OpenMemory
from tests.engine.chains import CHAIN, PLAIN_QUESTION, QUESTION, answers, bonus, opened
from tests.engine.support import FACTS, assert_same_hits, plant

HASHED = HashedEncoder().identity.name
MUTE = TrainedPolicy(HopPolicy(words=0, joint=0, named=0, shared=0, linked=0), HASHED)
"""No clue says anything."""
LOUD = TrainedPolicy(HopPolicy(shared=3.0), HASHED)


def chained(open_memory: OpenMemory) -> NTMMemoryManager:
    """Return a memory in a folder, with a chain in it."""
    memory = open_memory()
    plant(memory, (*FACTS, *CHAIN))
    return memory


def lifted(memory: NTMMemoryManager) -> dict[str, float]:
    """Return what chains added to each memory's score, where they added anything."""
    return {text: amount for text, hit in answers(memory).items() if (amount := bonus(hit))}


def test_policy_leads_on_until_another_does() -> None:
    """And the configured one again after that."""
    memory, plain = opened(), opened()
    memory.use_hop_policy(MUTE)
    assert memory.hop_policy is MUTE
    assert lifted(memory) == {}
    memory.use_hop_policy(LOUD)
    louder = opened(reasoning=ReasoningSettings(policy=LOUD.policy))
    assert lifted(memory) == pytest.approx(lifted(louder))
    assert lifted(memory) != pytest.approx(lifted(plain))
    memory.use_hop_policy(None)
    assert memory.hop_policy is None
    assert lifted(memory) == pytest.approx(lifted(plain))


@pytest.mark.parametrize("mode", ["contextual", "temporal"])
def test_modes_go_by_the_configured_policy(mode: str) -> None:
    """As they go by the default head."""
    memory, plain = opened(), opened()
    memory.use_hop_policy(MUTE)
    given = [each.recall(QUESTION, session="a", mode=mode).hits for each in (memory, plain)]
    assert_same_hits(*given)
    assert any(bonus(hit) for hit in given[0])


def test_questions_that_are_read_once_are_answered_as_before() -> None:
    """Nothing leads on from them."""
    memory, plain = opened(), opened()
    memory.use_hop_policy(LOUD)
    assert_same_hits(memory.search(PLAIN_QUESTION), plain.search(PLAIN_QUESTION))


class TestKeeping:
    """The file beside the memory."""

    def test_kept_policy_is_there_for_whoever_opens_the_memory_next(self, open_memory: OpenMemory) -> None:
        """One that is not kept goes with the process."""
        memory = chained(open_memory)
        memory.use_hop_policy(MUTE)
        assert open_memory().hop_policy is None
        memory.use_hop_policy(MUTE, keep=True)
        memory.close()
        other = open_memory()
        assert other.hop_policy == MUTE
        assert lifted(other) == {}
        other.use_hop_policy(None, keep=True)
        assert open_memory().hop_policy is None

    def test_memory_may_be_told_to_leave_it_alone(self, open_memory: OpenMemory) -> None:
        """`trained` off: the configured one leads on, and the kept one stays."""
        chained(open_memory).use_hop_policy(MUTE, keep=True)
        plain = open_memory(settings=Settings(reasoning=ReasoningSettings(trained=False)))
        assert plain.hop_policy is None
        assert lifted(plain)
        assert open_memory().hop_policy == MUTE

    @pytest.mark.parametrize("kept", [b"", b"{", b"[]", replace(MUTE, encoder="another").to_json()])
    def test_one_that_cannot_be_used_is_passed_over_with_one_warning(
        self, open_memory: OpenMemory, caplog: pytest.LogCaptureFixture, kept: bytes
    ) -> None:
        """The configured one goes on, and the file is left as it is."""
        memory = chained(open_memory)
        expected = lifted(memory)
        with memory._live.transaction():
            memory._live.store.keep_beside("hops", kept)
        other = open_memory()
        with caplog.at_level(logging.WARNING, logger="ntm_memory_skill"):
            assert lifted(other) == pytest.approx(expected)
            assert other.hop_policy is None
        (warning,) = [record for record in caplog.records if record.name.startswith("ntm_memory_skill")]
        assert "hop policy" in warning.getMessage()
        assert other._live.store.beside("hops") == kept

    @pytest.mark.parametrize("keep", [True, False])
    def test_one_that_does_not_fit_is_refused_and_nothing_changes(self, open_memory: OpenMemory, keep: bool) -> None:
        """Neither what leads on nor what is kept."""
        memory = chained(open_memory)
        memory.use_hop_policy(MUTE, keep=True)
        with pytest.raises(UnusableHead, match="another"):
            memory.use_hop_policy(replace(LOUD, encoder="another"), keep=keep)
        assert memory.hop_policy is MUTE
        assert memory._live.store.beside("hops") == MUTE.to_json()


class TestTravelling:
    """What training is given."""

    @pytest.mark.parametrize("hops", [2, 3, 4, None])
    def test_journey_is_the_one_that_the_answer_comes_from(self, hops: int | None) -> None:
        """Claims and policy make up what each hit says was added to its score."""
        memory = opened()
        taken = memory.travel(QUESTION, hops=hops)
        assert taken is not None
        weights = np.asarray(astuple(HopPolicy()), np.float32)
        added = np.zeros(taken.by_head.shape[1])
        for slot, share, clues in zip(*taken.claims, strict=True):
            added[slot] = max(added[slot], share * taken.deviation * float(clues @ weights))
        hits = answers(memory, hops=hops)
        assert len(hits) == len(FACTS) + len(CHAIN)
        for hit in hits.values():
            assert bonus(hit) == pytest.approx(added[hit.record.slot], abs=1e-4)
            content = taken.by_head[:, hit.record.slot].mean() + added[hit.record.slot]
            assert hit.trace.content_score == pytest.approx(content, abs=1e-4)

    def test_question_that_is_read_once_has_none(self) -> None:
        """Nor has a memory with nothing in it."""
        assert opened().travel(PLAIN_QUESTION) is None
        assert opened().travel(QUESTION, hops=1) is None
        assert opened([]).travel(QUESTION) is None

    @pytest.mark.parametrize("hops", [0, 5, "two", True])
    def test_what_is_no_number_of_hops_is_refused(self, hops: object) -> None:
        """As a search refuses it."""
        with pytest.raises(InvalidArgument):
            opened().travel(QUESTION, hops=hops)  # type: ignore[arg-type]  # that is what is tried
