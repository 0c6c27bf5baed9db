"""Knowledge tracing: will this student's next answer be right? (Corbett & Anderson 1995; Zhang et al. 2017).

Made-up students, who learn while they answer (item response theory with abilities that grow with practice):

    p(right) = σ(a_s (θ_c − d_s))        s: a skill, c: the concept that it belongs to

θ_c is a student's ability in concept c: a general one, one of its own for each concept, and what practice adds, at a
rate that is the student's own. So an answer to one skill tells of the others of its concept, which a table of skills
cannot know. The skills' difficulty d and sharpness a are the same for all students; which skill belongs to which
concept, a machine has to find out.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task

SKILLS = 20
CONCEPTS = 5  # skill s belongs to concept s mod 5
ANSWERS = 50
GENERAL = 0.6  # standard deviation of a student's general ability, in logits
OWN = 1.2  # the same of the ability in each concept, around the general one
LEARNING = (
    0.12  # mean growth of ability for each answer to a concept's skills; a student's rate is exponentially spread
)
SCHOOL = 7  # seed of the skills' difficulties and sharpness, which are the same in every sequence


class Tracing(Task):
    """Fifty answers of a student. A step shows which skill is asked for, and after it how it was answered.

    The input is the skill, one-hot, then the skill with its answer, one-hot over twice as many.
    `key_value.KeyValueMemory` uses the second part only for what comes after; other machines would see the answer, so
    they cannot be judged by it.
    """

    name = "tracing"
    inputs = 3 * SKILLS
    outputs = 1
    levels = 1
    measures = ("answers",)
    smallest = (1,)
    machines = ("dkvmn",)
    tests: ClassVar = {"50": (ANSWERS,)}
    held_back = ((ANSWERS,),)

    def size(self, rng: torch.Generator, level: int) -> Size:  # noqa: ARG002  # all sequences of this task are alike
        """Return the one size that there is."""
        return (ANSWERS,)

    def sequences(self, rng: torch.Generator, batch: int, size: Size) -> Batch:
        """Draw so many answers of new students, each asked for skills drawn uniformly."""
        skills = torch.randint(SKILLS, (size[0], batch), generator=rng)
        right = torch.bernoulli(self.true_chances(rng, skills), generator=rng)
        answered = one_hot(skills + SKILLS * right.long(), 2 * SKILLS)
        inputs = torch.cat([one_hot(skills, SKILLS), answered], dim=-1).float()
        return Batch(inputs, right[..., None], torch.ones(size[0], dtype=torch.bool))

    def true_chances(self, rng: torch.Generator, skills: Tensor) -> Float[Tensor, "t b"]:
        """Return the chance of a right answer, for new students who are asked for `skills`, shape ``(t, b)``."""
        school = torch.Generator().manual_seed(SCHOOL)
        difficulty = torch.randn(SKILLS, generator=school) + LEARNING * ANSWERS / CONCEPTS / 2
        sharpness = 0.8 + 0.8 * torch.rand(SKILLS, generator=school)
        batch = skills.shape[1]
        students = torch.arange(batch)
        ability = GENERAL * torch.randn(batch, 1, generator=rng) + OWN * torch.randn(batch, CONCEPTS, generator=rng)
        rate = LEARNING * torch.empty(batch).exponential_(generator=rng)
        chances = []
        for skill in skills.unbind(0):
            chances.append(torch.sigmoid(sharpness[skill] * (ability[students, skill % CONCEPTS] - difficulty[skill])))
            ability = ability.index_put((students, skill % CONCEPTS), rate, accumulate=True)
        return torch.stack(chances)
