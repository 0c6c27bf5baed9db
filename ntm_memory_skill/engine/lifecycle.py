"""What can be asked of a memory besides its verbs: to consolidate, to take that back, to look for junk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine import undoing
from ntm_memory_skill.engine.answers import Consolidation, Suspect
from ntm_memory_skill.engine.auditing import suspects
from ntm_memory_skill.engine.consolidation import Work, consolidate
from ntm_memory_skill.engine.intake import speaker
from ntm_memory_skill.engine.live import LiveMemory
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.engine.settings import Settings
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.m3 import Distiller
from ntm_memory_skill.model import Consolidated
from ntm_memory_skill.sources import Clock, Ids

LONGEST = 86_400  # seconds

if TYPE_CHECKING:
    from ntm_memory_skill.m3.graph import KnowledgeGraph


class Lifecycle:
    """The part of a memory that looks after what is in it."""

    settings: Settings
    _live: LiveMemory
    _clock: Clock
    _ids: Ids

    def consolidate(
        self,
        *,
        seconds: float | None = None,
        dry_run: bool = False,
        distiller: Distiller | None = None,
        progress: bool | Progress | None = None,
    ) -> Consolidation:
        """Merge what says the same, supersede what no longer holds, and what else `settings.m3` asks for.

        Nothing is deleted, and `undo_consolidation` takes it back. It may be broken off at any moment: what was done by
        then stands, and is whole.

        Args:
            seconds: How long it may take, above 0 and up to a day; None lets it finish.
            dry_run: Only say what would be done.
            distiller: Makes the gists of clusters in place of extraction: a host's model, say.
            progress: See `memorize_many`.

        Raises:
            InvalidArgument: `seconds` is out of its range.
            InvalidContent: The distiller's text is one that no memory may have.
            StoreError: A step could not be written; those before it stand.
        """
        if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds <= LONGEST):
            raise InvalidArgument(f"seconds is a number above 0, and {LONGEST} at most")
        with bar("consolidating", progress) as advance:
            work = Work(
                settings=self.settings,
                clock=self._clock,
                ids=self._ids,
                run=f"c{self._ids()[1:]}",
                deadline=None if seconds is None else self._clock() + timedelta(seconds=seconds),
                distiller=distiller,
                keep=not dry_run,
                advance=advance,
            )
            return consolidate(self._live, work)

    def undo_consolidation(self, run: str | None = None) -> Consolidated:
        """Take a consolidation back, the latest by default, and return what it had done. `state` lists them.

        Raises:
            UnknownConsolidation: There is none of that name, or none at all.
            MemoryFull: There is no room for what would come back.
            StoreError: It could not be written; nothing was undone.
        """
        return undoing.undo(self._live, self._clock, run, self.settings.memory_size)

    def audit(self) -> list[Suspect]:
        """Return the memories that may be junk, or should not be here, each with the reasons; changes nothing."""
        return suspects(self._live.state, self._clock())

    def graph(self) -> KnowledgeGraph:
        """Return the entities and relations that current memories speak of; derived anew on every call."""
        from ntm_memory_skill.m3.graph import KnowledgeGraph  # its patterns take a while to compile

        graph = KnowledgeGraph()
        for record in list(self._live.state.records.values()):  # others may go on writing meanwhile
            if record.superseded_by is None:
                graph.add(record.id, record.content, speaker(record.source))
        return graph
