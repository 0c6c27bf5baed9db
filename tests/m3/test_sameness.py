"""What says the same, and is stored once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.sameness import bare, essence, same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I LIKE tea!!", "i like  tea"),
        ("ＡＢＣ１２３", "abc123"),
        ("我 喜欢 茶", "我喜欢茶。"),
        ("Mia's cat", "mia’s CAT"),
    ],
)
def test_case_punctuation_and_width_make_no_difference(one: str, other: str) -> None:
    """Word for word the same."""
    assert same(one, other) == "exact"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("By the way, the key is in the left drawer", "The key is in the left drawer."),
        ("Just so you know, I'm allergic to nuts", "I am allergic to nuts!"),
        ("Please remember that Mia likes tea", "Mia likes tea"),
        ("I can't eat nuts, thanks", "I cannot eat nuts"),
        ("I have twelve cats", "I have 12 cats"),
        ("u like tea", "you like tea"),
        ("The meeting is at 3 pm", "the meeting is at 3pm"),
        ("My e-mail is a@b.c", "my email is a@b.c"),
        ("Well, the cat really sleeps", "The cat sleeps"),
        ("顺便说一下，我喜欢茶", "我喜欢茶"),
        ("请记住：我对花生过敏。", "我对花生过敏哦"),
        ("会议在星期二三点", "会议在周二3点"),
        ("我的妈妈住在北京", "我妈妈住在北京"),
    ],
)
def test_asides_politeness_and_spelling_make_a_near_duplicate(one: str, other: str) -> None:
    """The words that tell something are the same, in the same order."""
    assert same(one, other) == "near"


DIFFERENT = [
    ("The key is in the left drawer", "The key is in the right drawer"),
    ("Ann owes Bob", "Bob owes Ann"),
    ("I can eat nuts", "I can't eat nuts"),
    ("I never smoke", "I smoke"),
    ("I only like tea", "I like tea"),
    ("I'm not just a doctor", "I'm not a doctor"),
    ("I live in Rome", "I lived in Rome"),
    ("I moved to Rome", "I move to Rome"),
    ("I like C++", "I like C#"),
    ("It costs $5", "It costs €5"),
    ("It is -5 degrees", "It is 5 degrees"),
    ("Room 5.3", "Room 53"),
    ("I take vitamin A daily", "I take vitamin daily"),
    ("I know Mr Adam", "I know Mr Adams"),
    ("I lost my key", "I lost my keys"),
    ("The call is at 3 am", "The call is at 3 pm"),
    ("Ann: I like tea", "Ben: I like tea"),
    ("Ann: I like tea", "I like tea"),
    ("You live in Rome?", "You live in Rome."),
    ("Please remember to call Ann", "Call Ann"),
    ("My status is ok", "My status is"),
    ("I feel 😀", "I feel 😢"),
    ("我喜欢茶", "我不喜欢茶"),
    ("我三点到", "我四点到"),
    ("生日是5月9日", "生日是5月10日"),
    ("你喜欢茶吗", "你喜欢茶"),
    ("那个人走了", "人走了"),
    ("小王欠小李钱", "小李欠小王钱"),
    ("左边的抽屉", "右边的抽屉"),
    ("我吃过鱼", "我吃鱼"),
    ("", ""),
    ("...", "!!!"),
    ("the", "a"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_word_a_number_a_name_a_negation_or_the_order_makes_another_note(one: str, other: str) -> None:
    """A note that is taken for another one would be lost; an empty one is nobody's duplicate."""
    assert same(one, other) is None


TOLD = st.lists(
    st.sampled_from(
        "Well, so btw by_the_way please the a not really tea Tea! likes 12 twelve 顺便说一下 我 喜欢 茶 哦 。".split()
    ),
    max_size=6,
)
TALK = st.tuples(TOLD, st.sampled_from(["", "?"])).map(lambda talk: " ".join(talk[0]).replace("_", " ") + talk[1])
"""Statements and questions of a few words that tell something and of more that do not."""


@given(TALK, TALK)
def test_texts_are_the_same_where_their_bare_words_or_their_essence_are(one: str, other: str) -> None:
    """So that duplicates among many can be grouped by their essence without comparing all pairs."""
    word_for_word = bare(one) == bare(other) and ("?" in one) == ("?" in other)
    in_essence = essence(one) == essence(other)
    assert (same(one, other) is not None) == (bare(one) != "" and (word_for_word or in_essence))
    assert (same(one, other) == "exact") == (bare(one) != "" and word_for_word)


@given(st.text(max_size=40), st.text(max_size=40))
def test_being_the_same_has_no_direction(one: str, other: str) -> None:
    """And a text is the same as itself, if it has any word."""
    assert same(one, other) == same(other, one)
    assert (same(one, one) == "exact") == bool(bare(one))


@given(st.text(alphabet="ab AB.,!茶我12-", max_size=20))
def test_bare_words_stay_as_they_are(text: str) -> None:
    """Doing it twice, or shouting, changes nothing."""
    assert bare(bare(text)) == bare(text)
    assert bare(text.upper()) == bare(text)


WORDS = st.sampled_from("ann bob owes likes tea left right not 12 13 always paris lives 茶 不".split())


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(WORDS, min_size=1, max_size=6))
def test_other_words_or_another_order_are_never_the_same(one: list[str], other: list[str]) -> None:
    """Texts of words that all tell something are the same only if the lists are."""
    assert (same(" ".join(one), " ".join(other)) is not None) == (bare(" ".join(one)) == bare(" ".join(other)))
