"""Reasons in lines: every number of a trace, what a difference does to a weight, one sentence, and never too wide."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ntm_memory_skill import NTMMemoryManager
from ntm_memory_skill.engine import TERMS
from ntm_memory_skill.hosts.cli.picture import AXIS
from ntm_memory_skill.hosts.cli.reasons import (
    called,
    difference_lines,
    stage_lines,
    term_lines,
    trace_lines,
    why_it_lost,
    why_it_won,
)
from ntm_memory_skill.tools import call
from ntm_memory_skill.tools.wording import BESIDES, WORDING

JSON = dict[str, Any]
NARROW, WIDE = 36, 100

numbers = st.floats(-99, 99, allow_nan=False)


def terms(**weighed: tuple[float, float]) -> list[JSON]:
    """Return terms from their values and weights."""
    return [
        {"name": name, "value": value, "weight": weight, "contribution": value * weight}
        for name, (value, weight) in weighed.items()
    ]


def differences(**amounts: float) -> list[JSON]:
    """Return differences, the greatest first."""
    return [
        {"name": name, "amount": amount} for name, amount in sorted(amounts.items(), key=lambda each: -abs(each[1]))
    ]


TRACE: JSON = {
    "cosine": 0.5,
    "bm25": 2.0,
    "lexical_share": 0.25,
    "content_score": -1.5,
    "terms": terms(words=(2.0, 0.25), meaning=(-3.0, 0.75), commonness=(-0.5, -0.5)),
    "stages": {"content": 0.1, "gated": 0.1, "shifted": 0.2, "sharpened": 0.4},
    "neighbours": [
        {"id": "mbefore", "offset": 2, "weight": 0.05},
        {"id": "mafter", "offset": -1, "weight": 0.01},
    ],
    "chain": [
        {"id": "mfirst", "by": "named", "name": "Graz", "amount": 1.5},
        {"id": "mthen", "by": "shared", "name": "Ana Kerr", "amount": 3.25},
    ],
    "told": 0.0,
    "rerank": None,
}


class TestTraceLines:
    """A hit's reasons."""

    def test_without_a_trace_there_is_nothing_to_say(self) -> None:
        """As when explain was not asked for."""
        assert trace_lines(None, WIDE) == []

    def test_every_number_of_the_trace_is_told(self) -> None:
        """The score, what it comes from, each term, the four stages on one scale, each neighbour with its place."""
        lines = trace_lines(TRACE, WIDE)
        assert lines[:2] == ["content score -1.50", "  cosine 0.500 · bm25 2.00 · share of words 0.25"]
        assert [line.split(AXIS)[0].split() for line in lines[2:5]] == [
            ["words", "+2.00", "×", "+0.25", "=", "+0.50"],
            ["meaning", "-3.00", "×", "+0.75", "=", "-2.25", "█" * 10],
            ["like", "everything", "else", "-0.50", "×", "-0.50", "=", "+0.25"],
        ]
        assert [line.split(AXIS)[1] for line in lines[2:5]] == ["██▎", "", "█▏"]
        assert [line.split()[:3] for line in lines[5:9]] == [
            ["content", "▂", "0.1000"],
            ["gated", "▂", "0.1000"],
            ["shifted", "▄", "0.2000"],
            ["sharpened", "█", "0.4000"],
        ]
        assert [line.strip() for line in lines[9:]] == [
            "+0.0500 from mbefore, 2 before",
            "+0.0100 from mafter, 1 after",
            "+1.50σ from mfirst, which names it",
            "+3.25σ from mthen, which shares Ana Kerr",
        ]

    def test_a_narrow_terminal_is_told_the_same(self) -> None:
        """A term takes two lines there."""
        wide, narrow = (re.findall(r"[-+]?[\d.]+", " ".join(trace_lines(TRACE, width))) for width in (WIDE, NARROW))
        assert len(wide) > 20
        assert sorted(wide) == sorted(narrow)

    def test_while_the_model_is_loading_there_is_no_cosine(self) -> None:
        """Words alone decided."""
        lines = term_lines({**TRACE, "cosine": None, "terms": TRACE["terms"][:1]}, WIDE)
        assert [line.split()[0] for line in lines] == ["content", "bm25", "words"]

    def test_what_a_reranker_gave_comes_last(self) -> None:
        """Also a 0 and a negative one; where there is no reranker, there is no word of it."""
        plain = trace_lines(TRACE, WIDE)
        for score, shown in ((2.5, "+2.5000"), (0.0, "+0.0000"), (-3.25, "-3.2500")):
            *rest, last = trace_lines({**TRACE, "rerank": score}, WIDE)
            assert rest == plain
            assert last.split()[:2] == ["rerank", f"{shown},"]

    def test_before_and_after_are_as_they_happened(self, memory: NTMMemoryManager) -> None:
        """In a real recall, for a memory in the middle of a chat."""
        idents = [memory.memorize(text, session="s").id for text in ("tea", "milk", "sugar")]
        hits = call(memory, "search", {"query": "milk", "explain": True})["hits"]
        lines = trace_lines(next(hit["trace"] for hit in hits if hit["id"] == idents[1]), WIDE)
        told = {line.split(" from ")[1] for line in lines if " from " in line}
        assert told == {f"{idents[0]}, 1 before", f"{idents[2]}, 1 after"}


