"""`ntm-memory setup` and its --undo, from the command line to the host's configuration file."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from ntm_memory_skill.config import PLUGIN
from ntm_memory_skill.errors import HostRefused
from ntm_memory_skill.hosts.openclaw.contract import PLUGIN_FOLDER
from ntm_memory_skill.hosts.setup import install, openclaw
from ntm_memory_skill.hosts.setup.plan import Wishes
from tests.hosts.command_line import run_here
from tests.hosts.folders import bytes_in
from tests.hosts.setup.conftest import OTHERS, MakeHost
from tests.hosts.setup.fake import FakeHost

WHAT_HOSTS_KEEP = ("calls", "behaviour.json")


def files(host: FakeHost) -> dict[str, bytes | None]:
    """Return what lies in the host's folder, apart from the stand-in's own."""
    return {name: data for name, data in bytes_in(host.folder).items() if name not in WHAT_HOSTS_KEEP}


class TestSetUp:
    """The change is shown, agreed to, made in one write, and checked."""

    def test_it_brings_the_plugin_into_a_configuration(self, host: FakeHost) -> None:
        """Beside what others have there; started by the Python that runs this."""
        assert host.setup("--yes").status == 0
        assert host.writes == 1
        assert host.plugins["load"]["paths"] == ["/opt/other", str(PLUGIN_FOLDER)]
        assert host.plugins["allow"] == ["openai", "ntm-memory"]
        assert host.plugins["slots"] == {"memory": "ntm-memory"}
        assert host.plugins["entries"]["openai"] == {"enabled": True}
        assert host.entry["config"]["command"] == [sys.executable, "-m", "ntm_memory_skill"]

    def test_a_configuration_is_made_where_there_is_none(self, make_host: MakeHost) -> None:
        """As on a host that nobody has configured yet; undoing it leaves none."""
        host = make_host()
        assert host.setup("--yes").status == 0
        assert host.entry["enabled"] is True
        assert host.setup("--undo", "--yes").status == 0
        assert not host.file.exists()

    def test_a_second_time_changes_nothing(self, host: FakeHost) -> None:
        """Not a byte, and the host is not asked to write."""
        host.setup("--yes")
        before = files(host)
        again = host.setup("--yes", "--json")
        assert (again.status, again.envelope["done"], again.envelope["changes"]) == (0, False, [])
        assert (files(host), host.writes) == (before, 1)

    def test_the_change_is_shown_and_not_made(self, host: FakeHost) -> None:
        """With --dry-run: each value before and after, the file, and where it is noted for --undo."""
        before = files(host)
        shown = host.setup("--dry-run")
        assert shown.status == 0
        for part in (str(host.file), "plugins.slots.memory", '"memory-lancedb"', '"ntm-memory"', str(host.record)):
            assert part in shown.out
        assert (files(host), host.writes) == (before, 0)

    @pytest.mark.parametrize("options", [[], ["--json"]], ids=str)
    def test_without_a_terminal_nothing_is_changed_unless_agreed_beforehand(
        self, host: FakeHost, options: list[str]
    ) -> None:
        """There is nobody to ask."""
        before = files(host)
        assert host.setup(*options).status == 1
        assert (files(host), host.writes) == (before, 0)

    def test_options_reach_the_configuration(self, host: FakeHost, here: Path) -> None:
        """The folder by its absolute path; the host's own memory is switched off on request alone."""
        host.setup("--yes")
        assert "memory-core" not in host.plugins["entries"]
        wanted = ["--data-folder", "data", "--no-auto-recall", "--auto-capture", "--disable-memory-core"]
        assert host.setup("--yes", *wanted).status == 0
        assert (
            host.entry["config"].items()
            >= {
                "dataDir": str(here / "data"),
                "autoRecall": False,
                "autoCapture": True,
            }.items()
        )
        assert host.plugins["entries"]["memory-core"] == {"enabled": False}

    def test_what_is_switched_off_in_clawhub_json_is_switched_off_in_the_host(self, host: FakeHost, here: Path) -> None:
        """And the slot stays with its holder; auto_update is explained, not written."""
        entry = {"enabled": False, "auto_update": True}
        (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: entry}}))
        done = host.setup("--yes", "--json")
        assert host.plugins["slots"] == {"memory": "memory-lancedb"}
        assert host.entry["enabled"] is False
        assert "auto_update" not in host.file.read_text()
        assert sum("auto_update" in note or "enabled: false" in note for note in done.envelope["notes"]) == 2

    def test_the_loss_of_comments_is_told_beforehand(self, make_host: MakeHost) -> None:
        """Where there are any: the host writes plain JSON."""
        host = make_host(OTHERS)
        notes = host.setup("--dry-run", "--json").envelope["notes"]
        host.file.write_text("{}")
        fewer = host.setup("--dry-run", "--json").envelope["notes"]
        assert len(notes) == len(fewer) + 1

    @pytest.mark.parametrize(
        "wrong",
        [["--project"], ["--client", "cursor"], ["--data-folder", "clawhub.json"], ["--undo", "--auto-capture"]],
        ids=" ".join,
    )
    def test_options_that_do_not_fit_are_refused(self, host: FakeHost, here: Path, wrong: list[str]) -> None:
        """Before anything is looked at or changed."""
        (here / "clawhub.json").write_text("{}")
        outcome = host.setup("--yes", "--json", *wrong)
        assert (outcome.status, outcome.code) == (1, "invalid_argument")
        assert not (host.folder / "calls").exists()


