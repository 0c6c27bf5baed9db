"""The composition root: configuration in, an open memory out. Nothing else reads the environment.

What computes is imported where it is put together: a command that another process answers only asks what is configured.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ntm_memory_skill.config import Found, find
from ntm_memory_skill.errors import ConfigError, EncoderError, ImportRefused
from ntm_memory_skill.store import Paths

if TYPE_CHECKING:
    from ntm_memory_skill.config import Config
    from ntm_memory_skill.encoder import Encoder, EncoderSettings, RerankerSettings
    from ntm_memory_skill.engine import NTMMemoryManager, Reranking, Settings
    from ntm_memory_skill.transfer import Item

_M_ARENA_MAX = -8  # glibc's name for it, of malloc.h
_NEW_OBJECTS = 10_000  # about 50 calls' worth
MARKDOWN_MEMORY = ("MEMORY.md", "memory.md", "USER.md", "memory/*.md", "memory/imports/**/*")
"""What OpenClaw keeps in a workspace, and has copied from other programs. DREAMS.md is its diary of its own work."""


def configured(memory_file: Path | None = None, workspace: Path | None = None) -> Config:
    """Return the configuration of this process, or of an agent whose workspace is not the current folder.

    Raises:
        ConfigError: It holds mistakes.
    """
    from ntm_memory_skill.config import load_config

    return load_config(os.environ, Path.cwd() if workspace is None else workspace, memory_file=memory_file)


def found(memory_file: Path | None) -> Found | None:
    """Return how this process is configured, unchecked; None where that has to be looked at closely."""
    try:
        return find(os.environ, Path.cwd(), memory_file)
    except OSError:  # the current folder is gone
        return None


def load_encoder(settings: EncoderSettings) -> Encoder:
    """Return the encoder that the settings describe; see `encoder.load_encoder`."""
    from ntm_memory_skill import encoder

    return encoder.load_encoder(settings)


def loading_ahead(found: Found | None) -> Encoder | None:
    """Return the encoder that is configured, its model being loaded while this thread imports and reads the memory.

    None where its settings have to be looked at first, and where torch runs it: Python imports that one step at a time.
    """
    if found is None or not found.plain_encoder:
        return None
    from ntm_memory_skill.encoder import EncoderSettings

    encoder = load_encoder(EncoderSettings(exports=exports(found.memory_file)))
    if encoder.array_library != "numpy":
        return None
    # no daemon: one that comes back from a library's own code while Python ends may take the process down
    threading.Thread(target=_load, args=(encoder,), name="ntm-memory loads its model").start()
    return encoder


def _load(encoder: Encoder) -> None:
    with suppress(EncoderError):  # whoever needs the model meets the error
        encoder.warm_up()


def open_memory(config: Config, *, require_encoder: bool = True, encoder: Encoder | None = None) -> NTMMemoryManager:
    """Open the memory that the configuration names; see `NTMMemoryManager.open`."""
    from ntm_memory_skill.engine import NTMMemoryManager

    return NTMMemoryManager.open(
        config.memory_file, settings=config.settings, encoder=encoder, require_encoder=require_encoder
    )


def open_to_serve(config: Config, encoder: Encoder | None = None) -> NTMMemoryManager:
    """Open the memory for a server: while the model loads it answers by words, for its callers will not wait.

    Raises:
        ConfigError: The skill is switched off.
    """
    from ntm_memory_skill.engine import NTMMemoryManager

    check_enabled(config)
    settings = replace(config.settings, answer_while_loading=True)
    return NTMMemoryManager.open(config.memory_file, settings=settings, encoder=encoder)


class SharedModels:
    """One encoder and one reranker for all memories of a process that are set to the same: each is loaded once."""

    def __init__(self) -> None:
        self._finding = threading.Lock()
        self._encoders: dict[EncoderSettings, Encoder] = {}
        self._rerankings: dict[RerankerSettings, Reranking] = {}

    def open_to_serve(self, config: Config) -> NTMMemoryManager:
        """Open a memory for a server, as `open_to_serve` does, with the models that it shares."""
        memory = open_to_serve(config, self._encoder(encoder_settings(config)))
        memory.reranking = self._reranking(memory.settings)
        return memory

    def warm_up(self, config: Config) -> None:
        """Load the models that memories with this configuration share."""
        self._encoder(encoder_settings(config)).warm_up()
        self._reranking(replace(config.settings, answer_while_loading=True)).warm_up()

    def _encoder(self, settings: EncoderSettings) -> Encoder:
        """Return the encoder for some settings; what was exported beside the first memory that asks is what runs it."""
        shared = replace(settings, exports=None)  # the keys are the same, whichever memory's export makes them
        with self._finding:
            if shared not in self._encoders:
                self._encoders[shared] = load_encoder(settings)
            return self._encoders[shared]

    def _reranking(self, settings: Settings) -> Reranking:
        from ntm_memory_skill.engine import Reranking

        with self._finding:
            return self._rerankings.setdefault(settings.reranker, Reranking.of(settings))


def exports(memory_file: Path) -> Path:
    """Return the folder that models are exported to: beside the memory."""
    from ntm_memory_skill.encoder import EXPORTS

    return Paths.of(memory_file).folder / EXPORTS


def encoder_settings(config: Config) -> EncoderSettings:
    """Return the encoder's settings, with the folder that models are exported to."""
    return replace(config.settings.encoder, exports=exports(config.memory_file))


