"""Links between memories, against the rule worked out over a plain dict of pairs."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ntm_memory_skill.m3.synapses import LEAST_WEIGHT, MOST_LINKS, MOST_TOGETHER, co_recalled, decayed, spread
from ntm_memory_skill.model import Link

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = [f"m{number:02}" for number in range(24)]

activations = st.floats(0, 1)
answers = st.dictionaries(st.sampled_from(NAMES), activations, max_size=8)
weights = st.floats(0, 1)

Network = dict[str, tuple[Link, ...]]
Pairs = dict[frozenset[str], tuple[float, datetime]]


def unlinked(_: str) -> None:
    """Know no memory."""


def network(*pairs: tuple[str, str, float]) -> Network:
    """Return links as of `START`, each held by both ends."""
    links: Network = {}
    for one, other, weight in pairs:
        links[one] = (*links.get(one, ()), Link(other, weight, START))
        links[other] = (*links.get(other, ()), Link(one, weight, START))
    return links


networks = st.dictionaries(
    st.sets(st.sampled_from(NAMES[:8]), min_size=2, max_size=2).map(lambda pair: tuple(sorted(pair))), weights
).map(lambda pairs: network(*((one, other, weight) for (one, other), weight in pairs.items())))


def weight_between(links: Network, one: str, other: str) -> float:
    """Return the weight that one end holds, 0 for none."""
    return next((link.weight for link in links.get(one, ()) if link.id == other), 0.0)


def slowly_learnt(pairs: Pairs, answer: dict[str, float], now: datetime) -> Pairs:
    """Return the pairs after one answer: the two directions of Oja's rule with η = 0.2, one after the other, halved."""
    after = dict(pairs)
    strongest = sorted(answer, key=lambda name: (-answer[name], name))[:5]
    together = [name for name in strongest if answer[name] > 0]
    for one, other in combinations(together, 2):
        pair = frozenset({one, other})
        old, at = after.pop(pair, (0.0, now))
        days = max((now - at).total_seconds() / 86_400, 0)
        w = old * 2 ** (-days / 30)
        forwards = 0.2 * answer[one] * (answer[other] - answer[one] * w)
        backwards = 0.2 * answer[other] * (answer[one] - answer[other] * w)
        w += (forwards + backwards) / 2
        assume(abs(w - 0.01) > 1e-12)  # on the very edge either sum may be rounded down
        if w >= 0.01:
            after[pair] = (w, max(at, now))
    return after


class LinkHistory(RuleBasedStateMachine):
    """Answers in any order, at any distance, with a clock that may be set back."""

    def __init__(self) -> None:
        super().__init__()
        self.links: Network = {}
        self.now = START

    @rule(answer=answers, days=st.floats(-40, 400))
    def answered(self, answer: dict[str, float], days: float) -> None:
        """Give some memories in one answer."""
        self.now = max(START, self.now + timedelta(days=days))
        changed = co_recalled(self.links.get, answer, self.now)
        assert all(links != self.links.get(name, ()) for name, links in changed.items())
        self.links |= changed

    @rule(picked=st.lists(st.sampled_from(NAMES), min_size=4, max_size=4, unique=True), times=st.integers(1, 5))
    def drilled(self, picked: list[str], times: int) -> None:
        """Give one memory again and again beside others, so that it runs out of room."""
        for _ in range(times):
            self.links |= co_recalled(self.links.get, dict.fromkeys(["hub", *picked], 1.0), self.now)

    @invariant()
    def bounded(self) -> None:
        """Each weight stays a weight, and no memory holds more links than it may."""
        for links in self.links.values():
            assert len(links) <= MOST_LINKS
            assert all(LEAST_WEIGHT <= link.weight <= 1 for link in links)
            assert all(0 <= decayed(link, self.now) <= link.weight for link in links)

    @invariant()
    def both_ends_agree(self) -> None:
        """A link is held by both of its ends, with one weight and one time."""
        for name, links in self.links.items():
            assert len({link.id for link in links} | {name}) == len(links) + 1
            for link in links:
                assert Link(name, link.weight, link.at) in self.links[link.id]


LinkHistory.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
LinkHistory.TestCase.__doc__ = "Links stay bounded and agree at both ends, whatever happens."
TestLinkHistory = LinkHistory.TestCase


