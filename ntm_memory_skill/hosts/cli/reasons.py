"""Reasons in lines for a terminal: a hit's terms, stages and neighbours, and what sets two memories apart.

The law: no line is wider than it may be, from 36 cells up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ntm_memory_skill.hosts.cli.picture import excerpt, leaning, sparkline
from ntm_memory_skill.tools.wording import label, main_reason

JSON = Mapping[str, Any]

STAGES = {
    "content": "by what it says",
    "gated": "with the chat's last focus",
    "shifted": "with what stood next to it",
    "sharpened": "spread apart: the score",
}
LABEL = 22  # cells of a term's name
LONGEST_BAR = 10  # cells on each side of its axis
QUOTE = 60  # cells of another memory's text in a sentence


def trace_lines(trace: JSON | None, width: int) -> list[str]:
    """Return a hit's trace: its terms, its weight after each stage, where shifted weight came from, its rank.

    The last is what a reranker gave, where one put the hits in order.

    Args:
        trace: As the tools give it; None has no lines.
        width: Cells that a line may have, 36 and up.
    """
    if trace is None:
        return []
    lines = [*term_lines(trace, width), *stage_lines([trace["stages"]], width)]
    lines.extend(f"  {lent(neighbour)}" for neighbour in trace["neighbours"])
    lines.extend(f"  {led(step)}" for step in trace["chain"])
    if trace["rerank"] is not None:
        lines.append(f"   rerank {trace['rerank']:+.4f}, which decides the order")
    return lines


def term_lines(trace: JSON, width: int) -> list[str]:
    """Return the content score and a line a term: value × weight = contribution, with a bar; two where it is narrow."""
    signals = [f"bm25 {trace['bm25']:.2f}", f"share of words {trace['lexical_share']:.2f}"]
    if trace["cosine"] is not None:
        signals.insert(0, f"cosine {trace['cosine']:.3f}")
    lines = [f"content score {trace['content_score']:+.2f}", *_filled(signals, width)]
    peak = max((abs(term["contribution"]) for term in trace["terms"]), default=0.0)
    for term in trace["terms"]:
        product = f"{term['value']:+7.2f} × {term['weight']:+.2f}"
        name, gives = f"  {label(term['name']):<{LABEL}}", f"{term['contribution']:+7.2f}"
        head = f"{name}{product} = {gives}"
        if len(head) > width:
            head = f"{name}{gives}"
        lines.append(_with_bar(head, term["contribution"], peak, width))
        if product not in head:
            lines.append(f"    = {product.strip()}")
    return lines


def stage_lines(stages: Sequence[Mapping[str, float]], width: int) -> list[str]:
    """Return a line a stage with the weights of one or more memories, all on one scale, and what the stage does."""
    peak = max(max(each.values()) for each in stages)
    lines = []
    for name, about in STAGES.items():
        weights = "  ".join(f"{sparkline([each[name]], peak)} {each[name]:.4f}" for each in stages)
        line = f"{name:>9} {weights}"
        lines.append(f"{line}  {about}" if len(line) + 2 + len(about) <= width else line)
    return lines


def difference_lines(differences: Sequence[JSON], width: int) -> list[str]:
    """Return a line a difference: by how much it multiplies or divides a memory's weight against another's, with a bar.

    The last line has all of them together. Where nothing sets the two apart, there are no lines.
    """
    if not differences:
        return []
    peak = max(abs(each["amount"]) for each in differences)
    lines = [
        _with_bar(f"  {label(each['name']):<{LABEL}}{_factor(each['amount']):>8}", each["amount"], peak, width)
        for each in differences
    ]
    together = sum(each["amount"] for each in differences)
    return [*lines, f"  {'together':<{LABEL}}{_factor(together):>8}"]


def lent(neighbour: JSON) -> str:
    """Return where some of a memory's weight came from, and how much."""
    side = "before" if neighbour["offset"] > 0 else "after"
    return f"+{neighbour['weight']:.4f} from {neighbour['id']}, {abs(neighbour['offset'])} {side}"


def led(step: JSON) -> str:
    """Return which memory led on to the next, how far, and by what."""
    by = {"named": "which names it", "linked": "which was recalled with it"}.get(step["by"], "")
    shared = by or (f"which shares {step['name']}" if step["name"] is not None else "which shares words")
    return f"+{step['amount']:.2f}σ from {step['id']}, {shared}"


def why_it_lost(differences: Sequence[JSON], terms: Sequence[JSON], other: str) -> str:
    """Return in one sentence why a memory stands behind another.

    Args:
        differences: As the tools give them: above 0 what speaks for it, below 0 what speaks against it.
        terms: Those of any hit for the same question.
        other: What the other memory is called.
    """
    turned = [{**each, "amount": -each["amount"]} for each in differences]
    reason = main_reason(turned, terms, "that one", "this one")
    return _equal(other) if reason is None else f"It lost to {other} mainly because {reason}."


def why_it_won(differences: Sequence[JSON], terms: Sequence[JSON], other: str) -> str:
    """Return in one sentence why a memory stands before another. Arguments as in `why_it_lost`."""
    reason = main_reason(differences, terms, "it", "that one")
    return _equal(other) if reason is None else f"It beat {other} mainly because {reason}."


def called(content: str, rank: int) -> str:
    """Return what a memory is called in a sentence: how its text begins, and its place."""
    return f"“{excerpt(content, QUOTE)}” (rank {rank})"


def _equal(other: str) -> str:
    return f"Nothing sets it apart from {other}: equal ones stand in the order of their slots."


def _with_bar(head: str, amount: float, peak: float, width: int) -> str:
    """Return a line with a bar in what room is left behind it, if that is enough for one."""
    cells = min(LONGEST_BAR, (width - len(head) - 2) // 2)
    return f"{head} {leaning(amount, peak, cells)}" if cells > 0 else head


def _factor(amount: float) -> str:
    """Return a difference of logarithms as what it does to a weight, in up to 8 characters."""
    factor = math.exp(min(abs(amount), 100.0))
    digits = f"{factor:.2f}" if factor < 10 else f"{factor:,.0f}" if factor < 100_000 else f"{factor:.0e}"
    return f"{'×' if amount >= 0 else '÷'}{digits}"


def _filled(parts: Sequence[str], width: int) -> list[str]:
    """Return parts joined by dots, in as many lines as they need."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(f"  {part}")
    return lines
