"""Reading in hops, against a journey that is worked out in plain loops over lists of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ntm_memory_skill.memnet.hops import MOST_HOPS, Chain, Clues, Column, HopPolicy, Said, Trail, journey

FIELDS = Clues._fields


@dataclass(frozen=True)
class World:
    """Memories that speak for each other."""

    scores: Sequence[float]
    """What each has of its own."""
    says: Sequence[Sequence[float]]
    """What a chain that ends at one says for each other."""
    leads: Sequence[Sequence[bool]]
    """Whether it leads there."""
    admitted: Sequence[bool]

    @property
    def size(self) -> int:
        """How many memories there are."""
        return len(self.scores)

    def weights(self, bonus: Sequence[float]) -> list[float]:
        """Return where the head looks: where the sums are great, and nowhere that may not be seen."""
        return [
            math.exp(score + more) if seen else 0.0
            for score, more, seen in zip(self.scores, bonus, self.admitted, strict=True)
        ]

    def look(self, bonus: Column) -> Column:
        """Return the same as an array."""
        return np.asarray(self.weights(bonus.tolist()), np.float32)

    def read(self, chains: list[Chain]) -> list[Said]:
        """Return what some chains say: each what its last memory says."""
        lasts = [chain[-1] for chain in chains]
        return [Said(np.asarray(self.says[i], np.float32), np.asarray(self.leads[i], np.bool_)) for i in lasts]

    def first(self) -> Column:
        """Return where the head looks before anything is read."""
        return self.look(np.zeros(self.size, np.float32))

    def trail(self) -> Trail:
        """Return the trail of a journey that has not begun."""
        return Trail(self.size, np.asarray(self.admitted, np.bool_))


@st.composite
def worlds(draw: st.DrawFn, least: float = -3.0) -> World:
    """Draw one to seven memories; what one says is a multiple of 1/16, and often nothing."""
    size = draw(st.integers(1, 7))
    amounts = st.just(0.0) | st.integers(int(least * 16), 48).map(lambda number: number / 16)
    row, flags = st.lists(amounts, min_size=size, max_size=size), st.lists(st.booleans(), min_size=size, max_size=size)
    return World(
        scores=[place / 5 for place in draw(st.permutations(range(size)))],
        says=draw(st.lists(row, min_size=size, max_size=size)),
        leads=draw(st.lists(flags, min_size=size, max_size=size)),
        admitted=draw(flags),
    )


@dataclass
class PlainTrail:
    """A trail that keeps everything that was read, and works out all anew each time."""

    world: World
    reads: list[tuple[Chain, float]]
    """Chains and their shares, in the order of reading."""

    def best(self, slot: int) -> tuple[float, Chain]:
        """Return the most that any chain says for a memory, at least 0, and the memories that led there."""
        found, way = 0.0, Chain((slot,))
        for chain, share in self.reads:
            said = share * self.world.says[chain[-1]][slot]
            if self.world.admitted[slot] and slot not in chain and said > found:
                found, way = said, (*chain, slot) if self.world.leads[chain[-1]][slot] else (slot,)
        return found, way

    def bonus(self) -> list[float]:
        """Return it for each memory."""
        return [self.best(slot)[0] for slot in range(self.world.size)]

    def told_apart(self) -> bool:
        """Whether no two offers, and no two weights, are so near that rounding decides between them."""
        offers = [
            [share * self.world.says[chain[-1]][slot] for chain, share in self.reads] for slot in range(self.world.size)
        ]
        weights = [weight for weight in self.world.weights(self.bonus()) if weight > 0]
        return all(apart(each) for each in [weights, *offers])


def apart(numbers: Sequence[float]) -> bool:
    """Return whether numbers above 0 are the same or well apart."""
    ordered = sorted(number for number in numbers if number > 0)
    gaps = [after - before for before, after in pairwise(ordered)]
    return all(gap == 0 or gap > 1e-4 for gap in gaps)


def travelled(world: World, hops: int, beam: int) -> tuple[int, PlainTrail]:
    """Return how many hops a journey makes, and what it read. Worlds where rounding would decide are left out."""
    trail, seen = PlainTrail(world, []), set[Chain]()
    for made in range(1, hops):
        before = trail.bonus()
        weights = world.weights(before)
        assume(len({*weights, 0.0}) == len([weight for weight in weights if weight > 0]) + 1)
        ways = [(weights[slot], trail.best(slot)[1]) for slot in range(world.size) if weights[slot] > 0]
        ahead = sorted((way for way in ways if way[1] not in seen), reverse=True)[:beam]
        trail.reads += [(chain, weight / ahead[0][0]) for weight, chain in ahead]
        assume(trail.told_apart())
        if trail.bonus() == before:
            return made, trail
        seen |= {chain for _, chain in ahead}
    return hops, trail


hops, beams = st.integers(1, MOST_HOPS), st.integers(1, 4)


@given(worlds(), hops, beams)
def test_journey_is_the_one_worked_out_by_hand(world: World, hops: int, beam: int) -> None:
    """As many hops, the same bonus, the same ways, whatever the memories say for each other."""
    made, expected = travelled(world, hops, beam)
    trail = world.trail()
    assert journey(trail, world.first(), world.read, world.look, hops=hops, beam=beam) == made
    np.testing.assert_allclose(trail.bonus, expected.bonus(), rtol=1e-4, atol=1e-5)
    assert trail.bonus.dtype == np.float32
    assert [trail.chain(slot) for slot in range(world.size)] == [expected.best(slot)[1] for slot in range(world.size)]


@given(worlds(), hops, beams)
def test_work_is_bounded_and_no_chain_returns(world: World, hops: int, beam: int) -> None:
    """At most `beam` chains a hop, each read once; none is longer than the hops, nor holds a memory twice."""
    read: list[Chain] = []
    looks: list[Column] = []

    def look(bonus: Column) -> Column:
        looks.append(bonus)
        return world.look(bonus)

    def note(chains: list[Chain]) -> list[Said]:
        assert len(chains) <= beam
        read.extend(chains)
        return world.read(chains)

    trail = world.trail()
    made = journey(trail, world.first(), note, look, hops=hops, beam=beam)
    assert 1 <= made <= hops
    assert len(read) <= (hops - 1) * beam <= hops * beam
    assert len(looks) == made - 1
    assert len(set(read)) == len(read)
    for chain in [*read, *(trail.chain(slot) for slot in range(world.size))]:
        assert len(set(chain)) == len(chain) <= hops
        assert all(world.admitted[slot] for slot in chain) or len(chain) == 1
    for slot in range(world.size):
        assert trail.chain(slot)[-1] == slot


@given(worlds(), beams)
def test_one_hop_changes_nothing(world: World, beam: int) -> None:
    """Nobody looks and nothing is read."""

    def never(_: object) -> Column:
        raise AssertionError("there is no second hop")

    def nobody(_: list[Chain]) -> list[Said]:
        raise AssertionError("there is no second hop")

    trail = world.trail()
    assert journey(trail, world.first(), nobody, never, hops=1, beam=beam) == 1
    assert trail.bonus.tolist() == [0.0] * world.size
    assert [trail.chain(slot) for slot in range(world.size)] == [(slot,) for slot in range(world.size)]


@given(worlds(), st.lists(st.tuples(st.permutations(range(7)), st.integers(1, 3), st.integers(0, 8)), max_size=8))
def test_each_memory_keeps_the_best_that_any_chain_says(world: World, told: list[tuple[list[int], int, int]]) -> None:
    """At least 0, and nothing for what is not admitted or stands in the chain itself; `chain` goes by the best."""
    trail, expected = world.trail(), PlainTrail(world, [])
    for places, length, eighths in told:
        chain = tuple(place for place in places if place < world.size)[:length]
        said = Said(np.asarray(world.says[chain[-1]], np.float32), np.asarray(world.leads[chain[-1]], np.bool_))
        trail.read(chain, said, eighths / 8)
        expected.reads.append((chain, eighths / 8))
        assert trail.bonus.tolist() == expected.bonus()  # eighths of sixteenths have no rounding
        assert trail.bonus.min() >= 0
        for slot in range(world.size):
            assert trail.chain(slot) == expected.best(slot)[1]


@given(worlds(least=0.0), beams)
def test_shares_are_relative_to_the_best_chain_that_was_not_read(world: World, width: int) -> None:
    """Chains come in the order of their weights, as many as are wanted and there, and none a second time."""
    trail, weights = world.trail(), world.weights([0.0] * world.size)
    left = sorted((slot for slot in range(world.size) if weights[slot] > 0), key=lambda slot: -weights[slot])
    while left:
        ahead = trail.ahead(world.look(trail.bonus * 0), width)
        assert [chain for chain, _ in ahead] == [(slot,) for slot in left[:width]]
        assert [share for _, share in ahead] == pytest.approx(
            [weights[slot] / weights[left[0]] for slot in left[:width]]
        )
        for chain, share in ahead:
            trail.read(chain, Said(np.zeros(world.size, np.float32), np.zeros(world.size, np.bool_)), share)
        left = left[width:]
    assert trail.ahead(world.look(trail.bonus * 0), width) == []


def told(size: int, says: dict[int, float], leads: set[int]) -> Said:
    """Return what a chain says, by slot."""
    support, there = np.zeros(size, np.float32), np.zeros(size, np.bool_)
    support[list(says)] = list(says.values())
    there[list(leads)] = True
    return Said(support, there)


def test_memory_goes_by_the_chain_that_said_the_best_for_it() -> None:
    """A later and better chain takes the place of an earlier one; a weaker one leaves it alone."""
    trail = Trail(4, np.ones(4, np.bool_))
    trail.read((0,), told(4, {3: 1.0}, {3}), 1.0)
    assert trail.chain(3) == (0, 3)
    trail.read((0, 1), told(4, {3: 4.0}, {3}), 0.5)
    assert trail.chain(3) == (0, 1, 3)
    trail.read((2,), told(4, {3: 1.5}, {3}), 1.0)
    assert trail.chain(3) == (0, 1, 3)
    assert trail.bonus.tolist() == [0, 0, 0, 2]


def test_memory_for_which_the_question_s_words_alone_speak_is_a_chain_of_its_own() -> None:
    """Its bonus counts, but nothing led there; a chain that leads, and says more, does."""
    trail = Trail(3, np.ones(3, np.bool_))
    trail.read((0,), told(3, {2: 1.0}, {2}), 1.0)
    trail.read((1,), told(3, {2: 2.0}, set()), 1.0)
    assert (trail.chain(2), trail.bonus[2]) == ((2,), 2)
    trail.read((0, 1), told(3, {2: 3.0}, {2}), 1.0)
    assert (trail.chain(2), trail.bonus[2]) == ((0, 1, 2), 3)


def test_cycle_of_memories_ends() -> None:
    """Each says the next one, the last says the first: the chain goes round once."""
    around = World(
        scores=[1.0, 0.0, 0.0],
        says=[[0, 9, 0], [0, 0, 9], [9, 0, 0]],
        leads=[[True] * 3] * 3,
        admitted=[True] * 3,
    )
    trail, read = around.trail(), list[Chain]()

    def note(chains: list[Chain]) -> list[Said]:
        read.extend(chains)
        return around.read(chains)

    assert journey(trail, around.first(), note, around.look, hops=50, beam=1) < 50
    assert read == [(0,), (0, 1), (0, 1, 2), *read[3:]]
    assert all(len(set(chain)) == len(chain) for chain in read)
    assert trail.chain(1) == (0, 1)


@pytest.mark.parametrize("beam", [1, 3, 16])
@pytest.mark.parametrize("amount", [0.0, -1.0])
def test_journey_ends_where_nobody_has_anything_more_to_say(beam: int, amount: float) -> None:
    """The first hop alone was made, and nobody looks again."""
    quiet = World([1.0, 0.5], [[amount, amount]] * 2, [[True] * 2] * 2, [True] * 2)
    trail = quiet.trail()

    def never(_: Column) -> Column:
        raise AssertionError("nothing was found")

    assert journey(trail, quiet.first(), quiet.read, never, hops=4, beam=beam) == 1
    assert trail.bonus.tolist() == [0, 0]
    assert (trail.chain(0), trail.chain(1)) == ((0,), (1,))


def test_memory_without_any_weight_has_nothing_to_read_on_from() -> None:
    """Nor has one without memories."""
    for size in (0, 3):
        nothing = np.zeros(size, np.float32)
        assert Trail(size, np.zeros(size, np.bool_)).ahead(nothing, 2) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", FIELDS)
def test_weight_that_is_no_finite_number_is_refused_by_name(field: str, bad: float) -> None:
    """Only the one that is wrong is named."""
    with pytest.raises(ValueError, match=field) as caught:
        HopPolicy(**{field: bad})
    assert [name for name in FIELDS if name in str(caught.value)] == [field]


def test_all_wrong_weights_are_named_at_once() -> None:
    """Not the first alone; any finite number is a weight, below 0 too."""
    with pytest.raises(ValueError, match=r"words.*linked"):
        HopPolicy(words=math.nan, linked=-math.inf)
    assert HopPolicy(joint=-2.0, named=0.0).joint == -2


def columns(size: int) -> st.SearchStrategy[Clues]:
    """Return clues whose numbers have no rounding."""
    quarters = st.integers(-20, 20).map(lambda number: number / 4)
    column = st.lists(quarters, min_size=size, max_size=size).map(lambda row: np.asarray(row, np.float32))
    return st.tuples(*[column] * len(FIELDS)).map(lambda rows: Clues(*rows))


@given(columns(4), st.lists(st.integers(-8, 8), min_size=5, max_size=5))
def test_contributions_are_products(clues: Clues, eighths: list[int]) -> None:
    """Of a clue and its own weight; the clues stay as they were."""
    weights = {name: number / 8 for name, number in zip(FIELDS, eighths, strict=True)}
    before = {name: values.tolist() for name, values in clues._asdict().items()}
    made = HopPolicy(**weights).contributions(clues)._asdict()
    for name in FIELDS:
        assert made[name].tolist() == [weights[name] * value for value in before[name]]
        assert made[name].dtype == np.float32
        assert clues._asdict()[name].tolist() == before[name]


@given(columns(4), st.integers(0, 8), st.lists(st.booleans(), min_size=4, max_size=4))
def test_what_a_chain_says_is_the_sum_of_its_clues(clues: Clues, quarters: int, lower: list[bool]) -> None:
    """Times σ; it leads to what stands lower and has more for it than the question's other words."""
    said = Said.of(clues, quarters / 4, np.asarray(lower, np.bool_))
    rows = [values.tolist() for values in clues]
    totals = [sum(row[slot] for row in rows) for slot in range(4)]
    assert said.support.tolist() == [quarters / 4 * total for total in totals]
    assert said.support.dtype == np.float32
    more = [sum(row[slot] for row in rows[1:]) > 0 for slot in range(4)]
    assert said.leads.tolist() == [below and beyond for below, beyond in zip(lower, more, strict=True)]


