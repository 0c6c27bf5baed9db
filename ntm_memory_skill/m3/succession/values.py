"""What a statement claims, and when two claims cannot both hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ntm_memory_skill.m3.succession.wording import is_chinese, word_stems

Change = Literal["state", "change", "end"]
Slot = tuple[str, str]
"""Subject and attribute: claims of the same slot are about the same thing."""

HOME, EMPLOYER, JOB, PARTNER, STATUS, AGE = "lives in", "works for", "works as", "partner", "is by status", "age"
ADDRESS, CAR, SCHOOL, MAJOR, PLAN, DIET = "address", "car", "school", "major", "plan", "diet"

LONGEST = 300
"""Characters. What is longer tells a story, and holds more than what one later statement can replace."""

SHARED = "user"
"""Whom a text speaks of that names nobody: "I", "my", "the user", and things that are nobody's ("the launch")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that a statement says to be so from then on."""

    subject: str
    """Whose, in small letters: "user", "ann", "user son"."""
    attribute: str
    """What of it: "lives in", "budget kitchen", "launch (weekday)"."""
    value: str = ""
    """As it was said. Empty in an end of whatever was there."""
    change: Change = "state"
    """state: it is so; change: it became so; end: the value is so no longer, and nothing stands in its place."""
    negated: bool = False
    """Where the attribute is a whole predicate ("does like coffee"): that it does not hold."""
    sole: bool = True
    """Whether another value replaces this one by merely being said. If not, it takes a change, or a "now"."""
    year: int | None = None
    """The year that the change is said to have been in."""

    @property
    def slot(self) -> Slot:
        """Claims can only replace each other within a slot."""
        return self.subject, self.attribute


@dataclass(frozen=True, slots=True)
class Statement:
    """A text that somebody said at some time."""

    id: str
    text: str
    at: datetime
    ordinal: int
    """Orders statements of the same time."""
    subject_hint: str | None = None
    """Who says "I" in it, where the text does not say so itself."""


@dataclass(frozen=True, slots=True)
class Succession:
    """One statement holds in another's place."""

    old: str
    """Id of the statement that holds no longer."""
    new: str
    reason: str
    """In plain words."""


def change_if(said_so: bool) -> Change:
    """Return what kind of claim one is that is said, or not said, to have become so."""
    return "change" if said_so else "state"


def concerning(subject: str, thing: str, value: str, *, ended: bool = False) -> Claim:
    """Return a claim that somebody has to do with something, or no longer has."""
    name = " ".join(word for word in word_stems(thing) if word not in ("the", "my", "our"))
    change: Change = "end" if ended else "state"
    return Claim(
        subject=subject, attribute=f"{CONCERNS}{name}", value="" if ended else value, change=change, sole=False
    )


def differs(one: str, other: str) -> bool:
    """Return whether two values exclude each other: neither says the same as the other, with more or fewer words."""
    first, second = set(word_stems(one)), set(word_stems(other))
    if not first or not second or first <= second or second <= first:
        return False
    if is_chinese(one) and is_chinese(other):
        short, long = sorted(("".join(word_stems(one)), "".join(word_stems(other))), key=len)
        return short not in long
    return True


def can_replace(new: Claim) -> bool:
    """Return whether there may be a claim that this one takes the place of."""
    return new.sole or new.change != "state" or new.negated or new.attribute.startswith(PREDICATE)


def replaces(new: Claim, old: Claim) -> bool:
    """Return whether a claim takes the place of an earlier one of the same slot."""
    if new.slot != old.slot or old.change == "end":
        return False
    if new.negated != old.negated:
        return True
    if new.attribute.startswith(PREDICATE):
        return False
    if new.change == "end":
        return not new.value or not differs(new.value, old.value)
    return (new.sole or new.change == "change") and differs(new.value, old.value)


CONCERNS = "has to do with "
"""How the attribute of a claim begins that only serves to be ended by "switched from U": "has to do with mysql"."""
PREDICATE = "does "
"""How the attribute of a claim begins that is a predicate, held or not: "does like coffee"."""


def reason_of(new: Claim, old: Claim) -> str:
    """Return in plain words what became of the earlier claim."""
    if new.attribute.startswith(CONCERNS):
        return f"no longer: {old.value}"
    if new.attribute.startswith(PREDICATE):
        return f"{'no longer' if new.negated else 'again'}: {old.value}"
    if new.change == "end":
        return f"{new.attribute}: no longer {old.value}"
    return f"{new.attribute}: {old.value} -> {new.value}"
