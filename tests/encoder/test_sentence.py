"""Keys from a sentence-transformers model in a folder: a tiny one of random weights, made for these tests."""

from __future__ import annotations

import hashlib
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ntm_memory_skill import SentenceEncoder
from ntm_memory_skill.encoder import sentence
from ntm_memory_skill.errors import EncoderUnavailable
from tests.encoder.conftest import save_tiny_model

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def unprompted_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of other weights, in a folder of the same name, whose files ask for no prefixes."""
    return save_tiny_model(tmp_path_factory.mktemp("unprompted") / "tiny", seed=2, prompts={})


def raw_key(folder: Path, text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return what the library itself makes of a text, at length one."""
    from sentence_transformers import SentenceTransformer

    key = np.asarray(SentenceTransformer(str(folder), device="cpu").encode([text], show_progress_bar=False)[0])
    unit: np.ndarray[tuple[int], np.dtype[np.float32]] = key / np.linalg.norm(key)
    return unit


def test_identity_is_the_folder_s_name_its_weights_hash_and_its_prompts(tiny_model: Path) -> None:
    """So the same folder elsewhere, or on another machine, is the same encoder."""
    identity = SentenceEncoder(str(tiny_model)).identity
    weights = hashlib.sha256((tiny_model / "model.safetensors").read_bytes()).hexdigest()
    assert (identity.name, identity.revision) == ("tiny", f"sha256:{weights[:16]}")
    assert (identity.dimension, identity.query_prefix, identity.passage_prefix) == (16, "query: ", "passage: ")


def test_identity_is_not_known_before_the_model_is_loaded(tiny_model: Path) -> None:
    """Only the model's files can tell."""
    encoder = SentenceEncoder(str(tiny_model))
    assert encoder.known_identity is None
    encoder.warm_up()
    assert encoder.known_identity == encoder.identity


def test_other_weights_under_the_same_name_are_another_encoder(tiny_model: Path, unprompted_model: Path) -> None:
    """The name alone says nothing."""
    one, other = SentenceEncoder(str(tiny_model)).identity, SentenceEncoder(str(unprompted_model)).identity
    assert one.name == other.name
    assert one.revision != other.revision


def test_prompts_of_the_model_are_put_before_questions_and_passages(tiny_model: Path) -> None:
    """Each its own."""
    encoder = SentenceEncoder(str(tiny_model))
    np.testing.assert_allclose(encoder.encode_query("tapir"), raw_key(tiny_model, "query: tapir"), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(["tapir"])[0], raw_key(tiny_model, "passage: tapir"), atol=1e-5)


def test_given_prefixes_replace_the_model_s(tiny_model: Path) -> None:
    """An empty one as well; and they make it another encoder."""
    encoder = SentenceEncoder(str(tiny_model), query_prefix="", passage_prefix="query: ")
    np.testing.assert_allclose(encoder.encode_query("tapir"), raw_key(tiny_model, "tapir"), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(["tapir"])[0], raw_key(tiny_model, "query: tapir"), atol=1e-5)
    own, given = SentenceEncoder(str(tiny_model)).identity, encoder.identity
    assert (given.query_prefix, given.passage_prefix) == ("", "query: ")
    assert given != own
    assert given.digest("tapir") != own.digest("tapir")


def test_prefixes_that_a_kind_of_model_was_trained_with_are_known_by_its_name(
    unprompted_model: Path, tmp_path: Path
) -> None:
    """By the model's own name, not by that of a folder above it."""
    named = shutil.copytree(unprompted_model, tmp_path / "my-e5-small")
    below = shutil.copytree(unprompted_model, tmp_path / "stage5-e5-runs" / "plain")
    known, plain = SentenceEncoder(str(named)).identity, SentenceEncoder(str(below)).identity
    assert (known.query_prefix, known.passage_prefix) == ("query: ", "passage: ")
    assert (plain.query_prefix, plain.passage_prefix) == ("", "")


def test_long_text_is_the_mean_of_its_pieces_by_their_length(unprompted_model: Path) -> None:
    """Ten letters and seven are too much for one window of 16: a letter is a piece, and two marks frame them."""
    encoder = SentenceEncoder(str(unprompted_model))
    mean = 10 * raw_key(unprompted_model, "abcabcabca") + 7 * raw_key(unprompted_model, "xyzxyzx")
    key = encoder.encode_passages(["abcabcabca xyzxyzx"])[0]
    np.testing.assert_allclose(key, mean / np.linalg.norm(mean), atol=1e-5)


def test_prefix_leaves_less_room_and_still_nothing_is_cut_off(tiny_model: Path) -> None:
    """Fourteen letters fit the window alone, but not behind a prefix of two pieces."""
    encoder = SentenceEncoder(str(tiny_model))
    one, other = encoder.encode_passages(["aaaaaaaaaaaaab", "aaaaaaaaaaaaac"])
    assert np.linalg.norm(one - other) > 1e-3


