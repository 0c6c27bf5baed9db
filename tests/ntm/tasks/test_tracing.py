"""Knowledge tracing: made-up students who answer, and learn while they do."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.ntm.tasks import Tracing
from tests.ntm.tasks.draws import drawn, few, rng, sequence


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


@few
@given(count=st.integers(1, 20), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_step_shows_the_skill_and_how_it_was_answered(count: int, batch: int, seed: int) -> None:
    """One-hot over 20 skills, then over 40 answers, wrong ones first; what is asked for is whether it was right."""
    made = drawn(Tracing(), (count,), batch, seed)
    assert made.mask.tolist() == [True] * count
    for which in range(batch):
        inputs, targets = sequence(made, which)
        for seen, (right,) in zip(inputs, targets, strict=True):
            skill = seen.index(1.0)
            expected = [0.0] * 60
            expected[skill] = expected[20 + skill + 20 * int(right)] = 1.0
            assert skill < 20
            assert seen == expected


def test_chances_grow_with_practice_and_never_fall() -> None:
    """Of students who are asked for the same skill again and again."""
    chances = Tracing().true_chances(rng(), torch.full((50, 300), 7))
    assert torch.all(chances[1:] >= chances[:-1])
    assert (chances[-1] - chances[0]).mean().item() > 0.1
    assert torch.all((chances >= 0) & (chances <= 1))


def test_practice_of_a_concept_helps_its_other_skills_and_no_other_concept() -> None:
    """Skills 2 and 7 are of one concept, skill 3 of another: before and after twenty answers to skill 2."""
    drill = torch.full((22, 200), 2)
    for skill, helped in ((7, True), (3, False)):
        drill[0] = drill[-1] = skill
        chances = Tracing().true_chances(rng(1), drill)
        grown = (chances[-1] - chances[0]).mean().item()
        own = Tracing().true_chances(rng(1), torch.full((2, 200), skill))
        once = (own[1] - own[0]).mean().item()
        assert (grown > 5 * once) is helped


def test_skills_are_as_hard_for_every_batch() -> None:
    """Which skills are hard is the same whatever the students: the chances of two crowds agree, skill by skill."""
    skills = torch.arange(20)[:, None]
    means = []
    for seed in (1, 2):
        chances = [Tracing().true_chances(rng(seed), each.expand(1, 3000)).mean() for each in skills]
        means.append(torch.stack(chances))
    torch.testing.assert_close(means[0], means[1], atol=0.03, rtol=0)
    assert means[0].std().item() > 0.1


def test_answers_come_as_often_as_their_chances_say() -> None:
    """Over 5,000 answers: rights against the sum of the chances that they were drawn by, within five deviations."""
    made = drawn(Tracing(), (50,), batch=100, seed=4)
    generator = rng(4)
    skills = torch.randint(20, (50, 100), generator=generator)
    assert torch.equal(made.inputs[..., :20].argmax(dim=-1), skills)
    chances = Tracing().true_chances(generator, skills)
    deviation = (chances * (1 - chances)).sum().sqrt().item()
    assert abs((made.targets[..., 0] - chances).sum().item()) < 5 * deviation
