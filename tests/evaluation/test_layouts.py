"""Reading question sets: what each layout's memories, times, evidence and kinds of questions are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ntm_memory_skill.evaluation import LAYOUTS, Corpus, Dataset, read
from ntm_memory_skill.evaluation.corpus import JUST_AFTER, UNDATED
from tests.evaluation import sets

Asked = list[tuple[str, set[str], str]]


def contents(corpus: Corpus) -> list[tuple[str, str | None]]:
    """Return what a memory's entries say, and their refs."""
    return [(item["content"], item.get("ref")) for item in corpus.items]


def asked(corpus: Corpus) -> Asked:
    """Return the questions of a memory."""
    return [(each.text, set(each.evidence), each.category) for each in corpus.questions]


def utc(*parts: int) -> datetime:
    """Return a moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # the parts are a date and perhaps a time


def sessions(corpus: Corpus) -> dict[str, list[datetime]]:
    """Return the times of each session, in the order of its entries."""
    found: dict[str, list[datetime]] = {}
    for item in corpus.items:
        if item.get("session") is not None and item.get("at") is not None:
            found.setdefault(item["session"], []).append(item["at"])
    return found


class TestEveryLayout:
    """What holds for all of them."""

    @pytest.fixture(params=sets.WRITERS.items(), ids=lambda each: each[0])
    def named(self, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Dataset]:
        """A set, and the layout that it was written in."""
        layout, write = request.param
        return layout, read(write(tmp_path))

    def test_it_is_recognised(self, named: tuple[str, Dataset]) -> None:
        """By its content, not by its name."""
        layout, dataset = named
        assert dataset.layout == layout
        assert dataset.questions == sum(len(corpus.questions) for corpus in dataset.corpora) > 0

    def test_no_time_falls_inside_a_session(self, named: tuple[str, Dataset]) -> None:
        """What was said later does not stand before what was said earlier."""
        for corpus in named[1].corpora:
            assert all(times == sorted(times) for times in sessions(corpus).values())

    def test_now_is_just_after_the_newest_memory(self, named: tuple[str, Dataset]) -> None:
        """So that "last week" in a question means what it meant; without any time it is always the same."""
        for corpus in named[1].corpora:
            times = [item["at"] for item in corpus.items if item.get("at") is not None]
            assert corpus.now == max(times, default=UNDATED) + JUST_AFTER

    def test_refs_are_different_and_questions_have_evidence(self, named: tuple[str, Dataset]) -> None:
        """Else it would not be known what to find."""
        for corpus in named[1].corpora:
            refs = [item["ref"] for item in corpus.items if item.get("ref") is not None]
            assert len(refs) == len(set(refs))
            assert all(each.evidence and each.text.strip() for each in corpus.questions)

    def test_every_layout_has_a_made_up_set(self) -> None:
        """Or it would not be tested."""
        assert {layout.name for layout in LAYOUTS} == sets.WRITERS.keys()


class TestLocomo:
    """Conversations between two people."""

    def test_turns_are_memories_in_the_order_of_their_sessions(self, tmp_path: Path) -> None:
        """With the speaker's name, and the caption of what was shown."""
        dataset = read(sets.WRITERS["LoCoMo"](tmp_path))
        first, second = dataset.corpora
        assert [first.name, second.name] == ["conv-a", "1"]
        assert contents(first) == [
            ("Ines: The kiln is broken.", "D1:1"),
            ("Rui: Look! [shares a photo: a cracked blue bowl]", "D2:1"),
            ("Ines: A pity.", "D2:2"),
        ]
        assert sessions(first) == {
            "session_1": [utc(2025, 5, 30, 13, 56)],
            "session_2": [utc(2025, 6, 3, 0, 5)] * 2,
        }

    def test_questions_without_evidence_are_left_out(self, tmp_path: Path) -> None:
        """Evidence that is not there stays: it counts as not found. Kinds have names, or their number."""
        first, second = read(sets.WRITERS["LoCoMo"](tmp_path)).corpora
        assert asked(first) == [
            ("What is broken?", {"D1:1"}, "single-hop"),
            ("What did they see?", {"D2:1", "D9:9"}, "multi-hop"),
        ]
        assert asked(second) == [("How are things?", {"D1:1"}, "9")]


