"""What is read sooner is read the same: texts that are passed over, patterns that are not tried, words kept at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_memory_skill.m3 import sameness
from ntm_memory_skill.m3.succession import (
    Statement,
    chinese,
    claiming,
    clauses,
    facts,
    find_successions,
    succeeds,
    successions_of,
    things,
    wording,
)
from ntm_memory_skill.m3.succession.claiming import claims
from ntm_memory_skill.m3.succession.traces import may_claim, traces_against
from ntm_memory_skill.m3.succession.values import LONGEST, PREDICATE

START = datetime(2026, 3, 1, tzinfo=UTC)
WHO = st.sampled_from("I|We|Ann|My sister|The user|She|My boss|The launch|Our budget|Bob's phone number".split("|"))
DOES = st.sampled_from(
    (
        "moved to Oslo|live in Oslo|lives in Rome now|work for Acme|left Acme|like coffee|do not like coffee any more|"
        "don't eat nuts|hate tea|stopped smoking|switched from vim to emacs|prefer tea over coffee|is Kim|is on 9 May|"
        "is at 3 p.m.|was moved to Monday|is 5,000 euros|costs 5k|is 555 0101|no longer works for Bosch|can't stand "
        "rain|use a Mac instead of a PC|got a new phone, a Pixel|wake up at six|have 3 companies|has been closed|"
        "report to Helen|painted the boat in Turin, for 12 crowns|take twenty mg of it|am single|cancelled my gym "
        "membership|owns the kitchen|was called off|leads our project|might move|used to paint|turned 35 in 2019"
    ).split("|")
)
MORE = st.sampled_from(("", ".", " now.", " as well!", "?", ", and I am happy.", "; since then I rest. Really", " 😀"))
ENGLISH = st.builds("{} {}{}".format, WHO, DOES, MORE)
CHINESE_WHO = st.sampled_from("我|我们|张伟|我妹妹|用户|发布会|我的手机号|房租|我的经理|小王：我".split("|"))
CHINESE_DOES = st.sampled_from(
    (
        "住在北京|搬到上海了|在腾讯工作|从腾讯离职了|喜欢喝咖啡|不喜欢喝咖啡了|讨厌茶|戒烟了|从vim换成emacs了|是王丽|改到5月16日|"
        "每天六点起床|换成李强了|涨到3500元了|是13800000001|把狗卖了|有一只猫|没有狗|和小美分手了|转专业了|取消了|开一辆本田|用Notion记笔记|"
        "今年34岁|由小赵负责|可能搬家|关闭了"
    ).split("|")
)
CHINESE = st.builds("{}{}{}".format, CHINESE_WHO, CHINESE_DOES, st.sampled_from(("", "。", "，我很高兴。", "吗")))
TEXTS = ENGLISH | CHINESE | st.lists(ENGLISH | CHINESE, max_size=3).map(" ".join) | st.text(max_size=40)
HINTS = st.sampled_from((None, "Ann", "小王", "Élodie"))


@contextmanager
def read_plainly() -> Iterator[None]:
    """Try all patterns on all texts, and keep no claims at hand."""
    bodies, everything = clauses._bodies, re.compile(".*", re.DOTALL)
    patches = (
        patch.object(wording, "_may_contract", lambda _: True),
        patch.object(clauses, "_holds", lambda pattern, _signs, low, _words: pattern.search(low) is not None),
        patch.object(clauses, "_bodies", lambda sentence, _: bodies(sentence, True)),
        patch.object(things, "_verbs", lambda _: None),
        patch.object(facts, "_any_rule", lambda: everything),
        patch.object(chinese, "_any_rule", lambda: everything),
    )
    with ExitStack() as stack:
        for each in patches:
            stack.enter_context(each)
        yield


@given(TEXTS, HINTS)
def test_what_is_not_tried_reads_nothing(text: str, hint: str | None) -> None:
    """The claims are those of a reading that tries everything."""
    with read_plainly():
        plain = claiming._claims.__wrapped__(text, hint)
    assert claims(text, hint) == plain


@given(TEXTS, HINTS)
def test_a_text_holds_the_traces_of_what_it_contradicts(text: str, hint: str | None) -> None:
    """Of each of its claims, or where that is a predicate, of one that says the opposite."""
    statement = Statement("x", text, START, 0, hint)
    for claim in claims(text, hint):
        predicate = claim.attribute.startswith(PREDICATE)
        rival = replace(claim, negated=not claim.negated) if predicate else claim
        assert may_claim(statement, [traces_against(rival)])


@given(st.data())
def test_what_is_passed_over_contradicts_nothing(data: st.DataObject) -> None:
    """Of two texts, neither would replace the other."""
    one, other = data.draw(TEXTS), data.draw(TEXTS)
    if not may_claim(Statement("x", other, START, 0), [traces_against(claim) for claim in claims(one)]):
        assert succeeds(claims(one), claims(other)) is None
        assert succeeds(claims(other), claims(one)) is None


@st.composite
def told(draw: st.DrawFn) -> list[Statement]:
    """Draw statements of a few days, some of the same time; the last one is called "new"."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=9))
    again = [draw(st.sampled_from(texts)) for _ in range(draw(st.integers(0, 3)))]
    days = [draw(st.integers(0, 3)) for _ in (*texts, *again)]
    names = [*map(str, range(len(days) - 1)), "new"]
    return [
        Statement(name, text, START + timedelta(days=day), place, draw(HINTS))
        for place, (name, text, day) in enumerate(zip(names, (*texts, *again), days, strict=True))
    ]


