"""Training a machine on a task: what is on the disk at every moment, and how a run goes on."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ntm_memory_skill.errors import InvalidArgument, TrainingDiverged, UnusableMachine
from ntm_memory_skill.hosts import tasks
from ntm_memory_skill.hosts.tasks import Ended, Files, Order
from ntm_memory_skill.ntm.training import Trainer
from ntm_memory_skill.store.fs import FileSystem
from tests.hosts.folders import bytes_in

SIZES = {"memory_size": 8, "memory_dim": 6, "hidden": 8}
QUICK = {"batch": 2, "updates": 4, "check_every": 1, "compiled": False}
FIELDS = {"update", "sequences", "level", "loss", "bits", "wrong", "seconds"}
NAMES = {"memory_size": "--memory-size", "seed": "--seed"}
KILLED = """
import itertools, sys
from pathlib import Path
from ntm_memory_skill.hosts import tasks
tasks.PAUSE = 0.0
order = tasks.Order(
    task="copy", machine={"memory_size": 8, "memory_dim": 6, "hidden": 8},
    training={"batch": 2, "updates": 100_000, "check_every": 1, "compiled": False},
)
files = tasks.Files(machine=Path(sys.argv[1]))
clock = itertools.count().__next__
tasks.train(tasks.start(order), files, clock=clock, shown=lambda check, _: print(check.update, flush=True))
"""


def order(**training: Any) -> Order:
    """Return a run of four updates of a tiny machine, a check after each."""
    return Order(task="copy", machine=SIZES, training={**QUICK, **training}, named=NAMES)


def ran(trainer: Trainer, files: Files, **how: Any) -> Ended:
    """Train with a clock that ticks a minute whenever it is read."""
    ticks = itertools.count(step=60)
    return tasks.train(trainer, files, clock=lambda: float(next(ticks)), **how)


def lines(files: Files) -> list[dict[str, Any]]:
    """Return what the log says, a check each."""
    return [json.loads(line) for line in files.log.read_text(encoding="utf-8").splitlines()]


def updates(files: Files) -> list[int]:
    """Return the updates at which the log has checks."""
    return [each["update"] for each in lines(files)]


def assert_same(path: Path, other: Path) -> None:
    """Compare two runs: every number that is kept, the settings and the checks."""
    one, two = load_file(path), load_file(other)
    assert one.keys() == two.keys()
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    first, second = tasks.read(path), tasks.read(other)
    assert (first.settings, first.checks, first.error) == (second.settings, second.checks, second.error)


def stop_at(update: int) -> Any:
    """Return a watcher that presses Ctrl-C once it is told of a check."""

    def shown(check: Any, seconds: float) -> None:
        if check.update == update:
            raise KeyboardInterrupt

    return shown


def break_at(trainer: Trainer, update: int, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the loss of an update be no number, or a weight after it "nan" or "inf"."""
    counted = itertools.count(1)
    if how == "loss":
        loss = trainer.task.loss

        def lost(outputs: Any, batch: Any) -> Any:
            return loss(outputs, batch) * (float("nan") if next(counted) == update else 1)

        monkeypatch.setattr(trainer.task, "loss", lost)
        return
    step = trainer.optimizer.step

    def stepped() -> None:
        step()
        if next(counted) == update:
            with torch.no_grad():
                bias = trainer.machine.get_parameter("controller.a")
                bias[-1] = float(how)  # of an output gate: infinite, it only opens it, and the cost stays a number

    monkeypatch.setattr(trainer.optimizer, "step", stepped)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Where a run is kept; the folder is not there yet."""
    return Files(machine=tmp_path / "machines" / "copy.safetensors", ours=True)


class TestKeeping:
    """What is written while a machine learns."""

    def test_every_check_is_a_line_of_the_log_and_the_machine_can_be_read(self, files: Files) -> None:
        """Nothing else is in the folder."""
        ended = ran(tasks.start(order()), files)
        assert (ended.kept, ended.interrupted) == (True, False)
        assert all(each.keys() == FIELDS for each in lines(files))
        kept = tasks.read(files.machine)
        assert [{**each, "seconds": 0} for each in lines(files)] == [
            {
                "update": check.update,
                "sequences": 2 * check.update,
                "level": 1,
                "loss": check.loss,
                "bits": check.bits,
                "wrong": check.wrong,
                "seconds": 0,
            }
            for check in kept.checks
        ]
        assert updates(files) == [1, 2, 3, 4]
        assert {each.name for each in files.machine.parent.iterdir()} == {"copy.safetensors", "copy.log.jsonl"}

    def test_the_disk_is_waited_for_seldom(self, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first check and the last are written; those between only when a while has passed."""
        written: list[Path] = []
        whole = FileSystem.replace

        def noted(disk: FileSystem, path: Path, data: bytes) -> Any:
            written.append(path)
            return whole(disk, path, data)

        monkeypatch.setattr(FileSystem, "replace", noted)
        tasks.train(tasks.start(order()), files, clock=lambda: 0.0)
        assert written == [files.machine] * 2
        ran(tasks.start(order()), files)
        assert written == [files.machine] * 6

    def test_one_thread_is_used_and_given_back(self, files: Files) -> None:
        """Also after an error."""
        seen = []
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            ran(tasks.start(order()), files, shown=lambda check, _: seen.append(torch.get_num_threads()))
            with pytest.raises(ZeroDivisionError):
                ran(tasks.start(order()), files, shown=lambda check, _: 1 // 0)
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)
        assert seen == [1, 1, 1, 1]

    def test_what_is_there_is_refused_unless_it_is_forced(self, files: Files, tmp_path: Path) -> None:
        """The log alone is enough; a folder that is not ours has to be there."""
        files.check_free(force=False)
        ran(tasks.start(order()), files)
        for missing in ((), (files.machine,)):
            for path in missing:
                path.unlink()
            with pytest.raises(InvalidArgument) as refused:
                files.check_free(force=False)
            assert "--resume" in refused.value.hint
            assert "--force" in refused.value.hint
            files.check_free(force=True)
        with pytest.raises(InvalidArgument):
            Files(machine=tmp_path / "missing" / "copy.safetensors").check_free(force=True)


