"""Whether somebody tells something new, or says in other words what they were just told.

The law: a statement is new if it holds anything distinctive that the other does not, or lacks what the other has: a
name, a number, any word or character that is not among the commonest, a "not", a "no more". And it is new if both are
of different people, or of different matters: where somebody lives and where they work. "Ana is at home in Lisbon" tells
nothing new beside "Ana is living in Lisbon"; "Ana is living in Oslo" does, and "Ana works in Lisbon".

It is meant for what is kept without being asked for: where in doubt, a statement counts as new.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ntm_memory_skill.m3.sameness import bare

COMMON = frozenset(
    """
    a about above actually after again ago all along already also always am an and another any anybody anyone anything
    anyway are around as ask asked at away back bad be because become been before began being believe best better
    between big both bring but buy by call called came can car celebrate celebrates change come comes could course day
    days did do does doing done down drive drives driving during each early earn earns else end enjoy enough even ever
    every everyone everything exactly family far feel few find first for found friend from full further gave get gets
    getting give given go goes going gone good got great had happen has have having he hear hello help her here hers hi
    him his home hope house how i idea if in indeed into is it its job just keep keeps kept kind knew know known knows
    last late later least leave left less let life like likes list little live lived lives living long look lot love
    loves made make makes making man many may maybe me mean means meet met might mind mine moment month more most much
    must my name named need needs new next nice now of off often oh ok okay old on once one only or other our ours out
    over own past people person place please point profession put quite ran really reside resides remember reminded
    right said same saw say saying says see seen set she should since so some somebody someone something soon spoken
    started stay stays still stuff such sure take takes talk tell tells than thank thanks that the their theirs them
    then there these they thing things think this those though thought time to today together told tomorrow too took
    trade true try turn two under until up upon us use used uses using usually very want wanted wants was way we week
    well went were what when where which while who whole whom whose why will with within work worked working works
    would year years yep yes yesterday yet you your yours yeah birthday birth born
    aunt boss boyfriend brother child children colleague cousin dad daughter father flatmate friends girlfriend grandma
    grandmother grandpa grandfather husband kid kids mom mother mum neighbor neighbour parents partner roommate sister
    son uncle wife
    """.split()
)
"""English words that say little by themselves; what they are put together with tells statements apart."""
COMMON_CHARACTERS = frozenset(
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还"
    "发成事只作当想看文开手用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回它点月其种"
    "住职业做工叫名字喜欢爱每次跟别忘记给像吧呢啊哦嗯呀嘛吗您请谢碰刚才话句诉告真错确久候旧刻曾常"
    "爸妈父母哥姐弟妹叔舅姨姑爷奶儿女友邻居室房东表堂亲戚教练"
)
"""Chinese characters that say little by themselves, numerals excepted."""
_NUMERALS = frozenset("一二两三四五六七八九十百千万")
_PART = re.compile(r"[一二两三四五六七八九十百千万]+月?|[0-9]+月?|[^\W\d_\u3400-\u9fff]+|[^\W_]")
"""A number, of which a month is told by its name; a foreign word; or a character."""
_NOT = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|without|isn't|aren't|wasn't|don't|doesn't|didn't|won't|can't|cannot|hasn't|haven't)\b"
    r"|不|没|别(?!忘)|未|无",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\b(?:left|leave|leaves|leaving|used\ to|former|formerly|once|no\ longer|gave|ended)\b"
    r"|\b(?:last\ (?:year|month|week)|years?\ ago)\b"
    r"|以前(?!.{0,2}[说讲告])|曾|离开|搬走|去年|不再|前(?:年|妻|夫|任)",
    re.IGNORECASE,
)
_MATTERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:live|lives|lived|living|reside|resides|stay|stays|home|house)\b|住|的家",
        r"\b(?:work|works|worked|working|job|profession|trade|earns?|living)\b|工作|职业|上班|在做|做[^过]",
        r"\b(?:born|birth|birthday|birthdays)\b|生日|出生",
        r"\b(?:drive|drives|drove|driving|car)\b|开车|的车",
        r"\b(?:like|likes|liked|love|loves|loved|enjoys?)\b|喜欢|爱(?!人)",
        r"\b(?:wants?|wanted|needs?|needed)\b|想|需要|要(?!是)",
        r"\b(?:has|have|had|got|owns?)\b(?!\ (?:a\ birthday|to\b))|(?<!没)有",
        r"\b(?:bought|buys?)\b|买",
    )
)
"""What statements are made of, each matter with its usual words."""
_PERSON = re.compile(
    r"\b(?:aunt|boss|boyfriend|brother|child|children|colleague|cousin|dad|daughter|father|flatmate|friends?|girlfriend|grandma"
    r"|grandmother|grandpa|grandfather|husband|kids?|mom|mother|mum|neighbou?r|parents|partner|roommate|sister|son|uncle|wife)\b"
    r"|[爸妈父母哥姐弟妹叔舅姨姑爷奶婆]|儿子|女儿|朋友|邻居|室友|房东|教练|同事|同学|妻子|丈夫|老[婆公板]",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\b(?:i|i'm|me|we)\b|我", re.IGNORECASE)
_ASIDE = re.compile(r"\b(?:do not|don't|never) forget\b|不要忘|别忘|是不是|不错|没错|不能碰", re.IGNORECASE)
_EPITHET = re.compile(r"\b(?i:my|our|your|his|her|their)\s+[\w'’-]+\s+(?=[A-Z])")
_WORD = re.compile(r"[\w'’-]+")


def adds_nothing(statement: str, known: str) -> bool:
    """Return whether a statement says, in its own words, what is known: all that is distinctive in one is in both."""
    told = distinctive(statement)
    if not told or told != distinctive(known):
        return False
    if _denies(statement) != _denies(known) or _is_over(statement) != _is_over(known):
        return False
    return not any(_differ(of(statement), of(known)) for of in (_matters, _people))


def restates(statement: str, known: Iterable[str]) -> bool:
    """Return whether a statement adds nothing to one of several texts."""
    return any(adds_nothing(statement, each) for each in known)


def distinctive(text: str) -> frozenset[str]:
    """Return the words and characters of a text that are not among the commonest; numbers are.

    "My dentist Ana" is Ana: what somebody is to the speaker, said before a name, says who is meant.
    """
    found: set[str] = set()
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    for run in _WORD.findall(bare(_EPITHET.sub("", plain))):
        if any("\u3400" <= char <= "\u9fff" for char in run):
            found.update(part for part in _PART.findall(run) if part not in COMMON_CHARACTERS or part in _NUMERALS)
        elif run not in COMMON and (len(run) > 1 or run.isdigit()):  # a letter alone is what an apostrophe left
            found.add(run)
    return frozenset(found)


def _denies(text: str) -> bool:
    return _NOT.search(_ASIDE.sub(" ", text)) is not None


def _is_over(text: str) -> bool:
    return _OVER.search(_plain(text)) is not None


def _differ(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether both are known, and have nothing in common."""
    return bool(one) and bool(other) and one.isdisjoint(other)


def _matters(text: str) -> frozenset[str]:
    plain = _plain(text)
    return frozenset(matter.pattern for matter in _MATTERS if matter.search(plain))


def _people(text: str) -> frozenset[str]:
    """Return of whom, besides those who have a name, a text speaks: of the speaker only where of nobody else."""
    plain = _EPITHET.sub("", _plain(text))
    found = frozenset(person.casefold() for person in _PERSON.findall(plain))
    return found or frozenset({"I"} if _SPEAKER.search(plain) else ())


def _plain(text: str) -> str:
    return _ASIDE.sub(" ", unicodedata.normalize("NFKC", text).replace("’", "'"))
