"""The form of a question: what it describes by other things, and whether it asks for several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.lexical import PLAIN, Asking, asking
from ntm_memory_skill.lexical.asking import LONGEST, MOST

DESCRIBING = (
    "Which restaurant was recommended by the person whom I met at the fair?",
    "Where does the colleague who repaired my bicycle live?",
    "What is the name of the cafe that my sister likes?",
    "Who wrote the book which Anna gave me?",
    "Where was the owner of the Golden Fig born?",
    "Who is the mother of my dentist?",
    "What is Anna's older brother's job?",
    "Where does Marco's wife work?",
    "What is the capital of the country where Tom was born?",
    "When did the woman whose dog bit me move away?",
    "What instrument does the man whom Ines married play?",
    "Where did the teacher of my sister study?",
    "How big is the country Ann is from?",
    "我在展会上认识的人推荐的餐厅叫什么？",
    "妹妹喜欢的咖啡馆的老板是谁？",
    "小王的哥哥的公司在哪里？",
    "我昨天遇到的老师教的学生叫什么？",
    "安娜推荐的医生的电话是多少？",
    "写这本书的人出生的城市在哪里？",
    "爷爷住的村子的名字叫什么？",
)
NAMING = (
    "who keeps goats and who plays the violin?",
    "goats: who keeps them?",
    "What is the name of Anna's cat?",
    "nothing of all that",
    "When is my dentist appointment?",
    "Where is the wifi password?",
    "What colour is the bicycle?",
    "What is the date of the wedding?",
    "What time of day do we leave?",
    "What kind of music does Marco like?",
    "Which flight leaves Zurich at dawn?",
    "what is that?",
    "who? where? whom?",
    "the end of the week",
    "谁养山羊？",
    "会议什么时候开始？",
    "安娜的猫叫什么？",
    "我的自行车是什么颜色的？",
    "这是谁的？",
    "密码在哪里？",
)
SEVERAL = (
    "What books has Ann read?",
    "Which cities did we visit in May?",
    "What kinds of flowers are in the garden?",
    "What musical instruments does Tom play?",
    "How many goats does Anna keep?",
    "How often does Marco train?",
    "What are Anna's hobbies?",
    "What has Bob cooked for us?",
    "Where has Ann travelled this year?",
    "In what ways did the move change her life?",
    "What do both Ann and Bob like?",
    "安娜读过哪些书？",
    "我们去过哪几个城市？",
    "她去过日本几次？",
    "他看过多少次医生？",
    "我有几个孩子？",
    "安娜的爱好都是什么？",
    "他们分别住在哪里？",
)
ONE = (
    "What is the name of Anna's cat?",
    "Who plays the violin?",
    "When is my dentist appointment?",
    "What does Ann read?",
    "what was Ann's first book?",
    "What is this?",
    "What kind of dog does Ann have?",
    "who keeps goats and who plays the violin?",
    "nothing of all that",
    "谁养山羊？",
    "安娜的猫叫什么？",
    "会议什么时候开始？",
    "密码是多少？",
)
WORDS = (
    "who whom whose which that where what how many the of by 's is was both and author wife name city cities Anna Bob "
    "goats , . ? 的 哪些 是 都有 ？ 猫 餐厅"
).split()


@pytest.mark.parametrize("text", DESCRIBING)
def test_question_that_describes_one_thing_by_another_is_told(text: str) -> None:
    """A relative clause, the one of the other, somebody's somebody, in Chinese two 的 that link."""
    assert 1 <= asking(text).described <= MOST


@pytest.mark.parametrize("text", NAMING)
def test_question_that_names_what_it_asks_for_describes_nothing(text: str) -> None:
    """Whatever it holds of "of", "who", "'s" and 的."""
    assert asking(text).described == 0


@pytest.mark.parametrize("text", SEVERAL)
def test_question_for_several_things_is_told(text: str) -> None:
    """By a plural, by how many and how often, by both, by 哪些 and its like."""
    assert asking(text).several


@pytest.mark.parametrize("text", ONE)
def test_question_for_one_thing_is_not_taken_for_one_for_several(text: str) -> None:
    """It asks for a name, a time, a place."""
    assert not asking(text).several


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("Who is the cat?", 0),
        ("Who fed the cat that bit me?", 1),
        ("Who fed the cat that bit the man whom I met?", 2),
        ("Who fed the cat that bit the man whom I met where the man lives whose wife sings?", MOST),
        ("红色的门是什么时候漆的？", 0),
        ("认识的人叫什么？", 1),
        ("认识的人推荐的餐厅叫什么？", 2),
        ("认识的人推荐的餐厅的老板叫什么？", 3),
        ("认识的人推荐的餐厅的老板的女儿的猫叫什么？", MOST),
    ],
)
def test_each_description_counts_up_to_the_most(text: str, described: int) -> None:
    """In Chinese one 的 alone describes nothing, but before somebody or something that one has: 的人, 的公司."""
    assert asking(text).described == described


@pytest.mark.parametrize("text", ["What books has Ann read?", "Who fed the cat that bit me?", "安娜读过哪些书？"])
def test_blanks_around_a_question_do_not_change_its_form(text: str) -> None:
    """Nor do line breaks."""
    assert asking(f"  {text}\n") == asking(text)


def test_text_without_words_is_plain() -> None:
    """It asks for one thing, by its own name."""
    assert asking("") == asking(" ? ") == PLAIN == Asking(described=0, several=False)


@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_every_text_has_a_form_within_bounds(text: str) -> None:
    """Also what is no question, and words in any order; the same text has the same form each time."""
    form = asking(text)
    assert 0 <= form.described <= MOST
    assert isinstance(form.several, bool)
    assert asking(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "the country " + "A" * 5_000,
        "where is the file " + "A_" * 5_000,
        "a-" * 16_000,
        "the " * 8_000,
        "x's " * 8_000,
        "的" * 30_000,
    ],
)
def test_work_on_long_runs_is_bounded(text: str) -> None:
    """What lies behind the first thousand characters changes nothing, and no pattern tries every way to split a run."""
    assert asking(text) == asking(text[:LONGEST])
