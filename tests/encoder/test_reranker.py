"""Rerankers: what each promises, and a cross-encoder in a folder, a tiny one of random weights made for these tests."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ntm_memory_skill.encoder import CrossEncoderReranker, Reranker, RerankerSettings, load_reranker
from ntm_memory_skill.errors import EncoderError, RerankerUnavailable
from tests.encoder.conftest import save_tiny_model
from tests.encoder.rerankers import CROSS_WINDOW, LetterReranker, Scores, save_tiny_cross_encoder
from tests.encoder.test_laziness import loaded_after

Damage = Callable[[Path], object]
QUESTION = "who keeps goats"
TEXTS = ["anna keeps three goats", "the dentist is on thursday", "goats", "a flat tyre", "今天 bread"]


@pytest.fixture(scope="session")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-encoder of random weights."""
    return save_tiny_cross_encoder(tmp_path_factory.mktemp("rerankers") / "tiny")


@pytest.fixture(params=["double", "cross-encoder"])
def reranker(request: pytest.FixtureRequest) -> Reranker:
    """Each reranker that the contract binds."""
    if request.param == "double":
        return LetterReranker()
    return CrossEncoderReranker(str(request.getfixturevalue("tiny_cross_encoder")))


def predicted(folder: Path, query: str, texts: list[str]) -> Scores:
    """Return what the library itself gives, a pair at a time."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder), local_files_only=True, device="cpu")
    given: Scores = np.array(
        [float(model.predict([(query, text)], show_progress_bar=False)[0]) for text in texts], dtype=np.float32
    )
    return given


class TestContract:
    """What every reranker promises."""

    def test_there_is_a_finite_score_for_each_text(self, reranker: Reranker) -> None:
        """In float32, for one text and for several, for a question without an answer as well."""
        for texts in (TEXTS, TEXTS[:1]):
            scores = reranker.scores("?", texts)
            assert scores.shape == (len(texts),)
            assert scores.dtype == np.float32
            assert np.isfinite(scores).all()

    def test_no_texts_have_no_scores(self, reranker: Reranker) -> None:
        """An empty array, no error."""
        scores = reranker.scores(QUESTION, [])
        assert scores.shape == (0,)
        assert scores.dtype == np.float32

    def test_scores_stand_in_the_order_of_the_texts(self, reranker: Reranker) -> None:
        """However they are grouped for speed; a text's score does not depend on its company."""
        scores = reranker.scores(QUESTION, TEXTS)
        assert len(set(scores.tolist())) > 1
        np.testing.assert_allclose(reranker.scores(QUESTION, TEXTS[::-1]), scores[::-1], atol=1e-5)
        np.testing.assert_allclose(reranker.scores(QUESTION, TEXTS[1:2]), scores[1:2], atol=1e-5)

    def test_the_same_question_gets_the_same_scores(self, reranker: Reranker) -> None:
        """To the last bit."""
        np.testing.assert_array_equal(reranker.scores(QUESTION, TEXTS), reranker.scores(QUESTION, TEXTS))

    def test_a_reranker_that_was_warmed_up_is_ready(self, reranker: Reranker) -> None:
        """Warming up twice is harmless."""
        reranker.warm_up()
        reranker.warm_up()
        assert reranker.ready

    def test_a_text_longer_than_any_window_has_a_score(self, reranker: Reranker) -> None:
        """And so has a question that is."""
        scores = reranker.scores("goats " * 300, ["goats " * 300, "goats"])
        assert np.isfinite(scores).all()

    def test_threads_may_ask_at_once(self, reranker: Reranker) -> None:
        """Each gets the scores that it would have got alone."""
        asked = [QUESTION, "a question that is longer than any window of this model is " * 2, "?", "tyre"]
        alone = [reranker.scores(query, TEXTS) for query in asked]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda query: reranker.scores(query, TEXTS), asked))
        np.testing.assert_allclose(together, alone, atol=1e-5)


