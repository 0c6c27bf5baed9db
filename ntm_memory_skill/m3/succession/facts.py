"""What is said in English of a person that has one value at a time: home, work, partner, age and the like."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from ntm_memory_skill.m3.succession.nouns import NAME
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
    STATUS,
    Change,
    Claim,
    change_if,
)

_OCCUPATIONS = (
    r"(?:teacher|nurse|doctor|lawyer|engineer|developer|designer|programmer|architect|manager|director|"
    r"chef|cook|waiter|waitress|"
    r"barista|driver|pilot|plumber|electrician|carpenter|mechanic|dentist|vet|pharmacist|therapist|"
    r"psychologist|surgeon|"
    r"accountant|analyst|consultant|scientist|researcher|professor|lecturer|tutor|librarian|journalist|editor|"
    r"translator|interpreter|photographer|realtor|salesman|saleswoman|cashier|clerk|secretary|assistant|receptionist|"
    r"banker|broker|police officer|policeman|firefighter|soldier|farmer|baker|butcher|tailor|hairdresser|barber|"
    r"freelancer|contractor|student|intern|apprentice|paralegal|biologist|chemist|physicist|economist|"
    r"tester|administrator|"
    r"team lead|tech lead|cto|ceo|cfo|vice president|flight attendant|social worker|trainee|postdoc|recruiter|"
    r"paramedic|midwife|optician|janitor|guard|bartender|zookeeper|estate agent|supervisor|foreman|head of [a-z]+)"
)
_OCCUPATION = re.compile(rf"(?:an? |the )?(?:[\w-]+ ){{0,3}}{_OCCUPATIONS}", re.IGNORECASE)
_PROPER = re.compile(rf"(?:the )?{NAME}")
_ADDRESS = re.compile(r"(?:number )?\d+[a-z]?,? [A-Z].*|.* (?:street|road|avenue|lane|drive|boulevard) \d+", re.I)
_PLACE_NOUN = re.compile(
    r"(?:the )?(?:city|countryside|suburbs|coast|seaside|mountains|city cent(?:re|er)|downtown)", re.I
)
_STAYS = r"(?:home|weekends?|night|nights|school|present|first|once|least|last|all)\b"
_WORKPLACE = re.compile(
    rf"{NAME}|(?!{_STAYS})(?:the |an? )?(?:[\w-]+ ){{0,3}}(?:company|hospital|school|bank|library|"
    rf"university|startup|firm|bakery|caf[eé]|"
    r"restaurant|shop|store|office|agency|factory|clinic|museum|hotel|lab|studio|bookstore|supermarket|airport|zoo)",
)
_WAYS = r"(?:drives?|cycles?|bikes?|walks?|runs?|rides? .+|takes? .+|commutes? by .+|go(?:es)? by .+)"
_DEPARTMENTS = set(
    "marketing sales finance hr engineering support legal operations it research accounting product design procurement "
    "logistics purchasing development security compliance".split()
)
_DIETS = r"(?:vegan|vegetarian|pescatarian|keto|paleo|gluten[- ]free|low[- ]carb|mediterranean|carnivore|omnivore)"
_TAIL = re.compile(
    r",.*$|\s(?:with|because|since|when|where|which|who|that|after|before|until|for|and|but|so|as (?:of|"
    r"soon|long|well)|last|yesterday|today|this|during|"
    r"a (?:few|couple)|(?:\w+ )?(?:days?|weeks?|months?|years?) ago|due|thanks|in (?:\d{4}|january|"
    r"february|march|april|may|june|july|"
    r"august|september|october|november|december)|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|to be|to "
    r"(?:live|study|work|start|"
    r"take|get))\b.*$",
    re.IGNORECASE,
)


def _named(value: str) -> bool:
    return _PROPER.fullmatch(value) is not None


def _is_home(value: str) -> bool:
    return _named(value) or _PLACE_NOUN.fullmatch(value) is not None


def _is_workplace(value: str) -> bool:
    return _WORKPLACE.fullmatch(value) is not None


def _is_occupation(value: str) -> bool:
    return _OCCUPATION.fullmatch(value) is not None


def _is_role(value: str) -> bool:
    return len(value.split()) <= 5 and not value.startswith(
        ("well", "hard", "part of", "usual", "much", "long", "far", "soon")
    )


def _is_department(value: str) -> bool:
    return value.lower() in _DEPARTMENTS


def _anything(value: str) -> bool:
    return 0 < len(value.split()) <= 5


class PersonRule(NamedTuple):
    """What the words after a subject claim."""

    pattern: str
    """Of all of them, after `_BEFORE`. It is compiled when it is first needed."""
    attributes: tuple[str, ...]
    change: Change
    value: str | None = None
    """What is claimed; None: what the pattern's group v holds; empty: nothing in particular."""
    accepts: Callable[[str], bool] = _anything
    sole: bool = True


