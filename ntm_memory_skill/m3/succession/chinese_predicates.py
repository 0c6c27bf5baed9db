"""What somebody does, likes or has, and does, likes or has no longer: Chinese. As in `predicates`."""

from __future__ import annotations

import re

from ntm_memory_skill.m3.succession.moments import moment_of
from ntm_memory_skill.m3.succession.values import PREDICATE, Claim, change_if, concerning

_VERBS = (
    "喜欢|热爱|喜爱|偏好|讨厌|厌恶|害怕|订阅|使用|拥有|相信|关注|收藏|练习|学习|参加|爱|恨|喝|吃|抽|用|打|玩|学|看|读|养|有|练|做|骑|开|弹|唱|听|"
    "去|写|画|穿|戴|信|追|跳|跑|游|下|坐|上|办了|买了|养了|订了|订阅了|交了|开通了?|报名了|注册了"
)
_TAKES, _HAS, _USES = "喜欢", "有", "用"
_GROUPS = {
    **dict.fromkeys("喜欢 热爱 喜爱 爱 喝 吃".split(), _TAKES),
    **dict.fromkeys("拥有 养 养了 开 办了 买了 交了 开通 开通了 报名了 注册了".split(), _HAS),
    **dict.fromkeys("使用 订阅 订阅了 订了".split(), _USES),
    "学习": "学",
    "练习": "练",
}
_OPPOSITES = set("讨厌 厌恶 恨".split())
_PLAINLY_DENIED = set("喜欢 热爱 喜爱 爱 喝 吃 抽 用 养 打 玩".split())
_ADVERBS = re.compile(
    r"^(?:习惯|通常|一般|每天(?:早上|晚上|上午|下午)?|每周末?(?![一二三四五六日])|每周[一二三四五六日天]|周末|经常|总是|常常|平时|一直|都|很|非常|特别|最|比较|挺|就|也|还|正在?|"
    r"在(?=学|看|读|练|玩|用|做|吃|喝|打|追))+"
)
_HELD = re.compile(rf"(?P<v>{_VERBS})(?P<o>[^了过]*)")
_DENIED = re.compile(rf"(?P<more>不再|再也不|没再)(?P<v>{_VERBS})(?P<o>.*)|不(?P<v2>{_VERBS})(?P<o2>.*)")
_IS_NO_MORE = re.compile(r"(?:不再是|不是)(?P<o>.+)")
_IS = re.compile(r"是(?:一?[名位个])?(?P<o>.{1,8})")
_HAS_NO = re.compile(r"没有?(?P<o>.+)")
_GIVEN_UP = re.compile(
    r"把(?:我的|那)?(?P<o>.+?)(?:卖|退|扔|送人|送|取消|删|卸载|停|处理|戒)[掉了]*"
    r"|(?:取消|退订|退出|卸载|注销|退|卖|停用|放弃|停止|戒|退出|终止)[掉了]*(?P<o2>.+?)(?:的(?:订阅|会员|账号|服务))?"
)
_SWITCHED = re.compile(
    r"(?:已)?(?:从|由)(?P<u>.+?)(?:换|改|转|迁移|切换|迁|改用)(?:成|到|为|用|至|了)*(?P<v>.+)|(?:改用|换用|换成了?)(?P<v2>.+)"
)
_MEASURE = re.compile(r"^(?:了|着)?(?:[一两二三四几\d]+[只个辆条台张部件位名把本家间款杯]|我的|点|些)?")
_FOR = re.compile(r"(?:来?(?:记笔记|办公|开会|打字|沟通|付款|写\S+|做\S+|拍照|聊天|开发|管理\S+|上网))$")
_DENIED_ANYWHERE = re.compile(r"(?P<a>.*?)(?P<no>不再|再也不|不|没(?=有))(?P<b>.+)")
_OPPOSITE_STATES = {"关闭": "开放", "关着": "开着", "关了": "开着", "离线": "在线", "停用": "启用"}
_UNSETTLED = re.compile(r"[了着]|过(?!敏)|没|不|知道|饭|^[是的]")
_MEALS = set("饭 东西 早饭 午饭 晚饭 药 水".split())
_DAILY = re.compile(
    r"(?P<when>每天|每周[一二三四五六日天]|每天(?:早上|晚上)|早上|晚上|周[一二三四五六日天])?(?P<v>\S*?[点:半刻]\S*?)(?P<do>[^\d点:半刻]{2,6})"
)
_BY_MEANS = re.compile(r"(?P<v>[坐骑开走][^\d]{1,6}?)(?P<do>上班|上学|去\S{1,4}|回家)")


def predicate_claims(body: str, subject: str, *, now: bool, ended: bool) -> list[Claim]:
    """Return which predicates a clause says to hold or to hold no longer.

    Args:
        body: The clause after its subject, without 了 at its end.
        subject: Whom it speaks of.
        now: Whether it says that this is so now.
        ended: Whether the clause ends in 了, which turns a denial into an end.
    """
    switched = _SWITCHED.fullmatch(body)
    if switched:
        new = switched["v"] or switched["v2"]
        gone = [
            _claim(subject, group, switched["u"], True, event=True) for group in (_USES, _TAKES, _HAS) if switched["u"]
        ]
        gone += [concerning(subject, switched["u"], switched["u"], ended=True)] if switched["u"] else []
        like = Claim(subject=subject, attribute=f"用...{new[-2:]}", value=new, change="change", sole=False)
        return [*gone, _claim(subject, _USES, new, False), like]
    timed = _timed(body, subject, now)
    if timed:
        return timed
    plain = _ADVERBS.sub("", body)
    return (_no_more(plain, subject, ended) or _held(plain, subject, now)) + [
        claim for text in dict.fromkeys((body, plain)) for claim in standing_claims(text, subject, ended=ended)
    ]


