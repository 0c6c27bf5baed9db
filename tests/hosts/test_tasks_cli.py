"""`ntm-memory train --task` and `ntm-memory tasks`: machines are trained, tested and drawn; nothing else is touched."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from ntm_memory_skill.hosts import drawing, tasks
from ntm_memory_skill.hosts.cli import tasks as command
from ntm_memory_skill.ntm.machines import MACHINES
from ntm_memory_skill.ntm.tasks import TASKS
from ntm_memory_skill.ntm.training import Check, Trainer, presets
from tests.hosts.command_line import Outcome, run_process
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in

SMALL = ("--memory-size=8", "--memory-dim=6", "--hidden=8")
QUICK = (*SMALL, "--batch=2", "--updates=4", "--no-compile")
TRAIN = ("train", "--task", "copy", *QUICK)
ENVELOPE = {
    "ok",
    "task",
    "machine",
    "solved",
    "updates",
    "sequences",
    "seconds",
    "compiled",
    "tests",
    "output",
    "log",
}
ERROR = ("invalid_argument", 1)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check after each update, where the preset has one after a hundred, and short sequences in it."""
    monkeypatch.setitem(presets.PRESETS, "copy", presets.Preset({}, {"check_every": 1}))
    monkeypatch.setattr(TASKS["copy"], "tests", {"3": (3,), "5": (5,)})


@pytest.fixture
def machines(path: Path) -> Path:
    """The folder beside the memory that machines are kept in."""
    return path.parent / "machines"


@pytest.fixture
def trained(cli: CommandLine, machines: Path) -> Path:
    """A machine that was trained on copy, a little."""
    assert cli(*TRAIN, "--json").envelope["ok"]
    return machines / "copy.safetensors"


def refused(outcome: Outcome) -> dict[str, Any]:
    """Return the error of an argument that was refused."""
    assert (outcome.code, outcome.status) == ERROR
    error: dict[str, Any] = outcome.envelope["error"]
    return error


def pixels(picture: Path) -> np.ndarray:
    """Return a picture as numbers."""
    with Image.open(picture) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("L"), dtype=float)


