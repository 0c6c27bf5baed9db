"""The command that says why one memory is an answer to a question, or why it is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from ntm_memory_skill.engine import Explanation
from ntm_memory_skill.engine.validation import moment
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of
from ntm_memory_skill.hosts.cli.picture import excerpt
from ntm_memory_skill.hosts.cli.reasons import (
    called,
    difference_lines,
    led,
    lent,
    stage_lines,
    term_lines,
    why_it_lost,
    why_it_won,
)
from ntm_memory_skill.hosts.cli.tools import AsOf, Backing, Chat, Hops, Kind, Since, Tags, Until, beneath, filters_of
from ntm_memory_skill.hosts.compose import check_enabled, keep_to_one_thread
from ntm_memory_skill.model import Record
from ntm_memory_skill.tools.verbs import EXCERPT, differences_json, hit_json

TOP_K = 5  # as many as a search gives by default
INDENT = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", rich_help_panel="Proof")(explain)


def explain(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="The memory's id.")],
    query: Annotated[str, typer.Argument(help="The question.")],
    top_k: Annotated[int, typer.Option("--top-k", "-k", help="How many would be given.")] = TOP_K,
    tag: Tags = None,
    type: Kind = None,
    session: Chat = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    hops: Hops = None,
    backend: Backing = None,
) -> None:
    """Say why a memory stands where it stands for a question, and what kept it from the first, or brought it there."""
    output = of(ctx)
    check_enabled(output.config)
    keep_to_one_thread()
    filters = filters_of(tags=tag, type=type, session=session, since=since, until=until, as_of=as_of)
    with output.memory() as memory:
        matched = None if backend is None else backend.value
        explanation = memory.explain(id, query, top_k=top_k, hops=hops, backend=matched, **filters)
        texts = _texts(explanation, memory.state.records, as_of)
    output.show(_envelope(explanation, top_k, texts), _explained)


def _texts(explanation: Explanation, records: Mapping[str, Record], as_of: str | None) -> dict[str, str]:
    """Return what neighbours that lent weight, and memories that led there, say or said then; one may be gone."""
    then = None if as_of is None else moment("as_of", as_of)
    trace = explanation.hit.trace
    idents = [neighbour.id for neighbour in trace.neighbours] + [step.id for step in trace.chain]
    return {ident: records[ident].content_at(then) for ident in idents if ident in records}


def _envelope(explanation: Explanation, top_k: int, texts: Mapping[str, str]) -> dict[str, Any]:
    shown = hit_json(explanation.hit, explain=True, context=False)
    other = None if explanation.other is None else hit_json(explanation.other, explain=True, context=False)
    for said in (*shown["trace"]["neighbours"], *shown["trace"]["chain"]):
        said["content"] = texts.get(said["id"], "")[:EXCERPT]
    envelope = {
        "ok": True,
        "memory": shown,
        "rank": explanation.rank,
        "among": explanation.among,
        "top_k": top_k,
        "given": explanation.given,
        "other": other,
        "other_rank": explanation.other_rank,
        "differences": differences_json(explanation),
    }
    return {**envelope, "reason": _reason(envelope)}


def _reason(envelope: Envelope) -> str:
    other, rank = envelope["other"], envelope["other_rank"]
    if other is None:
        if envelope["among"] == 1:
            return "It is the only memory that may be seen."
        return f"All {envelope['among']} memories that may be seen are given, so there is none that it beat."
    say = why_it_won if envelope["given"] else why_it_lost
    return say(envelope["differences"], envelope["memory"]["trace"]["terms"], called(other["content"], rank))


def _explained(console: Console, envelope: Envelope) -> None:
    memory, width = envelope["memory"], console.width
    trace, other = memory["trace"], envelope["other"]
    console.print(f"[bold]{literal(memory['content'])}[/]")
    console.print(f"[dim]{beneath(memory)}[/]\n")
    colour, negation = ("green", "") if envelope["given"] else ("yellow", "not ")
    first = "the first" if envelope["top_k"] == 1 else f"among the first {envelope['top_k']:,}"
    console.print(f"[{colour}]rank {envelope['rank']:,} of {envelope['among']:,}, {negation}{first}[/]")
    console.print(literal(envelope["reason"]), soft_wrap=not console.is_terminal)
    _section(console, "What speaks for and against it", term_lines(trace, width))
    title = "Its attention by stage"
    stages = [trace["stages"]]
    if other is not None:
        title += f", and rank {envelope['other_rank']}'s"
        stages.append(other["trace"]["stages"])
    _section(console, title, stage_lines(stages, width))
    lenders = []
    for neighbour in trace["neighbours"]:
        lenders += [f"  {lent(neighbour)}", f"{'':{INDENT}}{excerpt(neighbour['content'], width - INDENT)}"]
    _section(console, "Weight that its neighbours lent it", lenders)
    leading = []
    for step in trace["chain"]:
        leading += [f"  {led(step)}", f"{'':{INDENT}}{excerpt(step['content'], width - INDENT)}"]
    _section(console, "What led to it", leading)
    if other is not None:
        _section(
            console,
            f"Against rank {envelope['other_rank']}",
            [f"  {excerpt(other['content'], width - 2)}", *difference_lines(envelope["differences"], width)],
        )


def _section(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"\n[bold]{title}[/]")
    for line in lines:
        console.print(literal(line))
