"""How well the memories that belong together are found from one of them, on data that you have.

    python bench/association.py locomo_dev.json beam/ --cache keys.npz

Memories that are evidence for the same question belong together. From each of them all the others of its conversation
are ranked, and recall@k is the mean share of its companions among the first k, in %. Rows:

    time, meaning, context   one part of the formula alone; meaning is the cosine
    formula                  0.4 / 0.4 / 0.2, as the product has it
    0.2 / 0.8 / 0            the formula with the weights that did best on the development part
    fitted weights           the formula with three weights that were trained
    attention                multi-head attention over meaning, over time and from the context, trained from scratch
    + time attention         fitted weights and attention over time alone, trained together
    + meaning attention      fitted weights and attention over meaning alone
    + attention              fitted weights and all three attentions

What is trained is trained on both sets at once and asked about conversations that it did not see: the first fifth of
each set is for development and always trained on, the others are halved, and each half is asked after training without
it. Those alone are reported, three seeds each: the mean, and the standard deviation between the seeds. "- formula" is
the difference in points with a 95 % interval over the memories asked, which understates how much conversations differ.

    --across    trained on the other set alone, all of it: what is left where chats are of another kind
    --develop   the first fifth alone: what the formula's constants and the epochs were chosen by
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from harness import KeepingEncoder
from ntm_memory_skill import SentenceEncoder
from ntm_memory_skill.evaluation import Corpus, read
from ntm_memory_skill.m3.association import PARTS, ContextualAssociator, Cue, Surroundings
from ntm_memory_skill.m3.sensory import SensoryBuffer
from ntm_memory_skill.model import indexed_text

DEPTHS = (5, 10)
HOUR = 3_600.0  # seconds
SEEDS = (0, 1, 2)
WEIGHTS = (0.4, 0.4, 0.2)
DEVELOPED = (0.2, 0.8, 0.0)
HEADS, WIDTH = 4, 32  # of each attention: heads, and units a head
WAVES = 4  # frequencies of a time difference's logarithm
RATE, DECAY = 1e-3, 1e-2
WEIGHTS_RATE = 0.1  # of the formula's three weights, which begin at 4, 4 and 2
RESAMPLES = 2_000


class Scene(NamedTuple):
    """A conversation, and which of its memories belong together. q memories are asked from, n are ranked."""

    set: str
    keys: Tensor
    """(n, m)."""
    contexts: Tensor
    """What was being talked about before each memory asked from, (q, m); zeros for nothing."""
    asked: Tensor
    """Rows of the memories asked from, (q,)."""
    parts: Tensor
    """The formula's, (q, n, 3)."""
    times: Tensor
    """Features of the distance in time and on the tape, (q, n, f)."""
    companions: Tensor
    """Which memories belong with each, (q, n), booleans."""


class Kind(NamedTuple):
    """What a module is made of."""

    attends: tuple[str, ...]
    """Which of `PARTS` it has an attention for."""
    formula: bool
    """Whether it has the formula's parts, with trained weights."""
    epochs: int
    """Over all conversations; of 10, 30 and 60 what did best on the development part."""


TRAINED = {
    "fitted weights": Kind((), formula=True, epochs=30),
    "attention": Kind(PARTS, formula=False, epochs=30),
    "+ time attention": Kind(("time",), formula=True, epochs=10),
    "+ meaning attention": Kind(("meaning",), formula=True, epochs=10),
    "+ attention": Kind(PARTS, formula=True, epochs=10),
}


class Attention(nn.Module):
    """Multi-head dot-product attention of queries over candidates: its logits, a head each (Vaswani et al. 2017)."""

    def __init__(self, asking: int, asked: int) -> None:
        super().__init__()
        self.query = nn.Linear(asking, HEADS * WIDTH)
        self.key = nn.Linear(asked, HEADS * WIDTH, bias=False)  # a bias would move all candidates alike

    def forward(self, queries: Tensor, candidates: Tensor) -> Tensor:
        """Return logits (q, n, heads) of queries (q, a) over candidates (n, b), or (q, n, b) where they differ."""
        query = self.query(queries).unflatten(-1, (HEADS, WIDTH))
        sought = torch.einsum("qhw,hwb->qhb", query, self.key.weight.reshape(HEADS, WIDTH, -1))
        shape = "qhb,nb->qnh" if candidates.dim() == 2 else "qhb,qnb->qnh"
        logits: Tensor = torch.einsum(shape, sought, candidates) * WIDTH**-0.5
        return logits


