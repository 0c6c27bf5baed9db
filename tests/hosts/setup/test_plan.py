"""What a set-up changes in OpenClaw's configuration, and what takes that back: values in, values out."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.hosts.setup.plan import (
    Change,
    Wishes,
    changes,
    missing_objects,
    obstacles,
    patch,
    removal,
    reversal,
)
from ntm_memory_skill.hosts.setup.portions import portions

FOLDER = Path("/opt/python/ntm_memory_skill/hosts/openclaw/plugin")
FORMER = "/old/python/ntm_memory_skill/hosts/openclaw/plugin"
COMMAND = ("/opt/python/bin/python", "-m", "ntm_memory_skill")

Tree = dict[str, Any]


def wishes(**values: Any) -> Wishes:
    """Return wishes with this command and folder."""
    return Wishes(command=COMMAND, folder=FOLDER, **values)


def applied(tree: Tree, done: tuple[Change, ...]) -> Tree:
    """Return a configuration after a change, as the host would write it: an oracle without a host."""
    result = copy.deepcopy(tree)
    for change in done:
        inside = result
        for name in change.path[:-1]:
            inside = inside.setdefault(name, {})
        if change.after is None:
            inside.pop(change.path[-1], None)
        else:
            inside[change.path[-1]] = copy.deepcopy(change.after)
    return result


def set_up(tree: Tree, **values: Any) -> Tree:
    """Return a configuration after a set-up."""
    return applied(tree, changes(tree, wishes(**values)))


def entry(tree: Tree) -> dict[str, Any]:
    """Return what a configuration says of ntm-memory."""
    found: dict[str, Any] = tree["plugins"]["entries"]["ntm-memory"]
    return found


others = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.just(True),
        "allow": st.lists(st.sampled_from(["openai", "ntm-memory", "x"]), unique=True),
        "slots": st.dictionaries(st.sampled_from(["memory", "contextEngine"]), st.sampled_from(["a", "memory-core"])),
        "load": st.fixed_dictionaries(
            {}, optional={"paths": st.lists(st.sampled_from(["/a", "/b", FORMER, str(FOLDER)]), unique=True)}
        ),
        "entries": st.fixed_dictionaries(
            {},
            optional={
                "openai": st.just({"enabled": True, "config": {"personality": "friendly"}}),
                "memory-core": st.sampled_from([{}, {"enabled": True}, {"enabled": False}]),
                "ntm-memory": st.fixed_dictionaries(
                    {},
                    optional={
                        "enabled": st.booleans(),
                        "config": st.dictionaries(st.sampled_from(["autoRecall", "autoCapture"]), st.booleans()),
                    },
                ),
            },
        ),
    },
)
trees: st.SearchStrategy[Tree] = st.just(Tree()) | others.map(lambda plugins: {"plugins": plugins})


class TestSetUp:
    """From what is there and what is wanted to what differs."""

    def test_an_empty_configuration_gets_all_that_the_plugin_needs(self) -> None:
        """Where it lies, the slot, the permission, an absolute interpreter; nothing is captured unasked."""
        assert set_up({}) == {
            "plugins": {
                "load": {"paths": [str(FOLDER)]},
                "slots": {"memory": "ntm-memory"},
                "entries": {
                    "ntm-memory": {
                        "enabled": True,
                        "hooks": {"allowConversationAccess": True},
                        "config": {"command": list(COMMAND), "autoRecall": True, "autoCapture": False},
                    }
                },
            }
        }

    @given(trees)
    def test_a_second_set_up_changes_nothing(self, tree: Tree) -> None:
        """Whatever was there before the first."""
        assert changes(set_up(tree), wishes()) == ()

    @given(trees)
    def test_nothing_of_others_is_lost(self, tree: Tree) -> None:
        """Neither their entries, nor their folders, nor what they are allowed; only the slot has one holder."""
        before, after = tree.get("plugins", {}), set_up(tree)["plugins"]
        assert (
            after["entries"].items()
            >= {name: value for name, value in before.get("entries", {}).items() if name != "ntm-memory"}.items()
        )
        folders = before.get("load", {}).get("paths", [])
        assert [each for each in after["load"]["paths"] if each != str(FOLDER)] == [
            each for each in folders if each not in (FORMER, str(FOLDER))
        ]
        assert after.get("allow", [])[: len(before.get("allow", []))] == before.get("allow", [])
        assert after["slots"].items() >= {**before.get("slots", {}), "memory": "ntm-memory"}.items()

    @pytest.mark.parametrize(
        ("present", "wanted"),
        [
            ([FORMER, "/a"], [str(FOLDER), "/a"]),
            (["/a", FORMER, str(FOLDER)], ["/a", str(FOLDER)]),
            (["/a/hosts/openclaw/plugin"], ["/a/hosts/openclaw/plugin", str(FOLDER)]),
        ],
    )
    def test_a_former_installation_is_replaced_and_nobody_elses_is(self, present: list[str], wanted: list[str]) -> None:
        """In its place in the order, once; a folder that is only called alike is somebody's."""
        assert set_up({"plugins": {"load": {"paths": present}}})["plugins"]["load"]["paths"] == wanted

    @pytest.mark.parametrize(("allow", "wanted"), [(["x"], ["x", "ntm-memory"]), ([], [])])
    def test_a_list_of_what_is_allowed_takes_the_plugin_in(self, allow: list[str], wanted: list[str]) -> None:
        """An empty one stays empty: it allows everything, and with one name in it nothing else."""
        assert set_up({"plugins": {"allow": allow}})["plugins"]["allow"] == wanted

    def test_what_its_owner_has_set_is_kept(self) -> None:
        """Recall, capture, budget and folder, unless an option says otherwise."""
        config = {"autoRecall": False, "autoCapture": True, "recallBudget": 900, "dataDir": "/data"}
        tree = {"plugins": {"entries": {"ntm-memory": {"config": config}}}}
        assert entry(set_up(tree))["config"] == {**config, "command": list(COMMAND)}
        asked = set_up(tree, auto_recall=True, auto_capture=False, data_folder=Path("/new"))
        assert entry(asked)["config"] == {
            "command": list(COMMAND),
            "autoRecall": True,
            "autoCapture": False,
            "recallBudget": 900,
            "dataDir": "/new",
        }

    def test_a_plugin_that_is_switched_off_leaves_the_slot(self) -> None:
        """To whoever holds it; if that was ours, to nobody. The host's own memory is then not switched off either."""
        lance = {"plugins": {"slots": {"memory": "memory-lancedb"}}}
        off = set_up(lance, enabled=False, disable_memory_core=True)
        assert (off["plugins"]["slots"], entry(off)["enabled"]) == ({"memory": "memory-lancedb"}, False)
        assert "memory-core" not in off["plugins"]["entries"]
        assert set_up(set_up({}), enabled=False)["plugins"]["slots"] == {}

    def test_the_hosts_own_memory_goes_only_when_asked(self) -> None:
        """By its switch; what else is said of it stays."""
        tree = {"plugins": {"entries": {"memory-core": {"config": {"x": 1}}}}}
        assert set_up(tree)["plugins"]["entries"]["memory-core"] == {"config": {"x": 1}}
        wanted = {"enabled": False, "config": {"x": 1}}
        assert set_up(tree, disable_memory_core=True)["plugins"]["entries"]["memory-core"] == wanted

    @given(trees)
    def test_the_patch_holds_just_the_changes(self, tree: Tree) -> None:
        """One leaf for each, in the shape of the configuration."""
        done = changes(tree, wishes())
        assert applied({}, done) == applied({}, tuple(_leaves(patch(done), ())))

    @pytest.mark.parametrize(
        ("plugins", "count"),
        [({}, 0), ({"enabled": True, "deny": ["x"]}, 0), ({"enabled": False}, 1), ({"deny": ["ntm-memory"]}, 1)],
    )
    def test_what_its_owner_has_decided_against_is_found(self, plugins: dict[str, Any], count: int) -> None:
        """No plugins at all, or not this one."""
        assert len(obstacles({"plugins": plugins})) == count


