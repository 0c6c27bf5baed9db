"""`ntm-memory explain`, and what `search --explain` shows besides the hits."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from rich.cells import cell_len

from ntm_memory_skill.tools.verbs import EXCERPT
from tests.hosts.conftest import CommandLine

JSON = dict[str, Any]
QUESTION = "who repairs the boiler?"
TALK = (
    "The boiler drips again, who repairs it?",
    "Okonkwo does, he is on the corner",
    "He charges 60 an hour",
    "外婆说先把水关掉",
    "And call him before nine",
    "The stairs were swept",
)


@pytest.fixture
def idents(cli: CommandLine) -> list[str]:
    """Ids of a chat's memories in a memory with one more besides."""
    said = [
        cli("--json", "memorize", text, "--session", "house", "--at", f"2026-01-0{day}", "--tag", f"t{day % 2}")
        for day, text in enumerate(TALK, 1)
    ]
    cli("memorize", "Zebras live in herds " * 10)
    return [str(outcome.envelope["id"]) for outcome in said]


def explained(cli: CommandLine, ident: str, *options: str) -> JSON:
    """Return the envelope for a memory and the question."""
    envelope: JSON = cli("--json", "explain", ident, QUESTION, *options).envelope
    assert envelope["ok"] is True
    return envelope


def ranked(cli: CommandLine, *options: str) -> list[JSON]:
    """Return all hits for the question, explained."""
    hits: list[JSON] = cli("--json", "search", QUESTION, "-k", "100", "--explain", *options).envelope["hits"]
    return hits


class TestEnvelope:
    """With --json."""

    def test_every_memory_is_explained_as_a_search_ranks_it(self, cli: CommandLine, idents: list[str]) -> None:
        """Its rank, its trace, and what it is compared with: the last that is given, or the first that is not."""
        hits = ranked(cli)
        places = {hit["id"]: place for place, hit in enumerate(hits, 1)}
        for ident in idents:
            shown = explained(cli, ident, "-k", "3")
            place = places[ident]
            assert (shown["rank"], shown["among"], shown["top_k"]) == (place, len(hits), 3)
            assert shown["given"] is (place <= 3)
            other = 4 if place <= 3 else 3
            assert (shown["other_rank"], shown["other"]["id"]) == (other, hits[other - 1]["id"])
            for neighbour in shown["memory"]["trace"]["neighbours"]:
                del neighbour["content"]
            assert shown["memory"]["trace"] == hits[place - 1]["trace"]
            assert shown["other"]["trace"] == hits[other - 1]["trace"]

    def test_the_differences_are_the_whole_difference(self, cli: CommandLine, idents: list[str]) -> None:
        """They add up to the logarithm of the ratio of the two weights, the greatest first."""
        for ident in idents:
            shown = explained(cli, ident)
            one, other = (shown[name]["trace"]["stages"]["shifted"] for name in ("memory", "other"))
            amounts = [each["amount"] for each in shown["differences"]]
            assert sum(amounts) == pytest.approx(math.log(one / other), abs=2e-3)
            assert amounts == sorted(amounts, key=abs, reverse=True)

    def test_neighbours_come_with_what_they_say(self, cli: CommandLine, idents: list[str]) -> None:
        """How it begins."""
        texts = dict(zip(idents, TALK, strict=True))
        neighbours = explained(cli, idents[2])["memory"]["trace"]["neighbours"]
        assert len(neighbours) == 5
        assert all(each["content"] == texts[each["id"]] for each in neighbours)
        cli("update", idents[1], "Okonkwo " * 100)
        told = {each["id"]: each["content"] for each in explained(cli, idents[2])["memory"]["trace"]["neighbours"]}
        assert told[idents[1]] == ("Okonkwo " * 100)[:EXCERPT]

    def test_what_led_there_comes_with_what_it_says(self, cli: CommandLine) -> None:
        """And is shown under a title of its own; with one hop there is none of it."""
        first = "At the Graz fair I met Mila Okafor"
        start, end = (
            str(cli("--json", "memorize", text).envelope["id"]) for text in (first, "Mila Okafor lent me a ladder")
        )
        cli("memorize", "The hose is broken")
        cli("memorize", "Zebras live in herds")
        question = "What was lent to me by the woman whom I met at the Graz fair?"
        (step,) = cli("--json", "explain", end, question).envelope["memory"]["trace"]["chain"]
        assert (step["id"], step["name"], step["content"]) == (start, "Mila Okafor", first)
        told = cli("explain", end, question).out
        assert told.index("What led to it") < told.index(f"from {start}, which shares Mila Okafor") < told.index(first)
        assert cli("--json", "explain", end, question, "--hops", "1").envelope["memory"]["trace"]["chain"] == []

    def test_at_another_time_everyone_says_what_they_said_then(self, cli: CommandLine, idents: list[str]) -> None:
        """The memory, its neighbours, and the one that it is compared with."""
        moment = cli("--json", "update", idents[0], "The boiler is new").envelope["memory"]["when"]
        for ident in idents[:3]:
            shown = explained(cli, ident, "-k", "1", "--as-of", "2026-01-31")
            told = [shown["memory"], shown["other"], *shown["memory"]["trace"]["neighbours"]]
            assert {each["content"] for each in told if each["id"] == idents[0]} == {TALK[0]}
        assert moment < "2026-01-31"
        assert explained(cli, idents[0])["memory"]["content"] == "The boiler is new"

    @pytest.mark.parametrize(
        "filters",
        [
            ["--tag", "t1"],
            ["--session", "house"],
            ["--since", "2026-01-02", "--until", "2026-01-03"],
            ["--type", "note"],
        ],
        ids=" ".join,
    )
    def test_the_filters_are_those_of_a_search(self, cli: CommandLine, idents: list[str], filters: list[str]) -> None:
        """Ranks are counted among what they let through."""
        hits = ranked(cli, *filters)
        assert 1 < len(hits) <= 7
        for place, hit in enumerate(hits, 1):
            shown = explained(cli, hit["id"], *filters)
            assert (shown["rank"], shown["among"]) == (place, len(hits))

    def test_where_all_are_given_there_is_no_other(self, cli: CommandLine, idents: list[str]) -> None:
        """Nothing to compare it with, and so no differences; the reason says so."""
        shown = explained(cli, idents[0], "-k", "100")
        assert (shown["given"], shown["other"], shown["other_rank"], shown["differences"]) == (True, None, None, [])
        assert shown["reason"] == "All 7 memories that may be seen are given, so there is none that it beat."
        shown = explained(cli, idents[0], "--since", "2026-01-01", "--until", "2026-01-01")
        assert shown["reason"] == "It is the only memory that may be seen."

    def test_the_reason_names_the_other(self, cli: CommandLine, idents: list[str]) -> None:
        """By how its text begins, and its rank."""
        for ident in idents:
            shown = explained(cli, ident, "-k", "2")
            verb = "beat" if shown["given"] else "lost to"
            assert shown["reason"].startswith(f"It {verb} “{shown['other']['content'][:20]}")
            assert f"(rank {shown['other_rank']}) mainly because " in shown["reason"]