class TestStopping:
    """A run that does not come to its end."""

    def test_a_run_that_is_gone_on_from_ends_as_an_uninterrupted_one(self, files: Files, tmp_path: Path) -> None:
        """To the bit, whatever stopped it; the log counts on, and so do the seconds."""
        other = Files(machine=tmp_path / "copy.safetensors")
        ran(tasks.start(order()), other)
        assert ran(tasks.start(order()), files, minutes=1).trainer.update == 1
        assert ran(tasks.resume(files.machine, order()), files, shown=stop_at(3)).interrupted
        assert tasks.read(files.machine).update == 3
        ran(tasks.resume(files.machine, order()), files)
        assert_same(files.machine, other.machine)
        assert [{**each, "seconds": 0} for each in lines(files)] == [{**each, "seconds": 0} for each in lines(other)]
        seconds = [each["seconds"] for each in lines(files)]
        assert seconds == sorted(set(seconds))

    def test_an_interruption_keeps_the_last_check_and_no_update_after_it(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The weights go on changing after a check; what is written is what the check saw."""
        weights = {}
        trainer = tasks.start(order(check_every=2))
        step = trainer._step

        def stepped(update: int) -> float:
            if update == 2:
                weights.update({name: value.clone() for name, value in trainer.machine.state_dict().items()})
            if update == 3:
                raise KeyboardInterrupt
            return step(update)

        monkeypatch.setattr(trainer, "_step", stepped)
        assert ran(trainer, files).interrupted
        kept = tasks.read(files.machine)
        assert kept.update == 2
        assert all(torch.equal(value, weights[name]) for name, value in kept.machine.state_dict().items())

    def test_before_the_first_check_nothing_is_written(
        self, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even the folder; compiling can be broken off."""

        def interrupted(update: int) -> float:
            raise KeyboardInterrupt

        trainer = tasks.start(order())
        monkeypatch.setattr(trainer, "_step", interrupted)
        ended = ran(trainer, files)
        assert (ended.kept, ended.interrupted) == (False, True)
        assert list(tmp_path.iterdir()) == []

    def test_an_interruption_in_the_middle_of_writing_leaves_no_half_file(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The checkpoint is written anew before the run ends."""
        whole, told = FileSystem.replace, []

        def broken(disk: FileSystem, path: Path, data: bytes) -> Any:
            told.append(path)
            if len(told) == 3:
                path.with_name(path.name + ".tmp").write_bytes(data[:100])
                raise KeyboardInterrupt
            return whole(disk, path, data)

        monkeypatch.setattr(FileSystem, "replace", broken)
        assert ran(tasks.start(order()), files).interrupted
        assert tasks.read(files.machine).update == 3
        assert {each.name for each in files.machine.parent.iterdir()} == {"copy.safetensors", "copy.log.jsonl"}

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
    def test_a_killed_process_leaves_a_machine_that_can_be_gone_on_from(self, files: Files) -> None:
        """Of every check that was shown; what was logged after the checkpoint happens once more."""
        files.machine.parent.mkdir()
        command = [sys.executable, "-c", KILLED, str(files.machine)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            shown = [int(process.stdout.readline()) for _ in range(3)]
            process.kill()
            process.stdout.read()
        assert shown == [1, 2, 3]
        reached = tasks.read(files.machine).update
        assert reached >= 3
        with files.log.open("ab") as log:
            log.write(b'{"update": 900, "seconds": 1e9}\n{"upd')
        trainer = tasks.resume(files.machine, order(updates=reached + 2))
        ran(trainer, files)
        assert updates(files) == list(range(1, reached + 3))


class TestDiverging:
    """A run whose loss or weights are no numbers any more."""

    @pytest.mark.parametrize("how", ["loss", "nan", "inf"])
    def test_the_last_good_checkpoint_stays_and_is_named(
        self, how: str, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though the disk had not been asked for it yet."""
        trainer = tasks.start(order())
        break_at(trainer, 3, how, monkeypatch)
        with pytest.raises(TrainingDiverged) as diverged:
            tasks.train(trainer, files, clock=lambda: 0.0)
        assert str(files.machine) in diverged.value.hint
        kept = tasks.read(files.machine)
        assert kept.update == 2
        assert updates(files) == [1, 2]
        weights = [*kept.machine.state_dict().values(), *kept.best.values()]
        assert all(bool(torch.isfinite(each).all()) for each in weights)

    def test_before_the_first_check_nothing_is_written(
        self, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And none is named."""
        trainer = tasks.start(order())
        break_at(trainer, 1, "loss", monkeypatch)
        with pytest.raises(TrainingDiverged) as diverged:
            ran(trainer, files)
        assert str(files.machine) not in diverged.value.hint
        assert list(tmp_path.iterdir()) == []


class TestGoingOn:
    """What may change in a run that goes on."""

    def test_updates_and_learning_rate_may_change(self, files: Files) -> None:
        """All else is as it was begun, though nothing is said of it."""
        ran(tasks.start(order(seed=7)), files)
        trainer = tasks.resume(files.machine, Order(task="copy", training={"updates": 6, "learning_rate": 0.01}))
        assert (trainer.settings.updates, trainer.settings.learning_rate) == (6, 0.01)
        assert (trainer.settings.seed, trainer.machine_settings.memory_size) == (7, 8)
        ran(trainer, files)
        assert updates(files) == [1, 2, 3, 4, 5, 6]

    @pytest.mark.parametrize(
        ("said", "named"),
        [
            (Order(task="copy", machine={"memory_size": 9}, named=NAMES), "--memory-size"),
            (Order(task="copy", machine={"kind": "dnc"}), "kind"),
            (Order(task="copy", training={"seed": 1}, named=NAMES), "--seed"),
            (Order(task="copy", training={"batch": 3}), "batch"),
            (Order(task="ngrams"), "--task"),
        ],
    )
    def test_anything_else_that_differs_is_refused_by_name(self, said: Order, named: str, files: Files) -> None:
        """The file stays as it is."""
        ran(tasks.start(order()), files)
        before = bytes_in(files.machine.parent)
        with pytest.raises(InvalidArgument) as refused:
            tasks.resume(files.machine, said)
        assert named in refused.value.message
        assert bytes_in(files.machine.parent) == before

    def test_a_file_that_is_missing_or_damaged_is_told_apart(self, files: Files, tmp_path: Path) -> None:
        """The one is a slip, the other a loss; a folder is no file."""
        with pytest.raises(InvalidArgument):
            tasks.resume(files.machine, order())
        ran(tasks.start(order()), files)
        files.machine.write_bytes(files.machine.read_bytes()[:-1])
        for path in (files.machine, tmp_path, tmp_path / "none.safetensors"):
            with pytest.raises(UnusableMachine) as refused:
                tasks.read(path)
            assert str(path) in refused.value.message


def test_costs_are_of_sequences_that_neither_training_nor_choosing_saw(files: Files) -> None:
    """The held-back ones chose the best; the same seed asks the same again, another asks others."""
    trainer = ran(tasks.start(order(seed=3)), files).trainer
    asked = tasks.costs(trainer, (5,), sequences=8)
    assert asked == tasks.costs(trainer, (5,), sequences=8, seed=4)
    assert asked != tasks.costs(trainer, (5,), sequences=8, seed=3)
    assert asked.keys() == {"5"}
    assert tasks.costs(trainer, sequences=1).keys() == trainer.task.tests.keys()
