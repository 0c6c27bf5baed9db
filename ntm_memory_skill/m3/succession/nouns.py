"""English noun phrases that have one value at a time: whose they are, what they are called, what may be said of them.

"my new phone number", "the kitchen budget", "the budget for the kitchen", "Bob's wife": the owner becomes the subject
of a claim, the words its attribute, in one order and without those that tell nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ntm_memory_skill.m3.succession.moments import amount_of, moment_of
from ntm_memory_skill.m3.succession.values import ADDRESS, EMPLOYER, JOB, PARTNER, SHARED, Change, Claim, change_if
from ntm_memory_skill.m3.succession.wording import stem, words_of

PEOPLE = set(
    "boss manager supervisor ceo cto cfo president landlord landlady doctor gp dentist therapist "
    "psychologist psychiatrist "
    "vet lawyer accountant coach trainer tutor roommate flatmate partner wife husband girlfriend "
    "boyfriend fiance fiancee "
    "spouse lead leader owner chairman principal secretary assistant mentor advisor adviser captain teacher "
    "maintainer director designer developer engineer nanny babysitter gardener cleaner architect realtor "
    "broker agent".split()
)
_PARTNERS = set("partner wife husband girlfriend boyfriend fiance fiancee spouse".split())
_PROPER = set(
    "school university college bank employer company insurer provider operator car hometown city country team club "
    "gym hospital laptop computer tablet bike motorcycle camera printer router room airline".split()
)
_AMOUNTS = set(
    "budget price cost rent salary wage income weight height limit dose dosage fee deposit headcount capital port age "
    "revenue temperature score rate speed quota target size".split()
)
_TIMES = set("deadline date appointment birthday anniversary".split())
_TEXTS = set(
    "name nickname surname codename colour status owner version branch major job role position title "
    "occupation profession "
    "theme topic language timezone currency priority location venue address username handle domain url host os browser "
    "editor database framework model brand slogan plan diet plate code id extension account seat assignee".split()
)
_GIVES_WAY = set("date day time location venue place price cost address room".split())
"""Heads that tell what kind of value follows, which its form tells as well: "the launch date is 9 May"."""
_PLACES = set("location venue place room".split())
_SILENT = set(
    "the a an my our your his her their its this that these those user's new current present latest upcoming next old "
    "main actual default of for to in at on with from own regular weekly daily current official".split()
)
_NAMES = {
    "mobile": "phone",
    "cell": "phone",
    "cellphone": "phone",
    "telephone": "phone",
    "favorite": "favourite",
    "color": "colour",
    "e-mail": "email",
    "wi-fi": "wifi",
    "movie": "film",
    "wage": "salary",
    "passcode": "password",
}
FAVOURITE = stem("favourite")
_CONTACTS = set("phone email password passphrase pin passcode".split())
_OPINION = re.compile(
    r"(?:(?:so|very|really|pretty|quite|too|super|such|not|no|a bit|a lot|kind of|always|never|also|being|"
    r"getting|going|"
    r"coming|about|what|when|how|why|that|to|on|in|at|for|with|from|like|because|by|under|over|up|out|off|all|one|"
    r"you|he|she|it|they|we|i|there|here|just|still|working|doing|looking)\b|"
    r"(?:nice|great|good|bad|best|better|worse|important|beautiful|amazing|awesome|hard|easy|cool|fun|stressful|broken|"
    r"busy|fine|ok|okay|strict|happy|sad|sick|ill|wrong|right|correct|secret|same|unknown|different|tight|"
    r"big|small|high|"
    r"low|late|early|ready|done|over|lovely|wonderful|incredible|perfect|unique|special|funny|weird|"
    r"strong|weak|safe)\b)",
    re.IGNORECASE,
)
NAME = r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][\w'&.-]*(?: (?:[A-Z][\w'&.-]*|[a-z]{2} (?=[A-Z])|of (?=[A-Z])|\d+))*"
_PROPER_NAME = re.compile(rf"(?:an? |the )?{NAME}")
_FAVOURITES_OF_A_MOMENT = set("part thing memory moment way time aspect bit one day".split())
_ADDITIONAL = set("second third another other extra additional old former previous ex first last".split())
_HEAD_END = re.compile(r"\s(?:of|for|with|to|from|in|at|on)\s", re.IGNORECASE)
_OWNER = re.compile(r"(?:(?P<user>(?:the )?user)|(?P<name>[A-Z][\w-]*))'s? (?P<rest>.+)", re.IGNORECASE)


_KNOWN: dict[tuple[str, ...], str] = {
    **{(stem(word),): JOB for word in "job occupation profession position role".split()},
    **{(stem(word),): EMPLOYER for word in "employer company".split()},
}


class Noun(NamedTuple):
    """A noun phrase."""

    subject: str
    """Whose it is."""
    words: tuple[str, ...]
    """What tells it from others, sorted."""
    head: str
    """The word that the others describe."""
    said: str

    @property
    def attribute(self) -> str:
        """How it is named in a claim."""
        return _KNOWN.get(self.words, " ".join(self.words))

    @property
    def one_valued(self) -> bool:
        """Whether it is known to have one value at a time, whatever that is."""
        known = PEOPLE | _PROPER | _AMOUNTS | _TIMES | _TEXTS | _CONTACTS
        return self.head in known or FAVOURITE in self.words


def noun_of(text: str, speaker: str, them: str | None = None) -> Noun | None:
    """Return the noun phrase that a text is, or None where it is none, or one that names something further.

    Args:
        text: The words, case as said.
        speaker: Who "my" is.
        them: Who "his", "her" or "their" is, if known.
    """
    owned = _owned(text.strip(), speaker, them)
    if owned is None:
        return None
    subject, rest = owned
    words = [_NAMES.get(word.removesuffix("'s"), word.removesuffix("'s")) for word in words_of(rest)]
    if not 1 <= len(words) <= 8 or not (_ADDITIONAL | _NO_NOUN).isdisjoint(words):
        return None
    first = [_NAMES.get(word, word) for word in words_of(_HEAD_END.split(f"{rest} ")[0])]
    telling = [word for word in words if word not in _SILENT]
    if len(telling) > 1 and first and telling[-1] == first[-1] == "number":
        telling, first = telling[:-1], first[:-1]
    if not telling or not first:
        return None
    telling, head = _named(telling, first[-1])
    stems = {stem(word) if word != ADDRESS else word for word in telling}
    return Noun(subject, tuple(sorted(stems)), head, text.strip())


def _owned(text: str, speaker: str, them: str | None) -> tuple[str, str] | None:
    """Return whose something is, and what; None where nobody knows whose."""
    low, owner = text.lower(), _OWNER.fullmatch(text)
    if low.startswith("my "):
        return speaker, text
    if low.startswith(("his ", "her ", "their ")):
        return None if them is None else (them, text)
    if low.startswith(("your ", "its ")):
        return None
    if owner and owner["user"]:
        return SHARED, owner["rest"]
    if owner and owner["name"][0].isupper():
        return owner["name"].lower(), owner["rest"]
    return SHARED, text


def _named(telling: list[str], head: str) -> tuple[list[str], str]:
    """Return what tells a noun from others, and its head, under the names that one thing has in common."""
    if telling == ["number"]:
        return ["phone"], "phone"
    if "email" in telling and head == ADDRESS:
        return [word for word in telling if word != ADDRESS], "email"
    if head in _PARTNERS:
        return [PARTNER if word == head else word for word in telling], PARTNER
    if sorted(telling) == [ADDRESS, "home"]:
        return [ADDRESS], ADDRESS
    if len(telling) > 1 and head in _GIVES_WAY:
        return [word for word in telling if word != head], head
    return telling, head


_NO_NOUN = set(
    "i you he she it they we there what who which where when how why if and or but is are was were be "
    "been has have had do "
    "does did not no so because than then as like one's some any every each all both most many more".split()
)


def value_claims(noun: Noun, value: str, *, change: bool, sole: bool = True) -> list[Claim]:
    """Return what is claimed by saying that a noun is something.

    Args:
        noun: What is spoken of.
        value: What it is said to be.
        change: Whether it is said to have become so.
        sole: Whether the statement admits no other value beside.
    """
    value = re.sub(r"^(?:for|number|no\.) (?=\d)", "", value.strip(" ,.;!"))
    kind = change_if(change)
    moment = moment_of(value)
    if noun.head not in PEOPLE | _CONTACTS and _only_moment(moment.rest):
        timed = _moments(noun, moment, value, kind, sole)
        if timed:
            return timed
    amount = amount_of(value)
    if amount and noun.head not in PEOPLE | _CONTACTS | {"address"} and FAVOURITE not in noun.words:
        number, unit = amount
        attribute = f"{noun.attribute} (amount)" if unit in ("", "k", "m") else f"{noun.attribute} (in {unit})"
        return [Claim(subject=noun.subject, attribute=attribute, value=number, change=kind, sole=sole)]
    if noun.head == "phone" and _DEVICE.fullmatch(value):
        return [Claim(subject=noun.subject, attribute="phone (device)", value=value, change=kind, sole=sole)]
    if _accepts(noun, value, change):
        known = sole and noun.one_valued
        where = noun.head in _PLACES and noun.attribute != stem(noun.head)
        name = f"{noun.attribute} (place)" if where else noun.attribute
        return [Claim(subject=noun.subject, attribute=name, value=value, change=kind, sole=known)]
    return []


def ended(noun: Noun) -> list[Claim]:
    """Return what is claimed by saying that something does not take place, or is no more."""
    parts = ("weekday", "date", "clock", "place")
    names = [f"{noun.attribute} ({part})" for part in parts] + [noun.attribute]
    return [Claim(subject=noun.subject, attribute=name, change="end") for name in names]


def _moments(noun: Noun, moment: tuple[str, ...], value: str, kind: Change, sole: bool) -> list[Claim]:
    found = []
    for part, said in zip(("weekday", "date", "clock"), moment[:3], strict=True):
        name = f"{noun.attribute} ({part})"
        if said:
            found.append(Claim(subject=noun.subject, attribute=name, value=said, change=kind, sole=sole))
        elif kind == "change" and part != "clock" and any((*moment[:2], moment[3])):
            found.append(Claim(subject=noun.subject, attribute=name, change="end"))
    if moment[3] and not found and kind == "change":
        found.append(Claim(subject=noun.subject, attribute=f"{noun.attribute} (date)", value=value, change="end"))
    return found


_BESIDE_A_MOMENT = re.compile(
    r"(?:\s|,|\b(?:on|at|in|for|to|until|the|from|every|each|due|set|scheduled|of|this|next|coming|"
    r"mornings?|afternoons?|"
    r"evenings?|nights?|by|sharp|o'clock|early|end|beginning|and|per|week)\b|到|在|是|定|的|了|开始|[,，])*",
    re.IGNORECASE,
)


def _only_moment(rest: str) -> bool:
    return _BESIDE_A_MOMENT.fullmatch(rest) is not None


def _accepts(noun: Noun, value: str, change: bool) -> bool:
    """Return whether a value can be what such a noun is, rather than what somebody thinks of it."""
    words, head = value.split(), noun.head
    told = head in ("status", "priority") and len(words) == 1
    formed = head not in _FORMED and _PARTICIPLE.fullmatch(value) is not None
    if not 1 <= len(words) <= 6 or formed or (_OPINION.match(value) and not told):
        return False
    if head in _CONTACTS:
        return _CONTACT_FORMS.get(head, _WORD).fullmatch(value) is not None
    if head in PEOPLE or head in _PROPER:
        return _PROPER_NAME.fullmatch(value) is not None
    if FAVOURITE in noun.words:
        return _FAVOURITES_OF_A_MOMENT.isdisjoint(noun.words) and len(noun.words) > 1
    return head not in _AMOUNTS | _TIMES and (head in _TEXTS or _is_a_thing(noun, value, change))


def _is_a_thing(noun: Noun, value: str, change: bool) -> bool:
    """Return whether a noun of no known kind is said to be a thing or a name, which another one can replace."""
    named = noun.said.lower().startswith(("my ", "our ", "the ")) or "'s " in noun.said
    short = len(value.split()) <= 4 and noun.head not in _MULTIPLE
    return named and short and (change or _THING.match(value) is not None or _DESCRIBED.search(value) is None)


_CONTACT_FORMS = {"phone": re.compile(r"[^a-z]*(?:\d[^a-z]*){3,}", re.IGNORECASE), "email": re.compile(r".*@.*")}
_WORD = re.compile(r"\S+")


_FORMED = set("status colour name codename theme favourite language".split())
_PARTICIPLE = re.compile(r"\w{2,}(?:ing|ed)", re.IGNORECASE)
_DESCRIBED = re.compile(r"(?:ful|ous|ive|able|ible|ish|less|ed|ing|en|ly|y|al|ic|er)$|\s", re.IGNORECASE)
"""A word that may describe a thing, rather than name one."""
_DEVICE = re.compile(rf"an? {NAME}")
_THING = re.compile(r"(?:an?|the) |[A-Z\d]")
_MULTIPLE = set(
    "friend brother sister son daughter child kid cousin pet dog cat hobby goal dream mother father mom "
    "mum dad aunt uncle "
    "grandmother grandfather grandma grandpa family day life heart job work colleague neighbour neighbor".split()
)
