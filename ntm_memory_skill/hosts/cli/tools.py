"""The five tools as commands. Every argument is an option; the work is `tools.call`'s."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal, of
from ntm_memory_skill.hosts.cli.picture import excerpt
from ntm_memory_skill.hosts.cli.plain import PlainCommand
from ntm_memory_skill.hosts.cli.reasons import difference_lines, trace_lines, why_it_lost
from ntm_memory_skill.hosts.compose import check_enabled, found, keep_to_one_thread, loading_ahead
from ntm_memory_skill.hosts.resident.client import ask

if TYPE_CHECKING:
    from rich.console import Console

    from ntm_memory_skill.config import Found


class Mode(StrEnum):
    """What decides in a search."""

    ADAPTIVE = "adaptive"
    EXACT = "exact"
    SEMANTIC = "semantic"
    CONTEXTUAL = "contextual"
    TEMPORAL = "temporal"


class Backend(StrEnum):
    """What matches the question with memories."""

    DENSE = "dense"
    CROSSBAR = "crossbar"


Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="A label; may be given several times.")]
Kind = Annotated[str | None, typer.Option(help="Of this kind alone.")]
Chat = Annotated[str | None, typer.Option(help="From this chat alone.")]
Since = Annotated[str | None, typer.Option(help="Happened then or later (ISO 8601).")]
Until = Annotated[str | None, typer.Option(help="Happened then or earlier (ISO 8601).")]
AsOf = Annotated[str | None, typer.Option(help="As things stood at that time (ISO 8601).")]
Explain = Annotated[bool, typer.Option("--explain", help="Show every term, and the weights after every stage.")]
Around = Annotated[int | None, typer.Option("--context", "-C", help="Show so many from before and after each hit.")]
Manner = Annotated[Mode | None, typer.Option(help="What decides; adaptive by default.", show_default=False)]
Hops = Annotated[int | None, typer.Option(help="Read so often, each time for what was read before leads to; 1 to 4.")]
Backing = Annotated[
    Backend | None, typer.Option("--backend", help="What matches: dense is exact; as configured by default.")
]
Superseded = Annotated[bool, typer.Option("--include-superseded", help="Also what no longer holds.")]
Forgotten = Annotated[bool, typer.Option("--include-forgotten", help="Also what was forgotten to make room.")]
Importance = Annotated[float | None, typer.Option(help="From 0 (trivia) to 1 (must not be lost).")]
Reason = Annotated[str | None, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the five commands."""
    for command in (memorize, recall, search, update, erase):
        app.command(command.__name__, cls=PlainCommand, rich_help_panel="The five tools")(command)


def memorize(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What to remember; - reads standard input.")],
    key: Annotated[str | None, typer.Option(help="A short name to recall it by.")] = None,
    importance: Importance = None,
    tag: Tags = None,
    type: Annotated[str | None, typer.Option(help='Its kind, "note" by default.')] = None,
    session: Annotated[str | None, typer.Option(help="The chat that it belongs to.")] = None,
    at: Annotated[str | None, typer.Option(help="When it happened, ISO 8601; now by default.")] = None,
    source: Annotated[str | None, typer.Option(help="Who or what it came from.")] = None,
    ref: Annotated[str | None, typer.Option(help="Your own name for it.")] = None,
    supersedes: Annotated[str | None, typer.Option(help="Id of the memory that it replaces.")] = None,
    valid_until: Annotated[str | None, typer.Option(help="When it stops holding, ISO 8601.")] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Never forget it, whatever else has to go.")] = False,
    force: Annotated[bool, typer.Option("--force", help="As a memory of its own, though it repeats another.")] = False,
) -> None:
    """Store one memory for good; what is known already is counted, not stored again."""
    arguments = {
        "content": sys.stdin.read().rstrip("\n") if text == "-" else text,
        "key": key,
        "importance": importance,
        "tags": tag,
        "type": type,
        "session": session,
        "at": at,
        "source": source,
        "ref": ref,
        "supersedes": supersedes,
        "valid_until": valid_until,
        "pinned": pin or None,
        "force": force or None,
    }
    _tool(ctx, "memorize", arguments)


