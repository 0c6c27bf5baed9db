"""Question sets over passages, all of which are one memory: those in SQuAD's layout, and those in MuSiQue's.

    SQuAD    {"data": [{"paragraphs": [{context, "qas": [{question}]}]}]}; CMRC 2018 has the same
             Rajpurkar et al. 2016, https://rajpurkar.github.io/SQuAD-explorer
    MuSiQue  a list, or JSON lines: {question, "paragraphs": [{title, paragraph_text, is_supporting}]}; and, if it is
             there, a file <name>_corpus.json beside it with further passages: [{title, text}]
             Trivedi et al. 2022, https://github.com/StonyBrookNLP/musique

Passages have no session and no time: none stands next to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ntm_memory_skill.engine.validation import NAME_LIMIT
from ntm_memory_skill.evaluation.corpus import Corpus, Question, corpus
from ntm_memory_skill.evaluation.shapes import TEXT, WHOLE, Entry, Layout, a_list, an_object, check, clean, json_of

Passage = tuple[str, str]
"""Title and text."""


def _squad(files: Sequence[Entry], file: Path) -> list[Corpus]:
    """Each paragraph a memory; a question's evidence is the paragraph that it was asked of."""
    items: list[Entry] = []
    questions: list[Question] = []
    for paragraph in (each for whole in files for article in whole["data"] for each in article["paragraphs"]):
        content, ref = clean(paragraph["context"]), f"p{len(items)}"
        if not content:
            continue
        items.append({"content": content, "ref": ref})
        texts = (clean(each["question"]) for each in paragraph["qas"])  # one set has a question without a text
        questions.extend(Question(text, frozenset([ref]), WHOLE) for text in texts if text)
    return [corpus(clean(file.stem), items, questions)]


def _musique(asked: Sequence[Entry], file: Path) -> list[Corpus]:
    """Each passage a memory that is named by its title; a question's evidence are its supporting paragraphs."""
    refs = {passage: f"p{number}" for number, passage in enumerate(dict.fromkeys(_passages(asked, file)))}
    questions = []
    for entry in asked:
        evidence = {refs[_passage(each)] for each in entry["paragraphs"] if each["is_supporting"]}
        if evidence and (text := clean(entry["question"])):
            questions.append(Question(text, frozenset(evidence), f"{len(evidence)} passages"))
    items = [{"key": title[:NAME_LIMIT] or None, "content": text, "ref": ref} for (title, text), ref in refs.items()]
    return [corpus(clean(file.stem), items, questions)]


def _passages(asked: Sequence[Entry], file: Path) -> Iterable[Passage]:
    """Yield the passages of the corpus file, if there is one, then those of all questions."""
    beside = file.with_name(f"{file.stem}_corpus.json")
    if beside.is_file():
        given = json_of(beside)
        check(given, a_list(an_object(title=TEXT, text=TEXT)), beside)
        yield from ((clean(each["title"]), clean(each["text"])) for each in given if clean(each["text"]))
    yield from (_passage(each) for entry in asked for each in entry["paragraphs"])


def _passage(paragraph: Entry) -> Passage:
    return clean(paragraph["title"]), clean(paragraph["paragraph_text"])


SQUAD = Layout(
    name="SQuAD",
    shown='{"data": [{"paragraphs": […]}]}',
    marks=frozenset({"data"}),
    schema=an_object(
        data=a_list(an_object(paragraphs=a_list(an_object(context=TEXT, qas=a_list(an_object(question=TEXT))))))
    ),
    read=_squad,
)
MUSIQUE = Layout(
    name="MuSiQue",
    shown='[{"question": …, "paragraphs": […]}]',
    marks=frozenset({"question", "paragraphs"}),
    schema=an_object(
        question=TEXT,
        paragraphs=a_list(
            an_object(title=TEXT, paragraph_text={"type": "string", "minLength": 1}, is_supporting={"type": "boolean"})
        ),
    ),
    read=_musique,
)
