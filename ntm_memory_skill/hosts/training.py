"""Training a head, or a hop policy, for the configured memory: what it learns from.

The law: nothing is changed unless training has come to its end and what was trained is worse on no kind of data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ntm_memory_skill.config import Config
from ntm_memory_skill.encoder import load_encoder
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.engine.live import check_encoder
from ntm_memory_skill.engine.progress import bar
from ntm_memory_skill.errors import HeadRefused, InvalidArgument
from ntm_memory_skill.evaluation import Dataset, RememberingEncoder, read
from ntm_memory_skill.hosts.compose import encoder_settings
from ntm_memory_skill.hosts.heads import kept_head
from ntm_memory_skill.learning import (
    Comparison,
    HopTrainingSettings,
    Scene,
    Trained,
    TrainedHops,
    TrainingSettings,
    feedback_set,
    journeys_of,
    scenes_of,
    take_keys,
    train,
    train_hops,
)
from ntm_memory_skill.learning.verdict import DEPTHS
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import DirectoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What a head or a hop policy is to learn from."""

    paths: Sequence[Path]
    """Question sets: each is a kind of its own."""
    feedback: bool
    """Whether the memory's own feedback is one more kind."""
    installed: bool
    """Whether it is to be installed beside the memory, which has to be there then."""


@dataclass(frozen=True, slots=True)
class Course:
    """A training that has come to its end."""

    trained: Trained
    feedback: int | None
    """Questions that were taken from the memory's feedback; None where it was not asked for any."""
    started: str
    """What it started from: "small_random" in place of "learned" where nothing had been learnt."""


@dataclass(frozen=True, slots=True)
class HopCourse:
    """A training of a hop policy that has come to its end."""

    trained: TrainedHops
    feedback: int | None
    """See `Course`."""
    asked: int
    """Questions in all, with those that are not read on from."""


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
    sets, encoder, given = _prepared(config, lessons)
    if settings.initialization == "learned":
        settings = _continued(config, encoder, settings)
    scenes = _gathered(config, sets, encoder, progress)
    with bar("training", progress) as advance:
        name, addressing = encoder.identity.name, config.settings.addressing
        trained = train(scenes, addressing, name, settings, progress=advance)
    return Course(trained, given, settings.initialization)


def run_hops(
    config: Config, lessons: Lessons, settings: HopTrainingSettings, *, progress: bool | None = None
) -> HopCourse:
    """Train a hop policy as the configuration and the settings say. Keeps nothing.

    It is trained for the head that looks: the installed one, if there is one.

    Args:
        config: Names the memory, its encoder and how it is read.
        lessons: What to learn from.
        settings: How.
        progress: See `engine.progress.bar`.

    Raises:
        UnusableHead: The installed head cannot be used.
        Exception: Otherwise as `run`.
    """
    sets, encoder, given = _prepared(config, lessons)
    head = kept_head(config) if config.settings.addressing.trained else None
    if head is not None:
        _check(head, config, encoder)
    _encode(sets, encoder, progress)
    kinds = []
    for each in sets:
        with bar(f"reading {each.name}", progress) as advance:
            kinds.append(journeys_of(each, encoder, config.settings, head, progress=advance))
    with bar("training", progress) as advance:
        trained = train_hops(kinds, encoder, config.settings, settings, head, progress=advance)
    return HopCourse(trained, given, sum(each.asked for each in kinds))


def refuse_if_worse(trained: Trained | TrainedHops) -> None:
    """Raise HeadRefused, with the figures, for a head or a policy that is worse than the default on any kind."""
    if not trained.lost:
        return
    figures = "; ".join(map(_figures, trained.lost))
    if isinstance(trained, Trained):
        raise HeadRefused(f"the head is worse than the default one on {figures}")
    hint = "Give more questions of the kinds where it lost. The memory goes on with the policy that it has."
    raise HeadRefused(f"the hop policy is worse than the configured one on {figures}", hint=hint)


def named(paths: Sequence[Path], sets: Sequence[Dataset]) -> list[Dataset]:
    """Return the sets, each with a name of its own: the path, where two files have the same name."""
    count = Counter(each.name for each in sets)
    return [
        replace(each, name=str(path)) if count[each.name] > 1 else each for path, each in zip(paths, sets, strict=True)
    ]


def _prepared(config: Config, lessons: Lessons) -> tuple[list[Dataset], RememberingEncoder, int | None]:
    """Return what to learn from, the encoder, and how many questions are the memory's feedback, if it was asked for."""
    sets = named(lessons.paths, [read(path) for path in lessons.paths])
    store = _store(config, lessons)
    encoder = RememberingEncoder(load_encoder(encoder_settings(config)))
    if store is None:
        return sets, encoder, None
    check_encoder(store.encoder, encoder.identity)
    if not lessons.feedback:
        return sets, encoder, None
    take_keys(encoder, store)
    own = feedback_set(store)
    return [*sets, own] if own.questions else sets, encoder, own.questions


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
    _check(head, config, encoder)
    return replace(settings, start=head)


def _check(head: TrainedHead, config: Config, encoder: RememberingEncoder) -> None:
    head.check_encoder(encoder.identity.name)
    head.check_kernel(config.settings.addressing.head)


def _gathered(
    config: Config, sets: Sequence[Dataset], encoder: RememberingEncoder, progress: bool | None
) -> list[Scene]:
    _encode(sets, encoder, progress)
    scenes: list[Scene] = []
    with bar("gathering", progress) as advance:
        for each in sets:
            scenes += scenes_of(each, encoder, config.settings, progress=advance)
    return scenes


def _encode(sets: Sequence[Dataset], encoder: RememberingEncoder, progress: bool | None) -> None:
    with bar("encoding", progress) as advance:
        for each in sets:
            encoder.encode_all(each, advance)


def _figures(each: Comparison) -> str:
    pairs = zip(DEPTHS, each.default, each.trained, strict=True)
    shown = ", ".join(f"{100 * before:.1f} → {100 * after:.1f} % @{depth}" for depth, before, after in pairs)
    return f"{each.kind} ({shown})"
