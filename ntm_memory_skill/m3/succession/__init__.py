"""Which statement holds in the place of which: "I moved to Berlin" in that of "I live in Paris"."""

from ntm_memory_skill.m3.succession.claims import claims
from ntm_memory_skill.m3.succession.finding import find_successions, succeeds
from ntm_memory_skill.m3.succession.values import Claim, Statement, Succession

__all__ = ["Claim", "Statement", "Succession", "claims", "find_successions", "succeeds"]