class TestRefusals:
    """An error's envelope, and 1."""

    @pytest.mark.parametrize(
        ("ident", "options", "code"),
        [
            ("nobody", [], "unknown_memory"),
            (None, ["--session", "other"], "invalid_argument"),
            (None, ["--until", "2025-01-01"], "invalid_argument"),
            (None, ["--since", "yesterday-ish"], "invalid_argument"),
            (None, ["--top-k", "0"], "invalid_argument"),
        ],
    )
    def test_what_cannot_be_explained_is_an_error(
        self, cli: CommandLine, idents: list[str], ident: str | None, options: list[str], code: str
    ) -> None:
        """In words as well."""
        line = ["explain", ident or idents[0], QUESTION, *options]
        outcome = cli("--json", *line)
        assert (outcome.status, outcome.code) == (1, code)
        outcome = cli(*line)
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err.startswith(f"{code}: ")

    def test_an_erased_memory_is_unknown(self, cli: CommandLine, idents: list[str]) -> None:
        """It has no rank."""
        cli("erase", idents[0])
        assert cli("--json", "explain", idents[0], QUESTION).code == "unknown_memory"

    def test_a_question_without_text_is_refused(self, cli: CommandLine, idents: list[str]) -> None:
        """As by a search."""
        assert cli("--json", "explain", idents[0], " ").code == "invalid_content"

    def test_in_an_empty_memory_everything_is_unknown(self, cli: CommandLine) -> None:
        """And no memory is made by asking."""
        assert cli("--json", "explain", "m0", QUESTION).code == "unknown_memory"


