"""How far a question's words are trusted against its meaning, by how much of it the encoder can read."""

from __future__ import annotations

import math

import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, SentenceEncoder
from ntm_memory_skill.engine.cue import CueMaker


class EnglishReader(HashedEncoder):
    """Its vocabulary lacks some Chinese characters; the others it has never learnt to understand."""

    def __init__(self, lacks: str = "的一是不了人我在有他这中来上国个到说们为散步公园") -> None:
        super().__init__(16)
        self._lacks = lacks

    def unknown_share(self, text: str) -> float:
        """Return the share of characters that are lacking."""
        return sum(char in self._lacks for char in text) / max(1, len(text))


def share(encoder: HashedEncoder | SentenceEncoder, text: str, **addressing: float) -> float:
    """Return λ for a question."""
    return CueMaker(encoder, AddressingSettings(**addressing)).make(text).lexical_share  # type: ignore[arg-type]  # floats all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when do we launch?", 0.4),
        ("散步公园", 1.0),
        ("散23456789", 0.4 + 0.6 * (1 / 9) / 0.25),
        ("abcdefg大", 0.4 + 0.6 * (1 / 8) / 0.25),
        ("大家好", 1.0),
    ],
    ids=["English", "unknown", "a ninth unknown", "an eighth in characters it never learnt", "known by chance"],
)
def test_words_count_more_the_less_of_a_question_can_be_read(text: str, expected: float) -> None:
    """λ rises evenly with the share, up to 1 at a quarter."""
    assert share(EnglishReader(), text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["when do we launch?", "大家好", "散步公园"])
def test_encoder_that_reads_chinese_is_trusted_with_it(text: str) -> None:
    """One that knows the common characters has learnt the language."""
    assert share(HashedEncoder(16), text) == 0.4
    assert share(EnglishReader(lacks="散"), "大家好") == 0.4


def test_settings_move_both_ends() -> None:
    """The share where all is understood, and the share of the unknown from which nothing is."""
    assert share(EnglishReader(), "launch", lexical_share=0.1) == 0.1
    assert share(EnglishReader(), "散23456789", unknown_tolerance=1.0) == pytest.approx(0.4 + 0.6 / 9)
    assert share(EnglishReader(), "散步公园", unknown_tolerance=math.inf) == 0.4
    assert share(EnglishReader(), "散步公园", lexical_share=1.0) == 1.0


def test_cue_holds_the_question_s_key_and_terms() -> None:
    """Both as the memory will be asked."""
    encoder = HashedEncoder(16)
    cue = CueMaker(encoder, AddressingSettings()).make("When was the launch?")
    assert cue.terms == ("launch",)
    assert cue.key is not None
    assert cue.key.tolist() == encoder.encode_query("When was the launch?").tolist()


@pytest.mark.model
def test_bundled_model_leaves_chinese_to_the_words(bundled: SentenceEncoder) -> None:
    """It was trained on English, though its vocabulary holds some characters."""
    assert share(bundled, "When do we launch?") == 0.4
    assert share(bundled, "北京的会议什么时候开？") == 1.0
    assert share(bundled, "中国人") == 1.0
