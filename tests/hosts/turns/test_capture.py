"""What is kept of a message unasked: sentences that tell of a life, in English and Chinese, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.hosts.turns import worth_keeping
from ntm_memory_skill.hosts.turns.capture import LONGEST, LONGEST_MESSAGE, MOST, SHORTEST

KEPT = [
    "My sister is called Nora.",
    "my favourite tea is oolong",
    "Our next meetings are on Thursdays.",
    "I prefer trains to planes.",
    "I really don't like coriander!",
    "We moved to Lucerne in May.",
    "I no longer eat meat.",
    "I'm allergic to penicillin.",
    "We are vegetarian at home.",
    "Call me Wei.",
    "From now on, answer in German.",
    "We decided on the blue one.",
    "I was born in 1990.",
    "My favourite kind of tea is oolong.",
    "My dentist is Dr. Okafor in Harbour Street.",
    "我对花生过敏。",
    "我们从不吃猪肉。",
    "I use Python 3.11 at work.",
    "For the record, the deposit was paid.",
    "我叫李伟。",
    "我住在苏黎世。",
    "我在一家银行工作。",
    "我喜欢喝茶！",
    "我们从不喜欢猪肉。",
    "我的生日是三月十二号。",
    "我妈妈叫王芳。",
    "我们决定去北京。",
    "以后请用中文回答。",
    "从今天起我不喝咖啡了。",
]
"""Each of them as it stands."""

ASKED_FOR = {
    "Please remember that my sister is called Nora.": "my sister is called Nora.",
    "please remember my sister is called Nora": "my sister is called Nora",
    "Remember this: the gate code is 4471.": "the gate code is 4471.",
    "memorize: the gate code is 4471": "the gate code is 4471",
    "Memorize that the gate code is 4471": "the gate code is 4471",
    "Also, please memorize: the gate code is 4471": "the gate code is 4471",
    "Don't forget the rent is due on Friday": "the rent is due on Friday",
    "dont forget: the rent is due on Friday": "the rent is due on Friday",
    "Keep in mind that Tom is vegan.": "Tom is vegan.",
    "Note that we leave at six.": "we leave at six.",
    "note down: we leave at six": "we leave at six",
    "请记住：门禁密码是4471。": "门禁密码是4471。",
    "请记住,门禁密码是4471": "门禁密码是4471",
    "记住我的生日是三月十二号。": "我的生日是三月十二号。",
    "帮我记住 我妈妈叫王芳": "我妈妈叫王芳",
    "请帮我记住：门禁密码是4471": "门禁密码是4471",
    "别忘了周五交房租": "周五交房租",
    "不要忘记周五交房租": "周五交房租",
    "Please remember:\nthe boiler was serviced in March": "the boiler was serviced in March",
    "请记住：\n三月修过锅炉": "三月修过锅炉",
}
"""A request to remember, and what was to be remembered."""

NOT_KEPT = [
    "",
    "   ",
    "ok",
    "Thanks, that helps a lot.",
    "The weather is nice today.",
    "Write a test for this function.",
    "My dog",
    "Do you remember my name?",
    "Can you remember that I like tea?",
    "What is my name",
    "where do I live",
    "Is my sister called Nora?",
    "Remember",
    "remember ......",
    "My sister is called what?!",
    "Please remember:\nwhere is the key?",
    "Please remember that",
    "memorize:",
    "好的",
    "谢谢你的帮助。",
    "今天天气不错。",
    "你记得我喜欢什么吗？",
    "我叫什么？",
    "我喜欢喝茶吗",
    "我的生日是哪天呢",
    "记住",
    "请记住：",
    "/new",
    "/remember I like tea.",
    "  /memory My name is Wei.",
]


@pytest.mark.parametrize("sentence", KEPT)
def test_a_fact_about_a_life_is_kept_as_it_was_said(sentence: str) -> None:
    """Nothing is left off."""
    assert worth_keeping(sentence) == [sentence]


@pytest.mark.parametrize(("sentence", "told"), ASKED_FOR.items())
def test_a_request_to_remember_is_left_off(sentence: str, told: str) -> None:
    """What stays is what was to be remembered."""
    assert worth_keeping(sentence) == [told]


@pytest.mark.parametrize("sentence", NOT_KEPT)
def test_what_tells_nothing_is_not_kept(sentence: str) -> None:
    """Small talk, questions, commands, and requests to remember nothing."""
    assert worth_keeping(sentence) == []


def test_remembering_that_is_no_request_is_left_as_it_was_said() -> None:
    """In the middle of a sentence it is somebody's own."""
    assert worth_keeping("I remember the day we met.") == ["I remember the day we met."]
    assert worth_keeping("My aunt is the one who can't remember names.") == [
        "My aunt is the one who can't remember names."
    ]


def test_sentences_are_told_apart() -> None:
    """In a message that mixes facts, questions and both languages; points in numbers and addresses end nothing."""
    message = (
        "Hi there! My address is a.b@example.com. What is yours? I use Python 3.11, and I like it.\n"
        "你好。我叫李伟！你叫什么？"
    )
    assert worth_keeping(message) == [
        "My address is a.b@example.com.",
        "I use Python 3.11, and I like it.",
        "我叫李伟！",
    ]


def test_at_most_three_sentences_of_a_message_are_kept() -> None:
    """The first ones, in their order."""
    told = [f"I like number {number}." for number in range(MOST + 2)]
    assert worth_keeping(" ".join(told)) == told[:MOST] == told[:3]


def test_a_long_pasted_text_is_left_alone() -> None:
    """Whatever it says: it was not said by the user."""
    fact = "I like tea. "
    assert worth_keeping(fact + "x" * (LONGEST_MESSAGE - len(fact))) == [fact.strip()]
    assert worth_keeping(fact + "x" * (LONGEST_MESSAGE - len(fact) + 1)) == []


def test_a_long_sentence_is_left_alone() -> None:
    """Others beside it are kept."""
    longest = "I like " + "x" * (LONGEST - len("I like "))
    assert worth_keeping(longest) == [longest]
    assert worth_keeping(f"{longest}x\nI like tea") == ["I like tea"]


@given(st.text(max_size=LONGEST_MESSAGE) | st.lists(st.sampled_from([*KEPT, *ASKED_FOR, *NOT_KEPT])).map(" ".join))
def test_what_is_kept_is_a_short_part_of_the_message(message: str) -> None:
    """At most three, in their order, each within its bounds and word for word."""
    kept = worth_keeping(message)
    assert len(kept) <= MOST
    assert all(SHORTEST <= len(sentence) <= LONGEST for sentence in kept)
    place = 0
    for sentence in kept:
        assert sentence == sentence.strip()
        place = message.index(sentence, place) + len(sentence)
