"""`ntm-memory train --hops`: a policy that wins is installed, another is not, and nothing else changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.hosts import training
from ntm_memory_skill.learning import Comparison, HopTrainingSettings, Journeys, TrainedHops
from ntm_memory_skill.learning.feedback import FEEDBACK
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.memnet.hops import Clues, HopPolicy
from ntm_memory_skill.memnet.trained import TrainedPolicy
from ntm_memory_skill.model import Feedback
from ntm_memory_skill.store import DirectoryStore
from tests.conftest import EPOCH
from tests.evaluation import sets
from tests.hosts.command_line import run_here
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in
from tests.learning.made_up import head
from tests.learning.misleading import misled

ENVELOPE = {
    "ok",
    "version",
    "encoder",
    "learning_rate",
    "seed",
    "steps",
    "asked",
    "clues",
    "scale",
    "feedback",
    "depths",
    "kinds",
    "installed",
    "output",
}
QUICK = ("--learning-rate", "0.1", "--steps", "20")
HASHED = HashedEncoder().identity.name


@pytest.fixture
def misleading(tmp_path: Path) -> Path:
    """Questions whose journeys lead away from half of the answer."""
    return sets.written(tmp_path / "data" / "misled.json", misled(0))


@dataclass
class Stub:
    """Stands for the training: notes how it was to be done, and gives what it was told to give."""

    given: TrainedHops
    kinds: list[Journeys] = field(default_factory=list)
    settings: list[HopTrainingSettings] = field(default_factory=list)
    heads: list[Any] = field(default_factory=list)

    def __call__(
        self,
        kinds: list[Journeys],
        encoder: object,
        settings: object,
        how: HopTrainingSettings,
        head: object,
        *,
        progress: object,
    ) -> TrainedHops:
        """Train nothing."""
        self.kinds.extend(kinds)
        self.settings.append(how)
        self.heads.append(head)
        return self.given


def result(after: float, scale: float = 1.0) -> TrainedHops:
    """Return a policy that found half before, and so much now."""
    table = (Comparison("mine.jsonl", 10_000, (0.5,) * len(DEPTHS), (after,) * len(DEPTHS), (0.001,) * len(DEPTHS)),)
    same = (replace(table[0], trained=table[0].default),)
    return TrainedHops(TrainedPolicy(HopPolicy(shared=0.25), HASHED), scale, table if scale else same, table)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """In place of the training: a policy that wins."""
    stub = Stub(result(0.9))
    monkeypatch.setattr(training, "train_hops", stub)
    return stub


def kept(path: Path) -> bytes | None:
    """Return the policy that is installed beside a memory."""
    return DirectoryStore(path, clock=lambda: EPOCH).beside("hops")


class TestInstalling:
    """Where a policy goes that wins."""

    def test_it_is_installed_and_leads_on_from_then_on(self, cli: CommandLine, owned: Path, misleading: Path) -> None:
        """Every kind is reported before and after; `eval` has a row for it, and finds more with it."""
        envelope = cli("train", misleading, "--hops", *QUICK, "--json").envelope
        assert envelope.keys() == ENVELOPE
        assert (envelope["installed"], envelope["output"], envelope["asked"]) == (True, None, 20)
        assert envelope["clues"].keys() == set(Clues._fields)
        (kind,) = envelope["kinds"]
        assert (kind["kind"], kind["questions"]) == ("misled.json", 20)
        assert kind["gain"] > 0
        with NTMMemoryManager.open(owned, encoder=HashedEncoder()) as memory:
            assert memory.hop_policy is not None
            assert memory.hop_policy.policy.shared == envelope["clues"]["shared"]
        rows = cli("eval", misleading, "--json").envelope["sets"][0]["rows"]
        deep = {row["name"]: row["overall"]["metrics"]["recall@20"]["mean"] for row in rows}
        assert deep["trained"] > deep["default"]

    def test_people_see_what_was_learnt(self, cli: CommandLine, owned: Path, misleading: Path) -> None:
        """The table, how many questions it is about, and the weights."""
        shown = cli("train", misleading, "--hops", *QUICK)
        assert shown.status == 0
        text = " ".join(shown.out.split())
        for part in ("misled.json", "20 of 20 questions are read on from", "shared 0.", "installed"):
            assert part in text

    def test_nothing_but_the_policy_s_file_is_new(
        self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path
    ) -> None:
        """The memories are as they were."""
        before = bytes_in(owned.parent)
        assert cli("train", misleading, "--hops").status == 0
        after = bytes_in(owned.parent)
        changed = {name for name in after if after[name] != before.get(name)}
        assert {name for name in changed if not name.endswith((".lock", ".writer"))} == {"ntm_memory.hops.json"}

    def test_a_dry_run_keeps_nothing(self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path) -> None:
        """The file that was named is not written either."""
        before = bytes_in(owned.parent.parent)
        line = ("train", misleading, "--hops", "--dry-run", "--output", owned.parent / "hops.json", "--json")
        envelope = cli(*line).envelope
        assert (envelope["installed"], envelope["output"]) == (False, None)
        assert bytes_in(owned.parent.parent) == before

    def test_it_can_be_written_to_a_file_and_measured_from_there(
        self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path, here: Path
    ) -> None:
        """It is not installed then, and there need not be a memory."""
        envelope = cli("train", misleading, "--hops", "--output", "hops.json", "--json").envelope
        assert (envelope["installed"], envelope["output"]) == (False, "hops.json")
        assert TrainedPolicy.from_json((here / "hops.json").read_bytes()) == stub.given.policy
        assert kept(owned) is None
        rows = run_here("eval", misleading, "--policy", "hops.json", "--json").envelope["sets"][0]["rows"]
        assert "trained" in {row["name"] for row in rows}
        assert cli("train", misleading, "--hops", "--output", "hops.json", "--json").code == "invalid_argument"

    def test_head_and_policy_are_installed_and_removed_each_by_itself(
        self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path
    ) -> None:
        """Neither takes the other along."""
        store = DirectoryStore(owned, clock=lambda: EPOCH)
        with store.transaction():
            store.keep_beside("head", replace(head(1), encoder=HASHED).to_json())
        cli("train", misleading, "--hops")
        assert stub.heads[0] is not None
        assert cli("train", "--remove", "--json").envelope == {"ok": True, "removed": True}
        assert kept(owned) is not None
        assert cli("train", "--hops", "--remove", "--json").envelope == {"ok": True, "removed": True}
        assert kept(owned) is None
        assert cli("train", "--hops", "--remove", "--json").envelope == {"ok": True, "removed": False}
        assert "no hop policy" in cli("train", "--hops", "--remove").out

    def test_where_the_configuration_leaves_it_unused_that_is_said(
        self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path, here: Path
    ) -> None:
        """It is installed all the same."""
        sets.written(here / "clawhub.json", {"plugins": {PLUGIN: {"config": {"reasoning": {"trained": False}}}}})
        assert "reasoning.trained" in cli("train", misleading, "--hops").out
        assert kept(owned) is not None


class TestRefusing:
    """Policies that are not installed."""

    @pytest.mark.parametrize("given", [result(0.4), result(0.4, scale=0.0)], ids=["worse", "shrunk to nothing"])
    def test_one_that_is_worse_on_a_kind_is_refused_with_the_figures(
        self, given: TrainedHops, stub: Stub, cli: CommandLine, owned: Path, misleading: Path, here: Path
    ) -> None:
        """And nothing is changed: not the memory, not the file that was named."""
        stub.given = given
        before = bytes_in(owned.parent.parent)
        line = ("train", misleading, "--hops")
        for more in ((), ("--output", "hops.json"), ("--dry-run",)):
            outcome = cli(*line, *more, "--json")
            assert (outcome.status, outcome.code) == (1, "head_refused")
            message = outcome.envelope["error"]["message"]
            assert "hop policy" in message
            assert "50.0 → 40.0 % @10" in message
        assert bytes_in(owned.parent.parent) == before

    def test_where_nothing_was_won_nothing_is_installed(
        self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path
    ) -> None:
        """That is no failure; what was installed before stays."""
        cli("train", misleading, "--hops")
        before = kept(owned)
        stub.given = result(0.5, scale=0.0)
        outcome = cli("train", misleading, "--hops")
        assert outcome.status == 0
        assert "beyond chance" in outcome.out
        assert kept(owned) == before is not None

    def test_questions_that_are_read_once_teach_nothing(self, cli: CommandLine, owned: Path, tmp_path: Path) -> None:
        """It is said how many there were, and where one reads which would do."""
        plain = misled(0)
        for chat in plain:
            for question in chat["questions"]:
                question["question"] = question["question"].split()[3]
        outcome = cli("train", sets.written(tmp_path / "plain.json", plain), "--hops", "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert outcome.envelope["error"]["message"].startswith("0 question(s)")
        assert "docs/reasoning.md" in outcome.envelope["error"]["hint"]

    @pytest.mark.parametrize(
        "option",
        ["--controller=lstm", "--heads=2", "--hidden=3", "--initialization=constant", "--consolidation=1"],
    )
    def test_options_of_the_head_alone_are_refused(self, option: str, cli: CommandLine, misleading: Path) -> None:
        """By name."""
        outcome = cli("train", misleading, "--hops", option, "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert option.partition("=")[0] in outcome.envelope["error"]["message"]

    @pytest.mark.parametrize("line", [["--hops", "--task=copy"], ["--hops"], ["--hops", "--learning-rate=2"]])
    def test_nothing_or_the_wrong_thing_to_learn_from_is_refused(
        self, line: list[str], cli: CommandLine, misleading: Path
    ) -> None:
        """Before anything is read."""
        given = [misleading] if "--learning-rate=2" in line else []
        outcome = cli("train", *given, *line, "--json")
        assert (outcome.status, outcome.code) == (1, "invalid_argument")

    def test_a_head_that_cannot_be_used_is_in_the_way(
        self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path
    ) -> None:
        """The policy would be for another than the one that looks."""
        store = DirectoryStore(owned, clock=lambda: EPOCH)
        with store.transaction():
            store.keep_beside("head", b"{")
        outcome = cli("train", misleading, "--hops", "--json")
        assert (outcome.status, outcome.code) == (1, "unusable_head")

    def test_a_policy_for_another_encoder_has_no_row(
        self, cli: CommandLine, owned: Path, misleading: Path, here: Path
    ) -> None:
        """One that was named is an error; one that is installed is passed over with a note, damaged or not."""
        other = replace(result(0.9).policy, encoder="another").to_json()
        (here / "other.json").write_bytes(other)
        for file in ("other.json", "missing.json"):
            assert cli("eval", misleading, "--policy", file, "--json").code == "unusable_head"
        store = DirectoryStore(owned, clock=lambda: EPOCH)
        for data in (other, b"{"):
            with store.transaction():
                store.keep_beside("hops", data)
            outcome = cli("eval", misleading, "--json")
            assert outcome.status == 0
            assert "note" in outcome.err
            assert "trained" not in {row["name"] for row in outcome.envelope["sets"][0]["rows"]}


class TestSettings:
    """How it is trained."""

    def test_what_is_not_said_is_the_default(self, stub: Stub, cli: CommandLine, owned: Path, misleading: Path) -> None:
        """What is said goes first."""
        cli("train", misleading, "--hops")
        cli("train", misleading, "--hops", "--learning-rate=0.25", "--steps=33", "--seed=5")
        assert stub.settings == [HopTrainingSettings(), HopTrainingSettings(learning_rate=0.25, steps=33, seed=5)]

    def test_feedback_is_a_kind_of_its_own(self, stub: Stub, cli: CommandLine, path: Path) -> None:
        """With those of its questions that are read on from."""
        (chat, _) = misled(0)
        with NTMMemoryManager.open(path, encoder=HashedEncoder()) as memory:
            ids = memory.memorize_many([{"content": each["content"]} for each in chat["memories"]], progress=False)
        places = {each["ref"]: place for place, each in enumerate(chat["memories"])}
        store = DirectoryStore(path, clock=lambda: EPOCH)
        with store.transaction():
            for asked in [*chat["questions"][:6], {"question": "anchor?", "gold": ["0-gold"]}]:
                used = ids[places[asked["gold"][0]]]
                store.keep_feedback(Feedback(query=asked["question"], ids=tuple(ids), used=used, how="use", at=EPOCH))
        envelope = cli("train", "--hops", "--feedback", "--json").envelope
        assert (envelope["feedback"], envelope["asked"]) == (7, 7)
        (own,) = stub.kinds
        assert (own.kind, len(own.lessons)) == (FEEDBACK, 6)


def test_file_is_for_people_too(cli: CommandLine, owned: Path, misleading: Path, here: Path) -> None:
    """It names its clues, and tells how it was come by."""
    assert cli("train", misleading, "--hops", *QUICK, "--output", "hops.json").status == 0
    document = json.loads((here / "hops.json").read_text(encoding="utf-8"))
    assert document["clues"].keys() == set(Clues._fields)
    assert document["report"]["questions"] == 20
    assert document["report"]["table"][0]["kind"] == "misled.json"
