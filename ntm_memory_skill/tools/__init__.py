"""The five verbs that an agent sees, once: names, schemas, handlers, and the envelope that every answer comes in."""

from importlib import import_module
from typing import TYPE_CHECKING

from ntm_memory_skill.tools.call import call, failure

__all__ = ["TOOLS", "ToolSpec", "call", "failure"]

if TYPE_CHECKING:
    from ntm_memory_skill.tools.spec import TOOLS, ToolSpec
else:

    def __getattr__(name: str) -> object:
        """Import the specifications when they are asked for: an error's envelope needs none of them."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.spec"), name)
