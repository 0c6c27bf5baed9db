"""Which memories a full matrix should keep: the share of needs that find their memory still active, by policy.

    python bench/forgetting.py --json forgetting.json --plot docs/images/forgetting.svg

A stream of 100,000 memories, 300 a day (333 days), and about two needs for each of them: requests for a memory that was
written earlier. The matrix holds 5 % of all. A need whose memory was forgotten is a miss, and brings it back, as a
recall does. All policies have the same room; M3 forgets 1 % of it at a time, as the engine does, the others one memory
at a time. Every memory has the default importance: no policy is told what will be needed. Three patterns of need:

zipf      Popularity by rank, P(rank) ∝ 1/rank over all memories so far. A new memory takes a random rank, and whoever
          had it goes to the end. Interests drift: within 60 days half of the memories change places.
sessions  15 sessions a day, each writing 20 memories on average. One in five opens a topic, the others go on with that
          of an earlier session (log-uniform: the last ten as likely together as the ninety before them). A session
          works with some twenty memories of its topic, old ones and new, and asks for each some two times.
periodic  One memory in ten is a habit: needed every 1 to 90 days (log-uniform), 10 % early or late, for 90 days on
          average. A quarter of all needs are look-ups of a memory of any age (log-uniform from an hour on).

Beside M3 with each law of strength: first in first out, least recently used, least frequently used (counting while a
memory is active; or for ever, as M3 does), the adaptive replacement cache (Megiddo & Modha 2003), a random choice, and
the optimum, which knows what will be needed when (Belady 1966).
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pygal
from jaxtyping import Bool, Float64, Int64
from pygal.style import CleanStyle
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ntm_memory_skill.m3.forgetting import protected, value, victims
from ntm_memory_skill.m3.strength import DAY, DEFAULT_LAW, LAWS, History, Imprint, StrengthLaw, begin, recalled

MEMORIES, PER_DAY, NEEDS_EACH = 100_000, 300, 2
BATCH = 0.01  # of the matrix: what M3 forgets at a time
IMPORTANCE = 0.5
COLOURS = "#174ea6 #5b8def #93b5f5 #c3d7fb #c2410c #ea7a3c #f3a878 #f8cfb3 #6b7280 #c4c8ce #111".split()

Floats = Float64[np.ndarray, "n"]
Places = Int64[np.ndarray, "n"]


@dataclass(frozen=True, slots=True)
class Stream:
    """What happens, in order: a memory is written, or one is needed that was written before."""

    memory: Places
    """Which memory."""
    at: Floats
    """When, in days."""
    need: Bool[np.ndarray, "n"]
    """Whether it is needed; else it is written."""
    created: Floats
    """When each memory is written, in days."""
    stability: Floats
    """S of the memory after this, in days, and NaN before its first need: the same under every policy."""

    def steps(self) -> Iterator[tuple[int, float, bool]]:
        """Give memory, time and need of each step."""
        return zip(self.memory.tolist(), self.at.tolist(), self.need.tolist(), strict=True)


RANK_EXPONENT, HALF_LIFE = 1.0, 60.0
SESSIONS_A_DAY, OPENING, WORKING_SET = 15, 0.2, 20
HABITS, LEAST_PERIOD, GREATEST_PERIOD, HABIT_LIFE, JITTER, LOOK_UPS = 0.1, 1.0, 90.0, 90.0, 0.1, 0.25


def zipf(rng: np.random.Generator) -> Stream:
    """Return needs by popularity that drifts."""
    created = np.cumsum(rng.exponential(1 / PER_DAY, MEMORIES))
    at = np.sort(rng.uniform(created[0], created[-1], MEMORIES * NEEDS_EACH))
    written = np.searchsorted(created, at, side="right")
    cumulated = np.cumsum(1 / np.arange(1, MEMORIES + 1) ** RANK_EXPONENT)
    rank = np.minimum(np.searchsorted(cumulated, rng.random(len(at)) * cumulated[written - 1]), written - 1)
    by_rank, needed = np.empty(MEMORIES, np.int64), np.empty(len(at), np.int64)
    ranked = 0
    days = np.searchsorted(at, np.arange(int(created[-1]) + 2))
    for first, end in itertools.pairwise(days.tolist()):
        for number in range(first, end):
            while ranked < written[number]:
                place = int(rng.random() * (ranked + 1))
                by_rank[ranked], by_rank[place] = by_rank[place], ranked
                ranked += 1
            needed[number] = by_rank[rank[number]]
        moving = rng.choice(ranked, rng.binomial(ranked, 1 - 0.5 ** (1 / HALF_LIFE)), replace=False)
        by_rank[moving] = by_rank[np.roll(moving, 1)]
    return _stream(created, at, needed)


def sessions(rng: np.random.Generator) -> Stream:
    """Return needs in bursts, by sessions that take up topics again."""
    created, at = list[float](), list[float]()
    needed, earlier = list[int](), list[int]()
    topics: defaultdict[int, list[int]] = defaultdict(list)
    start = 0.0
    while len(created) < MEMORIES:
        start += rng.exponential(1 / SESSIONS_A_DAY)
        size = min(int(rng.geometric(SESSIONS_A_DAY / PER_DAY)), MEMORIES - len(created))
        topic = len(topics)
        if earlier and rng.random() >= OPENING:
            topic = earlier[-min(int(len(earlier) ** rng.random() + rng.random()), len(earlier))]
        earlier.append(topic)
        length = size * SESSIONS_A_DAY / PER_DAY / 24  # an hour for a session of the mean size
        topics[topic].extend(range(len(created), len(created) + size))
        created.extend(start + np.sort(rng.random(size)) * length)
        working = rng.choice(topics[topic], rng.geometric(1 / WORKING_SET))
        at.extend(start + np.sort(rng.random(size * NEEDS_EACH)) * length)
        needed.extend(rng.choice(working, size * NEEDS_EACH).tolist())
    # what is asked for before the session has written it is asked for as soon as it has
    when = np.maximum(np.asarray(at), np.asarray(created)[needed] + 1e-6)
    return _stream(np.asarray(created), when, np.asarray(needed))


def periodic(rng: np.random.Generator) -> Stream:
    """Return needs by habits, each with its period, and look-ups between them."""
    created = np.cumsum(rng.exponential(1 / PER_DAY, MEMORIES))
    end = created[-1]
    habits = np.flatnonzero(rng.random(MEMORIES) < HABITS)
    period = LEAST_PERIOD * (GREATEST_PERIOD / LEAST_PERIOD) ** rng.random(len(habits))
    times = (rng.exponential(HABIT_LIFE, len(habits)) / period).astype(np.int64)
    turn = np.concatenate([np.arange(1, count + 1) for count in times])
    habit, every = np.repeat(habits, times), np.repeat(period, times)
    at = created[habit] + every * (turn + JITTER * rng.standard_normal(len(turn)))
    at, habit = at[at < end], habit[at < end]
    looked_up = rng.uniform(created[0], end, int(len(at) * LOOK_UPS / (1 - LOOK_UPS)))
    age = (end * 24) ** rng.random(len(looked_up)) / 24
    found = np.searchsorted(created, looked_up - age) - 1
    at = np.concatenate([at, looked_up[found >= 0]])
    return _stream(created, at, np.concatenate([habit, found[found >= 0]]))


PATTERNS = {"zipf": zipf, "sessions": sessions, "periodic": periodic}


def _stream(created: Floats, at: Floats, needed: Places) -> Stream:
    """Put writings and needs in order, and leave out needs of what is not written yet."""
    at, needed = at[at > created[needed]], needed[at > created[needed]]
    memory, when = np.concatenate([np.arange(len(created)), needed]), np.concatenate([created, at])
    order = np.argsort(when, kind="stable")
    memory, when, need = memory[order], when[order], order >= len(created)
    return Stream(memory, when, need, created, _stabilities(memory, when, need))


def _stabilities(memory: Places, at: Floats, need: Bool[np.ndarray, "n"]) -> Floats:
    imprints: dict[int, Imprint] = {}
    last: dict[int, float] = {}
    after = np.full(len(memory), np.nan)
    for step, (which, when) in enumerate(zip(memory.tolist(), at.tolist(), strict=True)):
        if need[step]:
            imprints[which] = recalled(imprints.get(which, begin(IMPORTANCE)), when - last[which])
            after[step] = imprints[which].stability
        last[which] = when
    return after


Policy = Callable[[Stream, int, np.random.Generator], int]
"""Returns how many needs found their memory active, in a matrix of that many rows."""
Rank = Callable[[int, int, bool], int | None]
"""Returns the rank of a memory that is used: at which step, which one, whether it was active. None: as it was."""


def m3(stream: Stream, capacity: int, _rng: np.random.Generator, law: StrengthLaw) -> int:
    """Forget the least valuable, some at a time."""
    batch, hits, room, unknown = max(int(capacity * BATCH), 1), 0, capacity, np.full(len(stream.created), np.nan)
    all_known = History(
        created=stream.created * DAY,
        last=stream.created * DAY,
        accesses=np.zeros(len(unknown), np.int64),
        importance=np.full(len(unknown), IMPORTANCE),
        stability=unknown.copy(),
        difficulty=unknown,  # no law looks at it
    )
    is_active = np.zeros(len(unknown), np.bool_)
    for step, (memory, at, need) in enumerate(stream.steps()):
        if need:
            hits += int(is_active[memory])
            all_known.accesses[memory] += 1
            all_known.last[memory], all_known.stability[memory] = at * DAY, stream.stability[step]
        if is_active[memory]:
            continue
        if not room:
            active = np.flatnonzero(is_active)
            history = all_known[active]
            kept = protected(np.zeros(capacity, np.bool_), history.importance)
            is_active[active[victims(value(history, at * DAY, law), history.created, kept, batch)]] = False
            room = batch
        is_active[memory] = True
        room -= 1
    return hits


def ranked(stream: Stream, capacity: int, _rng: np.random.Generator, ranking: Callable[[Stream], Rank]) -> int:
    """Forget the one of least rank."""
    rank = ranking(stream)
    ranks: dict[int, int] = {}
    heap: list[tuple[int, int]] = []  # with entries that later uses have made void
    hits = 0
    for step, (memory, _, need) in enumerate(stream.steps()):
        active = memory in ranks
        hits += need and active
        while not active and len(ranks) == capacity:
            least, who = heapq.heappop(heap)
            if ranks.get(who) == least:
                del ranks[who]
        if (new := rank(step, memory, active)) is not None:
            ranks[memory] = new
            heapq.heappush(heap, (new, memory))
    return hits


def least_often(stream: Stream, *, for_ever: bool) -> Rank:
    """Rank by the number of uses, of equal ones the one used least recently first."""
    counts = [0] * len(stream.created)

    def rank(step: int, memory: int, active: bool) -> int:
        counts[memory] = counts[memory] + 1 if active or for_ever else 1
        return counts[memory] * len(stream.memory) + step

    return rank


def furthest(stream: Stream) -> Rank:
    """Rank the one first whose next need is furthest away."""
    steps = np.lexsort((np.arange(len(stream.memory)), stream.memory))
    same = stream.memory[steps][1:] == stream.memory[steps][:-1]
    following = np.full(len(steps), len(steps))
    following[steps[:-1][same]] = steps[1:][same]
    return lambda step, _memory, _active: -int(following[step])


def chance(stream: Stream, capacity: int, rng: np.random.Generator) -> int:
    """Forget any."""
    active: set[int] = set()
    slots: list[int] = []
    hits = 0
    for memory, _, need in stream.steps():
        hits += need and memory in active
        if memory in active:
            continue
        if len(slots) == capacity:
            slot = int(rng.random() * capacity)
            slots[slot], slots[-1] = slots[-1], slots[slot]
            active.remove(slots.pop())
        slots.append(memory)
        active.add(memory)
    return hits


class AdaptiveReplacementCache:
    """ARC as in Megiddo & Modha 2003, figure 4: what was used once (T1) and more often (T2), and ghosts of both."""

    def __init__(self, capacity: int) -> None:
        self._capacity, self._target = capacity, 0.0  # c, p
        self._once, self._often, self._once_ghosts, self._often_ghosts = (OrderedDict[int, None]() for _ in range(4))

    def use(self, key: int) -> bool:
        """Return whether a key was active, and make it so."""
        once, often, once_ghosts, often_ghosts = self._once, self._often, self._once_ghosts, self._often_ghosts
        active = key in once or key in often
        if active:  # case I
            (once if key in once else often).pop(key)
        elif key in once_ghosts:  # case II
            self._target = min(self._target + max(len(often_ghosts) / len(once_ghosts), 1), self._capacity)
            self._replace()
            del once_ghosts[key]
        elif key in often_ghosts:  # case III
            self._target = max(self._target - max(len(once_ghosts) / len(often_ghosts), 1), 0)
            self._replace(for_often_ghost=True)
            del often_ghosts[key]
        else:  # case IV
            self._make_room()
            once[key] = None
            return False
        often[key] = None
        return active

    def _make_room(self) -> None:
        recent = len(self._once) + len(self._once_ghosts)
        known = recent + len(self._often) + len(self._often_ghosts)
        if len(self._once) == self._capacity:
            self._once.popitem(last=False)
            return
        if recent == self._capacity:
            self._once_ghosts.popitem(last=False)
        elif known < self._capacity:
            return
        elif known == 2 * self._capacity:
            self._often_ghosts.popitem(last=False)
        self._replace()

    def _replace(self, *, for_often_ghost: bool = False) -> None:
        size = len(self._once)
        if size and (size > self._target or (for_often_ghost and size == self._target)):
            self._once_ghosts[self._once.popitem(last=False)[0]] = None
        else:
            self._often_ghosts[self._often.popitem(last=False)[0]] = None


def arc(stream: Stream, capacity: int, _rng: np.random.Generator) -> int:
    """Forget as the adaptive replacement cache does."""
    use = AdaptiveReplacementCache(capacity).use
    return sum(use(memory) and need for memory, _, need in stream.steps())


OURS = f"M3 ({DEFAULT_LAW})"
PRACTICAL: dict[str, Policy] = {
    "ARC": arc,
    "LRU": partial(ranked, ranking=lambda _: lambda step, _memory, _active: step),
    "LFU": partial(ranked, ranking=partial(least_often, for_ever=False)),
    "LFU, counts kept": partial(ranked, ranking=partial(least_often, for_ever=True)),
    "FIFO": partial(ranked, ranking=lambda _: lambda step, _memory, active: None if active else step),
    "random": chance,
}
POLICIES: dict[str, Policy] = {
    OURS: partial(m3, law=LAWS[DEFAULT_LAW]),
    **{f"M3 ({name})": partial(m3, law=law) for name, law in LAWS.items() if name != DEFAULT_LAW},
    **PRACTICAL,
    "optimum": partial(ranked, ranking=furthest),
}

Shares = dict[str, dict[str, list[float]]]
"""By pattern, then policy: the percentage of needs whose memory was active, seed by seed."""


def measure(seeds: Sequence[int], share: float) -> Shares:
    """Return all figures, with a progress bar on stderr."""
    shares: Shares = {pattern: {policy: [] for policy in POLICIES} for pattern in PATTERNS}
    runs = [(pattern, seed) for pattern in PATTERNS for seed in seeds]
    for pattern, seed in track(runs, "forgetting", console=Console(stderr=True), transient=True):
        stream = PATTERNS[pattern](np.random.default_rng([seed, list(PATTERNS).index(pattern)]))
        for name, policy in POLICIES.items():
            hits = policy(stream, int(MEMORIES * share), np.random.default_rng(seed))
            shares[pattern][name].append(100 * hits / int(np.count_nonzero(stream.need)))
    return shares


def table(shares: Shares, seeds: Sequence[int]) -> Table:
    """Return the figures: means over the seeds, least and greatest."""
    title = f"active when needed, %: mean (range) over seeds {', '.join(map(str, seeds))}"
    shown = Table("policy", *shares, title=title)
    for name in POLICIES:
        runs = [by_policy[name] for by_policy in shares.values()]
        shown.add_row(name, *(f"{np.mean(run):.1f} ({min(run):.1f}–{max(run):.1f})" for run in runs))
    return shown


def leads(shares: Shares) -> list[str]:
    """Return by how much M3 is ahead of the best practical policy, pattern by pattern, each seed against itself."""
    lines = []
    for pattern, runs in shares.items():
        _, best = max((float(np.mean(runs[name])), name) for name in PRACTICAL)
        lead = np.subtract(runs[OURS], runs[best])
        lines.append(f"{pattern}: {OURS} {lead.mean():+.2f} ({lead.min():+.2f} to {lead.max():+.2f}) against {best}")
    return lines


def plot(shares: Shares) -> pygal.Graph:
    """Draw the means: a group of bars a pattern, a bar a policy."""
    style = CleanStyle(background="white", colors=COLOURS, opacity="1", guide_stroke_color="#ccc")
    chart = pygal.HorizontalBar(style=style, js=(), width=760, height=760, range=(0, 100), margin_bottom=24)
    chart.title, chart.truncate_legend = "memories active when needed, %", -1
    chart.legend_at_bottom, chart.legend_at_bottom_columns = True, 4
    chart.x_labels = list(shares)[::-1]
    for name in POLICIES:
        chart.add(name, [round(float(np.mean(shares[pattern][name])), 1) for pattern in list(shares)[::-1]])
    return chart


def main() -> int:
    """Print the table, and write figures and drawing if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="(default: 0 1 2)")
    parser.add_argument("--capacity", type=float, default=0.05, help="share of all memories (default: 0.05)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--plot", type=Path, help="also write a drawing, as SVG, to this file")
    arguments = parser.parse_args()
    shares = measure(arguments.seeds, arguments.capacity)
    Console().print(table(shares, arguments.seeds), *leads(shares), sep="\n", highlight=False)
    if arguments.json is not None:
        figures = {"seeds": arguments.seeds, "capacity": arguments.capacity, "shares": shares}
        arguments.json.write_text(json.dumps(figures))
    if arguments.plot is not None:
        plot(shares).render_to_file(str(arguments.plot))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
