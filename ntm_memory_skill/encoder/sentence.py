"""Keys from a sentence-transformers model on torch.

Neither library is imported before the first text is encoded: together they take seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder import bundled
from ntm_memory_skill.encoder.library import loading
from ntm_memory_skill.encoder.pieces import PiecewiseEncoder
from ntm_memory_skill.errors import EncoderUnavailable
from ntm_memory_skill.model import EncoderIdentity

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

BUNDLED = "bundled"
KNOWN_PREFIXES = {
    "multilingual-e5": ("query: ", "passage: "),
    "e5-": ("query: ", "passage: "),
    "bge-small-zh": ("为这个句子生成表示以用于检索相关文章：", ""),
}
"""What some models were trained to see before a query and a passage, where their files do not say so themselves."""


class SentenceEncoder(PiecewiseEncoder):
    """A sentence-transformers model, loaded on first use.

    Args:
        model: "bundled", the name of a model, or a folder that holds one.
        allow_download: Whether a named model that is not on this machine may be fetched.
        query_prefix: Put before each question; None takes what the model's files or `KNOWN_PREFIXES` say.
        passage_prefix: The same for what is remembered.
    """

    array_library = "torch"

    def __init__(
        self,
        model: str = BUNDLED,
        *,
        allow_download: bool = False,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
    ) -> None:
        super().__init__()
        self._name = model
        self._allow_download = allow_download
        self._given_prefixes = (query_prefix, passage_prefix)
        self._loading = threading.Lock()
        self._in_use = threading.RLock()  # the tokenizer holds its last call's padding: two threads would mix theirs up
        self._model: SentenceTransformer | None = None
        self._reader: Tokenizer | None = None
        self._identity: EncoderIdentity | None = None
        if model == BUNDLED and not any(self._given_prefixes):
            self._identity = bundled.IDENTITY

    @property
    def identity(self) -> EncoderIdentity:
        """Which keys these are; loads the model unless it is the bundled one."""
        return self._identity or self._identify(self._loaded())

    @property
    def known_identity(self) -> EncoderIdentity | None:
        """The identity, if the model need not be loaded for it."""
        return self._identity

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._model is not None

    @property
    def model(self) -> SentenceTransformer:
        """The model itself, loaded."""
        return self._loaded()

    def _window(self) -> int:
        return self._loaded().max_seq_length or 512

    def _unknown(self) -> int | None:
        unknown: int | None = self._loaded().tokenizer.unk_token_id
        return unknown

    def _run(self, pieces: list[str]) -> Float32[np.ndarray, "k m"]:
        model = self._loaded()
        with self._in_use:
            vectors = model.encode(pieces, batch_size=len(pieces), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def _tokens(self, text: str, *, special: bool = True) -> Sequence[int]:
        tokenizer = self._loaded().tokenizer
        if self._reader is not None:
            ids: Sequence[int] = self._reader.encode(text, add_special_tokens=special).ids
            return ids
        with self._in_use:
            return list(tokenizer.encode(text, add_special_tokens=special, verbose=False))

    def _loaded(self) -> SentenceTransformer:
        if self._model is None:
            with self._loading:
                if self._model is None:
                    self._model = self._load()
        return self._model

    def _load(self) -> SentenceTransformer:
        source = str(bundled.model_folder()) if self._name == BUNDLED else self._name
        from sentence_transformers import SentenceTransformer

        with loading(f"the model {self._name!r}", EncoderUnavailable):
            model = SentenceTransformer(source, local_files_only=not self._allow_download, device="cpu")
        if self._identity is None:
            self._identity = self._identify(model)
        self._reader = _reader(model.tokenizer)
        return model

    def _identify(self, model: SentenceTransformer) -> EncoderIdentity:
        query, passage = _prefixes(self._name, model.prompts)
        given_query, given_passage = self._given_prefixes
        return EncoderIdentity(
            name=Path(self._name).name if Path(self._name).is_dir() else self._name,
            revision=_revision(self._name, model),
            dimension=_dimension(model),
            query_prefix=query if given_query is None else given_query,
            passage_prefix=passage if given_passage is None else given_passage,
        )


def _reader(tokenizer: Any) -> Tokenizer | None:
    """Return a copy of a tokenizer that fills up and cuts off nothing, so that threads can read with it during a run.

    None where the tokenizer is written in Python, and there is none of this kind inside it.
    """
    inner = getattr(tokenizer, "backend_tokenizer", None)
    if inner is None:
        return None
    copied: Tokenizer = type(inner).from_str(inner.to_str())
    copied.no_padding()
    copied.no_truncation()
    return copied


def _prefixes(name: str, prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """Return the prefixes for queries and passages: from the model's own files, else from the table."""
    query = prompts.get("query") or ""
    passage = prompts.get("document") or prompts.get("passage") or ""
    if query or passage:
        return query, passage
    own_name = Path(name).name.lower()  # without the owner, or the folders above it
    return next((pair for part, pair in KNOWN_PREFIXES.items() if part in own_name), ("", ""))


def _dimension(model: Any) -> int:
    """Return the length of a model's keys; the library has renamed the method."""
    ask = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return int(ask() or 0)


def _revision(name: str, model: Any) -> str:
    """Return what pins the weights: the hash of the file if the model is a folder, else the hub's commit."""
    if name == BUNDLED:
        return bundled.IDENTITY.revision
    if Path(name).is_dir():
        files = sorted(Path(name).glob("*.safetensors")) or sorted(Path(name).glob("*.bin"))
        return f"sha256:{bundled.file_sha256(files[0])[:16]}" if files else "unpinned"
    commit = getattr(getattr(model[0], "auto_model", None), "config", None)
    return str(getattr(commit, "_commit_hash", None) or "unpinned")