class Relation(nn.Module):
    """Some attentions, joined by learned weights, beside the formula or not."""

    def __init__(self, length: int, features: int, kind: Kind) -> None:
        super().__init__()
        self.attentions = nn.ModuleDict(
            {part: Attention(length, features if part == "time" else length) for part in kind.attends}
        )
        self.joined = nn.Linear(len(kind.attends) * HEADS, 1) if kind.attends else None
        self.weights = nn.Parameter(10 * torch.tensor(WEIGHTS)) if kind.formula else None

    def forward(self, scene: Scene) -> Tensor:
        """Return scores (q, n)."""
        scores = torch.zeros(scene.companions.shape)
        if self.weights is not None:
            scores = scores + scene.parts @ self.weights
        if self.joined is not None:
            cues = scene.keys[scene.asked]
            seen = {
                "time": (cues, scene.times),
                "meaning": (cues, scene.keys),
                "context": (scene.contexts, scene.keys),
            }
            heads = [attention(*seen[part]) for part, attention in self.attentions.items()]
            scores = scores + self.joined(torch.cat(heads, dim=-1)).squeeze(-1)
        return scores


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file in a known layout, or a folder")
    parser.add_argument("--cache", type=Path, metavar="FILE.npz", help="keep the keys there: encoding takes long")
    parser.add_argument("--develop", action="store_true", help="the development part alone")
    parser.add_argument("--across", action="store_true", help="train on the other set alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = KeepingEncoder(SentenceEncoder(), arguments.cache)
    corpora = [(path.name, corpus) for path in arguments.paths for corpus in read(path).corpora]
    kept, asked_of = parted(corpora)
    if arguments.develop:
        developed(kept, asked_of, encoder)
    else:
        scenes = [scene_of(*each, encoder) for each in asked_of]
        report([scene_of(*each, encoder) for each in kept], scenes, across=arguments.across)
    encoder.keep()


def parted(corpora: Sequence[tuple[str, Corpus]]) -> tuple[list[tuple[str, Corpus]], list[tuple[str, Corpus]]]:
    """Return the first fifth of each set, for development, and the others."""
    kept, others = [], []
    for name in dict.fromkeys(name for name, _ in corpora):
        mine = [each for each in corpora if each[0] == name]
        kept += mine[: -(-len(mine) // 5)]
        others += mine[-(-len(mine) // 5) :]
    return kept, others


def scene_of(
    name: str, corpus: Corpus, encoder: KeepingEncoder, associator: ContextualAssociator | None = None
) -> Scene:
    """Return a conversation as what is asked of it; the formula's parts as the product works them out."""
    associator = ContextualAssociator() if associator is None else associator
    keys = encoder.encode_passages([indexed_text(item.get("key"), item["content"]) for item in corpus.items])
    times = np.asarray([item["at"].timestamp() for item in corpus.items])
    companions = companions_of(corpus)
    asked = np.asarray(sorted(companions), np.int64)
    contexts = contexts_of(corpus, keys)
    parts, features = [], []
    for row in asked:
        distances = places_from(corpus, row)
        present = np.arange(len(keys)) != row
        around = Surroundings(keys=keys, times=times, present=present, distances=np.abs(distances))
        cue = Cue(key=keys[row], at=float(times[row]), context=contexts[row] if contexts[row].any() else None)
        parts.append(np.stack(associator.parts(cue, around), axis=-1))
        features.append(time_features(times - times[row], distances))
    belong = np.zeros((len(asked), len(keys)), bool)
    for number, row in enumerate(asked):
        belong[number, sorted(companions[row])] = True
    tensors = (keys, contexts[asked], asked, np.asarray(parts), np.asarray(features, np.float32), belong)
    return Scene(name, *(torch.from_numpy(each) for each in tensors))


def companions_of(corpus: Corpus) -> dict[int, set[int]]:
    """Return, for each memory that is evidence beside another one, all that it is evidence with."""
    rows = {item["ref"]: row for row, item in enumerate(corpus.items)}
    found: dict[int, set[int]] = {}
    for question in corpus.questions:
        together = {rows[ref] for ref in question.evidence if ref in rows}
        if len(together) > 1:
            for row in together:
                found.setdefault(row, set()).update(together - {row})
    return found


def contexts_of(corpus: Corpus, keys: np.ndarray) -> np.ndarray:
    """Return what the sensory buffer held before each memory was said; zeros at the beginning of a chat."""
    buffer = SensoryBuffer()
    contexts = np.zeros_like(keys)
    for row, (item, key) in enumerate(zip(corpus.items, keys, strict=True)):
        context = buffer.context(item["session"])
        if context is not None:
            contexts[row] = context
        buffer = buffer.heard(item["session"], key)
    return contexts


def places_from(corpus: Corpus, row: int) -> np.ndarray:
    """Return how many places behind a memory each one stands on its tape; infinity for another tape."""
    mine = corpus.items[row]["session"]
    places = [number - row if item["session"] == mine else np.inf for number, item in enumerate(corpus.items)]
    return np.asarray(places, np.float32)


def time_features(seconds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return what attention over time sees of a difference: its sign, logarithm and waves of it, and the tape's."""
    hours = np.log2(1 + np.abs(seconds) / HOUR) / 10
    same = np.isfinite(places)
    near = np.where(same, np.log2(1 + np.where(same, np.abs(places), 0)) / 5, 2)
    waves = [wave(2.0**number * np.pi * hours) for number in range(WAVES) for wave in (np.sin, np.cos)]
    adjacent = [np.abs(places) == distance for distance in (1, 2, 3)]
    ahead = np.where(same, np.sign(places), 0)
    return np.stack([hours, np.sign(seconds), same, near, ahead, *adjacent, *waves], axis=-1).astype(np.float32)


def trained(scenes: Sequence[Scene], seed: int, kind: Kind) -> Relation:
    """Return a module that was trained to tell companions from others: the mean of −ln softmax over the companions."""
    torch.manual_seed(seed)
    model = Relation(scenes[0].keys.shape[1], scenes[0].times.shape[2], kind)
    few = [{"params": [model.weights], "lr": WEIGHTS_RATE, "weight_decay": 0.0}] if kind.formula else []
    many = [{"params": [each for name, each in model.named_parameters() if name != "weights"], "lr": RATE}]
    optimizer = torch.optim.AdamW([*few, *many] if kind.attends else few, weight_decay=DECAY)
    order = np.random.default_rng(seed)
    for _ in range(kind.epochs):
        for number in order.permutation(len(scenes)):
            scene = scenes[number]
            chances = torch.log_softmax(without_self(model(scene), scene), dim=1)
            belong = scene.companions.float()
            loss = -(torch.where(scene.companions, chances, 0).sum(1) / belong.sum(1)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def without_self(scores: Tensor, scene: Scene) -> Tensor:
    """Return scores with the memory asked from out of the running."""
    return scores.scatter(1, scene.asked[:, None], -torch.inf)


def recalls(scores: Tensor, scene: Scene) -> np.ndarray:
    """Return the share of each asked memory's companions among the first 5 and 10, (q, 2)."""
    order = torch.argsort(without_self(scores, scene), dim=1, descending=True, stable=True)
    found = scene.companions.gather(1, order).float()
    columns = [found[:, :depth].sum(1) / scene.companions.sum(1) for depth in DEPTHS]
    return torch.stack(columns, dim=1).numpy()


Score = Callable[[Scene], Tensor]


def fixed_rows() -> dict[str, Score]:
    """Return what needs no training: each part alone, and the formula with two sets of weights."""
    alone = {name: _weighed(np.eye(3)[number]) for number, name in enumerate(PARTS)}
    return {**alone, "formula": _weighed(WEIGHTS), "0.2 / 0.8 / 0": _weighed(DEVELOPED)}


def _weighed(weights: Sequence[float] | np.ndarray) -> Score:
    weighing = torch.tensor(np.asarray(weights), dtype=torch.float32)
    return lambda scene: scene.parts @ weighing


def report(kept: Sequence[Scene], scenes: Sequence[Scene], *, across: bool) -> None:
    """Print each set's table."""
    measured = {name: [np.concatenate(found)] for name, found in _by_scene(fixed_rows(), scenes)}
    sets = np.concatenate([[scene.set] * len(scene.asked) for scene in scenes])
    for name, kind in TRAINED.items():
        measured[name] = []
        for seed in SEEDS:
            by_scene: dict[int, np.ndarray] = {}
            for learnt_from, asked in splits(kept, scenes, across=across):
                model = trained(learnt_from, seed, kind)
                by_scene |= {number: _asked(model, scenes[number]) for number in asked}
                if not kind.attends:
                    print(f"{name}, seed {seed}: {_shares(model)}")
            measured[name].append(np.concatenate([by_scene[number] for number in range(len(scenes))]))
    for name in dict.fromkeys(sets):
        among = [scene for scene in scenes if scene.set == name]
        mine = {row: [run[sets == name] for run in runs] for row, runs in measured.items()}
        Console(width=110).print(table(f"{name}: {len(among)} conversations, {sum(sets == name)} memories asked", mine))


def splits(kept: Sequence[Scene], scenes: Sequence[Scene], *, across: bool) -> Iterator[tuple[list[Scene], list[int]]]:
    """Yield what is trained on, and the numbers of the conversations that are asked after it."""
    groups = [scene.set if across else number % 2 for number, scene in enumerate(scenes)]
    for held_out in dict.fromkeys(groups):
        others = [scene for scene, group in zip(scenes, groups, strict=True) if group != held_out]
        also = [scene for scene in kept if scene.set != held_out]
        yield [*also, *others], [number for number, group in enumerate(groups) if group == held_out]


def table(title: str, measured: dict[str, list[np.ndarray]]) -> Table:
    """Return a set's table: a line a row, its runs one a seed."""
    shown = Table("row", *(f"recall@{depth}" for depth in DEPTHS), *(f"- formula @{d}" for d in DEPTHS), title=title)
    formula = measured["formula"][0]
    for name, runs in measured.items():
        cells = []
        for column in range(len(DEPTHS)):
            means = [100 * float(run[:, column].mean()) for run in runs]
            between = f" ± {np.std(means, ddof=1):.1f}" if len(means) > 1 else ""
            cells.append(f"{np.mean(means):.1f}{between}")
        ahead = np.mean(runs, axis=0) - formula
        shown.add_row(name, *cells, *("" if name == "formula" else interval(column) for column in ahead.T))
    return shown


def interval(values: np.ndarray) -> str:
    """Return a mean in points with its bootstrap interval."""
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return f"{100 * values.mean():+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def developed(
    kept: Sequence[tuple[str, Corpus]], others: Sequence[tuple[str, Corpus]], encoder: KeepingEncoder
) -> None:
    """Print what the development part says about the formula's constants, its weights and the epochs."""
    for half_close in (HOUR, 24 * HOUR, 30 * 24 * HOUR):
        for half_near in (1.0, 3.0, 10.0):
            associator = ContextualAssociator(half_close=half_close, half_near=half_near)
            scenes = [scene_of(*each, encoder, associator) for each in kept]
            for name, found in _by_scene(fixed_rows(), scenes):
                if name in {"time", "formula"}:
                    print(
                        f"half_close {half_close / HOUR:.0f} h, half_near {half_near:.0f}: {name}",
                        _line(found, scenes),
                    )
    scenes = [scene_of(*each, encoder) for each in kept]
    thirds = [(a / 10, b / 10, (10 - a - b) / 10) for a in range(0, 11, 2) for b in range(0, 11 - a, 2)]
    for name, found in _by_scene({str(weights): _weighed(weights) for weights in thirds}, scenes):
        print(name, _line(found, scenes))
    learnt_from = [scene_of(*each, encoder) for each in others]
    for name, kind in TRAINED.items():
        for epochs in (10, 30, 60):
            model = trained(learnt_from, 0, kind._replace(epochs=epochs))
            print(name, epochs, "epochs", _line([_asked(model, scene) for scene in scenes], scenes))


def _asked(model: Relation, scene: Scene) -> np.ndarray:
    with torch.inference_mode():
        return recalls(model(scene), scene)


def _shares(model: Relation) -> str:
    weights = model.state_dict()["weights"]
    return " / ".join(f"{share:.2f}" for share in (weights / weights.sum()).tolist())


def _by_scene(rows: dict[str, Score], scenes: Sequence[Scene]) -> Iterator[tuple[str, list[np.ndarray]]]:
    for name, score in rows.items():
        yield name, [recalls(score(scene), scene) for scene in scenes]


def _line(found: Sequence[np.ndarray], scenes: Sequence[Scene]) -> str:
    """Return each set's recall in one line."""
    shown = []
    for name in dict.fromkeys(scene.set for scene in scenes):
        mine = np.concatenate([each for each, scene in zip(found, scenes, strict=True) if scene.set == name])
        shown.append(f"{name} " + " ".join(f"{100 * mean:.1f}" for mean in mine.mean(axis=0)))
    return "; ".join(shown)


if __name__ == "__main__":
    main()
