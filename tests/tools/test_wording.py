"""What terms are called: every name that an answer can hold has its words, and they fit into a sentence."""

from __future__ import annotations

import pytest

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.engine import TERMS
from ntm_memory_skill.tools.wording import BESIDES, WORDING, label, main_reason
from tests.tools.calls import done, noted


def test_every_term_and_stage_has_words_of_its_own() -> None:
    """In the engine's order, and none besides; no two are called the same, or explained the same."""
    assert tuple(WORDING) == (*TERMS, *BESIDES)
    for said in ("label", "about", "more"):
        assert len({getattr(each, said) for each in WORDING.values()}) == len(WORDING)
    assert all(WORDING[name].less for name in TERMS)


@pytest.mark.parametrize("name", WORDING)
def test_words_fit_where_they_are_put(name: str) -> None:
    """A label into its column, an explanation into a table's cell, a phrase behind "it" or "that one"."""
    each = WORDING[name]
    assert len(label(name)) < 22
    assert "|" not in each.about
    assert each.about.endswith(".")
    for phrase in (each.more, each.less or each.more):
        assert phrase.split()[0].endswith("s")
        assert phrase[-1].isalpha()


def test_every_name_in_an_answer_has_words(memory: NTMMemoryManager) -> None:
    """In its terms and in what set the best miss apart."""
    for text in ("Ana oiled the gate", "The gate squeaks", "Zebras live in herds"):
        noted(memory, text, session="garden")
    envelope = done(memory, "search", query="what squeaked in January 2026?", top_k=1, explain=True)
    named = {term["name"] for term in envelope["hits"][0]["trace"]["terms"]}
    told = {each["name"] for each in envelope["missed"]["differences"]}
    assert named
    assert told
    assert named | told <= set(WORDING)


def test_without_a_difference_there_is_no_reason() -> None:
    """Nor where everything speaks for the other."""
    assert main_reason([], [], "it", "that one") is None
    assert main_reason([{"name": "words", "amount": -1.0}], [], "it", "that one") is None
