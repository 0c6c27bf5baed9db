"""Which of many statements hold in the place of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ntm_memory_skill.m3.succession.claiming import claims
from ntm_memory_skill.m3.succession.traces import may_claim, traces_against
from ntm_memory_skill.m3.succession.values import (
    Claim,
    Slot,
    Statement,
    Succession,
    can_replace,
    reason_of,
    replaces,
)


def succeeds(new_claims: Sequence[Claim], old_claims: Sequence[Claim]) -> str | None:
    """Return in plain words why a statement holds in the place of an earlier one, or None where it does not."""
    for new in new_claims:
        for old in old_claims:
            if replaces(new, old):
                return reason_of(new, old)
    return None


def find_successions(
    statements: Iterable[Statement], on_each: Callable[[], None] | None = None
) -> tuple[Succession, ...]:
    """Return which statements were replaced, each by the first later one that replaces it.

    Statements are taken in the order of their times, then ordinals. Cost grows with the number of statements and of
    claims that hold beside each other in a slot, not with the number of pairs.

    Args:
        statements: In any order.
        on_each: Called before each is read. It may raise: the place to look at a budget of time.
    """
    holding: dict[Slot, list[tuple[str, Claim]]] = {}
    replaced: dict[str, Succession] = {}
    for statement in sorted(statements, key=lambda one: (one.at, one.ordinal)):
        if on_each is not None:
            on_each()
        made = [claim for claim in claims(statement.text, statement.subject_hint) if _is_recent(claim, statement)]
        for claim in made:
            slot = holding.setdefault(claim.slot, [])
            for old_id, old in slot:
                if old_id != statement.id and replaces(claim, old):
                    replaced.setdefault(old_id, Succession(old_id, statement.id, reason_of(claim, old)))
            slot[:] = [held for held in slot if held[0] == statement.id or not replaces(claim, held[1])]
            slot.append((statement.id, claim))
    return tuple(replaced.values())


def successions_of(new: Statement, others: Sequence[Statement]) -> tuple[Succession, ...]:
    """Return the successions that one statement takes part in, among those of them all and in the same order.

    Only statements are read that may contradict it. Where something is replaced, those are read as well that may have
    replaced it before.

    Args:
        new: The one.
        others: Those beside it. Of the same time and ordinal, they come before it.
    """
    made = claims(new.text, new.subject_hint)
    latest = all((one.at, one.ordinal) <= (new.at, new.ordinal) for one in others)
    telling = [claim for claim in made if not latest or can_replace(claim)]
    near = _about(telling, others)
    found = _taking_part(new, near)
    if not found or len(near) == len(others):
        return found
    gone = {each.old for each in found}
    told = [claim for one in near if one.id in gone for claim in claims(one.text, one.subject_hint)]
    return _taking_part(new, _about([*telling, *told], others))


def _about(made: Iterable[Claim], others: Sequence[Statement]) -> list[Statement]:
    """Return the statements that may replace one of some claims, or be replaced by it."""
    sought = list(dict.fromkeys(map(traces_against, made)))
    return [one for one in others if may_claim(one, sought)] if sought else []


def _taking_part(new: Statement, others: Sequence[Statement]) -> tuple[Succession, ...]:
    """Return the successions among statements that one of them takes part in."""
    if not others:
        return ()
    return tuple(each for each in find_successions([*others, new]) if new.id in (each.old, each.new))


def _is_recent(claim: Claim, statement: Statement) -> bool:
    """Return whether a claim is of the time when it was stated: "I moved to Rome in 2010" tells of the past."""
    return claim.year is None or claim.year >= statement.at.year - 1
