"""What a Chinese text claims to be so from then on: sentences, clauses, and what is said of persons.

As in `english`: rules that read a clause from its beginning to its end. A comma ends a clause; a clause without a
subject goes on with the last one. Simplified characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from ntm_memory_skill.m3.succession.chinese_predicates import predicate_claims
from ntm_memory_skill.m3.succession.chinese_things import Said, is_name, thing_claims
from ntm_memory_skill.m3.succession.moments import chinese_number
from ntm_memory_skill.m3.succession.values import (
    ADDRESS,
    AGE,
    CAR,
    DIET,
    EMPLOYER,
    HOME,
    JOB,
    MAJOR,
    PARTNER,
    PLAN,
    SCHOOL,
    SHARED,
    STATUS,
    Change,
    Claim,
    change_if,
)
from ntm_memory_skill.m3.succession.wording import CHINESE

_SENTENCE = re.compile(r"(?<=[。!?;])\s*|\n+")
_CLAUSE = re.compile(r",\s*|、|:(?!\d)\s*|——|…+|\s-\s")
_QUESTION = re.compile(
    r"\?\s*$|[吗呢吧]\s*[。!]?\s*$|是不是|要不要|有没有|能不能|会不会|是否|^(?:什么|哪|谁|怎么|为什么|多少|几)"
)
_UNREAL = re.compile(
    r"如果|要是|假如|假设|的话|万一|可能|也许|或许|说不定|大概会|恐怕|打算|计划(?!是|书)|考虑|准备|希望|但愿|(?<![联理思感猜设])想(?!念|起|法)|"
    r"梦见|幻想|觉得|认为|以为|应该|听说|据说|告诉|说(?!明|法)|传闻|好像|似乎|差点|几乎|本来|要(?=搬|换|去|辞|改|结|买|卖)|"
    r"(?:^|[我他她们都就])会(?=搬|换|辞|住|改)|没有?(?=搬|换|改|卖|辞|结)|不会|将来|建议|要求|提议|问|猜|或者|还没|尚未|(?:如|倘)若|除非"
)
_PAST = re.compile(r"以前|之前|曾经?(?!国)|过去|小时候|当时|那时|年前|原来|原先|从前|本来")
_NOW = re.compile(r"现在|目前|如今|已经|从今|今后|以后|了$|改|换|新|不再")
_ASIDE = re.compile(
    r"现在|目前|如今|已经|已(?=[搬换改升取辞离转更调订结分])|刚刚|刚(?=[搬换改升离入从])|最近|终于|正式|(?:上个?|这个?|本)[月周]末?(?![一二三四五六日天])|"
    r"因为?\S{1,6}?(?=搬[到去])|去年|昨天|前天|从今(?:天|以)[起后]|"
    r"(?:\d{1,2}|[一二三四五六七八九十]+)月份?(?=[搬换跳升离辞])|"
    r"从(?:下|这个?|本)[周月]起|其实|真的|顺便说一下|对了|请?记住|报告一下|更新一下|因为?搬家|那个"
)
_BESIDE = re.compile(r"也|还有|另外|第二|另一|又[有买]|暂时|临时")
_CHANGED_SOMEHOW = re.compile(r"(?P<n>.{1,12}?)(?:改|换|变|调整|更新|更换)了?")
"""A clause that says of something that it changed, and leaves to the next what it is now."""
_YEAR = re.compile(r"((?:19|20)\d{2})年")
_KIN = (
    r"(?:妈妈|爸爸|母亲|父亲|哥哥|弟弟|姐姐|妹妹|儿子|女儿|老婆|妻子|老公|丈夫|女朋友|男朋友|爷爷|奶奶|外公|外婆|姥姥|姥爷|叔叔|阿姨|"
    r"舅舅|表哥|表姐|表弟|表妹|堂哥|堂姐|堂弟|堂妹|侄子|侄女|外甥女?|孙子|孙女|岳父|岳母|婆婆|公公|"
    r"嫂子|姐夫|妹夫|老板|经理|室友|孩子|爸妈|父母|[爸妈哥姐弟妹])"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖"
    "贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严赖覃洪武戴莫孔向汤安鲍"
)
_VERBAL = (
    r"(?=[住在搬是从叫今跳辞离退和跟有开用喜爱讨不喝吃抽戒养把打学加入升转满上读对嫁娶工去毕会单结订恢定卖坐每\d])"
)
_SUBJECT = re.compile(
    rf"(?P<kin>(?:我们?|用户)?(?:的|家)?(?P<rel>{_KIN}){_VERBAL})|(?P<i>我们?|咱们?|本人)|(?P<user>用户)|(?P<they>[他她](?!们))"
    rf"|(?P<nobody>你|您|它|他们|她们|大家|有人|朋友|同事|同学|邻居|(?:我们?|用户)的?(?:朋友|同事|同学|邻居))|"
    rf"(?P<name>(?:(?P<twice>[{CHINESE}])(?P=twice)|[小老阿][{CHINESE}]|"
    rf"[{_SURNAMES}][{CHINESE}]{{1,2}}?|[A-Z][a-z]+)(?:的(?P<rel2>{_KIN}))?{_VERBAL})"
)
_FIRM = re.compile(
    r"^(?:家|公司|这里?|那里?|哪里?|外面|酒店|宾馆|旅馆|民宿|医院|朋友家|一起|学校|办公室|楼上|楼下|原来.*|同一.*|.*[时间]候|.*的地方|机场|附近)$"
)
_OCCUPATION = re.compile(
    r"(?!.*[成会党团队球]员)(?:一?[名位个])?.{0,8}(?:师|老师|医生|大夫|护士|[^人]员|程序员|经理|总监|主管|律师|记者|司机|警察|学生|教授|"
    r"会计|作家|画家|演员|老板|农民|顾问|秘书|助理|编辑|翻译|总裁|店长|组长|博士后|研究生|实习生|摄影师|理发师|按摩师|药剂师|分析师|架构师|测试|"
    r"产品经理|运营|客服|保安|木匠|电工|水管工|军人|消防员|公务员|科学家|经济学家|自由职业者)"
)
_BRANDS = (
    r"(?:本田|丰田|大众|特斯拉|宝马|奔驰|奥迪|福特|比亚迪|沃尔沃|日产|现代|别克|雪佛兰|马自达|吉普|保时捷|蔚来|理想|小鹏|吉利|哈弗|五菱|"
    r"雷克萨斯|起亚|斯巴鲁|路虎|捷豹|奇瑞|长安|红旗|问界|[A-Za-z][\w -]{2,14})\S{0,4}"
)


def _is_place(value: str) -> bool:
    return (
        1 < len(value) <= 14
        and not _FIRM.match(value)
        and not re.search(
            r"[楼房]$|间$|台$|厅$|坐|排$|的$|的(?:房|家|地方|宿舍|公寓|楼)|了|过|[贵便]|^(?:[的这着得不很]|那[儿里边个]|起来)",
            value,
        )
    )


def _is_firm(value: str) -> bool:
    return 1 < len(value) <= 14 and not _FIRM.match(value) and not re.search(r"[一二三四五六日天\d]$|的$", value)


def _is_occupation(value: str) -> bool:
    return _OCCUPATION.fullmatch(value) is not None


def _is_person(value: str) -> bool:
    return is_name(value)


def _short(value: str) -> bool:
    return 0 < len(value) <= 12


class _Rule(NamedTuple):
    pattern: str
    """It is compiled when it is first needed."""
    attributes: tuple[str, ...]
    change: Change
    value: str | None = None
    accepts: Callable[[str], bool] = _short
    sole: bool = True


def _rule(
    pattern: str,
    attributes: str,
    change: Change,
    value: str | None = None,
    accepts: Callable[[str], bool] = _short,
    *,
    sole: bool = True,
) -> _Rule:
    return _Rule(pattern, tuple(attributes.split("|")), change, value, accepts, sole)


_WORK = f"{EMPLOYER}|{JOB}|job"
_MATE = r"(?:女朋友|男朋友|女友|男友|老婆|妻子|老公|丈夫|对象|未婚妻|未婚夫|伴侣|太太|先生)"
_RULES = (
    _rule(r"(?:家)?(?:住在?|家在|定居在?|定居于)(?P<v>.+)", HOME, "state", None, _is_place),
    _rule(
        r"家?(?:从.+?)?(?:搬家?|迁居|移居|迁)(?:到|去|至|回|来|进)了?(?P<v>.+?)(?:居住|定居|生活|去住|住|去)?",
        HOME,
        "change",
        None,
        _is_place,
    ),
    _rule(
        r"(?:在|就职于|任职于|供职于)(?P<v>.+?)(?:工作|上班|就职|任职|做事|实习)?(?<=[作班职事习])",
        EMPLOYER,
        "state",
        None,
        _is_firm,
    ),
    _rule(r"在(?P<v>.+?)(?:租房住?|定居|生活|居住)", HOME, "state", None, _is_place),
    _rule(rf"是(?P<v>.+?(?:公司|集团|科技|银行|医院|大学|中学|小学))的?{_OCCUPATION.pattern}", EMPLOYER, "state"),
    _rule(r"离开了?(?P<v>.+?(?:公司|集团|科技|银行|医院))", EMPLOYER, "end"),
    _rule(r"(?:就职于|任职于|供职于)(?P<v>.+)", EMPLOYER, "state", None, _is_firm),
    _rule(
        r"(?:从.+?)?(?:跳槽到?去?|入职|换工作去|换到)了?(?P<v>.+?)(?:工作|上班)?", EMPLOYER, "change", None, _is_firm
    ),
    _rule(
        r"加入了?(?P<v>.+?(?:公司|集团|科技|银行|医院|学校|大学|工作室|研究[所院])|[A-Za-z]{2,})", EMPLOYER, "change"
    ),
    _rule(r"(?:离开.+?)?去了?(?P<v>.+?)(?:工作|上班)", EMPLOYER, "change", None, _is_firm),
    _rule(r"(?:调|转|换)(?:到|去|入|岗到)了?(?P<v>.+?[部组科处])", EMPLOYER, "change", None, _is_firm),
    _rule(r"(?:改|换)?(?:上|成)(?P<v>[白夜早中晚大]班)", "shift", "state"),
    _rule(
        r"(?:上|读|升)(?:到|入|了)*(?P<v>幼儿园|小学|初中|高中|大学|[一二三四五六七八九\d][年级]+|[初高大][一二三四])",
        "grade",
        "state",
    ),
    _rule(r"(?:从|离开|不在)(?P<v>.+?)(?:离职|辞职|退休|工作|上班)?(?:<=[职休作班])", EMPLOYER, "end", None, _is_firm),
    _rule(r"从(?P<v>.+?)(?:离职|辞职|退休)", EMPLOYER, "end", None, _is_firm),
    _rule(r"不在(?P<v>.+?)(?:工作|上班)", EMPLOYER, "end", None, _is_firm),
    _rule(
        r"(?:辞职|离职|退休|失业|下岗|辞掉工作|辞去工作|把工作辞|丢了工作|被裁员?|被解雇|被开除|被炒)", _WORK, "end", ""
    ),
    _rule(r"(?:失业|退休|待业|没有工作)", _WORK, "change", "无业"),
    _rule(r"是(?P<v>.+)", JOB, "state", None, _is_occupation, sole=False),
    _rule(r"(?:做|当|担任)(?P<v>.+)", JOB, "state", None, _is_occupation, sole=False),
    _rule(
        r"(?:升职?|晋升|升任|提拔|转行|转岗|转型|改行|成)(?:为|成|做|当|到|了)?(?P<v>.+)",
        JOB,
        "change",
        None,
        _is_occupation,
    ),
    _rule(r"(?:当上|成为|做了|当了)(?P<v>.+)", JOB, "change", None, _is_occupation),
    _rule(rf"(?:的)?{_MATE}(?:是|叫|换成)(?P<v>.+)", PARTNER, "state", None, _is_person),
    _rule(r"(?:正?在)?[和跟与](?P<v>.+?)(?:结婚|订婚|在一起|谈恋爱|恋爱|交往)", PARTNER, "change", None, _is_person),
    _rule(r"[和跟与](?P<v>.+?)(?:分手|离婚|分开)", PARTNER, "end", None, _is_person),
    _rule(r"(?:分手|离婚|单身|恢复单身)", PARTNER, "end", ""),
    _rule(r"(?:是|恢复)?(?P<v>单身|离异|未婚|已婚)", STATUS, "state"),
    _rule(r"(?:[和跟与].+?)?(?P<v>结婚|订婚|离婚|分手)", STATUS, "change"),
    _rule(r"[嫁娶](?:给)?了?(?P<v>.+)", PARTNER, "change", None, _is_person),
    _rule(r"正?在?谈恋爱", STATUS, "change", "恋爱"),
    _rule(rf"有(?:了)?(?P<v>{_MATE})", STATUS, "state"),
    _rule(r"(?:今年|满|都)*(?P<v>\d{1,3}|[一二三四五六七八九十]{1,3})(?:周?岁)", AGE, "state"),
    _rule(rf"开(?:的是|着)?(?:一?辆)?(?P<v>{_BRANDS})", CAR, "state"),
    _rule(rf"(?:的)?车(?:是|换成)(?:一?辆)?(?P<v>{_BRANDS})", CAR, "state"),
    _rule(rf"(?:新)?(?:买|换|提)(?:成)?了?(?:一?辆)(?P<v>{_BRANDS})", CAR, "change", sole=False),
    _rule(r"(?:把(?:我的)?(?P<v>车子?)卖掉?|卖掉?了?(?:我的)?车子?)", CAR, "end", ""),
    _rule(rf"把(?:我的)?(?P<v>{_BRANDS}?)卖掉?|卖掉?了?(?:我的)?(?P<v2>{_BRANDS})", CAR, "end"),
    _rule(r"在(?P<v>.+?)(?:上学|读书|念书|就读|上课)", SCHOOL, "state", None, _is_firm),
    _rule(
        r"(?:转学|转|升入|考入|考上)(?:到|去|了)?(?P<v>.+?(?:学校|小学|中学|大学|学院|高中|初中|幼儿园))",
        SCHOOL,
        "change",
    ),
    _rule(r"(?:的)?专业(?:是|换成|改成)(?P<v>.+)", MAJOR, "state"),
    _rule(r"(?:转|换)(?:到|成)?(?P<v>.+?)专业", MAJOR, "change"),
    _rule(r"[学读]的?是?(?P<v>.+?)专业", MAJOR, "state"),
    _rule(r"用的?是?(?P<v>.+?)套餐", PLAN, "state"),
    _rule(r"(?:升级|降级|换)(?:到|为|成)了?(?P<v>.+?)套餐", PLAN, "change"),
    _rule(r"(?:是|开始|改)?(?P<v>吃素|素食者?|素食主义者|纯素|生酮饮食|低碳饮食|地中海饮食)", DIET, "state"),
)


def chinese_claims(text: str, speaker: str) -> Iterator[Claim]:
    """Yield what a Chinese text claims.

    Args:
        text: Folded (see `wording.folded`), without the speaker's name.
        speaker: Whom 我 means.
    """
    subject: str | None = speaker
    them: str | None = None
    for sentence in _SENTENCE.split(text):
        if not sentence or _QUESTION.search(sentence):
            continue
        topic = ""
        sentence_speaks_now = re.search("现在|目前|如今|从今|不再", sentence) is not None
        for piece in _CLAUSE.split(sentence.strip("。!; ")):
            if _UNREAL.search(piece):
                break
            if not piece or _PAST.search(piece):
                continue
            year = _YEAR.search(piece)
            plain = _ASIDE.sub("", piece).strip(" 。!;~")
            if topic and re.match("[是在改叫换]", plain):
                plain = topic + plain
            changed = _CHANGED_SOMEHOW.fullmatch(plain)
            topic = changed["n"] if changed else ""
            now = sentence_speaks_now or _NOW.search(piece) is not None
            said = Said(re.sub(r"[了啦呀哦啊]+$", "", plain), speaker, now, _BESIDE.search(piece) is None)
            person = _SUBJECT.match(said.body)
            if person:
                subject = _whose(person, speaker, them)
                them = subject if person["kin"] or person["name"] else them
            for claim in _read(said, person, subject, piece):
                yield claim if year is None else replace(claim, year=int(year[1]))


def _read(said: Said, person: re.Match[str] | None, subject: str | None, piece: str) -> list[Claim]:
    found: list[Claim] = []
    if subject is not None and not said.body.startswith("的"):
        body = said.body[person.end() :] if person else said.body
        body = re.sub(
            rf"^(?:都|就|是在(?=.+[作班]$)|一家|[和跟与](?:我的?)?{_KIN}(?:一起)?(?=住|搬|在)|[和跟与].{{1,8}}?(?=一起住|住在(?!一起)|搬到|合租))",
            "",
            body,
        )
        found = _facts(body, subject, said) + predicate_claims(
            body, subject, now=said.now, ended=piece.rstrip("。!").endswith("了")
        )
    return [*found, *thing_claims(said, subject)]


@cache
def _any_rule() -> re.Pattern[str]:
    """Return the pattern of what at least one of the rules reads: most clauses are read by none."""
    return re.compile("|".join(re.sub(r"\(\?P<v2?>", "(?:", f"(?:{rule.pattern})") for rule in _RULES))


_compiled = cache(re.compile)


def _facts(body: str, subject: str, said: Said) -> list[Claim]:
    found = []
    body = _YEAR.sub("", body)
    for rule in _RULES if _any_rule().fullmatch(body) else ():
        match = _compiled(rule.pattern).fullmatch(body)
        if match is None:
            continue
        value = rule.value if rule.value is not None else next((v for v in match.groupdict().values() if v), "")
        value = re.sub(r"^(?:一?[名位个辆]|了)", "", value)
        if rule.value is None and not rule.accepts(value):
            continue
        if AGE in rule.attributes:
            value = str(chinese_number(value))
        change = change_if(said.now) if rule.change == "state" else rule.change
        for name in rule.attributes:
            attribute = ADDRESS if name == HOME and re.search(r"\d+号", value) else name
            found.append(
                Claim(subject=subject, attribute=attribute, value=value, change=change, sole=rule.sole and said.sole)
            )
        if HOME in rule.attributes and change == "change":
            found.append(Claim(subject=subject, attribute=ADDRESS, change="end"))
    return found


def _whose(person: re.Match[str], speaker: str, them: str | None) -> str | None:
    if person["kin"]:
        return f"{speaker} {person['rel']}"
    if person["i"]:
        return speaker
    if person["user"]:
        return SHARED
    if person["they"]:
        return them
    if person["name"]:
        return person["name"].lower().replace("的", " ")
    return None
