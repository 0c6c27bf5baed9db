"""Of memories that answer a question alike, the latest goes first; what answers something else stays where it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.lexical import tokenize
from ntm_memory_skill.m3 import currency
from ntm_memory_skill.m3.currency import CANDIDATES, LONGEST, RIVALS, Candidate, latest

DAY = datetime(2026, 1, 1, tzinfo=UTC)
WHERE = "where does Ana live?"
OTHERS = ["The weather is fine", "Tea at four", "Zebras live in herds", "Piano at noon", "Winter comes", "今天有汤"]
"""What else was found: far behind, and of other things."""
PAIRS = [
    (WHERE, "Ana lives in Lisbon", "Ana lives in Porto"),
    (WHERE, "Ana lives in Lisbon", "Ana moved to Porto"),
    ("who is my dentist?", "My dentist is Dr. Wu", "My dentist is Dr. Kim"),
    ("外婆住在哪里？", "外婆住在杭州", "外婆现在住在苏州"),
    ("我的手机号是多少？", "我的手机号是13800000000", "我的手机号改成13900000000了"),
]
"""A question, an answer to it, and what took the place of that."""

texts = st.sampled_from(
    [text for _, *pair in PAIRS for text in pair] + OTHERS + ["Ana lives in Rome " + "x" * LONGEST, ""]
)
questions = st.sampled_from([WHERE, "外婆住在哪里？", "", "?"]) | st.text(max_size=20)


def candidate(score: float, text: str, day: float = 0, *, known: bool = False) -> Candidate:
    """Return a memory of some day."""
    return Candidate(score, text, lambda: frozenset(tokenize(text)), DAY + timedelta(days=day), known)


def among_others(*first: Candidate) -> list[Candidate]:
    """Return candidates with others behind them, which are later than all of them and far behind."""
    return [*first, *(candidate(1 - place / 10, text, 500) for place, text in enumerate(OTHERS))]


candidates = st.lists(
    st.builds(candidate, st.floats(-50, 50), texts, st.integers(-1_000, 1_000), known=st.booleans()), max_size=12
).map(lambda found: sorted(found, key=lambda each: -each.score))
"""Candidates as a search gives them: best first."""


class TestRivals:
    """Which memories can go first."""

    @pytest.mark.parametrize(("question", "old", "new"), PAIRS)
    def test_the_later_of_two_that_answer_alike_goes_first(self, question: str, old: str, new: str) -> None:
        """Wherever its score put it, and however near they are in time."""
        for days in (0.01, 1, 1_000):
            assert latest(question, among_others(candidate(4, old), candidate(3.8, new, days))) == 1
            assert latest(question, among_others(candidate(4, new, days), candidate(3.8, old))) == 0

    def test_of_several_the_latest_goes_first(self) -> None:
        """It need not be the next."""
        found = [candidate(4, "Ana lives in Lisbon", 1), candidate(3.9, "Ana lives in Oslo", 9)]
        for place, day in ((1, 5), (2, 10)):
            assert latest(WHERE, among_others(*found, candidate(3.8, "Ana lives in Porto", day))) == place

    def test_of_those_of_one_moment_the_best_goes_first(self) -> None:
        """Neither is later."""
        ties = [candidate(4 - place / 10, f"Ana lives in {town}", 5) for place, town in enumerate(["Lisbon", "Porto"])]
        assert latest(WHERE, among_others(*ties)) == 0
        assert latest(WHERE, among_others(candidate(4.1, "Ana lives in Oslo", 1), *ties)) == 1

    @pytest.mark.parametrize(
        "later",
        ["Ana works as a baker", "Ben lives in Porto", "Ana likes the trams of Lisbon", "Ana's dog is called Miso"],
    )
    def test_a_later_one_that_says_something_else_stays_behind(self, later: str) -> None:
        """Of another attribute, or of somebody else; its score says so too."""
        assert latest(WHERE, among_others(candidate(4, "Ana lives in Lisbon"), candidate(2, later, 9))) == 0

    def test_the_further_behind_the_less_a_rival(self) -> None:
        """Down from a score as good as the best one's there is one place from which on it is none."""
        places = [
            latest(
                "is tea nice?", among_others(candidate(5, "Tea is nice"), candidate(score / 10, "Tea is nice now", 9))
            )
            for score in range(50, -1, -1)
        ]
        assert places == sorted(places, reverse=True)
        assert (places[0], places[-1]) == (1, 0)

    def test_a_word_of_change_makes_a_rival_of_one_that_is_further_behind(self) -> None:
        """In both languages; where all the rest is the same."""
        for question, best, plain, changed in (
            ("Ana tea?", "Ana tea lemon", "Ana tea milk", "Ana tea now"),
            ("小林茶？", "小林茶柠檬", "小林茶牛奶", "小林茶改了"),
        ):
            reach = [
                sum(
                    latest(question, among_others(candidate(4, best), candidate(score / 10, text, 9)))
                    for score in range(41)
                )
                for text in (plain, changed)
            ]
            assert 0 < reach[0] < reach[1] <= 41

    def test_a_best_match_whose_succession_is_known_has_fewer_rivals(self) -> None:
        """What else was found is then more likely about something else."""
        for known, place in ((False, 1), (True, 0)):
            best = candidate(4, "Ana likes tea with milk", known=known)
            found = among_others(best, candidate(3.2, "Ana likes tea without milk", 9))
            assert (known, latest("Ana's tea?", found)) == (known, place)

    def test_what_is_known_of_the_rival_does_not_matter(self) -> None:
        """It may be the one that replaced something else."""
        found = among_others(candidate(4, "Ana lives in Lisbon"), candidate(3.8, "Ana lives in Porto", 9, known=True))
        assert latest(WHERE, found) == 1