@given(worlds(), hops, beams, st.data())
def test_claims_make_the_same_bonus_again(world: World, hops: int, beam: int, data: st.DataObject) -> None:
    """Whatever weights they are given, as long as none is negative; all else about the journey stays as it was."""
    weights = np.asarray(data.draw(st.lists(st.integers(0, 8), min_size=5, max_size=5)), np.float32) / 8
    assume(weights.any())
    clues: dict[Chain, Clues] = {}

    def read(chains: list[Chain]) -> list[Said]:
        found = []
        for chain in chains:
            rows = [[amount * (place % 3 - 0.5) for amount in world.says[chain[-1]]] for place in range(5)]
            clues[chain] = Clues(*np.asarray(rows, np.float32))
            support = weights @ np.stack(clues[chain])
            found.append(Said(support, np.asarray(world.leads[chain[-1]], np.bool_)))
        return found

    trail = world.trail()
    journey(trail, world.first(), read, world.look, hops=hops, beam=beam)
    for chain, columns in clues.items():
        for values in columns:
            values[list(chain)] = 0
    claims = trail.claims(clues)
    bonus = [0.0] * world.size
    for slot, share, said in zip(*claims, strict=True):
        assert world.admitted[slot]
        assert said.max() > 0
        bonus[slot] = max(bonus[slot], float(share * (weights @ said)))
    np.testing.assert_allclose(trail.bonus, bonus, rtol=1e-4, atol=1e-5)


def test_journey_that_was_not_begun_claims_nothing() -> None:
    """Arrays without an entry."""
    slots, shares, clues = Trail(3, np.ones(3, np.bool_)).claims({})
    assert (slots.shape, shares.shape, clues.shape) == ((0,), (0,), (0, 5))
