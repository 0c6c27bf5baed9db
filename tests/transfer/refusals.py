"""Asking for a refusal, and for the place that it names."""

from __future__ import annotations

import re
from pathlib import PurePath

import pytest

from ntm_memory_skill.errors import ImportRefused
from ntm_memory_skill.transfer import parse


def refusal(text: str, name: str = "memories.jsonl") -> ImportRefused:
    """Return the error that parsing ends in; it names the file."""
    with pytest.raises(ImportRefused) as caught:
        parse(text, PurePath("somewhere") / name)
    assert caught.value.code == "import_refused"
    assert name in caught.value.message
    assert caught.value.hint
    return caught.value


def numbers(error: ImportRefused, name: str = "memories.jsonl") -> list[int]:
    """Return the numbers in an error's message up to its colon: where in the file it broke."""
    return [int(number) for number in re.findall(r"\d+", error.message.replace(name, "").split(":")[0])]