class TestBounds:
    """What takes no part."""

    def test_long_texts_take_no_part(self) -> None:
        """The later of two long messages is not the one that holds; one character less, and both take part."""
        for length, place in ((LONGEST, 1), (LONGEST + 1, 0)):
            best, rival = "Ana lives in Lisbon".ljust(length, "."), "Ana lives in Porto".ljust(length, ".")
            for one, other in ((best, "Ana lives in Porto"), ("Ana lives in Lisbon", rival)):
                assert latest(WHERE, among_others(candidate(4, one), candidate(3.8, other, 9))) == place

    @pytest.mark.parametrize("place", range(1, CANDIDATES + 2))
    def test_only_the_first_few_can_be_rivals(self, place: int) -> None:
        """The rest is what they stand out from, or is not looked at."""
        found = [candidate(4 - 0.001 * number, "Ana lives in Lisbon") for number in range(CANDIDATES + 4)]
        found[place] = candidate(found[place].score, "Ana lives in Porto", 9)
        assert latest(WHERE, found) == (place if place < RIVALS else 0)

    @pytest.mark.parametrize("count", [0, 1])
    def test_where_there_is_no_choice_the_first_stays(self, count: int) -> None:
        """One, or none."""
        assert latest(WHERE, [candidate(4, "Ana lives in Lisbon")] * count) == 0

    @pytest.mark.parametrize("score", [float("inf"), float("-inf"), float("nan"), 0.0, -3.0, 1e300])
    def test_no_score_breaks_it(self, score: float) -> None:
        """Scores come from weights that a person may set."""
        found = [candidate(score, "Ana lives in Lisbon"), candidate(score, "Ana lives in Porto", 9)]
        assert latest(WHERE, found) in (0, 1)

    def test_a_question_of_no_distinctive_words_asks_for_none(self) -> None:
        """Then nothing that was asked for can be missing."""
        for question in ("", "what about it?", "在哪里？"):
            found = among_others(candidate(4, "Ana lives in Lisbon"), candidate(3.9, "Ana lives in Porto", 9))
            assert latest(question, found) == 1


@given(questions, candidates)
def test_the_place_is_one_that_there_is_and_nothing_older_goes_first(question: str, found: list[Candidate]) -> None:
    """Whatever was found: among the first few, and never from before the best match."""
    place = latest(question, found)
    assert 0 <= place < max(1, min(RIVALS, len(found)))
    if place > 0:
        assert found[place].at > found[0].at
        assert max(len(found[0].text), len(found[place].text)) <= LONGEST


@given(questions, candidates)
def test_what_is_far_down_decides_nothing(question: str, found: list[Candidate]) -> None:
    """Beyond the candidates that are looked at."""
    assert latest(question, found) == latest(question, found[:CANDIDATES])


@given(questions, candidates, st.integers(-100_000, 100_000))
def test_only_the_order_of_times_counts(question: str, found: list[Candidate], days: int) -> None:
    """Moving all of them moves nothing."""
    moved = [Candidate(each.score, each.text, each.terms, each.at + timedelta(days=days), each.known) for each in found]
    assert latest(question, moved) == latest(question, found)


def rival_by_hand(one: Candidate, best: Candidate, scores: Sequence[float], asked: set[str]) -> float:
    """Return the evidence that one is a rival of the best, written out from the docstring of the module."""
    later = one if one.at > best.at else best
    behind, last = scores[2:], scores[4:]
    mean = sum(behind) / len(behind)
    deviation = math.sqrt(sum((each - mean) ** 2 for each in behind) / len(behind))
    above = min(10.0, (one.score - sum(last) / len(last)) / max(1.0, deviation))
    terms, known = one.terms(), best.terms()
    shared = len(terms & known) / min(len(terms), len(known))
    told = sum(word in one.text.lower() for word in asked) / len(asked) if asked else 1.0
    return (
        -4.5
        - 3 * (best.score - one.score) / best.score
        + 2.5 * shared
        + 2 * told
        + 1.5 * ("now" in later.text.split())
        + above
        - 2 * best.known
    )


@given(st.floats(0.5, 9), st.floats(0, 1), st.booleans(), st.booleans())
def test_a_rival_is_one_with_more_evidence_for_than_against(best: float, share: float, known: bool, now: bool) -> None:
    """As the formula says, for two statements in which no attribute is read."""
    first = candidate(best, "Ana tea milk", known=known)
    second = candidate(best * share, f"Ana tea {'now' if now else 'lemon'}", 9)
    others = [candidate(min(second.score, 0.1), text) for text in OTHERS]
    found = [first, second, *others]
    evidence = rival_by_hand(second, first, [each.score for each in found], {"ana", "tea"})
    if abs(evidence) > 1e-6:
        assert latest("Ana tea?", found) == int(evidence > 0)


def test_the_formula_in_the_docstring_is_the_one_that_is_used() -> None:
    """The weights stand there for people."""
    told = currency.__doc__ or ""
    for weight, name in (
        (currency.GAP, "gap"),
        (currency.CONTAINMENT, "containment"),
        (currency.ASKED, "asked"),
        (currency.CHANGE, "change"),
        (currency.SAME, "same"),
        (currency.KNOWN, "known"),
    ):
        assert f"{'−' if weight < 0 else '+'} {abs(weight):g}·{name}" in told
    assert f"σ(−{-currency.BIAS:g}" in told
