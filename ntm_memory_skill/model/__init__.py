"""The frozen values that every room speaks in: no tensors, no files, no clock."""

from ntm_memory_skill.model.events import Accessed, Erased, Event, Faded, Memorized, Purged, Restored, Updated
from ntm_memory_skill.model.feedback import HOWS, Feedback, How
from ntm_memory_skill.model.identity import EncoderIdentity
from ntm_memory_skill.model.query import Filters, Hit, Neighbour, Query, Surrounding, Term, Trace
from ntm_memory_skill.model.record import Record, Version, indexed_text

__all__ = [
    "HOWS",
    "Accessed",
    "EncoderIdentity",
    "Erased",
    "Event",
    "Faded",
    "Feedback",
    "Filters",
    "Hit",
    "How",
    "Memorized",
    "Neighbour",
    "Purged",
    "Query",
    "Record",
    "Restored",
    "Surrounding",
    "Term",
    "Trace",
    "Updated",
    "Version",
    "indexed_text",
]
