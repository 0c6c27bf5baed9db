"""Rules as they are written down: one a line, a name and a regular expression."""

from __future__ import annotations

import re

Rules = tuple[tuple[str, re.Pattern[str]], ...]
"""Names, each with a pattern; one name may have several."""


def rules(text: str) -> Rules:
    """Return rules that stand one a line: what is found, two blanks or more, its pattern."""
    return tuple((name, re.compile(pattern)) for name, pattern in re.findall(r"(?m)^ *(\S.*?)  +(.+)$", text))
