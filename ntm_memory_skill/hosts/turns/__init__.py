"""A chat's turns: what is remembered goes before the model, what the user says is kept, and neither feeds the other."""

from ntm_memory_skill.hosts.turns.block import memory_block, spoken
from ntm_memory_skill.hosts.turns.capture import worth_keeping
from ntm_memory_skill.hosts.turns.turns import Turns

__all__ = ["Turns", "memory_block", "spoken", "worth_keeping"]
