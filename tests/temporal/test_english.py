"""What English questions say about time: sentences, and the windows that a person would draw."""

from __future__ import annotations

from datetime import datetime

import pytest

from ntm_memory_skill.temporal import mentioned
from tests.temporal.reading_aids import NOW, ZONE, Edges, Row, read

NAMED: list[Row] = [
    ("What did we eat on 7 May 2023?", "2023-05-07", "2023-05-08"),
    ("What did we eat on May 7th?", "2023-05-07", "2023-05-08"),
    ("What did we eat on the 7th of May, 2021?", "2021-05-07", "2021-05-08"),
    ("Who called on December 1,2022?", "2022-12-01", "2022-12-02"),
    ("Who called on Sunday, 7 May?", "2023-05-07", "2023-05-08"),
    ("Who called on the first of June?", "2023-06-01", "2023-06-02"),
    ("Who called on 16 August?", "2023-08-16", "2023-08-17"),
    ("Who called on 17 August?", "2022-08-17", "2022-08-18"),
    ("Who called on Sept. 3rd?", "2022-09-03", "2022-09-04"),
    ("Who called on Feb 29?", "2020-02-29", "2020-03-01"),
    ("the note of 2023-05-07", "2023-05-07", "2023-05-08"),
    ("the note of 2023/5/7", "2023-05-07", "2023-05-08"),
    ("the note of 13/5/2023", "2023-05-13", "2023-05-14"),
    ("the note of 5/13/2023", "2023-05-13", "2023-05-14"),
    ("the note of 1.2.2023", "2023-02-01", "2023-02-02"),
    ("where did i ski on may 7", "2023-05-07", "2023-05-08"),
    ("Where did I ski in March 2024?", "2024-03-01", "2024-04-01"),
    ("Where did I ski in March?", "2023-03-01", "2023-04-01"),
    ("where did i ski in march", "2023-03-01", "2023-04-01"),
    ("Where did I ski in December?", "2022-12-01", "2023-01-01"),
    ("Which book did I finish in May last year?", "2022-05-01", "2022-06-01"),
    ("Which book did I finish last year in May?", "2022-05-01", "2022-06-01"),
    ("Which book did I finish last year on 3 May?", "2022-05-03", "2022-05-04"),
    ("Which car did I drive in 2022?", "2022-01-01", "2023-01-01"),
    ("Which car did I drive in the year 2019?", "2019-01-01", "2020-01-01"),
    ("Where was the camp in the summer of 2021?", "2021-06-01", "2021-09-01"),
    ("Where were we in fall 2021?", "2021-09-01", "2021-12-01"),
    ("Where were we in winter 2021?", "2021-12-01", "2022-03-01"),
    ("Where were we during the spring?", "2023-03-01", "2023-06-01"),
    ("What did Ann get for Christmas 2021?", "2021-12-24", "2021-12-27"),
    ("Who cooked at Thanksgiving 2022?", "2022-11-24", "2022-11-25"),
    ("How much did we sell in Q3 2022?", "2022-07-01", "2022-10-01"),
]

NARROWED: list[Row] = [
    ("What broke in early May?", "2023-05-01", "2023-05-11"),
    ("What broke in mid-June 2022?", "2022-06-11", "2022-06-21"),
    ("What broke at the end of February?", "2023-02-19", "2023-03-01"),
    ("What broke late last year?", "2022-09-01", "2023-01-01"),
    ("What broke in the first half of 2022?", "2022-01-01", "2022-07-01"),
    ("What broke in the first half of September 2022?", "2022-09-01", "2022-09-16"),
    ("What broke in the second week of November?", "2022-11-08", "2022-11-15"),
    ("What broke last week in May?", "2023-05-25", "2023-06-01"),
    ("What broke in the last week of May?", "2023-05-25", "2023-06-01"),
    ("What broke on the first Monday of May?", "2023-05-01", "2023-05-02"),
    ("What broke on the last Friday in June?", "2023-06-30", "2023-07-01"),
    ("What broke on the last day of 2022?", "2022-12-31", "2023-01-01"),
    ("What broke early yesterday?", "2023-08-15", "2023-08-16"),
    ("What broke in the week of 3 May?", "2023-05-01", "2023-05-08"),
    ("What broke on the weekend of May 6?", "2023-05-06", "2023-05-08"),
]