class TestStageLines:
    """Where the head looked, after every stage."""

    def test_two_memories_stand_side_by_side_on_one_scale(self) -> None:
        """So that it can be seen which stage parted them."""
        other = {"content": 0.8, "gated": 0.4, "shifted": 0.2, "sharpened": 0.0}
        assert [line.split() for line in stage_lines([TRACE["stages"], other], NARROW)] == [
            ["content", "▁", "0.1000", "█", "0.8000"],
            ["gated", "▁", "0.1000", "▄", "0.4000"],
            ["shifted", "▂", "0.2000", "▂", "0.2000"],
            ["sharpened", "▄", "0.4000", "·", "0.0000"],
        ]

    def test_where_there_is_room_each_stage_says_what_it_does(self) -> None:
        """In a few words."""
        for wide, narrow in zip(stage_lines([TRACE["stages"]], WIDE), stage_lines([TRACE["stages"]], 20), strict=True):
            assert wide.startswith(f"{narrow}  ")
            assert wide[len(narrow) :].strip()


class TestDifferenceLines:
    """What set two memories apart."""

    def test_a_difference_is_told_by_what_it_does_to_the_weight(self) -> None:
        """Times so much for it, divided by so much against it; all together at the end."""
        amounts = differences(words=math.log(4), shift=-math.log(2), meaning=0.0)
        assert [line.split(AXIS)[0].split() for line in difference_lines(amounts, 80)] == [
            ["words", "×4.00"],
            ["what", "stood", "next", "to", "it", "÷2.00", "█████"],
            ["meaning", "×1.00"],
            ["together", "×2.00"],
        ]

    def test_where_nothing_sets_them_apart_nothing_is_drawn(self) -> None:
        """Two copies, for example."""
        assert difference_lines([], WIDE) == []

    @pytest.mark.parametrize(
        ("amount", "shown"),
        [(math.log(9.994), "×9.99"), (math.log(12.4), "×12"), (-math.log(54_321), "÷54,321"), (-70.0, "÷3e+30")],
    )
    def test_great_and_small_factors_are_short(self, amount: float, shown: str) -> None:
        """Also where a weight was as good as 0."""
        assert difference_lines(differences(gate=amount), NARROW)[0].split()[4] == shown


class TestWidth:
    """Nothing is wider than it may be."""

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(numbers, numbers), min_size=len(TERMS), max_size=len(TERMS)), st.integers(NARROW, 130))
    def test_no_line_is_wider_than_the_terminal(self, weighed: list[tuple[float, float]], width: int) -> None:
        """Whatever the numbers are, and whichever terms there are."""
        neighbours = [{**neighbour, "id": "m" * 13} for neighbour in TRACE["neighbours"]]
        weighed_terms = terms(**dict(zip(TERMS, weighed, strict=True)))
        trace = {**TRACE, "terms": weighed_terms, "neighbours": neighbours, "rerank": -12.5}
        amounts = {
            name: value
            for name, (value, _) in zip((*TERMS, *BESIDES), [*weighed, *weighed[: len(BESIDES)]], strict=True)
        }
        for line in (*term_lines(trace, width), *stage_lines([trace["stages"]] * 2, width)):
            assert cell_len(line) <= width, line
        for line in difference_lines(differences(**amounts), width):
            assert cell_len(line) <= width, line

    @pytest.mark.parametrize("name", WORDING)
    def test_every_label_keeps_to_its_column(self, name: str) -> None:
        """A blank stands before the number."""
        (line, _) = difference_lines(differences(**{name: -70.0}), WIDE)
        assert line.startswith(f"  {WORDING[name].label} ")


class TestSentences:
    """Why, in one sentence."""

    def test_a_loser_is_told_what_speaks_most_for_the_winner(self) -> None:
        """Not what speaks most; and what speaks for the loser, if it is half as much or more."""
        weighed = terms(words=(1, 0.4), meaning=(1, 0.6))
        lost = why_it_lost(differences(words=-2.0, meaning=0.9), weighed, "rank 3")
        assert lost == "It lost to rank 3 mainly because that one matches the question's words better."
        lost = why_it_lost(differences(words=-2.0, meaning=1.0), weighed, "rank 3")
        assert lost.endswith(" better, though this one is closer to the question in meaning.")
        lost = why_it_lost(differences(meaning=3.0, shift=-2.0, words=-1.5), weighed, "rank 3")
        assert lost.startswith(
            "It lost to rank 3 mainly because that one gains more from what was said next to it, though"
        )

    def test_a_winner_is_told_what_speaks_most_for_it(self) -> None:
        """The other way round."""
        weighed = terms(words=(1, 0.4), time=(1, 1))
        won = why_it_won(differences(time=1.0, words=-0.9), weighed, called("外婆\n的生日", 6))
        assert won == (
            "It beat “外婆 的生日” (rank 6) mainly because it fits the time in the question better, "
            "though that one matches the question's words better."
        )

    def test_where_less_is_better_less_is_said(self) -> None:
        """The weight of the term tells."""
        amounts = differences(commonness=1.0)
        assert "is less like everything else" in why_it_won(amounts, terms(commonness=(1, -0.2)), "rank 2")
        assert "is more like everything else" in why_it_won(amounts, terms(commonness=(1, 0.2)), "rank 2")

    def test_equals_are_called_equal(self) -> None:
        """As two copies are; there is no reason to make up."""
        for say in (why_it_lost, why_it_won):
            assert say([], terms(words=(1, 1)), "rank 2").startswith("Nothing sets it apart from rank 2")
