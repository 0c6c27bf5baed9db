"""What the trainings of `ntm-memory train` on question sets share: what is learnt from, the table, where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal
from ntm_memory_skill.hosts.report import check_free, write_new
from ntm_memory_skill.hosts.training import Lessons
from ntm_memory_skill.learning import Comparison
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.memnet.trained import TrainedPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is to be learnt from, and where what was learnt is to go."""

    paths: list[Path] | None
    feedback: bool
    output: Path | None
    force: bool
    dry_run: bool

    @property
    def to(self) -> Path | None:
        """The file that is to be written."""
        return None if self.dry_run else self.output

    @property
    def installed(self) -> bool:
        """Whether it is to be installed."""
        return not self.dry_run and self.output is None

    def checked(self) -> Lessons:
        """Return what is to be learnt from. Raises InvalidArgument where that is nothing, or it could not be kept."""
        if not self.paths and not self.feedback:
            raise InvalidArgument(
                "there is nothing to learn from", hint="Give question sets (docs/training.md), or --feedback."
            )
        if self.to is not None:
            check_free(self.to, force=self.force)
        paths = tuple(dict.fromkeys(self.paths or ()))
        return Lessons(paths=paths, feedback=self.feedback, installed=self.installed)


def checked_rate(rate: float) -> float:
    """Return a learning rate that is one. Raises InvalidArgument for others."""
    if not 0 < rate <= 1:
        raise InvalidArgument(
            f"the learning rate is above 0, up to 1, not {rate}", hint="For example: --learning-rate 0.001"
        )
    return rate


def keep(host: Output, lesson: Lesson, learnt: TrainedHead | TrainedPolicy) -> Envelope:
    """Write or install what is better than what was before, and return where it went."""
    if lesson.to is not None:
        write_new(lesson.to, learnt.to_json().decode(), force=lesson.force)
        return {"output": str(lesson.to)}
    if lesson.installed:
        with host.memory() as memory:
            if isinstance(learnt, TrainedHead):
                memory.use_head(learnt, keep=True)
            else:
                memory.use_hop_policy(learnt, keep=True)
    return {"installed": lesson.installed}


def compared(table: Sequence[Comparison]) -> Envelope:
    """Return a table as JSON."""
    kinds = [{**asdict(each), "gain": each.gain, "worse": each.worse} for each in table]
    return {"depths": list(DEPTHS), "kinds": kinds}


def print_table(console: Console, envelope: Envelope) -> None:
    """Print every kind before and after."""
    depths = [f"@{depth}" for depth in envelope["depths"]]
    table = Table("found, %", "n", *depths, "gain", box=SIMPLE_HEAD)
    for each in envelope["kinds"]:
        pairs = zip(each["default"], each["trained"], strict=True)
        cells = [f"{100 * before:.1f}→{100 * after:.1f}" for before, after in pairs]
        table.add_row(
            literal(each["kind"]), f"{each['questions']:,}", *cells, f"{100 * each['gain']:+.1f}".replace("-", "−")
        )
    console.print(table)


def close(console: Console, envelope: Envelope, *, nothing: str, unused: str | None) -> None:
    """Print what became of it.

    Args:
        console: Where.
        envelope: What is known of the training.
        nothing: What to say where nothing better was found.
        unused: The setting that leaves unused what was installed; None where none does.
    """
    if envelope["feedback"] == 0:
        console.print("[dim]this memory has no feedback yet: ntm_memory.feedback in clawhub.json lets it be kept[/]")
    if not envelope["scale"]:
        console.print(nothing)
    elif envelope["output"] is not None:
        console.print(f"[green]written[/] {literal(envelope['output'])}")
    elif envelope["installed"]:
        console.print(
            "[green]installed[/]: whoever opens this memory from now on looks with it; --remove takes it out again"
        )
        if unused is not None:
            console.print(f"[yellow]note:[/] clawhub.json says {unused}: false, so that it is not used")
    else:
        console.print("[dim]a dry run: nothing was kept[/]")
