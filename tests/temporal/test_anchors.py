"""Events that a question places itself by, in both languages, and what only looks like one."""

from __future__ import annotations

import pytest

from ntm_memory_skill.temporal import Anchor, mentioned
from ntm_memory_skill.temporal.anchors import MOST_ANCHORS
from tests.temporal.reading_aids import NOW

ENGLISH = [
    ("Where did we live before the trip?", "before", "the trip"),
    ("Where did we live before we moved?", "before", "we moved"),
    ("Where did we live before we'd moved?", "before", "we'd moved"),
    ("Where did we live before moving to Oslo?", "before", "moving to Oslo"),
    ("Where did we live before Ann's wedding?", "before", "Ann's wedding"),
    ("What had I saved until the accident?", "before", "the accident"),
    ("What did I note prior to my exam, and why?", "before", "my exam"),
    ("How did she feel after the race?", "after", "the race"),
    ("How did she feel after that race was called off?", "after", "that race"),
    ("How many days after I paid $1,200 did he write?", "after", "I paid $1,200"),
    ("After our holiday, what did Ben buy?", "after", "our holiday"),
    ("How has he changed since starting the course?", "after", "starting the course"),
    ("How has he changed since we met?", "after", "we met"),
    ("What did Ben cook during the party?", "around", "the party"),
    ("What did Ben cook at the time of the move?", "around", "the move"),
    ("What was I reading when we moved to Oslo?", "around", "we moved to Oslo"),
    ("How much had I saved by the time I quit?", "around", "I quit"),
    ("Who came the week before the wedding?", "before", "the wedding"),
    ("Who came before the start of the course?", "before", "the start of the course"),
    ("Who came during the day trip?", "around", "the day trip"),
]

CHINESE = [
    ("旅行之前我住在哪？", "before", "旅行"),
    ("搬家以后我住在哪？", "after", "搬家"),
    ("畢業之後我住在哪？", "after", "畢業"),
    ("考试前我看了什么书？", "before", "考试"),
    ("毕业后我去了哪里？", "after", "毕业"),
    ("婚礼三天前我在做什么？", "before", "婚礼"),
    ("去北京之前我住在哪？", "before", "去北京"),
    ("认识小王之后我常去哪？", "after", "认识小王"),
    ("疫情期间我在做什么？", "around", "疫情"),
    ("我买车的时候花了多少？", "around", "买车"),
    ("面试那天下雨了吗？", "around", "面试"),
]

NO_ANCHOR = [
    "When did we move?",
    "Have I asked this before?",
    "What do I drink after dinner?",
    "Who writes after 7 PM?",
    "What do I read before bed?",
    "What was my score after 15 games?",
    "Did it work after all, before that, or ever since then?",
    "after that I left",
    "before I go, tell me a joke",
    "Since you asked, what is it?",
    "Since he was tired, who drove?",
    "Who looks after the dog?",
    "Who was named after the king?",
    "the hereafter-the-fact report",
    "Do you remember when we met?",
    "Can you tell me when she left?",
    "How many days passed between when I left and when I came back?",
    "When we met, was it raining?",
    "What should I do when the build fails?",
    "What was he like when he was young?",
    "What did we say during our chats?",
    "Do I sleep during the day or until the morning?",
    "Who came before the weekend?",
    "before",
    "什么时候开会？",
    "有的时候我在做什么？",
    "我以前住在哪？",
    "妈妈之前在哪里工作？",
    "之前推荐的电影叫什么？",
    "然后呢，最后呢，以后呢？",
    "看见以前的同学了吗？",
    "原来的公司之后怎么样了？",
    "旅行后来怎么样了？",
]


@pytest.mark.parametrize(("text", "relation", "event"), ENGLISH + CHINESE)
def test_the_event_and_its_relation_are_found(text: str, relation: str, event: str) -> None:
    """The words are those of the text, without what comes after the event."""
    (anchor,) = mentioned(text, NOW).anchors
    assert (anchor.relation, anchor.text) == (relation, event)


@pytest.mark.parametrize(
    ("text", "phrase"), [("How was he after the race, Ann?", "after the race"), ("他旅行之前", "旅行之前")]
)
def test_the_phrase_holds_the_word_that_relates(text: str, phrase: str) -> None:
    """It is shown to whoever asks why."""
    assert [anchor.phrase for anchor in mentioned(text, NOW).anchors] == [phrase]


@pytest.mark.parametrize("text", NO_ANCHOR)
def test_what_is_no_event_gives_no_anchor(text: str) -> None:
    """Meals, hours, quantities, what is asked for itself, talk of the present, times of day, and adverbs."""
    assert mentioned(text, NOW).anchors == ()


@pytest.mark.parametrize(
    "text", ["before the 3rd of May", "after May 2023", "since last week", "during the week of 3 May"]
)
def test_a_date_is_a_window_and_no_anchor(text: str) -> None:
    """Its time is known without the memory."""
    said = mentioned(text, NOW)
    assert len(said.windows) == 1
    assert said.anchors == ()


def test_an_event_with_a_date_gives_both() -> None:
    """The event's words end where the date begins."""
    said = mentioned("What did Ann learn after the race in July 2022?", NOW)
    assert [window.phrase for window in said.windows] == ["July 2022"]
    assert said.anchors == (Anchor("after", "after the race", "the race"),)


def test_two_events_come_in_the_text_s_order() -> None:
    """Whatever their languages."""
    said = mentioned("搬家以后, and before the trip", NOW)
    assert [anchor.text for anchor in said.anchors] == ["搬家", "the trip"]


def test_a_story_full_of_events_has_no_anchor() -> None:
    """It places itself by none of them."""
    assert len(mentioned("before the trip. " * MOST_ANCHORS, NOW).anchors) == MOST_ANCHORS
    assert mentioned("before the trip. " * (MOST_ANCHORS + 1), NOW).anchors == ()
