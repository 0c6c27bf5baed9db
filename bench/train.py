"""What training the head brings on data that it did not see, on question sets that you have.

    python bench/train.py locomo_dev.json beam/ cmrc2018_trial_squad.json --cache keys.npz
    python bench/train.py locomo_dev.json beam/ cmrc2018_trial_squad.json --cache keys.npz --leave-out
    python bench/train.py locomo_dev.json beam/ --cache keys.npz --one-after-the-other

Each file or folder is a kind of data. Three protocols, each with heads that never saw what they are asked about:

    two-fold      one head for all kinds, trained on one half of each kind and asked about the other, both ways. A kind
                  with several memories is halved between memories, one with a single memory between its questions.
    --leave-out   for each kind, a head that was trained on all others.
    --one-after-the-other
                  two-fold, but the kinds come one after the other, each without those before: what is left of the first
                  without elastic weight consolidation, and with it. Beside it, all kinds at once.

What training decides by itself (how many steps, how far to depart from the default), it decides within what it is
given. Shown is the mean share of a question's evidence among the first k, in percent, default → trained, and the
standard error of the mean difference at 10.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from harness import KeepingEncoder
from ntm_memory_skill import SentenceEncoder, Settings
from ntm_memory_skill.engine import TrainedHead
from ntm_memory_skill.evaluation import read
from ntm_memory_skill.learning import Comparison, Scene, Trained, TrainingSettings, compare, scenes_of, train
from ntm_memory_skill.learning.fitting import weights_of
from ntm_memory_skill.learning.scenes import by_kind
from ntm_memory_skill.learning.training import deal
from ntm_memory_skill.learning.verdict import DEPTHS, found
from ntm_memory_skill.ntm import CONTROLLERS, INITIALIZATIONS

PLAIN = TrainingSettings()
SETTINGS = Settings()
WIDTH = 120  # characters: a table in a file is as wide as one on a wide terminal


@dataclass(frozen=True)
class Trial:
    """A head, and what it is asked about."""

    label: str
    trained: Trained
    asked: Sequence[Scene]
    seconds: float
    way: str = ""
    """Trials of different ways to train are judged apart."""


def main() -> None:
    """Print a table, and write all figures as JSON if asked to."""
    arguments = parsed()
    console = Console(width=WIDTH)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    scenes: list[Scene] = []
    for path in arguments.paths:
        dataset = read(path)
        encoder.encode_all(dataset)
        scenes += scenes_of(dataset, encoder, SETTINGS, kind=path.name)
        encoder.keep()
    settings = TrainingSettings(
        **{name: getattr(arguments, name) for name in ("controller", "heads", "hidden", "learning_rate")},
        **{name: getattr(arguments, name) for name in ("initialization", "price", "steps", "seed", "consolidation")},
    )
    protocol = "one-after-the-other" if arguments.one_after_the_other else "two-fold"
    protocol = "leave-one-kind-out" if arguments.leave_out else protocol
    trials = []
    for trial in PROTOCOLS[protocol](scenes, settings):
        trials.append(trial)
        scale, seconds = trial.trained.head.scale, trial.seconds
        console.print(f"{trial.way} {trial.label}: {trial.trained.steps} steps, scale {scale}, {seconds:.0f} s".strip())
    names = dict.fromkeys(each.way for each in trials)
    compared = {way: judged([each for each in trials if each.way == way]) for way in names}
    how = f"{protocol}, {settings.controller}, {settings.heads} head(s), {settings.initialization}"
    for way, tabled in compared.items():
        console.print(table(tabled, way or how))
    if arguments.json is not None:
        document = plain(protocol, settings, trials, compared)
        arguments.json.write_text(json.dumps(document, indent=1), encoding="utf-8")


def parsed() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="whatever `ntm-memory eval` reads")
    parser.add_argument("--leave-out", action="store_true", help="ask each kind of a head that saw only the others")
    parser.add_argument("--one-after-the-other", action="store_true", help="train on the first, go on with the next")
    parser.add_argument("--controller", choices=CONTROLLERS, default=PLAIN.controller)
    parser.add_argument("--heads", type=int, default=PLAIN.heads, help="read heads")
    parser.add_argument("--hidden", type=int, default=PLAIN.hidden, help="units of a hidden layer")
    parser.add_argument(
        "--initialization",
        choices=INITIALIZATIONS,
        default=PLAIN.initialization,
        help="learned: training goes on from what it came to from small_random",
    )
    parser.add_argument("--learning-rate", type=float, default=PLAIN.learning_rate)
    parser.add_argument("--price", type=float, default=PLAIN.price, help="of departing from the default head")
    parser.add_argument("--steps", type=int, default=PLAIN.steps, help="at most")
    parser.add_argument("--seed", type=int, default=PLAIN.seed)
    parser.add_argument(
        "--consolidation", type=float, default=PLAIN.consolidation, help="what departing from what was learnt costs"
    )
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    if arguments.one_after_the_other and len(arguments.paths) == 1:
        parser.error("--one-after-the-other needs two kinds or more")
    return arguments


def two_fold(scenes: Sequence[Scene], settings: TrainingSettings) -> Iterator[Trial]:
    """Train on one half of each kind to be asked about the other, both ways."""
    folds = deal(scenes, settings.seed + 1)  # not as training deals what it is given
    for place, asked in enumerate(folds):
        yield trial(f"fold {place + 1}", folds[1 - place], asked, settings)


def left_out(scenes: Sequence[Scene], settings: TrainingSettings) -> Iterator[Trial]:
    """Train on all kinds but one to be asked about that one, for each in turn."""
    for kind in dict.fromkeys(scene.kind for scene in scenes):
        asked = [scene for scene in scenes if scene.kind == kind]
        yield trial(f"without {kind}", [scene for scene in scenes if scene.kind != kind], asked, settings)


def one_after_the_other(scenes: Sequence[Scene], settings: TrainingSettings) -> Iterator[Trial]:
    """Train on one half of the first kind, then of the next: heads as they would be used, and departing in full."""
    folds = deal(scenes, settings.seed + 1)
    for used in (as_it_is, in_full):
        for place, asked in enumerate(folds):
            for each in ways(folds[1 - place], asked, settings, used):
                yield replace(each, label=f"fold {place + 1}")


def ways(
    given: Sequence[Scene], asked: Sequence[Scene], settings: TrainingSettings, used: Callable[[Trial], Trial]
) -> Iterator[Trial]:
    """Train on the first kind, go on with the others without and with consolidation, and train on all at once."""
    first, *others = by_kind(given).values()
    alone = used(trial("the first alone", first, asked, settings))
    yield alone
    for strength in dict.fromkeys((0.0, settings.consolidation)):
        last = alone
        for kind in others:
            start = last.trained.head
            how = replace(settings, initialization="learned", consolidation=strength, start=start)
            how = how if start.scale else settings  # the default head is never installed, nor gone on from
            last = used(trial(f"one after the other, λ = {strength:g}", kind, asked, how))
        yield last
    yield used(trial("all at once", given, asked, settings))


def as_it_is(found: Trial) -> Trial:
    """Return a head as training leaves it."""
    return replace(found, way=found.label)


def in_full(found: Trial) -> Trial:
    """Return a head that departs from the default in full, whatever the memory."""
    head = replace(found.trained.head, scale=1.0, known=found.trained.head.known[:0])
    return replace(found, way=f"{found.label}, departing everywhere in full", trained=replace(found.trained, head=head))


def trial(label: str, given: Sequence[Scene], asked: Sequence[Scene], settings: TrainingSettings) -> Trial:
    """Train a head."""
    started = time.perf_counter()
    if settings.initialization == "learned" and settings.start is None:
        settings = replace(settings, start=trained_on(given, replace(settings, initialization="small_random")).head)
    return Trial(label, trained_on(given, settings), asked, time.perf_counter() - started)


def trained_on(scenes: Sequence[Scene], settings: TrainingSettings) -> Trained:
    """Train a head on scenes of the bundled encoder."""
    return train(scenes, SETTINGS.addressing, SentenceEncoder().identity.name, settings)


def judged(trials: Sequence[Trial]) -> tuple[Comparison, ...]:
    """Compare the heads with the default one, each on what it was not trained on."""
    asked = [(each.trained.head, scene) for each in trials for scene in each.asked]
    scenes = [scene for _, scene in asked]
    default, trained = ([look(head, scene, scale) for head, scene in asked] for scale in (0.0, None))
    return compare(found(scenes, default), found(scenes, trained))


def look(head: TrainedHead, scene: Scene, scale: float | None) -> np.ndarray:
    """Return where a head looks, or the default one at a scale of 0."""
    return weights_of(head, scene, SETTINGS.addressing.head, scale)


def table(compared: Sequence[Comparison], title: str) -> Table:
    """Return a table with a line a kind."""
    shown = Table("kind", "n", *(f"recall@{depth}" for depth in DEPTHS), "± @10", title=title)
    for each in compared:
        pairs = zip(each.default, each.trained, strict=True)
        cells = [f"{100 * before:.1f} → {100 * after:.1f}" for before, after in pairs]
        shown.add_row(each.kind, str(each.questions), *cells, f"{100 * each.errors[DEPTHS.index(10)]:.1f}")
    return shown


def plain(
    protocol: str, settings: TrainingSettings, trials: Sequence[Trial], compared: Mapping[str, Sequence[Comparison]]
) -> dict[str, object]:
    """Return the figures as JSON can hold them."""
    trainings = [
        {
            "way": each.way,
            "label": each.label,
            "steps": each.trained.steps,
            "scale": each.trained.head.scale,
            "seconds": each.seconds,
        }
        for each in trials
    ]
    how = {name: value for name, value in asdict(replace(settings, start=None)).items() if name != "start"}
    return {
        "protocol": protocol,
        **how,
        "depths": DEPTHS,
        "trainings": trainings,
        "kinds": [{"way": way, **asdict(each)} for way, kinds in compared.items() for each in kinds],
    }


PROTOCOLS = {"two-fold": two_fold, "leave-one-kind-out": left_out, "one-after-the-other": one_after_the_other}

if __name__ == "__main__":
    main()