class TestDrawing:
    """For people."""

    def test_everything_of_the_envelope_is_drawn(self, cli: CommandLine, idents: list[str]) -> None:
        """Text, rank, reason, terms, stages of both, neighbours with their text, differences."""
        shown = explained(cli, idents[1], "-k", "1")
        outcome = cli("explain", idents[1], QUESTION, "-k", "1")
        lines = outcome.out.splitlines()
        assert (outcome.status, outcome.err, lines[0]) == (0, "", TALK[1])
        assert lines[1].startswith(f"{idents[1]} · score ")
        assert lines[3] == f"rank {shown['rank']} of 7, not the first"
        assert lines[4] == shown["reason"]
        sections = [line for before, line in pairwise(lines[4:]) if not before]
        assert sections == [
            "What speaks for and against it",
            "Its attention by stage, and rank 1's",
            "Weight that its neighbours lent it",
            "Against rank 1",
        ]
        trace = shown["memory"]["trace"]
        assert sum(" × " in line for line in lines) == len(trace["terms"]) > 1
        assert sum(" from m" in line for line in lines) == len(trace["neighbours"]) > 1
        assert sum(line[:1] == " " and line.strip()[:1] not in "+" and line.strip() in TALK for line in lines) > 1
        stages = [line.split()[2] for line in lines if line.split()[:1] == ["sharpened"]]
        assert stages == [f"{trace['stages']['sharpened']:.4f}"]
        assert lines[-1].startswith("  together")

    def test_a_memory_of_no_chat_has_no_neighbours_to_show(self, cli: CommandLine, idents: list[str]) -> None:
        """The section is left out; so is the comparison where there is nobody else."""
        zebras = next(hit["id"] for hit in ranked(cli) if "session" not in hit)
        assert "neighbours" not in cli("explain", zebras, QUESTION).out
        assert "Against" not in cli("explain", zebras, QUESTION, "-k", "7").out

    @pytest.mark.parametrize("columns", [40, 58, 80, 132])
    def test_drawings_keep_to_the_width_of_the_terminal(
        self, cli: CommandLine, idents: list[str], monkeypatch: pytest.MonkeyPatch, columns: int
    ) -> None:
        """Also with Chinese neighbours; what the memory says, and the sentence, stay whole."""
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = cli("explain", idents[4], QUESTION, "-k", "1").out.splitlines()
        drawn = lines[lines.index("What speaks for and against it") :]
        assert any("外婆" in line for line in drawn)
        assert [line for line in drawn if cell_len(line) > columns] == []

    def test_stored_markup_is_drawn_as_it_stands(self, cli: CommandLine) -> None:
        """As the memory's own text, as a neighbour's, and in the sentence."""
        marked = "[red]x[/red] :smile: ends in \\"
        idents = [cli("--json", "memorize", marked, "--session", "[s]", "--force").envelope["id"] for _ in range(3)]
        lines = cli("explain", idents[1], "x", "-k", "1").out.splitlines()
        assert lines[0] == marked
        assert " · [s] · " in lines[1]
        assert f"“{marked}”" in lines[4]
        assert sum(line.strip() == marked for line in lines) == 4

    def test_colours_are_for_terminals(
        self, cli: CommandLine, idents: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pipe gets none."""
        assert "\x1b" not in cli("explain", idents[0], QUESTION).out
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b" in cli("explain", idents[0], QUESTION).out


class TestSearch:
    """`search --explain`."""

    def test_terms_are_drawn_and_the_best_miss_is_told(self, cli: CommandLine, idents: list[str]) -> None:
        """Behind the hits: its rank, its id, its text, and one sentence."""
        missed = cli("--json", "search", QUESTION, "-k", "2", "--explain").envelope["missed"]
        lines = cli("search", QUESTION, "-k", "2", "--explain").out.splitlines()
        assert sum(line.startswith("    content score ") for line in lines) == 2
        place = lines.index(f"not given: rank 3, {missed['id']}")
        assert missed["content"].startswith(lines[place + 1].strip().rstrip("…"))
        assert lines[place + 2].startswith("    It lost to rank 2 mainly because that one ")
        assert len(lines) == place + 3 + len(missed["differences"]) + 1

    def test_without_explain_there_is_no_word_of_it(self, cli: CommandLine, idents: list[str]) -> None:
        """Nor where everything was given."""
        for options in (["-k", "2"], ["-k", "7", "--explain"]):
            assert "not given" not in cli("search", QUESTION, *options).out
