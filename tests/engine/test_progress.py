"""Who is told how far a long call has come: a person at a terminal, a program with a function, or nobody."""

from __future__ import annotations

import io

import pytest

from ntm_memory_skill.engine.progress import bar


class Terminal(io.StringIO):
    """A terminal, as far as one can ask it."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_function_is_handed_through() -> None:
    """It is what the caller gave, and gets what the encoder tells."""
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    with bar("encoding", note) as advance:
        assert advance is note
        advance(1, 2)
    assert seen == [(1, 2)]


@pytest.mark.parametrize("progress", [False, None])
def test_nobody_is_told_where_nobody_watches(capsys: pytest.CaptureFixture[str], progress: bool | None) -> None:
    """Standard error is no terminal here, and nothing is written to it."""
    with bar("encoding", progress) as advance:
        assert advance is None
    assert capsys.readouterr() == ("", "")


def test_bar_can_be_kept_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """False means no, whoever watches."""
    monkeypatch.setattr("sys.stderr", Terminal())
    with bar("encoding", False) as advance:
        assert advance is None


@pytest.mark.parametrize("progress", [None, True])
def test_bar_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, progress: bool | None) -> None:
    """With its label, on standard error."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with bar("encoding anew", progress) as advance:
        assert advance is not None
        advance(1, 2)
    assert "encoding anew" in terminal.getvalue()


def test_bar_that_was_asked_for_keeps_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """That is for results."""
    with bar("encoding anew", True) as advance:
        assert advance is not None
        for done in range(3):
            advance(done, 2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("progress", [True, None, False])
def test_error_in_the_middle_is_passed_on(monkeypatch: pytest.MonkeyPatch, progress: bool | None) -> None:
    """And the bar is taken down, so that another can be shown."""
    monkeypatch.setattr("sys.stderr", Terminal())
    with pytest.raises(KeyError), bar("encoding", progress):
        raise KeyError
    with bar("encoding", progress):
        pass
