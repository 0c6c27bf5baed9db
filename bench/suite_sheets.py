"""The suite's figures as tables: what a run has stored, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp_start import STEPS
from rival_tables import RATIOS
from sheets import Sheet, sheet

Figures = Mapping[str, Any]

GOAL = 1.3  # times encoding, and for a write one fsync, that a whole call may take
TOOL_ORDER = ("recall", "memorize", "search")
SHORT = {
    "add_mean": "add one, mean ms",
    "add_median": "add one, median ms",
    "add_p95": "add one, p95 ms",
    "add_many": "add many, ms each",
    "search_median": "find, median ms",
    "search_p95": "find, p95 ms",
    "kib_each": "disk, KiB each",
    "kib_each_many": "disk, added as many",
    "peak_mib": "peak, MiB",
    "start": "to the first memory, ms",
}


def sheets(figures: Figures) -> list[Sheet]:
    """Return the tables of all parts that a run has measured, and one of those that it has not."""
    found = [each for name, make in SHEETS.items() if name in figures["parts"] for each in make(figures["parts"][name])]
    failed = dict.fromkeys(figures["failed"], "failed; the stored run says how")
    skipped = [(name, failed.get(name, why)) for name, why in figures["skipped"].items()]
    return [*found, sheet("Not measured", ("part", "why"), skipped)] if skipped else found


def about(figures: Figures) -> str:
    """Return a paragraph on the machine and the run, as Markdown."""
    on, versions = figures["machine"], figures["machine"]["libraries"]
    libraries = ", ".join(f"{name} {each}" for name, each in versions.items())
    threads = ", ".join(f"{name}={value or 'unset'}" for name, value in on["threads"].items())
    return (
        f"{on['date']}; commit {on['commit'][:12]}{' with changes' if on['dirty'] else ''}; "
        f"{'quick sizes' if figures.get('quick') else 'full sizes'}. "
        f"{on['cpu']}, {on['usable_cores']} of {on['cores']} cores, {on['memory_gib']} GiB, {on['os']}, "
        f"Linux {on['kernel']}, Python {on['python']}; {libraries}. "
        f"Threads of the parent process: {threads}; each table says what its own processes had. "
        f"Load before {_load(on['load_before'])}, after {_load(figures['load_after'])}."
    )


def markdown(figures: Figures) -> str:
    """Return the whole run as Markdown."""
    return "\n\n".join([about(figures), *(each.as_markdown() for each in sheets(figures))]) + "\n"


def _load(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _encode(found: Figures) -> list[Sheet]:
    engines = found["engines"]
    torch = engines["torch"]
    rows = []
    for name, each in engines.items():
        one, cold = each["one_core"]["median"], each["cold"]["to_first_key"]
        ratios = (torch["one_core"]["median"] / one, torch["cold"]["to_first_key"] / cold)
        waits = (one, each["one_core"]["p95"], each["all_cores"]["median"])
        rows.append((name, *ratios, *waits, cold, each["cold"]["import"], each["cold"]["peak_mib"]))
    columns = ("engine", "× faster than torch", "× faster from cold", "one text on one core, ms", "p95")
    more = ("on all cores, ms", "import to first key, s", "of it imports", "peak, MiB")
    notes = [f"{found['texts']} short texts one by one; medians of {found['starts']} fresh processes, one thread."]
    if "least_cosine_between_engines" in found:
        notes.append(f"The least cosine between the engines' keys: {found['least_cosine_between_engines']:.7f}.")
    if found["export"] is not None:
        notes.append(f"Exported once: {found['export']['seconds']:.1f} s, {found['export']['mib']:.0f} MiB.")
    return [sheet("One text to a key", (*columns, *more), rows, *notes)]


def _calls(found: Figures) -> list[Sheet]:
    rows = []
    for row in found["rows"]:
        fsync = row["append_and_fsync"]
        for tool in TOOL_ORDER:
            part, ratio = row[tool], row["ratios"][tool]
            held = None if tool == "search" else ("yes" if ratio <= GOAL else "no")
            figures = (part["whole"], part["encoding"], part["above_encoding"], fsync if tool == "memorize" else None)
            rows.append((tool, row["engine"], row["memories"], ratio, held, *figures))
    columns = ("tool", "engine", "memories", "× the least", f"≤ {GOAL}", "whole, ms", "encoding", "above it", "fsync")
    return [
        sheet(
            "Whole calls beside encoding and one fsync",
            columns,
            rows,
            "The least is encoding, and for memorize encoding and appending a line with one fsync in the same folder.",
            f"Medians of {found['calls']} calls each, in turns; one thread for torch and numpy; seed {found['seed']}.",
        )
    ]


def _matrix(found: Figures) -> list[Sheet]:
    rows: list[tuple[Any, ...]] = []
    for row in found["rows"]:
        if "skipped" in row:
            rows.append((row["backend"], row["rows"], *([None] * 8), row["skipped"]))
            continue
        ratios = (row["times_product"], row["times_product_and_best"], row["times_reading"], row["recall"])
        waits = (row["scores_ms"], row["ms"], row["reading_ms"], row.get("build_s"))
        rows.append((row["backend"], row["rows"], *ratios, *waits, row["answered"]))
    rows += [("all", float(count), *([None] * 8), why) for count, why in found["left_out"].items()]
    keys, sets = found["keys"], ", ".join(found["keys"]["sets"])
    columns = ("backend", "rows", "× numpy: scores", "× numpy: ten best", "× reading bytes", "recall@10")
    more = ("scores, ms", "ten best, ms", "reading bytes, ms", "build, s", "answered")
    return [
        sheet(
            "Matching one key with all rows",
            (*columns, *more),
            rows,
            f"Keys of {keys['texts']} texts of {sets}, grown: {found['rule']}; seed {found['seed']}.",
            f"Medians of {found['questions']} real questions, one thread. × numpy: beside rows @ key in float32, alone "
            f"and with argpartition. × reading bytes: the ten best beside going once over rows × {keys['dimension']} "
            "bytes, as measured at that size.",
        )
    ]


def _open(found: Figures) -> list[Sheet]:
    opening = [
        (
            row["engine"],
            row["memories"],
            row["open"] + row["first_answer"],
            row["import"],
            row["open"],
            row["first_answer"],
        )
        for row in found["opening"]
    ]
    python = found["python"]
    commands = []
    for row in found["commands"]:
        there = row.get("resident", {}).get("median")
        times = (row["median"] / python, None if there is None else row["median"] / there)
        commands.append((row["engine"], row["memories"], *times, row["median"], row["worst"], there))
    servers = [(row["engine"], row["memories"], *(row[step] for step in STEPS)) for row in found["servers"]]
    starts = f"Medians of {found['starts']} fresh processes, one thread."
    columns = ("engine", "memories", "× python -c pass", "× a resident's", "alone, s", "worst", "with a resident, s")
    why = [] if found["has_resident"] else ["This version has no resident process."]
    return [
        sheet(
            "Opening a memory and answering the first question, s",
            ("engine", "memories", "open and answer", "import", "open", "first answer"),
            opening,
            f"{starts} The keys are on the disk; “known key” asks without a model.",
        ),
        sheet(
            "ntm-memory recall as a command",
            columns,
            commands,
            f"Medians of {found['starts']}; python -c pass: {python:.3f} s.",
            *why,
        ),
        sheet(
            "An MCP client's first answers, s",
            ("engine", "memories", *STEPS),
            servers,
            f"Medians of {found['starts']}.",
        ),
    ]


def _size(found: Figures) -> list[Sheet]:
    largest = found["servers"][0]
    servers = [
        (row["engine"], row["memories"], row["rss"] / largest["rss"], row["rss"], row.get("pss"), row["peak"])
        for row in found["servers"]
    ]
    disk = [(row["memories"], row["bytes_each"] - row["bytes_each_before"], row["bytes_each"]) for row in found["disk"]]
    return [
        sheet(
            "What an MCP server takes, MiB",
            ("engine", "memories", "× torch", "resident", "its share (Pss)", "peak"),
            servers,
            f"Over HTTP, after {found['searches']} searches.",
        ),
        sheet(
            "What a memory takes on the disk, bytes each",
            ("memories", "present generation", "with the one before"),
            disk,
            "Just after they were written at once: the generation before is kept until the next folding.",
        ),
    ]


def _rivals(found: Figures) -> list[Sheet]:
    """Return for each size how many times ours each store's figures are, and the figures themselves."""
    made = []
    for row in found["rows"]:
        costs = {name: cost for name, cost in row["cost"].items() if cost is not None and "add_p95" in cost}
        ratios = [(name, *(row["times_ours"][name].get(each) for each in RATIOS)) for name in costs]
        plain = [(name, *(cost.get(each) for each in SHORT)) for name, cost in costs.items()]
        failed = [f"{name}: failed." for name, cost in row["cost"].items() if cost is None]
        fsync = row["cost"]["append and fsync"]["add_median"]
        title = f"Other stores, {row['memories']} memories"
        made.append(sheet(f"{title}: times ours", ("store", *(SHORT[each] for each in RATIOS)), ratios, *failed))
        made.append(
            sheet(
                title,
                ("store", *SHORT.values()),
                plain,
                f"Medians of {found['rounds']} rounds, {found['searches']} searches each; keys known, so no encoding. "
                f"Appending a line and fsync: {fsync:.2f} ms. Ours is as with the exported model: without torch.",
                "Peak: above an empty process with the keys in it; of the MCP server the whole process.",
                "Versions: " + ", ".join(f"{name} {each}" for name, each in found["versions"].items() if each) + ".",
                *(f"{name} is not installed: {how}" for name, how in found["install"].items()),
            )
        )
    return made


SHEETS: dict[str, Callable[[Figures], list[Sheet]]] = {
    "encode": _encode,
    "calls": _calls,
    "matrix": _matrix,
    "open": _open,
    "size": _size,
    "rivals": _rivals,
}
