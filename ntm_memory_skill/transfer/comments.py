"""What is spoken in a Markdown file, and what is only noted: code is as it stands, and comments are no text.

OpenClaw notes in comments what a memory is worth, and marks with them what it writes into the days by itself while it
dreams; that is passed over. A comment that is never closed is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OPEN, CLOSE = "<!--", "-->"
DREAMS = {f"openclaw:dreaming:{phase}:start": f"openclaw:dreaming:{phase}:end" for phase in ("light", "rem", "deep")}
"""The comments around a phase of dreaming."""

_COMMENT = re.compile(r"(?P<code>(?<!`)`++[^`]+`++)|[ \t]?<!--(?P<note>.*?)-->")
_FENCE = re.compile(r"\s*(?P<fence>`{3,}(?=[^`]*$)|~{3,})")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without the comments in it."""

    text: str
    code: bool = False
    """Whether it belongs to a fenced block, its fences included."""
    notes: tuple[str, ...] = ()
    """What its comments said."""


def spoken(lines: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of a document, without the passages that are only noted."""
    last = {end: number for number, line in enumerate(lines) for end in (CLOSE, *DREAMS.values()) if end in line}
    fence = ""  # what the block of code began with, while inside one
    until = ""  # what ends the passage that is passed over, while inside one
    for number, whole in enumerate(lines):
        if until and until not in whole:
            continue
        line, until = _behind(whole, until), ""
        opening = None if fence else _FENCE.match(line)
        if fence or opening:
            yield Line(line, code=True)  # a fence's own lines are part of it
            fence = _still_open(fence, line) if opening is None else opening["fence"]
            continue
        text, notes = _parted(line)
        ends = [CLOSE] if text.lstrip().startswith(OPEN) else [DREAMS[note] for note in notes if note in DREAMS]
        until = next((end for end in ends if last.get(end, -1) > number), "")
        yield Line("" if until == CLOSE else text, notes=notes)


def _parted(line: str) -> tuple[str, tuple[str, ...]]:
    """Return a line without its comments, and what they say; those in code are shown to people, and stay."""
    if CLOSE not in line:
        return line, ()
    notes = tuple(found["note"].strip() for found in _COMMENT.finditer(line) if found["code"] is None)
    return _COMMENT.sub(lambda found: found["code"] or "", line), notes


def _behind(line: str, end: str) -> str:
    """Return what stands on a line behind the end of a passage, which is all of it where none ends."""
    rest = line.partition(end)[2] if end else line
    return rest.partition(CLOSE)[2] if end in DREAMS.values() else rest


def _still_open(fence: str, line: str) -> str:
    """Return the fence that a block of code goes on with, which is none once a line closes it."""
    bare = line.strip()
    return "" if bare.startswith(fence) and set(bare) == set(fence) else fence
