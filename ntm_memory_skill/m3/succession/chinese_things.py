"""What is said in Chinese of things and roles: 发布会改到5月16日, 我的经理是王丽, 房租涨到3500元."""

from __future__ import annotations

import re
from typing import NamedTuple

from ntm_memory_skill.m3.succession.moments import amount_of, moment_of
from ntm_memory_skill.m3.succession.values import EMPLOYER, JOB, PARTNER, SHARED, Change, Claim
from ntm_memory_skill.m3.succession.wording import CHINESE

_PEOPLE = (
    *(
        "会计 老板 经理 主管 领导 上司 负责人 ceo 总裁 校长 医生 大夫 牙医 律师 教练 房东 室友 班主任 "
        "导师 秘书 助理 组长 队长 管理员 店长 会长 主席"
    ).split(),
    PARTNER,
)
_MATES = "女朋友|男朋友|女友|男友|老婆|妻子|老公|丈夫|对象|未婚妻|未婚夫|伴侣|太太"
_TEXTS = (
    *(
        "名字 名称 代号 密码 口令 状态 版本 颜色 分支 专业 学校 银行 地址 邮箱 电话 职位 职业 职务 "
        "主题 套餐 座位 网址 域名 用户名 账号 城市 牌子 会议室 教室 房间 优先级 级别 健身房 保险 "
        "笔记本 电脑 相机 手表 平板 手机 微信号 车牌号 号 型号 语言 供应商 数据库 框架 口号 昵称 "
        "车牌 工位 微信 qq 单位"
    ).split(),
    JOB,
    EMPLOYER,
)
_EVENTS = tuple(
    (
        "会议 例会 早会 晚会 周会 聚会 聚餐 发布会 婚礼 面试 预约 考试 比赛 演出 音乐会 培训 课程 "
        "活动 典礼 讲座 晚宴 年会 家长会 研讨会 旅行 航班 派对 体检 手术 约会 评审 团建 课"
    ).split()
)
_GIVES_WAY = re.compile(r"(?<=.{2})(?<!截止)(?:的?(?:日期|时间|地点|场地|价格|票价))$")
_SILENT = re.compile(r"的|^这个|^那个|^新|^当前|^目前|^最新|(?<=的)新")
_NAMES = (
    (re.compile(r"手机号码?|电话号码|联系电话|^号码"), "电话"),
    (re.compile(r"电子邮[箱件]|邮箱地址|邮箱账号"), "邮箱"),
    (re.compile(r"无线网?|wi-fi", re.IGNORECASE), "wifi"),
    (re.compile(r"家庭住址|住址|家庭地址|^家地址"), "地址"),
    (re.compile(r"最爱"), "最喜欢"),
)
_CHANGED = (
    r"(?:[已被]*(?:改签[到至为]|(?:延误|延迟|推后|顺延|调高|调低|上升|下降|上涨|下跌|提升|提高|缩短|压缩|扩大)[到至为]|改[到成为在至期]+|换[成到为]|推迟[到至]|延[期长]?[到至]|加[到至]|迁移[到至]|放[到至]|延后[到至]|提前[到至]|调整?[到为成至]|"
    r"移[到至]|搬[到至]|变[成为更]+|涨[到至价]+|降[到至为]|"
    r"增加?[到至为]|减少?[到至为]|砍[到至]|升[到至为]|上调[到至为]|下调[到至为]|升级[到为成至]|更新[为成到]|更名[为成]|改名[叫为成]|改叫|迁[到至]|切换[到为成]|"
    r"缩减[到至为]|提高[到至为]|变更为|挪[到至])了?)"
)
_NP = r"(?P<n>[^,。:]{1,18}?)"
_THING_CHANGED = re.compile(
    rf"{_NP}(?:由|从(?P<u>.+?))?{_CHANGED}(?P<v>.+?)(?:举行|举办|起飞|开始|开门|关门|(?<!公)开|出发|里|交|到期|截止|提交|上线|发布|完成|进行)?"
)
_THING_ENDED = re.compile(rf"{_NP}(?:被?取消|不(?:举行|办|开))")
_THING_IS = re.compile(
    rf"{_NP}(?P<is>[定订][在于为]|[买订用选吃喝坐开]的是|安排在|放在|存在|位于|设在|是|为|叫|在|卖|:)(?P<v>.+?)(?:举行|举办|起飞|开始|召开|开)?"
)
_LED = re.compile(rf"{_NP}由(?P<v>.+?)(?P<role>负责|管理|领导|维护)")
_PRICED = re.compile(
    r"(?P<n>[^,。:\d]{1,12}?)(?:每[月年天晚人次个]|一[个月晚天]+)?(?P<v>[$€£¥]?(?:\d[\d,.]*|"
    r"[一二两三四五六七八九十百千万]{2,})\s?[万千亿]?\d?(?:元|块钱?|美元|欧元|英镑))(?:[一每/]?个?[月年天晚])?"
)
_PUT = re.compile(rf"\S{{0,8}}?把(?P<n>[^,。:]{{1,10}}?){_CHANGED}(?P<v>.+?)(?:里|里面|上|举行)?")
_GIVEN = re.compile(rf"{_NP}[已被重新]*(?:分配|指派|转|转交)(?:给|到)(?P<v>.+)")
_COUNTED = re.compile(rf"{_NP}[有养](?P<v>[\d一二两三四五六七八九十百千万]+)(?P<what>[名个位家台只条辆间]\S{{1,6}})")
_STARTS = re.compile(
    rf"{_NP}(?P<v>(?:早上|上午|中午|下午|晚上)?(?:\d{{1,2}}:\d{{2}}|[\d一二两三四五六七八九十]{{1,3}}点\S{{0,3}}?))(?P<do>起飞|开始|"
    rf"出发|举行|开门|关门|营业|下班|开)"
)
_DUE = re.compile(
    rf"{_NP}(?P<v>下?周[一二三四五六日天]|\d{{1,2}}月(?:\d{{1,2}}[日号])?)(?:交|到期|截止|提交|上线|发布|完成)"
)
_HELD_WEEKLY = re.compile(r"(?:我们?|大家)?(?P<v>每?周[一二三四五六日天])(?:的?\S{0,2}点)?[开上](?P<n>.{2,6})")
_OWNED = re.compile(
    rf"(?P<mine>我们?家?)的?(?=[{CHINESE}\w])|(?P<user>用户)的?|(?P<whose>[^的]{{1,6}})的(?={'|'.join(_PEOPLE)}|{_MATES})"
)
_FAVOURITE = re.compile(r"最喜欢(?!部分|时刻|回忆|事|时候|瞬间|地方|一)")
_NO_NOUN = re.compile(
    r"[你您他她它谁]|什么|这里|那里|^[一这那]?[天年月]?$|如果|因为|所以|但是|今天|明天|^[我在]$|另一|第二|还有|前任|也$"
)
_OPINION = re.compile(
    r"(?:[我你他她它个一很不谁这那什怎在最好更太非有没由从被对给把让和跟]|同一|真|挺|错|对|保密|秘密|坏|如|为了|因为|越|特别|.*(?:的|人|了|过|吧|吗|得.*)$).*"
)
_KNOWN = {
    **dict.fromkeys(_MATES.split("|"), PARTNER),
    **dict.fromkeys("职业 职位 职务 工作".split(), JOB),
    "公司": EMPLOYER,
}
_ROLE = re.compile(
    r"(?![\u4e00-\u9fff]{1,3}(?:医生|大夫|老师|先生|女士|经理|总)$).*(?:长|师|员|总监|经理|生|授|家|会计|主管|博士|硕士|先生|女士)"
)
"""What somebody is by profession, where a name was expected; 刘大夫 and 方先生 are names."""
_KIN = re.compile(
    r"[爸妈哥姐弟妹爷奶叔姨舅]|儿子|女儿|孩子|朋友|同事|同学|爱好|目标|计划|梦想|^[小老阿]?\w$|^[小老阿]\w$"
)
_TITLED = re.compile(r"[\u4e00-\u9fff]{1,3}(?:医生|大夫|老师|先生|女士|经理|总)")
_PETS = re.compile(r"(?:狗|猫|鸟|兔子?|仓鼠|鱼|宠物|公司|团队|项目|店|产品|小组|船|乐队)$")


