"""Words as they are compared: without case, width, contractions and simple endings. English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CHINESE = "\u3400-\u4dbf\u4e00-\u9fff"
"""The inside of a regular expression's character class."""

NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
}
_IRREGULAR = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
}
_ENDINGS = {"n't": " not", "'re": " are", "'ve": " have", "'ll": " will", "'m": " am"}
_WITHOUT_A_MARK = (*(word for word in _IRREGULAR if "'" not in word), "im ")
WRITTEN_OUT = frozenset(" ".join((*_IRREGULAR.values(), *_ENDINGS.values(), "is am")).split())
"""Words that `expanded` writes where the text has none of them."""
_CONTRACTED = re.compile(
    r"\b(?:(?P<whole>" + "|".join(_IRREGULAR) + r")|(?=\w+')(?:(?P<stem>\w+?)(?P<ending>n't|'(?:re|ve|ll|m))"
    r"|(?P<is>it|he|she|that|there|here|what|who|where|how)'s)|(?P<i>i)m(?= ))\b",
    re.IGNORECASE,
)
_WORD = re.compile(rf"[{CHINESE}]|[^\W_{CHINESE}]+(?:[.:@+/#&'\-][^\W_{CHINESE}]+)*[+#%]*|[$€£¥%]")
_ASCII_WORD = re.compile(r"[a-z\d]+(?:[.:@+/#&'\-][a-z\d]+)*[+#%]*|[$%]", re.ASCII)
"""The same, for texts in ASCII and small letters, in a third of the time."""
_SMALL = set("a an the".split())
_CHINESE = re.compile(rf"[{CHINESE}]")
_PLAIN = str.maketrans("’‘ıİ", "''iI")


def folded(text: str) -> str:
    """Return the text in normal form NFKC, with straight apostrophes, and with Turkish i as English i.

    A pattern that ignores case takes ı for an i, and what is looked up by what it found would not be there.
    """
    return unicodedata.normalize("NFKC", text).translate(_PLAIN)


def expanded(text: str) -> str:
    """Return an English text without contractions: "don't" is "do not", "I'm" is "I am"."""
    return _CONTRACTED.sub(_expand, text) if _may_contract(text) else text


def _may_contract(text: str) -> bool:
    low = text.lower()
    return "'" in low or any(word in low for word in _WITHOUT_A_MARK) or not low.isascii()


def is_chinese(text: str) -> bool:
    """Return whether a text has Chinese characters."""
    return not text.isascii() and _CHINESE.search(text) is not None


def words_of(text: str) -> list[str]:
    """Return the words of a folded text in small letters: runs of letters and digits, and single Chinese characters."""
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text.casefold())


@lru_cache(maxsize=4_096)
def word_stems(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are compared, without articles."""
    words = words_of(text)
    if not is_chinese(text):  # the A of "A厅" is no article, nor is that of "Building A"
        words = [word for word in words[:-1] if word not in _SMALL] + words[-1:]
    return tuple([stem(NUMBERS.get(word, word)) for word in words])


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return an English word without its possessive and the endings -s, -es, -ing and -e."""
    word = word.removesuffix("'s").removesuffix("'")
    if not word.isalpha() or not word.isascii() or len(word) < 4:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    elif word.endswith("ing") and re.search("[aeiouy]", word[:-3]):
        word = word[:-3]
        if len(word) > 2 and word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _expand(found: re.Match[str]) -> str:
    if found["whole"]:
        return _IRREGULAR[found["whole"].lower()]
    if found["is"]:
        return f"{found['is']} is"
    if found["i"]:
        return f"{found['i']} am"
    return found["stem"] + _ENDINGS[found["ending"].lower()]
