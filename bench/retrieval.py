"""How much of the evidence for a question the memory finds, by stage of addressing, on data that you have.

    python bench/retrieval.py locomo_dev.json cmrc2018_trial_squad.json beam/

Three layouts are read: LoCoMo (each turn a memory, one session one tape; questions with evidence turns), SQuAD (each
paragraph a memory; questions with their paragraph) and BEAM (a folder of chats with an assistant; each message a
memory, one batch one tape). The score is the mean share of a question's evidence among the first k hits. All rows
share one encoder and run through the product's own search, with its default settings except for what the row says:

    cosine      meaning alone: what a vector memory does
    bm25        words alone
    both        the content key: meaning and words, no shift
    full        the default: content, gate, shift, sharpening
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness import RememberingEncoder
from ntm_memory_skill import AddressingSettings, NTMMemoryManager, SentenceEncoder, Settings
from ntm_memory_skill.store import MemoryStore

DEPTHS = (1, 5, 10, 20)
ROWS = {
    "cosine": AddressingSettings(lexical_share=0.0, unknown_tolerance=math.inf, location=False),
    "bm25": AddressingSettings(lexical_share=1.0, location=False),
    "both": AddressingSettings(location=False),
    "full": AddressingSettings(),
}
LONGEST = 1_000_000  # characters: a few messages in BEAM are far longer than a memory may be by default
LOCOMO_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}


@dataclass(frozen=True)
class Question:
    """A question and the refs of the memories that answer it."""

    text: str
    evidence: frozenset[str]
    category: str


@dataclass(frozen=True)
class Corpus:
    """One memory's worth of data."""

    items: list[dict[str, Any]]
    questions: list[Question]


def main() -> None:
    """Print a table for each file, and write all figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a LoCoMo or SQuAD file, or a BEAM folder")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    encoder = RememberingEncoder(SentenceEncoder())
    figures = {path.name: measure(list(corpora(path)), encoder, path.name) for path in arguments.paths}
    for name, by_row in figures.items():
        Console().print(table(name, by_row))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def corpora(path: Path) -> Iterator[Corpus]:
    """Yield the memories of a file or folder, whichever layout it has."""
    if path.is_dir():
        yield from (_beam(chat) for chat in sorted(path.glob("*/chat.json")))
        return
    data = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(data, list) and "conversation" in data[0]:
        yield from map(_locomo, data)
    elif isinstance(data, dict) and "data" in data:
        yield _squad(data["data"])
    else:
        raise SystemExit(f"{path} has neither LoCoMo's layout nor SQuAD's")


def _locomo(sample: dict[str, Any]) -> Corpus:
    conversation, items = sample["conversation"], []
    numbers = sorted(int(found[1]) for key in conversation if (found := re.fullmatch(r"session_(\d+)", key)))
    for number in numbers:
        at = _locomo_time(conversation[f"session_{number}_date_time"])
        for turn in conversation[f"session_{number}"]:
            photo = f" [shares a photo: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            content = f"{turn['speaker']}: {turn['text']}{photo}"
            items.append({"content": content, "session": f"session_{number}", "at": at, "ref": turn["dia_id"]})
    questions = [
        Question(each["question"], frozenset(each["evidence"]), LOCOMO_CATEGORIES[each["category"]])
        for each in sample["qa"]
        if each.get("evidence")
    ]
    return Corpus(items, questions)


def _locomo_time(text: str) -> datetime:
    """Return the time of "1:56 pm on 8 May, 2023"."""
    return datetime.strptime(text, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)


def _squad(articles: list[dict[str, Any]]) -> Corpus:
    items: list[dict[str, Any]] = []
    questions: list[Question] = []
    for article in articles:
        for paragraph in article["paragraphs"]:
            ref = f"p{len(items)}"
            items.append({"content": paragraph["context"], "ref": ref})
            questions.extend(
                Question(each["question"], frozenset([ref]), "paragraph")
                for each in paragraph["qas"]
                if each["question"].strip()  # one set has a question without a text
            )
    return Corpus(items, questions)


def _beam(path: Path) -> Corpus:
    items: list[dict[str, Any]] = []
    for number, batch in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        for message in (message for turn in batch["turns"] for message in turn):
            content = f"{message['role']}: {message['content']}"
            items.append({"content": content, "session": f"batch {number}", "ref": str(message["id"])})
    by_kind = json.loads(path.with_name("probing_questions.json").read_text(encoding="utf-8"))
    known = {item["ref"] for item in items}
    questions = [
        Question(each["question"], evidence, kind)
        for kind, asked in by_kind.items()
        for each in asked
        if (evidence := frozenset(_leaves(each.get("source_chat_ids", []))) & known)
    ]
    return Corpus(items, questions)


def _leaves(value: object) -> Iterator[str]:
    """Yield the message ids in nested lists and objects."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    else:
        yield str(value)


Figures = dict[str, dict[str, dict[str, float]]]
"""Row to category to figure: "recall@k" and "any@k" in percent, and "questions"."""


def measure(memories: list[Corpus], encoder: RememberingEncoder, label: str) -> Figures:
    """Return the figures of every row over all memories of a file."""
    scores: dict[str, dict[str, list[list[float]]]] = {row: defaultdict(list) for row in ROWS}
    for corpus in track(memories, description=label, transient=True):
        store = MemoryStore()
        with NTMMemoryManager(store, encoder, Settings(content_limit=LONGEST)) as writer:
            writer.memorize_many(corpus.items, progress=False)
        for row, addressing in ROWS.items():
            with NTMMemoryManager(store, encoder, Settings(addressing=addressing)) as memory:
                for question in corpus.questions:
                    scored = _score(memory, question)
                    scores[row][question.category].append(scored)
                    scores[row]["all"].append(scored)
    return {row: {name: _mean(values) for name, values in by_name.items()} for row, by_name in scores.items()}


def _score(memory: NTMMemoryManager, question: Question) -> list[float]:
    """Return the share of the evidence among the first k hits for each depth, then whether there is any at all."""
    refs = [hit.ref for hit in memory.search(question.text, top_k=max(DEPTHS))]
    found = [len(question.evidence.intersection(refs[:depth])) for depth in DEPTHS]
    return [number / len(question.evidence) for number in found] + [float(number > 0) for number in found]


def _mean(values: list[list[float]]) -> dict[str, float]:
    names = [f"{kind}@{depth}" for kind in ("recall", "any") for depth in DEPTHS]
    means = [100 * sum(column) / len(values) for column in zip(*values, strict=True)]
    return {**dict(zip(names, means, strict=True)), "questions": len(values)}


def table(name: str, figures: Figures) -> Table:
    """Return a table of one file: a block a category, a line a row."""
    columns = [f"{kind}@{depth}" for kind in ("recall", "any") for depth in DEPTHS]
    shown = Table("category", "n", "addressing", *columns, title=f"{name}: evidence found, %")
    categories = sorted(figures["full"], key=lambda each: (each != "all", each))
    for category in categories if len(categories) > 2 else ["all"]:
        for row, by_category in figures.items():
            values = by_category[category]
            cells = [f"{values[column]:.1f}" for column in columns]
            shown.add_row(category, str(values["questions"]), row, *cells, end_section=row == "full")
    return shown


if __name__ == "__main__":
    main()
