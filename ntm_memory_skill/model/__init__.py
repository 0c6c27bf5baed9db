"""The frozen values that every room speaks in: no tensors, no files, no clock."""

from ntm_memory_skill.model.events import Accessed, Erased, Event, Faded, Memorized, Purged, Restored, Updated
from ntm_memory_skill.model.identity import EncoderIdentity
from ntm_memory_skill.model.query import Filters, Hit, Neighbour, Query, Trace
from ntm_memory_skill.model.record import Record, Version, indexed_text

__all__ = [
    "Accessed",
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
    "Restored",
    "Trace",
    "Updated",
    "Version",
    "indexed_text",
]
