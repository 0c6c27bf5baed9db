"""Training a head for the configured memory: what it learns from, and where what it learnt is kept.

The law: nothing is changed unless training has come to its end and the head is worse on no kind of data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ntm_memory_skill.config import Config
from ntm_memory_skill.encoder import load_encoder
from ntm_memory_skill.engine.live import check_encoder
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.errors import HeadRefused, InvalidArgument
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder, read
from ntm_memory_skill.hosts.heads import kept_head
from ntm_memory_skill.learning import (
    Comparison,
    Scene,
    Trained,
    TrainingSettings,
    feedback_set,
    scenes_of,
    take_keys,
    train,
)
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import DirectoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What a head is to learn from."""

    paths: Sequence[Path]
    """Question sets: each is a kind of its own."""
    feedback: bool
    """Whether the memory's own feedback is one more kind."""
    installed: bool
    """Whether the head is to be installed beside the memory, which has to be there then."""


@dataclass(frozen=True, slots=True)
class Course:
    """A training that has come to its end."""

    trained: Trained
    feedback: int | None
    """Questions that were taken from the memory's feedback; None where it was not asked for any."""
    started: str
    """What it started from: "small_random" in place of "learned" where nothing had been learnt."""


def run(config: Config, lessons: Lessons, settings: TrainingSettings, *, progress: bool | None = None) -> Course:
    """Train a head as the configuration and the settings say. Keeps nothing.

    Args:
        config: Names the memory, its encoder and its default head.
        lessons: What to learn from.
        settings: How; for "learned", the installed head is what it starts from.
        progress: See `engine.progress.bar`.

    Raises:
        InvalidArgument: There is too little to learn from, or no memory to install a head beside.
        DatasetRefused: A question set cannot be read.
        EncoderMismatch: The memory was written with another encoder than the one configured.
        UnusableHead: "learned" was asked for, and the installed head cannot be used.
        EncoderError: There is no model.
        StoreError: The memory cannot be read.
    """
    sets = named(lessons.paths, [read(path) for path in lessons.paths])
    store = _store(config, lessons)
    encoder = RememberingEncoder(load_encoder(config.settings.encoder))
    if store is not None:
        check_encoder(store.encoder, encoder.identity)
    if settings.initialization == "learned":
        settings = _continued(config, encoder, settings)
    given = None
    if store is not None and lessons.feedback:
        take_keys(encoder, store)
        own = feedback_set(store)
        given = own.questions
        sets = [*sets, own] if given else sets
    scenes = _gathered(config, sets, encoder, progress)
    with bar("training", progress) as advance:
        name, addressing = encoder.identity.name, config.settings.addressing
        trained = train(scenes, addressing, name, settings, progress=advance)
    return Course(trained, given, settings.initialization)


def refuse_if_worse(trained: Trained) -> None:
    """Raise HeadRefused, with the figures, for a head that is worse than the default one on any kind."""
    if trained.lost:
        raise HeadRefused(f"the head is worse than the default one on {'; '.join(map(_figures, trained.lost))}")


def named(paths: Sequence[Path], sets: Sequence[Dataset]) -> list[Dataset]:
    """Return the sets, each with a name of its own: the path, where two files have the same name."""
    count = Counter(each.name for each in sets)
    return [
        replace(each, name=str(path)) if count[each.name] > 1 else each for path, each in zip(paths, sets, strict=True)
    ]


def _store(config: Config, lessons: Lessons) -> DirectoryStore | None:
    """Return the memory's files, where they are needed: else, what is wrong with them is not in the way."""
    if not (lessons.installed or lessons.feedback):
        return None
    store = DirectoryStore(config.memory_file, clock=system_clock, settings=config.settings.store)
    if store.encoder is None:
        hint = "Memorize something first, name another with --memory, or write the head to a file with --output."
        raise InvalidArgument(f"there is no memory yet at {config.memory_file}", hint=hint)
    return store


def _continued(config: Config, encoder: RememberingEncoder, settings: TrainingSettings) -> TrainingSettings:
    """Return settings that go on from the installed head or, where there is none, start afresh."""
    head = kept_head(config)
    if head is None:
        return replace(settings, initialization="small_random")
    head.check_encoder(encoder.identity.name)
    head.check_kernel(config.settings.addressing.head)
    return replace(settings, start=head)


def _gathered(
    config: Config, sets: Sequence[Dataset], encoder: RememberingEncoder, progress: bool | None
) -> list[Scene]:
    with bar("encoding", progress) as advance:
        for each in sets:
            encoder.encode_all(each, advance)
    scenes: list[Scene] = []
    with bar("gathering", progress) as advance:
        for each in sets:
            scenes += scenes_of(each, encoder, config.settings, progress=advance)
    return scenes


def _figures(each: Comparison) -> str:
    pairs = zip(DEPTHS, each.default, each.trained, strict=True)
    shown = ", ".join(f"{100 * before:.1f} → {100 * after:.1f} % @{depth}" for depth, before, after in pairs)
    return f"{each.kind} ({shown})"
