"""Which statement holds in the place of which: "I moved to Berlin" in that of "I live in Paris".

The rules are hundreds of patterns, and compiling them takes a tenth of a second: they are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ntm_memory_skill.m3.succession.values import Claim, Statement, Succession

if TYPE_CHECKING:
    from ntm_memory_skill.m3.succession.claiming import claims
    from ntm_memory_skill.m3.succession.finding import find_successions, succeeds, successions_of

__all__ = ["Claim", "Statement", "Succession", "claims", "find_successions", "succeeds", "successions_of"]

_LATER = {
    "claims": "claiming",
    "find_successions": "finding",
    "succeeds": "finding",
    "successions_of": "finding",
}
"""In which module each function is."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
