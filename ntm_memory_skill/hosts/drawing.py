"""Pictures of a machine that has learnt a task, as in the figures of Graves, Wayne & Danihelka (2014).

    learning curve       bits for each held-back sequence against sequences in thousands       figures 3, 7, 10
    what is said         inputs, targets and outputs of one sequence, time from left to right  figures 4, 5
    what is done         vectors written and read, and where each head looks, at every step    figures 6, 9, 12

The vectors are what the memory holds, after a step, where a head looks: Σ_i w_t(i) M_t(i). For a head that erases
before it adds, that is what it has written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.compose import configured_nowhere
from ntm_memory_skill.hosts.tasks import one_thread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ntm_memory_skill.ntm.tasks import Size
    from ntm_memory_skill.ntm.training import Check, Trainer

MISSING = 'Install it: pip install "ntm-memory-skill[plots]"'
WIDTH, HEIGHT, DOTS = 11.0, 13.0, 110  # inches, and dots an inch
TOUCHED = 0.05  # of a weighting: where no head ever put that much, nothing is to be seen
APART = 0.015  # of the curve's length: levels that are nearer to each other are marked, and not named
AROUND = 3  # slots that are drawn above and below those
LINE = "#1f4e79"
MARK = "#b03a2e"


@dataclass(frozen=True, slots=True)
class Seen:
    """One sequence of T steps, as a machine with N slots of M numbers, R read and W write heads went through it."""

    inputs: Float[np.ndarray, "t inputs"]
    targets: Float[np.ndarray, "t outputs"]
    outputs: Float[np.ndarray, "t outputs"]
    """Chances, 0 to 1."""
    judged: Bool[np.ndarray, "t"]
    written: Float[np.ndarray, "t w m"]
    read: Float[np.ndarray, "t r m"]
    write_weights: Float[np.ndarray, "t w n"]
    read_weights: Float[np.ndarray, "t r n"]


def watch(trainer: Trainer, size: Size, seed: int) -> Seen:
    """Let the best machine of a run go through one new sequence. Raises InvalidArgument for a size that is none."""
    import torch

    machine = trainer.best_machine()
    batch = trainer.task.of_size(torch.Generator().manual_seed(seed), 1, size)
    outputs, views = [], []
    with torch.no_grad(), one_thread():
        state = machine.initial(1)
        for x in batch.inputs:
            y, state = machine(x, state)
            outputs.append(trainer.task.chances(y[0]))
            views.append(machine.view(state))
        written, read = ([(w @ view.memory)[0] for w, view in each] for each in _weightings(views))
        return Seen(
            inputs=batch.inputs[:, 0].numpy(),
            targets=batch.targets[:, 0].numpy(),
            outputs=torch.stack(outputs).numpy(),
            judged=batch.mask.numpy(),
            written=torch.stack(written).numpy(),
            read=torch.stack(read).numpy(),
            write_weights=torch.stack([view.write_weights[0] for view in views]).numpy(),
            read_weights=torch.stack([view.read_weights[0] for view in views]).numpy(),
        )


def png(title: str, checks: Sequence[Check], seen: Seen) -> bytes:
    """Return the picture of a run and of one sequence.

    Args:
        title: What stands above it.
        checks: The learning curve, oldest first.
        seen: The sequence.

    Raises:
        InvalidArgument: matplotlib is not installed.
    """

    def draw(figure: Figure) -> None:
        figure.suptitle(title, fontsize=14)
        _draw(figure, checks, seen)

    return drawn(WIDTH, HEIGHT, draw)


def drawn(width: float, height: float, draw: Callable[[Figure], None]) -> bytes:
    """Return a picture as PNG.

    Args:
        width: In inches.
        height: In inches.
        draw: Draws on the figure that it is given.

    Raises:
        InvalidArgument: matplotlib is not installed.
    """
    with configured_nowhere("MPLCONFIGDIR"):
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise InvalidArgument("pictures are drawn by matplotlib, which is not installed", hint=MISSING) from error
        figure = Figure(figsize=(width, height), dpi=DOTS, layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)  # it draws for the figure from now on
        draw(figure)
        out = BytesIO()
        figure.savefig(out, format="png")
    return out.getvalue()


def _weightings(views: Sequence[Any]) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    return [(view.write_weights, view) for view in views], [(view.read_weights, view) for view in views]


def _draw(figure: Figure, checks: Sequence[Check], seen: Seen) -> None:
    grid = figure.add_gridspec(4, 3, height_ratios=(1.0, 0.75, 0.75, 1.6), width_ratios=(1, 1, 0.025))
    _curve(figure.add_subplot(grid[0, :]), checks)
    low, high = min(0.0, float(seen.inputs.min())), max(1.0, float(seen.inputs.max()))
    _image(figure.add_subplot(grid[1, 0]), seen.inputs.T, "inputs", cmap="viridis", limits=(low, high))
    said = grid[1, 1].subgridspec(2, 1)
    judged = seen.judged[:, None]
    for row, name, values in ((0, "targets", seen.targets), (1, "outputs", seen.outputs)):
        axes = figure.add_subplot(said[row])
        _image(axes, np.where(judged, values, np.nan).T, name, cmap="viridis")
        axes.tick_params(labelbottom=row == 1)
    for column, name, vectors in ((0, "written", seen.written), (1, "read", seen.read)):
        _vectors(figure.add_subplot(grid[2, column]), vectors, f"{name} vectors")
    slots = window(seen)
    for column, name, weights in ((0, "write", seen.write_weights), (1, "read", seen.read_weights)):
        image = _weights(figure.add_subplot(grid[3, column]), weights, slots, f"{name} weightings")
    figure.colorbar(image, cax=figure.add_subplot(grid[3, 2]))


def window(seen: Seen) -> tuple[int, int]:
    """Return the first slot to draw and how many: all that a head touched, and a few around them.

    The shift makes a ring of the memory, so what is left out is the longest stretch of it that no head touched.
    """
    highest = np.concatenate([seen.write_weights, seen.read_weights], axis=1).max(axis=(0, 1))
    count = len(highest)
    touched = np.flatnonzero(highest > TOUCHED)
    if len(touched) == 0:
        return 0, count
    gaps = np.diff(touched, append=touched[0] + count)
    before = int(np.argmax(gaps))  # the touched slot that the longest gap follows
    kept = count - int(gaps[before]) + 1 + 2 * AROUND
    if kept >= count:
        return 0, count
    return int(touched[(before + 1) % len(touched)]) - AROUND, kept


def _curve(axes: Axes, checks: Sequence[Check]) -> None:
    thousands = [check.sequences / 1000 for check in checks]
    axes.plot(thousands, [check.bits for check in checks], color=LINE, marker="o", markersize=3, linewidth=1.2)
    named = -math.inf
    for before, check in pairwise(checks):
        if check.level > before.level:
            at = check.sequences / 1000
            axes.axvline(at, color=MARK, linestyle="--", linewidth=0.8)
            if at - named >= APART * thousands[-1]:
                named = at
                beside: dict[str, Any] = {
                    "xycoords": ("data", "axes fraction"),
                    "rotation": 90,
                    "va": "top",
                    "ha": "right",
                }
                axes.annotate(f"level {check.level}", (at, 0.97), fontsize=8, color=MARK, **beside)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("sequences (thousands)")
    axes.set_ylabel("cost per sequence (bits)")
    axes.grid(visible=True, color="0.9")
    axes.set_title("learning curve")


def _vectors(axes: Axes, vectors: Float[np.ndarray, "t h m"], title: str) -> None:
    heads = vectors.shape[1]
    stacked = vectors.reshape(len(vectors), -1).T
    largest = max(float(np.abs(stacked).max()), 1e-6)
    _image(axes, stacked, _counted(title, heads), cmap="RdBu_r", limits=(-largest, largest))
    for head in range(1, heads):
        axes.axhline(head * vectors.shape[2] - 0.5, color="black", linewidth=0.8)


def _weights(axes: Axes, weights: Float[np.ndarray, "t h n"], slots: tuple[int, int], title: str) -> Any:
    first, kept = slots
    highest = weights.max(axis=1).T
    count = len(highest)
    rows = highest[np.arange(first, first + kept) % count]
    image = _image(axes, rows, _counted(title, weights.shape[1]), cmap="gray", first=first)
    axes.yaxis.set_major_formatter(lambda slot, _: f"{slot % count:.0f}")
    axes.set_ylabel("slot" if kept == count else f"slot ({kept} of {count})")
    axes.set_xlabel("step")
    return image


def _counted(title: str, heads: int) -> str:
    return title if heads == 1 else f"{title} of {heads} heads"


def _image(
    axes: Axes,
    rows: Float[np.ndarray, "k t"],
    title: str,
    *,
    cmap: str,
    limits: tuple[float, float] = (0.0, 1.0),
    first: int = 0,
) -> Any:
    from matplotlib.ticker import MaxNLocator

    count, steps = rows.shape
    image = axes.imshow(
        rows,
        aspect="auto",
        interpolation="nearest",
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        extent=(-0.5, steps - 0.5, first + count - 0.5, first - 0.5),
    )
    axes.set_title(title)
    axes.set_facecolor("0.93")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=min(9, max(2, count // 4)), integer=True))
    return image
