"""The small pictures: bars, arrows and where weight came from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import NTMMemoryManager, Record
from ntm_memory_skill.engine import Attention
from ntm_memory_skill.hosts.cli.picture import BARS, BREAK, attention_picture, sparkline, trace_lines
from ntm_memory_skill.tools import call

weights = st.floats(min_value=0, max_value=1, allow_nan=False)


def seen(sessions: str, *stages: list[float]) -> Attention:
    """Return attention over memories named m0, m1 …, each in the chat that its letter names; content first."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    records = tuple(
        Record(
            id=f"m{number}",
            slot=number,
            ordinal=number,
            content="x",
            created=start,
            at=start + timedelta(hours=number),
            session=letter,
        )
        for number, letter in enumerate(sessions)
    )
    return Attention(records, *(tuple(stage) for stage in stages))


class TestSparkline:
    """A bar a weight."""

    def test_bars_rise_from_a_dot_to_the_full_height(self) -> None:
        """In as many steps as there are bars."""
        assert sparkline([step / 8 for step in range(9)], 1.0) == BARS

    @settings(deadline=None, max_examples=100)
    @given(st.lists(weights, max_size=20))
    def test_a_higher_weight_never_has_a_lower_bar(self, values: list[float]) -> None:
        """There is one bar for each, and the peak's is full."""
        peak = max(values, default=0.0)
        bars = sparkline(values, peak)
        assert len(bars) == len(values)
        heights = [BARS.index(bar) for bar in bars]
        for value, height in zip(values, heights, strict=True):
            assert all(other <= height for smaller, other in zip(values, heights, strict=True) if smaller <= value)
            assert value < peak or height == (len(BARS) - 1 if peak > 0 else 0)

    def test_where_nobody_looks_there_are_dots(self) -> None:
        """A peak of 0 divides nothing."""
        assert sparkline([0.0, 0.0], 0.0) == BARS[0] * 2


class TestAttentionPicture:
    """A line a stage, an arrow under the memory."""

    SESSIONS = "aabbbccd"
    CONTENT = (0.0, 0.0, 0.8, 0.0, 0.1, 0.0, 0.0, 0.1)
    SHIFTED = (0.0, 0.0, 0.4, 0.4, 0.1, 0.0, 0.0, 0.1)
    SHARPENED = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

    @pytest.fixture
    def attention(self) -> Attention:
        """Weight that moved from m2 to m3, in the chat b."""
        return seen(self.SESSIONS, *map(list, (self.CONTENT, self.CONTENT, self.SHIFTED, self.SHARPENED)))

    def test_each_stage_is_drawn_over_the_memorys_chat_and_its_neighbours(self, attention: Attention) -> None:
        """Chats are kept apart; each line is scaled to its own peak."""
        assert [line.rstrip() for line in attention_picture(attention, "m3")] == [
            "  content │··│█·▁│··│",
            "  shifted │··│██▂│··│",
            "sharpened │··│·█·│··│",
            "               ^",
        ]

    @pytest.mark.parametrize(
        ("place", "around", "chats"),
        [
            (0, 1, "aabbb"),
            (4, 1, "aabbbcc"),
            (6, 1, "bbbccd"),
            (7, 1, "ccd"),
            (7, 0, "d"),
            (2, 0, "bbb"),
            (3, 9, SESSIONS),
        ],
    )
    def test_the_arrow_points_at_the_memory(self, place: int, around: int, chats: str) -> None:
        """Where all weight lies on one memory, the only full bar is above the arrow; also at the edges."""
        alone = [float(number == place) for number in range(len(self.SESSIONS))]
        *lines, arrow = attention_picture(seen(self.SESSIONS, alone, alone, alone, alone), f"m{place}", around)
        bars = BREAK.join("".join(group) for _, group in groupby(chats)).translate(dict.fromkeys(map(ord, "abcd"), "·"))
        for line in lines:
            assert line[arrow.index("^")] == "█"
            assert line.replace("█", "·").split(" ")[-1] == f"{BREAK}{bars}{BREAK}"
            assert line.count("█") == arrow.count("^") == 1

    def test_the_scale_is_the_stages_peak_anywhere(self, attention: Attention) -> None:
        """A chat where the head looks little has low bars, however alone it is."""
        lines = attention_picture(attention, "m7", around=0)
        assert [line[-2] for line in lines[:3]] == [BARS[1], BARS[2], BARS[0]]


class TestTraceLines:
    """A hit's reasons in words."""

    TRACE: ClassVar[dict[str, Any]] = {
        "cosine": 0.5,
        "bm25": 2.0,
        "lexical_share": 0.25,
        "content_score": -1.5,
        "stages": {"content": 0.1, "gated": 0.1, "shifted": 0.2, "sharpened": 0.4},
        "neighbours": [
            {"id": "mbefore", "offset": 2, "weight": 0.05},
            {"id": "mafter", "offset": -1, "weight": 0.01},
        ],
    }

    def test_without_a_trace_there_is_nothing_to_say(self) -> None:
        """As when explain was not asked for."""
        assert trace_lines(None) == []

    def test_every_number_of_the_trace_is_told(self) -> None:
        """The score's terms, the four stages on one scale, and each neighbour with its side and distance."""
        score, *rest = trace_lines(self.TRACE)
        assert score == "content score -1.50 = 0.75·z(cosine 0.500) + 0.25·z(bm25 2.00)"
        assert [line.split() for line in rest[:4]] == [
            ["content", "▂", "0.1000"],
            ["gated", "▂", "0.1000"],
            ["shifted", "▄", "0.2000"],
            ["sharpened", "█", "0.4000"],
        ]
        assert [line.strip() for line in rest[4:]] == [
            "+0.0500 from mbefore, 2 before it",
            "+0.0100 from mafter, 1 after it",
        ]

    def test_before_and_after_are_as_they_happened(self, memory: NTMMemoryManager) -> None:
        """In a real recall, for a memory in the middle of a chat."""
        idents = [memory.memorize(text, session="s").id for text in ("tea", "milk", "sugar")]
        hits = call(memory, "search", {"query": "milk", "explain": True})["hits"]
        lines = trace_lines(next(hit["trace"] for hit in hits if hit["id"] == idents[1]))
        told = {line.split(" from ")[1] for line in lines if " from " in line}
        assert told == {f"{idents[0]}, 1 before it", f"{idents[2]}, 1 after it"}
