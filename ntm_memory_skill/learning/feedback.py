"""What a memory can learn from its own use: what it was asked, and which of its answers turned out to be of use.

The law: only what can still be found is a target. A memory that was superseded stands for the one that took its place;
from one that was erased, nothing is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from ntm_memory_skill.engine.live import check_encoder
from ntm_memory_skill.evaluation import Corpus, Dataset, Question, RememberingEncoder
from ntm_memory_skill.evaluation.corpus import corpus
from ntm_memory_skill.model import Record, indexed_text
from ntm_memory_skill.store import Store

FEEDBACK = "this memory's feedback"
"""What the kind is called."""
ROOM = 10_000_000
"""Questions times memories at most: half a gigabyte in training. 1,000 questions of 10,000 memories."""


def feedback_set(store: Store) -> Dataset:
    """Return what a memory holds, and the questions that were asked of it with what answers them, as a question set.

    Memories are named by their ids; a question that was asked several times is one question, with all that was of use.
    Of a large memory, only the newest questions are taken, as many as `ROOM` is for.
    """
    records = store.state.records
    answers: dict[str, set[str]] = {}
    asked: dict[str, datetime] = {}
    for each in store.feedback():
        target = None if each.how == "erase" else _successor(each.used, records)
        if target is not None:
            answers.setdefault(each.query, set()).add(target)
            asked.pop(each.query, None)  # the question that was asked last comes last
            asked[each.query] = each.at
    questions = [Question(text, frozenset(answers[text]), FEEDBACK, at) for text, at in asked.items()]
    most = max(1, ROOM // max(1, len(records)))
    return Dataset(FEEDBACK, FEEDBACK, (_corpus(records, questions[-most:]),))


def take_keys(encoder: RememberingEncoder, store: Store) -> None:
    """Give an encoder the keys that a memory of its own keeps, so that its texts need not be encoded anew.

    Raises:
        EncoderMismatch: They are another encoder's.
    """
    if store.encoder is None:
        return
    check_encoder(store.encoder, encoder.identity)
    rows = store.key_rows()
    texts = [indexed_text(record.key, record.content) for record in store.state.records.values()]
    places = {text: rows.position(store.encoder.digest(text)) for text in texts}
    kept = {text: rows.keys[place] for text, place in places.items() if place is not None}
    if kept:
        encoder.take(list(kept), np.stack(list(kept.values())))


def _successor(ident: str, records: Mapping[str, Record]) -> str | None:
    """Return the id of the live memory that a memory is, or was superseded by; None where it has been erased."""
    record = records.get(ident)
    while record is not None and record.superseded_by is not None:
        record = records.get(record.superseded_by)
    return None if record is None else record.id


def _corpus(records: Mapping[str, Record], questions: list[Question]) -> Corpus:
    seen = sorted((each for each in records.values() if each.superseded_by is None), key=lambda each: each.ordinal)
    items = [
        {"content": each.content, "key": each.key, "session": each.session, "at": each.at, "ref": each.id}
        for each in seen
    ]
    return corpus(FEEDBACK, items, questions)