class TestTraining:
    """`train --task`."""

    def test_a_machine_is_kept_beside_the_memory_and_measured(
        self, cli: CommandLine, machines: Path, tmp_path: Path
    ) -> None:
        """Two files, and nothing else anywhere; there need not be a memory."""
        envelope = cli(*TRAIN, "--json").envelope
        assert envelope.keys() == ENVELOPE
        told = [envelope[name] for name in ("task", "machine", "solved", "updates", "sequences", "compiled")]
        assert told == ["copy", "ntm", False, 4, 8, False]
        assert envelope["tests"].keys() == {"3", "5"}
        assert all(0 <= each["wrong"] <= 1 < each["bits"] for each in envelope["tests"].values())
        assert envelope["output"] == str(machines / "copy.safetensors")
        assert envelope["log"] == str(machines / "copy.log.jsonl")
        found = {name for name, data in bytes_in(tmp_path).items() if data is not None}
        assert found == {"memory/machines/copy.safetensors", "memory/machines/copy.log.jsonl"}
        logged = [json.loads(line) for line in Path(envelope["log"]).read_text(encoding="utf-8").splitlines()]
        assert [each["update"] for each in logged] == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("said", "name", "fields"),
        [
            (["--machine=dnc", "--heads=2"], "copy-dnc", {"kind": "dnc", "num_read_heads": 2}),
            (["--machine=mann", "--heads=2"], "copy-mann", {"kind": "mann", "num_read_heads": 2, "num_write_heads": 2}),
            (
                ["--write-heads=2", "--controller=feedforward", "--initialization=learned"],
                "copy",
                {"num_write_heads": 2, "controller": "feedforward", "initialization": "learned"},
            ),
        ],
    )
    def test_a_machine_is_as_large_as_it_was_said_to_be(
        self, said: list[str], name: str, fields: dict[str, Any], cli: CommandLine, machines: Path
    ) -> None:
        """And the rest is the preset's; a machine that is no NTM has its kind in its file's name."""
        assert cli(*TRAIN, "--seed=5", "--learning-rate=0.25", *said, "--json").status == 0
        trainer = tasks.read(machines / f"{name}.safetensors")
        wanted = {"memory_size": 8, "memory_dim": 6, "hidden": 8, **fields}
        assert {name: getattr(trainer.machine_settings, name) for name in wanted} == wanted
        settings = trainer.settings
        assert (settings.seed, settings.learning_rate, settings.batch, settings.compiled) == (5, 0.25, 2, False)
        assert settings.check_every == 1

    def test_what_is_there_is_neither_overwritten_nor_gone_on_from_unasked(
        self, cli: CommandLine, trained: Path, machines: Path
    ) -> None:
        """Both ways out are named; --force begins anew, --resume goes on."""
        before = bytes_in(machines)
        hint = refused(cli(*TRAIN, "--json"))["hint"]
        assert "--resume" in hint
        assert "--force" in hint
        assert bytes_in(machines) == before
        more = ("train", "--task", "copy", "--updates=6", "--resume", "--json")
        assert cli(*more).envelope["updates"] == 6
        assert cli(*more).envelope["updates"] == 6  # there is nothing more to do
        assert cli(*TRAIN, "--force", "--json").envelope["updates"] == 4
        assert len((machines / "copy.log.jsonl").read_text(encoding="utf-8").splitlines()) == 4

    def test_a_stopped_run_goes_on_to_the_same_end(self, cli: CommandLine, trained: Path, here: Path) -> None:
        """Minutes that are over after the first check, and then the rest."""
        first = cli(*TRAIN, "--output=other.safetensors", "--minutes=1e-9", "--json").envelope
        assert (first["updates"], first["output"]) == (1, "other.safetensors")
        last = cli("train", "--task=copy", "--output=other.safetensors", "--resume", "--json").envelope
        assert last["updates"] == 4
        assert last["tests"] == cli("tasks", "test", "copy", "--json").envelope["tests"]
        assert tasks.read(here / "other.safetensors").checks == tasks.read(trained).checks

    def test_ctrl_c_ends_with_what_there_is(
        self, cli: CommandLine, machines: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is no failure, and says how to go on; before the first check there is nothing."""
        step = Trainer._step

        def interrupted(trainer: Trainer, update: int) -> float:
            if update == reached:
                raise KeyboardInterrupt
            return step(trainer, update)

        monkeypatch.setattr(Trainer, "_step", interrupted)
        reached = 0
        outcome = cli(*TRAIN)
        assert (outcome.status, machines.exists()) == (0, False)
        envelope = cli(*TRAIN, "--json").envelope
        assert (envelope["updates"], envelope["output"], envelope["tests"]) == (0, None, {})
        reached = 2
        outcome = cli(*TRAIN)
        assert outcome.status == 0
        assert "--resume" in outcome.out
        assert tasks.read(machines / "copy.safetensors").update == 2

    def test_a_run_that_diverges_says_where_the_last_good_machine_is(
        self, cli: CommandLine, machines: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And can be gone on from."""
        loss = TASKS["copy"].loss
        told: list[int] = []

        def lost(task: Any, outputs: Any, batch: Any) -> Any:
            told.append(1)
            return loss(task, outputs, batch) * (float("nan") if len(told) == 3 else 1)

        monkeypatch.setattr(TASKS["copy"], "loss", lost)
        outcome = cli(*TRAIN, "--json")
        assert (outcome.status, outcome.code) == (1, "training_diverged")
        assert str(machines / "copy.safetensors") in outcome.envelope["error"]["hint"]
        assert tasks.read(machines / "copy.safetensors").update == 2
        assert cli("train", "--task=copy", "--resume", "--learning-rate=0.0001", "--json").envelope["updates"] == 4

    def test_a_person_sees_a_table_and_where_it_is_kept(self, cli: CommandLine, machines: Path) -> None:
        """Nothing on standard error where nobody watches."""
        outcome = cli(*TRAIN)
        assert (outcome.status, outcome.err) == (0, "")
        assert {line.split()[0] for line in outcome.out.splitlines() if line.strip()} >= {"3", "5"}
        assert "4 updates · 8 sequences" in outcome.out
        assert str(machines / "copy.safetensors") in outcome.out

    @pytest.mark.parametrize("compiled", [True, False])
    def test_whoever_watches_sees_how_far_it_is(self, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """First that compiling takes a while, if it does; then level, cost and pace."""
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True, width=200)
        monkeypatch.setattr(command, "Console", lambda **_: console)
        trainer = tasks.start(tasks.Order(task="copy", training={"compiled": compiled, "batch": 8}))
        with command._display(trainer, wanted=True) as shown:
            assert shown is not None
            assert ("compiling" in screen.getvalue()) == compiled
            shown(Check(100, 800, 1, 0.5, 12.34, 0.25), 10.0)
            shown(Check(200, 1600, 2, 0.25, 1.5, 0.125), 12.0)
        last = screen.getvalue()
        assert all(each in last for each in ("level 2", "1.50 bits", "12.50 % wrong", "loss 0.2500", "400 sequences/s"))
        with command._display(trainer, wanted=False) as shown:
            assert shown is None


class TestRefusing:
    """What is not done."""

    @pytest.mark.parametrize(
        "option",
        [
            "--feedback",
            "--consolidation=0",
            "--steps=20",
            "--dry-run",
            "--remove",
        ],
    )
    def test_what_is_for_the_head_alone_is_refused_with_a_task(
        self, option: str, cli: CommandLine, machines: Path
    ) -> None:
        """By its name, before anything is written; so are question sets."""
        assert option.split("=", maxsplit=1)[0] in refused(cli(*TRAIN, option, "--json"))["message"]
        assert "PATH" in refused(cli(*TRAIN, "questions.json", "--json"))["message"]
        assert not machines.exists()

    @pytest.mark.parametrize(
        "option",
        [
            "--machine=ntm",
            "--memory-size=8",
            "--memory-dim=8",
            "--write-heads=1",
            "--batch=2",
            "--updates=4",
            "--minutes=1",
            "--resume",
            "--no-compile",
        ],
    )
    def test_what_is_for_machines_alone_is_refused_without_a_task(self, option: str, cli: CommandLine) -> None:
        """By its name, whatever else was said."""
        for other in ([], ["--remove"], ["questions.json"]):
            assert option.split("=", maxsplit=1)[0] in refused(cli("train", option, *other, "--json"))["message"]

    @pytest.mark.parametrize(
        "said",
        [
            ["--task=none"],
            ["--task=../copy"],
            ["--task=copy", "--controller=linear"],
            ["--task=copy", "--learning-rate=0"],
            ["--task=copy", "--learning-rate=nan"],
            ["--task=copy", "--minutes=0"],
            ["--task=copy", "--minutes=nan"],
            ["--task=copy", "--memory-size=2", "--heads=2"],
            ["--task=copy", "--memory-size=65537"],
            ["--task=copy", "--machine=dnc", "--write-heads=2"],
            ["--task=copy", "--machine=mann", "--write-heads=2"],
            ["--task=copy", "--resume"],
            ["--task=none", "--resume"],
            ["--task=copy", "--resume", "--force"],
            ["--task=copy", "--output=missing/copy.safetensors"],
        ],
        ids=" ".join,
    )
    def test_arguments_out_of_range_are_refused_before_anything_is_written(
        self, said: Sequence[str], cli: CommandLine, tmp_path: Path
    ) -> None:
        """No folder is made."""
        before = bytes_in(tmp_path)
        refused(cli("train", *said, "--json"))
        assert bytes_in(tmp_path) == before

    @pytest.mark.parametrize(
        "option", ["--memory-size=0", "--memory-dim=0", "--write-heads=0", "--batch=0", "--updates=0", "--machine=x"]
    )
    def test_wrong_usage_exits_with_2(self, option: str, cli: CommandLine) -> None:
        """As for every command."""
        assert cli("train", "--task=copy", option).status == 2

    @pytest.mark.parametrize(
        ("said", "named"),
        [
            ("--memory-size=9", "--memory-size"),
            ("--machine=dnc", "--machine"),
            ("--controller=feedforward", "--controller"),
            ("--heads=2", "--heads"),
            ("--batch=3", "--batch"),
            ("--seed=1", "--seed"),
            ("--initialization=learned", "--initialization"),
        ],
    )
    def test_going_on_with_another_machine_is_refused_by_the_options_name(
        self, said: str, named: str, cli: CommandLine, trained: Path, machines: Path
    ) -> None:
        """The file is the one that was named; what is the same may be said again."""
        before = bytes_in(machines)
        line = ("train", "--task=copy", "--resume", "--output", trained, "--json")
        assert named in refused(cli(*line, said))["message"]
        assert bytes_in(machines) == before
        assert cli(*line, *QUICK).envelope["updates"] == 4

    def test_the_enumerated_machines_are_machines(self) -> None:
        """The command line says their names without loading torch."""
        assert set(command.Kind) <= set(MACHINES)


class TestLooking:
    """`tasks list` and `tasks test`."""

    def test_tasks_and_machines_are_listed(self, cli: CommandLine, machines: Path) -> None:
        """A file that is no machine is said to be none; where there is no folder, none is made."""
        assert cli("tasks", "list", "--json").envelope["machines"] == []
        assert not machines.exists()
        cli(*TRAIN)
        (machines / "bad.safetensors").write_bytes(b"no machine")
        envelope = cli("tasks", "list", "--json").envelope
        assert [each["name"] for each in envelope["tasks"]] == list(TASKS)
        bad, copy = envelope["machines"]
        assert bad.keys() == {"file", "error"}
        assert (copy["file"], copy["task"], copy["machine"], copy["updates"]) == ("copy.safetensors", "copy", "ntm", 4)
        shown = cli("tasks", "list").out
        assert all(name in shown for name in (*TASKS, "bad.safetensors", "copy.safetensors"))

    def test_a_machine_is_asked_about_any_size(self, cli: CommandLine, trained: Path) -> None:
        """Named by its task or by its file; the same seed asks the same."""
        asked = ("--size=3", "--sequences=8", "--seed=1", "--json")
        envelope = cli("tasks", "test", "copy", *asked).envelope
        assert envelope.keys() == {"ok", "task", "machine", "file", "sequences", "tests"}
        assert envelope["tests"].keys() == {"3"}
        assert cli("tasks", "test", trained, *asked).envelope["tests"] == envelope["tests"]
        assert "bits per sequence" in cli("tasks", "test", "copy", "--size=3").out

    @pytest.mark.parametrize("size", ["0", "-1", "3x3", "x", "", "1.5", "10001", "99999x99999", "²"])
    def test_a_size_that_is_none_is_refused(self, size: str, cli: CommandLine, trained: Path) -> None:
        """By test and plot alike; nothing is drawn."""
        refused(cli("tasks", "test", "copy", f"--size={size}", "--json"))
        refused(cli("tasks", "plot", "copy", f"--size={size}", "--json"))
        assert not trained.with_suffix(".png").exists()

    @pytest.mark.parametrize("verb", ["test", "plot"])
    def test_a_machine_that_is_not_there_or_damaged_is_told(self, verb: str, cli: CommandLine, trained: Path) -> None:
        """A name of nothing is a slip; a file that cannot be used is its own error."""
        assert "copy" in refused(cli("tasks", verb, "ngrams", "--json"))["hint"]
        trained.write_bytes(trained.read_bytes()[:-7])
        for named in ("copy", trained, "none.safetensors"):
            outcome = cli("tasks", verb, named, "--json")
            assert (outcome.status, outcome.code) == (1, "unusable_machine")


class TestPlotting:
    """`tasks plot`."""

    def test_a_picture_is_drawn_beside_the_machine_once(self, cli: CommandLine, trained: Path, machines: Path) -> None:
        """It is not overwritten unless that is wanted; another name and another size are another picture."""
        before = bytes_in(machines)
        assert cli("tasks", "plot", "copy", "--json").envelope["output"] == str(machines / "copy.png")
        picture = machines / "copy.png"
        assert pixels(picture).std() > 0
        assert bytes_in(machines).keys() == {*before, "copy.png"}
        drawn = picture.read_bytes()
        refused(cli("tasks", "plot", "copy", "--size=5", "--json"))
        assert picture.read_bytes() == drawn
        assert cli("tasks", "plot", trained, "--size=5", "--output", machines / "small.png").status == 0
        assert (pixels(machines / "small.png") != pixels(picture)).any()
        assert cli("tasks", "plot", "copy", "--size=5", "--force").status == 0
        assert picture.read_bytes() == (machines / "small.png").read_bytes()

    @pytest.mark.parametrize("machine", ["dnc", "mann"])
    def test_every_kind_of_machine_can_be_drawn(self, machine: str, cli: CommandLine, machines: Path) -> None:
        """With several heads, too."""
        cli(*TRAIN, f"--machine={machine}", "--heads=2")
        assert cli("tasks", "plot", f"copy-{machine}", "--size=4").status == 0
        assert pixels(machines / f"copy-{machine}.png").std() > 0

    def test_nothing_is_written_at_home(self, trained: Path, path: Path, tmp_path: Path) -> None:
        """Where matplotlib would keep a list of fonts."""
        home = tmp_path / "home"
        home.mkdir()
        environment = {"HOME": str(home), "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "MPLCONFIGDIR": ""}
        outcome = run_process("--memory", path, "tasks", "plot", "copy", "--size=3", "--json", environment=environment)
        assert outcome.envelope["ok"]
        assert list(home.iterdir()) == []

    def test_without_matplotlib_it_is_said_what_to_install(
        self, cli: CommandLine, trained: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And nothing is written."""
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        assert "ntm-memory-skill[plots]" in refused(cli("tasks", "plot", "copy", "--json"))["hint"]
        assert not trained.with_suffix(".png").exists()

    def test_the_window_follows_the_heads_around_the_ring(self) -> None:
        """From the last slot to the first is a step as any other."""

        def seen(*slots: int) -> drawing.Seen:
            weights = np.zeros((2, 1, 64))
            weights[0, 0, list(slots)] = 1.0
            nothing = np.zeros((2, 1))
            rows = np.zeros((2, 1, 3))
            return drawing.Seen(
                inputs=nothing,
                targets=nothing,
                outputs=nothing,
                judged=np.zeros(2, dtype=bool),
                written=rows,
                read=rows,
                write_weights=weights,
                read_weights=np.zeros((2, 1, 64)),
            )

        assert drawing.window(seen(10, 12)) == (10 - drawing.AROUND, 3 + 2 * drawing.AROUND)
        assert drawing.window(seen(62, 63, 0, 1)) == (62 - drawing.AROUND, 4 + 2 * drawing.AROUND)
        assert drawing.window(seen(5)) == (5 - drawing.AROUND, 1 + 2 * drawing.AROUND)
        assert drawing.window(seen(0, 21, 42)) == (0 - drawing.AROUND, 43 + 2 * drawing.AROUND)
        assert drawing.window(seen()) == (0, 64)
        assert drawing.window(seen(*range(60))) == (0, 64)

    def test_steps_of_level_are_marked_in_the_curve(self, cli: CommandLine, trained: Path) -> None:
        """A run that rose to a level looks otherwise than one that was there all along."""
        seen = drawing.watch(tasks.read(trained), (3,), 0)
        level, rising = (
            [Check(update, 2 * update, at, 0.7, 160.0 / update, 0.4) for update, at in enumerate(levels, 1)]
            for levels in ((2, 2, 2), (1, 1, 2))
        )
        assert drawing.png("t", rising, seen) != drawing.png("t", level, seen)


def test_the_help_loads_no_torch() -> None:
    """Names of tasks and machines are options, not imports."""
    program = (
        "import sys; from ntm_memory_skill.hosts.cli import run\n"
        "lines = ('train --help', 'tasks --help', 'tasks plot --help')\n"
        "print([run(line.split()) for line in lines], file=sys.stderr)\n"
        "print([name for name in ('torch', 'matplotlib') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["[0, 0, 0]", "[]"]
