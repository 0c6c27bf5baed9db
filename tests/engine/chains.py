"""Chains of memories that lead from a question to its answer: a small one, and large ones among others alike."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from unittest.mock import patch

from ntm_memory_skill import AddressingSettings, HashedEncoder, Hit, M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.engine import hopping
from ntm_memory_skill.engine.settings import ReasoningSettings
from ntm_memory_skill.memnet.hops import journey
from ntm_memory_skill.model import LEADS, Query
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore
from tests.conftest import ticking_clock
from tests.engine.support import FACTS, plant

CHAIN = (
    "I met Dana Keller at the Basel fair",
    "Dana Keller recommended a restaurant called Golden Fig",
    "The restaurant Golden Fig belongs to Milo Costa",
    "Milo Costa was born in Brewick",
)
QUESTION = "Where was the owner of the restaurant born that was recommended by the person whom I met at the Basel fair?"
"""Needs all four."""
PLAIN_QUESTION = "goats in Kirchberg?"
"""Describes nothing."""
CHAT = (
    "Ann: Last week I finished a novel by Austen",
    "Bob: I finished a novel by Dickens last week",
    "Ann: It rains again",
    "Bob: The books I have read lately are novels",
    "Ann: The books I have read lately are novels",
    "Bob: Lunch was good",
)
BOOKS = "What books has Ann read?"
"""Asks for several things that somebody told."""
OTHERS = 250
"""Chains beside the one that is asked for: four memories each."""
LENGTHS = (2, 3, 4)
"""How many memories a question may need."""

_FIRST_NAMES = (
    "Dana Milo Ines Tariq Yuki Pavel Nora Sven Leila Bruno Carla Emre Fiona Goran Hana Igor Jana Kofi Luca Mira Nils "
    "Olga Petra Quentin Rosa Samir Tessa Umar Vera Wanda Xenia Yara Zoltan"
).split()
_LAST_NAMES = (
    "Keller Moreno Okafor Lindqvist Baran Costa Dvorak Ekman Farkas Gruber Haddad Ivanov Jansen Kovacs Larsen Mbeki "
    "Novak Orlov Petrov Quist Rossi Sato Toth Ueda Vogel Weiss Yilmaz Zeman"
).split()
_CITIES = (
    "Berlin Lisbon Osaka Quito Tallinn Nairobi Bergen Ghent Lyon Turin Seville Krakow Aarhus Basel Cork Dakar Fez Graz "
    "Hobart Izmir Jena Kyoto Leeds Malmo Namur Oulu Porto Riga Sofia Tunis Utrecht Vaduz Wels York Zagreb Alkmaar"
).split()
_EVENTS = "conference fair workshop wedding marathon festival reunion".split()
_COLOURS = (
    "Golden Silver Quiet Crooked Blue Wandering Hidden Copper Velvet Amber Iron Little Broken Merry Salty Green Hollow "
    "Lucky Painted Rusty"
).split()
_THINGS = (
    "Lantern Heron Anchor Fig Kettle Otter Barrel Compass Sparrow Thimble Walnut Ladder Fox Bell Harbor Mill Tulip "
    "Saddle Candle Needle"
).split()
_STEMS = "Al Bre Cor Dun El Fal Gar Hol In Ker Lo Mar Nor Os Pel Qua Ru Sel Tor Ul Ver Wen".split()
_ENDINGS = "dorf wick stad mere bruck ville ness ham grad vale by holm".split()

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静强磊洋艳勇军杰娟涛明超秀霞平刚桂英华玉兰建国志红文"
_CHINESE_CITIES = (
    "北京 上海 广州 成都 杭州 西安 南京 武汉 重庆 苏州 青岛 大连 厦门 昆明 长沙 天津 郑州 合肥 福州 济南 宁波 无锡 "
    "太原 兰州 贵阳 南宁 海口 银川 西宁 拉萨 沈阳 哈尔滨 长春 石家庄 南昌 温州"
).split()
_CHINESE_EVENTS = "会议 展会 婚礼 马拉松 音乐节 同学会 培训".split()


@dataclass(frozen=True, slots=True)
class Names:
    """What a chain is about: each is in two of its memories, and in no other chain."""

    event: str
    friend: str
    restaurant: str
    owner: str
    village: str


@dataclass(frozen=True, slots=True)
class Planted:
    """Memories, one chain of them, and what needs it."""

    memories: Sequence[str]
    """In no order; the chain is among them."""
    chain: Sequence[str]
    """Four memories, each of which names what the next is about."""
    bridges: Sequence[str]
    """What each of the first three has in common with the next, and with no other."""
    questions: Mapping[int, str]
    """By how many of the chain's memories they need: the first so many."""


def english(seed: int) -> Planted:
    """Return four English memories in a chain, among a thousand others of the same forms.

    Args:
        seed: Of the names, and of the order of the memories.
    """
    rng = random.Random(seed)  # noqa: S311  # names are drawn, no secrets
    pools = (
        [f"{city} {event}" for city, event in product(_CITIES, _EVENTS)],
        [f"{first} {last}" for first, last in product(_FIRST_NAMES, _LAST_NAMES)],
        [f"{colour} {thing}" for colour, thing in product(_COLOURS, _THINGS)],
        [stem + ending for stem, ending in product(_STEMS, _ENDINGS)],
    )
    chains = _drawn(rng, *pools)
    met = f"the person whom I met at the {chains[0].event}"
    questions = {
        2: f"Which restaurant was recommended by {met}?",
        3: f"Who owns the restaurant that was recommended by {met}?",
        4: f"Where was the owner of the restaurant born that was recommended by {met}?",
    }
    return _planted(rng, chains, _in_english, questions)


