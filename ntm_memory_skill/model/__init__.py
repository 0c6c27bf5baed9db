"""The frozen values that every room speaks in: no tensors, no files, no clock."""

from ntm_memory_skill.model.events import Erased, Event, Faded, Memorized, Purged, Updated
from ntm_memory_skill.model.identity import EncoderIdentity
from ntm_memory_skill.model.query import Filters, Hit, Neighbour, Query, Trace
from ntm_memory_skill.model.record import Record, Version, indexed_text

__all__ = [
    "EncoderIdentity",
    "Erased",
    "Event",
    "Faded",
    "Filters",
    "Hit",
    "Memorized",
    "Neighbour",
    "Purged",
    "Query",
    "Record",
    "Trace",
    "Updated",
    "Version",
    "indexed_text",
]
