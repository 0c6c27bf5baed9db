"""`ntm-memory train`: a head that is better is installed, one that is worse is refused, and nothing else changes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.hosts import training
from ntm_memory_skill.learning import Comparison, Scene, Trained, TrainingSettings
from ntm_memory_skill.learning.feedback import FEEDBACK
from ntm_memory_skill.learning.fitting import CHECK_EVERY
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.model import Feedback
from ntm_memory_skill.store import DirectoryStore
from tests.conftest import EPOCH
from tests.evaluation import sets
from tests.hosts.command_line import Outcome, run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in
from tests.learning.made_up import head

ENVELOPE = {
    "ok",
    "version",
    "encoder",
    "controller",
    "heads",
    "hidden",
    "learning_rate",
    "initialization",
    "seed",
    "steps",
    "scale",
    "feedback",
    "depths",
    "kinds",
    "installed",
    "output",
}
KIND = {"kind", "questions", "default", "trained", "errors", "gain", "worse"}
WORDS = """anchor basket candle dolphin engine falcon garden harbour island jacket kettle lantern marble needle orchard
pepper quarry ribbon saddle timber urchin velvet walnut yarrow zither""".split()
QUICK = ("--learning-rate", "0.02", "--steps", "60")


def chats(answer: int) -> list[dict[str, Any]]:
    """Return memories in which what answers a question stands so many places behind what shares its words."""
    rng = random.Random(answer)  # noqa: S311  # repeatable is the point
    found = []
    for _ in range(2):
        texts = [" ".join(rng.sample(WORDS, 6)) for _ in range(24)]
        memories = [
            {"content": text, "ref": str(number), "session": "s", "at": (EPOCH + timedelta(minutes=number)).isoformat()}
            for number, text in enumerate(texts)
        ]
        asked = [{"question": texts[number], "gold": [str(number + answer)]} for number in range(20)]
        found.append({"memories": memories, "questions": asked})
    return found


@pytest.fixture
def behind(tmp_path: Path) -> Path:
    """Questions whose answers stand two places behind the match: the default head does not find them first."""
    return sets.written(tmp_path / "data" / "behind.json", chats(2))


@pytest.fixture
def exact(tmp_path: Path) -> Path:
    """Questions whose answers are the match: the default head has them first."""
    return sets.written(tmp_path / "data" / "exact.json", chats(0))


@dataclass
class Stub:
    """Stands for the training: notes how it was to be done, and gives what it was told to give."""

    given: Trained
    scenes: list[Scene] = field(default_factory=list)
    settings: list[TrainingSettings] = field(default_factory=list)

    def __call__(
        self, scenes: list[Scene], addressing: object, encoder: str, settings: TrainingSettings, *, progress: object
    ) -> Trained:
        """Train nothing."""
        self.scenes.extend(scenes)
        self.settings.append(settings)
        return self.given


def result(after: float, scale: float = 1.0) -> Trained:
    """Return a head that found half before, and so much now."""
    table = (Comparison("mine.jsonl", 10_000, (0.5,) * len(DEPTHS), (after,) * len(DEPTHS), (0.001,) * len(DEPTHS)),)
    same = (replace(table[0], trained=table[0].default),)
    return Trained(head(1, scale=scale), 40, table if scale else same, table)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """In place of the training: a head that is better."""
    stub = Stub(result(0.9))
    monkeypatch.setattr(training, "train", stub)
    return stub


def kept(path: Path) -> bytes | None:
    """Return the head that is installed beside a memory."""
    return DirectoryStore(path, clock=lambda: EPOCH).beside("head")


def configure(here: Path, **memory: object) -> None:
    """Write a clawhub.json."""
    sets.written(here / "clawhub.json", {"plugins": {PLUGIN: {"config": {"ntm_memory": memory}}}})


class TestInstalling:
    """Where a head goes that is better."""

    def test_a_better_head_is_installed_and_looks_from_then_on(
        self, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """Every kind is reported before and after; `eval` has a row for it, and finds more with it."""
        envelope = cli("train", behind, *QUICK, "--json").envelope
        assert envelope.keys() == ENVELOPE
        assert (envelope["installed"], envelope["output"]) == (True, None)
        (kind,) = envelope["kinds"]
        assert kind.keys() == KIND
        assert (kind["kind"], kind["questions"]) == ("behind.json", 40)
        assert kind["trained"][0] > kind["default"][0]
        assert envelope["depths"] == list(DEPTHS)
        with NTMMemoryManager.open(owned, encoder=HashedEncoder()) as memory:
            assert memory.head is not None
            assert memory.head.scale == envelope["scale"] > 0
        rows = cli("eval", behind, "--json").envelope["sets"][0]["rows"]
        first = {row["name"]: row["overall"]["metrics"]["recall@1"]["mean"] for row in rows}
        assert first["trained"] > first["default"]

    def test_nothing_but_the_heads_file_is_new(self, stub: Stub, cli: CommandLine, owned: Path, behind: Path) -> None:
        """The memories are as they were."""
        before = bytes_in(owned.parent)
        assert cli("train", behind).status == 0
        after = bytes_in(owned.parent)
        changed = {name for name in after if after[name] != before.get(name)}
        assert {name for name in changed if not name.endswith((".lock", ".writer"))} == {"ntm_memory.head.json"}

    def test_a_dry_run_keeps_nothing(self, stub: Stub, cli: CommandLine, owned: Path, behind: Path) -> None:
        """The file that was named is not written either."""
        before = bytes_in(owned.parent.parent)
        envelope = cli("train", behind, "--dry-run", "--output", owned.parent / "head.json", "--json").envelope
        assert (envelope["installed"], envelope["output"]) == (False, None)
        assert bytes_in(owned.parent.parent) == before

    def test_a_head_can_be_written_to_a_file(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path, here: Path
    ) -> None:
        """It is not installed then, and there need not be a memory."""
        envelope = cli("train", behind, "--output", "head.json", "--json").envelope
        assert (envelope["installed"], envelope["output"]) == (False, "head.json")
        assert TrainedHead.from_json((here / "head.json").read_bytes()).to_json() == stub.given.head.to_json()
        assert kept(owned) is None
        assert run_here("train", behind, "--output", "other.json").status == 0
        assert {each.name for each in here.iterdir()} == {"head.json", "other.json"}

    def test_an_existing_file_is_overwritten_only_with_force(
        self, stub: Stub, cli: CommandLine, behind: Path, here: Path
    ) -> None:
        """And that is said before anything is learnt; so it is of a folder that is not there."""
        (here / "head.json").write_text("mine", encoding="utf-8")
        for file in ("head.json", "missing/head.json"):
            outcome = cli("train", behind, "--output", file, "--json")
            assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert stub.settings == []
        assert (here / "head.json").read_text(encoding="utf-8") == "mine"
        assert cli("train", behind, "--output", "head.json", "--force").status == 0
        assert TrainedHead.from_json((here / "head.json").read_bytes())

    def test_without_a_memory_there_is_nothing_to_install_beside(
        self, stub: Stub, cli: CommandLine, path: Path, behind: Path
    ) -> None:
        """No folder is made."""
        outcome = cli("train", behind, "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert stub.settings == []
        assert not path.parent.exists()

    def test_the_installed_head_can_be_removed(self, stub: Stub, cli: CommandLine, owned: Path, behind: Path) -> None:
        """Once; the memory stays."""
        cli("train", behind)
        assert kept(owned) is not None
        assert cli("train", "--remove", "--json").envelope == {"ok": True, "removed": True}
        assert kept(owned) is None
        assert cli("train", "--remove", "--json").envelope == {"ok": True, "removed": False}
        assert cli("search", "harbour", "--json").envelope["hits"]

    def test_removing_where_there_is_no_memory_makes_none(self, cli: CommandLine, path: Path) -> None:
        """There is nothing to remove."""
        assert cli("train", "--remove", "--json").envelope == {"ok": True, "removed": False}
        assert not path.parent.exists()


class TestRefusing:
    """Heads that are not installed."""

    @pytest.mark.parametrize("given", [result(0.4), result(0.4, scale=0.0)], ids=["worse", "shrunk to the default"])
    def test_a_head_that_is_worse_on_a_kind_is_refused_with_the_figures(
        self, given: Trained, stub: Stub, cli: CommandLine, owned: Path, behind: Path, here: Path
    ) -> None:
        """And nothing is changed: not the memory, not the file that was named."""
        stub.given = given
        before = bytes_in(owned.parent.parent)
        for line in (["train", behind], ["train", behind, "--output", "head.json"], ["train", behind, "--dry-run"]):
            outcome = cli(*line, "--json")
            assert (outcome.status, outcome.code) == (1, "head_refused")
            message = outcome.envelope["error"]["message"]
            assert "mine.jsonl" in message
            assert "50.0 → 40.0 % @10" in message
        assert bytes_in(owned.parent.parent) == before
        shown = cli("train", behind)
        assert "mine.jsonl" in shown.out
        assert shown.err.startswith("head_refused")

    def test_where_nothing_better_was_found_nothing_is_installed(
        self, cli: CommandLine, owned: Path, exact: Path, here: Path
    ) -> None:
        """That is no failure."""
        outcome = cli("train", exact, "--steps", str(CHECK_EVERY))
        assert outcome.status == 0
        assert "nothing better" in outcome.out.lower()
        assert kept(owned) is None
        envelope = cli("train", exact, "--steps", str(CHECK_EVERY), "--output", "head.json", "--json").envelope
        assert (envelope["scale"], envelope["installed"], envelope["output"]) == (0, False, None)
        assert list(here.iterdir()) == []

    def test_a_head_that_was_installed_before_stays(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """Whatever became of the new one."""
        cli("train", behind)
        before = kept(owned)
        for given in (result(0.4), result(0.5, scale=0.0)):
            stub.given = given
            cli("train", behind)
            assert kept(owned) == before is not None


class TestLessons:
    """What is learnt from."""

    def test_nothing_to_learn_from_is_refused_with_what_to_give(self, cli: CommandLine) -> None:
        """Question sets, or feedback."""
        outcome = cli("train", "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert "--feedback" in outcome.envelope["error"]["hint"]

    def test_every_layout_is_a_kind_of_its_own(self, stub: Stub, cli: CommandLine, owned: Path, tmp_path: Path) -> None:
        """In the order given; a path that is given twice is taken once."""
        files = [write(tmp_path / "sets" / str(number)) for number, write in enumerate(sets.WRITERS.values())]
        assert cli("train", *files, files[0]).status == 0
        assert list(dict.fromkeys(scene.kind for scene in stub.scenes)) == [each.name for each in files]

    def test_files_of_the_same_name_are_different_kinds(
        self, stub: Stub, cli: CommandLine, owned: Path, tmp_path: Path
    ) -> None:
        """Each is called by its path."""
        files = [sets.written(tmp_path / name / "mine.json", chats(2)) for name in ("a", "b")]
        cli("train", *files)
        assert list(dict.fromkeys(scene.kind for scene in stub.scenes)) == [str(each) for each in files]

    def test_too_few_questions_are_refused(self, cli: CommandLine, owned: Path, tmp_path: Path) -> None:
        """A rule cannot be told from chance."""
        outcome = cli("train", sets.written(tmp_path / "own.json", sets.own()), "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")

    def test_a_file_that_cannot_be_read_is_refused_before_a_model_is_loaded(
        self, here: Path, behind: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though another one is whole."""
        monkeypatch.setattr(training, "load_encoder", lambda settings: pytest.fail("a model was loaded"))
        other = sets.written(here / "other.json", {"hello": "world"})
        outcome = run_here("train", behind, other, "--dry-run", "--json")
        assert (outcome.status, outcome.code) == (1, "dataset_refused")


