"""Erase: exactly what was named, with a receipt; where a name is in doubt, nothing, and a list to choose from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ntm_memory_skill import NTMMemoryManager
from tests.tools.calls import JSON, done, everything, found, ids, noted, refused

NOTHING = {"action": "none", "count": 0, "ids": []}


def receipt(memory: NTMMemoryManager, **arguments: Any) -> JSON:
    """Erase, and return the receipt, whose digest has to be right."""
    envelope = done(memory, "erase", **arguments)
    assert "candidates" not in envelope
    shown: JSON = envelope["receipt"]
    assert shown["count"] == len(shown["ids"]) == len(shown["strength_left"])
    assert shown["digest"] == digest_of(shown)
    return shown


def digest_of(shown: JSON) -> str:
    """Return the digest that a receipt has to have, as somebody would check it who has nothing else."""
    rest = {name: value for name, value in shown.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def candidates(memory: NTMMemoryManager, query: str) -> list[JSON]:
    """Erase by a query that names no single memory: nothing may change. Return what is offered instead."""
    before = everything(memory)
    envelope = done(memory, "erase", query=query)
    assert everything(memory) == before
    assert envelope["receipt"] == NOTHING
    assert envelope["hint"]
    offered: list[JSON] = envelope["candidates"]
    return offered


def bytes_on_disk(folder: Path) -> Iterator[bytes]:
    """Yield what every file of the memory holds."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    yield from (file.read_bytes() for file in files)


def test_a_memory_is_erased_by_its_id_and_a_receipt_is_given(memory: NTMMemoryManager) -> None:
    """The others stay."""
    first, second = noted(memory, "The gate is green"), noted(memory, "The gate is red")
    shown = receipt(memory, id=first, reason="asked to")
    assert shown == {
        "action": "erased",
        "at": memory.state.archive[first].erased_at.isoformat(),  # type: ignore[union-attr]  # it was erased
        "count": 1,
        "ids": [first],
        "strength_left": [0.0],
        "digest": digest_of(shown),
    }
    assert ids(found(memory, "gate")) == [second]
    assert memory.state.archive[first].erased_because == "asked to"


def test_several_are_erased_together(memory: NTMMemoryManager) -> None:
    """In the order in which they were named."""
    idents = [noted(memory, f"The gate is number {number}") for number in range(4)]
    assert receipt(memory, ids=[idents[2], idents[0]])["ids"] == [idents[2], idents[0]]
    assert set(memory.state.records) == {idents[1], idents[3]}


def test_one_unknown_id_keeps_all_of_them(memory: NTMMemoryManager) -> None:
    """All or none."""
    ident = noted(memory, "The gate is green")
    before = everything(memory)
    assert refused(memory, "erase", ids=[ident, "m0"])["code"] == "unknown_memory"
    assert refused(memory, "erase", id="m0")["code"] == "unknown_memory"
    assert everything(memory) == before


def test_an_erased_memory_cannot_be_erased_again(memory: NTMMemoryManager) -> None:
    """Its id no longer works."""
    ident = noted(memory, "The gate is green")
    receipt(memory, id=ident)
    assert refused(memory, "erase", id=ident)["code"] == "unknown_memory"


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": "{}", "ids": ["{}"]},
        {"id": "{}", "query": "The gate is green"},
        {"ids": ["{}"], "query": "The gate is green"},
        {"id": "{}", "ids": ["{}"], "query": "The gate is green"},
        {"ids": []},
        {"ids": ["{}", "{}"]},
        {"strength": 1, "reason": "which one?"},
        {"id": None, "ids": None, "query": None},
        {},
    ],
    ids=repr,
)
def test_anything_but_one_way_of_naming_is_refused(arguments: dict[str, Any], memory: NTMMemoryManager) -> None:
    """Two ways may contradict each other, and none means nothing."""
    ident = noted(memory, "The gate is green")
    given = {
        name: [part.format(ident) for part in value] if isinstance(value, list) else value
        for name, value in arguments.items()
    }
    given = {name: value.format(ident) if isinstance(value, str) else value for name, value in given.items()}
    before = everything(memory)
    assert refused(memory, "erase", **given)["code"] == "invalid_argument"
    assert everything(memory) == before


@pytest.mark.parametrize("query", ["The gate is green", "  the GATE is green\n", "gate colour", "Gate Colour "])
def test_a_query_that_is_one_memory_s_exact_text_or_key_erases_it(query: str, memory: NTMMemoryManager) -> None:
    """Case and blanks around it aside."""
    ident = noted(memory, "The gate is green", key="gate colour")
    other = noted(memory, "The gate is green as grass", key="gate colour in summer")
    assert receipt(memory, query=query)["ids"] == [ident]
    assert set(memory.state.records) == {other}


def test_a_query_that_only_resembles_a_memory_erases_nothing(memory: NTMMemoryManager) -> None:
    """The nearest are offered, best first; five at most."""
    for number in range(8):
        noted(memory, f"The gate is painted in colour {number}")
    offered = candidates(memory, "the gate is painted in colour")
    assert len(offered) == 5
    assert ids(offered) == ids(found(memory, "the gate is painted in colour", top_k=5))


def test_a_name_that_two_memories_share_erases_neither(memory: NTMMemoryManager) -> None:
    """Both are offered, though others may resemble the words more."""
    named = noted(memory, "swordfish", key="wifi password")
    said = noted(memory, "wifi password")
    noted(memory, "the wifi password of the office")
    assert sorted(ids(candidates(memory, "Wifi password"))) == sorted([named, said])