def _no_more(body: str, subject: str, ended: bool) -> list[Claim]:
    denied, being, lacking = _DENIED.fullmatch(body), _IS_NO_MORE.fullmatch(body), _HAS_NO.fullmatch(body)
    if denied:
        return _denied(denied, subject, ended)
    if being:
        return [_claim(subject, "是", being["o"], True)] if ended or body.startswith("不再") else []
    if lacking:
        return [_claim(subject, _HAS, lacking["o"], True)]
    given_up = _GIVEN_UP.fullmatch(body)
    if given_up is None:
        return []
    gone = _given_up(body, given_up["o"] or given_up["o2"])
    return [_claim(subject, group, thing, True, event=True) for group, thing in gone]


def _denied(denied: re.Match[str], subject: str, ended: bool) -> list[Claim]:
    verb, thing = denied["v"] or denied["v2"], denied["o"] or denied["o2"] or ""
    if not (denied["more"] or ended or verb in _PLAINLY_DENIED) or thing in _MEALS:
        return []
    if verb in _OPPOSITES:
        return [_claim(subject, _TAKES, thing, False)]
    return [_claim(subject, _GROUPS.get(verb, verb), thing, True)]


def _given_up(body: str, thing: str) -> list[tuple[str, str]]:
    """Return which predicates came to an end: their verbs and objects."""
    if body.startswith("退出"):
        return [("参加", thing), *(("是", f"{thing}{role}") for role in ("成员", "会员", ""))]
    if body.startswith("戒") or body.rstrip("掉了").endswith("戒"):
        return [(group, thing) for group in (_TAKES, "抽")]
    verb = re.match(_VERBS, thing)
    if verb and body.startswith(("放弃", "停止")):
        return [(_GROUPS.get(verb[0], verb[0]), thing[verb.end() :])]
    return [(group, thing) for group in (_HAS, _USES, "练")]


def standing_claims(body: str, subject: str, *, ended: bool) -> list[Claim]:
    """Return the clause itself as a predicate, which holds or, with 不再 or 不 … 了, no longer does."""
    denied = _DENIED_ANYWHERE.fullmatch(body)
    if denied and not (ended or denied["no"] != "不"):
        return []
    parts = re.sub(r"^正?在", "", f"{denied['a']}{denied['b']}" if denied else body)
    opposite = next((word for word in _OPPOSITE_STATES if parts.endswith(word)), "")
    if opposite:
        parts = parts.removesuffix(opposite) + _OPPOSITE_STATES[opposite]
    if not 2 <= len(parts) <= 14 or _UNSETTLED.search(parts):
        return []
    return [_claim(subject, "", parts, (denied is not None) != bool(opposite))]


def _held(body: str, subject: str, now: bool) -> list[Claim]:
    being = _IS.fullmatch(body)
    if being:
        return [_claim(subject, "是", being["o"], False)]
    found = _HELD.fullmatch(body)
    if found is None or len(found["o"]) > 14 or not found["o"]:
        return []
    verb, thing = found["v"], found["o"]
    if verb in _OPPOSITES:
        return [_claim(subject, _TAKES, thing, True)]
    claims = [_claim(subject, _GROUPS.get(verb, verb), thing, False)]
    if verb not in ("有", "学", "看", "读") and len(thing) >= 4:
        kind = change_if(now)
        claims.append(Claim(subject=subject, attribute=f"{verb}...{thing[-2:]}", value=thing, change=kind, sole=False))
    return claims


def _timed(body: str, subject: str, now: bool) -> list[Claim]:
    kind = change_if(now)
    daily = _DAILY.fullmatch(body)
    if daily:
        clock = moment_of(f"{daily['when'] or ''}{daily['v']}").clock
        if clock and daily["do"] not in ("以后", "之后", "以前"):
            return [
                Claim(
                    subject=subject,
                    attribute=f"{_weekday(daily['when'])}{daily['do']} (clock)",
                    value=clock,
                    change=kind,
                )
            ]
    means = _BY_MEANS.fullmatch(_ADVERBS.sub("", body))
    if means:
        return [Claim(subject=subject, attribute=f"how: {means['do']}", value=means["v"], change=kind, sole=False)]
    return []


def _weekday(when: str | None) -> str:
    return "" if when is None else moment_of(when).weekday


def _claim(subject: str, group: str, thing: str, negated: bool, *, event: bool = False) -> Claim:
    """Return that a predicate holds or not; `event`: that this came to an end, which is no state to be replaced."""
    plain = _FOR.sub("", _MEASURE.sub("", thing)) or thing
    if group == _TAKES:
        plain = re.sub(r"^[喝吃](?=.)", "", plain)
    if group == "抽" and plain == "香烟":
        plain = "烟"
    return Claim(
        subject=subject,
        attribute=f"{PREDICATE}{group} {plain}".lower(),
        value=f"{group}{thing}",
        change="end" if event else "state",
        negated=negated,
    )