class TestCrossEncoder:
    """A model of sentence-transformers."""

    def test_scores_are_those_that_the_library_gives_and_so_is_the_order(self, tiny_cross_encoder: Path) -> None:
        """The pairs go in as (question, text), and nothing is done to what comes out."""
        scores = CrossEncoderReranker(str(tiny_cross_encoder)).scores(QUESTION, TEXTS)
        expected = predicted(tiny_cross_encoder, QUESTION, TEXTS)
        np.testing.assert_allclose(scores, expected, atol=1e-5)
        assert np.argsort(-scores).tolist() == np.argsort(-expected).tolist()
        assert np.abs(scores - predicted(tiny_cross_encoder, "flat tyre", TEXTS)).max() > 1e-3

    def test_what_is_beyond_the_window_is_not_read(self, tiny_cross_encoder: Path) -> None:
        """A beginning of more letters than the window has pieces leaves the end without a say."""
        reranker = CrossEncoderReranker(str(tiny_cross_encoder))
        long = "abcdefgh " * 8
        one, other, earlier = reranker.scores("goats", [f"{long}goats", f"{long}tapir", f"tapir {long}"])
        assert one == pytest.approx(other, abs=1e-6)
        assert abs(one - earlier) > 1e-4

    def test_no_more_is_handed_over_than_could_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tokenizers keep all that they cut off, in every combination of two long texts: that fills any memory."""
        handed: list[tuple[str, str]] = []

        class Double:
            max_seq_length, num_labels, activation_fn = CROSS_WINDOW, 1, None
            config = SimpleNamespace(architectures=["DoubleForSequenceClassification"])

            def __init__(self, name: str, **named: object) -> None: ...

            def children(self) -> list[object]:
                return [self]

            def predict(self, pairs: list[tuple[str, str]], **named: object) -> list[float]:
                handed.extend(pairs)
                return [0.5] * len(pairs)

        monkeypatch.setattr("sentence_transformers.CrossEncoder", Double)
        CrossEncoderReranker("double").scores("q" * 10**5, ["t" * 10**5, "short"])
        (question, long), (_, short) = handed
        assert CROSS_WINDOW <= len(question) <= 2 * CROSS_WINDOW
        assert 4 * CROSS_WINDOW <= len(long) <= 16 * CROSS_WINDOW
        assert short == "short"

    def test_the_model_is_loaded_by_the_first_text_and_once(
        self, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many threads come first; a search without hits loads nothing."""
        import sentence_transformers

        made = []
        original = sentence_transformers.CrossEncoder

        def counted(name: str, **named: object) -> object:
            made.append(name)
            return original(name, **named)

        monkeypatch.setattr("sentence_transformers.CrossEncoder", counted)
        reranker = CrossEncoderReranker(str(tiny_cross_encoder))
        reranker.scores(QUESTION, [])
        assert (reranker.ready, made) == (False, [])
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda text: reranker.scores(QUESTION, [text]), TEXTS))
        assert (reranker.ready, made) == (True, [str(tiny_cross_encoder)])