def _rule(pattern: str, attributes: str, change: Change, value: str | None = None, **more: object) -> PersonRule:
    return PersonRule(pattern, tuple(attributes.split("|")), change, value, **more)  # type: ignore[arg-type]  # keywords pass through


_BEFORE = r"(?:have |has )?(?:been )?"
_AM = r"(?:am|is|are)"
_BECAME = (
    r"(?:became|become|got promoted to|was promoted to|were promoted to|been promoted to|promoted to|got a "
    r"promotion to)"
)
PERSON_RULES = (
    _rule(
        rf"(?:lives?|resides?|{_AM} (?:living|based|settled)|settled)(?: (?:over|down|up|out|here))? (?:in|"
        rf"at|on) (?P<v>.+)",
        HOME,
        "state",
        accepts=_is_home,
    ),
    _rule(r"(?:lives?|am living|is living|are living) with .+ in (?P<v>.+)", HOME, "state", accepts=_is_home),
    _rule(r"lives? (?:on|at) .+ in (?P<v>.+)", HOME, "state", accepts=_is_home),
    _rule(
        r"(?:moved|relocated|emigrated|transferred)(?: house| flat| back| over| out| away| home)?(?: from "
        r".+?)?(?: (?:to|into|in|back to)) (?P<v>.+)",
        HOME,
        "change",
        accepts=_is_home,
    ),
    _rule(
        r"(?:rents?|am renting|is renting) (?:an? )?(?:\w+ )?(?:flat|apartment|house|room|place|studio) in (?P<v>.+)",
        HOME,
        "state",
        accepts=_is_home,
    ),
    _rule(r"settled in (?P<v>.+)", HOME, "change", accepts=_is_home),
    _rule(
        rf"(?:works?|{_AM} working|{_AM} employed)(?: as .+?)? (?:for|at|with|by) (?:.+ (?:called|named) )?(?P<v>.+)",
        EMPLOYER,
        "state",
        accepts=_is_workplace,
    ),
    _rule(
        r"(?:joined|started(?: (?:working|work|a (?:new )?(?:job|role|position)))? (?:at|for|with)|got a "
        r"(?:new )?job (?:at|with)|moved to work (?:at|for)|left .+ for) (?P<v>.+?)(?: as .+)?",
        EMPLOYER,
        "change",
        accepts=_is_workplace,
    ),
    _rule(
        r"(?:started|got|found|landed|accepted|have|has) (?:a|my) new job(?: (?:at|with) (?P<v>.+))?",
        EMPLOYER,
        "change",
        accepts=_is_workplace,
    ),
    _rule(
        r"(?:left|quit|resigned from|(?:got|was|were) (?:fired|laid off) (?:from|by)|(?:am |is |are )?no "
        r"longer (?:works? )?(?:for|at|with)) (?P<v>.+)",
        EMPLOYER,
        "end",
        accepts=_is_workplace,
    ),
    _rule(r"(?:do|does) not work (?:at|for) (?P<v>.+?) any ?more", EMPLOYER, "end", accepts=_is_workplace),
    _rule(
        r"(?:quit|left|lost|resigned from) (?:my|his|her|their|the) (?:\w+ )?job.*", f"{EMPLOYER}|{JOB}|job", "end", ""
    ),
    _rule(
        r"(?:quit|resigned|retired|(?:got|was|were) (?:fired|laid off|made redundant))(?: (?:from work|"
        r"last \w+|this \w+|today|yesterday|in \w+|early))?",
        f"{EMPLOYER}|{JOB}|job",
        "end",
        "",
    ),
    _rule(
        rf"{_AM} (?:retired|unemployed|out of (?:work|a job)|jobless|between jobs)",
        f"{EMPLOYER}|{JOB}|job",
        "change",
        "no work",
    ),
    _rule(r"(?:works?|am working|is working|are working|started working) as (?P<v>.+)", JOB, "state", accepts=_is_role),
    _rule(
        rf"{_AM} (?P<v>(?:an? |the ).+?)(?: (?:at|for|in|with) .+)?", JOB, "state", accepts=_is_occupation, sole=False
    ),
    _rule(
        rf"{_AM} (?:an? |the )?(?:[\w-]+ ){{0,3}}{_OCCUPATIONS} (?:at|for|with) (?P<v>.+)",
        EMPLOYER,
        "state",
        accepts=_is_workplace,
    ),
    _rule(rf"(?:{_AM} on|uses?|runs?) version (?P<v>[\w.]+)", "version (amount)", "state"),
    _rule(r"meets? (?:up )?(?:at|in) (?P<v>[A-Z].*)", "meets at", "state"),
    _rule(rf"{_BECAME} (?P<v>.+)", JOB, "change", accepts=_is_occupation),
    _rule(
        rf"{_AM} (?:dating|seeing|going out with|in a relationship with|engaged to|married to) (?P<v>.+)",
        PARTNER,
        "state",
        accepts=_named,
    ),
    _rule(
        r"(?:started (?:dating|seeing)|got (?:engaged|married) to|married) (?P<v>.+)", PARTNER, "change", accepts=_named
    ),
    _rule(rf"{_AM} (?P<v>single|divorced|widowed)", STATUS, "state"),
    _rule(rf"{_AM} (?P<v>married|engaged)(?: (?:to|with) .+)?", STATUS, "state"),
    _rule(rf"{_AM} (?P<v>dating|in a relationship)(?: (?:with )?.+)?", STATUS, "state"),
    _rule(r"got (?P<v>married|engaged|divorced)(?: (?:to|from|with) .+)?(?: .*)?", STATUS, "change"),
    _rule(r"(?:have|has|got|found) a (?:new )?(?:girlfriend|boyfriend|partner)", STATUS, "state", "in a relationship"),
    _rule(
        r"(?:broke up|split up|separated|got divorced|divorced|am divorced|is divorced|are divorced)(?: "
        r"(?:(?:with|from) )?(?P<v>.+))?",
        PARTNER,
        "end",
        accepts=_named,
    ),
    _rule(rf"{_AM} single.*", PARTNER, "end", ""),
    _rule(rf"{_AM} (?P<v>\d{{1,3}}|[a-z]+(?:-[a-z]+)?)(?: years? old| years? of age)", AGE, "state"),
    _rule(rf"{_AM} (?P<v>\d{{1,2}})", AGE, "state"),
    _rule(r"turned (?P<v>\d{1,3})(?: (?:today|yesterday|on|in|last|this|a|two|three)\b.*)?", AGE, "change"),
    _rule(r"(?:drives?|am driving|is driving) (?P<v>(?:an? |the |my )?[A-Z].*)", CAR, "state", accepts=_named),
    _rule(
        r"(?:bought|got|leased) (?:an? )(?:new |used )?(?P<v>[A-Z].*?)(?: (?:instead|car))?",
        CAR,
        "change",
        accepts=_named,
        sole=False,
    ),
    _rule(r"sold (?:my|the|our|his|her|their) car", CAR, "end", ""),
    _rule(r"(?:sold|got rid of|traded in) (?:my|the|our|his|her|their) (?P<v>.+)", CAR, "end", accepts=_named),
    _rule(
        r"(?:goes|go|attends?|transferred|switched|changed|moved|is going|studies|study) (?:(?:to|at) "
        r")?(?P<v>.+ (?:school|college|university|academy|high|elementary|kindergarten))",
        SCHOOL,
        "state",
    ),
    _rule(rf"{_AM} majoring in (?P<v>.+)", MAJOR, "state"),
    _rule(rf"(?P<v>{_WAYS}) to (?:work|the office)", "way to work", "state"),
    _rule(rf"(?P<v>{_WAYS}) to (?:school|uni|college)", "way to school", "state"),
    _rule(rf"{_AM} on (?:the |an? )?(?P<v>.+?) shift", "shift", "state"),
    _rule(r"works? in (?:the )?(?P<v>[\w ]+?)(?: department| team)?", "department", "state", accepts=_is_department),
    _rule(
        r"(?:moved|switched|transferred|changed) to (?:the )?(?P<v>[\w ]+?)(?: department| team)?",
        "department",
        "change",
        accepts=_is_department,
    ),
    _rule(r"stud(?:y|ies) (?P<v>[a-z ]+?)(?: (?:at|in) .+)?", MAJOR, "state", sole=False),
    _rule(rf"{_AM} on (?:the )?(?P<v>[\w-]+) (?:plan|tier|subscription)", PLAN, "state"),
    _rule(
        r"(?:upgraded|downgraded|switched|changed|moved) (?:from .+? )?to (?:the |an? )?(?P<v>[\w-]+) "
        r"(?:plan|tier|subscription)",
        PLAN,
        "change",
    ),
    _rule(
        rf"(?:{_AM} (?:an? |on (?:the |an? )?)?|eats? |follows? (?:a |the )?|became (?:an? )?|went |turned "
        rf"|switched to (?:a |the )?|started )(?P<v>{_DIETS})(?: diet)?",
        DIET,
        "state",
    ),
)


