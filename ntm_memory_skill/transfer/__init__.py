"""Memories in other forms, to import from and export to. Text in, values out; files are the hosts' business."""

from ntm_memory_skill.transfer.formats import FORMATS, parse
from ntm_memory_skill.transfer.items import Item
from ntm_memory_skill.transfer.jsonl import to_jsonl
from ntm_memory_skill.transfer.markdown import to_markdown

__all__ = ["FORMATS", "Item", "parse", "to_jsonl", "to_markdown"]
