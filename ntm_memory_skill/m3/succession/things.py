"""What is said in English of things and roles: "the launch moved to 16 May", "my boss is Kim", "the rent is 1350"."""

from __future__ import annotations

import re

from ntm_memory_skill.m3.succession.clauses import Clause, said_value
from ntm_memory_skill.m3.succession.frames import frame_claims
from ntm_memory_skill.m3.succession.nouns import NAME, PEOPLE, Noun, ended, noun_of, value_claims
from ntm_memory_skill.m3.succession.predicates import timed_claims
from ntm_memory_skill.m3.succession.values import PREDICATE, Claim, change_if
from ntm_memory_skill.m3.succession.wording import stem, word_stems

_BE = r"(?:is|are|will be)"
_NP = r"(?P<n>[\w'#.-]+(?: [\w'#.@-]+){0,8}?)"
_CHANGED = (
    r"(?:moved|rescheduled|postponed|pushed(?: back)?|brought forward|changed|switched|shifted|delayed|"
    r"renamed|increased|"
    r"raised|reduced|lowered|cut|set|reset|updated|(?:going|went) (?:up|down)|gone (?:up|down)|dropped|rose|risen|"
    r"fell|relocated|extended|"
    r"bumped|replaced|migrated|upgraded|downgraded|transferred|slipped|slid)"
)
_OF_CHANGE = set(
    "moved rescheduled postponed pushed brought changed switched shifted delayed renamed increased raised reduced "
    "lowered cut set reset updated going went gone dropped rose risen fell relocated extended bumped replaced migrated "
    "upgraded downgraded transferred slipped slid".split()
)
"""Words of which `_CHANGED` has one."""
_WORDS = re.compile(r"[a-z]+")
_BEEN = r"(?:(?:has been|have been|has|have|was|were|is being|is|are|got|will be) )?"
_THING_CHANGED = re.compile(
    rf"{_NP} {_BEEN}{_CHANGED}(?: (?:back|forward|up|down|over))?(?: from (?P<u>.+?))? (?:to|until|till|"
    rf"for|by|with) (?P<v>.+)",
    re.IGNORECASE,
)
_MADE = re.compile(
    rf"(?:have |has )?{_CHANGED}(?: back)? (?P<n>(?:my|our|the|his|her|their) .+?)(?: from (?P<u>.+?))? "
    rf"(?:to|with|until) (?P<v>.+)",
    re.IGNORECASE,
)
_SWAPPED = re.compile(
    r"(?:have |has )?(?:switched|changed) (?P<n>(?!from\b|to\b|my\b|the\b|our\b)[a-z]+)(?: from "
    r"(?P<u>.+?))? to (?P<v>.+)",
    re.IGNORECASE,
)
_THING_ENDED = re.compile(rf"{_NP} {_BEEN}(?:cancel+ed|called off|scrapped|discontinued|abolished)\b.*", re.IGNORECASE)
_THING_IS = re.compile(
    rf"{_NP} (?:{_BE}(?: (?:held|scheduled(?: for)?|set (?:for|to)|due(?: on)?|planned for|happening|"
    rf"called|named|located|kept|"
    r"stored|priced at))?|(?:will )?takes? place|happens|starts|begins|leaves|departs|costs?|falls) (?P<v>.+)",
    re.IGNORECASE,
)
_LED = re.compile(
    rf"{_NP} (?:{_BE}|was|were|has been|have been) (?P<role>led|owned|managed|maintained|run|"
    rf"(?:re)?assigned) (?:by|to) (?P<v>.+)",
    re.IGNORECASE,
)
_TIMED = re.compile(rf"{_NP} (?P<verb>opens|closes|ends|finishes) (?P<v>.+)", re.IGNORECASE)
_CALLED = re.compile(rf"{_NP} {_BE} (?:called|named) (?P<v>.+)", re.IGNORECASE)
_ROLES = {
    "led": "lead",
    "owned": "owner",
    "managed": "manager",
    "maintained": "maintainer",
    "run": "lead",
    "assigned": "assignee",
    "reassigned": "assignee",
}
_PLACE = re.compile(
    r"(?:in|at|on|under|behind|next to|inside|with|near|by|above|below|beside|between) "
    r"(?P<v>(?:the |my |our |a )?[\w'&. -]+)",
    re.IGNORECASE,
)
_INSTEAD = re.compile(r"(?P<v>.+?),? (?:instead of|rather than) (?P<u>.+)", re.IGNORECASE)
_TOOK_OVER = re.compile(
    r"(?:has |have )?(?:took|taken|takes) over (?:as (?P<role>.+)|(?P<n>.+?))(?: from .+)?", re.IGNORECASE
)
_NEW_ONE = re.compile(
    r"(?:have |has )?(?:got|have|has|found|switched to|changed to|chose|picked|hired)(?: an?)? new (?P<n>[\w "
    r"]+?)(?:[:,]| called| named)? "
    rf"(?P<v>{NAME}|[\w.-]+@[\w.-]+|\+?[\d -]{{4,}})"
)
_OWNS = re.compile(r"(?P<role>owns|leads|manages|maintains|runs) (?P<n>(?:the|our) .+)", re.IGNORECASE)
_HANDED = re.compile(
    r"(?:has )?(?:handed|passed|gave|transferred)(?: over)? (?P<n>(?:the|our) .+?)(?: over)? to (?P<v>[A-Z].*)",
    re.IGNORECASE,
)
_KEEPS = {"owns": "owner", "leads": "lead", "manages": "manager", "maintains": "maintainer", "runs": "lead"}
_USE_NEW = re.compile(r"(?:use|note|save|take) (?:down )?(?:my|our) (?P<rest>new .+)", re.IGNORECASE)
_NO_LONGER = re.compile(
    r"(?P<a>.+?) (?:no longer|(?:is|are|does|do) no longer) (?P<b>.+)|(?P<c>.+?) (?:does|do|is|are) not "
    r"(?P<d>.+) any ?more"
)
_OPPOSITES = {
    **dict.fromkeys("closed fixed resolved done".split(), "open"),
    "offline": "online",
    "public": "private",
    "paid": "unpaid",
    "disabled": "enabled",
    "inactive": "active",
    "unlocked": "locked",
    "empty": "full",
    "off": "on",
    "down": "up",
    "unavailable": "available",
}
EVENTS = set(
    "meeting conference party launch standup appointment interview dinner lunch breakfast wedding "
    "concert class lesson workshop "
    "training exam office event call ceremony game match trip session review demo retreat reunion course "
    "lecture".split()
)
_SPOKEN = set("i we he she it they you this that there who what everything something nothing everyone".split())


