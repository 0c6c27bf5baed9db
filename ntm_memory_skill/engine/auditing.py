"""What may be junk, and why."""

from __future__ import annotations

from datetime import datetime

from ntm_memory_skill.engine.answers import Suspect
from ntm_memory_skill.m3 import Circumstances, junk_reasons
from ntm_memory_skill.store import State


def suspects(state: State, now: datetime) -> list[Suspect]:
    """Return the live memories that are suspected of something, in the order of writing."""
    around = Circumstances(now=now)
    present = list(state.records.values())  # others may go on writing meanwhile
    found = ((record, junk_reasons(record, around)) for record in present)
    return [Suspect(record, reasons) for record, reasons in found if reasons]
