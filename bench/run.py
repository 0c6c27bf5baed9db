"""The whole of what the memory costs, in one run: printed as tables, ratios first, and stored as JSON.

    python bench/run.py --quick                                      # small sizes, to see that all of it works
    python bench/run.py --only encode,calls                          # some parts
    python bench/run.py --markdown performance.json callers.json     # stored runs as docs/performance.md shows them

Parts, in the order in which they run:

    encode    one short text to a key with each engine, and from a fresh process's first import to its first key
    calls     memorize, recall and search as a whole, the encoder's part in them, and appending a line with fsync
    matrix    matching one key with all rows, with each backend, beside numpy and beside reading memory; needs --texts
    open      the first answer: in Python, of the command line, of an MCP server
    size      the memory that an MCP server takes, and the disk that a memory takes
    rivals    other stores at the same sizes: add one, find one, disk and memory

Every measurement is made in a process of its own. Run it on a machine with nothing else to do: the load before and
after is stored with the figures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from fresh import Failed
from made_up import SEED
from suite import FULL, QUICK, Skipped, Suite
from suite_machine import load, machine
from suite_plot import draw
from suite_sheets import about, markdown, sheets

PARTS = ("encode", "calls", "matrix", "open", "size", "rivals")
FULL_RUN = """\
the whole, in full sizes (about an hour on two quiet cores; the keys of the texts are encoded once and kept):

    pip install -c constraints.txt -e ".[fast,plots]" sqlite-vec pysqlite3-binary chromadb lancedb
    pip install mem0ai    # it takes an older protobuf than the constraints allow
    npm install --prefix npm-memory @modelcontextprotocol/server-memory
    python bench/run.py --texts locomo_dev.json beam/ --keys keys.npz --npm npm-memory \\
        --json performance.json --plot performance.svg
    python bench/callers.py --json callers.json
    python bench/callers.py --calls 100000 --callers 50 --json flat.json
    python bench/run.py --markdown performance.json callers.json flat.json --into docs/performance.md
"""
MARKS = ("<!-- measured -->", "<!-- end -->")
"""What stored runs stand between in the page."""


def main() -> int:
    """Measure, print and store; or print a stored run as Markdown. Return 1 if a part failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=FULL_RUN, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,…", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, whose figures mean little")
    parser.add_argument("--rounds", type=int, help="of the rivals' part, which takes most of the time (default: 3)")
    parser.add_argument("--texts", nargs="+", type=Path, default=[], metavar="PATH", help="question sets, for matrix")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="keep the keys of texts there, for a further run")
    parser.add_argument("--npm", type=Path, metavar="FOLDER", help="where the reference MCP server was installed")
    parser.add_argument("--folder", type=Path, help="what is measured lies there (default: the system's temporaries)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the figures there")
    parser.add_argument("--plot", type=Path, nargs="+", default=[], metavar="FILE", help="draw them: .svg or .png")
    parser.add_argument(
        "--markdown", type=Path, nargs="+", metavar="FILE.json", help="measure nothing; print stored runs, callers' too"
    )
    parser.add_argument("--into", type=Path, metavar="PAGE.md", help="put them between that page's marks instead")
    arguments = parser.parse_args()
    if arguments.markdown is not None:
        return page(arguments.markdown, arguments.into)
    sizes = QUICK if arguments.quick else FULL
    sizes = sizes if arguments.rounds is None else replace(sizes, rounds=arguments.rounds)
    with tempfile.TemporaryDirectory(prefix="ntm-suite-", dir=arguments.folder) as folder:
        suite = Suite(
            folder=Path(folder),
            sizes=sizes,
            texts=tuple(arguments.texts),
            keys=arguments.keys,
            npm=arguments.npm,
        )
        figures = measure(suite, arguments.only)
    show(figures)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if arguments.plot:
        draw(figures["parts"], arguments.plot)
    return 1 if figures["failed"] else 0


def measure(suite: Suite, parts: tuple[str, ...]) -> dict[str, Any]:
    """Return the figures of some parts, what was not measured and why, and on what all of it ran."""
    figures: dict[str, Any] = {"machine": machine(), "quick": suite.sizes.memories == QUICK.memories, "seed": SEED}
    figures |= {"parts": {}, "skipped": {}, "failed": [], "seconds": {}}
    for part in parts:
        started = time.monotonic()
        Console(stderr=True).print(f"[dim]{part} …[/]")
        try:
            figures["parts"][part] = importlib.import_module(f"suite_{part}").measure(suite)
        except Skipped as reason:
            figures["skipped"][part] = str(reason)
        except Failed as error:  # the other parts' figures are not lost by it
            figures["skipped"][part] = f"failed: {error}"
            figures["failed"].append(part)
        figures["seconds"][part] = round(time.monotonic() - started, 1)
    return {**figures, "load_after": load()}


def page(files: list[Path], into: Path | None) -> int:
    """Print stored runs as Markdown, or put them between a page's marks; return 1 if it has none."""
    text = "\n".join(_rendered(json.loads(file.read_text(encoding="utf-8"))) for file in files)
    if into is None:
        print(text, end="")
        return 0
    before, begin, rest = into.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        print(f"{into} has no lines {MARKS[0]} and {MARKS[1]}, between which the figures go")
        return 1
    into.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")
    return 0


def _rendered(figures: dict[str, Any]) -> str:
    """Return a stored run of the suite, or of its callers, as Markdown."""
    if "parts" in figures:
        return markdown(figures)
    import callers

    return "\n\n".join([about(figures), *(each.as_markdown() for each in callers.sheets(figures))]) + "\n"


def show(figures: dict[str, Any]) -> None:
    """Print all tables, wide enough that no cell is cut."""
    console = Console(width=max(Console().width, 200))
    console.print(about(figures), markup=False, highlight=False)
    for each in sheets(figures):
        console.print(each.as_table())


def _parts(text: str) -> tuple[str, ...]:
    """Return the parts that a list names, in their own order."""
    named = text.split(",")
    unknown = [name for name in named if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in named)


if __name__ == "__main__":
    raise SystemExit(main())