class TestBeam:
    """Chats with an assistant."""

    def test_messages_are_memories_and_batches_are_sessions(self, tmp_path: Path) -> None:
        """With the role before the text."""
        (corpus,) = read(sets.WRITERS["BEAM"](tmp_path)).corpora
        assert corpus.name == "1"
        assert contents(corpus)[:2] == [("user: Plan my garden.", "0"), ("assistant: Start with soil.", "1")]
        assert [len(times) for times in sessions(corpus).values()] == [4, 2, 1]

    def test_a_date_holds_until_a_later_one(self, tmp_path: Path) -> None:
        """An earlier date behind a later one changes nothing: the chat went on."""
        (corpus,) = read(sets.WRITERS["BEAM"](tmp_path)).corpora
        days = [item["at"].strftime("%d.%m.") for item in corpus.items]
        assert days == ["15.03.", "15.03.", "20.03.", "20.03.", "20.03.", "20.03.", "01.05."]

    def test_evidence_is_every_id_at_any_depth_that_is_a_message(self, tmp_path: Path) -> None:
        """Questions without any are left out."""
        (corpus,) = read(sets.WRITERS["BEAM"](tmp_path)).corpora
        assert asked(corpus) == [
            ("What came first?", {"0", "2", "6"}, "event_ordering"),
            ("Which soil?", {"2", "4"}, "knowledge_update"),
        ]

    def test_a_chat_without_dates_has_no_times(self, tmp_path: Path) -> None:
        """None is made up."""
        batches, questions = sets.beam()
        for batch in batches:
            for message in (message for turn in batch["turns"] for message in turn):
                message.pop("time_anchor", None)
        sets.written(tmp_path / "chat.json", batches)
        sets.written(tmp_path / "probing_questions.json", questions)
        (corpus,) = read(tmp_path).corpora
        assert {item["at"] for item in corpus.items} == {None}

    @pytest.mark.parametrize("given", ["chats", "chats/1", "chats/1/chat.json"])
    def test_all_chats_one_chat_and_its_file_can_be_read(self, given: str, tmp_path: Path) -> None:
        """A folder of folders holds several."""
        sets.written_beam(tmp_path / "chats/1")
        sets.written_beam(tmp_path / "chats/2")
        dataset = read(tmp_path / given)
        assert [corpus.name for corpus in dataset.corpora] == (["1", "2"] if given == "chats" else ["1"])
        assert dataset.name == Path(given).name


class TestMemDaily:
    """Chinese messages of people to themselves."""

    def test_each_person_has_a_memory_of_messages_in_the_order_of_time(self, tmp_path: Path) -> None:
        """Without the place, and without a session: nothing says which messages belong together."""
        first, second = read(sets.WRITERS["MemDaily"](tmp_path)).corpora
        assert [first.name, second.name] == ["person 12", "person 1"]
        assert [(item["ref"], item["at"]) for item in first.items] == [
            ("0", utc(2024, 4, 1, 8, 6)),
            ("2", utc(2024, 4, 2, 7, 15)),
            ("1", utc(2024, 4, 2, 9, 30)),
        ]
        assert not any("海边" in item["content"] or item.get("session") for item in first.items)

    def test_questions_have_the_time_at_which_they_are_asked(self, tmp_path: Path) -> None:
        """Questions about no message are left out."""
        first, _ = read(sets.WRITERS["MemDaily"](tmp_path)).corpora
        assert [(each.evidence, each.asked) for each in first.questions] == [
            (frozenset({"1", "2"}), utc(2024, 4, 3, 10))
        ]


class TestSquad:
    """Passages, each with questions of its own."""

    def test_paragraphs_are_memories_and_answer_their_questions(self, tmp_path: Path) -> None:
        """All in one memory; a question without a text is left out."""
        (corpus,) = read(sets.WRITERS["SQuAD"](tmp_path)).corpora
        refs = {content: str(ref) for content, ref in contents(corpus)}
        assert list(refs) == ["The lighthouse was built in 1871.", "灯塔有三层。", "Its keeper was Amalia."]
        assert [(text, evidence) for text, evidence, _ in asked(corpus)] == [
            ("When was it built?", {refs["The lighthouse was built in 1871."]}),
            ("灯塔有几层？", {refs["灯塔有三层。"]}),
            ("Who kept it?", {refs["Its keeper was Amalia."]}),
            ("Its keeper?", {refs["Its keeper was Amalia."]}),
        ]


