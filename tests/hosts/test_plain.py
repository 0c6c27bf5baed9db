"""What is parsed without typer's conversion comes out as with it."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from typer.core import TyperCommand

from ntm_memory_skill.hosts.cli.plain import PlainCommand

LINES: tuple[list[str], ...] = (
    ["text"],
    ["外婆", "--count", "3"],
    ["", "--count", "007"],
    ["x", "--count", "-3"],
    ["x", "--count", "many"],
    ["x", "--count", "٣"],
    ["x", "--count", " 5"],
    ["x", "--count", "1_000"],
    ["x", "--count", "9" * 30],
    ["x", "--few", "2"],
    ["x", "--few", "3"],
    ["x", "--tag", "a", "--tag", "b"],
    ["x", "--share", "0.5"],
    ["x", "--tag", "caf\udce9"],
    ["caf\udce9"],
    ["x", "more", "of", "it"],
    ["x", "caf\udce9"],
    [],
)


def parsed(cls: type[TyperCommand], line: list[str]) -> tuple[int, list[object]]:
    """Return the exit status of a line, and what its command was given."""
    given: list[object] = []
    app = typer.Typer()

    @app.command(cls=cls)
    def command(
        text: str,
        rest: Annotated[list[str] | None, typer.Argument()] = None,
        count: int | None = None,
        few: Annotated[int | None, typer.Option(max=2)] = None,
        tag: Annotated[list[str] | None, typer.Option()] = None,
        share: float | None = None,
    ) -> None:
        given.append((text, rest, count, few, tag, share))

    with pytest.raises(SystemExit) as end:
        app(args=line, standalone_mode=True)
    return int(end.value.code or 0), given


@pytest.mark.parametrize("line", LINES, ids=ascii)
def test_a_line_means_the_same(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is refused included, word for word."""
    plain, plainly = parsed(PlainCommand, line), capsys.readouterr()
    assert plain == parsed(TyperCommand, line)
    assert plainly == capsys.readouterr()
