"""The lifecycle of memories: what is strengthened, linked, stored once, superseded, merged and forgotten.

Pure policies over values: from what is known and a moment, what should happen. Nothing here reads a clock or a file.
"""

from ntm_memory_skill.m3.clusters import alike, communities
from ntm_memory_skill.m3.currency import CANDIDATES, Candidate, latest
from ntm_memory_skill.m3.distillation import Distiller, distil
from ntm_memory_skill.m3.forgetting import over_quota, protected, reason, value, victims, weak
from ntm_memory_skill.m3.junk import Circumstances, Suspicion, junk_reasons
from ntm_memory_skill.m3.novelty import restates
from ntm_memory_skill.m3.sameness import bare, essence, same
from ntm_memory_skill.m3.sensory import Compressor, SensoryBuffer, fit
from ntm_memory_skill.m3.strength import LAWS, History, history_of, reinforce
from ntm_memory_skill.m3.succession import Statement
from ntm_memory_skill.m3.synapses import co_recalled, spread

__all__ = [
    "CANDIDATES",
    "LAWS",
    "Candidate",
    "Circumstances",
    "Compressor",
    "Distiller",
    "History",
    "SensoryBuffer",
    "Statement",
    "Suspicion",
    "alike",
    "bare",
    "co_recalled",
    "communities",
    "distil",
    "essence",
    "fit",
    "history_of",
    "junk_reasons",
    "latest",
    "over_quota",
    "protected",
    "reason",
    "reinforce",
    "restates",
    "same",
    "spread",
    "value",
    "victims",
    "weak",
]
