"""What the five tools do, whatever way a call comes in by. `test_verbs.py` runs this over each of them."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from ntm_memory_skill.tools import TOOLS
from tests.hosts.transports import Arguments, Envelope, Transport
from tests.tools import calls

NOTES: list[dict[str, Any]] = [
    {"content": "The launch moved to 9 May", "session": "standup", "type": "plan", "tags": ["work", "dates"]},
    {"content": "Ines keeps the spare key in a blue teapot", "session": "home", "key": "spare key"},
    {"content": "外婆的生日是三月十二号，她最爱吃桂花糕", "session": "家里", "tags": ["家人"], "key": "外婆的生日"},
    {"content": "Budget for the garden: 4300 euros", "session": "standup", "tags": ["work"], "importance": 0.9},
    {"content": "The dentist's door code is 4471", "at": "2025-02-03T09:30:00+01:00", "source": "Marta", "ref": "n5"},
    {"content": "周五下午三点和老王在西站见面", "session": "家里", "at": "2025-06-01", "type": "plan"},
]

QUESTIONS = {
    "which day is the launch?": 0,
    "blue teapot": 1,
    "外婆生日是哪天？": 2,
    "garden budget in euros": 3,
    "what is the dentist's code": 4,
    "周五下午和老王在哪里见面": 5,
}
"""Which note answers what."""

FILTERED: list[tuple[dict[str, Any], set[int]]] = [
    ({"session": "standup"}, {0, 3}),
    ({"session": "家里"}, {2, 5}),
    ({"session": "no such chat"}, set()),
    ({"tags": ["work"]}, {0, 3}),
    ({"tags": ["work", "dates"]}, {0}),
    ({"tags": ["家人"]}, {2}),
    ({"type": "plan"}, {0, 5}),
    ({"type": "plan", "session": "standup"}, {0}),
    ({"until": "2025-12-31"}, {4, 5}),
    ({"since": "2025-03-01", "until": "2025-12-31"}, {5}),
]
"""Which notes pass which filters."""

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("memorize", {"content": "  "}, "invalid_content"),
    ("memorize", {"content": "x" * 32_769}, "invalid_content"),
    ("memorize", {"content": "x", "importance": 1.5}, "invalid_argument"),
    ("memorize", {"content": "x", "at": "tomorrow"}, "invalid_argument"),
    ("memorize", {"content": "x", "supersedes": "nobody"}, "unknown_memory"),
    ("memorize", {"content": "x", "valid_until": "soon"}, "invalid_argument"),
    ("memorize", {"content": "x", "at": "2025-01-02", "valid_until": "2025-01-01"}, "invalid_argument"),
    ("recall", {}, "invalid_argument"),
    ("recall", {"query": "x", "budget": 0}, "invalid_argument"),
    ("recall", {"query": "x", "context": -1}, "invalid_argument"),
    ("search", {"query": ""}, "invalid_content"),
    ("search", {"query": "x", "top_k": 0}, "invalid_argument"),
    ("search", {"query": "x", "context": 11}, "invalid_argument"),
    ("search", {"query": "x", "filters": {"since": "soon"}}, "invalid_argument"),
    ("update", {"id": "nobody", "content": "x"}, "unknown_memory"),
    ("update", {"id": "nobody"}, "invalid_argument"),
    ("update", {"id": "nobody", "pinned": True}, "unknown_memory"),
    ("erase", {}, "invalid_argument"),
    ("erase", {"ids": ["nobody"]}, "unknown_memory"),
    ("erase", {"ids": ["nobody"], "query": "x"}, "invalid_argument"),
]
"""Calls that better arguments would have prevented, and the code that each is refused with."""

MISTYPED: list[tuple[str, dict[str, Any]]] = [
    ("memorize", {"content": "x", "force": "yes"}),
    ("memorize", {"content": "x", "pinned": 1}),
    ("memorize", {"content": "kept", "force": 0}),
    ("recall", {"query": "x", "mode": "fuzzy"}),
    ("recall", {"query": "x", "include_forgotten": "all"}),
    ("search", {"query": "x", "mode": "fuzzy"}),
    ("search", {"query": "x", "filters": {"include_superseded": 1}}),
    ("update", {"id": "nobody", "pinned": "true"}),
]
"""Calls with a value that is none of those that there are: invalid arguments, or where options have types, usage."""

AGAIN = [
    ("Milk is in the lower drawer", "milk is in the lower drawer!", "Just so you know, milk is in the lower drawer"),
    ("外婆家的钥匙在花盆下面", "外婆家的钥匙在花盆下面。", "对了，外婆家的钥匙在花盆下面"),
]
"""A text; the same said again; and the same with something around it."""

SUCCESSIONS = [
    ("My dentist is Dr. Wu", "My dentist is Dr. Kim"),
    ("我的手机号是13800000000", "我的手机号是13900000000"),
]
"""A value, and the one that later takes its place."""


def stored(transport: Transport, **arguments: Any) -> str:
    """Memorize, and return the id."""
    envelope = transport.call("memorize", arguments)
    assert envelope["ok"], envelope
    return str(envelope["id"])


def found(transport: Transport, query: str, **filters: Any) -> list[dict[str, Any]]:
    """Search with filters, for more than there is."""
    envelope = transport.call("search", {"query": query, "top_k": 50, **({"filters": filters} if filters else {})})
    assert envelope["ok"], envelope
    hits: list[dict[str, Any]] = envelope["hits"]
    return hits


def ids(hits: list[dict[str, Any]]) -> set[str]:
    """Return which memories were found."""
    return {hit["id"] for hit in hits}


def error_code(envelope: Envelope) -> str:
    """Return the code of a failure that has the form of one."""
    assert envelope.keys() == {"ok", "error"}
    assert envelope["ok"] is False
    assert envelope["error"].keys() == {"code", "message", "hint"}
    assert all(isinstance(value, str) and value for value in envelope["error"].values())
    return str(envelope["error"]["code"])


class VerbsSuite:
    """A subclass gives the fixture `transport`, over an empty memory."""

    @pytest.fixture
    def transport(self) -> Transport:
        """The transport under test."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def published(self, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every answer has to fit the output schema of its tool, whichever test asked for it."""
        call = transport.call

        def checked(tool: str, arguments: Arguments) -> Envelope:
            return calls.conforming(tool, call(tool, arguments))

        monkeypatch.setattr(transport, "call", checked)

    def test_a_memory_lives_from_memorize_to_erase(self, transport: Transport) -> None:
        """Found, recalled, updated, seen as it was, erased, and gone."""
        old, new = "Rehearsal starts at seven on Tuesdays", "Rehearsal starts at half past eight on Tuesdays"
        ident = stored(transport, content=old, session="choir")
        (hit,) = found(transport, "when does rehearsal start?")
        assert (hit["id"], hit["content"], hit["session"]) == (ident, old, "choir")
        assert ids(transport.call("recall", {"query": "rehearsal"})["memories"]) == {ident}

        updated = transport.call("update", {"id": ident, "content": new, "reason": "new conductor"})
        assert (updated["memory"]["content"], updated["previous"], updated["version"]) == (new, old, 2)
        assert found(transport, "rehearsal")[0]["content"] == new
        assert found(transport, "rehearsal", as_of=hit["when"])[0]["content"] == old

        receipt = transport.call("erase", {"ids": [ident]})["receipt"]
        assert (receipt["action"], receipt["count"], receipt["ids"]) == ("erased", 1, [ident])
        assert found(transport, "rehearsal") == []
        assert transport.call("recall", {"query": "rehearsal"})["memories"] == []
        assert error_code(transport.call("update", {"id": ident, "content": new})) == "unknown_memory"

    def test_a_restart_finds_all_as_it_was(self, transport: Transport) -> None:
        """Every field in both languages, old versions too; what was erased stays away."""
        idents = [stored(transport, **note) for note in NOTES]
        erased = stored(transport, content="a passing remark")
        transport.call("erase", {"ids": [erased]})
        before = ids(found(transport, "everything"))
        transport.call("update", {"id": idents[4], "content": "The dentist's door code is 9035"})
        transport.restart()
        hits = {hit["id"]: hit for hit in found(transport, "everything")}
        assert set(hits) == set(idents) == before
        for ident, note in zip(idents, NOTES, strict=True):
            shown = {name: value for name, value in hits[ident].items() if name not in ("score", "why", "id", "when")}
            expected = {"importance": 0.5, "type": "note", **note}
            if ident == idents[4]:
                expected["content"] = "The dentist's door code is 9035"
            moment = expected.pop("at", None)
            assert shown == expected
            assert moment is None or hits[ident]["when"].startswith(moment)
        (past,) = found(transport, "door code", as_of="2025-02-04")
        assert (past["id"], past["content"]) == (idents[4], NOTES[4]["content"])

    def test_the_answer_comes_first(self, transport: Transport) -> None:
        """Among memories in English and Chinese."""
        idents = [stored(transport, **note) for note in NOTES]
        for question, place in QUESTIONS.items():
            first, *rest = found(transport, question)
            assert (question, first["id"]) == (question, idents[place])
            assert first["content"] == NOTES[place]["content"]
            assert all(first["score"] > hit["score"] for hit in rest)

    def test_filters_are_hard(self, transport: Transport) -> None:
        """Exactly the memories that meet all of them come back, whatever the question."""
        idents = [stored(transport, **note) for note in NOTES]
        for filters, places in FILTERED:
            assert (filters, ids(found(transport, "launch 外婆", **filters))) == (filters, {idents[n] for n in places})

    def test_top_k_bounds_the_hits(self, transport: Transport) -> None:
        """Five by default."""
        for note in NOTES:
            stored(transport, **note)
        assert len(transport.call("search", {"query": "the", "top_k": 2})["hits"]) == 2
        assert len(transport.call("search", {"query": "the"})["hits"]) == 5

    def test_recall_keeps_to_its_budget(self, transport: Transport) -> None:
        """What does not fit is counted; a memory recalled by its key comes first."""
        idents = [stored(transport, **note) for note in NOTES]
        recalled = transport.call("recall", {"query": "the launch", "budget": 60})
        texts = [memory["content"] for memory in recalled["memories"]]
        assert sum(map(len, texts)) == recalled["characters"] <= 60
        assert len(texts) + recalled["omitted"] == len(NOTES)
        named = transport.call("recall", {"key": "外婆的生日", "query": "launch"})["memories"]
        assert named[0]["id"] == idents[2]

    def test_explain_adds_the_weights_of_every_stage(self, transport: Transport) -> None:
        """And only explain does."""
        for text in ("a", "b"):
            stored(transport, content=text)
        plain = transport.call("search", {"query": "a"})["hits"]
        explained = transport.call("search", {"query": "a", "explain": True})["hits"]
        assert [hit["id"] for hit in explained] == [hit["id"] for hit in plain]
        assert all("trace" not in hit for hit in plain)
        for stage in ("content", "gated", "shifted", "sharpened"):
            assert sum(hit["trace"]["stages"][stage] for hit in explained) == pytest.approx(1, abs=1e-5)

    def test_a_hit_comes_with_what_was_said_around_it(self, transport: Transport) -> None:
        """As many places each way as were asked for, in both languages; without the argument, there are none."""
        talk = ["Who feeds the cat?", "邻居家的小林会来喂猫", "She has a key", "Every morning at seven"]
        idents = [
            stored(transport, content=line, session="cat", at=f"2025-03-0{day}") for day, line in enumerate(talk, 1)
        ]
        stored(transport, content="The gutter is full of leaves", session="roof", at="2025-03-02")
        (hit,) = transport.call("search", {"query": talk[1], "top_k": 1, "context": 2})["hits"]
        around = [(each["offset"], each["id"], each["content"]) for each in hit["context"]]
        assert hit["id"] == idents[1]
        assert around == [(place - 1, idents[place], talk[place]) for place in (0, 2, 3)]
        assert "context" not in found(transport, talk[1])[0]
        recalled = transport.call("recall", {"query": talk[1], "budget": 60, "context": 1})
        texts = [part["content"] for memory in recalled["memories"] for part in (memory, *memory["context"])]
        assert len("".join(texts)) == recalled["characters"] <= 60

    def test_a_replaced_memory_is_found_as_of_its_time_alone(self, transport: Transport) -> None:
        """Superseding hides it from the present."""
        old = stored(transport, content="The parcel is at the post office", at="2025-01-01")
        new = stored(transport, content="The parcel is at home", at="2025-01-05", supersedes=old)
        assert ids(found(transport, "parcel")) == {new}
        assert old in ids(found(transport, "parcel", as_of="2025-01-02"))

    def test_the_same_text_twice_is_kept_twice_where_that_is_asked_for_and_said(self, transport: Transport) -> None:
        """The memory never throws away on its own."""
        first = stored(transport, content="Milk is in the lower drawer")
        again = transport.call("memorize", {"content": "Milk is in the lower drawer", "force": True})
        assert again["stored"] == "new"
        assert [(each["id"], each["action"]) for each in again["duplicates"]] == [(first, "both kept")]
        assert ids(found(transport, "milk")) == {first, again["id"]}

    def test_what_is_said_again_is_counted_and_said(self, transport: Transport) -> None:
        """In both languages; a text that differs is kept, and given where it is asked for. A restart counts no less."""
        for text, again, around in AGAIN:
            first = stored(transport, content=text)
            for said, done in ((again, "counted"), (around, "merged")):
                answer = transport.call("memorize", {"content": said})
                assert (said, answer["stored"], answer["id"]) == (said, done, first)
                assert [(each["id"], each["action"]) for each in answer["duplicates"]] == [(first, done)]
            assert around not in [hit["content"] for hit in found(transport, text)]
            kept = {hit["content"]: hit for hit in found(transport, text, include_forgotten=True)}
            assert kept[around]["forgotten_because"]
        transport.restart()
        hits = {hit["content"]: hit for hit in found(transport, "milk 外婆")}
        assert {(text, hits[text]["said"]) for text, _, _ in AGAIN} == {(text, 3) for text, _, _ in AGAIN}
        assert not hits.keys() & {around for _, _, around in AGAIN}

    def test_what_a_memory_changes_is_told_and_found_where_it_is_asked_for(self, transport: Transport) -> None:
        """In both languages; recall is asked as search is."""
        for old, new in SUCCESSIONS:
            first = stored(transport, content=old, at="2025-01-01")
            answer = transport.call("memorize", {"content": new, "at": "2025-06-01"})
            (change,) = answer["superseded"]
            assert (change["id"], change["by"]) == (first, answer["id"])
            assert change["reason"]
            assert first not in ids(found(transport, old))
            assert first in ids(found(transport, old, as_of="2025-03-01"))
            hits = {hit["id"]: hit for hit in found(transport, old, include_superseded=True)}
            assert hits[first]["superseded_by"] == answer["id"]
            recalled = transport.call("recall", {"query": old, "include_superseded": True, "include_forgotten": True})
            assert {first, answer["id"]} <= ids(recalled["memories"])
            assert first not in ids(transport.call("recall", {"query": old})["memories"])

    def test_a_memory_holds_until_it_stops(self, transport: Transport) -> None:
        """Its end is given with it."""
        over = stored(transport, content="The gym is closed", at="2025-01-01", valid_until="2025-02-01")
        lasting = stored(transport, content="The gym opens at six", at="2025-01-01", valid_until="2999-01-01")
        (hit,) = found(transport, "gym")
        assert (hit["id"], hit["valid_until"][:10]) == (lasting, "2999-01-01")
        assert ids(found(transport, "gym", as_of="2025-01-15")) == {over, lasting}

    def test_a_memory_is_pinned_and_unpinned(self, transport: Transport) -> None:
        """When it is stored, or later; what says nothing of it leaves it as it is."""
        ident = stored(transport, content="The spare key is at Nora's", pinned=True)
        assert found(transport, "key")[0]["pinned"] is True
        assert "pinned" not in transport.call("update", {"id": ident, "pinned": False})["memory"]
        assert "pinned" not in found(transport, "key")[0]
        transport.call("update", {"id": ident, "pinned": True})
        updated = transport.call("update", {"id": ident, "content": "The spare key is at Ben's"})
        assert updated["memory"]["pinned"] is True

    def test_modes_decide_what_is_found_and_how_it_stands(self, transport: Transport) -> None:
        """Every word, the order of time, meaning alone; each mode answers both tools."""
        talk = [
            ("Who feeds the cat?", "2025-03-02"),
            ("The cat eats at seven", "2025-03-01"),
            ("邻居喂猫", "2025-03-03"),
        ]
        idents = [stored(transport, content=text, at=at) for text, at in talk]
        for mode in ("adaptive", "exact", "semantic", "temporal", "contextual"):
            recalled = transport.call("recall", {"query": "cat", "session": "cat", "mode": mode, "explain": True})
            assert (mode, idents[1] in ids(recalled["memories"])) == (mode, True)
            answer = transport.call("search", {"query": "cat", "mode": mode, "explain": True})
            if mode == "contextual":  # a search has no chat to be drawn to
                assert error_code(answer) == "invalid_argument"
            else:
                assert (mode, idents[1] in ids(answer["hits"])) == (mode, True)
        exact = transport.call("search", {"query": "cat seven", "mode": "exact"})["hits"]
        assert ids(exact) == {idents[1]}
        ordered = transport.call("search", {"query": "cat 喂猫", "mode": "temporal"})["hits"]
        assert [hit["id"] for hit in ordered] == [idents[1], idents[0], idents[2]]

    def test_a_value_that_is_none_of_those_is_answered_and_changes_nothing(self, transport: Transport) -> None:
        """Nothing is guessed from it."""
        kept = stored(transport, content="kept")
        for tool, arguments in MISTYPED:
            code = error_code(transport.call(tool, arguments))
            assert (tool, arguments, code) == (tool, arguments, "invalid_argument")
        assert [(hit["id"], hit["content"], "said" in hit) for hit in found(transport, "kept x")] == [
            (kept, "kept", False)
        ]

    def test_erasing_by_query_takes_an_exact_text_only(self, transport: Transport) -> None:
        """A vague one lists candidates, and nothing goes."""
        idents = [stored(transport, **note) for note in NOTES]
        vague = transport.call("erase", {"query": "launch"})
        assert vague["receipt"] == {"action": "none", "count": 0, "ids": []}
        assert vague["candidates"][0]["id"] == idents[0]
        assert ids(found(transport, "x")) == set(idents)
        exact = transport.call("erase", {"query": NOTES[2]["content"]})
        assert exact["receipt"]["ids"] == [idents[2]]
        assert ids(found(transport, "x")) == set(idents) - {idents[2]}

    def test_erasing_several_is_all_or_none(self, transport: Transport) -> None:
        """One unknown id among known ones keeps them all."""
        first, second = stored(transport, content="first"), stored(transport, content="second")
        assert error_code(transport.call("erase", {"ids": [first, "nobody", second]})) == "unknown_memory"
        assert ids(found(transport, "first")) == {first, second}
        assert transport.call("erase", {"ids": [first, second]})["receipt"]["count"] == 2
        assert found(transport, "first") == []

    def test_fading_leaves_a_memory_to_be_found_and_purging_does_not(self, transport: Transport) -> None:
        """A purge names the files that it wrote anew."""
        faded, purged = stored(transport, content="faded"), stored(transport, content="purged")
        receipt = transport.call("erase", {"id": faded, "strength": 0.25})["receipt"]
        assert (receipt["action"], receipt["strength_left"]) == ("faded", [0.75])
        receipt = transport.call("erase", {"id": purged, "purge": True})["receipt"]
        assert receipt["action"] == "purged"
        assert receipt["files_rewritten"]
        (left,) = found(transport, "faded")
        assert (left["id"], left["strength"]) == (faded, 0.75)

    def test_bad_arguments_are_answered_and_change_nothing(self, transport: Transport) -> None:
        """With the envelope of a failure, for the model to read."""
        kept = stored(transport, content="kept")
        for tool, arguments, code in REFUSED:
            assert (tool, arguments, error_code(transport.call(tool, arguments))) == (tool, arguments, code)
        assert [(hit["id"], hit["content"]) for hit in found(transport, "kept x")] == [(kept, "kept")]

    def test_an_answer_that_is_not_as_published_would_be_noticed(
        self, transport: Transport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the check that stands between this suite and every transport."""
        stored(transport, content="a")
        schema = {**TOOLS["search"].output_schema, "required": ["ok", "colour"]}
        monkeypatch.setitem(calls.PUBLISHED, "search", Draft202012Validator(schema))
        with pytest.raises(ValidationError):
            found(transport, "a")

    def test_there_are_no_other_tools(self, transport: Transport) -> None:
        """A name that is none of the five is answered, too."""
        assert error_code(transport.call("forget_everything", {})) == "unknown_tool"