class TestFeedback:
    """What the memory learns from its own use."""

    @pytest.fixture
    def told(self, cli: CommandLine, path: Path) -> Callable[[int], None]:
        """A function that makes a memory of a chat, and says for some questions what was of use."""
        (chat, _) = chats(2)

        def tell(count: int) -> None:
            items = [{name: each[name] for name in ("content", "session", "at")} for each in chat["memories"]]
            with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
                ids = memory.memorize_many(items, progress=False)
            store = DirectoryStore(path, clock=lambda: EPOCH)
            with store.transaction():
                for asked in chat["questions"][:count]:
                    used = ids[int(asked["gold"][0])]
                    given = Feedback(query=asked["question"], ids=tuple(ids), used=used, how="use", at=EPOCH)
                    store.keep_feedback(given)

        return tell

    def test_feedback_is_a_kind_of_its_own(
        self, stub: Stub, cli: CommandLine, behind: Path, told: Callable[[int], None]
    ) -> None:
        """Beside the files; its memory is the memory."""
        told(7)
        envelope = cli("train", behind, "--feedback", "--json").envelope
        assert envelope["feedback"] == 7
        (own,) = [scene for scene in stub.scenes if scene.kind == FEEDBACK]
        assert own.evidence.shape == (7, 24)
        assert len({scene.kind for scene in stub.scenes}) == 2

    def test_a_head_can_be_learnt_from_feedback_alone(self, cli: CommandLine, told: Callable[[int], None]) -> None:
        """No files are needed."""
        told(10)
        envelope = cli("train", "--feedback", *QUICK, "--dry-run", "--json").envelope
        assert [(kind["kind"], kind["questions"]) for kind in envelope["kinds"]] == [(FEEDBACK, 10)]

    def test_too_little_feedback_is_refused(self, cli: CommandLine, told: Callable[[int], None]) -> None:
        """As too few questions are."""
        told(9)
        outcome = cli("train", "--feedback", "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")

    def test_where_there_is_none_yet_the_files_are_learnt_from(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """It is said how much there was."""
        assert cli("train", behind, "--feedback", "--json").envelope["feedback"] == 0
        assert {scene.kind for scene in stub.scenes} == {"behind.json"}
        assert "no feedback yet" in cli("train", behind, "--feedback").out


class TestSettings:
    """How it is trained."""

    def test_what_is_not_said_is_as_configured(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path, here: Path
    ) -> None:
        """Read heads, learning rate and initialization; what is said goes first."""
        cli("train", behind)
        configure(here, num_read_heads=3, learning_rate=0.5, initialization="constant")
        cli("train", behind)
        said = ["--heads=2", "--learning-rate=0.25", "--initialization=small_random"]
        cli("train", behind, *said, "--controller=lstm", "--hidden=7", "--steps=33", "--seed=5")
        plain = TrainingSettings()
        assert stub.settings == [
            plain,
            replace(plain, heads=3, learning_rate=0.5, initialization="constant"),
            TrainingSettings(controller="lstm", hidden=7, heads=2, learning_rate=0.25, steps=33, seed=5),
        ]

    def test_learned_goes_on_from_the_installed_head(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """Where there is none, it starts afresh, and says so."""
        stub.given = replace(stub.given, head=replace(stub.given.head, encoder="hashed"))
        first = cli("train", behind, "--initialization=learned", "--json").envelope
        again = cli("train", behind, "--initialization=learned", "--json").envelope
        assert (first["initialization"], again["initialization"]) == ("small_random", "learned")
        assert stub.settings[0].start is None
        assert stub.settings[1].start is not None
        assert stub.settings[1].start.to_json() == stub.given.head.to_json()

    @pytest.mark.parametrize("installed", [b"{", replace(head(1), encoder="another").to_json()])
    def test_learned_refuses_an_installed_head_that_cannot_be_used(
        self, installed: bytes, stub: Stub, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """Its file is damaged, or it was made for another encoder; it can be removed."""
        store = DirectoryStore(owned, clock=lambda: EPOCH)
        with store.transaction():
            store.keep_beside("head", installed)
        outcome = cli("train", behind, "--initialization=learned", "--json")
        assert (outcome.status, outcome.code) == (1, "unusable_head")
        assert stub.settings == []
        assert cli("train", "--remove", "--json").envelope["removed"]

    @pytest.mark.parametrize("rate", ["0", "-1", "1.5", "nan", "inf"])
    def test_a_learning_rate_out_of_range_is_refused(self, rate: str, cli: CommandLine, behind: Path) -> None:
        """Before anything is read."""
        outcome = cli("train", behind, f"--learning-rate={rate}", "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")

    @pytest.mark.parametrize(
        "option",
        ["--heads=0", "--heads=17", "--hidden=0", "--steps=0", "--seed=-1", "--controller=x", "--initialization=x"],
    )
    def test_wrong_usage_exits_with_2(self, option: str, cli: CommandLine, behind: Path) -> None:
        """As for every command."""
        assert cli("train", behind, option).status == 2

    @pytest.mark.parametrize("other", [["x.json"], ["--feedback"], ["--dry-run"], ["--output=x.json"]])
    def test_remove_goes_alone(self, other: list[str], cli: CommandLine, owned: Path) -> None:
        """Whoever says more meant something else."""
        outcome = cli("train", "--remove", *other, "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")


class TestMemory:
    """The memory that the head is for."""

    def test_a_memory_of_another_encoder_is_refused_before_anything_is_learnt(
        self, stub: Stub, cli: CommandLine, path: Path, behind: Path
    ) -> None:
        """A head is made for one encoder's keys."""
        with NTMMemoryManager.open(path, encoder=HashedEncoder(32)) as memory:
            memory.memorize("x")
        outcome = cli("train", behind, "--json")
        assert (outcome.status, outcome.code) == (1, "encoder_mismatch")
        assert stub.settings == []

    def test_a_damaged_memory_is_in_the_way_only_of_what_needs_it(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """Nothing is mended, and nothing beside it is written."""
        owned.write_bytes(b"damaged")
        before = bytes_in(owned.parent)
        assert cli("train", behind, "--dry-run").status == 0
        for line in (["train", behind], ["train", "--feedback", "--dry-run"]):
            outcome = cli(*line, "--json")
            assert (outcome.status, outcome.code) == (3, "store_damaged")
        assert bytes_in(owned.parent) == before


class TestPeople:
    """Without --json."""

    def test_a_table_has_a_line_a_kind_and_says_what_was_done(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path
    ) -> None:
        """In figures, and nothing on standard error where nobody watches."""
        outcome: Outcome = cli("train", behind)
        (line,) = [each.split() for each in outcome.out.splitlines() if each.split()[:1] == ["mine.jsonl"]]
        assert line == ["mine.jsonl", "10,000", *["50.0→90.0"] * len(DEPTHS), "+40.0"]
        assert "installed" in outcome.out
        assert "scale 1.0" in outcome.out
        assert (outcome.status, outcome.err) == (0, "")

    def test_a_head_that_the_configuration_switches_off_is_installed_with_a_note(
        self, stub: Stub, cli: CommandLine, owned: Path, behind: Path, here: Path
    ) -> None:
        """It would not be used."""
        assert "addressing.trained" not in cli("train", behind).out
        configure(here, addressing={"trained": False})
        assert "addressing.trained" in cli("train", behind).out
        assert kept(owned) is not None