_FIRST_WORDS = set(
    "live lives reside resides am is are settled moved relocated emigrated transferred work works joined "
    "started got switched left "
    "quit resigned was were no lost retired became become rent rents cycle cycles bike bikes walk walks "
    "take takes ride rides commute commutes promoted married have has been found broke split separated "
    "divorced "
    "turned drive drives bought leased sold traded goes go attend attends changed study studies upgraded "
    "downgraded eat eats "
    "follow follows went do does landed accepted meet meets use uses run runs".split()
)
"""With which one of the rules can begin."""


def fact_claims(body: str, subject: str, now: bool, sole: bool) -> list[Claim]:
    """Return what a clause claims of a person.

    Args:
        body: The clause after its subject.
        subject: Whom it speaks of.
        now: Whether it says that this is so "now".
        sole: Whether it leaves no room for another value beside.
    """
    if body.partition(" ")[0].lower() not in _FIRST_WORDS:
        return []
    found = []
    texts = [text for text in dict.fromkeys((_TAIL.sub("", body), body)) if _any_rule().fullmatch(text)]
    for rule in PERSON_RULES if texts else ():
        values = (_read(rule, text) for text in texts)
        value = next((value for value in values if value is not None), None)
        if value is None:
            continue
        change = change_if(now) if rule.change == "state" else rule.change
        found += [
            Claim(
                subject=subject, attribute=_attribute(name, value), value=value, change=change, sole=rule.sole and sole
            )
            for name in rule.attributes
        ]
    return found + _moved(found)


