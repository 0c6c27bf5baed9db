"""Training a machine on a task: where its file is, what is kept while it learns, and how a run is gone on from.

The law: what is on the disk is always a whole run as it was at a check whose weights are numbers. A checkpoint replaces
the one before it in one step; a run that is stopped, killed or diverges leaves the last one, and going on from it ends
where an uninterrupted run does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntm_memory_skill.config import Config
from ntm_memory_skill.errors import InvalidArgument, TrainingDiverged, UnusableMachine
from ntm_memory_skill.hosts.report import check_free
from ntm_memory_skill.store.fs import FileSystem, translated

if TYPE_CHECKING:  # torch alone takes a second: it is loaded once there is something to train
    from ntm_memory_skill.ntm.tasks import Size
    from ntm_memory_skill.ntm.training import Check, Trainer

FOLDER = "machines"
ENDING = ".safetensors"
TEST_SEQUENCES = 64
PAUSE = 5.0
"""Seconds between two checkpoints at least: a disk is waited for seldom, and little is lost."""
MAY_CHANGE = ("updates", "learning_rate", "compiled")
"""Settings of training that a run may go on with in place of its own."""

Clock = Callable[[], float]
"""Returns seconds that only ever grow, as `time.monotonic`."""
Shown = Callable[["Check", float], None]
"""Is told of each check, and of the seconds that training took up to it."""
Costs = dict[str, dict[str, float]]
"""Bits for each sequence and the share of wrong bits, by the name of a size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where a run is kept: the machine, and beside it a line for each check."""

    machine: Path
    ours: bool = False
    """Whether the folder is ours, to be made where it is missing."""

    @property
    def log(self) -> Path:
        """The learning curve, as JSON lines."""
        return self.machine.with_name(f"{self.machine.stem}.log.jsonl")

    def check_free(self, *, force: bool) -> None:
        """Refuse what is there, before it takes long to find out.

        Raises:
            InvalidArgument: One of the files exists, and `force` is off; or the folder does not, and is not ours.
        """
        with translated(self.machine):
            there = [path for path in (self.machine, self.log) if path.exists()]
        if there and not force:
            raise InvalidArgument(f"{there[0]} exists", hint="Go on from it with --resume, or start anew with --force.")
        if not self.ours:
            check_free(self.machine, force=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is to be: only what was said, the rest is the task's preset."""

    task: str
    machine: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `MachineSettings`."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `TrainingSettings`."""
    named: Mapping[str, str] = field(default_factory=dict)
    """How whoever said them calls the fields, for what is refused."""

    @property
    def kind(self) -> str | None:
        """The kind of machine; None is the usual one."""
        kind: str | None = self.machine.get("kind")
        return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that has come to its end, or was stopped."""

    trainer: Trainer
    seconds: float
    """Of training, those before it was gone on from included."""
    interrupted: bool
    """Whether somebody stopped it by hand."""
    kept: bool
    """Whether there is a file of it: not before the first check."""


def folder(config: Config) -> Path:
    """Return where the machines of the configured memory are kept."""
    return config.memory_file.parent / FOLDER


def kept_in(folder: Path, task: str, kind: str | None = None) -> Path:
    """Return the file of the machine of a kind that learns a task; that of the usual kind has the task's name alone."""
    from ntm_memory_skill.ntm.training import usual_kind

    usual = kind is None or kind == usual_kind(task)
    return folder / (f"{task}{ENDING}" if usual else f"{task}-{kind}{ENDING}")


def start(order: Order) -> Trainer:
    """Return a run at its beginning. Raises InvalidArgument for an unknown task, or settings out of range."""
    from ntm_memory_skill.ntm.tasks import task_named
    from ntm_memory_skill.ntm.training import Trainer, preset

    task = task_named(order.task)
    return Trainer(task, *preset(task, machine=dict(order.machine), training=dict(order.training)))


