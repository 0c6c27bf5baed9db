"""What a question gives the head: a key, terms, times, and how far the encoder understands it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from ntm_memory_skill import AddressingSettings, HashedEncoder, SentenceEncoder
from ntm_memory_skill.engine.cue import CueMaker
from ntm_memory_skill.temporal import TimeMentions
from tests.engine.support import EnglishReader

NOW = datetime(2026, 5, 13, 15, tzinfo=UTC)


def illegible(encoder: HashedEncoder | SentenceEncoder, text: str, **addressing: float) -> float:
    """Return how far an encoder fails to understand a question."""
    return CueMaker(encoder, AddressingSettings(**addressing)).make(text, NOW).illegible  # type: ignore[arg-type]  # floats all


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when do we launch?", 0.0),
        ("散步公园", 1.0),
        ("散23456789", (1 / 9) / 0.25),
        ("abcdefg大", (1 / 8) / 0.25),
        ("大家好", 1.0),
    ],
    ids=["English", "unknown", "a ninth unknown", "an eighth in characters it never learnt", "known by chance"],
)
def test_question_is_the_less_legible_the_more_of_it_is_unknown(text: str, expected: float) -> None:
    """Evenly, and not at all from a quarter on."""
    assert illegible(EnglishReader(), text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["when do we launch?", "大家好", "散步公园"])
def test_encoder_that_reads_chinese_is_trusted_with_it(text: str) -> None:
    """One that knows the common characters has learnt the language."""
    assert illegible(HashedEncoder(16), text) == 0
    assert illegible(EnglishReader(lacks="散"), "大家好") == 0


def test_setting_moves_the_share_from_which_nothing_is_understood() -> None:
    """Or takes every question as understood."""
    assert illegible(EnglishReader(), "散23456789", unknown_tolerance=1.0) == pytest.approx(1 / 9)
    assert illegible(EnglishReader(), "散步公园", unknown_tolerance=math.inf) == 0


def test_cue_holds_the_question_s_key_and_terms() -> None:
    """Both as the memory will be asked."""
    encoder = HashedEncoder(16)
    cue = CueMaker(encoder, AddressingSettings()).make("When was the launch?", NOW)
    assert cue.terms == ("launch",)
    assert cue.key is not None
    assert cue.key.tolist() == encoder.encode_query("When was the launch?").tolist()


def test_cue_of_words_alone_has_no_key_and_counts_as_illegible() -> None:
    """No model is there that could have read it; what it says of time needs none."""
    maker = CueMaker(HashedEncoder(16), AddressingSettings())
    cue, whole = maker.of_words("the launch last week", NOW), maker.make("the launch last week", NOW)
    assert (cue.key, cue.illegible) == (None, 1.0)
    assert (cue.terms, cue.times) == (whole.terms, whole.times)


def test_times_are_counted_from_the_moment_of_asking() -> None:
    """Yesterday is the day before, whenever that is."""
    maker = CueMaker(HashedEncoder(16), AddressingSettings())
    for moment in (NOW, NOW + timedelta(days=100)):
        (window,) = maker.make("what did we buy yesterday?", moment).times.windows
        midnight = moment.replace(hour=0)
        assert (window.start, window.end) == (midnight - timedelta(days=1), midnight)
    assert maker.make("what did we buy?", NOW).times == TimeMentions()


def test_times_are_not_read_where_they_weigh_nothing() -> None:
    """Then "last week" is two words like others."""
    maker = CueMaker(HashedEncoder(16), AddressingSettings(time=0.0))
    assert maker.make("what did we buy last week?", NOW).times == TimeMentions()


@pytest.mark.model
def test_bundled_model_leaves_chinese_to_the_words(bundled: SentenceEncoder) -> None:
    """It was trained on English, though its vocabulary holds some characters."""
    assert illegible(bundled, "When do we launch?") == 0
    assert illegible(bundled, "北京的会议什么时候开？") == 1
    assert illegible(bundled, "中国人") == 1
