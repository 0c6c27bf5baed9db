"""Who and what the memories speak of, and how that hangs together: a graph derived from their texts, never stored.

Entities and relations are found by rules in English and Chinese: they need no model, and everybody can read why an edge
is there. They miss much, and each edge names its memories. The graph is the union of what its memories say: the order
in which they came does not matter, and one that is removed leaves nothing behind.

Importing this compiles some fifty patterns, so `ntm_memory_skill.m3` does not: whoever wants a graph imports it here.
"""

from ntm_memory_skill.m3.graph.knowledge import COMMON_LEAST, COMMON_SHARE, KnowledgeGraph
from ntm_memory_skill.m3.graph.naming import Entity, entities, fold
from ntm_memory_skill.m3.graph.relating import SELF, Relation, relations

__all__ = [
    "COMMON_LEAST",
    "COMMON_SHARE",
    "SELF",
    "Entity",
    "KnowledgeGraph",
    "Relation",
    "entities",
    "fold",
    "relations",
]
