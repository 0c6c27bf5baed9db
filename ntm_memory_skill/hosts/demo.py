"""The demonstration: a diary goes in, the memory is closed and opened again, ten questions come out answered."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

from ntm_memory_skill.encoder import Encoder, RerankerSettings, load_encoder
from ntm_memory_skill.engine import Attention, NTMMemoryManager, Settings
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.evaluation.rows import COSINE
from ntm_memory_skill.model import Hit
from ntm_memory_skill.store.fs import translated

LOOKED_AT = 5  # what a search gives by default
"""How many hits a question may take: an agent reads the first few."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the memory gave for one question."""

    question: str
    ref: str
    expected: str
    hits: tuple[Hit, ...]
    attention: Attention
    milliseconds: float
    cosine_rank: int | None
    """Where cosine alone would have put the answer, from 1; None if not among the first few."""

    @property
    def hit(self) -> Hit | None:
        """The hit that holds the answer, if it is there."""
        return next((hit for hit in self.hits if hit.ref == self.ref), None)

    @property
    def rank(self) -> int | None:
        """Where the answer stands, from 1."""
        return next((rank for rank, hit in enumerate(self.hits, 1) if hit.ref == self.ref), None)

    @property
    def found(self) -> bool:
        """Whether the answer is among the hits."""
        return self.rank is not None


class Demonstration:
    """One run over the shipped diary. Use it as a context manager: it cleans up after itself.

    Args:
        settings: How the memory works.
        keep: A new folder to leave the memory in; None makes a temporary one.
        encoder: What makes the keys; None takes the one that the settings name.

    Raises:
        InvalidArgument: `keep` holds a memory already.
        StoreUnreachable: Whether it does cannot be told.
    """

    def __init__(self, settings: Settings, keep: Path | None = None, encoder: Encoder | None = None) -> None:
        self.entries = shipped("diary.jsonl")
        self.questions = shipped("diary_questions.jsonl")
        self.seconds_to_store = 0.0
        self._encoder = load_encoder(settings.encoder) if encoder is None else encoder
        self._settings = settings
        self._temporary = tempfile.TemporaryDirectory(prefix="ntm-memory-demo-") if keep is None else None
        folder = Path(self._temporary.name) if self._temporary is not None else Path(str(keep))
        self._file = folder / "ntm_memory.json"
        with translated(self._file):
            there = self._file.exists()
        if there:
            raise InvalidArgument(f"{self._file} exists", hint="Give --keep a new folder.")
        self._memory: NTMMemoryManager | None = None
        self._cosine: NTMMemoryManager | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for memory in (self._memory, self._cosine):
            if memory is not None:
                memory.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def store(self, *, progress: bool | None = None) -> None:
        """Store the diary, close the memory, and open it again."""
        started = time.perf_counter()
        with self._open(self._settings) as memory:
            memory.memorize_many(self.entries, progress=progress)
        self.seconds_to_store = time.perf_counter() - started
        self._memory = self._open(self._settings)
        plain = replace(self._settings, addressing=COSINE.addressing, reranker=RerankerSettings())
        self._cosine = self._open(plain)

    def ask(self, number: int) -> Answer:
        """Ask one of the questions, by number from 0."""
        if self._memory is None or self._cosine is None:
            raise RuntimeError("store() comes before ask()")
        asked = self.questions[number]
        started = time.perf_counter()
        hits = self._memory.search(asked["question"], top_k=LOOKED_AT)
        milliseconds = (time.perf_counter() - started) * 1000
        plain = self._cosine.search(asked["question"], top_k=LOOKED_AT)
        return Answer(
            question=asked["question"],
            ref=asked["ref"],
            expected=asked["answer"],
            hits=tuple(hits),
            attention=self._memory.attention(asked["question"]),
            milliseconds=milliseconds,
            cosine_rank=next((rank for rank, hit in enumerate(plain, 1) if hit.ref == asked["ref"]), None),
        )

    def summary(self, answers: list[Answer]) -> dict[str, Any]:
        """Return the counts over all answers, and each answer, as JSON."""
        return {
            "memories": len(self.entries),
            "questions": len(answers),
            "looked_at": LOOKED_AT,
            "first": sum(answer.rank == 1 for answer in answers),
            "found": sum(answer.found for answer in answers),
            "cosine_first": sum(answer.cosine_rank == 1 for answer in answers),
            "cosine_found": sum(answer.cosine_rank is not None for answer in answers),
            "milliseconds": median(answer.milliseconds for answer in answers),
            "answers": [
                {
                    "question": answer.question,
                    "rank": answer.rank,
                    "cosine_rank": answer.cosine_rank,
                    "score": None if answer.hit is None else answer.hit.score,
                    "content": None if answer.hit is None else answer.hit.content,
                }
                for answer in answers
            ],
        }

    def _open(self, settings: Settings) -> NTMMemoryManager:
        return NTMMemoryManager.open(self._file, settings=settings, encoder=self._encoder)


def shipped(name: str) -> list[dict[str, Any]]:
    """Return the objects of one of the shipped examples: beside the package in a checkout, inside it in a wheel."""
    inside = files("ntm_memory_skill") / "examples" / name
    beside = Path(__file__).parents[2] / "examples" / name
    text = inside.read_text(encoding="utf-8") if inside.is_file() else beside.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