@given(links=networks, days=st.lists(st.floats(0, 90), min_size=1, max_size=6), data=st.data())
def test_learning_follows_the_rule_worked_out_pair_by_pair(
    links: Network, days: list[float], data: st.DataObject
) -> None:
    """Among fewer memories than may be linked, nothing is dropped for want of room."""
    pairs = {frozenset({name, link.id}): (link.weight, link.at) for name, held in links.items() for link in held}
    now = START
    for gap in days:
        now += timedelta(days=gap)
        answer = data.draw(st.dictionaries(st.sampled_from(NAMES[:8]), activations, max_size=8))
        pairs = slowly_learnt(pairs, answer, now)
        links = links | co_recalled(links.get, answer, now)
    held = {frozenset({name, link.id}): (link.weight, link.at) for name, held in links.items() for link in held}
    assert held.keys() == pairs.keys()
    for pair, (weight, at) in held.items():
        assert weight == pytest.approx(pairs[pair][0])
        assert at == pairs[pair][1]


@pytest.mark.parametrize(("x", "y"), [(1.0, 1.0), (1.0, 0.5), (0.8, 0.4)])
def test_same_answer_again_and_again_settles_where_ojas_rule_does(x: float, y: float) -> None:
    """From below and from above."""
    for begin in ({}, network(("a", "b", 1.0))):
        links: Network = dict(begin)
        for _ in range(500):
            links |= co_recalled(links.get, {"a": x, "b": y}, START)
        assert weight_between(links, "a", "b") == pytest.approx(2 * x * y / (x * x + y * y))


def test_link_of_five_recalls_is_far_from_saturated() -> None:
    """After five joint recalls of full strength there is still something to learn."""
    links: Network = {}
    for _ in range(5):
        links |= co_recalled(links.get, {"a": 1.0, "b": 1.0}, START)
    assert weight_between(links, "a", "b") == pytest.approx(1 - 0.8**5)


def test_only_the_five_strongest_learn() -> None:
    """Seven memories in one answer: the two weakest gain no link."""
    answer = {name: 1 - number / 10 for number, name in enumerate(NAMES[:7])}
    assert set(co_recalled(unlinked, answer, START)) == set(NAMES[:MOST_TOGETHER])