def resume(path: Path, order: Order) -> Trainer:
    """Return a run as it was kept, to go on with what may change.

    Raises:
        InvalidArgument: There is no such file, or it is of another task, or what was said is not how it was begun.
        UnusableMachine: It cannot be read, or is no machine's file.
    """
    from ntm_memory_skill.ntm.tasks import task_named

    task_named(order.task)
    with translated(path):
        there = path.exists()
    if not there:
        raise InvalidArgument(f"there is no {path} to go on from", hint="Leave out --resume to begin.")
    trainer = read(path, **{name: value for name, value in order.training.items() if name in MAY_CHANGE})
    if trainer.task.name != order.task:
        raise InvalidArgument(f"--task is {order.task}, and {path} learns {trainer.task.name}", hint="Name its task.")
    begun = asdict(trainer.machine_settings) | asdict(trainer.settings)
    for name, value in {**order.machine, **order.training}.items():
        if value != begun[name]:
            message = f"{order.named.get(name, name)} is {value}, and {path} was begun with {begun[name]}"
            raise InvalidArgument(message, hint="Leave it out to go on, or start anew with --force.")
    return trainer


def read(path: Path, **changed: Any) -> Trainer:
    """Return the run that a file holds, with some settings of training changed.

    Raises:
        UnusableMachine: It cannot be read, or is no machine's file.
        InvalidArgument: A changed setting is out of range.
    """
    from ntm_memory_skill.ntm.training import from_bytes

    hint = "Check the name and the permissions."
    try:
        if path.exists() and not path.is_file():
            raise UnusableMachine(f"{path} is no file", hint=hint)
        data = path.read_bytes()
    except OSError as error:
        raise UnusableMachine(f"{path}: {error.strerror}", hint=hint) from error
    except ValueError as error:
        raise UnusableMachine(f"{str(path)!r} is no name that a file can have") from error
    try:
        return from_bytes(data, **changed)
    except UnusableMachine as error:
        raise UnusableMachine(f"{path}: {error.message}", hint=error.hint) from error


def named(config: Config, target: str) -> tuple[Path, Trainer]:
    """Return the machine that somebody means: a name alone is one beside the memory, all else is a file.

    Raises:
        InvalidArgument: No machine of that name was trained.
        UnusableMachine: The file is none.
    """
    from ntm_memory_skill.ntm.tasks import TASKS

    path = Path(target)
    if path.name == target and not path.suffix:
        path = kept_in(folder(config), target)
        if not path.is_file():
            hint = f"`ntm-memory tasks list` shows those that are there; the tasks are: {', '.join(TASKS)}."
            raise InvalidArgument(f"no machine {target!r} was trained: there is no {path}", hint=hint)
    return path, read(path, compiled=False)


def train(
    trainer: Trainer, files: Files, *, clock: Clock, minutes: float | None = None, shown: Shown | None = None
) -> Ended:
    """Train until it is finished, the minutes are over or somebody presses Ctrl-C; keep every check.

    Args:
        trainer: A run at its beginning, or as it was kept in `files`.
        files: Where it is kept; what is there is replaced at the first check. The folder is made if it is missing.
        clock: Tells how long it takes.
        minutes: After so many of them no more updates are begun, once a check is made.
        shown: Is told of each check.

    Raises:
        TrainingDiverged: The loss or a weight is no number any more; the hint names the checkpoint that is left.
        StoreError: A file cannot be written.
    """
    keeping = _Keeping(files, trainer, clock)
    interrupted = False
    with one_thread():
        try:
            for check in trainer.run():
                _refuse_diverged(trainer, check)
                seconds = keeping.keep(check)
                if shown is not None:
                    shown(check, seconds)
                if minutes is not None and keeping.passed >= 60 * minutes:
                    break
        except KeyboardInterrupt:
            interrupted = True
        except TrainingDiverged as error:
            raise TrainingDiverged(error.message, hint=keeping.way_on()) from error
        finally:
            keeping.settle()
    return Ended(trainer=trainer, seconds=keeping.seconds, interrupted=interrupted, kept=keeping.kept)


