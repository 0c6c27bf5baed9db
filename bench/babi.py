"""The bAbI tasks (Weston et al. 2015), all 20 learnt together: how often is a memory network's answer wrong?

    python bench/babi.py BABI.tar.gz                        train on the training file, answer the test file
    python bench/babi.py BABI.tar.gz --seeds 0 1 2          three runs, each by itself
    python bench/babi.py BABI.tar.gz --all                  hold no training stories back
    python bench/babi.py BABI.tar.gz --json babi.json       and keep the figures

The archive holds one file for training and one for tests, in which the stories of the 20 tasks stand shuffled together,
1,000 questions a task. The file does not say which task a story is of; `kind_of` tells it by the form of the question
and of the story, so that errors can be shown by task. The network is told nothing of it.

A tenth of the training stories is held back to choose the best epoch and the best start by. The test file is asked
once, at the end.

The network is the end-to-end memory network of Sukhbaatar et al. (2015) with three hops, adjacent tying, position
encoding, temporal encoding, linear start and random noise, and differs from theirs in this: Adam with a cosine and
weight decay in place of plain descent; more empty memories, 0.4 in place of 0.1; ages that begin as waves; the latest
128 memories in place of 50; and a small layer after each hop that compares what was asked with what was found, without
which yes and no are not learnt well. The settings were found on held-back stories.
"""

from __future__ import annotations

import argparse
import json
import re
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ntm_memory_skill.errors import DatasetRefused
from ntm_memory_skill.memnet.settings import NetworkSettings
from ntm_memory_skill.memnet.stories import Questions, Story, Vocabulary
from ntm_memory_skill.memnet.training import Check, Trainer, TrainingSettings, hold_back, judge

OTHER = "other"
KINDS = (
    "1 one supporting fact",
    "2 two supporting facts",
    "3 three supporting facts",
    "4 two arguments",
    "5 three arguments",
    "6 yes or no",
    "7 counting",
    "8 lists",
    "9 negation",
    "10 indefinite knowledge",
    "11 coreference",
    "12 conjunction",
    "13 compound coreference",
    "14 time",
    "15 deduction",
    "16 induction",
    "17 positions",
    "18 sizes",
    "19 paths",
    "20 motives",
    OTHER,
)
BY_QUESTION = (  # the first that fits; a task, or 0 where the story decides
    (r"what color ", 16),
    (r"how many ", 7),
    (r"how do you go ", 19),
    (r"what is \w+ afraid of", 15),
    (r"what is \w+ carrying", 8),
    (r"what is (the \w+ )?(north|south|east|west) of", 4),
    (r"is the .*(left|right|above|below)", 17),
    (r"(does|is) the .*(fit in|bigger than)", 18),
    (r"where will |why did ", 20),
    (r"who |what did ", 5),
    (r"where was the ", 3),
    (r"where was ", 14),
    (r"where is the ", 2),
)
BY_STORY = {  # of questions that begin so, the first task whose pattern is anywhere in the story
    "where is ": ((r"\bthey\b", 13), (r"\b(he|she)\b", 11), (r" and ", 12), (r"", 1)),
    "is ": (
        (r"\beither\b|\b(school|cinema|park|bill|fred|julie)\b", 10),
        (r"\bno longer\b|\bnot in\b|\bis in\b", 9),
        (r"", 6),
    ),
}
SPLITS = ("train", "test")
NETWORK: dict[str, Any] = {"dimension": 50, "hops": 3, "hidden": 100, "dropout": 0.2, "noise": 0.4, "capacity": 128}
TRAINING = TrainingSettings(epochs=100, learning_rate=0.004, decay=0.02, linear_epochs=18, linear_patience=18)


console = Console(width=120)


@dataclass(frozen=True, slots=True)
class Example:
    """A question of the file with all that was told before it."""

    story: Story
    lines: tuple[int, ...]
    """The number in the file of each line that was told."""
    told: tuple[str, ...]
    """Those lines as they are written."""
    asked: str
    """The question as it is written."""
    supporting: tuple[int, ...]
    """Numbers of the lines that the answer follows from."""
    kind: str
    """One of `KINDS`."""
    group: int
    """Which story of the file it is asked about; several questions share one."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    seed: int
    minutes: float
    """Of training."""
    parameters: int
    best: Check | None
    """The epoch that was kept."""
    error: float
    """Share of all test questions that were wrong, 0 to 1."""
    questions: dict[str, int]
    """How many test questions each kind has."""
    errors: dict[str, float]
    """Share of wrong answers of each kind that has questions, 0 to 1."""

    @property
    def mean(self) -> float:
        """Mean error of the 20 tasks, which leaves out questions of no known kind."""
        tasks = [error for kind, error in self.errors.items() if kind != OTHER]
        return sum(tasks) / len(tasks)


def stories(path: Path, split: str) -> list[Example]:
    """Return all questions of a split, in the order of the file.

    Args:
        path: The archive.
        split: "train" or "test".

    Raises:
        DatasetRefused: It is no such archive, or a line is neither told nor asked.
    """
    try:
        with tarfile.open(path) as archive:
            names = [name for name in archive.getnames() if name.endswith(f"_{split}.txt")]
            file = archive.extractfile(names[0]) if len(names) == 1 else None
            if file is None:
                raise DatasetRefused(f"{path.name} has {len(names)} files *_{split}.txt, not one")
            lines = file.read().decode().splitlines()
    except (OSError, tarfile.TarError, UnicodeDecodeError) as error:
        raise DatasetRefused(f"{path.name} is no archive of text: {error}") from error
    return [example for group, block in enumerate(_blocks(lines)) for example in _examples(group, block)]


def kind_of(question: str, told: str) -> str:
    """Return which task a question is of.

    Args:
        question: As it is written.
        told: The whole story, also what is told after the question.
    """
    asked, story = question.lower(), told.lower()
    for pattern, task in BY_QUESTION:
        if re.match(pattern, asked):
            return KINDS[task - 1]
    for beginning, patterns in BY_STORY.items():
        if asked.startswith(beginning):
            return next(KINDS[task - 1] for pattern, task in patterns if re.search(pattern, story))
    return OTHER


def main() -> None:
    """Train on the training file, answer the test file, and show what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="a run with each")
    parser.add_argument("--starts", type=int, default=TRAINING.starts, help="in a run; the best by held-back stories")
    parser.add_argument("--epochs", type=int, default=TRAINING.epochs)
    parser.add_argument("--all", action="store_true", help="hold nothing back, and choose by the training error")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    training, test = (stories(arguments.archive, split) for split in SPLITS)
    results = []
    for seed in arguments.seeds:
        settings = replace(TRAINING, seed=seed, starts=arguments.starts, epochs=arguments.epochs)
        results.append(learn(training, test, settings, everything=arguments.all))
    console.print(_table(results))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in results], indent=1) + "\n")