class TestUndo:
    """What was there before comes back, and nothing that others did since is lost."""

    @pytest.mark.parametrize("again", [[], ["--auto-capture"]], ids=["once", "twice"])
    def test_the_file_becomes_what_it_was_byte_for_byte(self, host: FakeHost, again: list[str]) -> None:
        """Comments and all, after one set-up or two; its rights stay, and the record goes."""
        host.file.chmod(0o640)
        before = files(host)
        host.setup("--yes")
        host.setup("--yes", *again)
        assert stat.S_IMODE(host.record.stat().st_mode) == 0o600
        assert host.setup("--undo", "--yes").status == 0
        assert files(host) == before
        assert stat.S_IMODE(host.file.stat().st_mode) == 0o640

    def test_what_others_wrote_since_stays(self, host: FakeHost) -> None:
        """Beside what was there before the set-up."""
        host.setup("--yes")
        config = json.loads(host.file.read_text())
        config["gateway"]["port"] = 4000
        config["plugins"]["entries"]["third"] = {"enabled": True}
        host.file.write_text(json.dumps(config))
        assert host.setup("--undo", "--yes").status == 0
        config = json.loads(OTHERS.replace("// somebody's remark", ""))
        config["gateway"]["port"] = 4000
        config["plugins"]["entries"]["third"] = {"enabled": True}
        assert json.loads(host.file.read_text()) == config
        assert not host.record.exists()

    def test_what_others_wrote_between_two_set_ups_stays(self, host: FakeHost) -> None:
        """The bytes from before the first are not the whole truth then."""
        host.setup("--yes")
        config = json.loads(host.file.read_text())
        config["gateway"]["port"] = 4000
        host.file.write_text(json.dumps(config))
        host.setup("--yes", "--auto-capture")
        host.setup("--undo", "--yes")
        config = json.loads(OTHERS.replace("// somebody's remark", ""))
        config["gateway"]["port"] = 4000
        assert json.loads(host.file.read_text()) == config

    def test_a_slot_that_somebody_else_took_is_left_and_named(self, host: FakeHost) -> None:
        """All else is taken back."""
        host.setup("--yes")
        host.file.write_text(host.file.read_text().replace('"memory": "ntm-memory"', '"memory": "third"'))
        undone = host.setup("--undo", "--yes", "--json")
        assert any("plugins.slots.memory" in note for note in undone.envelope["notes"])
        assert host.plugins["slots"] == {"memory": "third"}
        assert "ntm-memory" not in host.plugins["entries"]

    def test_without_a_record_only_our_own_entries_go(self, host: FakeHost) -> None:
        """What the slot held before is not known then; a second time there is nothing to undo."""
        host.setup("--yes")
        host.record.unlink()
        assert host.setup("--undo", "--yes").status == 0
        assert host.plugins == {
            "allow": ["openai"],
            "load": {"paths": ["/opt/other"]},
            "slots": {},
            "entries": {"openai": {"enabled": True}},
        }
        again = host.setup("--undo", "--yes", "--json")
        assert (again.status, again.envelope["done"]) == (0, False)

    def test_nothing_is_undone_that_was_only_looked_at(self, host: FakeHost) -> None:
        """With --dry-run, or without a terminal."""
        host.setup("--yes")
        before = files(host)
        assert host.setup("--undo", "--dry-run").status == 0
        assert host.setup("--undo").status == 1
        assert files(host) == before

    def test_a_large_share_of_the_file_is_taken_out_bit_by_bit(self, make_host: MakeHost) -> None:
        """The host takes a file that is suddenly half as long for damaged, and refuses it."""
        host = make_host("{}")
        host.setup("--yes", "--data-folder", "/" + "long/" * 40)
        host.file.write_text(host.file.read_text() + "\n")
        assert host.setup("--undo", "--yes").status == 0
        assert (host.plugins, host.writes) == ({}, 4)

    @pytest.mark.parametrize("record", ["{", "[]", '{"version": 2}', '{"version": 1}'])
    def test_a_record_that_is_none_is_refused(self, host: FakeHost, record: str) -> None:
        """Guessing could lose what was there."""
        host.setup("--yes")
        host.record.write_text(record)
        before = files(host)
        for options in (["--undo"], ["--auto-capture"]):
            outcome = host.setup("--yes", "--json", *options)
            assert (outcome.status, outcome.code) == (1, "host_refused")
        assert files(host) == before