def costs(
    trainer: Trainer, size: Size | None = None, sequences: int = TEST_SEQUENCES, seed: int | None = None
) -> Costs:
    """Return what the best machine costs on sequences that it has not seen.

    Args:
        trainer: A run that has made a check.
        size: How large they are; None asks for each of the task's test sizes.
        sequences: How many, 1 and up.
        seed: 0 and up; None is one that is neither training's nor the one by which the best was chosen.

    Raises:
        InvalidArgument: The task has no such size.
    """
    seed = trainer.settings.seed + 1 if seed is None else seed
    sizes = dict(trainer.task.tests) if size is None else {"x".join(map(str, size)): size}
    with one_thread():
        found = {name: trainer.evaluate(each, sequences, seed) for name, each in sizes.items()}
    return {name: {"bits": bits, "wrong": wrong} for name, (bits, wrong) in found.items()}


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch calculate on one thread for a block: its tensors are so small that to share them out takes longer."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Keeping:
    """The files of a run while it learns."""

    def __init__(self, files: Files, trainer: Trainer, clock: Clock) -> None:
        self._files = files
        self._trainer = trainer
        self._clock = clock
        self._began = clock()
        self._disk = FileSystem()
        self._logged, self.seconds = _read_log(files.log, trainer.update) if trainer.checks else (0, 0.0)
        self._before = self.seconds
        self._written: float | None = None
        self._waiting: bytes | None = None
        self._update = trainer.update

    @property
    def passed(self) -> float:
        """Seconds since it was begun or gone on with."""
        return self._clock() - self._began

    @property
    def kept(self) -> bool:
        """Whether there is a checkpoint."""
        return self._update > 0

    def keep(self, check: Check) -> float:
        """Keep a run as it is at a check, and return the seconds that training took up to it.

        The bytes are taken at once, so that what is written later holds none of the updates after the check. The
        checkpoint goes first: a log never stands where no machine is.
        """
        from ntm_memory_skill.ntm.training import to_bytes

        self.seconds = self._before + self.passed
        self._waiting = to_bytes(self._trainer)
        self._update = check.update
        if self._written is None or self._clock() - self._written >= PAUSE:
            self.settle()
        line = json.dumps({**asdict(check), "seconds": round(self.seconds, 3)}) + "\n"
        self._disk.append(self._files.log, line.encode(), self._logged, sync=False)
        self._logged += len(line)
        return self.seconds

    def settle(self) -> None:
        """Write the checkpoint that waits, if one does. After an interruption it is tried anew from the beginning."""
        if self._waiting is not None:
            self._disk.make_folder(self._files.machine.parent)
            self._disk.replace(self._files.machine, self._waiting)
            self._waiting, self._written = None, self._clock()

    def way_on(self) -> str:
        """Return what to do once training has diverged."""
        if not self.kept:
            return "No check was made, so nothing was written: start with a smaller --learning-rate or another --seed."
        return (
            f"The last good checkpoint, of update {self._update}, is in {self._files.machine}: go on from it with "
            "--resume and a smaller --learning-rate, or start anew with another --seed and --force."
        )


def _refuse_diverged(trainer: Trainer, check: Check) -> None:
    """Refuse weights that the last update before a check has made useless, though what they cost was still a number."""
    import torch

    if not all(bool(torch.isfinite(each).all()) for each in trainer.machine.state_dict().values()):
        raise TrainingDiverged(f"after update {check.update} some weights are no numbers")


def _read_log(path: Path, update: int) -> tuple[int, float]:
    """Return where in a log to go on, and the seconds that the last line before it says.

    What a killed process has logged after its last checkpoint happens once more, so those lines are left out.
    """
    found = FileSystem().read(path)
    end, seconds = 0, 0.0
    for line in (b"" if found is None else found[0]).splitlines(keepends=True):
        try:
            said = json.loads(line)
            if not line.endswith(b"\n") or said["update"] > update:
                break
            seconds = float(said["seconds"])
        except (ValueError, TypeError, KeyError):
            break
        end += len(line)
    return end, seconds
