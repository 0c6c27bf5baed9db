"""Encrypting a memory, changing its key, decrypting it; and what happens without the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ntm_memory_skill.config import KEY_VARIABLE, PLUGIN
from ntm_memory_skill.store import snapshot
from tests.hosts.command_line import Outcome
from tests.hosts.conftest import CommandLine
from tests.hosts.folders import bytes_in
from tests.store.wrecks import cheap_key

__all__ = ["cheap_key"]

KEY, OTHER = "correct horse 电池 staple", "tr0ub4dor&3"
TEXT = "外婆的生日是三月十二号"
EVERY_VERB = [
    ["memorize", "new"],
    ["recall", "x"],
    ["search", "x"],
    ["update", "nobody", "new"],
    ["erase", "nobody"],
    ["import", "in.jsonl"],
    ["export", "-"],
    ["stats"],
    ["verify"],
    ["repair"],
    ["repair", "--accept-loss"],
    ["compact"],
    ["restore"],
    ["restore", "nobody"],
    ["reindex"],
    ["encrypt", "--key-file", "new.txt"],
    ["decrypt"],
]

SetKey = Callable[[str | None], None]


@pytest.fixture
def use(here: Path, monkeypatch: pytest.MonkeyPatch) -> SetKey:
    """A function that sets the key in the environment, or takes it away; files that commands take are here."""
    (here / "in.jsonl").write_text('{"content": "from a file"}\n', encoding="utf-8")
    (here / "new.txt").write_text(f"{OTHER}\n", encoding="utf-8")

    def set_key(key: str | None) -> None:
        if key is None:
            monkeypatch.delenv(KEY_VARIABLE, raising=False)
        else:
            monkeypatch.setenv(KEY_VARIABLE, key)

    return set_key


@pytest.fixture
def plain(cli: CommandLine, use: SetKey) -> None:
    """A memory that is not encrypted, with a generation before and an erased memory."""
    cli("memorize", TEXT)
    ident = cli("--json", "memorize", f"{TEXT}，也许").envelope["id"]
    cli("erase", ident)


@pytest.fixture
def encrypted(plain: None, cli: CommandLine, use: SetKey) -> None:
    """The same, encrypted with KEY, which is not set any more."""
    use(KEY)
    assert cli("encrypt").status == 0
    use(None)


def is_readable(path: Path) -> bool:
    """Return whether any file of a memory holds its text."""
    return any(TEXT.encode() in (content or b"") for content in bytes_in(path.parent).values())


def finds_it(cli: CommandLine) -> bool:
    """Return whether the memory can be used."""
    outcome = cli("--json", "search", "外婆")
    return outcome.status == 0 and [hit["content"] for hit in outcome.envelope["hits"]] == [TEXT]


def refused(outcome: Outcome) -> bool:
    """Return whether a command was refused for its key."""
    return (outcome.status, outcome.code) == (3, "key_refused")


class TestEncrypt:
    """All files at once, copies included."""

    @pytest.mark.parametrize("where", ["environment", "configuration", "option"])
    def test_a_memory_is_encrypted_with_the_key_that_is_given(
        self, plain: None, cli: CommandLine, use: SetKey, here: Path, path: Path, where: str
    ) -> None:
        """Wherever it comes from: afterwards no file can be read without it."""
        (here / "key.txt").write_text(KEY, encoding="utf-8")
        document = {"plugins": {PLUGIN: {"config": {"store": {"key_file": "key.txt"}}}}}
        if where == "environment":
            use(KEY)
        if where == "configuration":
            (here / "clawhub.json").write_text(json.dumps(document))
        envelope = cli("--json", "encrypt", *(["--key-file", "key.txt"] if where == "option" else [])).envelope
        assert envelope["encrypted"] is True
        assert {"ntm_memory.json", "ntm_memory.previous.json", "ntm_memory.keys.npy"} <= set(
            envelope["files_rewritten"]
        )
        assert not is_readable(path)
        use(KEY)
        (here / "clawhub.json").unlink(missing_ok=True)
        assert finds_it(cli)
        assert cli("verify").status == 0

    def test_what_an_older_version_and_a_repair_left_is_deleted_and_named(
        self, plain: None, cli: CommandLine, use: SetKey, path: Path
    ) -> None:
        """It is readable, and nobody would think of it."""
        (path.parent / "ntm_memory.damaged").mkdir()
        leftovers = ["ntm_memory.damaged/20250101T000000-ntm_memory.json", "ntm_memory.v1.json"]
        for name in leftovers:
            (path.parent / name).write_text(TEXT, encoding="utf-8")
        use(KEY)
        assert set(leftovers) <= set(cli("--json", "encrypt").envelope["files_removed"])
        assert not is_readable(path)

    def test_a_new_memory_is_encrypted_from_its_first_byte(self, cli: CommandLine, use: SetKey, path: Path) -> None:
        """Where a key is configured, nothing else is ever written."""
        use(KEY)
        cli("memorize", TEXT)
        assert not is_readable(path)
        assert finds_it(cli)

    def test_without_a_key_nothing_is_encrypted(self, plain: None, cli: CommandLine, path: Path) -> None:
        """With status 2, and a hint where to put one."""
        before = bytes_in(path.parent)
        outcome = cli("--json", "encrypt")
        assert (outcome.status, outcome.code) == (2, "invalid_config")
        assert KEY_VARIABLE in outcome.envelope["error"]["hint"]
        assert bytes_in(path.parent) == before

    @pytest.mark.parametrize("name", ["missing.txt", "empty.txt", "binary.txt", "."])
    def test_a_key_file_that_is_none_encrypts_nothing(
        self, plain: None, cli: CommandLine, here: Path, path: Path, name: str
    ) -> None:
        """With status 2, in words on standard error."""
        (here / "empty.txt").write_text("\n")
        (here / "binary.txt").write_bytes(b"\xff\xfe")
        before = bytes_in(path.parent)
        outcome = cli("encrypt", "--key-file", name)
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err.startswith("invalid_config: ")
        assert len(outcome.err.splitlines()) == 2
        assert bytes_in(path.parent) == before

    def test_encrypting_twice_leaves_it_encrypted(self, encrypted: None, cli: CommandLine, use: SetKey) -> None:
        """With the same key: what it is mixed with is drawn anew."""
        use(KEY)
        assert cli("encrypt").status == 0
        assert finds_it(cli)


class TestRotation:
    """Another key in the old one's place."""

    def test_the_new_key_opens_it_and_the_old_one_does_not(
        self, encrypted: None, cli: CommandLine, use: SetKey, path: Path
    ) -> None:
        """The old one is configured, the new one is in the file."""
        use(KEY)
        before = snapshot.salt(path.read_bytes())
        assert cli("encrypt", "--key-file", "new.txt").status == 0
        assert snapshot.salt(path.read_bytes()) != before
        assert refused(cli("--json", "search", "x"))
        use(OTHER)
        assert finds_it(cli)
        assert cli("verify").status == 0

    @pytest.mark.parametrize("key", [None, "wrong"])
    def test_without_the_old_key_there_is_no_new_one(
        self, encrypted: None, cli: CommandLine, use: SetKey, path: Path, key: str | None
    ) -> None:
        """Nobody else can lock its owner out."""
        use(key)
        before = bytes_in(path.parent)
        assert refused(cli("--json", "encrypt", "--key-file", "new.txt"))
        assert bytes_in(path.parent) == before
        use(KEY)
        assert finds_it(cli)