BESIDE: list[Row] = [
    ("Who came the week before 9 June?", "2023-06-02", "2023-06-09"),
    ("Who came the day before May 3?", "2023-05-02", "2023-05-03"),
    ("Who came the day after the 3rd of May?", "2023-05-04", "2023-05-05"),
    ("Who came the weekend before 3 May?", "2023-04-29", "2023-05-01"),
    ("Who came last weekend before April 10, 2023?", "2023-04-08", "2023-04-10"),
    ("Who came on the Friday before May 6, 2022?", "2022-04-29", "2022-04-30"),
    ("Who came the month before June?", "2023-05-01", "2023-06-01"),
    ("Who came two days before 3 May?", "2023-05-01", "2023-05-02"),
    ("Who came two weeks after May 3?", "2023-05-14", "2023-05-21"),
    ("Who came a few days before 9 May?", "2023-05-06", "2023-05-07"),
]

TOLD: list[Row] = [
    ("What did Ben say today?", "2023-08-16", "2023-08-17"),
    ("What did Ben say yesterday?", "2023-08-15", "2023-08-16"),
    ("What did Ben say the day before yesterday?", "2023-08-14", "2023-08-15"),
    ("What did Ben say this morning?", "2023-08-16T05:00", "2023-08-16T12:00"),
    ("What did Ben say yesterday evening?", "2023-08-15T18:00", "2023-08-16"),
    ("What did Ben say last night?", "2023-08-15T18:00", "2023-08-16T06:00"),
    ("What did Ben say the other day?", "2023-08-09", "2023-08-16"),
    ("What did Ben say last week?", "2023-08-07", "2023-08-14"),
    ("What did Ben say the night before last?", "2023-08-14T18:00", "2023-08-15T06:00"),
    ("What did Ben say the week before last?", "2023-07-31", "2023-08-07"),
    ("What did Ben say last weekend?", "2023-08-12", "2023-08-14"),
    ("What did Ben say over the weekend?", "2023-08-12", "2023-08-14"),
    ("What did Ben say this week?", "2023-08-14", "2023-08-21"),
    ("What did Ben say last month?", "2023-07-01", "2023-08-01"),
    ("What did Ben say earlier this year?", "2023-01-01", "2024-01-01"),
    ("What did Ben say last year?", "2022-01-01", "2023-01-01"),
    ("What did Ben say last Friday?", "2023-08-11", "2023-08-12"),
    ("What did Ben say last Wednesday?", "2023-08-09", "2023-08-10"),
    ("What did Ben say on Wednesday?", "2023-08-16", "2023-08-17"),
    ("What did Ben say on Thursday?", "2023-08-10", "2023-08-11"),
    ("What did Ben say Monday?", "2023-08-14", "2023-08-15"),
    ("What did Ben say Tuesday night?", "2023-08-15T18:00", "2023-08-16T06:00"),
    ("What did Ben say Friday last week?", "2023-08-11", "2023-08-12"),
    ("What did Ben say last week on Tuesday?", "2023-08-08", "2023-08-09"),
    ("What did Ben say on the 5th?", "2023-08-05", "2023-08-06"),
    ("What did Ben say on the 20th of last month?", "2023-07-20", "2023-07-21"),
    ("What did Ben say on the 31st?", "2023-07-31", "2023-08-01"),
    ("Where did we go last summer?", "2022-06-01", "2022-09-01"),
    ("Where did we go this summer?", "2023-06-01", "2023-09-01"),
    ("Where did we go last June?", "2023-06-01", "2023-07-01"),
    ("Where did we go last August?", "2022-08-01", "2022-09-01"),
    ("Where did we go last Christmas?", "2022-12-24", "2022-12-27"),
    ("Who wrote three days ago?", "2023-08-13", "2023-08-14"),
    ("Who wrote two weeks ago?", "2023-07-30", "2023-08-06"),
    ("Who wrote a couple of months ago?", "2023-06-01", "2023-07-02"),
    ("Who wrote a year ago?", "2022-02-14", "2023-02-15"),
    ("Who wrote half a year ago?", "2023-02-01", "2023-03-04"),
    ("Who wrote a few weeks ago?", "2023-07-12", "2023-08-03"),
    ("Who wrote a few hours ago?", "2023-08-16T10:30", "2023-08-16T15:30"),
    ("Who wrote in the last two hours?", "2023-08-16T13:30", "2023-08-16T16:30"),
    ("Who wrote 3 hours ago?", "2023-08-16T11:30", "2023-08-16T13:30"),
    ("How often did I run in the last 3 days?", "2023-08-13", "2023-08-17"),
    ("How often did I run over the past month?", "2023-07-16", "2023-08-17"),
    ("How often did I run in the last week?", "2023-08-09", "2023-08-17"),
    ("How often did I run for the past two years?", "2021-08-16", "2023-08-17"),
    ("How often did I run over the past few months?", "2023-03-16", "2023-08-17"),
]