def thing_claims(clause: Clause) -> list[Claim]:
    """Return what a clause claims of a thing, or of somebody by what they are to somebody else."""
    body = clause.body
    by, fresh = _MADE_BY.fullmatch(body), _USE_NEW.fullmatch(body)
    if fresh:
        return _fresh(f"have {fresh['rest']}", clause.speaker)
    if by:
        return made_claims(body[by.start("made") :], clause.speaker, "", clause)
    words = _verbs(body)
    for pattern, changed, verbs in _FORMS:
        found = None if words is not None and verbs.isdisjoint(words) else pattern.fullmatch(body)
        if found is None or found.groupdict().get("v", "").startswith(("not ", "no longer ")):
            continue
        inverse = _inverse(found, clause) if pattern is _THING_IS else None
        if inverse is not None:
            return inverse
        noun = _noun(found, clause, pattern)
        if noun is not None and pattern is _THING_ENDED:
            return ended(noun)
        if noun is not None:
            return _valued(noun, found["v"], changed or clause.now, clause) + _standing(body, clause)
    return _standing(body, clause)


def _verbs(body: str) -> set[str] | None:
    """Return the words of a clause, however "cancelled" is spelt; None where it is not all in ASCII."""
    if not body.isascii():
        return None
    return {"cancelled" if word.startswith("cancel") else word for word in _WORDS.findall(body.lower())}


def made_claims(body: str, subject: str, name: str, clause: Clause) -> list[Claim]:
    """Return what is claimed by saying that somebody changed something to something, took it over, or has a new one."""
    swapped = _SWAPPED.fullmatch(body)
    made = _MADE.fullmatch(body) or swapped
    if made:
        noun = noun_of(
            f"my {stem(made['n'].lower())}" if swapped else made["n"], subject if swapped else clause.speaker, subject
        )
        return _valued(noun, made["v"], True, clause) if noun else []
    over = _TOOK_OVER.fullmatch(body)
    if over:
        noun = noun_of(over["role"] or f"owner of {over['n']}", clause.speaker, None)
        return value_claims(noun, name, change=True) if noun else []
    return _owned(body, name, clause) or _fresh(body, subject)


def _owned(body: str, name: str, clause: Clause) -> list[Claim]:
    """Return whose a thing is by "Ann leads the project" and "Ann handed the project to Bob"."""
    owns, handed = _OWNS.fullmatch(body), _HANDED.fullmatch(body)
    if owns:
        noun = noun_of(f"{_KEEPS[owns['role'].lower()]} of {owns['n']}", clause.speaker)
        return value_claims(noun, name, change=clause.now) if noun else []
    nouns = [noun_of(f"{role} of {handed['n']}", clause.speaker) for role in ("owner", "lead")] if handed else []
    return [claim for noun in nouns if noun and handed for claim in value_claims(noun, handed["v"], change=True)]