class Said(NamedTuple):
    """A clause of a Chinese text."""

    body: str
    """Without asides and without 了 at its end."""
    speaker: str
    now: bool
    sole: bool


class _Noun(NamedTuple):
    subject: str
    name: str


def is_name(value: str) -> bool:
    """Return whether a value can be somebody's name: short, and nothing that is said of people."""
    return (1 < len(value) <= 5 or (value.isascii() and len(value) <= 20)) and not _OPINION.fullmatch(value)


def thing_claims(said: Said, subject: str | None) -> list[Claim]:
    """Return what a clause claims of a thing, or of somebody by what they are to somebody else.

    Args:
        said: The clause.
        subject: Whom the text speaks of there; None where that is nobody known.
    """
    said = said._replace(body=said.body.removeprefix("的"))
    weekly = _HELD_WEEKLY.fullmatch(said.body)
    if weekly:
        return _moments(_Noun(SHARED, _called(weekly["n"])), weekly["v"], said, "state")
    for pattern, kind in _FORMS:
        found = pattern.fullmatch(said.body)
        if found is None:
            continue
        claims = _read(found, pattern, "change" if said.now else kind, said, subject)
        if claims:
            return claims
    return []


def _read(found: re.Match[str], pattern: re.Pattern[str], kind: Change, said: Said, subject: str | None) -> list[Claim]:
    if pattern is _THING_IS and found["is"] == "是" and is_name(found["n"]) and "的" not in found["n"]:
        inverse = _noun(found["v"], said, subject)
        if inverse and inverse.name.endswith(_PEOPLE) and not _TITLED.fullmatch(found["v"]):
            return [_claim(inverse, "", found["n"], kind, said.sole)]
    noun = _noun(found["n"] + _AFTER.get(pattern, ""), said, subject)
    if noun is None:
        return []
    if pattern in (_COUNTED, _GIVEN):
        name = found["what"] if pattern is _COUNTED else ""
        return [_claim(noun, name and f" ({name})", found["v"], kind, said.sole and pattern is _GIVEN)]
    if pattern is _THING_ENDED:
        return [_claim(noun, part, "", "end", True) for part in (" (weekday)", " (date)", " (clock)", " (place)", "")]
    return _valued(noun, found, pattern, kind, said)


