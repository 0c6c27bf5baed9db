"""What somebody does, likes or has, and does, likes or has no longer: English.

Such a predicate stands or falls as a whole: that I like tea does not replace that I like coffee, but that I no longer
like coffee does. Liking, eating and drinking count as one, and so do having, owning and driving.
"""

from __future__ import annotations

import re

from ntm_memory_skill.m3.succession.moments import moment_of
from ntm_memory_skill.m3.succession.values import PREDICATE, Claim, change_if, concerning
from ntm_memory_skill.m3.succession.wording import stem, word_stems

_GROUPS = {
    **dict.fromkeys(map(stem, "like love enjoy adore drink eat".split()), "like"),
    **dict.fromkeys(map(stem, "have own drive keep ride".split()), "have"),
    "us": "use",
    "has": "have",
    "am": "is",
    "are": "is",
}
_OPPOSITES = dict.fromkeys(map(stem, "hate dislike detest despise loathe".split()), "like")
_ADVERBS = re.compile(r"^(?:really|usually|always|often|sometimes|mostly|quite|very much|still)\s+", re.IGNORECASE)
_NEGATION = re.compile(
    r"(?P<ended>no longer |(?:do|does|am|is|are|can) not (?=.*\bany ?more\b)|(?:do|does|am|is|are) no longer )|"
    r"(?P<plain>(?:do|does) not |can not (?=stand ))",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"(?:have |has )?(?:stopped|quit|gave up|given up|am done with|is done with|are done with|ditched|"
    r"dropped|got rid of|sold|traded(?: in)?|"
    r"cancel+ed|deleted|uninstalled|unsubscribed from|gave away)(?: (?P<my>my|our|the|his|her|their))? (?P<o>.+)",
    re.IGNORECASE,
)
_MEMBERSHIP = re.compile(
    r"(?:membership|subscription|account) (?:to|at|of|with|in) (?P<of>.+)|(?P<of2>.+) (?:membership|"
    r"subscription|account)",
    re.IGNORECASE,
)
_LEFT = re.compile(r"(?:have |has )?(?:left|quit|resigned from) (?:my|our|the) (?P<o>.+)", re.IGNORECASE)
_SWITCHED = re.compile(
    r"(?:have |has )?(?:switched|moved|migrated|changed|went|converted) (?:over )?from (?P<u>.+?) to (?P<v>.+)"
    r"|(?:have |has )?(?:replaced|swapped) (?P<u2>.+?) (?:with|for) (?P<v2>.+)",
    re.IGNORECASE,
)
_RATHER = re.compile(r"prefers? (?P<v>.+?) (?:over|to|rather than) (?P<u>.+)", re.IGNORECASE)
_INSTEAD = re.compile(r"(?P<p>.+?) (?:instead of|rather than) (?P<u>.+)", re.IGNORECASE)
_VERB = re.compile(r"(?P<verb>[a-z]+)\b(?: (?P<o>.+))?", re.IGNORECASE)
_NO_VERB = set(
    "am is are was were be been being have had has do did will would can could may might must shall "
    "should and or but of to in "
    "on at with for the a an my our your went got made took came saw said told knew thought found gave felt left kept "
    "began ran brought met sat put won bought wrote ate drank slept drove flew grew led lost paid "
    "sent spent swam taught "
    "wore won heard held who that which not as too so just agree mean see know guess hope feel need "
    "want remember think try "
    "understand appreciate look sound".split()
)
_QUALIFIED = re.compile(
    r"\s(?:every|each|on|in|at|for|with|after|before|because|when|while|during|since|today|tonight|daily|last|this|yesterday|"
    r"weekly|these|twice|once|"
    r"three times|most|all the time|to (?:relax|keep|stay|get|make|have|be|take)|any ?more|a lot|very "
    r"much|so much|much)\b.*$|[,(].*$",
    re.IGNORECASE,
)
_ANY_MORE = re.compile(r"\s*\bany ?more\b.*$|\s+for good$|\s+altogether$|\s+completely$", re.IGNORECASE)
_SMALL = re.compile(
    r"^(?:an? (?:lot|bit) of |lots of |too much |an? |the |my |our |his |her |their |any |some |to )+", re.IGNORECASE
)
_WHEN = re.compile(
    r"(?P<p>[a-z]+(?: [a-z]+){0,4}?) (?:up )?(?P<v>(?:at|on|every|until|till) "
    r"(?:\d|noon|midnight|half|(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b).*)",
    re.IGNORECASE,
)
MOST_WORDS = 8


def predicate_claims(body: str, subject: str, now: bool) -> list[Claim]:
    """Return which predicates a clause says to hold or to hold no longer.

    Args:
        body: The clause after its subject.
        subject: Whom it speaks of.
        now: Whether it says that this is so "now".
    """
    switched = _SWITCHED.fullmatch(body)
    if switched:
        old, new = switched["u"] or switched["u2"], switched["v"] or switched["v2"]
        gone = [concerning(subject, old, old, ended=True)]
        return (
            gone
            + [_claim(subject, group, old, True, event=True) for group in ("use", "like", "have")]
            + [_claim(subject, "use", new, False)]
        )
    ended, left = _ENDED.fullmatch(body), _LEFT.fullmatch(body)
    gone = [_claim(subject, "is", f"member of {_object(left['o'])}", True, event=True)] if left else []
    if ended or left:
        return gone + (_ended(subject, ended["o"], ended["my"] is not None) if ended else [])
    rather = _RATHER.fullmatch(body)
    if rather:
        pair = sorted((*word_stems(rather["v"]), *word_stems(rather["u"])))
        return [Claim(subject=subject, attribute=f"prefers of {' '.join(pair)}", value=rather["v"])]
    negation = _NEGATION.match(body)
    if negation:
        return _negated(subject, body[negation.end() :], negation["ended"] is not None)
    instead = _INSTEAD.fullmatch(body)
    found = (
        []
        if instead is None
        else [_claim(subject, group, instead["u"], True, event=True) for group in ("use", "like", "have")]
    )
    return found + _held(subject, instead["p"] if instead else body, now or instead is not None)


