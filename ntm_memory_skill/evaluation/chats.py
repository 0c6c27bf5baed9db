"""Question sets over what people said: LoCoMo, BEAM and MemDaily.

    LoCoMo    a list of conversations: {"conversation": {"session_1": [{speaker, dia_id, text, blip_caption?}],
              "session_1_date_time": "1:56 pm on 8 May, 2023", …}, "qa": [{question, category 1–5, evidence: [dia_id]}]}
              Maharana et al. 2024, https://github.com/snap-research/locomo
    BEAM      a folder a chat, with chat.json: [{"turns": [[{id, role, content, time_anchor?}]]}], and
              probing_questions.json: {kind: [{question, source_chat_ids: ids in any nesting}]}
              Tavakoli et al. 2025, https://github.com/mohammadtavakoli78/BEAM
    MemDaily  a list of people: {"message_list": [{mid, message, time: "2024年04月01日 周一 08:06"}],
              "question_list": [{question, time, target_step_id: [mid]}]}
              Zhang et al. 2024, https://github.com/nuster1128/MemSim

None of the sets says in which zone its times are; UTC is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ntm_memory_skill.evaluation.corpus import Corpus, Question, corpus
from ntm_memory_skill.evaluation.shapes import (
    NUMBER,
    TEXT,
    TEXT_OR_NUMBER,
    WHOLE,
    Entry,
    Layout,
    a_list,
    an_object,
    check,
    clean,
    json_of,
    moment,
)

LOCOMO_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
BEAM_QUESTIONS = "probing_questions.json"

_LOCOMO_TURN = an_object({"blip_caption": {"anyOf": [TEXT, {"const": None}]}}, speaker=TEXT, text=TEXT, dia_id=TEXT)
_LOCOMO_SESSIONS = {r"^session_\d+$": a_list(_LOCOMO_TURN), r"^session_\d+_date_time$": TEXT}


def _locomo(samples: Sequence[Entry], file: Path) -> list[Corpus]:
    return [
        _locomo_chat(sample, clean(str(sample.get("sample_id", number))), file) for number, sample in enumerate(samples)
    ]


def _locomo_chat(sample: Entry, name: str, file: Path) -> Corpus:
    """Each turn a memory, each session a tape; a photo is what its caption says."""
    conversation = sample["conversation"]
    items: list[Entry] = []
    at: datetime | None = None
    for number in sorted(int(found[1]) for key in conversation if (found := re.fullmatch(r"session_(\d+)", key))):
        stated = conversation.get(f"session_{number}_date_time")
        at = at if stated is None else moment(stated, "%I:%M %p on %d %B, %Y", file)
        for turn in conversation[f"session_{number}"]:
            photo = f" [shares a photo: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            content = clean(f"{turn['speaker']}: {turn['text']}{photo}")
            items.append({"content": content, "session": f"session_{number}", "at": at, "ref": turn["dia_id"]})
    questions = [
        Question(text, frozenset(each["evidence"]), LOCOMO_CATEGORIES.get(each["category"], str(each["category"])))
        for each in sample["qa"]
        if each.get("evidence") and (text := clean(each["question"]))
    ]
    return corpus(name, items, questions)


def _beam(batches: Sequence[Entry], file: Path) -> list[Corpus]:
    """Each message a memory, each batch a tape; the questions' sources that are no messages are left out."""
    items = list(_beam_messages(batches, file))
    beside = file.with_name(BEAM_QUESTIONS)
    by_kind = json_of(beside)
    check(by_kind, {"type": "object", "additionalProperties": a_list(an_object(question=TEXT))}, beside)
    known = {item["ref"] for item in items}
    questions = [
        Question(text, evidence, clean(kind))
        for kind, asked in by_kind.items()
        for each in asked
        if (evidence := frozenset(_leaves(each.get("source_chat_ids", []))) & known)
        and (text := clean(each["question"]))
    ]
    return [corpus(clean(file.absolute().parent.name), items, questions)]


def _beam_messages(batches: Sequence[Entry], file: Path) -> Iterator[Entry]:
    """Yield the messages; a date that one of them has holds for those behind it, until there is a later one."""
    at: datetime | None = None
    for number, batch in enumerate(batches):
        for message in (message for turn in batch["turns"] for message in turn):
            if message.get("time_anchor"):
                stated = moment(message["time_anchor"], "%B-%d-%Y", file)
                at = stated if at is None else max(at, stated)
            content = clean(f"{message['role']}: {message['content']}")
            yield {"content": content, "session": f"batch {number}", "at": at, "ref": str(message["id"])}


def _leaves(value: object) -> Iterator[str]:
    """Yield the message ids in nested lists and objects."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    else:
        yield str(value)


def _memdaily(people: Sequence[Entry], file: Path) -> list[Corpus]:
    return [
        _memdaily_person(each, clean(f"person {each.get('tid', number)}"), file) for number, each in enumerate(people)
    ]


def _memdaily_person(person: Entry, name: str, file: Path) -> Corpus:
    """Each message a memory of its own: hours lie between them, and each stands for itself."""
    items = [
        {"content": text, "at": _memdaily_time(each["time"], file), "ref": str(each["mid"])}
        for each in person["message_list"]
        if (text := clean(each["message"]))
    ]
    questions = [
        Question(text, frozenset(map(str, each["target_step_id"])), WHOLE, _memdaily_time(each["time"], file))
        for each in person["question_list"]
        if each["target_step_id"] and (text := clean(each["question"]))
    ]
    # a few messages are listed behind one that was sent later
    return corpus(name, sorted(items, key=lambda item: item["at"]), questions)


def _memdaily_time(text: str, file: Path) -> datetime:
    """Return the time of "2024年04月01日 周一 08:06"; which day of the week it is follows from the date."""
    return moment(re.sub(r"\s+(周|星期)\S\s+", " ", text), "%Y年%m月%d日 %H:%M", file)


LOCOMO = Layout(
    name="LoCoMo",
    shown='[{"conversation": {"session_1": […]}, "qa": […]}]',
    marks=frozenset({"conversation", "qa"}),
    schema=an_object(
        conversation={"type": "object", "patternProperties": _LOCOMO_SESSIONS},
        qa=a_list(an_object({"evidence": a_list(TEXT)}, question=TEXT, category=NUMBER)),
    ),
    read=_locomo,
)
BEAM = Layout(
    name="BEAM",
    shown=f"a folder with chat.json and {BEAM_QUESTIONS}, or one that holds such folders",
    marks=frozenset({"turns"}),
    schema=an_object(
        turns=a_list(
            a_list(
                an_object(
                    {"time_anchor": {"anyOf": [TEXT, {"const": None}]}}, id=TEXT_OR_NUMBER, role=TEXT, content=TEXT
                )
            )
        )
    ),
    read=_beam,
)
MEMDAILY = Layout(
    name="MemDaily",
    shown='[{"message_list": […], "question_list": […]}]',
    marks=frozenset({"message_list", "question_list"}),
    schema=an_object(
        message_list=a_list(an_object(mid=TEXT_OR_NUMBER, message=TEXT, time=TEXT)),
        question_list=a_list(an_object(question=TEXT, time=TEXT, target_step_id=a_list(TEXT_OR_NUMBER))),
    ),
    read=_memdaily,
)