class TestMusique:
    """Questions over several passages."""

    def test_passages_of_all_questions_are_one_memory(self, tmp_path: Path) -> None:
        """The same title with the same text is the same passage."""
        (corpus,) = read(sets.WRITERS["MuSiQue"](tmp_path)).corpora
        passages = {(item["key"], item["content"]): item["ref"] for item in corpus.items}
        sea, mayor, tea, wine = (
            ("Port", "The port lies by the sea."),
            ("Mayor", "The mayor of the port is Lu."),
            ("Tea", "Tea grows inland."),
            ("Port", "A sweet wine."),
        )
        assert list(passages) == [sea, mayor, tea, wine]
        assert asked(corpus) == [
            ("Who governs the town by the sea?", {passages[sea], passages[mayor]}, "2 passages"),
            ("What may one drink?", {passages[tea], passages[wine], passages[sea]}, "3 passages"),
        ]

    def test_a_corpus_file_beside_it_adds_passages(self, tmp_path: Path) -> None:
        """Those that are there already are not doubled."""
        file = sets.WRITERS["MuSiQue"](tmp_path)
        sets.written(tmp_path / "musique_corpus.json", sets.musique_corpus())
        (corpus,) = read(file).corpora
        keys = [item["key"] for item in corpus.items]
        assert keys == ["Tea", "Salt", "Port", "Mayor", "Port"]
        refs = {item["content"]: item["ref"] for item in corpus.items}
        assert refs["Tea grows inland."] in corpus.questions[1].evidence

    def test_json_lines_are_read_as_a_list_is(self, tmp_path: Path) -> None:
        """As the set is published."""
        lines = tmp_path / "lines.jsonl"
        lines.write_text("\n\n".join(json.dumps(entry) for entry in sets.musique()) + "\n", encoding="utf-8")
        assert read(lines).corpora[0].questions == read(sets.WRITERS["MuSiQue"](tmp_path)).corpora[0].questions


class TestOwn:
    """Data of one's own."""

    def test_an_object_is_a_memory_with_its_questions(self, tmp_path: Path) -> None:
        """Fields of memorize stay as they are; a question without a kind or a time has none of its own."""
        (corpus,) = read(sets.WRITERS["JSON lines"](tmp_path)).corpora
        assert corpus.name == "flat"
        assert contents(corpus) == [
            ("Rent is 890 a month.", "a"),
            ("It is due on the 3rd.", "b"),
            ("The roof leaks.", None),
        ]
        assert corpus.items[0]["tags"] == ["x"]
        assert corpus.now == utc(2026, 5, 2) + JUST_AFTER
        assert asked(corpus) == [
            ("What is the rent?", {"a"}, "money"),
            ("When is the rent due?", {"a", "b"}, "question"),
        ]
        assert [each.asked for each in corpus.questions] == [None, utc(2026, 6, 1)]

    @pytest.mark.parametrize("form", ["lines", "list"])
    def test_each_line_is_a_memory_of_its_own(self, form: str, tmp_path: Path) -> None:
        """A list of such objects is read alike. Refs are each memory's own."""
        unnamed = {name: value for name, value in sets.own().items() if name != "name"}
        file = tmp_path / "two.jsonl"
        values = [sets.own(), unnamed]
        text = json.dumps(values, indent=1) if form == "list" else "\n".join(map(json.dumps, values))
        file.write_text("\ufeff" + text, encoding="utf-8")
        dataset = read(file)
        assert [corpus.name for corpus in dataset.corpora] == ["flat", "1"]
        assert dataset.questions == 4


def test_characters_that_no_memory_may_hold_become_blanks(tmp_path: Path) -> None:
    """A published set is not refused for a stray control character."""
    data = sets.locomo()
    data[0]["conversation"]["session_1"][0]["text"] = "The\x00 kiln\x1b is\ud800 broken.\x85"
    data[0]["qa"][0]["question"] = "\x07What is broken?"
    file = tmp_path / "odd.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    corpus = read(file).corpora[0]
    assert corpus.items[0]["content"].split() == "Ines: The kiln is broken.".split()
    assert corpus.questions[0].text == "What is broken?"


def test_just_after_is_short() -> None:
    """No relative date in a question means another day for it."""
    assert timedelta(0) < JUST_AFTER < timedelta(hours=1)
