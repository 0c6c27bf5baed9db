"""What somebody says is new, or is what they were just told: in doubt it is new."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.novelty import COMMON, COMMON_CHARACTERS, adds_nothing, distinctive, restates

RESTATED = [
    ("Ana is at home in Lisbon", "Ana is living in Lisbon"),
    ("As I said, my dentist Ana is at home in Lisbon", "My dentist Ana is living in Lisbon"),
    ("Lisbon is where Ana lives, remember", "Ana lives in Lisbon"),
    ("My home is in Oslo", "I live in Oslo"),
    ("ANA LIVES IN LISBON!!", "Ana lives in Lisbon"),
    ("Ana’s car is a Volvo", "Ana's car is a Volvo"),
    ("The car of Ana is a Volvo", "Ana drives a Volvo"),
    ("My PIN is 4471", "4471 is the PIN"),
    ("Ａｎａ lives in Ｏｓｌｏ", "Ana lives in Oslo"),
    ("我表哥的家是在杭州", "我表哥住在杭州"),
    ("对，我说过，我房东是在做裁缝", "我房东是裁缝"),
    ("别忘了，小林对花生过敏", "小林对花生过敏"),
    ("是啊，我就住在大理", "我住在大理"),
]
"""A statement in other words, and what was known."""

NEW = [
    ("Ana is living in Oslo", "Ana is living in Lisbon"),
    ("Bea lives in Lisbon", "Ana lives in Lisbon"),
    ("Ana and Bea live in Lisbon", "Ana lives in Lisbon"),
    ("Ana lives in Lisbon", "Ana and Bea live in Lisbon"),
    ("I drive 3 cars", "I drive 2 cars"),
    ("I have two cats", "I have three cats"),
    ("The PIN is 4472", "The PIN is 4471"),
    ("Ana does not live in Lisbon", "Ana lives in Lisbon"),
    ("I no longer live in Oslo", "I live in Oslo"),
    ("I hate tea", "I like tea"),
    ("I sold the Volvo", "I drive a Volvo"),
    ("I moved to Oslo", "I live in Oslo"),
    ("I like café", "I like coffee"),
    ("我不喜欢茶", "我喜欢茶"),
    ("我没有猫", "我有猫"),
    ("我讨厌茶", "我喜欢茶"),
    ("我表哥住在苏州", "我表哥住在杭州"),
    ("他有三只猫", "他有两只猫"),
    ("小林对花生不过敏", "小林对花生过敏"),
    ("我离开了杭州", "我住在杭州"),
]
"""A statement that tells something, beside what was known."""

ONLY_COMMON_WORDS_TELL_THEM_APART = [
    ("My brother lives in Oslo", "My sister lives in Oslo"),
    ("My boss lives in Oslo", "I live in Oslo"),
    ("I work in Oslo", "I live in Oslo"),
    ("I was born in Oslo", "I live in Oslo"),
    ("I used to live in Oslo", "I live in Oslo"),
    ("I left Oslo", "I live in Oslo"),
    ("I want a Volvo", "I have a Volvo"),
    ("My wife likes jazz", "I like jazz"),
    ("我妈妈住在杭州", "我爸爸住在杭州"),
    ("我在杭州工作", "我住在杭州"),
    ("我以前住在杭州", "我现在住在杭州"),
]
"""Statements that tell something, in words that say little by themselves."""

OTHER_NUMBERS = [
    ("门禁密码是4471", "门禁密码是1147"),
    ("我的手机号是13800000000", "我的手机号是13088888888"),
    ("外婆的生日是三月十二日", "外婆的生日是十二月三日"),
    ("我有二十五只羊", "我有五十二只羊"),
]
"""Numbers of the same digits, among Chinese characters."""

SAYS_NOTHING = ["", "   ", "...", "ok", "I like it", "me too", "好的", "是的", "👍"]

NUMERALS = set("一二两三四五六七八九十百千万")

texts = st.text(max_size=30) | st.sampled_from([text for pair in RESTATED + NEW for text in pair] + SAYS_NOTHING)


class TestPairs:
    """One statement beside another."""

    @pytest.mark.parametrize(("statement", "known"), RESTATED)
    def test_what_says_the_same_in_other_words_adds_nothing(self, statement: str, known: str) -> None:
        """Whichever was said first."""
        assert adds_nothing(statement, known)
        assert adds_nothing(known, statement)

    @pytest.mark.parametrize(("statement", "known"), NEW)
    def test_what_tells_something_is_new(self, statement: str, known: str) -> None:
        """Whichever was said first."""
        assert not adds_nothing(statement, known)
        assert not adds_nothing(known, statement)

    @pytest.mark.parametrize(("statement", "known"), ONLY_COMMON_WORDS_TELL_THEM_APART)
    def test_what_only_common_words_tell_apart_is_new(self, statement: str, known: str) -> None:
        """Who, and what of them: not only the name of the place."""
        assert not adds_nothing(statement, known)

    @pytest.mark.parametrize(("statement", "known"), OTHER_NUMBERS)
    def test_another_number_of_the_same_digits_is_new(self, statement: str, known: str) -> None:
        """A code, a day, a count."""
        assert not adds_nothing(statement, known)

    @pytest.mark.parametrize("text", SAYS_NOTHING)
    def test_what_has_nothing_distinctive_is_not_known(self, text: str) -> None:
        """In doubt it is new; whether it is worth keeping is not asked here."""
        assert not adds_nothing(text, text)


class TestSeveral:
    """One statement beside all that is known."""

    def test_one_that_says_it_is_enough(self) -> None:
        """Wherever it stands; and the texts are taken as they come."""
        known = ["Ana is living in Oslo", "Ana is living in Lisbon", "Bea bakes bread"]
        for order in (known, known[::-1]):
            assert restates("Ana is at home in Lisbon", iter(order))
            assert not restates("Ana is at home in Porto", iter(order))

    def test_several_that_say_it_together_are_not(self) -> None:
        """Who put two things together tells something."""
        assert not restates("Ana lives in Lisbon and bakes bread", ["Ana lives in Lisbon", "Ana bakes bread"])

    def test_nothing_is_known_at_first(self) -> None:
        """Everything is new."""
        assert not restates("Ana is living in Lisbon", [])


class TestDistinctive:
    """The words and characters that tell statements apart."""

    def test_common_words_are_left_out_and_numbers_are_not(self) -> None:
        """In both languages, digits and numerals alike."""
        assert distinctive("I am living in flat 7 with 2 cats") == {"flat", "7", "2", "cats"}
        assert distinctive("我在三楼住，有两只猫") == set("三楼两猫")

    def test_who_somebody_is_to_the_speaker_is_left_out_before_a_name(self) -> None:
        """The name says who is meant; without one, it is what says it."""
        assert distinctive("My dentist Ana") == distinctive("Your dentist Ana") == distinctive("Ana") == {"ana"}
        assert distinctive("My dentist called") == {"dentist"}

    def test_no_common_word_is_listed_that_no_text_could_hold(self) -> None:
        """Each is as texts are read: in lower case, and in one piece. Numerals count, though they are listed."""
        assert [word for word in COMMON if distinctive(word) or word != word.casefold() or not word.isalpha()] == []
        assert {char for char in COMMON_CHARACTERS if distinctive(char)} <= NUMERALS
        assert all("\u3400" <= char <= "\u9fff" for char in COMMON_CHARACTERS)


@given(texts)
def test_a_statement_adds_nothing_to_itself_if_it_is_distinctive(text: str) -> None:
    """And else it is not known."""
    assert adds_nothing(text, text) == bool(distinctive(text))


@given(texts, texts)
def test_which_of_two_was_said_first_does_not_matter(one: str, other: str) -> None:
    """They say the same, or they do not."""
    assert adds_nothing(one, other) == adds_nothing(other, one)


@given(texts, texts)
def test_what_is_known_has_all_that_is_distinctive_in_the_statement(statement: str, known: str) -> None:
    """The law: all that is distinctive in one is in both."""
    if adds_nothing(statement, known):
        assert distinctive(statement) == distinctive(known) != frozenset()


@given(texts, st.lists(texts, max_size=5))
def test_a_statement_restates_exactly_what_one_text_makes_known(statement: str, known: list[str]) -> None:
    """A loop over them."""
    assert restates(statement, known) == any(adds_nothing(statement, each) for each in known)


@given(texts)
def test_case_and_width_do_not_matter(text: str) -> None:
    """Full-width letters are those letters."""
    wide = "".join(chr(ord(char) + 0xFEE0) if "a" <= char.lower() <= "z" and char.isascii() else char for char in text)
    assert distinctive(wide) == distinctive(unicodedata.normalize("NFKC", wide))


@given(texts)
def test_nothing_common_is_distinctive(text: str) -> None:
    """Whatever the text."""
    assert not distinctive(text) & COMMON
    assert distinctive(text) & COMMON_CHARACTERS <= NUMERALS
