"""What a text's terms are: in English, in Chinese, in both at once, and in neither."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from string import ascii_lowercase
from threading import Barrier

import pytest
import snowballstemmer
from hypothesis import given, settings
from hypothesis import strategies as st
from snowballstemmer.english_stemmer import EnglishStemmer

from ntm_memory_skill.lexical import says_something, tokenize, tokens
from tests.lexical.cutting import STOPS, pairs_of, texts

Terms = list[str]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("launch launched launches launching", ["launch"] * 4),
        ("Meeting MEETING mEETing", ["meet"] * 3),
        ("the cat sat on the mat", ["cat", "sat", "mat"]),
        ("red and red", ["red", "red"]),
        ("snake_case_name", ["snake", "case", "name"]),
    ],
)
def test_english_words_are_stemmed_lowered_and_kept_in_order(text: str, terms: Terms) -> None:
    """Inflections of one word are one term; stop words fall away; repeats stay."""
    assert tokenize(text) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("what is it?", ["what", "is", "it"]),
        ("who's that", ["who", "that"]),
        ("what is a tapir?", ["tapir"]),
        ("什么 is it", ["什么", "什", "么", "is", "it"]),
        ("什么时候开会", ["么时", "时候", "候开", "开会", "么", "时", "候", "开", "会"]),
        ("猫是谁的", ["猫是", "猫", "是"]),
        ("为什么", ["为什", "什么", "为", "什", "么"]),
        ("是谁", ["是谁", "是", "谁"]),
    ],
)
def test_stop_words_are_kept_only_where_there_is_nothing_else(text: str, terms: Terms) -> None:
    """A question of stop words alone still matches something; a character goes where all pairs around it go."""
    assert tokenize(text) == terms


@given(texts)
@settings(deadline=None, max_examples=150)
def test_text_says_something_where_any_pair_is_no_stop_word(text: str) -> None:
    """Characters change nothing about it."""
    assert says_something(text) == any(term not in STOPS for term in pairs_of(text))


@pytest.mark.parametrize("text", ["Anna's", "Anna’s", "anna", "ANNA'S"])
def test_possessive_is_the_owner(text: str) -> None:
    """The straight and the typographic apostrophe are both understood."""
    assert tokenize(text) == ["anna"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("e-mail", ["e-mail", "e", "mail"]),
        ("3.5", ["3.5", "3", "5"]),
        ("U.S.", ["u.s", "u", "s"]),
        ("don't", ["don't", "don", "t"]),
        ("well-known", ["well-known", "well", "known"]),
        ("end. Start", ["end", "start"]),
        ("dashed- -dash", ["dash", "dash"]),
        ("a--b", ["b"]),
    ],
)
def test_joined_word_is_found_whole_and_in_parts(text: str, terms: Terms) -> None:
    """A joint counts only between two letters or digits; "a" is a stop word where it stands alone."""
    assert tokenize(text) == terms


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("ＡＢＣ　１２３", "abc 123"),
        ("３．５", "3.5"),
        ("ﾈｺﾈｺ", "ネコネコ"),
        ("ﬁnal", "final"),
        ("STRASSE", "straße"),
        ("①", "1"),
    ],
)
def test_other_forms_of_a_character_meet_the_plain_one(odd: str, plain: str) -> None:
    """Full-width and half-width forms, ligatures and case differ in writing alone."""
    assert tokenize(odd) == tokenize(plain) != []


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("北京大学", ["北京", "京大", "大学", "北", "京", "大", "学"]),
        ("北京，大学", ["北京", "北", "京", "大学", "大", "学"]),
        ("猫", ["猫"]),
        ("猫。狗", ["猫", "狗"]),
        ("天天", ["天天", "天", "天"]),
        ("カタカナ", ["カタ", "タカ", "カナ", "カ", "タ", "カ", "ナ"]),
        ("한국어", ["한국", "국어", "한", "국", "어"]),
        ("人々", ["人々", "人", "々"]),
        ("𠀀𠀁𠀂", ["𠀀𠀁", "𠀁𠀂", "𠀀", "𠀁", "𠀂"]),
    ],
)
def test_unspaced_scripts_are_cut_into_overlapping_pairs_and_characters(text: str, terms: Terms) -> None:
    """Each run between punctuation gives its pairs, then its characters; a run of one character gives that alone."""
    assert tokenize(text) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("iPhone手机壳", ["iphon", "手机", "机壳", "手", "机", "壳"]),
        ("用Python写3个tests", ["用", "python", "写", "3", "个", "test"]),
        ("2026年5月9日", ["2026", "年", "5", "月", "9", "日"]),
        ("我 like 猫", ["我", "like", "猫"]),
    ],
)
def test_mixed_text_changes_over_at_the_script(text: str, terms: Terms) -> None:
    """No term crosses from one script into the other."""
    assert tokenize(text) == terms


@pytest.mark.parametrize("text", ["", " \n\t", "🙂🎉", "👩‍👩‍👧", "?!…—", "___", "''", "。，！"])
def test_text_without_letters_has_no_terms(text: str) -> None:
    """Emoji and punctuation carry no words."""
    assert tokenize(text) == []


def test_emoji_between_words_parts_them() -> None:
    """An emoji is as good as a blank."""
    assert tokenize("rocket🚀launch") == ["rocket", "launch"]


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_terms_are_never_empty_and_hold_no_blanks(text: str) -> None:
    """Whatever is given, each term is something that can be looked up."""
    assert all(term and not any(char.isspace() for char in term) for term in tokenize(text))


@given(st.text(alphabet="一二三四五", min_size=2, max_size=30))
@settings(deadline=None, max_examples=50)
def test_every_word_of_one_or_two_characters_of_a_chinese_text_is_a_term(text: str) -> None:
    """So every such word is found without a dictionary; n characters give 2n−1 terms."""
    pairs = []
    for place in range(len(text) - 1):
        pairs.append(text[place] + text[place + 1])  # noqa: PERF401  # the dumb way is the oracle
    assert tokenize(text) == [*pairs, *text]


@given(texts)
@settings(deadline=None, max_examples=300)
def test_words_are_what_pairs_alone_would_give(text: str) -> None:
    """Characters that stand alone in the text stay, also where the same ones stand in pairs elsewhere."""
    assert tokens.words(tokenize(text)) == pairs_of(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5月9日，在日本", ["5", "月", "9", "日", "在日", "日本"]),
        ("大猫咪。猫", ["大猫", "猫咪", "猫"]),
        ("猫。大猫", ["猫", "大猫"]),
        ("天天向上", ["天天", "天向", "向上"]),
        ("he 是 an ox 猫咪 it", ["是", "ox", "猫咪"]),
    ],
)
def test_character_that_stands_alone_is_a_word(text: str, said: Terms) -> None:
    """Beside pairs that hold it, too."""
    assert tokens.words(tokenize(text)) == said


@pytest.mark.parametrize("terms", [["北京", "goat", "7"], ["北京", "京都"], ["北", "京"], ["ab", "a", "b"], []])
def test_terms_without_characters_of_pairs_are_all_words(terms: Terms) -> None:
    """Also such as the tokenizer would not give."""
    assert tokens.words(terms) == terms


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads that take turns at nearly every bytecode, and no stems remembered from before."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    tokens._word_terms.cache_clear()
    yield
    sys.setswitchinterval(before)
    tokens._word_terms.cache_clear()


def test_threads_that_tokenize_at_once_do_not_mix_their_words_up(restless_threads: None) -> None:
    """The stemmer works in place on one word at a time; a wrong stem would stay in the cache for good."""
    roots = ("launch", "connect", "nation", "relat", "general", "operat", "formal", "sensit")
    endings = ("ed", "ing", "ational", "fulness", "ization", "iveness", "alism", "ly")
    words = [root + ending + last for root, ending, last in product(roots, endings, ("", "s", "ed"))]
    expected = {word: [tokens._STEMMER.stemWord(word)] for word in words}
    together = Barrier(8)

    def tokenize_from(start: int) -> list[str]:
        together.wait()
        return [word for word in words[start:] + words[:start] if tokenize(word) != expected[word]]

    with ThreadPoolExecutor(8) as pool:
        wrong = list(pool.map(tokenize_from, range(0, len(words), len(words) // 8)))
    assert wrong == [[]] * 8


@pytest.mark.parametrize("number", ["0", "7", "1984", "007", "\u0661\u0662", "\uff12\uff10"], ids=ascii)
def test_a_number_is_a_term_as_it_stands(number: str) -> None:
    """No stemmer would change it; digits of any width are the same digits."""
    (term,) = tokenize(number)
    assert term == unicodedata.normalize("NFKC", number)
    assert snowballstemmer.stemmer("english").stemWord(term) == term


@given(st.text(ascii_lowercase + "'éñß", min_size=1, max_size=14))
@settings(deadline=None, max_examples=500)
def test_stems_are_the_same_compiled_or_not(word: str) -> None:
    """The extra that brings the compiled stemmer changes no answer."""
    pytest.importorskip("Stemmer", reason="the extra 'fast' is not installed: there is no other stemmer to compare")
    assert snowballstemmer.stemmer("english").stemWord(word) == EnglishStemmer().stemWord(word)