def recall(
    ctx: typer.Context,
    query: Annotated[str | None, typer.Argument(help="What it is about.")] = None,
    key: Annotated[str | None, typer.Option(help="The name under which it was stored.")] = None,
    session: Annotated[str | None, typer.Option(help="The present chat; its last focus draws the recall.")] = None,
    budget: Annotated[int | None, typer.Option(help="Characters to return at most.")] = None,
    mode: Manner = None,
    hops: Hops = None,
    backend: Backing = None,
    include_superseded: Superseded = False,
    include_forgotten: Forgotten = False,
    context: Around = None,
    explain: Explain = False,
) -> None:
    """Return the best memories that fit a budget of characters."""
    arguments = {
        "query": query,
        "key": key,
        "session": session,
        "budget": budget,
        "mode": None if mode is None else mode.value,
        "hops": hops,
        "backend": None if backend is None else backend.value,
        "include_superseded": include_superseded or None,
        "include_forgotten": include_forgotten or None,
    }
    _tool(ctx, "recall", {**arguments, "context": context, "explain": explain or None})


def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="The question.")],
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", help="How many at most; 5 by default.")] = None,
    tag: Tags = None,
    type: Kind = None,
    session: Chat = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    mode: Manner = None,
    hops: Hops = None,
    backend: Backing = None,
    include_superseded: Superseded = False,
    include_forgotten: Forgotten = False,
    context: Around = None,
    explain: Explain = False,
) -> None:
    """Return the memories that best answer a question, ranked."""
    filters = filters_of(
        tags=tag,
        type=type,
        session=session,
        since=since,
        until=until,
        as_of=as_of,
        include_superseded=include_superseded or None,
        include_forgotten=include_forgotten or None,
    )
    how = None if mode is None else mode.value
    arguments = {"query": query, "top_k": top_k, "filters": filters or None, "mode": how, "hops": hops}
    arguments["backend"] = None if backend is None else backend.value
    _tool(ctx, "search", {**arguments, "context": context, "explain": explain or None})


def update(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(help="The memory's id.")],
    text: Annotated[str | None, typer.Argument(help="The new text; - reads standard input.")] = None,
    importance: Importance = None,
    tag: Tags = None,
    pin: Annotated[
        bool | None, typer.Option("--pin/--unpin", help="Never forget it; or let it be forgotten again.")
    ] = None,
    reason: Reason = None,
) -> None:
    """Give a memory a new version; the old one is kept."""
    content = sys.stdin.read().rstrip("\n") if text == "-" else text
    changes = {"content": content, "importance": importance, "tags": tag, "pinned": pin, "reason": reason}
    _tool(ctx, "update", {"id": id, **changes})


def erase(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(help="The memories' ids.")] = None,
    query: Annotated[str | None, typer.Option(help="An exact text or key; else lists candidates.")] = None,
    strength: Annotated[float | None, typer.Option(help="1 erases; less fades.")] = None,
    purge: Annotated[bool, typer.Option("--purge", help="Also remove the text from every file.")] = False,
    reason: Reason = None,
) -> None:
    """Erase memories, and print a receipt."""
    if not ids and query is None:
        raise InvalidArgument("erase takes ids or --query", hint="Find an id with: ntm-memory search QUERY")
    arguments = {"ids": ids or None, "query": query, "strength": strength, "purge": purge or None, "reason": reason}
    _tool(ctx, "erase", arguments)


def filters_of(**given: object) -> dict[str, Any]:
    """Return the filters that were given."""
    return {name: value for name, value in given.items() if value is not None}


def beneath(memory: dict[str, Any]) -> str:
    """Return the line under a hit, as markup: its id, score, time and chat, and why it was found."""
    where = " · ".join(part for part in (memory["when"][:16].replace("T", " "), memory.get("session")) if part)
    return f"{memory['id']} · score {memory['score']:.3f} · {literal(where)} · {_why(memory['why'])}"


def _tool(ctx: typer.Context, name: str, arguments: dict[str, Any]) -> None:
    output = of(ctx)
    given = {each: value for each, value in arguments.items() if value is not None}
    configured = found(output.memory_file)
    answer = None if configured is None else ask(configured, name, given)
    envelope: Envelope
    if answer is None:
        envelope = _here(output, configured, name, given)
    else:
        output.note(answer.notes)
        envelope = answer.given()
    output.show(envelope, _RENDERERS[name])


def _here(output: Output, configured: Found | None, name: str, arguments: dict[str, Any]) -> Envelope:
    """Open the memory in this process, and call the tool."""
    needs_encoder = name != "erase" or "query" in arguments
    encoder = loading_ahead(configured) if needs_encoder else None
    from ntm_memory_skill.tools import call

    check_enabled(output.config)
    keep_to_one_thread()
    with output.memory(require_encoder=needs_encoder, encoder=encoder) as memory:
        return call(memory, name, arguments)


