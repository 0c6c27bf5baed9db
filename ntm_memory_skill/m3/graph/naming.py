"""What a text names: people, organisations, places, works, dates, amounts and addresses. English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from ntm_memory_skill.m3.distillation import told_by
from ntm_memory_skill.m3.graph import chinese
from ntm_memory_skill.m3.graph.rules import rules

STOP = frozenset(
    """
    a about after again ah aha all already also although always am an and any anytime apart are as assistant at aw aww
    awww because been before being besides btw but by bye can cheers congrats congratulations could damn did do dr even
    ever every everyone everything feel for from get glad go gonna got ha had haha has he hello her here hey hi his hmm
    how however i if in into is it its just keep last later let like lol lots many maybe me mine more most mr mrs ms
    much must my nah never no nope not nothing now of off oh ok okay omg on once one only oof oops or our over perhaps
    please plus prof really right she since so some sometimes soon sorry still such take thank thanks that the their
    them then there these they this those though through thx till to today tomorrow tonight tons too true ugh until us
    user was we welcome well were what when whenever where which while who whoa why will wish with without woah woohoo
    would wow ya yay yea yeah yep yes yesterday yet you your yup
    """.split()
)
"""English words that part names where they are capitalised: "Hey Mel" names Mel."""
_ORDINARY = frozenset(
    """
    absolutely amazing animals art autumn awesome believe best big books christmas cool dad day dear dreams easter
    english fair fall family fine friends fun good great guess halloween happy home hope incredible kids life lots love
    lovely lucky mom mother mum music nature neat new nice people perfect remember sir spring start summer super sure
    thanksgiving time tons tv winter wonderful words work year yoga
    """.split()
)
"""English words that are no names where they stand alone."""
_ORDINARY_ENDING = re.compile(r"(?:ing|ly|ed|tion|ment|ness|ful|less|ous)$")
_CALENDAR = re.compile(r"\w{3,6}day$|(?:jan|feb|mar|apr|may|june?$|july?$|aug|sep|oct|nov|dec)(?:[a-z]*r[a-z]*|ust)?$")
_POSSESSIVE = re.compile(r"['’]s$")
_CONTRACTED = ("'m", "'re", "'ve", "'ll", "'d", "'t")
_W = "A-Za-zÀ-ÿ0-9"
PROPER = rf"(?:[A-ZÀ-ÖØ-Þ]\.(?:[A-Z]\.){{0,3}}(?=\s[A-Z])|[A-ZÀ-ÖØ-Þ][{_W}]{{0,40}}(?:['’&-][{_W}]{{1,20}}){{0,3}})"
"""One word of a proper name, or its initials."""
RUN = rf"{PROPER}(?: {PROPER}){{0,5}}"
"""A proper name of one to six words."""
_NAMES = re.compile(rf"(?<![{_W}@#'’_-]){PROPER}(?: (?:(?:of|de|la|del|von|van|der|&) (?:the )?)?{PROPER}){{0,9}}")
KIN = (
    "sister|brother|mother|father|mom|mum|dad|wife|husband|son|daughter|cousin|aunt|uncle|nephew|niece|grandma|grandpa|"
    "grandmother|grandfather|partner|boyfriend|girlfriend|friend|colleague|boss|neighbou?r|roommate|dog|cat|puppy|kitten"
)
"""Alternatives of a regular expression: what "my" people are, and pets."""
_OPENING = re.compile(r"(?:^|(?<!\b[DM]r)(?<!\bMs)(?<!Mrs)(?<!Prof)[.!?:;…\n\"“”(*#>~。！？：，、☀-\U0001faff—–-])\s*$")
_AFTER_A_NAME = re.compile(r",| (?:and I|was|had|says|said|told|loves|likes|lives|works|went|met|got|moved|wants)\b")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_TITLED = r"(?:[A-Z][\w'’:-]*|of|the|and|a|in|to|&)"
_UNIT = r"(?:%|(?:dollars?|euros?|pounds?|km|kg|cm|miles?)\b|[元块岁]|公里|千米|厘米|公斤|千克|万元|美元)"

_ENDINGS = rules(r"""
    organisation   \x20(?:University|College|Inc|Corp|Ltd|Hospital|School|Institute|Bank|Museum|Company|Club)$
    place          \x20(?:City|Street|Road|Avenue|Park|Lake|Mountains?|River|Beach|Island|County|Square|Airport)$
""")
"""Kinds by the end of a name."""
_STANDING = rules(rf"""
    person  (?:\b(?:{KIN})|\b(?:named|called|Mr|Mrs|Ms|Dr|Prof)\.?|[Hh]ey|\bHi|[Tt]hanks,?)[ ]$
    place   \b(?:in|near|(?:moved|trip|flew|travell?ed) to)[ ]$
