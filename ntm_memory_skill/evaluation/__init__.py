"""How much the memory finds of what it should: question sets in, figures with their intervals out.

dataset = read(Path("questions.jsonl"))                       layouts
measured = measure(dataset, rows, encoder, depth=10)          rows, run
print(figures(measured).rows[0].overall.metrics["recall@10"]) metrics, statistics, figures
"""

from ntm_memory_skill.evaluation.corpus import Corpus, Dataset, Question
from ntm_memory_skill.evaluation.figures import SetFigures, figures, searched
from ntm_memory_skill.evaluation.layouts import LAYOUTS, parse, read
from ntm_memory_skill.evaluation.own import LONGEST
from ntm_memory_skill.evaluation.remembering import RememberingEncoder
from ntm_memory_skill.evaluation.rows import Row, rows_for
from ntm_memory_skill.evaluation.run import Measured, measure, sample

__all__ = [
    "LAYOUTS",
    "LONGEST",
    "Corpus",
    "Dataset",
    "Measured",
    "Question",
    "RememberingEncoder",
    "Row",
    "SetFigures",
    "figures",
    "measure",
    "parse",
    "read",
    "rows_for",
    "sample",
    "searched",
]
