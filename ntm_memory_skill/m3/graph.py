"""Who and what the memories speak of, and how that hangs together: a graph derived from their texts, never stored.

Entities and relations are found by rules in English and Chinese: they need no model, and everybody can read why an edge
is there. They miss much, and each edge names its memories. The graph is the union of what its memories say: the order
in which they came does not matter, and one that is removed leaves nothing behind.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ntm_memory_skill.m3.distillation import sentences, told_by

SELF = "I"
"""Subject of what a text says in the first person, where nobody knows who speaks."""
COMMON_SHARE, COMMON_LEAST = 0.05, 20
"""What more than 5 % of the memories speak of, and more than 20 of them, makes no two of them neighbours."""

_STOP, _ORDINARY, _NO_OBJECT, _OBJECT_ENDS = (
    frozenset(words.split())
    for words in """
    a about after again ah aha all already also although always am an and any anytime apart are as assistant at aw aww
    awww because been before being besides btw but by bye can cheers congrats congratulations could damn did do dr even
    ever every everyone everything feel for from get glad go gonna got ha had haha has he hello her here hey hi his hmm
    how however i if in into is it its just keep last later let like lol lots many maybe me mine more most mr mrs ms
    much must my nah never no nope not nothing now of off oh ok okay omg on once one only oof oops or our over perhaps
    please plus prof really right she since so some sometimes soon sorry still such take thank thanks that the their
    them then there these they this those though through thx till to today tomorrow tonight tons too true ugh until us
    user was we welcome well were what when whenever where which while who whoa why will wish with without woah woohoo
    would wow ya yay yea yeah yep yes yesterday yet you your yup
    |
    absolutely amazing animals art autumn awesome believe best big books christmas cool dad day dear dreams easter
    english fair fall family fine friends fun good great guess halloween happy home hope incredible kids life lots love
    lovely lucky mom mother mum music nature neat new nice people perfect remember sir spring start summer super sure
    thanksgiving time tons tv winter wonderful words work year yoga
    |
    all being bit blast chance couple doing each every everyone everything feeling few good great hearing her him his
    how i idea it lot lots me much my not our question seeing that their them these this those time to us we what when
    where you your
    |
    - about after again ago and are as at because before but by coming especially for from he how i if in is it lately
    now on or over recently she since so such that then they this though to today too until very was we where which
    while who with yesterday you – —
    """.split("|")
)
"""English words that part names where they are capitalised ("Hey Mel" names Mel); that are no names where they stand
alone; that a relation does not lead to; before which what it leads to ends."""
_ORDINARY_ENDING = re.compile(r"(?:ing|ly|ed|tion|ment|ness|ful|less|ous)$")
_CALENDAR = re.compile(r"\w{3,6}day$|(?:jan|feb|mar|apr|may|june?$|july?$|aug|sep|oct|nov|dec)(?:[a-z]*r[a-z]*|ust)?$")
_POSSESSIVE = re.compile(r"['’]s$")
_CONTRACTED = ("'m", "'re", "'ve", "'ll", "'d", "'t")
_W = "A-Za-zÀ-ÿ0-9"
_CAP = rf"(?:[A-ZÀ-ÖØ-Þ]\.(?:[A-Z]\.){{0,3}}(?=\s[A-Z])|[A-ZÀ-ÖØ-Þ][{_W}]{{0,40}}(?:['’&-][{_W}]{{1,20}}){{0,3}})"
_RUN = rf"{_CAP}(?: {_CAP}){{0,5}}"
_NAMES = re.compile(rf"(?<![{_W}@#'’_-]){_CAP}(?: (?:(?:of|de|la|del|von|van|der|&) (?:the )?)?{_CAP}){{0,9}}")
_KIN = (
    "sister|brother|mother|father|mom|mum|dad|wife|husband|son|daughter|cousin|aunt|uncle|nephew|niece|grandma|grandpa|"
    "grandmother|grandfather|partner|boyfriend|girlfriend|friend|colleague|boss|neighbou?r|roommate|dog|cat|puppy|kitten"
)
_OPENING = re.compile(r"(?:^|(?<!\b[DM]r)(?<!\bMs)(?<!Mrs)(?<!Prof)[.!?:;…\n\"“”(*#>~。！？：，、☀-\U0001faff—–-])\s*$")
_AFTER_A_NAME = re.compile(r",| (?:and I|was|had|says|said|told|loves|likes|lives|works|went|met|got|moved|wants)\b")

_SMALL = "的是在了说和跟与也都去来到喜有很对给让把被问告想要会能不最还从打叫及或"  # characters that stand between names
_BODY = f"(?:(?![{_SMALL}我你他她它们这那吗呢吧啊呀哦嗯每名住做当过着得没听看])[一-鿿])"
_END = f"(?=[{_SMALL}今昨明就喝吃住]|[^一-鿿]|$)"
_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖文])"
)
_NO_PERSON = (
    "(?!高[兴中考级效度]|黄[色金山]|周[末围一二三四五六日年]|马[上路]|方[便法式面向案]|谢谢|何[时必]|任[何务性]|万[一分]|许多|石头"
    "|文[化章学件艺]|金[钱额融]|江[河湖]|钱包|白[天色领]|康复|易[懂经]|程[度序]|余额|夏[天季]|于是|曾经|毛[病巾]|胡[说萝思])"
)
_PERSON = rf"{_NO_PERSON}{_SURNAME}{_BODY}{{1,2}}{_END}"
_TITLE = "(?:老师|医生|教授|先生|女士|小姐|经理|阿姨|叔叔|律师|师傅)"
_ROLE = (
    "(?:[表堂][妹弟姐哥]|姐姐|妹妹|哥哥|弟弟|妈妈|爸爸|[母父]亲|妻子|老婆|丈夫|老公|儿子|女儿|叔叔|阿姨|舅[舅妈]|婶婶|姑[姑父]|姨妈"
    "|奶奶|爷爷|外婆|外公|同事|朋友|上司|下属|老板|邻居|同学|室友|侄[子女]|外甥女?)"
)
_CITY = (
    "(?:北京|上海|天津|重庆|广州|深圳|杭州|南京|苏州|成都|武汉|西安|长沙|青岛|大连|厦门|昆明|哈尔滨|沈阳|济南|郑州|合肥|福州|宁波|无锡"
    "|珠海|三亚|丽江|桂林|香港|澳门|台北|拉萨|西藏|新疆|云南|四川|广[东西]|浙江|江苏|山东|海南|[河湖][南北]|福建|安徽|江西|[陕山]西)"
)
_HOUSE = "(?:(?:有限)?公司|集团|大学|学院|医院|中学|小学|银行|研究所|研究院|出版社|博物馆|图书馆|美术馆)"
_ANY_HOUSE = "(?:我们|人民|综合|科技|互联网|外贸|贸易|上市|重点|知名|大型|保险|广告|建筑|软件|游戏)"
_SITE = "(?<![超城都夜菜门马道公铁走迷出思线])(?:[市省路](?![场民长级政里上区过钱心])|公园|广场|机场|火车站)"
_ANY_SITE = "[附走迷超城都夜门上逛大思]"
_LEFT = "(?:(?<![一-鿿])|(?<=[在去到从来是的了和跟与叫往回给过]))"
_ONE_OF = "[这那一某每几两哪各本该当同个参]"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_TITLED = r"(?:[A-Z][\w'’:-]*|of|the|and|a|in|to|&)"
_UNIT = r"(?:%|(?:dollars?|euros?|pounds?|km|kg|cm|miles?)\b|[元块岁]|公里|千米|厘米|公斤|千克|万元|美元)"


def _table(rules: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return rules that stand one a line: what is found, two blanks or more, its pattern."""
    return tuple((name, re.compile(pattern)) for name, pattern in re.findall(r"(?m)^ *(\S.*?)  +(.+)$", rules))