@cache
def _any_rule() -> re.Pattern[str]:
    """Return the pattern of what at least one of the rules reads: most texts are read by none."""
    rules = "|".join(f"(?:{rule.pattern})" for rule in PERSON_RULES)
    return re.compile(_BEFORE + "(?:" + rules.replace("(?P<v>", "(?:") + ")", re.IGNORECASE)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_BEFORE + pattern, re.IGNORECASE)


def _read(rule: PersonRule, text: str) -> str | None:
    """Return the value that a rule reads in a text, or None where it reads none."""
    match = _compiled(rule.pattern).fullmatch(text)
    if match is None or rule.value is not None:
        return rule.value if match else None
    value = _value(match)
    if not value:
        return value if rule.change == "end" else None
    return value if rule.accepts(value) else None


def _value(match: re.Match[str]) -> str:
    return re.sub(r"^(?:an? |the |my )", "", (match.groupdict().get("v") or "").strip(" .,!"), flags=re.IGNORECASE)


def _attribute(name: str, value: str) -> str:
    return ADDRESS if name == HOME and _ADDRESS.fullmatch(value) else name


def _moved(found: list[Claim]) -> list[Claim]:
    """Return what else ends for those who moved: the address."""
    return [
        Claim(subject=claim.subject, attribute=ADDRESS, change="end")
        for claim in found
        if claim.attribute == HOME and claim.change == "change"
    ][:1]
