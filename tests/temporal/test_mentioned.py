"""The entry: any text, any moment, any zone, and how much work it is."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.temporal import TimeMentions, closeness, mentioned
from ntm_memory_skill.temporal.grammar import MOST_MATCHES
from ntm_memory_skill.temporal.reading import MOST_WINDOWS
from tests.temporal.reading_aids import NOW, edges

PIECES = (
    "last week two weeks ago before after since until between and from to May 3 31st 2023 2023-05-07 June Monday night "
    "the first of early end summer 999 years the day yesterday this past few months when we moved trip , . ' 's 0 "
    "2024年 三 月 3 日 号 上 周 个 末 前 后 天 去年 之前 以来 到 从 和 旅行 今 昨 晚 每 半 几 星期 夏天 二零二三年 初"
).split()
sentences = st.lists(st.sampled_from(PIECES), max_size=14).flatmap(
    lambda words: st.sampled_from([" ".join(words), "".join(words)])
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)), ZoneInfo("Asia/Shanghai")])
moments = st.datetimes(timezones=zones)
HOSTILE = [
    *("last ", "1 ", "May ", " ", "\n", "2023-05-07 ", "between 3 and 9 May ", "before the ", "when we moved ", "2023"),
    *("two weeks before ", "and ", "3 to ", "3-", "after I ", "a few ", "May 3 to ", "of last", "the first of the "),
    *("early mid late ", "sunday", "in the year ", "year of the ", "é", "na\u0301", "１"),
    *("前", "三", "周一", "月", "5月3日到", "去", "旅行之前", "半年", "的三天前", "上上个", "二零"),
]


@given(st.text() | sentences, moments)
@example("999 years ago", datetime(500, 1, 1, tzinfo=UTC))
@example("last year, 去年, 上周, 999天前", datetime.min.replace(tzinfo=UTC))
@example("since today, this week, this year, 今年", datetime.max.replace(tzinfo=UTC))
@settings(max_examples=400)
def test_any_text_at_any_moment_can_be_read(text: str, now: datetime) -> None:
    """Every window has its edges in order and in the asker's zone, a phrase, and a score."""
    said = mentioned(text, now)
    for window in said.windows:
        assert window.start is not None or window.end is not None
        assert window.start is None or window.start.tzinfo is now.tzinfo
        assert window.end is None or window.end.tzinfo is now.tzinfo
        assert window.start is None or window.end is None or window.start < window.end
        assert window.phrase
        assert window.grain > timedelta(0)
    assert all(anchor.text and anchor.text in anchor.phrase for anchor in said.anchors)
    assert np.isfinite(closeness(np.array([0.0, 1.7e9]), said.windows)).all()


@given(sentences, st.sampled_from([" ", "  ", "\t", "\n"]))
def test_what_is_read_does_not_depend_on_what_was_read_before(text: str, blank: str) -> None:
    """The same text says the same twice, and blanks around it say nothing."""
    once = mentioned(text, NOW)
    assert mentioned(text, NOW) == once
    assert mentioned(blank + text + blank, NOW) == once


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=14)), ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")]
)
def test_windows_are_in_the_asker_s_zone(zone: tzinfo) -> None:
    """Midnight is the asker's, wherever that is."""
    now = datetime(2023, 8, 16, 23, 30, tzinfo=UTC).astimezone(zone)
    (window,) = mentioned("yesterday", now).windows
    assert window.end == now.replace(hour=0, minute=0)
    assert window.start == (now - timedelta(days=1)).replace(hour=0, minute=0)


def test_a_day_on_which_the_clocks_change_is_shorter() -> None:
    """Its edges are the zone's midnights, 23 hours apart."""
    (window,) = mentioned("on 26 March 2023", datetime(2023, 8, 16, tzinfo=ZoneInfo("Europe/Berlin"))).windows
    assert window.start is not None
    assert window.end is not None
    assert window.end.timestamp() - window.start.timestamp() == 23 * 3600


def test_a_moment_without_a_zone_is_refused() -> None:
    """Nobody could say which midnight is meant."""
    with pytest.raises(InvalidArgument):
        mentioned("yesterday", NOW.replace(tzinfo=None))


def test_a_text_without_time_says_nothing() -> None:
    """And that can be asked of it directly."""
    said = mentioned("What is my cat called?", NOW)
    assert said == TimeMentions()
    assert not said
    assert mentioned("yesterday", NOW)
    assert mentioned("after the trip", NOW)


@pytest.mark.parametrize("of_one", [lambda day: f"{day} May 2022; ", lambda day: f"2022年5月{day}日；"])
def test_a_text_with_many_dates_is_a_document(of_one: type[str]) -> None:
    """It asks for none of them."""
    dates = [of_one(str(day)) for day in range(1, 30)]
    assert [edges(window)[0] for window in mentioned("".join(dates[:MOST_WINDOWS]), NOW).windows] == [
        f"2022-05-{day:02}" for day in range(1, MOST_WINDOWS + 1)
    ]
    assert mentioned("".join(dates[: MOST_WINDOWS + 1]), NOW).windows == ()
    assert mentioned("".join(dates * MOST_MATCHES), NOW).windows == ()


def calls_of_reading(text: str) -> int:
    """Return how many functions, Python's and built-in ones, are called to read a text."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        mentioned(text, NOW)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_no_faster_than_the_text(piece: str) -> None:
    """A text of 30,000 characters takes at most twice the calls of its first half; each call's work is bounded."""
    text = (piece * 30_000)[:30_000]
    assert calls_of_reading(text) <= 2.1 * calls_of_reading(text[:15_000]) + 100


def test_a_grammar_loads_with_the_first_text_that_hints_at_a_time_in_its_language() -> None:
    """And no library does: a question without a time waits for nothing."""
    program = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from ntm_memory_skill.temporal import mentioned\n"
        "for text in ('What is my cat called? 猫叫什么', 'What did I say yesterday?', '昨天呢'):\n"
        "    mentioned(text, datetime(2023, 8, 16, tzinfo=UTC))\n"
        "    room = 'ntm_memory_skill.temporal.'\n"
        "    loaded = [name for name in ('english', 'chinese') if room + name + '.grammar' in sys.modules]\n"
        "    print(loaded, [name for name in ('dateparser', 'dateutil', 'torch') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["[] []", "['english'] []", "['english', 'chinese'] []"]
