"""The key that encrypts a memory: where it comes from, what is refused as one, and that nothing shows it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ntm_memory_skill.config import CLAWHUB_VARIABLE, KEY_VARIABLE, load_config, read_key
from ntm_memory_skill.errors import ConfigError
from ntm_memory_skill.hosts.compose import configured
from tests.config.files import loaded, write_config, write_entry

WORDS = "correct horse 电池 staple"
KEY_FILE = {"store": {"key_file": "key.txt"}}


def write_key(folder: Path, text: str = WORDS, name: str = "key.txt") -> Path:
    """Write a key file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def key_of(folder: Path, named: object) -> str | None:
    """Return the key that a folder's clawhub.json leads to by the name of a key file."""
    return loaded(folder, {"store": {"key_file": named}}).settings.store.passphrase


def refusal(folder: Path, named: str) -> ConfigError:
    """Return the error that a key file ends in."""
    write_config(folder, {"store": {"key_file": named}})
    with pytest.raises(ConfigError) as caught:
        load_config({}, folder)
    assert caught.value.code == "invalid_config"
    assert caught.value.hint
    return caught.value


class TestWhereItIs:
    """A key file is found by its name."""

    def test_a_relative_name_is_beside_clawhub_json(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not in the folder that the process happens to be in."""
        write_key(tmp_path / "project" / "keys")
        write_key(tmp_path / "keys", "another")
        monkeypatch.chdir(tmp_path)
        assert key_of(tmp_path / "project", "keys/key.txt") == WORDS

    @pytest.mark.parametrize("relative", [False, True])
    def test_a_named_clawhub_json_has_its_key_beside_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
    ) -> None:
        """However the environment names it."""
        write_key(tmp_path / "named")
        write_key(tmp_path / "folder", "another")
        file = write_config(tmp_path / "named", KEY_FILE)
        monkeypatch.chdir(tmp_path)
        variables = {CLAWHUB_VARIABLE: "named/clawhub.json" if relative else str(file)}
        assert load_config(variables, tmp_path / "folder").settings.store.passphrase == WORDS

    def test_an_absolute_name_is_taken_as_it_stands(self, tmp_path: Path) -> None:
        """Such as that of a secret which a service manager mounts."""
        file = write_key(tmp_path / "run" / "secrets")
        assert key_of(tmp_path, str(file)) == WORDS

    def test_a_tilde_is_the_home_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Clawhub.json is no shell, which would have replaced it."""
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        write_key(tmp_path / "home" / ".config")
        assert key_of(tmp_path, "~/.config/key.txt") == WORDS

    def test_an_override_without_a_file_names_a_key_in_the_folder(self, tmp_path: Path) -> None:
        """There is no clawhub.json that it could lie beside."""
        write_key(tmp_path)
        assert load_config({}, tmp_path, overrides=KEY_FILE).settings.store.passphrase == WORDS

    @pytest.mark.parametrize("around", ["\n", "\r\n", "  \n\n", ""], ids=repr)
    def test_blanks_and_line_ends_around_it_are_no_part_of_it(self, tmp_path: Path, around: str) -> None:
        """Every editor ends a file in its own way; blanks within are the owner's."""
        write_key(tmp_path, around + WORDS + around)
        assert key_of(tmp_path, "key.txt") == WORDS


class TestRefusals:
    """What is no key is refused at once: encrypting with half a key, or with none, would be found out too late."""

    def test_a_file_that_is_missing_is_refused(self, tmp_path: Path) -> None:
        """And named."""
        assert "no-such-key.txt" in refusal(tmp_path, "no-such-key.txt").message

    @pytest.mark.parametrize("text", ["", "\n", " \t\r\n "], ids=repr)
    def test_a_file_without_a_key_is_refused(self, tmp_path: Path, text: str) -> None:
        """Empty, or blank."""
        write_key(tmp_path, text)
        refusal(tmp_path, "key.txt")

    def test_bytes_that_are_no_text_are_refused_and_not_shown(self, tmp_path: Path) -> None:
        """Random bytes are a common mistake: they would be a good key, if they could be typed."""
        (tmp_path / "key.txt").write_bytes(b"correct\xff\xfehorse")
        assert "correct" not in refusal(tmp_path, "key.txt").message

    @pytest.mark.parametrize(
        "named",
        [".", "x" * 300, "a\0b", "\ud800", "~no-such-user-here/key"],
        ids=["folder", "long", "null", "half", "user"],
    )
    def test_a_name_that_no_file_can_have_is_refused(self, tmp_path: Path, named: str) -> None:
        """With an error of ours, whatever the operating system makes of it."""
        refusal(tmp_path, named)

    @pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read every file")
    def test_a_file_that_may_not_be_read_is_refused(self, tmp_path: Path) -> None:
        """As somebody else's key."""
        write_key(tmp_path).chmod(0)
        refusal(tmp_path, "key.txt")

    @pytest.mark.parametrize("value", ["", 5, None, [], {}], ids=repr)
    def test_what_is_no_name_is_refused_by_the_schema(self, tmp_path: Path, value: object) -> None:
        """In its place."""
        write_config(tmp_path, {"store": {"key_file": value}})
        with pytest.raises(ConfigError) as caught:
            load_config({}, tmp_path)
        assert "config.store.key_file" in caught.value.message

    def test_a_key_file_that_is_given_directly_is_held_to_the_same(self, tmp_path: Path) -> None:
        """As `ntm-memory encrypt --key-file` gives it."""
        assert read_key(write_key(tmp_path, f"{WORDS}\n")) == WORDS
        for wrong in (tmp_path / "missing", tmp_path, write_key(tmp_path, "", "empty")):
            with pytest.raises(ConfigError):
                read_key(wrong)


class TestEnvironment:
    """The variable beats the file."""

    def test_the_variable_is_the_key_itself(self, tmp_path: Path) -> None:
        """No file is needed."""
        assert load_config({KEY_VARIABLE: WORDS}, tmp_path).settings.store.passphrase == WORDS

    def test_the_variable_beats_the_file(self, tmp_path: Path) -> None:
        """Which is then not even read: it need not be there."""
        write_config(tmp_path, KEY_FILE)
        assert load_config({KEY_VARIABLE: WORDS}, tmp_path).settings.store.passphrase == WORDS
        write_key(tmp_path, "another")
        assert load_config({KEY_VARIABLE: WORDS}, tmp_path).settings.store.passphrase == WORDS

    def test_an_empty_variable_leaves_it_to_the_file(self, tmp_path: Path) -> None:
        """As with all others."""
        write_config(tmp_path, KEY_FILE)
        write_key(tmp_path)
        assert load_config({KEY_VARIABLE: ""}, tmp_path).settings.store.passphrase == WORDS

    def test_the_variable_that_is_no_utf_8_is_taken_as_its_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The operating system gives bytes; a memory that was encrypted with them must be opened by them again."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setitem(os.environb, KEY_VARIABLE.encode(), b"caf\xe9")
        found = configured().settings.store.passphrase
        assert found is not None
        assert os.fsencode(found) == b"caf\xe9"


class TestSecrecy:
    """Nothing that is printed holds the key."""

    @pytest.mark.parametrize("from_file", [False, True])
    def test_no_representation_shows_it(self, tmp_path: Path, from_file: bool) -> None:
        """A log or a traceback prints these."""
        write_config(tmp_path, KEY_FILE if from_file else {})
        write_key(tmp_path)
        config = load_config({} if from_file else {KEY_VARIABLE: WORDS}, tmp_path)
        assert config.settings.store.passphrase == WORDS
        for shown in (config, config.settings, config.settings.store):
            assert WORDS not in f"{shown!r} {shown}"

    def test_no_error_shows_it(self, tmp_path: Path) -> None:
        """When something else in the configuration is wrong."""
        write_entry(tmp_path, {"config": KEY_FILE, "colour": "red"})
        write_key(tmp_path)
        with pytest.raises(ConfigError) as caught:
            load_config({KEY_VARIABLE: WORDS}, tmp_path)
        assert WORDS not in f"{caught.value!r} {caught.value} {caught.value.hint}"
