"""What the Neural Turing Machine's siblings are good for, each by the task that it was made for.

    python bench/ntm_siblings.py                    mann, dkvmn and hopfield
    python bench/ntm_siblings.py mann --seeds 0     some of it

    mann       five classes of points within one sequence, drawn anew for every sequence: how often is the label right
               when a class is shown for the first time, the second time, and so on?
    dkvmn      made-up students: how well is their next answer predicted, beside the average of its skill and that of
               the student's own answers to it, mixed with the skill's as well as the training students allow?
    hopfield   10,000 random patterns of 64 signs: how many come back from a distorted one, every sign right, in one
               update?

The DNC learns the Neural Turing Machine's own tasks: bench/ntm_tasks.py copy associative-recall --machine dnc.
Students and sequences for training are drawn anew for every update, and those asked about are others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.ntm.machines.hopfield import retrieve
from ntm_memory_skill.ntm.tasks import Batch, Episodes, Task, Tracing
from ntm_memory_skill.ntm.tasks.tracing import SKILLS
from ntm_memory_skill.ntm.training import Trainer, preset

ASKED = 500  # sequences or students
SEED = 1_000_000  # of those that are asked about, plus the seed
PATTERNS, DIMENSION = 10_000, 64
PRIORS = (1, 2, 4, 8, 16, 32)  # answers that a skill's average counts as, beside the student's own
STRENGTHS = (0.125, 0.25, 0.5, 1.0, 13.0)  # β

console = Console(width=120)


def main() -> None:
    """Measure those that are asked for."""
    benches = {"mann": mann, "dkvmn": dkvmn, "hopfield": hopfield}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("machines", nargs="*", choices=[*benches, []], default=list(benches))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.machines:
        console.print(benches[name](arguments.seeds))


def mann(seeds: list[int]) -> Table:
    """Return how often labels are right, by how often the class was shown."""
    table = Table(
        "seed", "updates", "minutes", "1st", "2nd", "3rd", "5th", "10th", title="mann, episodes: right labels, %"
    )
    for seed in seeds:
        task = Episodes()
        trainer, outputs, batch, minutes = _trained(task, "mann", seed)
        right = task.right(outputs, batch)
        shares = [f"{100 * right[instance]:.1f}" for instance in (0, 1, 2, 4, 9)]
        table.add_row(str(seed), f"{trainer.update:,}", f"{minutes:.1f}", *shares)
    return table


def dkvmn(seeds: list[int]) -> Table:
    """Return how well answers are predicted, and how well without a machine."""
    table = Table("seed", "updates", "minutes", "prediction", "AUC", "nats", title="dkvmn, tracing")
    for seed in seeds:
        trainer, outputs, batch, minutes = _trained(Tracing(), "dkvmn", seed)
        training = Tracing().of_size(torch.Generator().manual_seed(seed), ASKED, Tracing.tests["50"])
        prior = min(PRIORS, key=lambda each: _nats(_running(training, training, each), training))
        predictions = {
            "dkvmn": torch.sigmoid(outputs[..., 0]),
            "average of the skill": _running(training, batch, None),
            f"of the student's answers to it, prior {prior}": _running(training, batch, prior),
        }
        for name, chances in predictions.items():
            measures = f"{_auc(chances, batch):.3f}", f"{_nats(chances, batch):.3f}"
            table.add_row(str(seed), f"{trainer.update:,}", f"{minutes:.1f}", name, *measures)
    return table


def hopfield(seeds: list[int]) -> Table:
    """Return how many patterns come back."""
    distortions: dict[str, Callable[[torch.Tensor, torch.Generator], torch.Tensor]] = {
        "noise 0.3": lambda patterns, rng: patterns + 0.3 * torch.randn(patterns.shape, generator=rng),
        "noise 1.0": lambda patterns, rng: patterns + torch.randn(patterns.shape, generator=rng),
        "15 % flipped": lambda patterns, rng: patterns * _flips(0.15, rng),
        "30 % flipped": lambda patterns, rng: patterns * _flips(0.30, rng),
    }
    table = Table("seed", "β", *distortions, title="hopfield: patterns retrieved, %")
    for seed in seeds:
        rng = torch.Generator().manual_seed(seed)
        patterns = torch.randint(0, 2, (PATTERNS, DIMENSION), generator=rng) * 2.0 - 1
        queries = {name: distort(patterns, rng) for name, distort in distortions.items()}
        for strength in STRENGTHS:
            found = [retrieve(patterns, each, strength).sign() == patterns for each in queries.values()]
            shares = [f"{100 * float(each.all(dim=1).float().mean()):.2f}" for each in found]
            table.add_row(str(seed), str(strength), *shares)
    return table


def _trained(task: Task, kind: str, seed: int) -> tuple[Trainer, torch.Tensor, Batch, float]:
    """Return a finished run, and what its best machine says of new sequences."""
    trainer = Trainer(task, *preset(task, {"kind": kind}, {"seed": seed}))
    start = time.monotonic()
    for _ in trainer.run():
        pass
    batch = task.of_size(torch.Generator().manual_seed(SEED + seed), ASKED, next(iter(task.tests.values())))
    return trainer, trainer.outputs(batch), batch, (time.monotonic() - start) / 60


def _flips(share: float, rng: torch.Generator) -> torch.Tensor:
    """Return −1 for a share of the places, each pattern as many of them, and 1 for the others."""
    places = torch.rand(PATTERNS, DIMENSION, generator=rng).argsort(dim=1)
    return torch.where(places < round(share * DIMENSION), -1.0, 1.0)


def _running(training: Batch, asked: Batch, prior: int | None) -> torch.Tensor:
    """Return the mean of a student's answers to the skill so far, with its average in training as `prior` answers more.

    Without a prior, that average alone.
    """
    skills, right = training.inputs[..., :SKILLS], training.targets
    average = (skills * right).sum(dim=(0, 1)) / skills.sum(dim=(0, 1))
    skills, right = asked.inputs[..., :SKILLS], asked.targets
    expected = skills @ average
    if prior is None:
        return expected
    before = skills.cumsum(dim=0) - skills
    successes = (skills * right).cumsum(dim=0) - skills * right
    tries = (skills * before).sum(dim=-1)
    return ((skills * successes).sum(dim=-1) + prior * expected) / (tries + prior)


def _nats(chances: torch.Tensor, batch: Batch) -> float:
    return float(torch.nn.functional.binary_cross_entropy(chances, batch.targets[..., 0]))


def _auc(chances: torch.Tensor, batch: Batch) -> float:
    """Return the chance that a right answer was held likelier than a wrong one; equal ones count half."""
    from scipy.stats import rankdata

    right = batch.targets.flatten().bool()
    ranks = torch.from_numpy(rankdata(chances.flatten().numpy()))[right]
    wrong = len(right) - len(ranks)
    return float((ranks.sum() - len(ranks) * (len(ranks) + 1) / 2) / (len(ranks) * wrong))


if __name__ == "__main__":
    main()