""")
"""Kinds by what stands before a name."""
_EXACT = rules(rf"""
    url     (?:https?://|www\.)[^\s，。！？、《》<>\"”)]+(?<![.,;:!?])
    email   (?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{{1,64}}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}
    handle  (?<![A-Za-z0-9._@])@[A-Za-z0-9_]{{2,30}}
    work    《[^《》\n]{{1,40}}》|["“](?=[A-Z]){_TITLED}(?: {_TITLED}){{0,7}}[,.]?["”]
    date    \d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|(?:\d{{4}}年)?\d{{1,2}}月\d{{1,2}}[日号]|\d{{4}}年(?:\d{{1,2}}月)?
    date    \b(?:{_MONTH} {_DAY}(?:,? \d{{4}})?|{_DAY}(?: of)? {_MONTH}(?:,? \d{{4}})?|{_MONTH} \d{{4}})\b
    amount  [$€£¥￥]\s?\d[\d,]*(?:\.\d+)?[kKmM]?\b|(?<![A-Za-z0-9.])\d[\d,]*(?:\.\d+)?\s?{_UNIT}
""")
"""Kinds that are known by their form."""


class Entity(NamedTuple):
    """Something that a text names."""

    name: str
    """As the text writes it, without a possessive 's."""
    kind: str
    """person, organisation, place, work, date, amount, url, email, handle; name: of a kind that the text does not tell;
    thing: what a relation leads to without naming it."""


def fold(name: str) -> str:
    """Return a name as it is compared: NFKC, case folded, without a possessive 's, a leading "the" and 《》."""
    folded = unicodedata.normalize("NFKC", name).replace("’", "'").casefold().strip(' 《》"“”,.')
    return " ".join(folded.removesuffix("'s").removeprefix("the ").split())


def entities(text: str) -> tuple[Entity, ...]:
    """Return what a text names, each once, in the order of the text; who speaks in "Ann: ..." comes first."""
    speaker, rest = told_by(text)
    found = [] if speaker is None or fold(speaker) in STOP else [(-1, Entity(speaker, "person"))]
    for kind, pattern in _EXACT:
        found.extend((match.start(), Entity(match[0].strip('《》"“”,.'), kind)) for match in pattern.finditer(rest))
        rest = pattern.sub(lambda match: "\0" * len(match[0]), rest)  # what is found is no part of another name
    for kind, pattern in chinese.NAMES if re.search("[一-鿿]", rest) else ():
        found.extend((match.start("n"), Entity(match["n"], kind)) for match in pattern.finditer(rest))
    if not rest.isupper():
        found.extend((place, entity) for match in _NAMES.finditer(rest) for place, entity in _named(match, rest))
    unique: dict[str, Entity] = {}
    for _, entity in sorted(found, key=lambda each: each[0]):
        unique.setdefault(fold(entity.name), entity)
    unique.pop("", None)
    return tuple(unique.values())


def _named(match: re.Match[str], text: str) -> Iterator[tuple[int, Entity]]:
    """Yield the names in a run of capitalised words: what stands between words that are no names."""
    start = end = match.start()
    for word in [*re.finditer(r"[^ ]+", match[0]), None]:
        if word is not None and not _parts(word[0]):
            end = match.start() + word.end()
            if not _POSSESSIVE.search(word[0]):
                continue
        entity = _entity(text, start, end)
        if entity is not None:
            yield start, entity
        start = end = match.start() + (len(match[0]) if word is None else word.end() + 1)


def _parts(word: str) -> bool:
    plain = word.replace("’", "'").casefold()
    ordinary = plain.partition("'")[0] in STOP or plain.endswith(_CONTRACTED) or _CALENDAR.match(plain) is not None
    return ordinary and word[0].isupper()  # the "of" of a name does not part it


def _entity(text: str, start: int, end: int) -> Entity | None:
    """Return the name that stands at a place, if it is one."""
    written = re.sub(r"^(?:[^A-ZÀ-Þ ]+ )+|(?: [^A-ZÀ-Þ ]+)+$", "", text[start:end])
    name = _POSSESSIVE.sub("", written)
    before, after = text[max(0, start - 40) : start], text[end : end + 20]
    if len(name) < 2 or (name.isupper() and len(name) > 6):  # that would be shouting
        return None
    if " " not in name:
        opening, plain = _OPENING.search(before) is not None, name.casefold()
        alone = written == name and not name.isupper() and _AFTER_A_NAME.match(after) is None
        if plain in _ORDINARY or (opening and (alone or _ORDINARY_ENDING.search(plain))):
            return None
    told = [kind for kind, ending in _ENDINGS if ending.search(name)]
    told += [kind for kind, standing in _STANDING if standing.search(before) and not name.isupper()]
    return Entity(name, told[0] if told else "name")
