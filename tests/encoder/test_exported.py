"""An exported model: the same keys as its own, without torch; and what happens where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntm_memory_skill import NTMMemoryManager, SentenceEncoder, Settings
from ntm_memory_skill.encoder import EXPORTS, EncoderSettings, exporting, load_encoder
from ntm_memory_skill.encoder import settings as encoder_settings
from ntm_memory_skill.encoder.exported import DESCRIPTION, MODEL, TOKENIZER, WEIGHTS, Description, ExportedEncoder
from ntm_memory_skill.encoder.protocol import Text
from ntm_memory_skill.encoder.settings import export_folder
from ntm_memory_skill.errors import EncoderUnavailable, ExportDiffers, NTMMemoryError
from tests.encoder.conftest import WINDOW
from tests.encoder.engines import engine

pytest.importorskip("onnx", reason="the extra 'fast' is not installed: nothing can be exported")
pytest.importorskip("onnxruntime", reason="the extra 'fast' is not installed: nothing exported can be run")

TEXTS = st.text("abc xyz:!ß语\n", max_size=60)
"""Up to some four windows of the tiny model; much of it unknown to it."""


@pytest.fixture(scope="session")
def exported(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny model as it was exported."""
    folder = tmp_path_factory.mktemp("exports") / "tiny"
    assert exporting.export(SentenceEncoder(str(tiny_model)), folder) > exporting.ALIKE
    return folder


@pytest.fixture(scope="session")
def pair(tiny_model: Path, exported: Path) -> tuple[SentenceEncoder, ExportedEncoder]:
    """The tiny model, and the same exported."""
    return SentenceEncoder(str(tiny_model)), ExportedEncoder(exported)


