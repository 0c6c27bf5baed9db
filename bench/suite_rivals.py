"""The part `rivals`: what other stores take for adding, finding and keeping a memory, beside ours, in the same run.

All are given the same made-up sentences and look their keys up, so that no figure holds any encoding; how each is used
stands in rival_stores.py, how it is measured in rivals.py. The reference MCP memory server keeps no keys: it looks for
a word, over MCP, and is asked for one that a single memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from footprint import mib_of
from known_keys import Report, timed
from made_up import SEED, items, sentences
from rival_durability import McpMemory
from rival_stores import Chroma, FindingRival, Item, LanceDB, Mem0, Ours, Rival, SqliteVec
from rival_tables import Figures, times
from rivals import costs, keys_of, watch
from suite import LATER, Suite


def measure(suite: Suite) -> dict[str, Any]:
    """Return what each store that is installed takes, by size."""
    sizes = suite.sizes
    largest = items(max(sizes.rivals))
    questions = list(islice(sentences(SEED + LATER), sizes.searches))
    keys = keys_of(_beside(suite.keys), [item["content"] for item in largest], questions)
    keys.array_library = "numpy"  # as with the exported model: what runs the model then brings no torch along
    stores: list[FindingRival] = [Ours(keys), SqliteVec(keys), Chroma(keys), LanceDB(keys, None), Mem0(keys)]
    reference = McpMemory(suite.npm)
    rows = []
    for count in sizes.rivals:
        place = suite.folder / f"rivals-{count}"
        place.mkdir()
        found = costs(stores, place, largest[:count], questions, sizes.rounds)
        if reference.version() is not None:
            found[reference.name] = _reference(suite, reference, place, largest[:count])
        ours = found[stores[0].name]
        ratios = {name: times(each, ours) for name, each in found.items()}
        rows.append({"memories": count, "cost": found, "times_ours": ratios})
    known: list[Rival] = [*stores, reference]
    return {
        "seed": SEED,
        "rounds": sizes.rounds,
        "searches": sizes.searches,
        "versions": {each.name: each.version() for each in known},
        "install": {each.name: each.install for each in known if each.version() is None},
        "rows": rows,
    }


def _beside(file: Path | None) -> Path | None:
    """Return the file for the keys of made-up sentences: another than that for real texts."""
    return None if file is None else file.with_name(f"{file.stem}-made-up{file.suffix}")


def _reference(suite: Suite, server: McpMemory, place: Path, given: Sequence[Item]) -> Figures | None:
    """Return the medians of some rounds with the reference server; None if one failed."""
    rounds: list[Figures] = []
    for number in range(suite.sizes.rounds):
        label = f"round {number + 1} of {suite.sizes.rounds}: {server.name}"
        said = watch(label, len(given), _with_reference, server, place / f"{number}-mcp", given, suite.sizes.searches)
        if said is None:
            return None
        rounds.append(said)
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _with_reference(report: Report, server: McpMemory, folder: Path, given: Sequence[Item], searches: int) -> None:
    """Report what the reference server takes to add memories one by one, and to look for words among them."""
    folder.mkdir(parents=True)
    adding: list[float] = []
    start, store = timed(_begin, server, folder, given[0])
    with closing(store):
        for number, item in enumerate(given[1:]):
            adding.append(timed(store.add, item)[0])
            report(number)
        drawn = np.random.default_rng(SEED).integers(len(given), size=searches)
        searching = [timed(store.looked_up, _word(given[row]["content"]))[0] for row in drawn]
        peak = mib_of(store.process)["peak"]
    size = sum(path.stat().st_blocks for path in folder.rglob("*")) / 2
    report(
        {
            "start": start,
            "add_mean": mean(adding),
            "add_median": median(adding),
            "add_p95": float(np.percentile(adding, 95)),
            "search_median": median(searching),
            "search_p95": float(np.percentile(searching, 95)),
            "kib_each": size / len(given),
            "peak_mib": peak,
        }
    )


def _begin(server: McpMemory, folder: Path, item: Item) -> Any:
    store = server.open(folder)
    store.add(item)
    return store


def _word(content: str) -> str:
    """Return the price in a made-up sentence, which hardly another one has."""
    found = re.search(r"\d+ crowns", content)
    return content if found is None else found[0]
