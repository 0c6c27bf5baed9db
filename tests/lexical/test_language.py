"""How much of a text is written without spaces between words."""

from __future__ import annotations

import pytest

from ntm_memory_skill.lexical import cjk_share
from ntm_memory_skill.lexical.language import is_cjk


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("plain English", 0.0),
        ("全部都是中文。", 1.0),
        ("ab中文", 0.5),
        ("abc 中!?", 0.25),
        ("12中文", 0.5),
        ("ひらがなカタカナ한국어", 1.0),
        ("Привет", 0.0),
        ("", 0.0),
        ("?! 🙂", 0.0),
    ],
)
def test_share_counts_letters_and_digits_alone(text: str, share: float) -> None:
    """Blanks, punctuation and emoji belong to neither side."""
    assert cjk_share(text) == share


@pytest.mark.parametrize("char", [*"一鿿㐀䶿あンㄅ々〇豈⺀가힣", "\U00020000", "\U0003134f"])
def test_both_ends_of_the_blocks_belong_to_them(char: str) -> None:
    """Ideographs with their extensions, kana, bopomofo, hangul, radicals."""
    assert is_cjk(char)


@pytest.mark.parametrize("char", [*"aZ9é。，「」я🙂", "\u3000", "\u4dc0", "\ue000", "\U00031350"])
def test_their_surroundings_do_not(char: str) -> None:
    """Not the CJK punctuation either: it stands between runs."""
    assert not is_cjk(char)
