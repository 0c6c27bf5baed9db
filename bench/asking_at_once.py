"""What a question costs when several threads ask at once.

    python bench/asking_at_once.py --engine onnx --exports memory/encoders

Each thread asks one question after the other, no question twice, and the encoder is the one that a server would use.
`--engine onnx` runs what `ntm-memory encoder export` has written to the folder.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ntm_memory_skill.encoder import Encoder, EncoderSettings, load_encoder

QUESTION = "What did Anna say about the move to Lisbon in the week of {}?"


def main() -> None:
    """Print a table, or the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["torch", "onnx"], default="torch", help="what runs the model")
    parser.add_argument("--exports", type=Path, help="the folder with exported models")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 8, 32], help="how many ask at once")
    parser.add_argument("--questions", type=int, default=320, help="how many are asked in all (default: 320)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.engine == "torch":
        import torch

        torch.set_num_threads(1)  # as in a server
    encoder = load_encoder(EncoderSettings(engine=arguments.engine, exports=arguments.exports))
    encoder.warm_up()
    rows = [measure(encoder, threads, arguments.questions) for threads in arguments.threads]
    if arguments.json:
        print(json.dumps(rows))
    else:
        Console().print(table(arguments.engine, rows))


def measure(encoder: Encoder, threads: int, questions: int) -> dict[str, Any]:
    """Return questions a second, milliseconds a question as its caller sees them, and processor milliseconds."""
    taken: list[list[float]] = [[] for _ in range(threads)]
    start = threading.Barrier(threads + 1)

    def ask(number: int) -> None:
        start.wait()
        for turn in range(questions // threads):
            text = QUESTION.format(f"{threads} {number} {turn}")
            began = time.perf_counter()
            encoder.unknown_share(text)
            encoder.encode_query(text)
            taken[number].append((time.perf_counter() - began) * 1000)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for each in asking:
        each.start()
    start.wait()
    began, used = time.perf_counter(), time.process_time()
    for each in asking:
        each.join()
    seconds, used = time.perf_counter() - began, time.process_time() - used
    every = [one for each in taken for one in each]
    return {
        "threads": threads,
        "questions_a_second": len(every) / seconds,
        "p50_ms": float(np.percentile(every, 50)),
        "p99_ms": float(np.percentile(every, 99)),
        "processor_ms": 1000 * used / len(every),
    }


def table(engine: str, rows: list[dict[str, Any]]) -> Table:
    """Return the figures as a table."""
    shown = Table("threads", "questions a second", "p50 ms", "p99 ms", "processor ms a question", title=engine)
    for row in rows:
        shown.add_row(str(row["threads"]), *(f"{value:.1f}" for name, value in row.items() if name != "threads"))
    return shown


if __name__ == "__main__":
    main()