class TestDecrypt:
    """Readable again."""

    def test_a_decrypted_memory_needs_no_key(self, encrypted: None, cli: CommandLine, use: SetKey, path: Path) -> None:
        """And refuses one, until it is taken out of the configuration."""
        use(KEY)
        envelope = cli("--json", "decrypt").envelope
        assert envelope["encrypted"] is False
        assert "ntm_memory.json" in envelope["files_rewritten"]
        assert is_readable(path)
        assert refused(cli("--json", "search", "x"))
        use(None)
        assert finds_it(cli)
        assert cli("verify").status == 0

    def test_decrypting_what_is_not_encrypted_changes_nothing_that_is_said(self, plain: None, cli: CommandLine) -> None:
        """The files are written anew, and say the same."""
        assert cli("--json", "decrypt").envelope["encrypted"] is False
        assert finds_it(cli)


class TestWithoutTheKey:
    """Every verb is refused, with status 3, and changes nothing."""

    @pytest.mark.parametrize("key", [None, "wrong"])
    @pytest.mark.parametrize("line", EVERY_VERB, ids=" ".join)
    def test_an_encrypted_memory_is_closed_to_every_verb(
        self, encrypted: None, cli: CommandLine, use: SetKey, path: Path, line: list[str], key: str | None
    ) -> None:
        """Without a key, and with a wrong one."""
        use(key)
        before = bytes_in(path.parent)
        assert refused(cli("--json", *line))
        assert bytes_in(path.parent) == before

    @pytest.mark.parametrize("line", [line for line in EVERY_VERB if line[0] != "encrypt"], ids=" ".join)
    def test_a_key_for_a_plain_memory_is_refused_by_every_verb_but_encrypt(
        self, plain: None, cli: CommandLine, use: SetKey, path: Path, line: list[str]
    ) -> None:
        """Its owner thinks that it is encrypted: to go on would keep them in that belief."""
        use(KEY)
        before = bytes_in(path.parent)
        outcome = cli("--json", *line)
        assert refused(outcome)
        assert "ntm-memory encrypt" in outcome.envelope["error"]["hint"]
        assert bytes_in(path.parent) == before

    def test_the_error_and_what_to_do_are_on_standard_error(self, encrypted: None, cli: CommandLine) -> None:
        """In words."""
        outcome = cli("stats")
        assert (outcome.status, outcome.out) == (3, "")
        assert outcome.err.startswith("key_refused: ")
        assert KEY_VARIABLE in outcome.err.splitlines()[1]

    def test_doctor_says_so(self, encrypted: None, cli: CommandLine) -> None:
        """With status 1, as for everything that it finds."""
        outcome = cli("--json", "doctor", "--no-host")
        assert outcome.status == 1
        bad = [finding for finding in outcome.envelope["findings"] if not finding["ok"]]
        assert [finding["subject"] for finding in bad] == ["files", "memory and encoder"]
        assert all(KEY_VARIABLE in finding["hint"] for finding in bad)