_ENDINGS = _table(r"""
    organisation   \x20(?:University|College|Inc|Corp|Ltd|Hospital|School|Institute|Bank|Museum|Company|Club)$
    place          \x20(?:City|Street|Road|Avenue|Park|Lake|Mountains?|River|Beach|Island|County|Square|Airport)$
""")
_STANDING = _table(rf"""
    person  (?:\b(?:{_KIN})|\b(?:named|called|Mr|Mrs|Ms|Dr|Prof)\.?|[Hh]ey|\bHi|[Tt]hanks,?)[ ]$
    place   \b(?:in|near|(?:moved|trip|flew|travell?ed) to)[ ]$
""")
_EXACT = _table(rf"""
    url     (?:https?://|www\.)[^\s，。！？、《》<>\"”)]+(?<![.,;:!?])
    email   (?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{{1,64}}@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}
    handle  (?<![A-Za-z0-9._@])@[A-Za-z0-9_]{{2,30}}
    work    《[^《》\n]{{1,40}}》|["“](?=[A-Z]){_TITLED}(?: {_TITLED}){{0,7}}[,.]?["”]
    date    \d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|(?:\d{{4}}年)?\d{{1,2}}月\d{{1,2}}[日号]|\d{{4}}年(?:\d{{1,2}}月)?
    date    \b(?:{_MONTH} {_DAY}(?:,? \d{{4}})?|{_DAY}(?: of)? {_MONTH}(?:,? \d{{4}})?|{_MONTH} \d{{4}})\b
    amount  [$€£¥￥]\s?\d[\d,]*(?:\.\d+)?[kKmM]?\b|(?<![A-Za-z0-9.])\d[\d,]*(?:\.\d+)?\s?{_UNIT}
""")
_CHINESE = _table(rf"""
    person        (?:名?叫做?|姓名[是为]|我是|{_ROLE}|[和跟与给找让问陪帮、]|^|[，。！？；：\s])(?P<n>{_PERSON})
    person        (?P<n>{_NO_PERSON}(?:[小老]{_SURNAME}{_END}|{_SURNAME}{_BODY}{{0,2}}?{_TITLE}))
    organisation  {_LEFT}(?P<n>(?!{_ONE_OF}|{_ANY_HOUSE}){_BODY}{_BODY}{{1,9}}?{_HOUSE}(?![柜服事业职员卡里]))
    place         (?P<n>{_CITY}[市省]?|{_LEFT}(?!{_ONE_OF}|{_ANY_SITE}|{_CITY}){_BODY}{{2,5}}?{_SITE})
""")
_S = rf"(?<![A-Za-z'’])(?P<s>(?P<me>I|We)|[Mm]y (?:{_KIN})(?: {_CAP})?|{_CAP})"
_A = "(?: (?:really|also|still|now|just|always|absolutely|definitely|recently|currently|totally|have|has))*"
_BE = rf"(?:['’]m|['’]s| am| is){_A}"
_ATTRIBUTE = "[a-z]+(?: [a-z]+){0,2}"
_O = r"(?P<o>[^.,;:!?()\"“”\n…]{1,80})"
_3 = "(?(me)|s)"  # the third person's s
_ENGLISH = _table(rf"""
    works at    {_S}(?:{_A} work{_3}|{_BE} working) (?:at|for) {_O}
    worked at   {_S}{_A} worked (?:at|for) {_O}
    lives in    {_S}(?:{_A} live{_3}|{_BE} living) in {_O}
    moved to    {_S}(?:['’]ve)?{_A} moved to {_O}
    visited     {_S}(?:['’]ve)?{_A} (?:visited|went to|been to) (?:the )?(?P<o>{_RUN})
    is from     {_S}{_BE} from {_O}
    likes       {_S}{_A} (?:like|love|enjoy){_3} {_O}
    dislikes    {_S}{_A} (?:hate|dislike){_3} {_O}
    has         {_S}{_A} (?:(?(me)have|has)|own{_3}|adopted) (?=(?:an?|one|two|three|four|five|\d+) ){_O}
    met         {_S}(?:['’]ve)?{_A} met (?P<o>{_RUN})
    married     {_S}(?:{_A}|{_BE}) married (?:to )?(?P<o>{_RUN})
    -           (?<!\w)(?P<o>{_RUN}) is (?P<s>[Mm]y|{_CAP}['’]s) (?P<p>[a-z]+(?: [a-z]+)?)(?=[^\w\s]|$)
    -           (?<!\w)(?P<s>[Mm]y|{_CAP}['’]s) (?P<p>{_ATTRIBUTE}) (?:is|are) (?P<o>{_RUN}(?: \d+)?|[\d@+][\w@.-]*)
""")
_CS = rf"(?P<s>我们|我的?{_ROLE}|(?<![爱喜])我|(?:(?<=[，。！？；：、\s])|^)(?:{_PERSON}|[A-Z][A-Za-z]+))"
_CO = r"(?P<o>[^，。！？；：、,!?;:\s]{1,40})"
_CI = r"(?P<o>[^，。！？；、\s要想换找做份过了]{1,20}?)"
_CA = "(?:现在|目前|最近|刚刚?|已经|也|就|还|一直|都|很|最|更|特别|非常|真的|比较|超级?|挺|平时|家|正)*"
_CB = rf"(?P<p>(?!{_ROLE}|最近|现在|今天|昨天|平时|好像|确实|总是){_BODY}{{2,6}}?)"
_CHINESE_RELATIONS = _table(rf"""
    works at    {_CS}{_CA}在{_CI}(?:工作|上班|任职|实习)(?![上的量内])
    studies at  {_CS}{_CA}在{_CI}(?:上学|读书|念书|就读)
    lives in    {_CS}{_CA}住在?{_CO}
    moved to    {_CS}{_CA}搬家?[到去]了?{_CO}
    likes       {_CS}{_CA}(?:喜欢|热爱|爱(?![情好心人])){_CO}
    dislikes    {_CS}{_CA}(?:不喜欢|讨厌){_CO}
    named       {_CS}(?:的?名字)?(?:名?叫做?|姓名是)(?P<o>{_PERSON}|[A-Z][A-Za-z]+)
    has         {_CS}{_CA}(?:养|有)了?(?P<o>[一两二三四五六七八九十\d]+[个只条位辆套台把匹头]\w{{1,12}})
    is          {_CS}是(?:一?[个位名])(?![你我他她])(?P<o>[^，。！？；、的\s]{{2,8}})(?=[，。！？；\s]|$)
    职业        {_CS}是?[做当](?P<o>[^，。！？；、\s]{{2,8}}?)的(?=[，。！？；\s]|$)
    -           (?P<o>{_PERSON})是(?P<s>我|{_PERSON})的(?P<p>{_BODY}{{1,6}})(?=[，。！？；\s]|$)
    -           (?P<s>我的?{_ROLE}|我(?=的)|(?<![一-鿿]){_PERSON})的?{_CB}(?:[是为]|有(?=\d)){_CO}
""")