def timed_claims(body: str, subject: str, now: bool) -> list[Claim]:
    """Return when something is done again and again: "wake up at 6", "meet on Mondays"."""
    found = _WHEN.fullmatch(body)
    if found is None or found["p"].split()[0].lower() in _NO_VERB or _past(found["p"].split()[0]):
        return []
    moment, name = moment_of(found["v"]), " ".join(word_stems(found["p"]))
    change = change_if(now)
    return [
        Claim(subject=subject, attribute=f"{name} ({part})", value=said, change=change, sole="clock" in part)
        for part, said in (("weekday", moment.weekday), (f"clock {moment.weekday}".strip(), moment.clock))
        if said
    ]


def _held(subject: str, body: str, now: bool) -> list[Claim]:
    body = re.sub(r"^(?:am|is|are) (?=[a-z]+ing\b)", "", _ADVERBS.sub("", body))
    being = re.fullmatch(r"(?:am|is|are) (?!not\b)(?:an? )?(?P<off>off )?(?P<v>[\w-]+(?: [\w-]+){0,5})", body)
    if being:
        return [_claim(subject, "is", f"on {being['v']}" if being["off"] else being["v"], being["off"] is not None)]
    found = _VERB.fullmatch(body)
    if found is None:
        return []
    verb, rest = found["verb"].lower(), found["o"] or ""
    thing = _object(rest)
    if _is_no_verb(verb) or len(thing.split()) > MOST_WORDS or len(rest.split()) > MOST_WORDS + 4:
        return []
    if verb in ("go", "goes") and thing.partition(" ")[0].endswith("ing"):
        verb, _, thing = thing.partition(" ")
    if stem(verb) in _OPPOSITES:
        return [_claim(subject, "like", thing, True)]
    claims = [_claim(subject, verb, said, False) for said in dict.fromkeys((thing, rest))]
    words = word_stems(thing)
    if len(words) > 1:
        name, kind = f"{stem(verb)} ... {words[-1]}", change_if(now)
        claims.append(Claim(subject=subject, attribute=name, value=thing, change=kind, sole=False))
    return claims


def _negated(subject: str, body: str, ended: bool) -> list[Claim]:
    if body.lower().startswith("stand "):
        return [_claim(subject, "like", _object(body[6:]), True)]
    body = _ANY_MORE.sub("", _ADVERBS.sub("", body))
    being = re.fullmatch(r"(?:(?:am|is|are) )?(?:an? |the )?(?P<v>[\w-]+(?: [\w-]+){0,5})", body)
    found = _VERB.fullmatch(body)
    claims = [_claim(subject, "is", being["v"], True)] if ended and being else []
    if found is None or (not ended and (_QUALIFIED.search(found["o"] or "") or not found["o"])):
        return claims
    verb = found["verb"].lower()
    root = stem(verb)
    if root in _OPPOSITES:
        return [_claim(subject, "like", found["o"] or "", False)]
    if not ended and found["verb"] in _NO_VERB and found["verb"] != "have":
        return claims
    said = found["o"] or ""
    things = dict.fromkeys((said, _object(said))) if ended else [_object(said)]
    return [*claims, *(_claim(subject, verb, thing, True) for thing in things if thing or not said)]


def _ended(subject: str, said: str, owned: bool) -> list[Claim]:
    thing = _object(_ANY_MORE.sub("", said))
    verb, _, rest = thing.partition(" ")
    if verb.endswith("ing") and not owned:
        return [_claim(subject, verb, _object(rest), True, event=True)]
    membership = _MEMBERSHIP.fullmatch(thing)
    if membership:
        of = membership["of"] or membership["of2"]
        held = [("is", f"member of {of}"), ("subscrib", of), ("use", of), ("have", thing)]
        return [_claim(subject, group, what, True, event=True) for group, what in held]
    about = [] if owned or verb.endswith("ing") or not thing else [concerning(subject, thing, thing, ended=True)]
    groups = ("have", "use") if owned else ("have", "use", "like")
    return about + [_claim(subject, group, thing, True, event=True) for group in groups] if thing else []


def _claim(subject: str, verb: str, thing: str, negated: bool, *, event: bool = False) -> Claim:
    """Return that a predicate holds or not; `event`: that this came to an end, which is no state to be replaced."""
    group = _GROUPS.get(stem(verb), stem(verb))
    words = [word for word in word_stems(_SMALL.sub("", thing)) if word not in ("my", "our", "to", "any", "of")]
    if group == "like" and len(words) > 1 and words[0] in ("drink", "eat"):
        words = words[1:]
    return Claim(
        subject=subject,
        attribute=PREDICATE + " ".join([group, *words]),
        value=f"{verb} {thing}".strip(),
        change="end" if event else "state",
        negated=negated,
    )


def _object(said: str) -> str:
    return _QUALIFIED.sub("", f" {said}").strip(" .,!")


def _is_no_verb(word: str) -> bool:
    return (word in _NO_VERB and word not in ("have", "has")) or _past(word)


def _past(verb: str) -> bool:
    return verb.endswith("ed") and verb not in ("need", "feed", "speed", "breed")
