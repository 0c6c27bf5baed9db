"""What the parts of the suite share: how large they are, where they may write, and memories that were filled before."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from fresh import fresh
from made_up import SEED, items, sentences

FILE = "ntm_memory.json"
EXPORTS = "encoders"
QUESTION = "Who lost the medal in Lisbon, and on which day?"
QUESTION_KEY = "question.npy"
LATER = 7  # added to the seed of sentences that come after those which a memory was filled with


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    texts: int = 200
    """Single texts that are encoded."""
    starts: int = 5
    """Fresh processes of each kind, after one that does not count."""
    calls: int = 200
    """Calls of each tool, and fsyncs."""
    memories: tuple[int, ...] = (1_000, 10_000)
    """Of the memories that calls are made on, and that are opened."""
    rows: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    """Of the matrices that are searched."""
    questions: int = 100
    """Keys that each matrix is asked with."""
    served: int = 10_000
    """Memories of the server whose size is taken."""
    rivals: tuple[int, ...] = (2_000, 10_000)
    """Memories of the stores that are compared."""
    rounds: int = 3
    """Of that comparison."""
    searches: int = 300
    """In each round."""


FULL = Sizes()
QUICK = Sizes(
    texts=30,
    starts=1,
    calls=20,
    memories=(500,),
    rows=(1_000, 10_000),
    questions=20,
    served=500,
    rivals=(200, 500),
    rounds=1,
    searches=30,
)


class Skipped(Exception):
    """A part cannot be measured here; the message says why, and what to do about it."""


@dataclass(slots=True, kw_only=True)
class Suite:
    """One run of the suite."""

    folder: Path
    """Where everything is written; on the disk that is measured."""
    sizes: Sizes
    texts: tuple[Path, ...] = ()
    """Question sets, as `ntm-memory eval` reads them."""
    keys: Path | None = None
    """A file that keeps the keys of their texts."""
    npm: Path | None = None
    """Where the reference MCP memory server was installed."""
    export: dict[str, Any] | None = None
    """What exporting the model took; None before it was done."""
    _filled: dict[int, Path] = field(default_factory=dict)

    @property
    def engines(self) -> tuple[str, ...]:
        """What can run the model here. The model is exported when this is first asked."""
        if find_spec("onnx") is None or find_spec("onnxruntime") is None:
            return ("torch",)
        if self.export is None:
            self.export = fresh("suite", "export", {"folder": str(self.exports)}, threads=None)
        return ("torch", "onnx")

    @property
    def exports(self) -> Path:
        """The folder with the exported model."""
        return self.folder / EXPORTS

    def filled(self, count: int) -> Path:
        """Return a folder with a memory of `count` made-up sentences, closed. It is shared: change copies only."""
        if count not in self._filled:
            place = self.folder / f"filled-{count}"
            about = {"folder": str(place), "exports": self.exported(self.engines[-1]), "count": count}
            fresh("suite", "fill", about, threads=None)
            self._filled[count] = place
        return self._filled[count]

    def copied(self, count: int, engine: str, name: str) -> Path:
        """Return the file of a copy of a filled memory; the exported model lies beside it, or torch has to run it."""
        place = self.folder / name
        shutil.copytree(self.filled(count), place)
        if self.exported(engine) is not None:
            (place / EXPORTS).symlink_to(self.exports.resolve())
        return place / FILE

    def exported(self, engine: str) -> str | None:
        """Return the folder with what the engine runs; None for torch, which runs the model itself."""
        return None if engine == "torch" else str(self.exports)


def encoder_of(exports: str | None) -> Any:
    """Return the bundled model: as it lies exported in a folder, or run by torch where there is none."""
    from ntm_memory_skill.encoder import EncoderSettings, load_encoder

    engine = "torch" if exports is None else "onnx"
    return load_encoder(EncoderSettings(engine=engine, exports=None if exports is None else Path(exports)))


def export(folder: str) -> dict[str, Any]:
    """Export the bundled model as the product does, and return what that took. In a fresh process."""
    import time

    from ntm_memory_skill.encoder import EncoderSettings, exporting
    from ntm_memory_skill.encoder.settings import export_folder, with_torch

    settings, started = EncoderSettings(), time.perf_counter()
    place = export_folder(settings, Path(folder))
    least = exporting.export(with_torch(settings), place)
    size = sum(path.stat().st_size for path in place.iterdir())
    return {"seconds": time.perf_counter() - started, "least_cosine": least, "mib": size / 2**20}


def fill(folder: str, exports: str | None, count: int) -> dict[str, Any]:
    """Write a memory of made-up sentences, and the key of the question. In a fresh process."""
    import numpy as np

    from ntm_memory_skill import NTMMemoryManager

    encoder, place = encoder_of(exports), Path(folder)
    place.mkdir(parents=True)
    with NTMMemoryManager.open(place / FILE, encoder=encoder) as memory:
        memory.memorize_many(items(count), progress=False)
        memory.search(QUESTION)
    np.save(place / QUESTION_KEY, encoder.encode_query(QUESTION))
    return {"memories": count}


def later(count: int) -> list[str]:
    """Return made-up sentences that are not those which memories were filled with, but for a rare coincidence."""
    return list(islice(sentences(SEED + LATER), count))
