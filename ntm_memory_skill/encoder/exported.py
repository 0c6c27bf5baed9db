"""Keys from a model that was exported to ONNX on this machine: the same keys, without torch.

A folder holds one exported model: `model.onnx`, which takes tokens and gives unit keys; its `model.weights`, which are
mapped; `tokenizer.json`; and `encoder.json`, which says whose keys they are. onnxruntime and tokenizers are imported
when the first text is encoded.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.pieces import PiecewiseEncoder
from ntm_memory_skill.errors import EncoderUnavailable
from ntm_memory_skill.model import EncoderIdentity

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

FORMAT = 1
MODEL, WEIGHTS, TOKENIZER, DESCRIPTION = "model.onnx", "model.weights", "tokenizer.json", "encoder.json"
MISSING = 'Install it: pip install "ntm-memory-skill[fast]"'
AGAIN = "Export it anew: ntm-memory encoder export --force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What `encoder.json` says."""

    identity: EncoderIdentity
    window: int
    """Tokens that the model reads at once."""
    unknown: int | None
    """The token for what the vocabulary lacks."""
    padding: int
    """The token that fills a batch up."""

    def to_json(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Return what `to_json` wrote. Raises EncoderUnavailable for anything else."""
        try:
            document = json.loads(data)
            if document.pop("format") != FORMAT:
                raise EncoderUnavailable("the exported model is of another version", hint=AGAIN)
            identity = EncoderIdentity(**document.pop("identity"))
            return cls(identity=identity, **document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise EncoderUnavailable(f"the exported model's {DESCRIPTION} cannot be read", hint=AGAIN) from error


def folder_of(exports: Path, name: str, revision: str) -> Path:
    """Return where among exported models the one of a name and revision is."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in f"{name}-{revision}")
    return exports / safe


def runs_here() -> bool:
    """Return whether exported models can be run: whether onnxruntime is installed."""
    return find_spec("onnxruntime") is not None


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ExportedEncoder(PiecewiseEncoder):
    """A model that was exported, loaded on first use.

    A run of the model takes one thread: sharing out the work on one short text costs more than it saves. Texts that
    need several runs, and threads that ask at once, use as many processors as there are.

    Args:
        folder: Where it is.

    Raises:
        EncoderUnavailable: It is not there, or not readable.
    """

    array_library = "numpy"
    most_in_a_run = 8

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        try:
            self._about = Description.from_json((folder / DESCRIPTION).read_bytes())
        except OSError as error:
            message = f"no model was exported to {folder}: {error.strerror}"
            raise EncoderUnavailable(message, hint="Export it: ntm-memory encoder export") from error
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, InferenceSession] | None = None
        self._helpers: ThreadPoolExecutor | None = None

    @property
    def identity(self) -> EncoderIdentity:
        """Whose keys these are: the same as of the model that was exported."""
        return self._about.identity

    @property
    def known_identity(self) -> EncoderIdentity | None:
        """The same."""
        return self.identity

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._loaded is not None

    @property
    def runs_at_once(self) -> int:
        """One for each processor."""
        return cores()

    def _window(self) -> int:
        return self._about.window

    def _unknown(self) -> int | None:
        return self._about.unknown

    def _tokens(self, text: str, *, special: bool = True) -> Sequence[int]:
        tokenizer, _ = self._load()
        ids: Sequence[int] = tokenizer.encode(text, add_special_tokens=special).ids
        return ids

    def _run_each(self, groups: Sequence[list[str]]) -> Iterable[Float32[np.ndarray, "k m"]]:
        if len(groups) < 2 or cores() < 2:
            return super()._run_each(groups)
        with self._loading:
            if self._helpers is None:
                self._helpers = ThreadPoolExecutor(cores(), thread_name_prefix="ntm-memory encodes")
        return self._helpers.map(self._run, groups)

    def _run(self, pieces: list[str]) -> Float32[np.ndarray, "k m"]:
        tokenizer, session = self._load()
        tokens = [each.ids[: self._about.window] for each in tokenizer.encode_batch(pieces)]
        keys: Float32[np.ndarray, "k m"] = session.run(None, self._padded(tokens))[0]
        return keys

    def _padded(self, tokens: Sequence[Sequence[int]]) -> dict[str, Any]:
        width = max(map(len, tokens))
        ids = np.full((len(tokens), width), self._about.padding, np.int64)
        mask = np.zeros_like(ids)
        for row, each in enumerate(tokens):
            ids[row, : len(each)], mask[row, : len(each)] = each, 1
        return {"ids": ids, "mask": mask}

    def _load(self) -> tuple[Tokenizer, InferenceSession]:
        if self._loaded is None:
            with self._loading:
                if self._loaded is None:
                    self._loaded = self._open()
        return self._loaded

    def _open(self) -> tuple[Tokenizer, InferenceSession]:
        try:
            from onnxruntime import InferenceSession, SessionOptions
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EncoderUnavailable("exported models need onnxruntime", hint=MISSING) from error
        options = SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads cost others' time
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
            session = InferenceSession(str(self._folder / MODEL), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # neither library says which it raises
            line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise EncoderUnavailable(f"the exported model cannot be loaded: {line}", hint=AGAIN) from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer, session