def _valued(noun: _Noun, found: re.Match[str], pattern: re.Pattern[str], kind: Change, said: Said) -> list[Claim]:
    value, verb = re.sub(r"^(?:了|每月|每年)", "", found["v"]), found.groupdict().get("is") or ""
    if verb and found["v"].startswith(("了", "过")):
        return []
    formed = _moments(noun, value, said, kind) or _amount(noun, value, said, kind)
    if formed:
        return formed
    if verb == "叫" or "改名" in found[0] or "改叫" in found[0]:
        return _named(noun, value, kind, said)
    person, moved = noun.name.endswith(_PEOPLE), pattern in (_PUT, _THING_CHANGED)
    whole = [_claim(noun, "", value, kind, said.sole)] if _accepts(noun, value, kind) else []
    if moved:
        return whole if person else _placed(noun, value, kind, said) + whole
    if verb in ("在", "放在", "位于", "设在", "存在", "定在"):
        return [] if person else _placed(noun, value, kind, said)
    weak = verb in ("是", "为") and len(value) <= 8 and not _OPINION.fullmatch(value) and len(noun.name) > 1
    return whole or (
        [_claim(noun, "", value, kind, False)] if weak and not person and not _KIN.search(noun.name) else []
    )


def _amount(noun: _Noun, value: str, said: Said, kind: Change) -> list[Claim]:
    amount = amount_of(value)
    if amount is None or _NO_AMOUNT.search(noun.name):
        return []
    return [_claim(noun, f" (in {amount[1]})" if amount[1] else " (amount)", amount[0], kind, said.sole)]


def _placed(noun: _Noun, value: str, kind: Change, said: Said) -> list[Claim]:
    if len(value) > 12 or not noun.name or noun.name.startswith("我"):
        return []
    return [_claim(noun, " (place)", re.sub("[里上]面?$", "", value), kind, said.sole and noun.name.endswith(_EVENTS))]