@settings(max_examples=300)
@given(told())
def test_the_successions_of_one_are_those_among_all_that_it_takes_part_in(statements: list[Statement]) -> None:
    """Against reading everything, wherever in time the one stands."""
    *others, new = statements
    expected = tuple(each for each in find_successions(statements) if "new" in (each.old, each.new))
    assert successions_of(new, others) == expected


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("", [("0", "new")]),
        ("My dentist is Ann.", []),
        ("Her dentist is Ann.", [("0", "new")]),
    ],
    ids=["nobody before", "somebody before", "another one"],
)
def test_what_was_replaced_before_is_not_replaced_again(between: str, expected: list[tuple[str, str]]) -> None:
    """Even by a statement that says nothing of what the new one does."""
    said = ["My dentist is Kim, my landlord is Lee.", between, "My landlord is Max."]
    statements = [
        Statement(name, text, START, place)
        for place, (name, text) in enumerate(zip(("0", "1", "new"), said, strict=True))
    ]
    assert [(each.old, each.new) for each in successions_of(statements[2], statements[:2])] == expected


RULES = [(facts, rule.pattern) for rule in facts.PERSON_RULES] + [(chinese, rule.pattern) for rule in chinese._RULES]


@pytest.mark.parametrize(("language", "pattern"), RULES, ids=[str(number) for number in range(len(RULES))])
def test_what_one_rule_reads_is_what_some_rule_reads(language: object, pattern: str) -> None:
    """The pattern of all of them has each of them in it, in its own words."""
    whole = (facts if language is facts else chinese)._any_rule().pattern
    assert re.sub(r"\(\?P<v2?>", "(?:", pattern) in whole


@pytest.mark.parametrize("name", ["_UNREAL_PHRASE", "_NOW", "_BESIDE", "_ASIDE"])
def test_a_pattern_needs_one_of_its_signs(name: str) -> None:
    """Whatever matches it."""
    signs = {
        "_UNREAL_PHRASE": clauses._OF_A_PHRASE,
        "_NOW": clauses._OF_NOW,
        "_BESIDE": clauses._OF_BESIDE,
        "_ASIDE": clauses._OF_ASIDES,
    }

    @settings(max_examples=60)
    @given(st.from_regex(re.compile(getattr(clauses, name).pattern), fullmatch=True))
    def check(text: str) -> None:
        assert not signs[name].isdisjoint(clauses._WORDS.findall(text.casefold()))

    check()


@given(TEXTS | st.text(alphabet="aZ09.:@+/#&'-_$%€ é", max_size=30))
def test_words_are_those_of_any_text(text: str) -> None:
    """Where all is in ASCII as well."""
    assert wording.words_of(text) == wording._WORD.findall(text.casefold())


@given(ENGLISH | st.text(alphabet="Iit'smvelr cangoWwDr.;:—- n\n", max_size=40))
def test_contractions_and_sentences_are_found_where_they_are(text: str) -> None:
    """Against the patterns as they would be written without regard to speed."""
    assert wording.expanded(text) == wording._CONTRACTED.sub(wording._expand, text)
    plain = (
        r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\ba\.m)(?<!\bp\.m)(?:(?<=[.!?])|(?<=[.!?][\"')]))\s+"
        r"|(?<=\bDr\.)\Z|[;\n]+|\s[-–—]+\s|—|: (?=(?:I|he|she|we|my|our)\b)"
    )
    assert clauses._SENTENCE.split(text) == re.split(plain, text)


ASIDES = st.sampled_from(
    (
        "By the way, |Well, |FYI |Ann: |顺便说一下，| lol.|, thanks|哦| a.m.x|'s|n't|gonna |e-mails |wi-fi |3 PM|"
        "twelve |u |您|星期"
    ).split("|")
)
TALK = st.lists(ASIDES | TEXTS, max_size=4).map("".join)


@given(TALK, TALK, st.booleans())
def test_what_cannot_be_the_same_is_not(one: str, other: str, within: bool) -> None:
    """Against comparing all that both tell."""
    other = other + one if within else other
    asks = sameness._is_question(one) == sameness._is_question(other)
    expected = None
    if sameness.bare(one) and asks:
        near = "near" if sameness.essence(one) == sameness.essence(other) else None
        expected = "exact" if sameness.bare(one) == sameness.bare(other) else near
    assert sameness.same(one, other) == expected


@given(st.text(max_size=40))
def test_each_character_is_kept_or_blank(text: str) -> None:
    """Whether it is looked up or thought about."""
    assert text.translate(sameness._KEPT) == "".join(char if sameness._tells(char) else " " for char in text)


def test_a_long_text_is_not_kept_at_hand() -> None:
    """Neither with its claims, nor as one of the many whose words are kept."""
    before = claiming._claims.cache_info().misses
    assert claims("I live in Oslo. " * LONGEST) == ()
    assert claiming._claims.cache_info().misses == before
