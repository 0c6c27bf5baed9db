"""Which characters are written without spaces between words."""

from __future__ import annotations

from functools import lru_cache

CJK_RANGES = (
    "\u2e80-\u2fdf"  # radicals
    "\u3005-\u3007"  # iteration marks, zero
    "\u3040-\u30ff"  # hiragana, katakana
    "\u3105-\u312f"  # bopomofo
    "\u3400-\u4dbf"  # ideographs, extension A
    "\u4e00-\u9fff"  # ideographs
    "\uac00-\ud7af"  # hangul
    "\uf900-\ufaff"  # compatibility ideographs
    "\U00020000-\U0003134f"  # ideographs, extensions B to G
)
"""The inside of a regular expression's character class."""


def cjk_share(text: str) -> float:
    """Return the share of letters and digits in `text` that are Chinese, Japanese or Korean, 0 to 1."""
    letters = [char for char in text if char.isalnum()]
    return sum(map(is_cjk, letters)) / len(letters) if letters else 0.0


@lru_cache(maxsize=65_536)
def is_cjk(char: str) -> bool:
    """Return whether one character is Chinese, Japanese or Korean."""
    point = ord(char)
    return any(low <= point <= high for low, high in _BOUNDS)


_BOUNDS = tuple((ord(span[0]), ord(span[2])) for span in (CJK_RANGES[i : i + 3] for i in range(0, len(CJK_RANGES), 3)))
