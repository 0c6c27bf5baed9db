"""The written set of successions is what bench/stale_facts.py takes it for."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "bench/successions.jsonl"
LINES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
SUCCESSIONS = [line for line in LINES if line["kind"] != "bystander"]
BYSTANDERS = [line for line in LINES if line["kind"] == "bystander"]
MEMORIZED = [value for line in SUCCESSIONS for value in line["values"]] + BYSTANDERS


def moment(value: dict[str, Any]) -> datetime:
    """Return when something was memorized, or is asked about."""
    return datetime.fromisoformat(value["at"])


def test_there_are_enough_of_each_sort() -> None:
    """In both languages, with and without words of change, some with three values, and bystanders beside them."""
    languages = Counter(line["language"] for line in SUCCESSIONS)
    assert languages.keys() == {"en", "zh"}
    assert languages["en"] >= 80
    assert languages["zh"] >= 70
    for language in languages:
        told = [line["explicit"] for line in SUCCESSIONS if line["language"] == language]
        assert 0.3 < sum(told) / len(told) < 0.7
    assert sum(len(line["values"]) == 3 for line in SUCCESSIONS) >= 15
    assert len(BYSTANDERS) >= 60
    assert {line["why"] for line in BYSTANDERS} == {"attribute", "multi", "other"}


def test_ids_and_memorized_texts_are_unique() -> None:
    """No text is a duplicate, so that an id stands for one value; moments differ, so that their order is certain."""
    for values in (
        [line["id"] for line in LINES],
        [value["text"].casefold() for value in MEMORIZED],
        [moment(value) for value in MEMORIZED],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_an_entry_is_whole_and_in_the_order_of_time(line: dict[str, Any]) -> None:
    """All fields are there; times ascend, and the moment that is asked about lies before the last value."""
    assert line["id"].startswith(f"{line['language']}-{line['kind']}-")
    if line["kind"] == "bystander":
        assert line.keys() == {"id", "language", "kind", "near", "why", "text", "at"}
        return
    assert line.keys() == {"id", "language", "kind", "explicit", "values", "plain", "as_of"}
    times = [moment(value) for value in line["values"]]
    assert len(times) in (2, 3)
    assert times == sorted(times)
    assert times[0] < moment(line["as_of"]) < times[-1] < datetime(2026, 7, 1, tzinfo=UTC)
    assert moment(line["as_of"]) not in times
    assert all(value["text"].strip() for value in line["values"])
    assert line["plain"][-1] in "?？"
    assert line["as_of"]["question"][-1] in "?？"


def test_a_bystander_stands_near_a_succession_of_its_language() -> None:
    """The succession that it could be taken for a part of is in the file."""
    known = {line["id"]: line["language"] for line in SUCCESSIONS}
    assert [line["id"] for line in BYSTANDERS if known.get(line["near"]) != line["language"]] == []
