"""The five verbs that an agent sees, once: names, schemas, handlers, and the envelope that every answer comes in."""

from ntm_memory_skill.tools.call import call, failure
from ntm_memory_skill.tools.spec import TOOLS, ToolSpec

__all__ = ["TOOLS", "ToolSpec", "call", "failure"]
