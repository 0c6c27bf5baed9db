"""Small pictures for a terminal: how attention moves from stage to stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntm_memory_skill.engine import Attention

BARS = "·▁▂▃▄▅▆▇█"
STAGES = ("content", "gated", "shifted", "sharpened")
BREAK = "│"  # between two chats: no weight crosses it


def sparkline(weights: Sequence[float], peak: float) -> str:
    """Return a bar a weight, from a dot for next to nothing to full for `peak`."""
    top = len(BARS) - 1
    return "".join(BARS[round(weight / peak * top)] if peak > 0 else BARS[0] for weight in weights)


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


def trace_lines(trace: dict[str, Any] | None) -> list[str]:
    """Return a hit's trace in words: its terms, its weight after each stage, and where shifted weight came from."""
    if trace is None:
        return []
    stages, share = trace["stages"], trace["lexical_share"]
    peak = max(stages.values())
    meaning = "" if trace["cosine"] is None else f"{1 - share:.2f}·z(cosine {trace['cosine']:.3f}) + "
    lines = [f"content score {trace['content_score']:+.2f} = {meaning}{share:.2f}·z(bm25 {trace['bm25']:.2f})"]
    lines.extend(f"{stage:>9} {sparkline([stages[stage]], peak)} {stages[stage]:.4f}" for stage in STAGES)
    for neighbour in trace["neighbours"]:
        side = "before" if neighbour["offset"] > 0 else "after"
        places = abs(neighbour["offset"])
        lines.append(f"  +{neighbour['weight']:.4f} from {neighbour['id']}, {places} {side} it")
    return lines


def _ids(attention: Attention, indices: Sequence[int]) -> list[str]:
    return [attention.records[index].id for index in indices]