_LINKS = frozenset("to in with for from on about at".split())
_SUPPOSED = re.compile(r"\b(?:if|wish|whether|unless|when|hope|once)(?: \w+)? $|(?:如果|要是|希望)$", re.IGNORECASE)


class Entity(NamedTuple):
    """Something that a text names."""

    name: str
    """As the text writes it, without a possessive 's."""
    kind: str
    """person, organisation, place, work, date, amount, url, email, handle; name: the text does not tell whose; thing:
    what a relation leads to without naming it."""


class Relation(NamedTuple):
    """What a text says of something."""

    subject: str
    predicate: str
    """In English for what both languages share ("works at"); an attribute in the text's own words (birthday, 生日)."""
    object: str


def fold(name: str) -> str:
    """Return a name as it is compared: NFKC, case folded, without a possessive 's, a leading "the" and 《》."""
    folded = unicodedata.normalize("NFKC", name).replace("’", "'").casefold().strip(' 《》"“”,.')
    return " ".join(folded.removesuffix("'s").removeprefix("the ").split())


def entities(text: str) -> tuple[Entity, ...]:
    """Return what a text names, each once, in the order of the text; who speaks in "Ann: ..." comes first."""
    speaker, rest = told_by(text)
    found = [] if speaker is None or fold(speaker) in _STOP else [(-1, Entity(speaker, "person"))]
    for kind, pattern in _EXACT:
        found.extend((match.start(), Entity(match[0].strip('《》"“”,.'), kind)) for match in pattern.finditer(rest))
        rest = pattern.sub(lambda match: "\0" * len(match[0]), rest)  # what is found is no part of another name
    for kind, pattern in _CHINESE if re.search("[一-鿿]", rest) else ():
        found.extend((match.start("n"), Entity(match["n"], kind)) for match in pattern.finditer(rest))
    if not rest.isupper():
        found.extend((place, entity) for match in _NAMES.finditer(rest) for place, entity in _named(match, rest))
    unique: dict[str, Entity] = {}
    for _, entity in sorted(found, key=lambda each: each[0]):
        unique.setdefault(fold(entity.name), entity)
    unique.pop("", None)
    return tuple(unique.values())


