"""The small pictures: bars, arrows, and texts that fit into a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill import Record
from ntm_memory_skill.engine import Attention
from ntm_memory_skill.hosts.cli.picture import AXIS, BARS, BREAK, attention_picture, excerpt, leaning, sparkline

FULL = BARS[-1]

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


class TestLeaning:
    """A bar to one side of an axis."""

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.floats(-9, 9), min_size=1, max_size=9), st.integers(1, 12))
    def test_a_bar_leans_to_its_sign_and_never_past_its_cells(self, amounts: list[float], cells: int) -> None:
        """The greatest amount fills its side, 0 draws nothing, and whatever is not 0 can be seen."""
        peak = max(abs(amount) for amount in amounts)
        for amount in amounts:
            left, right = leaning(amount, peak, cells).split(AXIS)
            assert len(left) == cells
            assert len(right) <= cells
            assert bool(left.strip()) is (amount < 0)
            assert bool(right) is (amount > 0)
            if abs(amount) == peak > 0:
                assert left.strip() + right == FULL * cells

    def test_a_part_of_a_cell_is_drawn_as_fine_as_characters_allow(self) -> None:
        """In eighths to the right, in halves to the left."""
        assert leaning(5, 16, 2) == f"  {AXIS}▋"
        assert leaning(-9, 16, 2) == f"▐{FULL}{AXIS}"


class TestExcerpt:
    """How a text begins, in one line."""

    def test_a_short_text_is_left_as_it_is_but_for_its_blanks(self) -> None:
        """Lines become one."""
        assert excerpt("one\n two\tthree ", 13) == "one two three"

    @settings(deadline=None, max_examples=100)
    @given(st.text(st.sampled_from("ab 外婆\n,é"), max_size=30), st.integers(1, 20))
    def test_a_long_text_keeps_as_much_as_fits(self, text: str, cells: int) -> None:
        """A Chinese character takes two cells; the mark that something is missing takes one."""
        cut, line = excerpt(text, cells), " ".join(text.split())
        wide = sum(1 + (letter in "外婆") for letter in cut)
        assert wide <= cells
        if cut != line:
            assert cut.endswith("…")
            assert line.startswith(cut[:-1])
            assert wide + 2 + line[len(cut) - 1 :].startswith(" ") >= cells
