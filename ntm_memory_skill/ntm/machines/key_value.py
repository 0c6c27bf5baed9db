"""The dynamic key-value memory network, which traces what a student knows (Zhang, Shi, King & Yeung 2017).

    k_t   = A q_t                                 q_t: the skill asked for, one-hot
    w_t   = softmax(M^k k_t)                      correlation: how much the skill has to do with each concept
    r_t   = Σ_i w_t(i) M^v_{t−1}(i)               read: what the student knows of them
    f_t   = tanh(W_1 [r_t, k_t] + b_1)            a summary of that and of the skill
    p_t   = W_2 f_t + b_2                         the prediction, before the sigmoid: a logit
    v_t   = B (q_t, answer)                       one-hot over skill and answer
    e_t   = σ(E v_t + b_e)                        erase
    a_t   = tanh(D v_t + b_a)                     add
    M^v_t = M^v_{t−1} ∘ (1 − w_t e_t) + w_t a_t   write

M^k are N keys, one for each concept, learned and then fixed; M^v are N values, one memory for each student.

The law: a step's prediction is made before its answer is written, so it depends on the answers before it alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm import addressing
from ntm_memory_skill.ntm.machines.layers import first_rows, hold
from ntm_memory_skill.ntm.machines.machine import Machine, View
from ntm_memory_skill.ntm.machines.settings import MachineSettings

SMALL = 0.1  # standard deviation of the keys and the embeddings that training starts from


class KeyValueState(NamedTuple):
    """All that a key-value memory remembers of its students."""

    values: Float[Tensor, "b n m"]
    """M^v: what each student knows of each concept."""
    read_weights: Float[Tensor, "b n"]
    """w of the last step; 0 before the first."""
    write_weights: Float[Tensor, "b n"]
    """The same where an answer was written, else 0."""


class KeyValueMemory(Machine[KeyValueState]):
    """Concepts with learned keys and a value for each student, to predict the next answer.

    A step's input is 3Q numbers for Q skills: the skill that is asked for, one-hot, then the skill and the answer,
    one-hot over 2Q: place s where skill s was answered wrongly and Q + s where it was answered rightly. Its output is
    the logit of a right answer. Where the last 2Q are all 0 the answer is not known, and nothing is written.

    Args:
        settings: Of these, memory_size is N, memory_dim is the length of keys and of values, hidden is the size of f,
            and initialization says what the values start as; inputs are 3Q and outputs 1.

    Raises:
        InvalidArgument: The inputs are no multiple of 3, or there is more than one output.
    """

    first_values: Tensor

    def __init__(self, settings: MachineSettings) -> None:
        super().__init__(settings.inputs, settings.outputs)
        inputs, outputs = settings.inputs, settings.outputs
        if inputs % 3 != 0 or outputs != 1:
            raise InvalidArgument(
                f"a key-value memory has 3 inputs for each skill and 1 output, not {inputs} and {outputs}",
                hint="Set inputs to three times the number of skills and outputs to 1.",
            )
        self.skills, n, m = settings.inputs // 3, settings.memory_size, settings.memory_dim
        self.keys = nn.Parameter(SMALL * torch.randn(n, m))  # M^k
        self.skill = nn.Parameter(SMALL * torch.randn(self.skills, m))  # A
        self.answer = nn.Parameter(SMALL * torch.randn(2 * self.skills, m))  # B
        self.summary = nn.Linear(2 * m, settings.hidden)  # W_1
        self.out = nn.Linear(settings.hidden, 1)  # W_2
        self.erase = nn.Linear(m, m)  # E
        self.add = nn.Linear(m, m)  # D
        hold(self, "first_values", first_rows(settings.initialization, n, m))

    def initial(self, batch: int) -> KeyValueState:
        """Return the state of students who have answered nothing."""
        nowhere = self.first_values.new_zeros(batch, len(self.keys))
        return KeyValueState(self.first_values.expand(batch, -1, -1), nowhere, nowhere)

    def forward(
        self, x: Float[Tensor, "b inputs"], state: KeyValueState
    ) -> tuple[Float[Tensor, "b outputs"], KeyValueState]:
        """Take one step; see `Machine.forward`."""
        asked, answered = x[:, : self.skills], x[:, self.skills :]
        key = asked @ self.skill
        weights = addressing.content(key @ self.keys.T, 1.0)
        known = addressing.read(weights, state.values)
        prediction = self.out(torch.tanh(self.summary(torch.cat([known, key], dim=1))))
        written = weights * answered.sum(dim=1, keepdim=True)
        answer = answered @ self.answer
        erase, add = torch.sigmoid(self.erase(answer)), torch.tanh(self.add(answer))
        values = addressing.write(state.values, written, erase, add)
        return prediction, KeyValueState(values, weights, written)

    def view(self, state: KeyValueState) -> View:
        """Return the values, and the concepts that were read and written last; see `Machine.view`."""
        return View(state.values, state.read_weights[:, None], state.write_weights[:, None])