def learn(
    training: list[Example], test: list[Example], settings: TrainingSettings, *, everything: bool = False
) -> Result:
    """Return how a network fares with the test questions after learning from nine tenths of the training stories.

    Args:
        training: Questions to learn from.
        test: Questions to judge by, once.
        settings: How.
        everything: Whether to learn from all training stories; the best epoch is then that of the least training error.
    """
    start = time.monotonic()
    held = hold_back([example.group for example in training], seed=settings.seed).tolist()
    parts = [[each.story for each, back in zip(training, held, strict=True) if back is side] for side in (False, True)]
    if everything:
        parts = [[each.story for each in training]] * 2
    vocabulary = Vocabulary.of(parts[0])
    network = NetworkSettings(words=len(vocabulary), **NETWORK)
    learnt, judged, asked = (
        Questions(part, vocabulary, network.capacity) for part in (*parts, [example.story for example in test])
    )
    trainer = Trainer(learnt, judged, network, settings)
    for _ in track(trainer.run(), f"seed {settings.seed}", settings.starts * settings.epochs, console=console):
        pass
    minutes = (time.monotonic() - start) / 60
    wrong = judge(trainer.network, asked).wrong.tolist()
    counts = Counter(example.kind for example in test)
    missed = Counter(example.kind for example, each in zip(test, wrong, strict=True) if each)
    return Result(
        settings.seed,
        minutes,
        sum(weights.numel() for weights in trainer.network.parameters()),
        trainer.best,
        sum(wrong) / len(wrong),
        {kind: counts[kind] for kind in KINDS},
        {kind: missed[kind] / count for kind, count in counts.items()},
    )


def _table(results: list[Result]) -> Table:
    """Return the share of wrong answers by task."""
    table = Table("task", "questions", *(f"seed {each.seed}" for each in results), title="bAbI, wrong answers, %")
    for kind, count in results[0].questions.items():
        table.add_row(kind, f"{count:,}", *(_percent(each.errors.get(kind)) for each in results))
    table.add_section()
    table.add_row("mean of the tasks", "", *(_percent(each.mean) for each in results))
    table.add_row("all questions", "", *(_percent(each.error) for each in results))
    table.add_row("chosen by", "", *(_percent(each.best and each.best.held_back_error) for each in results))
    table.add_row("best epoch", "", *(str(each.best and each.best.epoch) for each in results))
    table.add_row("parameters", "", *(f"{each.parameters:,}" for each in results))
    table.add_row("minutes", "", *(f"{each.minutes:.1f}" for each in results))
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _blocks(lines: list[str]) -> Iterator[list[tuple[int, str]]]:
    """Give each story's lines with their numbers; a story begins with line 1."""
    block: list[tuple[int, str]] = []
    for line in lines:
        number, space, text = line.partition(" ")
        if not (space and number.isdecimal() and text.strip()):
            raise DatasetRefused(f"this line is neither told nor asked: {line[:80]!r}")
        if number == "1" and block:
            yield block
            block = []
        block.append((int(number), text))
    if block:
        yield block


def _examples(group: int, block: list[tuple[int, str]]) -> Iterator[Example]:
    """Give each question of a story with what was told before it."""
    whole = " ".join(text for _, text in block if "\t" not in text)
    told: list[tuple[int, str]] = []
    for number, text in block:
        if "\t" not in text:
            told.append((number, text.strip()))
            continue
        if text.count("\t") != 2 or not told:
            raise DatasetRefused(f"this is no question about something that was told: {text[:80]!r}")
        asked, answer, supporting = text.split("\t")
        lines, texts = zip(*told, strict=True)
        yield Example(
            Story(tuple(_words(each) for each in texts), _words(asked), answer.strip().lower()),
            lines,
            texts,
            asked.strip(),
            tuple(int(line) for line in supporting.split()),
            kind_of(asked, whole),
            group,
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z']+", text.lower()))


if __name__ == "__main__":
    main()
