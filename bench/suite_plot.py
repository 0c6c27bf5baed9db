"""The suite's picture: cost against size, on logarithmic axes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Points = dict[str, list[tuple[float, float]]]

PANELS = ("matching one key, ms", "adding one memory, ms", "finding, ms", "the first answer, s")

MARKERS, COLOURS = "osD^vPX*<>d", 10


def panels(parts: Mapping[str, Any]) -> dict[str, Points]:
    """Return the lines of each panel that a run has figures for: (size, cost) by name."""
    found: dict[str, Points] = {name: defaultdict(list) for name in PANELS}
    for row in parts.get("matrix", {}).get("rows", ()):
        if "ms" in row:
            found[PANELS[0]][row["backend"]].append((row["rows"], row["ms"]))
            if row["backend"] == "numpy float32":
                found[PANELS[0]]["reading a byte a number"].append((row["rows"], row["reading_ms"]))
    for row in parts.get("rivals", {}).get("rows", ()):
        for name, cost in row["cost"].items():
            if cost is not None:
                found[PANELS[1]][name].append((row["memories"], cost["add_median"]))
            if cost is not None and "search_median" in cost:
                found[PANELS[2]][name].append((row["memories"], cost["search_median"]))
    for row in parts.get("open", {}).get("opening", ()):
        found[PANELS[3]][row["engine"]].append((row["memories"], row["open"] + row["first_answer"]))
    for row in parts.get("open", {}).get("commands", ()):
        found[PANELS[3]][f"command, {row['engine']}"].append((row["memories"], row["median"]))
    return {name: lines for name, lines in found.items() if lines}


def draw(parts: Mapping[str, Any], files: list[Path]) -> None:
    """Draw the panels into files; the ending of each says as what.

    Raises:
        ValueError: There is nothing to draw.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "ntm"  # the same figures are the same file
    from matplotlib import pyplot, ticker

    shown = panels(parts)
    if not shown:
        raise ValueError("none of the parts that were measured is drawn: matrix, rivals, open")
    figure, axes = pyplot.subplots(1, len(shown), figsize=(4.6 * len(shown), 4.4), squeeze=False, layout="constrained")
    places: dict[str, int] = {}
    for axis, (title, lines) in zip(axes[0], shown.items(), strict=True):
        for name, points in lines.items():
            place = places.setdefault(name, len(places))  # a name looks the same in all panels
            look = {"marker": MARKERS[place % len(MARKERS)], "color": f"C{place % COLOURS}", "markersize": 5}
            axis.plot(*zip(*sorted(points), strict=True), linewidth=1.5, label=name, **look)
        axis.set(xscale="log", yscale="log", title=title, xlabel="memories")
        sizes = sorted({size for points in lines.values() for size, _ in points})
        axis.xaxis.set_major_locator(ticker.FixedLocator(sizes))
        axis.xaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(lambda cost, _: f"{cost:g}")
        axis.yaxis.set_minor_formatter(ticker.NullFormatter())
        axis.grid(visible=True, which="major", linewidth=0.4)
        axis.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    for file in files:
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)
