"""The five tools as commands. Every argument is an option; the work is `tools.call`'s."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Envelope, literal, of
from ntm_memory_skill.hosts.cli.picture import trace_lines
from ntm_memory_skill.hosts.compose import check_enabled, keep_to_one_thread
from ntm_memory_skill.tools import TOOLS, call

Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="A label; may be given several times.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show the weights after every stage.")]
Importance = Annotated[float | None, typer.Option(help="From 0 (trivia) to 1 (must not be lost).")]
Reason = Annotated[str | None, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the five commands."""
    for command in (memorize, recall, search, update, erase):
        app.command(command.__name__, rich_help_panel="The five tools")(command)


def memorize(
    context: typer.Context,
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
) -> None:
    """Store one memory for good."""
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
    }
    _tool(context, "memorize", arguments)


def recall(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="What it is about.")] = None,
    key: Annotated[str | None, typer.Option(help="The name under which it was stored.")] = None,
    session: Annotated[str | None, typer.Option(help="The present chat; its last focus draws the recall.")] = None,
    budget: Annotated[int | None, typer.Option(help="Characters to return at most.")] = None,
    explain: Explain = False,
) -> None:
    """Return the best memories that fit a budget of characters."""
    arguments = {"query": query, "key": key, "session": session, "budget": budget, "explain": explain or None}
    _tool(context, "recall", arguments)


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="The question.")],
    top_k: Annotated[int | None, typer.Option("--top-k", "-k", help="How many at most; 5 by default.")] = None,
    tag: Tags = None,
    type: Annotated[str | None, typer.Option(help="Of this kind alone.")] = None,
    session: Annotated[str | None, typer.Option(help="From this chat alone.")] = None,
    since: Annotated[str | None, typer.Option(help="Happened then or later (ISO 8601).")] = None,
    until: Annotated[str | None, typer.Option(help="Happened then or earlier (ISO 8601).")] = None,
    as_of: Annotated[str | None, typer.Option(help="As things stood at that time (ISO 8601).")] = None,
    explain: Explain = False,
) -> None:
    """Return the memories that best answer a question, ranked."""
    given = {"tags": tag, "type": type, "session": session, "since": since, "until": until, "as_of": as_of}
    filters = {name: value for name, value in given.items() if value is not None}
    _tool(context, "search", {"query": query, "top_k": top_k, "filters": filters or None, "explain": explain or None})


def update(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="The memory's id.")],
    text: Annotated[str | None, typer.Argument(help="The new text; - reads standard input.")] = None,
    importance: Importance = None,
    tag: Tags = None,
    reason: Reason = None,
) -> None:
    """Give a memory a new version; the old one is kept."""
    content = sys.stdin.read().rstrip("\n") if text == "-" else text
    _tool(context, "update", {"id": id, "content": content, "importance": importance, "tags": tag, "reason": reason})


def erase(
    context: typer.Context,
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
    _tool(context, "erase", arguments)


def _tool(context: typer.Context, name: str, arguments: dict[str, Any]) -> None:
    output = of(context)
    check_enabled(output.config)
    keep_to_one_thread()
    needs_encoder = name != "erase" or arguments.get("query") is not None
    with output.memory(require_encoder=needs_encoder) as memory:
        envelope = call(memory, name, arguments)
    output.show(envelope, _RENDERERS[name])


def _memorized(console: Console, envelope: Envelope) -> None:
    console.print(f"[green]memorized[/] {envelope['id']} [dim](slot {envelope['slot']})[/]")
    for label, found in (("related", envelope["related"]), ("nearly the same, both kept", envelope["duplicates"])):
        for each in found:
            console.print(f"  [dim]{label}: {each['id']}[/] {literal(each['content'])}")


def _recalled(console: Console, envelope: Envelope) -> None:
    _memories(console, envelope["memories"])
    if envelope["omitted"]:
        console.print(f"[dim]{envelope['omitted']} more did not fit the budget[/]")


def _found(console: Console, envelope: Envelope) -> None:
    _memories(console, envelope["hits"])


def _memories(console: Console, memories: list[dict[str, Any]]) -> None:
    if not memories:
        console.print("[dim]nothing found[/]")
    for rank, memory in enumerate(memories, 1):
        where = " · ".join(part for part in (memory["when"][:16].replace("T", " "), memory.get("session")) if part)
        named = f"[bold]{literal(memory['key'])}[/]: " if "key" in memory else ""
        indented = memory["content"].replace("\n", "\n    ")
        console.print(f"{rank:>2}. {named}{literal(indented)}")
        console.print(
            f"    [dim]{memory['id']} · score {memory['score']:.3f} · {literal(where)} · {_why(memory['why'])}[/]"
        )
        for line in trace_lines(memory.get("trace")):
            console.print(f"    [dim]{literal(line)}[/]")


def _why(why: dict[str, Any]) -> str:
    parts = [f"cosine {why['cosine']:.2f}"] if "cosine" in why else []
    if "words" in why:
        parts.append("words " + literal(", ".join(why["words"])))
    if "said_next_to" in why:
        parts.append(f"said next to {why['said_next_to']}")
    return " · ".join(parts)


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
if _RENDERERS.keys() != TOOLS.keys():
    raise AssertionError("a tool has no command, or a command no tool")
