"""Tasks that show what a machine has learnt: the five of Graves, Wayne & Danihelka (2014, §4), and two more.

One class a file, behind the interface of `task.Task`.
"""

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.ntm.tasks.associative_recall import AssociativeRecall
from ntm_memory_skill.ntm.tasks.copy import Copy
from ntm_memory_skill.ntm.tasks.episodes import Episodes
from ntm_memory_skill.ntm.tasks.ngrams import NGrams
from ntm_memory_skill.ntm.tasks.priority_sort import PrioritySort
from ntm_memory_skill.ntm.tasks.repeat_copy import RepeatCopy
from ntm_memory_skill.ntm.tasks.task import Batch, Size, Task
from ntm_memory_skill.ntm.tasks.tracing import Tracing

TASKS: dict[str, type[Task]] = {
    each.name: each for each in (Copy, RepeatCopy, AssociativeRecall, NGrams, PrioritySort, Episodes, Tracing)
}

__all__ = [
    "TASKS",
    "AssociativeRecall",
    "Batch",
    "Copy",
    "Episodes",
    "NGrams",
    "PrioritySort",
    "RepeatCopy",
    "Size",
    "Task",
    "Tracing",
    "task_named",
]


def task_named(name: str) -> Task:
    """Return a task by its name. Raises InvalidArgument where there is none."""
    if name not in TASKS:
        raise InvalidArgument(f"there is no task {name!r}", hint=f"The tasks are: {', '.join(TASKS)}.")
    return TASKS[name]()