def _fresh(body: str, subject: str) -> list[Claim]:
    fresh = _NEW_ONE.fullmatch(body)
    if fresh:
        noun = noun_of(f"my {fresh['n']}", subject)
        return value_claims(noun, fresh["v"], change=True) if noun and noun.one_valued else []
    return []


_FORMS = (
    (_THING_CHANGED, True, _OF_CHANGE),
    (_THING_ENDED, True, {"cancelled", "called", "scrapped", "discontinued", "abolished"}),
    (_LED, False, set(_ROLES)),
    (_TIMED, False, {"opens", "closes", "ends", "finishes"}),
    (_CALLED, False, {"called", "named"}),
    (_THING_IS, False, set("is are will take takes happens starts begins leaves departs cost costs falls".split())),
)
"""What is said of things, and words of which each form has one."""
_MADE_BY = re.compile(rf"(?:they|the [a-z]+|my [a-z]+|[A-Z][a-z]+) (?P<made>{_MADE.pattern})", re.IGNORECASE)


def label_claims(label: str, value: str, clause: Clause) -> list[Claim]:
    """Return what a label with a value claims ("Project lead: Omar"), if the label has one value at a time."""
    noun = noun_of(label, clause.speaker)
    return value_claims(noun, value, change=clause.now) if noun and noun.one_valued else []


def _noun(found: re.Match[str], clause: Clause, pattern: re.Pattern[str]) -> Noun | None:
    name = found["n"]
    if name.split()[0].lower() in _SPOKEN:
        return None
    if pattern is _LED:
        name = f"{_ROLES[found['role'].lower()]} of {name}"
    elif pattern is _TIMED:
        name = f"{name} {found['verb']}"
    elif pattern is _CALLED and not name.endswith("name"):
        name = f"{name}'s name" if "'" not in name else f"{name} name"
    return noun_of(name, clause.speaker, clause.them)


def _inverse(found: re.Match[str], clause: Clause) -> list[Claim] | None:
    """Return the claim of "Kim is my boss"; None where it is none of that form."""
    value = said_value(found["v"])
    if not re.fullmatch(NAME, found["n"]) or not re.match(r"(?:my|the|our)\b|[A-Z]\w*'s ", value):
        return None
    noun = noun_of(value, clause.speaker, clause.them)
    if noun is None or noun.head not in PEOPLE | {"partner"}:
        return None
    return value_claims(noun, found["n"], change=clause.now, sole=clause.sole)


def _valued(noun: Noun, said: str, change: bool, clause: Clause) -> list[Claim]:
    """Return what is claimed by saying that a noun is something: of a known kind, or somewhere."""
    instead = _INSTEAD.match(said)
    if instead:
        said, change = instead["v"], True
    value = said_value(said)
    found = value_claims(noun, value, change=change, sole=clause.sole)
    place = _PLACE.fullmatch(value)
    typed = found and (found[0].attribute != noun.attribute or noun.one_valued)
    if typed or len(value.split()) > 7 or noun.head in PEOPLE or not (place or change):
        return found
    event = noun.head in EVENTS  # which takes place in one place at a time
    where = Claim(
        subject=noun.subject,
        attribute=f"{noun.attribute} (place)",
        value=place["v"] if place else value,
        change=change_if(change),
        sole=clause.sole and event,
    )
    return [where] if place or event else [where, *found]  # "moved to the safe", "changed to MIT": the form is one


def _standing(body: str, clause: Clause) -> list[Claim]:
    """Return the clause as a predicate, which holds or no longer does: "the key rotates every 30 days"."""
    gone = _NO_LONGER.fullmatch(body) if "no longer" in body or "more" in body else None
    body = re.sub(r"\b(?:has|have) been\b", "is", body)
    opposite = _OPPOSITES.get(body.rsplit(" ", 1)[-1].lower())
    parts = body if gone is None else f"{gone['a'] or gone['c']} {gone['b'] or gone['d']}"
    if opposite is not None:
        parts = f"{body.rsplit(' ', 1)[0]} {opposite}"
    words = [word for word in word_stems(parts) if word not in ("is", "are", "am", "does", "do")]
    if not 2 <= len(words) <= 10 or words[0] in _SPOKEN:
        return []
    claim = Claim(
        subject=clause.speaker,
        attribute=PREDICATE + " ".join(words),
        value=parts,
        negated=(gone is not None) != (opposite is not None),
    )
    return [claim, *timed_claims(body, clause.speaker, clause.now), *frame_claims(body, clause.speaker, clause.now)]