@pytest.mark.parametrize("answer", [{}, {"a": 1.0}, {"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.01}])
def test_answer_without_two_that_were_clearly_recalled_changes_nothing(answer: dict[str, float]) -> None:
    """A lone memory, or one beside a faint one, learns no link."""
    assert co_recalled(unlinked, answer, START) == {}


def full_hub(weakest: float) -> Network:
    """Return a memory with as many links as it may hold, all of 0.9 but the fourth."""
    return network(*(("hub", name, weakest if name == NAMES[3] else 0.9) for name in NAMES[:MOST_LINKS]))


def test_link_without_room_is_dropped_at_both_ends_and_both_are_told() -> None:
    """The weakest of a full memory's links gives way, also where its other end was not in the answer."""
    changed = co_recalled(full_hub(0.1).get, {"hub": 1.0, "new": 1.0}, START)
    assert set(changed) == {"hub", "new", NAMES[3]}
    assert changed[NAMES[3]] == ()
    assert len(changed["hub"]) == MOST_LINKS
    assert weight_between(changed, "hub", "new") == weight_between(changed, "new", "hub") == pytest.approx(0.2)


def test_new_link_weaker_than_all_of_a_full_memory_is_not_made() -> None:
    """Nothing has changed, so nothing is to be written; once the others have decayed there is room."""
    full = full_hub(0.3)
    assert co_recalled(full.get, {"hub": 1.0, "new": 1.0}, START) == {}
    assert set(co_recalled(full.get, {"hub": 1.0, "new": 1.0}, START + 90 * DAY)) == {"hub", "new", NAMES[3]}


def test_end_of_a_dropped_link_that_is_not_given_is_nobodys() -> None:
    """An erased memory gets no links back by losing one."""
    hub = network(*(("hub", name, 0.1) for name in NAMES[:MOST_LINKS]))["hub"]
    assert set(co_recalled({"hub": hub}.get, {"hub": 1.0, "new": 1.0}, START)) == {"hub", "new"}


def test_link_held_by_one_end_is_held_by_both_after_the_next_answer() -> None:
    """The end that has it counts."""
    links: Network = {"a": (Link("b", 0.5, START),)}
    links |= co_recalled(links.get, {"a": 1.0, "b": 1.0}, START)
    assert weight_between(links, "a", "b") == weight_between(links, "b", "a") == pytest.approx(0.6)


@given(weight=weights, days=st.floats(0, 10_000), half_life=st.floats(0.1, 1_000))
def test_link_has_half_its_weight_after_each_half_life(weight: float, days: float, half_life: float) -> None:
    """Decay is a halving, and a decay in two steps is one decay."""
    link = Link("b", weight, START)
    later = START + timedelta(days=days)
    assert decayed(link, START, half_life) == weight
    assert decayed(link, later, half_life) <= weight
    twice = decayed(link, later + timedelta(days=half_life), half_life)
    assert twice == pytest.approx(decayed(link, later, half_life) / 2, rel=1e-4, abs=1e-9)


def test_clock_set_back_neither_strengthens_a_link_nor_ages_it_twice() -> None:
    """A link learnt tomorrow is as strong today, and its time does not run back."""
    links = network(("a", "b", 0.5))
    assert decayed(links["a"][0], START - DAY) == 0.5
    links |= co_recalled(links.get, {"a": 1.0, "b": 1.0}, START - DAY)
    assert {link.at for held in links.values() for link in held} == {START}


def test_infinite_half_life_keeps_a_link() -> None:
    """A setting that switches decay off."""
    assert decayed(Link("b", 0.5, START), START + 10_000 * DAY, math.inf) == 0.5


def slowly_spread(seeds: dict[str, float], links: Network, now: datetime) -> dict[str, float]:
    """Return what arrives after one step: target by target, the chance that no source reaches it."""
    arrived = {}
    for target in {link.id for held in links.values() for link in held}:
        missed = 1.0
        for source, activation in seeds.items():
            given_out = sum(decayed(link, now) for link in links.get(source, ()))
            share = sum(decayed(link, now) for link in links.get(source, ()) if link.id == target)
            missed *= 1 - activation * share / max(given_out, 1)
        if missed < 1:
            arrived[target] = 1 - missed
    return arrived


@given(seeds=answers, links=networks, days=st.floats(0, 100))
def test_one_step_brings_what_the_sources_divide_among_their_links(
    seeds: dict[str, float], links: Network, days: float
) -> None:
    """Against each target's chance of being missed by all."""
    now = START + timedelta(days=days)
    found = spread(seeds, lambda name: links.get(name, ()), now)
    expected = slowly_spread(seeds, links, now)
    for target in found.keys() | expected.keys():
        assert found.get(target, 0) == pytest.approx(expected.get(target, 0), abs=1e-12)


@given(seeds=answers, links=networks, steps=st.integers(1, 5))
def test_spread_activation_stays_within_bounds(seeds: dict[str, float], links: Network, steps: int) -> None:
    """Any network, any number of steps; one step hands out no more than the seeds hold."""
    found = spread(seeds, lambda name: links.get(name, ()), START, steps)
    assert all(0 < value <= 1 for value in found.values())
    assert set(found) <= set(links)
    if steps == 1:
        assert sum(found.values()) <= sum(seeds.values()) + 1e-9


def test_activation_is_divided_among_the_links_of_a_memory_with_many() -> None:
    """The fan effect: one of ten full links brings a tenth."""
    lone, many = network(("a", "b", 1.0)), network(*(("a", name, 1.0) for name in NAMES[:10]))
    assert spread({"a": 1.0}, lambda name: lone.get(name, ()), START) == {"b": 1.0}
    assert set(spread({"a": 1.0}, lambda name: many.get(name, ()), START).values()) == {0.1}


def test_faint_link_brings_little_though_it_is_the_only_one() -> None:
    """What a link carries is bounded by its weight."""
    links = network(("a", "b", 0.05))
    assert spread({"a": 1.0}, lambda name: links.get(name, ()), START) == {"b": 0.05}


def test_second_step_reaches_the_neighbours_neighbours() -> None:
    """One step ends at b; two reach c, and a hears its echo."""
    links = network(("a", "b", 0.5), ("b", "c", 0.5))
    one = spread({"a": 1.0}, lambda name: links.get(name, ()), START)
    two = spread({"a": 1.0}, lambda name: links.get(name, ()), START, steps=2)
    assert one == {"b": 0.5}
    assert two == {"a": 0.25, "b": 0.5, "c": 0.25}


def test_seed_without_links_reaches_nothing() -> None:
    """Nor does one that is not known."""
    assert spread({"a": 1.0}, lambda _: (), START) == {}


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_activation_out_of_range_is_refused(value: float) -> None:
    """In learning and in spreading."""
    with pytest.raises(ValueError, match="activation"):
        co_recalled(unlinked, {"a": value}, START)
    with pytest.raises(ValueError, match="activation"):
        spread({"a": value}, lambda _: (), START)


def test_settings_out_of_range_are_refused() -> None:
    """A learning rate above 1 would leave the bounds."""
    for rate in (0.0, 1.1, math.nan):
        with pytest.raises(ValueError, match="learning_rate"):
            co_recalled(unlinked, {}, START, learning_rate=rate)
    for half_life in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="half_life_days"):
            decayed(Link("b", 0.5, START), START, half_life)
    with pytest.raises(ValueError, match="steps"):
        spread({}, lambda _: (), START, steps=0)