def test_a_candidate_s_id_erases_it(memory: NTMMemoryManager) -> None:
    """The way on from an offer."""
    noted(memory, "The gate is green")
    (offered,) = candidates(memory, "gate")
    assert receipt(memory, id=offered["id"])["action"] == "erased"
    assert len(memory) == 0


def test_an_empty_memory_offers_nothing(memory: NTMMemoryManager) -> None:
    """And says that nothing was erased."""
    assert candidates(memory, "gate") == []


@pytest.mark.parametrize("query", ["", " ", "\n\t"], ids=repr)
def test_a_blank_query_erases_nothing(query: str, memory: NTMMemoryManager) -> None:
    """A memory without a key is not one whose key is blank."""
    noted(memory, "The only memory, and without a key")
    before = everything(memory)
    assert refused(memory, "erase", query=query)["code"] == "invalid_content"
    assert everything(memory) == before


def test_a_strength_below_1_fades_and_what_is_left_is_told(memory: NTMMemoryManager) -> None:
    """By its share of what was left before, so that it never comes to nothing."""
    ident = noted(memory, "The gate is green")
    left = 1.0
    for share in (0.25, 0.5, 0.0, 0.999, 0.9999, 0.9999):
        left = max(left * (1 - share), 1e-6)
        shown = receipt(memory, id=ident, strength=share)
        assert (shown["action"], shown["ids"]) == ("faded", [ident])
        assert shown["strength_left"] == pytest.approx([left])
    (hit,) = found(memory, "gate")
    assert hit["strength"] == pytest.approx(left)


def test_what_has_faded_matches_less(memory: NTMMemoryManager) -> None:
    """Of two that say the same, the faded one comes second."""
    faded, whole = noted(memory, "The gate is green"), noted(memory, "The gate is green", force=True)
    receipt(memory, id=faded, strength=0.9)
    hits = found(memory, "the gate is green")
    assert ids(hits) == [whole, faded]
    assert hits[0]["score"] > hits[1]["score"]
    assert "strength" not in hits[0]


def test_a_query_fades_as_well(memory: NTMMemoryManager) -> None:
    """Naming and how far are two things."""
    ident = noted(memory, "The gate is green")
    assert receipt(memory, query="the gate is green", strength=0.5)["strength_left"] == [0.5]
    assert memory.get(ident).strength == 0.5


def test_a_purge_lists_the_files_it_rewrote_and_leaves_no_trace_of_the_text(
    memory: NTMMemoryManager, path: Path
) -> None:
    """In none of the memory's files; the id alone is remembered, so that it is not given again."""
    ident = noted(memory, "swordfish", key="wifi password")
    noted(memory, "The gate is green")
    assert any(b"swordfish" in data for data in bytes_on_disk(path.parent))
    shown = receipt(memory, id=ident, purge=True)
    assert (shown["action"], shown["strength_left"]) == ("purged", [0.0])
    assert shown.keys() == {
        "action",
        "at",
        "count",
        "ids",
        "strength_left",
        "files_rewritten",
        "files_removed",
        "sha256",
        "digest",
    }
    assert path.name in shown["files_rewritten"]
    assert set(shown["sha256"]) == set(shown["files_rewritten"])
    for name, checksum in shown["sha256"].items():
        assert hashlib.sha256(path.with_name(name).read_bytes()).hexdigest() == checksum
    assert not any(b"swordfish" in data or b"wifi" in data for data in bytes_on_disk(path.parent))
    assert set(memory.state.tombstones) == {ident}


def test_a_receipt_that_was_changed_no_longer_fits_its_digest(memory: NTMMemoryManager) -> None:
    """In any of its parts: it can be kept as evidence."""
    noted(memory, "The gate is green")
    shown = receipt(memory, id=noted(memory, "swordfish"), purge=True)
    for name in shown.keys() - {"digest"}:
        changed = {**shown, name: "something else"}
        assert digest_of(changed) != shown["digest"]
    again = receipt(memory, id=shown["ids"][0], purge=True)
    assert again["digest"] != shown["digest"]


def test_an_erase_without_purge_rewrites_no_files(memory: NTMMemoryManager) -> None:
    """And says nothing of files."""
    shown = receipt(memory, id=noted(memory, "The gate is green"), purge=False)
    assert not shown.keys() & {"files_rewritten", "files_removed", "sha256"}


def test_what_was_erased_before_can_still_be_purged(memory: NTMMemoryManager, path: Path) -> None:
    """By its id, and as often as anyone wants to be sure; but it cannot be erased any more."""
    ident = noted(memory, "swordfish")
    receipt(memory, id=ident)
    assert receipt(memory, id=ident, purge=True)["action"] == "purged"
    assert not any(b"swordfish" in data for data in bytes_on_disk(path.parent))
    before = everything(memory)
    assert receipt(memory, id=ident, purge=True)["action"] == "purged"
    assert everything(memory) == before
    assert refused(memory, "erase", id=ident)["code"] == "unknown_memory"


def test_a_purge_in_part_is_refused(memory: NTMMemoryManager) -> None:
    """There is no half of a text to remove."""
    ident = noted(memory, "The gate is green")
    before = everything(memory)
    assert refused(memory, "erase", id=ident, purge=True, strength=0.5)["code"] == "invalid_argument"
    assert everything(memory) == before