class TestRefusals:
    """What is no reranker is refused with a way out, before it puts a single hit in the wrong place."""

    @pytest.mark.parametrize(
        "damage",
        [
            lambda folder: (folder / "model.safetensors").unlink(),
            lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 100),
            lambda folder: (folder / "model.safetensors").write_bytes(
                (folder / "model.safetensors").read_bytes()[:-64]
            ),
            lambda folder: (folder / "config.json").write_text("{"),
            lambda folder: (folder / "tokenizer.json").write_text("{"),
            lambda folder: change_config(folder, hidden_size=18),
            lambda folder: change_config(folder, model_type="nonsense"),
            shutil.rmtree,
        ],
        ids=["no weights", "zeroed", "cut", "config", "tokenizer", "other shape", "unknown kind", "no folder"],
    )
    def test_a_folder_without_a_whole_model_is_unavailable(
        self, tiny_cross_encoder: Path, tmp_path: Path, damage: Damage
    ) -> None:
        """Whatever the library raises comes out as ours, and the next attempt is a new one."""
        folder = shutil.copytree(tiny_cross_encoder, tmp_path / "damaged")
        damage(folder)
        reranker = CrossEncoderReranker(str(folder))
        for _ in range(2):
            with pytest.raises(RerankerUnavailable) as refused:
                reranker.scores(QUESTION, TEXTS)
        assert refused.value.code == "reranker_unavailable"
        assert isinstance(refused.value, EncoderError)
        assert str(folder) in refused.value.message
        assert "reranker.model" in refused.value.hint
        assert not reranker.ready

    def test_a_plain_encoder_is_no_reranker(self, tmp_path: Path) -> None:
        """The library would fill the missing layer with random numbers, and order hits by them."""
        bare = save_tiny_cross_encoder(tmp_path / "bare", scores=False)
        sentences = save_tiny_model(tmp_path / "sentences", seed=1, prompts={})
        for folder in (bare, sentences):
            with pytest.raises(RerankerUnavailable):
                CrossEncoderReranker(str(folder)).warm_up()

    def test_a_model_that_sorts_into_classes_is_no_reranker(self, tmp_path: Path) -> None:
        """Its three numbers are in no order of merit."""
        folder = save_tiny_cross_encoder(tmp_path / "classes", labels=3)
        with pytest.raises(RerankerUnavailable):
            CrossEncoderReranker(str(folder)).warm_up()

    def test_scores_that_are_no_numbers_are_refused(
        self, tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They could not be ordered, nor sent as JSON."""
        from safetensors.numpy import load_file, save_file

        folder = shutil.copytree(tiny_cross_encoder, tmp_path / "nan")
        weights = load_file(folder / "model.safetensors")
        weights["classifier.weight"] = np.full_like(weights["classifier.weight"], np.nan)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(RerankerUnavailable):
            CrossEncoderReranker(str(folder)).scores(QUESTION, TEXTS)


class TestDownloads:
    """Nothing is ever fetched unasked."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[object]:
        """Hosts that somebody wanted to reach, with the library's own offline switch off. Nobody gets through."""
        hosts: list[object] = []

        def refuse(host: object, *rest: object, **named: object) -> None:
            hosts.append(host)
            raise OSError("this test has no network")

        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        monkeypatch.setattr(socket.socket, "connect", refuse)
        return hosts

    @pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-model"])
    def test_a_model_that_is_not_on_this_machine_is_not_looked_for_elsewhere(
        self, asked: list[object], name: str
    ) -> None:
        """With an owner in its name or without."""
        with pytest.raises(RerankerUnavailable):
            CrossEncoderReranker(name).warm_up()
        assert asked == []

    @pytest.mark.parametrize("allow", [False, True])
    def test_the_library_may_fetch_only_where_that_was_allowed(
        self, monkeypatch: pytest.MonkeyPatch, allow: bool
    ) -> None:
        """The choice of the settings reaches it."""
        told: list[object] = []

        def record(name: str, *, local_files_only: bool, **named: object) -> None:
            told.append(local_files_only)
            raise OSError("this double has no models")

        monkeypatch.setattr("sentence_transformers.CrossEncoder", record)
        reranker = load_reranker(RerankerSettings(model="nobody/no-such-model", allow_download=allow))
        assert reranker is not None
        with pytest.raises(RerankerUnavailable):
            reranker.warm_up()
        assert told == [not allow]


class TestOff:
    """What it costs where nobody wants it."""

    def test_there_is_no_reranker_by_default(self) -> None:
        """No model is named, so none is made."""
        assert load_reranker(RerankerSettings()) is None

    def test_a_search_without_a_reranker_imports_no_cross_encoder(self) -> None:
        """Neither does importing the package, nor making a reranker that is not asked anything."""
        code = """
import ntm_memory_skill
from ntm_memory_skill import HashedEncoder, NTMMemoryManager
from ntm_memory_skill.encoder import CrossEncoderReranker
from ntm_memory_skill.store import MemoryStore
memory = NTMMemoryManager(MemoryStore(), HashedEncoder())
memory.memorize("goats")
assert memory.search("goats")[0].trace.rerank is None
CrossEncoderReranker("nobody/no-such-model").ready
"""
        assert loaded_after(code) == []


def change_config(folder: Path, **entries: object) -> None:
    """Replace entries of a model's configuration."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))