def relations(text: str, subject_hint: str | None = None) -> tuple[Relation, ...]:
    """Return what a text says of whom, each once, in no order that means anything. Questions say nothing.

    Args:
        text: English or Chinese, perhaps as "Ann: ...", who is then the first person.
        subject_hint: Who speaks, where the text does not tell. Without either the first person is `SELF`.
    """
    speaker, rest = told_by(text)
    me = speaker if speaker not in (None, "user") else subject_hint or SELF
    found: dict[Relation, None] = {}
    for sentence in sentences(rest):
        if sentence.endswith(("?", "？", "吗。", "吗")):
            continue
        for predicate, pattern in _CHINESE_RELATIONS if re.search("[一-鿿]", sentence) else _ENGLISH:
            for match in pattern.finditer(sentence):
                if not _SUPPOSED.search(sentence[: match.start("s")]):
                    found.update(dict.fromkeys(_read(match, predicate, me)))
    return tuple(found)


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
    ordinary = plain.partition("'")[0] in _STOP or plain.endswith(_CONTRACTED) or _CALENDAR.match(plain) is not None
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


def _read(match: re.Match[str], predicate: str, me: str) -> Iterator[Relation]:
    """Yield the relation of a match, if what it leads to is anything, and who "my sister Anna" is."""
    target, (subject, kin) = _object(match["o"]), _subject(match["s"], me)
    if fold(target) not in ("", fold(subject)) and fold(subject) not in _STOP - {"i", "assistant"} | {""}:
        yield Relation(subject, match["p"] if predicate == "-" else predicate, target)
        if kin is not None:
            yield Relation(me, kin, subject)


