"""What other stores find, and what they take for it, beside ours: the same texts and the same keys, in one run.

    pip install -c constraints.txt sqlite-vec pysqlite3-binary chromadb lancedb    # those that are wanted
    pip install mem0ai    # it takes an older protobuf than the constraints allow
    python bench/rivals.py locomo_dev.json beam/ cmrc2018_trial_squad.json --json rivals.json

Any file or folder that `ntm-memory eval` reads will do. The bundled model encodes every text and every question once;
all stores look the keys up, so that no figure here holds any encoding. How long that takes is printed apart.

Finding: each memory of a set is a store of its own, filled with many texts at once; the score is the mean share of a
question's evidence among the first k hits.

Cost: the memories of the first set in one store. They are added one by one, as an agent does, then questions are asked;
then again into a new store in the way that it offers for many. Every store has a process of its own, begun anew each
time; the stores take turns, and the medians of all rounds are shown. What is imported and built once is in the time to
the first memory, and in no other. The peak of memory is what that process needed above an empty one with the keys in
it. Needs `fork`. Where others are at work on the same cores, set OMP_NUM_THREADS=1: torch and numpy else wait for them.

What each store is, and how it is used, stands in rival_stores.py. What survives a kill is asked by
`bench/durability.py --rivals`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from known_keys import SINGLES, KnownKeys, Report, encode, load, timed
from ntm_memory_skill import Encoder
from ntm_memory_skill.evaluation import Corpus, Dataset, read
from ntm_memory_skill.evaluation.metrics import recall
from rival_stores import Chroma, Finder, FindingRival, Item, LanceDB, Mem0, Ours, SqliteVec, text_of
from rival_tables import DEPTHS, Figures, cost_table, finding_table, times
from witness import Child

SEED = 20141020
PATIENCE = 300.0  # seconds that a store may say nothing
APPENDS = 100


def main() -> None:
    """Print the tables, and write all figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a question set: a file, or BEAM's folder")
    parser.add_argument("--rounds", type=int, default=3, help="of the cost, 0 for none (default: 3)")
    parser.add_argument("--searches", type=int, default=300, help="in each round, at most (default: 300)")
    parser.add_argument(
        "--folder", type=Path, help="where the cost is measured (default: the system's for temporaries)"
    )
    parser.add_argument(
        "--scratch", type=Path, help="where finding is; on a disk in memory it is faster (default: same)"
    )
    parser.add_argument("--keys", type=Path, help="a file to keep the keys in, for a further run with the same texts")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    sets = [read(path) for path in arguments.paths]
    passages, questions = texts(sets)
    keys = keys_of(arguments.keys, passages, questions)
    stores = rivals(keys)
    threads = os.environ.get("OMP_NUM_THREADS")
    figures: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "OMP_NUM_THREADS": threads},
        "seed": SEED,
        "stores": [{"store": each.name, "version": each.version(), "install": each.install} for each in stores],
        "encoding_ms": keys.milliseconds,
    }
    with tempfile.TemporaryDirectory(dir=arguments.scratch or arguments.folder) as folder:
        figures["finding"] = {each.name: finding(stores, each, Path(folder)) for each in sets}
    Console().print(finding_table(stores, sets, figures["finding"]))
    if arguments.rounds > 0:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            items, asked = pooled(sets[0], arguments.searches)
            figures["cost"] = costs(stores, Path(folder), items, asked, arguments.rounds)
            ours = figures["cost"][stores[0].name]
            figures["times_ours"] = {name: times(each, ours) for name, each in figures["cost"].items()}
            figures["machine"]["load_after"] = os.getloadavg()[1]
            figures["cost_of"] = {"set": sets[0].name, "memories": len(items), "searches": len(asked)}
        Console().print(cost_table(stores, figures))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def rivals(encoder: Encoder) -> list[FindingRival]:
    """Return all stores that are compared, ours first."""
    lance = [LanceDB(encoder, tokenizer) for tokenizer in (None, "simple", "icu")]
    return [Ours(encoder), SqliteVec(encoder), Chroma(encoder), *lance, Mem0(encoder)]


def keys_of(file: Path | None, passages: Sequence[str], questions: Sequence[str]) -> KnownKeys:
    """Return the keys of all texts: those of a file, if they are there, else fresh ones, which are put there."""
    keys = None if file is None else load(file, passages, questions)
    if keys is None:
        keys = watch("encoding", len(passages) + len(questions) + SINGLES, encode, passages, questions)
        if not isinstance(keys, KnownKeys):
            raise SystemExit("encoding failed")
        if file is not None:
            keys.save(file)
    return keys


def watch(label: str, total: int, run: Callable[..., None], *arguments: Any) -> Any:
    """Return what a function reports in a process of its own; whole numbers that it reports before are how far it is.

    None if it dies first, or says nothing for too long.
    """
    with Child(run, *arguments) as child, Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=total)
        for said in child.heard(PATIENCE):
            if not isinstance(said, int):
                return said
            shown.update(task, completed=said)
    return None


def texts(sets: Sequence[Dataset]) -> tuple[list[str], list[str]]:
    """Return all texts and all questions, each once."""
    corpora = [corpus for each in sets for corpus in each.corpora]
    passages = dict.fromkeys(text_of(item) for corpus in corpora for item in corpus.items)
    return list(passages), list(dict.fromkeys(asked.text for corpus in corpora for asked in corpus.questions))


def finding(stores: Sequence[FindingRival], dataset: Dataset, folder: Path) -> dict[str, Figures | None]:
    """Return the recall of every installed store on a set, in percent; None for one that failed."""
    found = {}
    for number, rival in enumerate(_installed(stores)):
        label = f"{dataset.name}: {rival.name}"
        scores = watch(label, dataset.questions, find, rival, folder / f"{dataset.name}-{number}", dataset.corpora)
        found[rival.name] = None if scores is None else _recalls(scores)
    return found


