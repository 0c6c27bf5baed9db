"""One HTML file with all figures in it: tables beside plots, readable without a network, and in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ntm_memory_skill.evaluation import plots
from ntm_memory_skill.evaluation.figures import SetFigures
from ntm_memory_skill.evaluation.statistics import PERMUTATIONS, RESAMPLES, Interval, p_value, points


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What has to be known to get the same figures again."""

    encoder: str
    version: str
    """Of this package."""
    seed: int
    limit: int | None
    """Questions drawn from a set at most; None for all."""


def html(figures: Sequence[SetFigures], circumstances: Circumstances) -> str:
    """Return the report's text. Names and categories come from files of any origin, and are escaped.

    Args:
        figures: Of every set, at least one.
        circumstances: Shown beneath.
    """
    environment = Environment(
        loader=PackageLoader("ntm_memory_skill.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=_percent, p_value=p_value, points=points)
    return environment.get_template("report.html.j2").render(
        sets=[(each, _plots(each, number)) for number, each in enumerate(figures)],
        rows={row.name: row.about for each in figures for row in each.rows},
        hues=plots.HUES,
        circumstances=circumstances,
        resamples=RESAMPLES,
        permutations=PERMUTATIONS,
    )


def _plots(figures: SetFigures, number: int) -> dict[str, Markup]:
    named = {"curves": plots.curves, "latencies": plots.latencies}
    if figures.rows[0].categories:
        named["kinds"] = plots.kinds
    # what the plots hold of a file's text was escaped when they were drawn
    return {name: Markup(plot(figures, f"{name}-{number}")) for name, plot in named.items()}  # noqa: S704  # see above


def _percent(interval: Interval) -> Markup:
    low, high = 100 * interval.low, 100 * interval.high
    return Markup("{:.1f}<small>{:.1f}–{:.1f}</small>").format(100 * interval.mean, low, high)
