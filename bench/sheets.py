"""A table that can be shown on a terminal or written as Markdown, ratios first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

Cell = str | float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: what it shows, its columns, and its lines. Numbers are shown with three figures, None as a dash."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What a reader should know of it, a line each."""

    def as_table(self) -> Table:
        """Return it for a terminal."""
        shown = Table(*self.columns, title=self.title, title_justify="left", caption_justify="left")
        for row in self.rows:
            shown.add_row(*map(cell, row))
        shown.caption = "\n".join(self.notes) or None
        return shown

    def as_markdown(self) -> str:
        """Return it as Markdown, under a heading of the third order."""
        lines = [self.columns, tuple("---" for _ in self.columns), *(tuple(map(cell, row)) for row in self.rows)]
        body = "\n".join(f"| {' | '.join(text.replace('|', '/') for text in line)} |" for line in lines)
        return "\n\n".join([f"### {self.title}", body, *self.notes])


def cell(value: Cell) -> str:
    """Return a value as it is shown."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Return a number with three figures, and with separators from ten thousand on."""
    size = abs(value)
    if float(value).is_integer():
        return f"{value:,.0f}"
    digits = next((digits for limit, digits in ((0.1, 4), (1, 3), (10, 2), (100, 1)) if size < limit), 0)
    return f"{value:,.{digits}f}"


def sheet(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *notes: str) -> Sheet:
    """Return a table of these lines."""
    return Sheet(title, tuple(columns), tuple(map(tuple, rows)), notes)
