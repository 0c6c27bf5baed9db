"""Which of many statements hold in the place of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ntm_memory_skill.m3.succession.claiming import claims
from ntm_memory_skill.m3.succession.values import Claim, Slot, Statement, Succession, reason_of, replaces


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


def _is_recent(claim: Claim, statement: Statement) -> bool:
    """Return whether a claim is of the time when it was stated: "I moved to Rome in 2010" tells of the past."""
    return claim.year is None or claim.year >= statement.at.year - 1