class TestFailures:
    """Whatever goes wrong, everything is as it was."""

    @pytest.mark.parametrize(
        "behaviour", [{"refuses": "no"}, {"complains": "not valid"}], ids=["write refused", "result not valid"]
    )
    def test_a_failed_change_leaves_everything_as_it_was(self, host: FakeHost, behaviour: dict[str, str]) -> None:
        """With the first set-up there is no record afterwards; with a later one it is the earlier one's."""
        for earlier in (False, True):
            if earlier:
                host.behave()
                host.setup("--yes")
            before = files(host)
            host.behave(**behaviour)
            outcome = host.setup("--yes", "--json", "--auto-capture")
            assert (outcome.status, outcome.code) == (1, "host_refused")
            assert files(host) == before

    def test_a_failed_undo_leaves_everything_as_it_was(self, host: FakeHost) -> None:
        """The record included: it can be tried again."""
        host.setup("--yes")
        host.file.write_text(host.file.read_text() + "\n")
        before = files(host)
        host.behave(refuses="no")
        assert host.setup("--undo", "--yes").status == 1
        assert files(host) == before
        host.behave()
        assert host.setup("--undo", "--yes").status == 0

    @pytest.mark.parametrize("call", ["config patch", "written"])
    def test_a_host_that_hangs_is_ended_and_the_file_put_back(self, host: FakeHost, call: str) -> None:
        """Whether it had written already or not."""
        before = files(host)
        host.behave(hangs=call)
        talking = openclaw.find(host.command, patience=2)
        prepared = install.prepare(talking, Wishes(command=("python",)))
        with pytest.raises(HostRefused):
            install.carry_out(prepared)
        assert files(host) == before

    def test_a_file_that_changed_while_it_was_looked_at_is_not_written(self, host: FakeHost) -> None:
        """The lists in it would be the old ones."""
        prepared = install.prepare(openclaw.find(host.command), Wishes(command=("python",)))
        host.file.write_text(OTHERS + "\n")
        before = files(host)
        with pytest.raises(HostRefused):
            install.carry_out(prepared)
        assert files(host) == before

    def test_a_process_that_died_before_the_write_has_lost_nothing(
        self, host: FakeHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The record is there and no change; undoing it puts nothing wrong, and a new set-up works."""
        before = host.file.read_bytes()
        prepared = install.prepare(openclaw.find(host.command), Wishes(command=("python",)))
        with monkeypatch.context() as dying:
            dying.setattr(openclaw.OpenClaw, "patch", _die)
            with pytest.raises(KeyboardInterrupt):
                install.carry_out(prepared)
        assert host.record.exists()
        assert host.setup("--undo", "--yes").status == 0
        assert (host.file.read_bytes(), host.record.exists()) == (before, False)

    def test_a_process_that_died_after_the_write_can_be_undone(
        self, host: FakeHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The slot's former holder is known."""
        prepared = install.prepare(openclaw.find(host.command), Wishes(command=("python",)))
        with monkeypatch.context() as dying:
            dying.setattr(openclaw.OpenClaw, "complaints", _die)
            with pytest.raises(KeyboardInterrupt):
                install.carry_out(prepared)
        assert host.plugins["slots"] == {"memory": "ntm-memory"}
        assert host.setup("--undo", "--yes").status == 0
        assert host.plugins == json.loads(OTHERS.replace("// somebody's remark", ""))["plugins"]

    def test_a_linked_configuration_is_refused(self, host: FakeHost, tmp_path: Path) -> None:
        """The host would put a file in the link's place."""
        real = tmp_path / "real.json"
        host.file.rename(real)
        host.file.symlink_to(real)
        before = real.read_bytes()
        assert host.setup("--yes", "--json").code == "host_refused"
        assert (real.read_bytes(), host.file.is_symlink(), host.writes) == (before, True, 0)

    @pytest.mark.parametrize("plugins", [{"enabled": False}, {"deny": ["ntm-memory"]}], ids=str)
    def test_what_its_owner_has_ruled_out_is_not_set_up(self, make_host: MakeHost, plugins: dict[str, object]) -> None:
        """It would be without effect."""
        host = make_host(json.dumps({"plugins": plugins}))
        assert host.setup("--yes", "--json").code == "host_refused"
        assert host.plugins == plugins

    def test_a_configuration_that_is_not_valid_is_left_to_the_host(self, make_host: MakeHost) -> None:
        """Who says what is wrong with it."""
        host = make_host("{")
        outcome = host.setup("--yes", "--json")
        assert (outcome.status, outcome.code) == (1, "host_refused")
        assert "<root>" in outcome.envelope["error"]["message"]

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whose rights cannot be taken away like this")
    def test_a_folder_that_takes_no_record_is_not_written_to(self, host: FakeHost) -> None:
        """Without the record it could not be undone."""
        before = host.file.read_bytes()
        host.folder.chmod(0o500)
        assert host.setup("--yes", "--json").code == "host_refused"
        host.folder.chmod(0o700)
        assert host.file.read_bytes() == before


def test_a_wrong_clawhub_json_ends_it_before_the_host_is_asked(host: FakeHost, here: Path) -> None:
    """It says whether the plugin is to be on."""
    (here / "clawhub.json").write_text("{")
    assert run_here("setup", "--openclaw", host.command, "--yes").status == 2
    assert not (host.folder / "calls").exists()


def _die(*_: object) -> None:
    raise KeyboardInterrupt