def check_enabled(config: Config) -> None:
    """Let the tools be used only where clawhub.json does not switch the skill off.

    The commands over the files go on working: the memory is still its owner's.

    Raises:
        ConfigError: It is switched off.
    """
    if not config.enabled:
        message = f"the skill is switched off: {config.origin} says enabled: false"
        raise ConfigError(message, hint='Set "enabled" to true there to use the tools again.')


def keep_to_one_thread() -> None:
    """Let torch compute on one thread in this process, unless its owner said otherwise. Call it before torch loads.

    A single text and a few thousand rows are too little to share out, and on a busy machine threads that wait for each
    other make a search several times slower. Bulk work (import, reindex, demo) keeps all cores.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def prepare_to_serve() -> None:
    """Make this process one that answers small questions for a long time: before torch loads and threads start."""
    keep_to_one_thread()
    keep_to_one_heap()
    collect_garbage_seldom()


def collect_garbage_seldom() -> None:
    """Let Python look for unreachable cycles once in 10 000 new objects, where it does in 700 of its own accord.

    It looks through what calls under way hold, which is no garbage yet, and every hundredth time through the memory.
    """
    gc.set_threshold(_NEW_OBJECTS)


def keep_to_one_heap() -> None:
    """Let all threads of this process take their memory from one place. Call it before they are started.

    The C library of most Linux systems gives each thread a heap of its own, and what one has freed is of no use to the
    others: under many callers a server grew by 15 KiB a call. Elsewhere, and where its owner set it, nothing is done.
    """
    import ctypes

    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    with suppress(AttributeError, OSError):  # a C library without it has no such heaps
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


@contextmanager
def configured_nowhere(variable: str) -> Iterator[None]:
    """Give a library an empty folder for a block, unless its variable names one: some write caches at home."""
    if os.environ.get(variable):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ntm-memory-") as folder:
        os.environ[variable] = folder
        try:
            yield
        finally:
            del os.environ[variable]


def log_to_stderr() -> None:
    """Send warnings and errors to standard error: standard output is the protocol's."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="ntm-memory: %(levelname)s: %(message)s")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file offered for import."""

    path: Path
    format: str
    items: tuple[Item, ...]


def read_for_import(paths: Iterable[Path]) -> list[Imported]:
    """Read and parse files; a folder stands for the OpenClaw memory in it.

    Raises:
        ImportRefused: One cannot be read, or is in no known format. Nothing was imported.
    """
    files = [file for path in paths for file in _files(path)]
    return [Imported(file, *_parsed(file)) for file in files]


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [_regular(path)]
        found: dict[tuple[int, int], Path] = {}
        for pattern in MARKDOWN_MEMORY:
            for file in sorted(filter(_is_memory, path.glob(pattern))):
                state = _regular(file).stat()
                found.setdefault((state.st_dev, state.st_ino), file)  # MEMORY.md and memory.md may be one file
    except OSError as error:
        raise _unreadable(path, error) from error
    if not found:
        raise ImportRefused(f"{path} holds no MEMORY.md, no USER.md and no memory/*.md")
    return sorted(found.values())


def _is_memory(place: Path) -> bool:
    """Return whether this is a file to read, or a linked folder, which could hold some and is refused."""
    return place.suffix.lower() == ".md" or (place.is_symlink() and place.is_dir())


def _regular(file: Path) -> Path:
    """Return a file that is one, and is where it seems to be: a link in a workspace could lead to anybody's secrets."""
    for each in (file, *_folders_of_memory(file)):
        if each.is_symlink():
            raise ImportRefused(f"{each} is a symbolic link", hint="Give the file that it leads to, by its real path.")
    if file.exists() and not file.is_file():
        raise ImportRefused(f"{file} is no regular file", hint="Give a file, or a folder with MEMORY.md in it.")
    return file


def _folders_of_memory(file: Path) -> Sequence[Path]:
    """Return the folders above a file up to the workspace's memory/, if it is in there or below its imports/."""
    for depth, folder in enumerate(file.parents):
        if folder.name == "memory" and (depth == 0 or file.parents[depth - 1].name == "imports"):
            return file.parents[: depth + 1]
    return ()


def _parsed(file: Path) -> tuple[str, tuple[Item, ...]]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(file, error) from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from error
    from ntm_memory_skill.transfer import parse

    kind, items = parse(text, file.absolute())
    return kind, tuple(items)


def _unreadable(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused(f"{path}: {error.strerror}", hint="Check the file's name and permissions.")