class TestDamage:
    """An encrypted memory is verified and repaired as any other."""

    def test_a_damaged_snapshot_is_mended_with_the_key(
        self, encrypted: None, cli: CommandLine, use: SetKey, path: Path
    ) -> None:
        """What is written anew is encrypted, and so is what is put aside."""
        use(KEY)
        path.write_bytes(path.read_bytes()[:-2])
        assert cli("--json", "verify").code == "store_damaged"
        assert cli("--json", "repair").envelope["lost"] == []
        assert finds_it(cli)
        assert not is_readable(path)
        assert cli("verify").status == 0


class TestSecrecy:
    """Nothing that is printed shows the key."""

    @pytest.mark.parametrize("mode", [[], ["--json"]], ids=["words", "json"])
    def test_no_command_prints_it(
        self, encrypted: None, cli: CommandLine, use: SetKey, here: Path, mode: list[str]
    ) -> None:
        """Whether it fits, does not fit, or is changed; in results and in errors, in words and as JSON."""
        printed = ""
        for key in (KEY, "wrong key of mine"):
            use(key)
            for line in [["doctor", "--no-host"], ["stats"], *EVERY_VERB[:-2]]:
                outcome = cli(*mode, *line)
                printed += outcome.out + outcome.err
        (here / "clawhub.json").write_text(json.dumps({"plugins": {PLUGIN: {"config": {"stores": 1}}}}))
        outcome = cli(*mode, "stats")
        printed += outcome.out + outcome.err
        use(KEY)
        (here / "clawhub.json").unlink()
        for line in EVERY_VERB[-2:]:
            outcome = cli(*mode, *line)
            printed += outcome.out + outcome.err
        assert printed
        assert [key for key in (KEY, "wrong key of mine", OTHER) if key in printed] == []
