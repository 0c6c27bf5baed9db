"""Keys that were computed once, for measurements that should hold no encoding."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ntm_memory_skill import SentenceEncoder
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine.cue import COMMON_CHINESE

SINGLES = 100  # texts that are encoded one by one as well, to know how long that takes

Report = Callable[[Any], None]


class KnownKeys:
    """The bundled model, having encoded everything already.

    Args:
        passages: The texts to be remembered, each once.
        questions: The questions, each once.
        arrays: `passages`, `questions`: their keys. `unknown`: what share the model cannot read of the text that tells
            whether it reads Chinese, then of each question.
        milliseconds: What encoding took.
    """

    array_library = "torch"
    ready = True

    def __init__(
        self,
        passages: Sequence[str],
        questions: Sequence[str],
        arrays: dict[str, np.ndarray],
        milliseconds: dict[str, float],
    ) -> None:
        self.identity = SentenceEncoder().identity  # known without loading it
        self.known_identity = self.identity
        self.milliseconds = milliseconds
        self._arrays = arrays
        self._passages = dict(zip(passages, arrays["passages"], strict=True))
        self._questions = dict(zip(questions, arrays["questions"], strict=True))
        self._unknown = dict(zip([COMMON_CHINESE, *questions], arrays["unknown"].tolist(), strict=True))

    def save(self, file: Path) -> None:
        """Keep the keys in a file."""
        about = json.dumps({"revision": self.identity.revision, "milliseconds": self.milliseconds})
        names = {"passage_names": _names(self._passages), "question_names": _names(self._questions)}
        with file.open("wb") as target:
            np.savez(target, about=np.array(about), **names, **self._arrays)  # type: ignore[arg-type]  # a keyword

    def warm_up(self) -> None:
        """Do nothing: there is no model."""

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:  # noqa: ARG002  # protocol
        """Return the key of each text."""
        keys = [self._passages[text] for text in texts]
        return np.asarray(keys, np.float32).reshape(-1, self.identity.dimension)

    def encode_query(self, text: str) -> np.ndarray:
        """Return the key of a question."""
        key: np.ndarray = self._questions[text]
        return key

    def unknown_share(self, text: str) -> float:
        """Return the share of a question that the model cannot read."""
        return float(self._unknown[text])


def load(file: Path, passages: Sequence[str], questions: Sequence[str]) -> KnownKeys | None:
    """Return keys that a file keeps; None if there is none, or one of the texts is not in it."""
    if not file.is_file():
        return None
    with np.load(file) as kept:
        about = json.loads(str(kept["about"]))
        rows = _rows(kept["passage_names"], passages), _rows(kept["question_names"], questions)
        if None in rows or about["revision"] != SentenceEncoder().identity.revision:
            return None
        arrays = {"passages": kept["passages"][rows[0]], "questions": kept["questions"][rows[1]]}
        arrays["unknown"] = kept["unknown"][[0, *(row + 1 for row in rows[1] or ())]]
    return KnownKeys(passages, questions, arrays, about["milliseconds"])


def encode(report: Report, passages: Sequence[str], questions: Sequence[str]) -> None:
    """Report how far it is, then the keys. For a process of its own, so that no other starts with a model in memory."""
    import torch

    torch.set_num_threads(1)
    encoder = SentenceEncoder()
    encoder.warm_up()
    together, keys = timed(encoder.encode_passages, passages, lambda done, _: report(done))
    singles = [timed(encoder.encode_passages, [text])[0] for text in passages[:SINGLES]]
    asking, reading = [], [timed(encoder.unknown_share, COMMON_CHINESE)]
    for number, text in enumerate(questions, len(passages) + SINGLES):
        asking.append(timed(encoder.encode_query, text))
        reading.append(timed(encoder.unknown_share, text))
        report(number)
    milliseconds = {
        "text_of_many": together / len(passages),
        "text": median(singles),
        "question": median(each for each, _ in asking),
        "how_much_of_a_question_is_readable": median(each for each, _ in reading),
    }
    unknown = np.asarray([share for _, share in reading])
    arrays = {"passages": keys, "questions": np.stack([key for _, key in asking]), "unknown": unknown}
    report(KnownKeys(passages, questions, arrays, milliseconds))


def timed(call: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the milliseconds of a call, and what it returned."""
    started = time.perf_counter()
    returned = call(*arguments)
    return 1000 * (time.perf_counter() - started), returned


def _names(texts: Iterable[str]) -> np.ndarray:
    return np.asarray([hashlib.sha256(text.encode()).hexdigest() for text in texts])


def _rows(names: np.ndarray, texts: Sequence[str]) -> list[int] | None:
    """Return where some texts stand among those of a file; None if one is missing."""
    known = {name: row for row, name in enumerate(names.tolist())}
    rows = [known.get(name) for name in _names(texts).tolist()]
    return None if None in rows else [row for row in rows if row is not None]