def _memorized(console: Console, envelope: Envelope) -> None:
    done = {"new": "memorized", "counted": "known already, counted", "merged": "known already, kept with it"}
    console.print(f"[green]{done[envelope['stored']]}[/] {envelope['id']} [dim](slot {envelope['slot']})[/]")
    alike = [(f"nearly the same, {each['action']}", each) for each in envelope["duplicates"]]
    for label, each in [*(("related", each) for each in envelope["related"]), *alike]:
        console.print(f"  [dim]{label}: {each['id']}[/] {literal(each['content'])}")
    if "forgotten" in envelope:
        count = len(envelope["forgotten"])
        console.print(f"  [yellow]forgotten to make room:[/] {count}; ntm-memory restore lists them")
    for each in envelope["superseded"]:
        console.print(f"  [yellow]no longer holds:[/] {each['id']} [dim]by {each['by']}:[/] {literal(each['reason'])}")


def _recalled(console: Console, envelope: Envelope) -> None:
    _memories(console, envelope["memories"])
    if envelope["omitted"]:
        console.print(f"[dim]{envelope['omitted']} more did not fit the budget[/]")


def _found(console: Console, envelope: Envelope) -> None:
    _memories(console, envelope["hits"])
    if "missed" in envelope:
        _missed(console, envelope["missed"], envelope["hits"][-1])


def _memories(console: Console, memories: list[dict[str, Any]]) -> None:
    if not memories:
        console.print("[dim]nothing found[/]")
    for rank, memory in enumerate(memories, 1):
        named = f"[bold]{literal(memory['key'])}[/]: " if "key" in memory else ""
        indented = memory["content"].replace("\n", "\n    ")
        context = memory.get("context", [])
        _around(console, [each for each in context if each["offset"] < 0])
        console.print(f"{rank:>2}. {named}{literal(indented)}")
        console.print(f"    [dim]{beneath(memory)}[/]")
        for line in trace_lines(memory.get("trace"), console.width - 4):
            console.print(f"    [dim]{literal(line)}[/]")
        _around(console, [each for each in context if each["offset"] > 0])


def _missed(console: Console, missed: dict[str, Any], last: dict[str, Any]) -> None:
    """Print the best memory that was not given, and what set it apart from the last hit."""
    width = console.width - 4
    console.print(f"[yellow]not given:[/] rank {missed['rank']}, {missed['id']}")
    console.print(f"    {literal(excerpt(missed['content'], width))}")
    reason = why_it_lost(missed["differences"], last["trace"]["terms"], f"rank {missed['rank'] - 1}")
    for line in (reason, *difference_lines(missed["differences"], width)):
        console.print(f"    [dim]{literal(line)}[/]")


def _around(console: Console, context: list[dict[str, Any]]) -> None:
    """Print what was said before or after a hit, each with its place as seen from there."""
    for each in context:
        said = each["content"].replace("\n", "\n" + " " * 8)
        console.print(f"    [dim]{each['offset']:+3} {literal(said)}[/]")


def _why(why: dict[str, Any]) -> str:
    parts = [f"cosine {why['cosine']:.2f}"] if "cosine" in why else []
    if "words" in why:
        parts.append("words " + literal(", ".join(why["words"])))
    if "said_next_to" in why:
        parts.append(f"said next to {why['said_next_to']}")
    if "led_by" in why:
        parts.append("led by " + " → ".join(_led(step) for step in why["led_by"]))
    if "later_than" in why:
        parts.append(f"later than {why['later_than']}")
    if "backend" in why:
        parts.append(f"matched by the {why['backend']}")
    if "rerank" in why:
        parts.append(f"rerank {why['rerank']:.2f}")
    return " · ".join(parts)


def _led(step: dict[str, Any]) -> str:
    return f"{step['id']} ({literal(step.get('name', step['by']))})"


def _updated(console: Console, envelope: Envelope) -> None:
    console.print(f"[green]updated[/] {envelope['memory']['id']} to version {envelope['version']}")
    console.print(f"  was: [dim]{literal(envelope['previous'])}[/]")
    console.print(f"  is:  {literal(envelope['memory']['content'])}")


def _erased(console: Console, envelope: Envelope) -> None:
    receipt = envelope["receipt"]
    if "candidates" in envelope:
        console.print(f"[yellow]{literal(envelope['hint'])}[/]")
        for each in envelope["candidates"]:
            console.print(f"  {each['id']} {literal(each['content'])}")
        return
    console.print(f"[green]{receipt['action']}[/] {receipt['count']}: {', '.join(receipt['ids'])}")
    if receipt["action"] == "faded":
        console.print("  strength left: " + ", ".join(f"{left:.2f}" for left in receipt["strength_left"]))
    if "files_rewritten" in receipt:
        console.print("  files rewritten: " + ", ".join(receipt["files_rewritten"]))


_RENDERERS = {"memorize": _memorized, "recall": _recalled, "search": _found, "update": _updated, "erase": _erased}
