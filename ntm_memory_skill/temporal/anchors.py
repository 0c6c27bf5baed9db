"""Events that a text places itself by: "before the trip", "after we moved", 旅行之前, 搬家以后.

An event is one where its words say so: a definite or a named thing, something that somebody did, an "-ing"; in Chinese
a noun or a verb of the lists below. Meals, hours and habits ("after dinner", "after 7 PM", "before I leave") are none.
All patterns are bounded, as in `grammar`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from ntm_memory_skill.temporal.grammar import before
from ntm_memory_skill.temporal.numerals import simplified
from ntm_memory_skill.temporal.values import Anchor, Relation

MOST_ANCHORS = 3
"""A text that places itself by more events than this tells a story."""

Span = tuple[int, int]
"""Where something stands in a text."""

_LONGEST = 120
_MOST_WORDS = 10
_RELATIONS: dict[str, Relation] = {
    **dict.fromkeys(("before", "prior to", "until", "till"), "before"),
    **dict.fromkeys(("after", "since"), "after"),
    **dict.fromkeys(("during", "when", "at the time of", "around the time of", "by the time"), "around"),
}
_TRIGGER = re.compile(
    r"\b(?P<word>before|prior\sto|after|until|till|since|during|when|(?:at|around)\sthe\stime\sof|by\sthe\stime)\s(?=\w)",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,.:](?!\d)|[;?!()\"“”\n]")
_STOP = re.compile(
    r"\s(?:did|do|does|what|who|whom|which|where|how|why|when|before|after|until|while|because|since)\b", re.IGNORECASE
)
_AUXILIARY = re.compile(r"\s(?:is|are|was|were|has|have|had|will|would|can|could|should)\b", re.IGNORECASE)
_DANGLING = re.compile(
    r"(?:\s(?:in|on|at|of|by|from|for|the|last|this|around|between|and|or)){1,3}\s?\Z", re.IGNORECASE
)

_OTHER_SENSE = re.compile(
    r"(?:\b(?:look(?:s|ed|ing)?|named?|tak(?:e|es|en)|took|runs?|ran|ask(?:s|ed)?)\s|-)\Z", re.IGNORECASE
)
"""Before "after": it belongs to the verb."""
_ASKED_WHEN = re.compile(
    r"(?:\b(?:know|remember|recall|mention(?:ed)?|sa(?:y|id)|tell|told|ask(?:ed)?|sure|exactly|me|us|you|between|and|or|than|"
    r"from|to|of|since|until|days?)|\A|[.?!])\s?\Z",
    re.IGNORECASE,
)
"""Before "when": it is what is asked, or one of two ends."""
_QUESTION = re.compile(r"\b(?:what|who|whose|where|which|how|why)\b", re.IGNORECASE)

_DEFINITE = set("the my our his her their your its that this those these".split())
_PRONOUNS = set("i we he she they you it someone somebody".split())
_TIMES = set(
    "day days night nights week weeks weekend month months year years morning evening afternoon time moment period "
    "past present future recent age fact other same rest end start beginning middle something anything everything "
    "nothing thing".split()
)
_GROWING_UP = set("young younger little small kid child teenager student".split())
"""A stretch of years, told of at any time."""
_TALK = set("chat chats conversation conversations talks discussions messages sessions".split())
"""All that is remembered happened during it."""
_SMALL = _DEFINITE | set("a an of in at on and or".split())
_VERB = re.compile(
    r"[a-z]{2,12}ed|was|were|had|did|went|got|came|met|left|began|started|took|wrote|saw|said|told|found|lost|won|bought|"
    r"sold|broke|made|gave|felt|fell|became|heard|ran|grew|kept|thought|taught|brought|built|sent|spent|paid|quit|knew|"
    r"held|chose|drove|flew|rode|sang|spoke|stood|threw|wore|wed|hit|led",
)
_STATES = {"was", "were", "had"}
"""After "since" they give a reason more often than a time."""

EVENTS = (
    "旅行|旅游|出差|搬家|结婚|婚礼|订婚|离婚|毕业|考试|高考|面试|手术|会议|开会|聚会|聚餐|比赛|演出|演唱会|出国|回国|离职|辞职|入职|"
    "跳槽|换工作|找工作|装修|住院|出院|生病|怀孕|分手|退休|开学|放假|度假|培训|活动|发布会|上线|签约|实习|答辩|体检|车祸|事故|葬礼|"
    "展览|音乐会|讲座|研讨会|夏令营|军训|留学|创业|开业|疫情|地震|项目结束|生日会|约会|野餐|露营|爬山|徒步|马拉松"
)
EVENT_BEFORE = re.compile(rf"(?:{EVENTS})的?\Z")
"""Before "three days ago": three days before that, then."""
_DEEDS = (
    r"(?:(?<!过)去|(?<![提看听想遇达得感直找见])到|(?<![原后将本从未由向])来|回(?!答)|买|卖|换|养)[^\s,。?!;:、\"“”《》]"
    "|参加|开始|结束|完成|加入|离开|收到|认识|遇见|见到|看完|吃完|做完|学会|读完|拿到|得到|通过|考上|搬到|住进"
)
"""What somebody did; a verb of one character needs an object, for it stands in other words as well."""
_SIDES: dict[str, Relation] = {"前": "before", "后": "after"}
_SIDE = r"之前(?![提说聊推告问讲])|以前(?!的)|之后|以后|过后|期间|的时候|那时候?|那天|那会儿|当天"
_CHINESE = re.compile(
    rf"(?P<event>(?:{EVENTS})[了完]?)(?:的?(?:\d{{1,3}}|[一二两三四五六七八九十几])个?[天周月年])?"
    rf"(?P<side>{_SIDE}|[前后](?![面来台天边者后]))"
    rf"|(?P<deed>(?:{_DEEDS})[^\s,。?!;:、\"“”《》]{{0,12}}?)(?P<moment>{_SIDE})"
)


def anchors(text: str, windows: Sequence[Span]) -> tuple[Anchor, ...]:
    """Return the events that a text places itself by, in order; none within a window, nor any of too many."""
    each = (_english(text, windows), _chinese(text, windows))
    found = sorted((placed for one in each for placed in islice(one, MOST_ANCHORS + 1)), key=lambda placed: placed[0])
    return tuple(anchor for _, anchor in found) if len(found) <= MOST_ANCHORS else ()


def _english(text: str, windows: Sequence[Span]) -> Iterator[tuple[int, Anchor]]:
    taken = 0
    for match in _TRIGGER.finditer(text):
        word = " ".join(match["word"].lower().split())
        end = _event_end(text, match.end(), windows)
        event = text[match.end() : end]
        if match.start() >= taken and _is_asked_from(text, match, word) and _is_event(event, word):
            taken = end
            yield match.start(), Anchor(_RELATIONS[word], text[match.start() : end], event)


def _event_end(text: str, begin: int, windows: Sequence[Span]) -> int:
    """Return where the words of an event end that begin at a place: with the clause, a new one, or a date."""
    limit = min([len(text), begin + _LONGEST, *(start for start, end in windows if end > begin)])
    event = text[begin : max(begin, limit)]
    for pattern in (_CLAUSE_END, _STOP):
        event = pattern.split(event, maxsplit=1)[0]
    words = event.split()
    if words and words[0].lower() in _DEFINITE and len(words) > 1 and words[1].lower() not in _PRONOUNS:
        event = _AUXILIARY.split(event, maxsplit=1)[0]
    event = _DANGLING.sub("", " ".join(event.split(" ")[:_MOST_WORDS]))
    return begin + len(event.rstrip())


def _is_asked_from(text: str, match: re.Match[str], word: str) -> bool:
    """Return whether a trigger places what is asked, rather than being asked for or part of a verb."""
    if word != "when":
        return before(_OTHER_SENSE, text, match.start()) is None
    question = _QUESTION.search(text, max(0, match.start() - 2 * _LONGEST), match.start())
    return question is not None and before(_ASKED_WHEN, text, match.start()) is None


def _is_event(event: str, word: str) -> bool:
    words = event.split()
    lower = [each.lower() for each in words]
    if not words or all(each in _TIMES or each in _SMALL or (each in _TALK and word == "during") for each in lower):
        return False
    if word in ("when", "by the time"):
        return _somebody_did(lower, 4) and not _GROWING_UP & set(lower)
    if lower[0].replace("’", "'").split("'")[0] in _PRONOUNS:
        reason = word == "since" and (lower[0] == "you" or bool(_STATES & set(lower[1:3])))
        return not reason and _somebody_did(lower, 3)
    if lower[0] in _DEFINITE:
        return len(words) > 1 and lower[1] not in _PRONOUNS and not (lower[1] in _TIMES and _ends_there(lower))
    doing = lower[0].endswith("ing") and len(lower[0]) > 4 and lower[0] not in _TIMES and word != "during"
    return doing or (words[0][0].isupper() and words[0].isascii() and words[0][0].isalpha())


def _ends_there(words: list[str]) -> bool:
    """Return whether nothing follows a time's name that makes it another thing: "the day", but "the day trip"."""
    return len(words) == 2 or (words[2] in _SMALL | _PRONOUNS and words[2] != "of")


def _somebody_did(words: list[str], reach: int) -> bool:
    """Return whether a verb in the past follows within a few words."""
    return any(_VERB.fullmatch(word) and word not in ("need", "feed", "speed", "indeed") for word in words[1:reach])


def _chinese(text: str, windows: Sequence[Span]) -> Iterator[tuple[int, Anchor]]:
    for match in _CHINESE.finditer(simplified(text)):
        begin, end = match.span()
        if any(start < end and begin < stop for start, stop in windows):
            continue
        side = match["side"] or match["moment"]
        event = slice(*match.span("event" if match["event"] else "deed"))
        yield begin, Anchor(_SIDES.get(side[-1], "around"), text[begin:end], text[event])