def _installed(stores: Sequence[FindingRival]) -> Iterator[FindingRival]:
    return (rival for rival in stores if rival.version() is not None)


def find(report: Report, rival: FindingRival, folder: Path, corpora: Sequence[Corpus]) -> None:
    """Report the share of the evidence found at each depth for each question of some memories."""
    scores = []
    for number, corpus in enumerate(corpora):
        place = folder / str(number)
        place.mkdir(parents=True)
        with closing(rival.open(place)) as store:
            idents = store.add_many(corpus.items)
            refs = {ident: item["ref"] for ident, item in zip(idents, corpus.items, strict=True)}
            for question in corpus.questions:
                found = store.search(question.text, max(DEPTHS), question.asked or corpus.now)
                ranking = [refs[ident] for ident in found]
                scores.append([recall(ranking, question.evidence, depth) for depth in DEPTHS])
                report(len(scores))
        shutil.rmtree(place)
    report(scores)


def _recalls(scores: Sequence[Sequence[float]]) -> Figures:
    return {f"recall@{depth}": 100 * mean(at) for depth, at in zip(DEPTHS, zip(*scores, strict=True), strict=True)}


def pooled(dataset: Dataset, searches: int) -> tuple[list[Item], list[str]]:
    """Return all memories of a set as those of one store, and some of its questions, drawn evenly from all."""
    items: list[Item] = [
        {**item, "ref": f"{corpus.name} {item['ref']}", "session": _joined(corpus.name, item.get("session"))}
        for corpus in dataset.corpora
        for item in corpus.items
    ]
    asked = [question.text for corpus in dataset.corpora for question in corpus.questions]
    return items, random.Random(SEED).sample(asked, min(searches, len(asked)))  # noqa: S311  # repeatable is the point


def _joined(name: str, session: str | None) -> str | None:
    return None if session is None else f"{name} {session}"


def costs(
    stores: Sequence[FindingRival], folder: Path, items: Sequence[Item], asked: Sequence[str], rounds: int
) -> dict[str, Figures | None]:
    """Return what every installed store takes, as medians over all rounds; None for one that failed."""
    measured: dict[str, list[Figures | None]] = {rival.name: [] for rival in _installed(stores)}
    plain = []
    for number in range(rounds):
        plain.append(append_and_fsync(folder / f"{number}.jsonl", items))
        for rival in _installed(stores):
            place = folder / f"{number}-{rival.name}"
            label = f"round {number + 1} of {rounds}: {rival.name}"
            single = watch(label, len(items), add_and_search, rival, place / "single", items, asked)
            many = watch(f"{label}, as many", len(items), add_together, rival, place / "many", items)
            measured[rival.name].append(None if single is None or many is None else {**single, **many})
            shutil.rmtree(place, ignore_errors=True)
    figures = {name: _medians(each) for name, each in measured.items()}
    return {**figures, "append and fsync": {"add_median": median(plain)}}


def add_and_search(
    report: Report, rival: FindingRival, folder: Path, items: Sequence[Item], asked: Sequence[str]
) -> None:
    """Report what a store takes to add memories one by one, and to search among them."""
    folder.mkdir(parents=True)
    before, adding = _peak(), []
    start, store = timed(_begin, rival, folder, items[0])
    with closing(store):
        for number, item in enumerate(items[1:]):
            adding.append(timed(store.add, item)[0])
            report(number)
        store.search(asked[0], max(DEPTHS))  # what is built once is not part of a call
        searching = [timed(store.search, text, max(DEPTHS))[0] for text in asked]
    figures = {
        "start": start,
        "add_mean": mean(adding),
        "add_median": median(adding),
        "add_p95": float(np.percentile(adding, 95)),
        "search_median": median(searching),
        "search_p95": float(np.percentile(searching, 95)),
        "kib_each": _kib(folder) / len(items),
        "peak_mib": (_peak() - before) / 1024,
    }
    report(figures)


def add_together(report: Report, rival: FindingRival, folder: Path, items: Sequence[Item]) -> None:
    """Report what a store takes to add many memories in the way that it offers for many."""
    folder.mkdir(parents=True)
    with closing(_begin(rival, folder, items[0])) as store:
        milliseconds, _ = timed(store.add_many, items[1:])
    report({"add_many": milliseconds / len(items[1:]), "kib_each_many": _kib(folder) / len(items)})


def _begin(rival: FindingRival, folder: Path, item: Item) -> Finder:
    """Begin a store with one memory in it: by then everything has been imported."""
    store = rival.open(folder)
    store.add(item)
    return store


def append_and_fsync(path: Path, items: Sequence[Item]) -> float:
    """Return the median milliseconds of appending a memory as a line to a file, and waiting for the disk."""

    def append(item: Item) -> None:
        file.write(json.dumps({"content": item["content"], "key": "A" * 2048}) + "\n")  # as long as a key in base 64
        file.flush()
        os.fsync(file.fileno())

    with path.open("w", encoding="utf-8") as file:
        return median(timed(append, item)[0] for item in items[:APPENDS])


def _peak() -> int:
    """Return the most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _kib(folder: Path) -> float:
    """Return what a folder takes on the disk, in whole blocks."""
    return sum(path.stat().st_blocks for path in folder.rglob("*")) / 2


def _medians(rounds: Sequence[Figures | None]) -> Figures | None:
    """Return the median of each figure; None if a round failed."""
    whole = [each for each in rounds if each is not None]
    return {name: median(each[name] for each in whole) for name in whole[0]} if len(whole) == len(rounds) else None


if __name__ == "__main__":
    main()
