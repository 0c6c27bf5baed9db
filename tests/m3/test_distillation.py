"""The gist of a group: splitting into sentences, and which of them are quoted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float32

from ntm_memory_skill.m3.distillation import Distiller, distil, sentences, terms, told_by

WORDS = "lamp boat tree fish glass stone river cloud".split()


def same_keys(count: int) -> Float32[np.ndarray, "k m"]:
    """Return keys that lie in one place, so that words alone decide."""
    return np.repeat(np.eye(1, 4, dtype=np.float32), count, axis=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved. It rains!", ["I moved.", "It rains!"]),
        ("Dr. Lee lives on St. John Rd. She paid 3.5 euros.", ["Dr. Lee lives on St. John Rd.", "She paid 3.5 euros."]),
        ("We met at 5 p.m. on Monday. Then J. Smith left.", ["We met at 5 p.m. on Monday.", "Then J. Smith left."]),
        ("It opens at 9 a.m. Come early.", ["It opens at 9 a.m.", "Come early."]),
        ("So do I. He too.", ["So do I.", "He too."]),
        ("Take No. 5. Is it no. No.", ["Take No. 5.", "Is it no.", "No."]),
        ("i moved to berlin. i work at siemens.", ["i moved to berlin.", "i work at siemens."]),
        ("Well... maybe not. Yes", ["Well... maybe not.", "Yes"]),
        ("See https://a.example/x.html?y=1. Done", ["See https://a.example/x.html?y=1.", "Done"]),
        ('"Really?" she asked. "Yes."', ['"Really?" she asked.', '"Yes."']),
        ("1. Buy milk\n2. Call Ann", ["1. Buy milk", "2. Call Ann"]),
        ("我叫李雪。我住在3.5环！真的吗？", ["我叫李雪。", "我住在3.5环！", "真的吗？"]),
        ("他说：“走吧！”然后走了。好", ["他说：“走吧！”然后走了。", "好"]),
        ("好啊!我去", ["好啊!", "我去"]),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    """Abbreviations, initials, decimals, addresses, lists and quoted speech do not end one."""
    assert sentences(text) == expected


@given(st.text(alphabet='ab I.!?。！？”"\n1我A,…', max_size=60))
def test_sentences_lose_nothing_but_blanks(text: str) -> None:
    """What is split stands in the text, in order, and nothing is left out or said twice."""
    split = sentences(text)
    assert "".join("".join(split).split()) == "".join(text.split())
    assert all(sentence in text and sentence == sentence.strip() for sentence in split)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann: I like tea.", ("Ann", "I like tea.")),
        ("Mary Ann: hi", ("Mary Ann", "hi")),
        ("user: hi", ("user", "hi")),
        ("小王：你好", ("小王", "你好")),
        ("Note: buy milk", (None, "Note: buy milk")),
        ("地址：北京", (None, "地址：北京")),
        ("it starts at 10:30", (None, "it starts at 10:30")),
        ("https://a.example", (None, "https://a.example")),
    ],
)
def test_the_speaker_is_who_stands_before_the_colon(text: str, expected: tuple[str | None, str]) -> None:
    """A label, a time and an address are no speakers."""
    assert told_by(text) == expected


def test_terms_are_words_and_pairs_of_characters() -> None:
    """Small words and courtesy are left out; a character that stands alone is a term."""
    assert terms("The boat's lamp is great, 我喜欢猫") == {"boat", "lamp", "我喜", "喜欢", "欢猫"}
    assert terms("9日") == {"9", "日"}


@given(
    st.lists(
        st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), min_size=1, max_size=4),
        min_size=2,
        max_size=6,
    ),
    st.integers(1, 120),
)
def test_a_gist_is_in_the_sources_own_words_and_within_its_budget(spoken: list[list[list[str]]], budget: int) -> None:
    """Every sentence stands in the source that it names, in order, once, and something is left out."""
    texts = [" ".join(f"{' '.join(said).capitalize()}." for said in each) for each in spoken]
    gist = distil(texts, same_keys(len(texts)), budget=budget)
    if gist is None:
        return
    assert 0 < len(gist.text) <= budget
    assert len(gist.text) < len(" ".join(texts))
    assert all(extract.text in sentences(texts[extract.source]) for extract in gist.extracts)
    assert len({extract.text for extract in gist.extracts}) == len(gist.extracts)
    assert [extract.source for extract in gist.extracts] == sorted(extract.source for extract in gist.extracts)
    assert gist.text not in texts


@given(st.lists(st.sets(st.sampled_from(WORDS), min_size=2, max_size=4), min_size=3, max_size=6))
def test_the_choice_is_that_of_maximal_marginal_relevance(spoken: list[set[str]]) -> None:
    """A loop over sets of words picks the same sentences: λ = 0.7, nothing that is said already by 0.6 or more."""
    texts = list(dict.fromkeys(" ".join(sorted(words)) for words in spoken))
    held = [set(text.split()) for text in texts]

    def overlap(i: int, j: int) -> float:
        return len(held[i] & held[j]) / math.sqrt(len(held[i]) * len(held[j]))

    everyone = range(len(texts))
    degree = [sum(overlap(i, j) for j in everyone if j != i) for i in everyone]
    chosen: list[int] = []
    left = [i for i in everyone if degree[i] > 0]
    while left:
        said = {i: max((overlap(i, j) for j in chosen), default=0.0) for i in left}
        best = max(left, key=lambda i: (round(0.7 * degree[i] / max(degree) - 0.3 * said[i], 5), -i))
        left.remove(best)
        if said[best] < 0.6 - 1e-6:
            chosen.append(best)
    gist = distil(texts, same_keys(len(texts)), budget=10_000)
    condensed = 1 < len(chosen) < len(texts)
    quoted = None if gist is None else [extract.source for extract in gist.extracts]
    assert quoted == (sorted(chosen) if condensed else None)


def test_what_lies_near_the_centroid_is_quoted_first() -> None:
    """Of two sentences with the same share in the others' words, the one whose memory lies nearer is taken."""
    texts = [
        "A red boat sails. It was cold.",
        "A red boat sinks. It was cold.",
        "The red boat waits for fog. It was cold.",
    ]
    near, far = np.eye(2, dtype=np.float32)
    first = distil(texts, np.stack([near, far, near]), budget=17)
    second = distil(texts, np.stack([far, near, near]), budget=17)
    assert first is not None
    assert second is not None
    assert (first.text, second.text) == ("A red boat sails.", "A red boat sinks.")


