"""The report's pictures: SVG to stand in the page, without scripts, its colours the page's own CSS variables."""

from __future__ import annotations

import sys
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from ntm_memory_skill.evaluation.figures import SetFigures
from ntm_memory_skill.evaluation.statistics import Interval

# a hook for its plugins with maps, of a kind that Python warns of at every later import
sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, pygal.PluginImportFixer)]

HUES = 8
"""How many colours of rows the page defines: --hue-0 and on. Rows beyond begin with the first again."""
MOST_ROWS = 64
BAR = 17  # pixels of height that one bar takes
EDGE = 110  # and what stands above and below them
LABEL_LENGTH = 26

_COLOURS = tuple(f"var(--hue-{place % HUES})" for place in range(MOST_ROWS))


def _style(**more: object) -> Style:
    ink, rule = "var(--ink)", "var(--rule)"
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground=ink,
        foreground_strong=ink,
        foreground_subtle=rule,
        guide_stroke_color=rule,
        major_guide_stroke_color=rule,
        guide_stroke_dasharray="none",
        major_guide_stroke_dasharray="none",
        font_family="inherit",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        title_font_size=15,
        opacity="1",
        stroke_opacity="1",
        stroke_width="2",
        colors=_COLOURS,
        value_colors=(ink,) * MOST_ROWS,
        **more,
    )


_LINES, _BARS = _style(ci_colors=_COLOURS), _style()


def curves(figures: SetFigures, ident: str) -> str:
    """Return recall over depth: a line a row, each point with its interval, side by side so that none hides another."""
    chart = _chart(pygal.Line, figures, "evidence among the first k, %", height=400, style=_LINES)
    width = len(figures.rows) + 2
    chart.x_labels = ["" for _ in range(width * len(figures.depths))]
    for number, depth in enumerate(figures.depths):
        chart.x_labels[number * width + width // 2] = f"k = {depth}"
    for place, row in enumerate(figures.rows):
        values: list[object] = [None] * len(chart.x_labels)
        for number, depth in enumerate(figures.depths):
            values[number * width + place + 1] = _point(row.overall.metrics[f"recall@{depth}"])
        chart.add(row.name, values)
    return _svg(chart, ident)


def kinds(figures: SetFigures, ident: str) -> str:
    """Return the main metric by kind of question: a group of bars a kind, a bar a row."""
    metric = figures.comparison.metric
    names = list(figures.rows[0].categories)
    height = EDGE + BAR * (len(figures.rows) + 1) * len(names)
    chart = _chart(pygal.HorizontalBar, figures, f"{metric} by kind of question, %", height=height)
    chart.x_labels = names[::-1]
    for row in figures.rows:
        chart.add(row.name, [_point(row.categories[name].metrics[metric]) for name in names[::-1]])
    return _svg(chart, ident)


def latencies(figures: SetFigures, ident: str) -> str:
    """Return how long a search takes, its question encoded already: median and 95th percentile, in milliseconds."""
    height = EDGE + BAR * (len(figures.rows) + 1) * 2
    chart = _chart(pygal.HorizontalBar, figures, "a search, ms", height=height)
    chart.range, chart.x_labels = None, ["95th percentile", "median"]
    for row in figures.rows:
        chart.add(row.name, [row.latency.p95, row.latency.median])
    return _svg(chart, ident)


def _chart(kind: type[pygal.Graph], figures: SetFigures, title: str, **more: Any) -> pygal.Graph:
    options = {"style": _BARS, **more}
    return kind(
        js=(),
        title=title,
        width=720,
        range=(0, 100),
        dots_size=4,
        margin=8,
        spacing=6,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(figures.rows),
        legend_box_size=11,
        truncate_legend=-1,
        truncate_label=LABEL_LENGTH,
        show_x_guides=False,
        disable_xml_declaration=True,
        **options,
    )


def _point(interval: Interval) -> dict[str, object]:
    return {"value": 100 * interval.mean, "ci": {"low": 100 * interval.low, "high": 100 * interval.high}}


def _svg(chart: pygal.Graph, ident: str) -> str:
    """Draw a chart under a name of its own, and take out what is for scripts, of which there are none."""
    chart.uuid = ident
    drawn = chart.render_tree()
    for parent in list(drawn.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.endswith(("script", "desc")):
                parent.remove(child)
            else:
                child.attrib.pop("id", None)  # the same in every chart
    return ElementTree.tostring(drawn, encoding="unicode")