RANGES: list[Row] = [
    ("What was sold between 3 and 9 May?", "2023-05-03", "2023-05-10"),
    ("What was sold on May 3-9, 2022?", "2022-05-03", "2022-05-10"),
    ("What was sold from May 3 to June 9?", "2023-05-03", "2023-06-10"),
    ("What was sold between August 11 and August 15 2022?", "2022-08-11", "2022-08-16"),
    ("What was sold from March to May?", "2023-03-01", "2023-06-01"),
    ("What was sold from April through June 2021?", "2021-04-01", "2021-07-01"),
    ("What was sold between March and early May?", "2023-03-01", "2023-05-11"),
    ("What was sold from November to January?", "2022-11-01", "2023-02-01"),
    ("What was sold from November to February 2022?", "2021-11-01", "2022-03-01"),
    ("What was sold from November 2020 to January?", "2020-11-01", "2021-02-01"),
    ("What was sold between 2019 and 2021?", "2019-01-01", "2022-01-01"),
    ("What was sold in 2019-2021?", "2019-01-01", "2022-01-01"),
    ("What was sold between Monday and Friday?", "2023-08-14", "2023-08-19"),
]

OPEN: list[Row] = [
    ("What has changed since June?", "2023-06-01", None),
    ("What has changed since last week?", "2023-08-07", None),
    ("What has changed since the beginning of May?", "2023-05-01", None),
    ("What changed before 2023?", None, "2023-01-01"),
    ("What changed before the end of June?", None, "2023-06-21"),
    ("What changed after May 2023?", "2023-06-01", None),
    ("What changed until April 9?", None, "2023-04-10"),
    ("What had changed by July 10, 2022?", None, "2022-07-11"),
    ("What changed from 3 May onwards?", "2023-05-03", None),
]

NO_WINDOW = [
    "When did Ann move to Berlin?",
    "What happened at 09:00?",
    "Who rang at 9:30 in room 2020?",
    "You may second the motion in the march",
    "May I ask who called?",
    "The last may be the first",
    "this may be it",
    "Did they march in the parade?",
    "On which last march did we sing?",
    "What was the last day, or the last time in the last day?",
    "the note of 32.5.2023 or 13/13/2023",
    "the note of 2023-13-05, on the 32nd",
    "the 9-3 May score",
    "What did I see on 45 May or on 30 February?",
    "Who has to march 20 miles in the sun?",
    "March 20 miles, then rest",
    "may 7 people come?",
    "May 10 people join?",
    "12 may or may not come",
    "What does April say about June's brother?",
    "Who is June?",
    "What did Theresa May do?",
    "Which painting by April do I like?",
    "Is the letter from April?",
    "my August Wilson play",
    "What was the best part of the day?",
    "Where have I last sat?",
    "How did he fall in the kitchen?",
    "What is a hot spring?",
    "What did I learn in the summer camp?",
    "What are my plans for spring break?",
    "Did he wait for two weeks?",
    "How many days lie between the trip and the wedding?",
    "How long ago did we meet?",
    "years ago",
    "What do we do every Monday?",
    "What do we do on Sundays?",
    "When is my class on Tuesday and Thursday mornings?",
    "What did I buy on Black Friday?",
    "What about Sunday school?",
    "my 30-day challenge and my one-year-old",
    "She ran 2000 steps after 2000 people did",
    "The price is $2000, or 2,022 in all",
    "Does it need Windows 2000 or Euro 2024?",
    "What's 5/7 of 1/2?",
    "the note of 5/7/2023",
    "version 3.5.2 of the 12 books",
    "Who won the first half of the second quarter?",
    "What was the end of the story in the last chapter?",
    "the last day of my last week at the firm",
    "the last year of school",
    "Have I seen this before?",
    "Is it on the 5th floor, on the 3rd try?",
    "What will I do tomorrow, next week or next Friday?",
    "What will I do in two weeks?",
    "Who was born on 3 May?",
    "Whose birthday is on the 3rd of May?",
    "What did I do on Feb 29, 2023?",
    "this Friday",
    "this winter",
]


