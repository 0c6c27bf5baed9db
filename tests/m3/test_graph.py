"""Entities and relations by rules, and the graph that is the union of what its memories say."""

from __future__ import annotations

import math
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill.m3.graph import COMMON_LEAST, SELF, KnowledgeGraph, Relation, entities, fold, relations

TEXTS = (
    "Ann: I live in Paris and I work at Acme Corp.",
    "Bob: Ann's birthday is May 5, 2023. We met Carol in London.",
    "ann moved to Berlin; see https://a.example/b and mail ann@a.example",
    "Carol: I love pottery. My sister Dora works for a bank.",
    "我叫李雪，我在深圳大学读书，住在北京。",
    "李雪：我喜欢《小王子》。我表妹的生日是6月23号。",
    "I love Pottery. It cost $20.",
    "Nothing is named here.",
    "",
)
NAMES = sorted({entity.name for text in TEXTS for entity in entities(text)} | {"pottery", "bank", SELF})
histories = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(TEXTS)), max_size=12)


def view(graph: KnowledgeGraph) -> object:
    """Return all that a graph can tell."""
    edges = graph.edges_of()
    return (
        graph.counts,
        [(edge, graph.sources(edge)) for edge in edges],
        [(name, graph.memories_of(name), graph.edges_of(name)) for name in NAMES],
        [(memory, graph.neighbours(memory)) for memory in "abcdefgh"],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann: Hey Mel! Thanks, Carol!", "Ann/person; Mel/person; Carol/person"),
        ("We flew to New York with Mary Ann Smith.", "New York/place; Mary Ann Smith/name"),
        ("Painting is fun. Wow! It was great. Definitely.", ""),
        ("Anna's dog and I met at the University of Oxford.", "Anna/name; University of Oxford/name"),
        ("I study at Boston College, near Green Park.", "Boston College/organisation; Green Park/place"),
        ("On Monday in January I'm off. I've read it.", ""),
        ('We read "The Little Prince" on May 5, 2023.', "The Little Prince/work; May 5, 2023/date"),
        ("It cost $1,200.50 or 30 km, since 2024-05-01.", "$1,200.50/amount; 30 km/amount; 2024-05-01/date"),
        (
            "Mail a.b@c.example, @dora or https://x.example/y?z=1.",
            "a.b@c.example/email; @dora/handle; https://x.example/y?z=1/url",
        ),
        ("HELLO THERE WORLD", ""),
        ("user: my friend Tom came", "Tom/person"),
        ("Note: call Dr. Lee", "Lee/person"),
        ("José met Zoë.", "José/name; Zoë/name"),
        ("我叫张曼婷，很高兴认识你。", "张曼婷/person"),
        ("我和王峰在北京见了李医生。", "王峰/person; 北京/place; 李医生/person"),
        ("同事小王说：马上下班，周末去超市。", "小王/person"),
        ("我表妹在广州珠江医院工作。", "广州珠江医院/organisation; 广州/place"),
        ("我在这家公司和一所大学之间走路。", ""),
        ("昨天去了人民公园，刚刚路过。", "人民公园/place"),
        (
            "我在读《红楼梦》和《飘》，2024年5月1日买的，花了30元。",
            "红楼梦/work; 飘/work; 2024年5月1日/date; 30元/amount",
        ),
        ("", ""),
    ],
)
def test_what_a_text_names_is_found(text: str, expected: str) -> None:
    """Names, works, dates, amounts and addresses; no words that merely begin a sentence."""
    assert "; ".join(f"{entity.name}/{entity.kind}" for entity in entities(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann: I really love live music, and so on.", [("Ann", "likes", "live music")]),
        ("I work at Acme Corp.", [("I", "works at", "Acme Corp")]),
        ("I'm working for a bank now.", [("I", "works at", "bank")]),
        ("Tom lives in Paris with me.", [("Tom", "lives in", "Paris")]),
        ("I've moved to Berlin last year.", [("I", "moved to", "Berlin last year")]),
        ("Ann is Tom's sister.", [("Tom", "sister", "Ann")]),
        ("Ann's birthday is May 5.", [("Ann", "birthday", "May 5")]),
        ("My favourite city is Rome.", [("I", "favourite city", "Rome")]),
        ("My sister Dora works at Acme.", [("Dora", "works at", "Acme"), ("I", "sister", "Dora")]),
        ("My sister works at Acme.", [("my sister", "works at", "Acme")]),
        ("Ann: my brother lives in Rome", [("Ann's brother", "lives in", "Rome")]),
        ("I have two cats and a dog.", [("I", "has", "two cats")]),
        ("Tom met Ann Lee. Tom married Carol.", [("Tom", "met", "Ann Lee"), ("Tom", "married", "Carol")]),
        ("We went to the Grand Canyon.", [("I", "visited", "Grand Canyon")]),
        ("Sounds like a plan. Family's love helps. Pets have a way.", []),
        ("I don't like fish. I'd like tea. If I live in Rome, fine. Do I like it?", []),
        ("I love it. I love how you sing. I have a question.", []),
        ("我在深圳大学读书，住在北京。", [("I", "studies at", "深圳大学")]),
        ("我现在在一家银行工作。", [("I", "works at", "一家银行")]),
        ("我表妹的生日是6月23号。", [("我的表妹", "生日", "6月23号")]),
        ("我的表弟是做医生的。", [("我的表弟", "职业", "医生")]),
        ("我最喜欢川菜了！我不喜欢鱼。", [("I", "likes", "川菜"), ("I", "dislikes", "鱼")]),
        ("我搬到了上海。", [("I", "moved to", "上海")]),
        ("王峰是李雪的同学。", [("李雪", "同学", "王峰")]),
        ("我养了一只猫。", [("I", "has", "一只猫")]),
        ("李雪：我喜欢你。我喜欢的歌。你喜欢我吗？", []),
        ("我在考虑工作上的问题。", []),
    ],
)
def test_what_a_text_says_of_whom_is_found(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Statements alone: no questions, wishes, negations, and nothing about "it"."""
    assert sorted(relations(text)) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "hint", "subject"),
    [
        ("I live in Rome.", None, SELF),
        ("I live in Rome.", "Ann", "Ann"),
        ("Bob: I live in Rome.", "Ann", "Bob"),
        ("user: I live in Rome.", "Ann", "Ann"),
        ("assistant: I live in Rome.", None, "assistant"),
    ],
)
def test_the_first_person_is_who_speaks(text: str, hint: str | None, subject: str) -> None:
    """A name in the text stands before the hint, and the user's role is no name."""
    assert relations(text, hint) == (Relation(subject, "lives in", "Rome"),)


@pytest.mark.parametrize("form", ["Ann", "ANN", "ann's", "Ann’s", "the Ann", " Ａｎｎ "])
def test_a_name_is_found_in_any_form(form: str) -> None:
    """Case, width, possessive and article do not part a name from itself."""
    graph = KnowledgeGraph()
    graph.add("a", "Ann: hello")
    assert fold(form) == "ann"
    assert graph.memories_of(form) == ("a",)


@given(histories)
def test_removing_leaves_the_graph_as_if_never_added(history: list[tuple[str, str]]) -> None:
    """Whatever was added and replaced before: only what is still there shows."""
    graph, expected = KnowledgeGraph(), KnowledgeGraph()
    for memory, text in history:
        graph.add(memory, text)
    held = dict(history)
    for memory in sorted(held)[::2]:
        graph.remove(memory)
        del held[memory]
    for memory, text in held.items():
        expected.add(memory, text)
    assert view(graph) == view(expected)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_adding_does_not_matter(history: list[tuple[str, str]], rng: Random) -> None:
    """The graph is a union."""
    held = list(dict(history).items())
    one, other = KnowledgeGraph(), KnowledgeGraph()
    for memory, text in held:
        one.add(memory, text)
    rng.shuffle(held)
    for memory, text in held:
        other.add(memory, text)
    assert view(one) == view(other)


@given(histories)
def test_every_edge_names_the_memories_that_it_comes_from(history: list[tuple[str, str]]) -> None:
    """Its sources are those of whose text the rules read it, and there is no edge without any."""
    held = dict(history)
    graph = KnowledgeGraph()
    for memory, text in held.items():
        graph.add(memory, text)
    expected: dict[tuple[str, str, str], set[str]] = {}
    for memory, text in held.items():
        for each in relations(text):
            expected.setdefault((fold(each.subject), each.predicate, fold(each.object)), set()).add(memory)
    assert {
        (fold(edge.subject), edge.predicate, fold(edge.object)): set(graph.sources(edge)) for edge in graph.edges_of()
    } == expected
    assert graph.counts[2] == len(expected)


def test_an_edge_is_reached_from_both_of_its_ends() -> None:
    """And carries the form of each name that is written most often."""
    graph = KnowledgeGraph()
    graph.add("a", "Ann: I love pottery.")
    graph.add("b", "Ann: I love Pottery.")
    graph.add("c", "Tom lives in Rome. We talked of pottery with Ann.")
    edge = Relation("Ann", "likes", "Pottery")
    assert graph.edges_of("pottery") == (edge,)
    assert edge in graph.edges_of("ann")
    assert graph.sources(Relation("ANN", "likes", "pottery")) == ("a", "b")
    assert graph.sources(Relation("Tom", "likes", "pottery")) == ()


def test_memories_that_share_a_rare_name_are_neighbours() -> None:
    """The weight is ln(N/n) / ln N for each shared name; the amount that two texts share counts for nothing."""
    graph = KnowledgeGraph()
    for memory, text in {
        "a": "I saw Zoe in Oslo for $5",
        "b": "I like Oslo",
        "c": "I owe Zoe $5",
        "d": "We saw Zoe",
    }.items():
        graph.add(memory, text)
    zoe, oslo = math.log(4 / 3) / math.log(4), math.log(4 / 2) / math.log(4)
    assert graph.neighbours("a") == {"b": pytest.approx(oslo), "c": pytest.approx(zoe), "d": pytest.approx(zoe)}
    assert list(graph.neighbours("a")) == ["b", "c", "d"]
    assert graph.neighbours("nowhere") == {}


def test_what_everybody_speaks_of_makes_no_neighbours() -> None:
    """A name in more than 20 memories, and more than 5 % of them, ties none together."""
    graph = KnowledgeGraph()
    for place in range(COMMON_LEAST + 1):
        graph.add(str(place), "We saw Zoe")
    graph.add("other", "We saw Max")
    assert graph.neighbours("0") == {}
    graph.remove("0")
    assert len(graph.neighbours("1")) == COMMON_LEAST - 1


def test_adding_again_takes_the_place_of_what_was_there() -> None:
    """An update leaves nothing of the old text."""
    graph = KnowledgeGraph()
    graph.add("a", "Ann: I live in Rome.")
    graph.add("a", "Ann: I live in Oslo.")
    assert graph.memories_of("Rome") == ()
    assert graph.edges_of() == (Relation("Ann", "lives in", "Oslo"),)
    graph.remove("a")
    graph.remove("a")
    assert graph.counts == (0, 0, 0)


@given(st.text(max_size=80))
def test_any_text_can_be_taken_in_and_out(text: str) -> None:
    """Whatever somebody typed, every end of an edge has a name, and nothing stays behind."""
    graph = KnowledgeGraph()
    graph.add("a", text)
    assert all(edge.subject and edge.object for edge in graph.edges_of())
    assert all(entity.name.strip() for entity in entities(text))
    graph.remove("a")
    assert graph.counts == (0, 0, 0)


def test_the_patterns_are_compiled_by_whoever_wants_a_graph_alone() -> None:
    """Importing the lifecycle does not wait for them."""
    program = "import sys, ntm_memory_skill.m3; print('ntm_memory_skill.m3.graph' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
