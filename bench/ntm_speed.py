"""How many sequences a second does training take, beside pytorch-ntm in the same run?

    git clone the repository loudinthecloud/pytorch-ntm, then
    python bench/ntm_speed.py PATH-OF-THE-CLONE

The copy task with length 10, N = 128, M = 20, an LSTM of 100 units, one read and one write head, one thread. A sequence
is counted when it has gone forward, backward and through one step of the optimizer: theirs is RMSProp with the gradient
clipped number by number, ours Adam with its norm clipped. The runs take turns, ROUNDS each; given is each one's median.
Compiling is not counted, but said. How many sequences each needs until it has learnt is another question:
bench/ntm_tasks.py shows ours, their README theirs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

from ntm_memory_skill.ntm.machines import MachineSettings, Unrolled, build

LENGTH = 10
BITS = 8
CLIP = 10
ROUNDS = 5
SECONDS = 3.0  # of each round

Update = Callable[[], object]


def main() -> None:
    """Measure both, at each size of batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rival", type=Path, help="a checkout of loudinthecloud/pytorch-ntm")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = Table("batch", "pytorch-ntm", "eager", "compiled", "ratio", "compiling, s", title="sequences a second")
    for batch in arguments.batches:
        compiled, seconds = _ours(batch, compiled=True)
        updates = [_theirs(arguments.rival, batch), _ours(batch, compiled=False)[0], compiled]
        rates = _rates(updates, batch)
        row = [*(f"{rate:,.1f}" for rate in rates), f"{rates[2] / rates[0]:.1f}×", f"{seconds:.0f}"]
        table.add_row(str(batch), *row)
    Console(width=120).print(table)


def _rates(updates: list[Update], batch: int) -> list[float]:
    """Return the median sequences a second of each, taking turns."""
    measured: list[list[float]] = [[] for _ in updates]
    for _ in range(ROUNDS):
        for rates, update in zip(measured, updates, strict=True):
            start, count = time.perf_counter(), 0
            while time.perf_counter() - start < SECONDS:
                update()
                count += 1
            rates.append(count * batch / (time.perf_counter() - start))
    return [statistics.median(rates) for rates in measured]


def _ours(batch: int, *, compiled: bool) -> tuple[Update, float]:
    """Return one update of our machine, and how long the first took."""
    machine = build(MachineSettings(inputs=BITS + 1, outputs=BITS))
    run = Unrolled(machine, compiled=compiled)
    optimizer = torch.optim.Adam(machine.parameters(), 1e-3, fused=True)

    def update() -> None:
        said = torch.randint(0, 2, (LENGTH, batch, BITS)).float()
        inputs = torch.zeros(2 * LENGTH + 1, batch, BITS + 1)
        inputs[:LENGTH, :, :BITS] = said
        inputs[LENGTH, :, BITS] = 1
        loss = binary_cross_entropy_with_logits(run(inputs)[LENGTH + 1 :], said)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(machine.parameters(), CLIP)
        optimizer.step()

    start = time.perf_counter()
    update()
    return update, time.perf_counter() - start


def _theirs(checkout: Path, batch: int) -> Update:
    """Return one update of pytorch-ntm, as its own training makes it."""
    sys.path.insert(0, str(checkout))
    from ntm.aio import EncapsulatedNTM  # type: ignore[import-not-found]  # the rival's, found by its path

    machine = EncapsulatedNTM(BITS + 1, BITS, 100, 1, 1, 128, 20)
    optimizer = torch.optim.RMSprop(machine.parameters(), lr=1e-4, momentum=0.9, alpha=0.95)

    def update() -> None:
        said = torch.randint(0, 2, (LENGTH, batch, BITS)).float()
        inputs = torch.zeros(LENGTH + 1, batch, BITS + 1)
        inputs[:LENGTH, :, :BITS] = said
        inputs[LENGTH, :, BITS] = 1
        optimizer.zero_grad()
        machine.init_sequence(batch)
        for x in inputs:
            machine(x)
        outputs = torch.stack([machine()[0] for _ in range(LENGTH)])
        torch.autograd.backward(binary_cross_entropy(outputs, said))
        for parameter in machine.parameters():
            if parameter.grad is not None:
                parameter.grad.clamp_(-CLIP, CLIP)
        optimizer.step()

    update()
    return update


if __name__ == "__main__":
    main()