def _named(noun: _Noun, value: str, kind: Change, said: Said) -> list[Claim]:
    if not is_name(value) or _ROLE.fullmatch(value):
        return []
    if noun.name in ("我", "自己", "") or noun.name.endswith(_PEOPLE):
        return [_claim(noun, "", value, kind, said.sole)]
    sole = _PETS.search(noun.name) is not None or kind == "change"
    return [
        Claim(
            subject=noun.subject,
            attribute=f"{noun.name.removesuffix('名字')}名字",
            value=value,
            change=kind,
            sole=sole and said.sole,
        )
    ]


def _moments(noun: _Noun, value: str, said: Said, kind: Change) -> list[Claim]:
    moment = moment_of(value)
    if not re.fullmatch(r"(?:每|在|下个?|这个?|本|的|早上|上午|中午|下午|晚上|开始|[ ,周到])*", moment.rest):
        return []
    found = []
    for part, said_part in (("weekday", moment.weekday), ("date", moment.date), ("clock", moment.clock)):
        if said_part:
            found.append(_claim(noun, f" ({part})", said_part, kind, said.sole))
        elif kind == "change" and part != "clock" and (moment.weekday or moment.date or moment.relative):
            found.append(_claim(noun, f" ({part})", "", "end", True))
    return found


def _noun(text: str, said: Said, subject: str | None) -> _Noun | None:
    owner = _OWNED.match(text)
    whose, rest = SHARED, text
    if owner and text != "我" and not re.match("我[和跟与在]", text):
        rest = text[owner.end() :]
        whose = SHARED if owner["user"] else (owner["whose"] or said.speaker).lower()
        if owner["mine"] and owner["mine"].endswith("们"):
            whose = SHARED
    elif text == "我":
        return _Noun(said.speaker, "我")
    elif re.match(r"新?(?:号码|电话|手机号|邮箱|地址|医生|老板|室友|经理)", text) or (subject and re.match("的", text)):
        whose = subject or said.speaker
    if not rest or _NO_NOUN.search(rest):
        return None
    return _Noun(whose, _called(rest))


def _called(name: str) -> str:
    name = _SILENT.sub("", name)
    for pattern, known in _NAMES:
        name = pattern.sub(known, name)
    name = _GIVES_WAY.sub("", name).lower().strip()
    return _KNOWN.get(name, name)


def _claim(noun: _Noun, part: str, value: str, kind: Change, sole: bool) -> Claim:
    return Claim(subject=noun.subject, attribute=f"{noun.name}{part}", value=value, change=kind, sole=sole)


def _accepts(noun: _Noun, value: str, kind: Change) -> bool:
    """Return whether a value can be what such a noun is, rather than what somebody thinks of it."""
    name = noun.name
    if not 1 <= len(value) <= 20:
        return False
    for part, form in _CONTACT_FORMS.items():
        if part in name:
            return form.search(value) is not None
    if _OPINION.fullmatch(value):
        return False
    if name.endswith(_PEOPLE):
        return is_name(value) and not _ROLE.fullmatch(value)
    if "最喜欢" in name:
        return _FAVOURITE.search(name) is not None and name != "最喜欢" and len(value) <= 10
    return name.endswith(_TEXTS) or (kind == "change" and len(value) <= 10)


_CONTACT_FORMS = {
    "电话": re.compile(r"(?:\d\D*){3,}"),
    "密码": re.compile(r"^[\x21-\x7e]+$"),
    "邮箱": re.compile("@"),
}
_NO_AMOUNT = re.compile(r"密码|电话|账号|qq|微信|[岁号]$")


def is_label(label: str) -> bool:
    """Return whether a label names something that has one value at a time (项目负责人), rather than a speaker."""
    return _called(label).endswith((*_PEOPLE, *_TEXTS, *_EVENTS, "预算", "价格", "截止日期"))


_AFTER = {_LED: "负责人", _GIVEN: "承办人"}
_FORMS: tuple[tuple[re.Pattern[str], Change], ...] = (
    (_PUT, "change"),
    (_THING_CHANGED, "change"),
    (_THING_ENDED, "end"),
    (_STARTS, "state"),
    (_DUE, "state"),
    (_LED, "state"),
    (_GIVEN, "state"),
    (_COUNTED, "state"),
    (_THING_IS, "state"),
    (_PRICED, "state"),
)