@pytest.mark.parametrize(("text", "share"), [("tapir", 0.0), ("abc 今", 0.25), ("今天", 1.0), ("", 0.0)])
def test_unknown_share_is_that_of_the_vocabulary(tiny_model: Path, text: str, share: float) -> None:
    """A letter is a piece; a character that is none of the 26 is unknown."""
    assert SentenceEncoder(str(tiny_model)).unknown_share(text) == share


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads that take turns at nearly every bytecode."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_do_not_mix_up_the_tokenizer_s_settings(tiny_model: Path, restless_threads: None) -> None:
    """It keeps padding and truncation from call to call: a count in between would undo another thread's."""
    encoder = SentenceEncoder(str(tiny_model))
    texts = ["tapir", "a longer text of many windows " * 8]
    alone = encoder.encode_passages(texts)

    def differs(turn: int) -> float:
        encoder.unknown_share(texts[turn % 2])
        return float(np.abs(encoder.encode_passages(texts) - alone).max())

    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(differs, range(200))) < 1e-5


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 100),
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-64]),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "tokenizer.json").write_text("{"),
        shutil.rmtree,
    ],
    ids=["no weights", "zeroed weights", "cut weights", "config is no JSON", "tokenizer is no JSON", "no folder"],
)
def test_folder_that_holds_no_whole_model_is_unavailable(tiny_model: Path, tmp_path: Path, damage: Damage) -> None:
    """Whatever the library raises comes out as ours."""
    folder = shutil.copytree(tiny_model, tmp_path / "damaged")
    damage(folder)
    with pytest.raises(EncoderUnavailable) as refused:
        SentenceEncoder(str(folder)).warm_up()
    assert refused.value.code == "encoder_unavailable"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Hosts that somebody wanted to reach, with the library's own offline switch off. Nobody gets through."""
    hosts: list[object] = []

    def refuse(host: object, *rest: object, **named: object) -> None:
        hosts.append(host)
        raise OSError("this test has no network")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return hosts


def test_model_that_is_nowhere_on_this_machine_is_not_looked_for_elsewhere(asked: list[object]) -> None:
    """Nothing is ever fetched unasked."""
    with pytest.raises(EncoderUnavailable) as refused:
        SentenceEncoder("nobody/no-such-model").warm_up()
    assert refused.value.code == "encoder_unavailable"
    assert asked == []


@pytest.mark.parametrize("allow", [False, True])
def test_library_may_fetch_only_where_that_was_allowed(monkeypatch: pytest.MonkeyPatch, allow: bool) -> None:
    """The choice reaches the library: with it, the same name would be looked for on the hub."""
    told: list[object] = []

    def record(name: str, *, local_files_only: bool, **named: object) -> None:
        told.append(local_files_only)
        raise OSError("this double has no models")

    monkeypatch.setattr("sentence_transformers.SentenceTransformer", record)
    with pytest.raises(EncoderUnavailable):
        SentenceEncoder("nobody/no-such-model", allow_download=allow).warm_up()
    assert told == [not allow]


def test_a_question_that_was_read_is_not_read_again_to_be_encoded(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pieces are counted once, beside the run itself."""
    encoder = SentenceEncoder(str(tiny_model))
    encoder.warm_up()
    read: list[str] = []
    tokens = encoder._tokens

    def noted(text: str, *, special: bool = True) -> Sequence[int]:
        read.append(text)
        return tokens(text, special=special)

    monkeypatch.setattr(encoder, "_tokens", noted)
    encoder.unknown_share("tapir")
    encoder.encode_query("tapir")
    encoder.unknown_share("tapir")
    assert read == ["tapir"]


def test_reading_does_not_wait_for_a_run(tiny_model: Path) -> None:
    """A run of many texts takes long, and reading one hardly any time."""
    encoder = SentenceEncoder(str(tiny_model))
    encoder.warm_up()
    with encoder._in_use, ThreadPoolExecutor(1) as pool:
        assert pool.submit(encoder.unknown_share, "a?").result(timeout=20) == 0.5


def test_a_tokenizer_written_in_python_reads_as_well(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to wait for the run, for it may keep what it was last asked."""
    monkeypatch.setattr(sentence, "_reader", lambda tokenizer: None)
    plain = SentenceEncoder(str(tiny_model))
    assert plain.unknown_share("a?") == 0.5
    monkeypatch.undo()
    fast = SentenceEncoder(str(tiny_model))
    np.testing.assert_array_equal(plain.encode_query("tapir"), fast.encode_query("tapir"))
    assert sentence._reader(object()) is None