class TestKeys:
    """What it makes of texts."""

    @given(texts=st.lists(TEXTS, max_size=5), question=TEXTS)
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_keys_are_those_of_the_model(
        self, pair: tuple[SentenceEncoder, ExportedEncoder], texts: list[str], question: str
    ) -> None:
        """Of passages and questions, whatever their length and in whatever company, with their prefixes."""
        own, other = pair
        np.testing.assert_allclose(other.encode_passages(texts), own.encode_passages(texts), atol=1e-5)
        np.testing.assert_allclose(other.encode_query(question), own.encode_query(question), atol=1e-5)
        assert other.unknown_share(question) == own.unknown_share(question)

    def test_identity_is_the_model_s(self, pair: tuple[SentenceEncoder, ExportedEncoder]) -> None:
        """A memory that either wrote is read by the other; it is known before anything is loaded."""
        own, other = pair
        assert other.identity == other.known_identity == own.identity
        assert other.array_library == "numpy"

    def test_long_lists_are_told_of(self, pair: tuple[SentenceEncoder, ExportedEncoder]) -> None:
        """As the model tells of them."""
        told: list[tuple[int, int]] = []
        _, other = pair
        keys = other.encode_passages(["a b c"] * 130, lambda done, of: told.append((done, of)))
        assert told[-1] == (130, 130)
        np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-5)

    def test_several_threads_may_use_it(self, exported: Path) -> None:
        """Also before it is loaded."""
        other = ExportedEncoder(exported)
        assert not other.ready
        texts = [f"{'abc ' * number}x" for number in range(12)]
        found: dict[int, np.ndarray] = {}

        def encode(number: int) -> None:
            found[number] = other.encode_query(texts[number])

        threads = [threading.Thread(target=encode, args=(number,)) for number in range(len(texts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert other.ready
        for number, text in enumerate(texts):
            np.testing.assert_allclose(found[number], other.encode_query(text), atol=1e-6)

    def test_no_torch_is_imported(self, exported: Path) -> None:
        """That is what it is for."""
        code = f"""
import sys
from pathlib import Path
from ntm_memory_skill.encoder.exported import ExportedEncoder
ExportedEncoder(Path({str(exported)!r})).encode_query("abc")
print([name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules])
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
        assert done.stdout.strip() == "[]"


class TestChoosing:
    """Which engine runs the model."""

    @pytest.fixture
    def configured(self, tiny_model: Path, tmp_path: Path) -> EncoderSettings:
        """The tiny model, with a place for exported ones."""
        return EncoderSettings(model=str(tiny_model), exports=tmp_path)

    def place(self, configured: EncoderSettings, exported: Path) -> Path:
        """Put the exported model where it belongs."""
        assert configured.exports is not None
        folder = export_folder(configured, configured.exports)
        folder.symlink_to(exported)
        return folder

    def test_auto_takes_the_exported_one_if_there_is_one(
        self, configured: EncoderSettings, exported: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And if it can be run here."""
        assert isinstance(engine(load_encoder(configured)), SentenceEncoder)
        self.place(configured, exported)
        assert isinstance(engine(load_encoder(configured)), ExportedEncoder)
        monkeypatch.setattr(encoder_settings, "runs_here", lambda: False)
        assert isinstance(engine(load_encoder(configured)), SentenceEncoder)

    def test_an_engine_that_was_asked_for_is_taken(self, configured: EncoderSettings, exported: Path) -> None:
        """Or it is an error: nothing else is tried."""
        wanted = EncoderSettings(model=configured.model, exports=configured.exports, engine="onnx")
        with pytest.raises(EncoderUnavailable, match="exported"):
            load_encoder(wanted)
        with pytest.raises(EncoderUnavailable, match="no folder"):
            load_encoder(EncoderSettings(engine="onnx"))
        self.place(configured, exported)
        assert isinstance(engine(load_encoder(wanted)), ExportedEncoder)
        plain = EncoderSettings(model=configured.model, exports=configured.exports, engine="torch")
        assert isinstance(engine(load_encoder(plain)), SentenceEncoder)

    def test_prefixes_have_an_export_of_their_own(self, configured: EncoderSettings) -> None:
        """Their keys are others; so have other models."""
        assert configured.exports is not None
        others = [
            configured,
            EncoderSettings(model=configured.model, query_prefix="ask: "),
            EncoderSettings(model=configured.model, passage_prefix="ask: "),
            EncoderSettings(model=f"{configured.model}-2"),
            EncoderSettings(),
            EncoderSettings(query_prefix="ask: "),
        ]
        assert len({export_folder(each, configured.exports) for each in others}) == len(others)

    def test_a_memory_finds_what_was_exported_beside_it(
        self, configured: EncoderSettings, exported: Path, path: Path
    ) -> None:
        """And goes on with what the model itself wrote."""
        plain = Settings(encoder=EncoderSettings(model=configured.model))
        with NTMMemoryManager.open(path, settings=plain) as memory:
            assert isinstance(engine(memory._live.encoder), SentenceEncoder)
            memory.memorize("abc")
        folder = export_folder(plain.encoder, path.parent / EXPORTS)
        folder.parent.mkdir()
        folder.symlink_to(exported)
        with NTMMemoryManager.open(path, settings=plain) as memory:
            assert isinstance(engine(memory._live.encoder), ExportedEncoder)
            memory.memorize("xyz")
            assert memory.search("abc", top_k=1)[0].trace.cosine is not None


class TestRefusing:
    """What cannot be exported or run."""

    def test_a_model_whose_keys_differ_is_not_kept(
        self, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is said by how much; what was there before stays, and nothing else is left behind."""
        folder = tmp_path / "tiny"
        folder.mkdir()
        (folder / "mine").write_text("mine", encoding="utf-8")
        monkeypatch.setattr(exporting, "_compared", lambda *_: 0.5)
        with pytest.raises(ExportDiffers, match=r"0\.5"):
            exporting.export(SentenceEncoder(str(tiny_model)), folder)
        assert [each.name for each in tmp_path.iterdir()] == ["tiny"]
        assert (folder / "mine").read_text(encoding="utf-8") == "mine"

    def test_nobody_else_may_look_into_the_folders_that_it_makes(self, tiny_model: Path, tmp_path: Path) -> None:
        """They may be the memory's own."""
        folder = tmp_path / "memory" / EXPORTS / "tiny"
        exporting.export(SentenceEncoder(str(tiny_model)), folder)
        for each in (folder, folder.parent, folder.parent.parent):
            assert each.stat().st_mode & 0o077 == 0

    def test_the_sample_goes_beyond_the_window_and_the_alphabet(self, pair: tuple[SentenceEncoder, object]) -> None:
        """Else the comparison would say less than it seems to."""
        own, _ = pair
        assert max(map(len, exporting.SAMPLE)) > 4 * 256
        assert any(not text.isascii() for text in exporting.SAMPLE)
        assert own.model.max_seq_length == WINDOW

    @pytest.mark.parametrize("name", [MODEL, WEIGHTS, TOKENIZER])
    @pytest.mark.parametrize("data", [None, b"", b"{}", bytes(range(64))])
    def test_a_damaged_export_says_how_to_make_it_anew(
        self, exported: Path, tmp_path: Path, name: str, data: bytes | None
    ) -> None:
        """Whichever file it is."""
        for each in exported.iterdir():
            (tmp_path / each.name).write_bytes(each.read_bytes())
        (tmp_path / name).unlink() if data is None else (tmp_path / name).write_bytes(data)
        with pytest.raises(EncoderUnavailable) as caught:
            ExportedEncoder(tmp_path).encode_query("abc")
        assert "ntm-memory encoder export --force" in (caught.value.hint or "")

    @pytest.mark.parametrize(
        "data", [b"", b"[]", b"7", b"null", b"{}", b'{"format": 2}', b'{"format": 1, "window": 3}']
    )
    def test_a_description_that_is_none_is_refused(self, tmp_path: Path, data: bytes) -> None:
        """Before anything is loaded."""
        (tmp_path / DESCRIPTION).write_bytes(data)
        with pytest.raises(NTMMemoryError, match="exported model"):
            ExportedEncoder(tmp_path)

    def test_a_folder_without_an_export_is_refused(self, tmp_path: Path) -> None:
        """With the command that makes one."""
        with pytest.raises(EncoderUnavailable) as caught:
            ExportedEncoder(tmp_path / "nowhere")
        assert "ntm-memory encoder export" in (caught.value.hint or "")

    def test_without_onnxruntime_it_says_what_to_install(self, exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The extra, by name."""
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(EncoderUnavailable) as caught:
            ExportedEncoder(exported).encode_query("abc")
        assert "[fast]" in (caught.value.hint or "")


def test_description_is_read_back_as_it_was_written(exported: Path) -> None:
    """And it is JSON for people, too."""
    data = (exported / DESCRIPTION).read_bytes()
    about = Description.from_json(data)
    assert about.to_json() == data
    assert (about.window, json.loads(data)["identity"]["dimension"]) == (WINDOW, 16)


@pytest.mark.model
def test_the_bundled_model_s_keys_are_the_same(bundled: SentenceEncoder, tmp_path: Path) -> None:
    """English, Chinese, long and short; and in whatever company."""
    folder = tmp_path / "bundled"
    assert exporting.export(bundled, folder) > 0.99999
    other = ExportedEncoder(folder)
    texts = [Text(text, question) for text in exporting.SAMPLE for question in (True, False)]
    alone = np.concatenate([other.encode_together([text]) for text in texts])
    np.testing.assert_allclose(other.encode_together(texts), alone, atol=1e-6)