def chinese(seed: int) -> Planted:
    """Return the same in Chinese.

    Args:
        seed: Of the names, and of the order of the memories.
    """
    rng = random.Random(seed)  # noqa: S311  # names are drawn, no secrets
    pools = (
        [city + event for city, event in product(_CHINESE_CITIES, _CHINESE_EVENTS)],
        ["".join(name) for name in product(_SURNAMES, _GIVEN, _GIVEN[:6])],
        ["".join(name) for name in product("金银静蓝绿红铜隐小老", "月风松竹荷鹤桥泉山石", "楼轩居阁")],
        ["".join(name) for name in product("青白龙石柳桃杏梅", "河山泉溪湖岭沟湾", "村镇庄乡")],
    )
    chains = _drawn(rng, *pools)
    met = f"我在{chains[0].event}上认识的人推荐的餐厅"
    questions = {2: f"{met}叫什么？", 3: f"{met}是谁开的？", 4: f"{met}的老板出生在哪里？"}
    return _planted(rng, chains, _in_chinese, questions)


def _in_english(names: Names) -> tuple[str, ...]:
    return (
        f"I met {names.friend} at the {names.event}.",
        f"{names.friend} recommended a restaurant called {names.restaurant}.",
        f"The restaurant {names.restaurant} belongs to {names.owner}.",
        f"{names.owner} was born in {names.village}.",
    )


def _in_chinese(names: Names) -> tuple[str, ...]:
    return (
        f"我在{names.event}上认识了{names.friend}。",
        f"{names.friend}推荐了一家餐厅，叫{names.restaurant}。",
        f"{names.restaurant}这家餐厅是{names.owner}开的。",
        f"{names.owner}出生在{names.village}。",
    )


def _drawn(
    rng: random.Random, events: list[str], people: list[str], restaurants: list[str], villages: list[str]
) -> list[Names]:
    """Return names for all chains, the one that is asked for first; no name is drawn twice."""
    count = OTHERS + 1
    friends_and_owners = rng.sample(people, 2 * count)
    columns = (
        rng.sample(events, count),
        friends_and_owners[:count],
        rng.sample(restaurants, count),
        friends_and_owners[count:],
        rng.sample(villages, count),
    )
    return [Names(*names) for names in zip(*columns, strict=True)]


def _planted(
    rng: random.Random, chains: list[Names], say: Callable[[Names], tuple[str, ...]], questions: Mapping[int, str]
) -> Planted:
    memories = [memory for names in chains for memory in say(names)]
    rng.shuffle(memories)
    asked = chains[0]
    return Planted(memories, say(asked), (asked.friend, asked.restaurant, asked.owner), questions)


def opened(
    contents: Iterable[str] = (*FACTS, *CHAIN),
    encoder: Encoder | None = None,
    reasoning: ReasoningSettings | None = None,
    **addressing: Any,
) -> NTMMemoryManager:
    """Return a memory that is kept nowhere, whose answers do not depend on what was asked before."""
    settings = Settings(
        addressing=AddressingSettings(**addressing),
        reasoning=ReasoningSettings() if reasoning is None else reasoning,
        m3=M3Settings(reconsolidate=False, latest_first=False),
    )
    encoder = HashedEncoder(64) if encoder is None else encoder
    memory = NTMMemoryManager(MemoryStore(), encoder, settings, clock=ticking_clock(), ids=seeded_ids(8))
    plant(memory, contents)
    return memory


def answers(memory: NTMMemoryManager, query: str = QUESTION, **how: Any) -> dict[str, Hit]:
    """Return all hits by what they say, best first, as a search that leaves no trace."""
    return {hit.content: hit for hit in memory.search(query, top_k=50, counted=False, **how)}


def way(memory: NTMMemoryManager, hit: Hit) -> list[str]:
    """Return the memories that led to a hit."""
    return [memory.get(step.id).content for step in hit.trace.chain]


def bonus(hit: Hit) -> float | None:
    """Return what chains added to a hit's score; None where the memory was read once."""
    return next((term.contribution for term in hit.trace.terms if term.name == "hops"), None)


def made(memory: NTMMemoryManager, query: str, hops: int | None) -> int:
    """Return how many hops the head makes for a question."""
    counts: list[int] = []

    def counted(*given: Any, **how: Any) -> int:
        counts.append(journey(*given, **how))
        return counts[-1]

    with patch.object(hopping, "journey", counted), memory._reader.addressed(Query(text=query, hops=hops)) as seen:
        assert seen is not None
    return counts[0] if counts else 1


def assert_chains_hold(memory: NTMMemoryManager, hits: Iterable[Hit], hops: int) -> None:
    """Check that no chain returns, or leaves what was found, and that each step tells why."""
    for hit in hits:
        chain = [*(step.id for step in hit.trace.chain), hit.id]
        assert len(set(chain)) == len(chain) <= hops
        for step in hit.trace.chain:
            assert step.by in LEADS
            assert math.isfinite(step.amount)
            assert memory.get(step.id).id == step.id
