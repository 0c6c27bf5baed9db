"""The weights that come with the installation: which they are, what they know, and what if they are amiss."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import SentenceEncoder
from ntm_memory_skill.encoder import bundled as weights
from ntm_memory_skill.errors import EncoderUnavailable, WeightsDamaged

FAKE = "fake_bundled_weights"


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model folder of a package that stands in for the one with the weights; it is empty."""
    folder = tmp_path / FAKE / "model"
    folder.mkdir(parents=True)
    (tmp_path / FAKE / "__init__.py").write_text("raise AssertionError('imported, though looking would do')")
    monkeypatch.setattr(weights, "PACKAGE", FAKE)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_identity_is_known_without_loading_anything(fake_package: Path) -> None:
    """Where there are no weights, there can be no loading."""
    encoder = SentenceEncoder()
    assert encoder.known_identity == encoder.identity == weights.IDENTITY


def test_weights_are_the_ones_that_the_identity_names() -> None:
    """The file's own hash, taken here, is the one in the memory's header."""
    found = hashlib.sha256((weights.model_folder() / "model.safetensors").read_bytes()).hexdigest()
    assert found == weights.SHA256
    assert SentenceEncoder().identity.revision == f"sha256:{found[:16]}"


@pytest.mark.parametrize("content", [None, b"", b"not the official weights"])
def test_other_weights_are_refused_before_they_are_loaded(fake_package: Path, content: bytes | None) -> None:
    """Keys of other weights would look like keys and mean nothing. A missing file is no better."""
    if content is not None:
        (fake_package / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsDamaged) as refused:
        SentenceEncoder().encode_query("text")
    assert refused.value.code == "weights_damaged"


def test_absent_package_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hint of its own: what helps a named model does not help here."""
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_with_weights")
    with pytest.raises(EncoderUnavailable) as refused:
        SentenceEncoder().warm_up()
    assert refused.value.code == "encoder_unavailable"
    assert refused.value.hint != EncoderUnavailable.default_hint


@pytest.mark.model
def test_english_is_known_and_chinese_is_not(bundled: SentenceEncoder) -> None:
    """Which is why words carry the search where a question is Chinese."""
    assert bundled.unknown_share("When does the launch take place?") == 0
    assert bundled.unknown_share("今天我们在公园里散步") > 0.5
    assert bundled.unknown_share("龘靐齉") == 1


@pytest.mark.model
def test_meaning_counts_more_than_letters(bundled: SentenceEncoder) -> None:
    """A paraphrase without a common word is nearer than a sentence that shares most of them."""
    key = bundled.encode_query("How much does the car cost?")
    paraphrase, lookalike = bundled.encode_passages(["The price of the vehicle", "How much does the cat sleep?"])
    assert key @ paraphrase > key @ lookalike


@pytest.mark.model
def test_prefixes_make_another_encoder_of_the_same_weights(bundled: SentenceEncoder) -> None:
    """Its identity says so, and its keys of questions differ."""
    prefixed = SentenceEncoder(query_prefix="Question: ")
    assert prefixed.known_identity is None
    assert prefixed.identity.revision == bundled.identity.revision
    assert prefixed.identity.query_prefix == "Question: "
    assert prefixed.identity != bundled.identity
    np.testing.assert_allclose(prefixed.encode_query("tapir"), bundled.encode_query("Question: tapir"), atol=1e-5)