@pytest.mark.parametrize(("text", "start", "end"), NAMED + NARROWED + BESIDE + TOLD + RANGES + OPEN)
def test_the_window_is_the_one_that_is_meant(text: str, start: str | None, end: str | None) -> None:
    """One window a sentence, as wide as its words say."""
    assert read(text) == [(start, end)]


@pytest.mark.parametrize("text", NO_WINDOW)
def test_what_names_no_time_gives_no_window(text: str) -> None:
    """Names, verbs, quantities, durations, habits, what lies ahead, dates that are ambiguous or never were."""
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("What did I watch on 6-7 April and on 8 April?", [("2023-04-06", "2023-04-08"), ("2023-04-08", "2023-04-09")]),
        ("on 3 and 9 May", [("2023-05-09", "2023-05-10")]),
        ("in 2019 and 2021", [("2019-01-01", "2020-01-01"), ("2021-01-01", "2022-01-01")]),
        ("on 3 May and 9 May 2022", [("2022-05-03", "2022-05-04"), ("2022-05-09", "2022-05-10")]),
        ("How many days passed between 3 May and 9 May?", [("2023-05-03", "2023-05-04"), ("2023-05-09", "2023-05-10")]),
        ("last week, as mentioned on 6 March 2023", [("2023-02-27", "2023-03-06"), ("2023-03-06", "2023-03-07")]),
        ("from May 9, 2022 to May 3, 2022", [("2022-05-09", "2022-05-10"), ("2022-05-03", "2022-05-04")]),
    ],
)
def test_several_times_give_several_windows_in_their_order(text: str, windows: list[Edges]) -> None:
    """Dates in a row, the two ends of a counted span, and what was told on a day that is named as well."""
    assert read(text) == windows


@pytest.mark.parametrize(
    ("now", "text", "window"),
    [
        ((2024, 1, 31), "last month", ("2023-12-01", "2024-01-01")),
        ((2024, 1, 31), "last winter", ("2022-12-01", "2023-03-01")),
        ((2024, 1, 31), "this winter", ("2023-12-01", "2024-03-01")),
        ((2024, 1, 31), "in the winter", ("2023-12-01", "2024-03-01")),
        ((2024, 3, 31), "a month ago", ("2024-02-14", "2024-03-16")),
        ((2024, 3, 1), "yesterday", ("2024-02-29", "2024-03-01")),
        ((2024, 3, 30), "on the 30th", ("2024-03-30", "2024-03-31")),
        ((2024, 3, 29), "on the 30th", ("2024-01-30", "2024-01-31")),
        ((2023, 12, 20), "from November to January", ("2023-11-01", "2024-02-01")),
        ((2023, 8, 14), "last weekend", ("2023-08-12", "2023-08-14")),
        ((2023, 8, 13), "last weekend", ("2023-08-05", "2023-08-07")),
        ((2023, 8, 13), "this weekend", ("2023-08-12", "2023-08-14")),
        ((2023, 5, 1), "in May", ("2023-05-01", "2023-06-01")),
        ((2023, 4, 30), "in May", ("2022-05-01", "2022-06-01")),
        ((2023, 12, 25), "last Christmas", ("2022-12-24", "2022-12-27")),
    ],
)
def test_the_moment_of_asking_decides(now: tuple[int, int, int], text: str, window: Edges) -> None:
    """Around the turn of the year, the month and the week, and on 29 February."""
    assert read(text, datetime(*now, 9, tzinfo=ZONE)) == [window]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("What did Ann, since June, say?", "since June"),
        ("Who came the week before 9 June?", "the week before 9 June"),
        ("What was sold between March and early May, Ben?", "between March and early May"),
        ("Where were we in the summer of 2021?", "summer of 2021"),
        ("Ｗｈｏ came on Ｍａｙ 3rd?", "May 3rd"),
    ],
)
def test_the_phrase_is_what_was_read(text: str, phrase: str) -> None:
    """With the words that narrow, move or open the window."""
    assert [window.phrase for window in mentioned(text, NOW).windows] == [phrase]


@pytest.mark.parametrize(
    ("text", "days"),
    [("before 2023", 365), ("since June", 30), ("after 3 May", 1), ("since last week", 7), ("in May", 31)],
)
def test_an_open_window_knows_how_long_the_period_was_that_was_named(text: str, days: int) -> None:
    """Its softness has that scale."""
    (window,) = mentioned(text, NOW).windows
    assert window.grain.days == days
