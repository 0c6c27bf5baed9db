"""Keys from a model that was exported to ONNX on this machine: the same keys, without torch.

A folder holds one exported model: `model.onnx`, which takes tokens and gives unit keys; `tokenizer.json`; and
`encoder.json`, which says whose keys they are. onnxruntime and tokenizers are imported when the first text is encoded.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Float32

from ntm_memory_skill.encoder.pieces import BATCH, PiecewiseEncoder
from ntm_memory_skill.errors import EncoderUnavailable
from ntm_memory_skill.model import EncoderIdentity

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

FORMAT = 1
MODEL, TOKENIZER, DESCRIPTION = "model.onnx", "tokenizer.json", "encoder.json"
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


class ExportedEncoder(PiecewiseEncoder):
    """A model that was exported, loaded on first use.

    Args:
        folder: Where it is.

    Raises:
        EncoderUnavailable: It is not there, or not readable.
    """

    array_library = "numpy"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._about = Description.from_json((folder / DESCRIPTION).read_bytes())
        except OSError as error:
            message = f"no model was exported to {folder}: {error.strerror}"
            raise EncoderUnavailable(message, hint="Export it: ntm-memory encoder export") from error
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, InferenceSession] | None = None

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

    def unknown_share(self, text: str) -> float:
        """Return the share of word pieces that the model's vocabulary lacks, 0 to 1."""
        tokenizer, _ = self._load()
        pieces = tokenizer.encode(text, add_special_tokens=False).ids
        return sum(piece == self._about.unknown for piece in pieces) / len(pieces) if pieces else 0.0

    def _window(self) -> int:
        return self._about.window

    def _tokens(self, text: str, *, special: bool = True) -> int:
        tokenizer, _ = self._load()
        return len(tokenizer.encode(text, add_special_tokens=special).ids)

    def _run(self, pieces: list[str]) -> Float32[np.ndarray, "k m"]:
        tokenizer, session = self._load()
        tokens = [each.ids[: self._about.window] for each in tokenizer.encode_batch(pieces)]
        keys = np.zeros((len(pieces), self.identity.dimension), np.float32)
        by_length = sorted(range(len(pieces)), key=lambda place: len(tokens[place]))
        for start in range(0, len(pieces), BATCH):  # like lengths together, so that little is filled up
            places = by_length[start : start + BATCH]
            keys[places] = session.run(None, self._padded([tokens[place] for place in places]))[0]
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
