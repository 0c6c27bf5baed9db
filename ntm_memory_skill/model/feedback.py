"""What an answer turned out to be good for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

How = Literal["update", "supersede", "erase", "use"]
HOWS: tuple[How, ...] = get_args(How)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One memory, of those that a question was given, was of use.

    Raises:
        ValueError: The memory is not among those that were given, or `how` is none of `HOWS`.
    """

    query: str
    """The question, as it was asked."""
    ids: tuple[str, ...]
    """The memories that were given, best first."""
    used: str
    """The one of them that was of use."""
    how: How
    """What showed it: it was then updated, superseded by another memory, or erased; or somebody said so ("use")."""
    at: datetime
    """When it was shown, with its zone."""

    def __post_init__(self) -> None:
        if self.used not in self.ids:
            raise ValueError(f"{self.used!r} is not among the memories that were given")
        if self.how not in HOWS:
            raise ValueError(f"{self.how!r} is not a way in which a memory is of use")