class TestTakingBack:
    """From what was changed to what is put back."""

    @given(trees, st.booleans())
    def test_what_nobody_has_touched_becomes_what_it_was(self, tree: Tree, core: bool) -> None:
        """Objects that were made for it included; the root alone may be left empty."""
        done = changes(tree, wishes(disable_memory_core=core, data_folder=Path("/data")))
        after = applied(tree, done)
        back, left = reversal(after, done, missing_objects(tree, done))
        assert left == ()
        assert applied(after, back).get("plugins", {}) == tree.get("plugins", {})

    def test_what_somebody_has_changed_since_is_left(self) -> None:
        """And named; all else is put back."""
        tree = {"plugins": {"slots": {"memory": "memory-lancedb"}}}
        done = changes(tree, wishes())
        after = applied(tree, done)
        after["plugins"]["slots"]["memory"] = "third"
        entry(after)["config"]["recallBudget"] = 900
        back, left = reversal(after, done, missing_objects(tree, done))
        assert [change.path[-1] for change in left] == ["memory"]
        rest = applied(after, back)["plugins"]
        assert rest == {"slots": {"memory": "third"}, "entries": {"ntm-memory": {"config": {"recallBudget": 900}}}}

    def test_what_others_have_put_into_a_list_since_stays(self) -> None:
        """Only what was put there is taken out."""
        tree = {"plugins": {"allow": ["x"]}}
        done = changes(tree, wishes())
        after = applied(tree, done)
        after["plugins"]["allow"].append("y")
        after["plugins"]["load"]["paths"].insert(0, "/new")
        rest = applied(after, reversal(after, done, missing_objects(tree, done))[0])["plugins"]
        assert (rest["allow"], rest["load"]["paths"]) == (["x", "y"], ["/new"])

    def test_a_list_of_what_is_allowed_is_not_emptied(self) -> None:
        """An empty one would allow every plugin: its owner is told instead."""
        tree = {"plugins": {"allow": ["x"]}}
        done = changes(tree, wishes())
        after = applied(tree, done)
        after["plugins"]["allow"].remove("x")
        back, left = reversal(after, done, missing_objects(tree, done))
        assert [change.path[-1] for change in left] == ["allow"]
        assert applied(after, back)["plugins"] == {"allow": ["ntm-memory"]}
        assert removal({"plugins": {"allow": ["ntm-memory"]}}) == ()

    def test_the_hosts_defaults_do_not_keep_an_entry_alive(self) -> None:
        """It shows them in our entry, though nobody has written them."""
        done = changes({}, wishes())
        after = applied({}, done)
        entry(after)["config"]["recallBudget"] = 1500
        assert applied(after, reversal(after, done, missing_objects({}, done))[0])["plugins"] == {}

    @given(trees, st.integers(0, 3000))
    def test_portions_come_to_the_same_and_none_takes_half_of_the_file(self, tree: Tree, padding: int) -> None:
        """Unless it is a single value, or the file is below what the host watches over; a large file takes one."""
        done = changes(tree, wishes())
        after = {**applied(tree, done), "gateway": "x" * padding}
        back, _ = reversal(after, done, missing_objects(tree, done))
        steps = [after]
        for portion in portions(after, back, _size(after)):
            steps.append(applied(steps[-1], portion))
            assert 2 * _size(steps[-1]) >= _size(steps[-2]) or _size(steps[-2]) < 512 or len(portion) == 1
        assert steps[-1] == applied(after, back)
        assert len(portions(after, back, 10_000)) <= 1

    @given(trees)
    def test_without_a_record_only_our_own_goes(self, tree: Tree) -> None:
        """Wherever it stands; a second time there is nothing to do."""
        rest = applied(set_up(tree), removal(set_up(tree)))
        assert removal(rest) == ()
        assert "ntm-memory" not in str({**rest["plugins"], "allow": rest["plugins"].get("allow") != ["ntm-memory"]})
        theirs = {
            name: value for name, value in tree.get("plugins", {}).get("entries", {}).items() if name != "ntm-memory"
        }
        assert rest["plugins"]["entries"] == theirs


def _size(tree: Tree) -> int:
    return len(json.dumps(tree, indent=2))


def _leaves(value: Any, place: tuple[str, ...]) -> list[Change]:
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in _leaves(part, (*place, name))]
    return [Change(place, None, value)]
