"""Question sets of every layout, made up here, as the values that their files hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Value = Any
Writer = Callable[[Path], Path]


def locomo() -> Value:
    """Two conversations; in the first, the sessions are not listed in their order, and a turn shares a photo."""
    turn = {"speaker": "Ines", "text": "The kiln is broken.", "dia_id": "D1:1"}
    photo = {"speaker": "Rui", "text": "Look!", "dia_id": "D2:1", "blip_caption": "a cracked blue bowl", "query": "x"}
    first = {
        "speaker_a": "Ines",
        "session_2_date_time": "12:05 am on 3 June, 2025",
        "session_2": [photo, {"speaker": "Ines", "text": "A pity.", "dia_id": "D2:2"}],
        "session_1_date_time": "1:56 pm on 30 May, 2025",
        "session_1": [turn],
        "session_3_date_time": "9:00 am on 4 June, 2025",
    }
    asked = [
        {"question": "What is broken?", "answer": "the kiln", "evidence": ["D1:1"], "category": 4},
        {"question": "What did they see?", "answer": "a bowl", "evidence": ["D2:1", "D9:9"], "category": 1},
        {"question": "Who is the mayor?", "category": 5},
        {"question": "Which colour?", "evidence": [], "category": 7},
    ]
    second = {"session_1_date_time": "8:00 pm on 1 July, 2025", "session_1": [{**turn, "text": "All well."}]}
    return [
        {"sample_id": "conv-a", "conversation": first, "qa": asked},
        {"conversation": second, "qa": [{"question": "How are things?", "evidence": ["D1:1"], "category": 9}]},
    ]


def beam() -> tuple[Value, Value]:
    """A chat, and its questions; the second batch begins with an earlier date than the first ended with."""
    batches = [
        {
            "batch_number": 1,
            "turns": [
                [_message(0, "user", "Plan my garden.", "March-15-2024"), _message(1, "assistant", "Start with soil.")],
                [_message(2, "user", "It is clay.", "March-20-2024"), _message(3, "assistant", "Then add sand.", None)],
            ],
        },
        {
            "batch_number": 2,
            "turns": [[_message(4, "user", "It rained.", "March-18-2024"), _message(5, "user", "Ok.")]],
        },
        {"batch_number": 3, "turns": [[_message(6, "user", "Tulips now.", "May-01-2024")]]},
    ]
    questions = {
        "abstention": [{"question": "Who sold the house?"}],
        "event_ordering": [{"question": "What came first?", "source_chat_ids": [0, [2], {"then": [6], "none": 99}]}],
        "knowledge_update": [{"question": "Which soil?", "source_chat_ids": {"first": [2], "later": [4]}}],
        "summarization": [{"question": "Sum up.", "source_chat_ids": [77]}],
    }
    return batches, questions


def _message(number: int, role: str, content: str, *anchor: str | None) -> Value:
    return {"id": number, "role": role, "content": content, **({"time_anchor": anchor[0]} if anchor else {})}


def memdaily() -> Value:
    """Two people; of the first, two messages are listed in the wrong order."""
    first = [
        _note(0, "我的钥匙在蓝色的碗里。", "2024年04月01日 周一 08:06"),
        _note(1, "明天要去看牙医。", "2024年04月02日 周二 09:30"),
        _note(2, "牙医的门牌号是四十七。", "2024年04月02日 周二 07:15"),
    ]
    asked = {"question": "牙医在几号？", "time": "2024年04月03日 周三 10:00", "target_step_id": [1, 2], "answer": "47"}
    other = {"question": "茶呢？", "time": "2024年05月03日 周五 10:00", "target_step_id": [0]}
    return [
        {"tid": 12, "message_list": first, "question_list": [asked, {**asked, "target_step_id": []}]},
        {"message_list": [_note(0, "茶叶喝完了。", "2024年05月01日 周三 21:00")], "question_list": [other]},
    ]


def _note(number: int, message: str, time: str) -> Value:
    return {"mid": number, "message": message, "time": time, "place": "海边的小镇"}


def squad() -> Value:
    """Three paragraphs in two articles; one question has no text."""
    paragraph = {"context": "The lighthouse was built in 1871.", "qas": [{"question": "When was it built?", "id": "1"}]}
    second = {"context": "灯塔有三层。", "qas": [{"question": "灯塔有几层？"}, {"question": "  "}]}
    third = {"context": "Its keeper was Amalia.", "qas": [{"question": "Who kept it?"}, {"question": "Its keeper?"}]}
    return {"version": "1", "data": [{"title": "a", "paragraphs": [paragraph, second]}, {"paragraphs": [third]}]}


def musique() -> Value:
    """Two questions that share a passage, and one that nothing supports."""
    sea = {"idx": 0, "title": "Port", "paragraph_text": "The port lies by the sea.", "is_supporting": True}
    mayor = {"idx": 1, "title": "Mayor", "paragraph_text": "The mayor of the port is Lu.", "is_supporting": True}
    tea = {"idx": 2, "title": "Tea", "paragraph_text": "Tea grows inland.", "is_supporting": False}
    namesake = {"idx": 3, "title": "Port", "paragraph_text": "A sweet wine.", "is_supporting": True}
    return [
        {"question": "Who governs the town by the sea?", "paragraphs": [sea, mayor, tea]},
        {
            "question": "What may one drink?",
            "paragraphs": [{**tea, "is_supporting": True}, namesake, {**sea, "idx": 9}],
        },
        {"question": "Who knows?", "paragraphs": [tea]},
    ]


def musique_corpus() -> Value:
    """Passages beside those of the questions, one of them the same."""
    return [{"title": "Tea", "text": "Tea grows inland."}, {"title": "Salt", "text": "Salt comes from the flats."}]


def own() -> Value:
    """One memory of somebody's own."""
    memories = [
        {
            "content": "Rent is 890 a month.",
            "ref": "a",
            "session": "May",
            "at": "2026-05-01T09:00:00+02:00",
            "tags": ["x"],
        },
        {"content": "It is due on the 3rd.", "ref": "b", "session": "May", "at": "2026-05-01T09:01:00+02:00"},
        {"content": "The roof leaks.", "at": "2026-05-02"},
    ]
    asked = [
        {"question": "What is the rent?", "gold": ["a"], "category": "money"},
        {"question": "When is the rent due?", "gold": ["a", "b"], "asked": "2026-06-01"},
    ]
    return {"name": "flat", "memories": memories, "questions": asked}


def written(path: Path, value: Value) -> Path:
    """Return a file that holds a value as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def written_beam(folder: Path) -> Path:
    """Return a folder that holds a chat and its questions."""
    batches, questions = beam()
    written(folder / "chat.json", batches)
    written(folder / "probing_questions.json", questions)
    return folder


WRITERS: dict[str, Writer] = {
    "LoCoMo": lambda folder: written(folder / "locomo.json", locomo()),
    "BEAM": lambda folder: written_beam(folder / "chats" / "1").parent,
    "MemDaily": lambda folder: written(folder / "memdaily.json", memdaily()),
    "SQuAD": lambda folder: written(folder / "squad.json", squad()),
    "MuSiQue": lambda folder: written(folder / "musique.json", musique()),
    "JSON lines": lambda folder: written(folder / "own.jsonl", own()),
}
"""By the layout's name: writes a set into a folder, and returns what to read."""