def _subject(words: str, me: str) -> tuple[str, str | None]:
    """Return who a subject is, and what kin of `me` where it says both ("my sister Anna")."""
    if words in ("I", "We", "My", "my", "我", "我们"):
        return me, None
    if words[0] == "我":
        return f"{'我' if me == SELF else me}的{words[1:].removeprefix('的')}", None
    if words[:3].casefold() == "my ":
        kin, _, name = words[3:].partition(" ")
        return (name, kin) if name else (f"my {kin}" if me == SELF else f"{me}'s {kin}", None)
    return re.sub(r"['’]s$", "", words), None


def _object(words: str) -> str:
    """Return what a relation leads to, cut where the sentence goes on; empty where that is nothing in particular."""
    if re.search("[一-鿿]", words):
        kept = re.sub(r"[的呢哦啊了呀啦吧哈]+$", "", words.removeprefix("在"))
        return "" if re.match(r"[的你他她它这那什谁怎多哪]|一[起下直样]|自己|一[个些]小?(?:问题|想法)", kept) else kept
    said = re.sub(r"^(?:(?:an?|the|my|his|her|our|their|some) )+", "", words.strip()).split()
    ends = _OBJECT_ENDS - _LINKS if said and said[0].endswith("ing") else _OBJECT_ENDS  # "talking to Ann"
    end = next((place for place, word in enumerate(said) if place and word.casefold() in ends), len(said))
    return "" if not 0 < end <= 6 or said[0].casefold() in _NO_OBJECT | _OBJECT_ENDS else " ".join(said[:end])