def test_the_same_thing_said_again_is_quoted_once() -> None:
    """Of paraphrases one is taken, and what is new beside them."""
    texts = [
        "Ann: My boat is called Ada. I keep it in the harbour of Kiel.",
        "Ann: I keep my boat Ada in the harbour of Kiel.",
        "Ann: The boat Ada got a new engine in May.",
        "Ann: Ada got a new engine, and the boat is fast now.",
    ]
    gist = distil(texts, same_keys(4))
    assert gist is not None
    assert gist.text.count("Kiel") == 1
    assert gist.text.count("engine") == 1
    assert gist.text.startswith("Ann: ")
    assert gist.text.count("Ann:") == 1


def test_chinese_memories_have_a_gist_without_blanks() -> None:
    """Pairs of characters take the place of words."""
    texts = ["我养了一只猫叫咪咪。今天下雨。", "我的猫咪咪喜欢吃鱼。", "我养的猫叫咪咪，它喜欢吃鱼。", "谢谢你的猫！"]
    gist = distil(texts, same_keys(4), budget=30)
    assert gist is not None
    assert "咪咪" in gist.text
    assert " " not in gist.text
    assert "谢谢" not in gist.text
    assert "下雨" not in gist.text


def test_questions_and_courtesy_are_not_quoted() -> None:
    """They say nothing, however central they are."""
    texts = ["Do you like the boat Ada?", "Thanks for the boat Ada!", "Hey, the boat Ada.", "喜欢船吗？"]
    assert distil(texts, same_keys(4)) is None


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["Only one. Nothing to condense here."],
        ["My boat sank.", "My boat sank."],
        ["My boat sank.", "Lamps burn oil."],
        ["The boat Ada is red.", "The boat Ada is fast."],
        ["", "  "],
    ],
)
def test_there_is_no_gist_where_nothing_can_be_condensed(texts: list[str]) -> None:
    """None, one, the same twice, nothing in common, all of it, and empty ones."""
    assert distil(texts, same_keys(len(texts))) is None


def test_texts_that_share_terms_of_the_caller_are_quoted() -> None:
    """A tokenizer that knows of ships and boats sees what words alone do not."""
    texts = ["The red boat sank in May.", "Lamps burn bright oil.", "A ship is sinking today."]
    gist = distil(texts, same_keys(3), terms=lambda text: terms(text.replace("ship", "boat")))
    assert distil(texts, same_keys(3)) is None
    assert gist is not None
    assert gist.text == f"{texts[0]} {texts[2]}"


def test_a_function_from_texts_to_text_is_a_distiller() -> None:
    """A host's model needs no more than that."""

    def first(texts: Sequence[str], /) -> str:
        return texts[0]

    distiller: Distiller = first
    assert distiller(["a", "b"]) == "a"
