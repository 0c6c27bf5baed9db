"""A progress bar where a person is watching, a callback where a program is, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ntm_memory_skill.encoder import Progress


@contextmanager
def bar(label: str, progress: bool | Progress | None) -> Iterator[Progress | None]:
    """Give a function to call with (done, in all), or None where nobody wants to know.

    Args:
        label: What is going on, for the bar.
        progress: True or False for a bar on standard error or none, None for one on a terminal; or the function.
    """
    if callable(progress):
        yield progress
        return
    if progress is False or (progress is None and not sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