class KnowledgeGraph:
    """Entities and relations of the memories that are in it, each with where it comes from."""

    def __init__(self) -> None:
        self._named: dict[str, dict[str, Entity]] = {}  # memory -> what it speaks of, folded
        self._said: dict[str, set[Relation]] = {}  # memory -> relations, folded
        self._speaking: dict[str, set[str]] = {}  # entity -> memories
        self._sources: dict[Relation, set[str]] = {}
        self._edges: dict[str, set[Relation]] = {}  # entity -> relations that begin or end there

    def add(self, memory: str, text: str, speaker: str | None = None) -> None:
        """Take in a memory, in the place of what stood under its id."""
        self.remove(memory)
        named, told = {fold(entity.name): entity for entity in entities(text)}, relations(text, speaker)
        for end in (end for relation in told for end in (relation.subject, relation.object) if end != SELF):
            named.setdefault(fold(end), Entity(end, "thing"))
        self._named[memory], self._said[memory] = named, {_folded(relation) for relation in told}
        for name in named:
            self._speaking.setdefault(name, set()).add(memory)
        for edge in self._said[memory]:
            self._sources.setdefault(edge, set()).add(memory)
            for end in (edge.subject, edge.object):
                self._edges.setdefault(end, set()).add(edge)

    def remove(self, memory: str) -> None:
        """Take out a memory, and what no other tells of; one that is not there is ignored."""
        for name in self._named.pop(memory, {}):
            _drop(self._speaking, name, memory)
        for edge in self._said.pop(memory, ()):
            _drop(self._sources, edge, memory)
            if edge not in self._sources:
                for end in {edge.subject, edge.object}:
                    _drop(self._edges, end, edge)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many memories, entities and relations there are."""
        return len(self._named), len(self._speaking), len(self._sources)

    def entities(self) -> tuple[Entity, ...]:
        """Return all entities, in the order of their folded names, each as it is written and classed most often."""
        return tuple(self._shown(name) for name in sorted(self._speaking))

    def edges_of(self, entity: str | None = None) -> tuple[Relation, ...]:
        """Return the relations that begin or end at an entity, its name in any form, or all of them; in order."""
        return self._written(self._sources if entity is None else self._edges.get(fold(entity), ()))

    def sources(self, edge: Relation) -> tuple[str, ...]:
        """Return the ids of the memories that tell of a relation, ascending; none for one that nobody tells of."""
        return tuple(sorted(self._sources.get(_folded(edge), ())))

    def memories_of(self, entity: str) -> tuple[str, ...]:
        """Return the ids of the memories that speak of an entity, ascending; its name in any form."""
        return tuple(sorted(self._speaking.get(fold(entity), ())))

    def neighbours(self, memory: str) -> dict[str, float]:
        """Return the memories that speak of something that this one speaks of as well, with a weight, greatest first.

        The weight is Σ ln(N / n) / ln N over what both speak of, N memories in all, n of them speaking of it: 0 and up,
        each shared entity at most 1. Amounts count for nothing, nor does what is common (`COMMON_SHARE`).
        """
        weights: dict[str, list[float]] = {}
        total = len(self._named)
        for name, entity in self._named.get(memory, {}).items():
            speaking = self._speaking[name]
            if entity.kind != "amount" and 1 < len(speaking) <= max(COMMON_SHARE * total, COMMON_LEAST):
                for other in speaking - {memory}:
                    weights.setdefault(other, []).append(math.log(total / len(speaking)) / math.log(total))
        sums = {other: math.fsum(each) for other, each in weights.items()}
        return dict(sorted(((o, w) for o, w in sums.items() if w > 0), key=lambda item: (-item[1], item[0])))

    def _shown(self, name: str) -> Entity:
        forms = [self._named[memory][name] for memory in self._speaking[name]]
        kinds = [form.kind for form in forms if form.kind not in ("name", "thing")] or [form.kind for form in forms]
        return Entity(_most(form.name for form in forms), _most(kinds))

    def _written(self, edges: Iterable[Relation]) -> tuple[Relation, ...]:
        names = {end for edge in edges for end in (edge.subject, edge.object)}
        shown = {name: SELF if name == fold(SELF) else self._shown(name).name for name in names}
        return tuple(Relation(shown[e.subject], e.predicate, shown[e.object]) for e in sorted(edges))


def _folded(relation: Relation) -> Relation:
    return Relation(fold(relation.subject), relation.predicate.casefold(), fold(relation.object))


def _drop(sets: dict[Any, set[Any]], key: Any, value: Any) -> None:
    sets[key].discard(value)
    if not sets[key]:
        del sets[key]


def _most(forms: Iterable[str]) -> str:
    """Return what is there most often; of equals the first by its characters."""
    return min(Counter(forms).items(), key=lambda item: (-item[1], item[0]))[0]
