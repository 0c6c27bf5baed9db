"""Small pictures for a terminal: how attention moves from stage to stage, and what leans which way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntm_memory_skill.engine import Attention

BARS = "·▁▂▃▄▅▆▇█"
PARTS = " ▏▎▍▌▋▊▉█"  # of a cell, from the left; there is only one such part from the right
RIGHT_HALF = "▐"
AXIS = BREAK = "│"  # between two chats: no weight crosses it


def sparkline(weights: Sequence[float], peak: float) -> str:
    """Return a bar a weight, from a dot for next to nothing to full for `peak`."""
    top = len(BARS) - 1
    return "".join(BARS[round(weight / peak * top)] if peak > 0 else BARS[0] for weight in weights)


def leaning(amount: float, peak: float, cells: int) -> str:
    """Return a bar that leans to the right of an axis for an amount above 0, and to the left for one below.

    Args:
        amount: What is drawn.
        peak: The amount, 0 or more, that takes all cells of its side.
        cells: How many there are on each side.
    """
    eighths = max(1, round(abs(amount) / peak * cells * 8)) if amount and peak > 0 else 0
    whole, part = "█" * (eighths // 8), eighths % 8
    if amount >= 0:
        return f"{'':>{cells}}{AXIS}{whole}{PARTS[part] if part else ''}"
    return f"{(RIGHT_HALF if part else '') + whole:>{cells}}{AXIS}"


def excerpt(text: str, cells: int) -> str:
    """Return a text as one line of up to so many cells of a terminal, 1 and up; a Chinese character takes two."""
    from rich.cells import cell_len, get_character_cell_size

    line = " ".join(text.split())
    if cell_len(line) <= cells:
        return line
    kept, room = "", cells - 1
    for character in line:
        room -= get_character_cell_size(character)
        if room < 0:
            break
        kept += character
    return f"{kept.rstrip()}…"


def attention_picture(attention: Attention, ident: str, around: int = 1) -> list[str]:
    """Return a line a stage: the weights over the memory's own chat and `around` chats before and after it.

    Each line is scaled to its stage's highest weight anywhere, so that a bar is high where the head looks most. An
    arrow under the last line marks the memory.
    """
    sessions: list[list[int]] = []
    for index, record in enumerate(attention.records):
        if not sessions or attention.records[sessions[-1][-1]].session != record.session:
            sessions.append([])
        sessions[-1].append(index)
    home = next(number for number, indices in enumerate(sessions) if ident in _ids(attention, indices))
    window = sessions[max(0, home - around) : home + around + 1]
    lines = []
    for stage in ("content", "shifted", "sharpened"):
        weights = getattr(attention, stage)
        parts = [sparkline([weights[index] for index in indices], max(weights)) for indices in window]
        lines.append(f"{stage:>9} {BREAK}{BREAK.join(parts)}{BREAK}")
    marks = BREAK.join("".join("^" if attention.records[i].id == ident else " " for i in indices) for indices in window)
    return [*lines, f"{'':>9}  {marks.replace(BREAK, ' ')}"]


def _ids(attention: Attention, indices: Sequence[int]) -> list[str]:
    return [attention.records[index].id for index in indices]
