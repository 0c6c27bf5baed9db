"""Commands that look after what is in the memory: consolidate, audit, graph."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from ntm_memory_skill.engine import Change, Consolidation
from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal, of
from ntm_memory_skill.hosts.cli.picture import excerpt
from ntm_memory_skill.model import Consolidated
from ntm_memory_skill.store import State
from ntm_memory_skill.tools.verbs import EXCERPT, record_json

SHOWN = 10
"""Lines of each kind that a report shows on a terminal; --json has all of them."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (consolidate, audit, graph):
        app.command(command.__name__, rich_help_panel="Upkeep")(command)


def consolidate(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    seconds: Annotated[float | None, typer.Option(help="How long it may take; to its end by default.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the latest consolidations.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take one back: the latest, or that of --run.")] = False,
    run: Annotated[str | None, typer.Option(help="Which one to take back, by its name.")] = None,
) -> None:
    """Merge what says the same and mark what no longer holds; nothing is deleted, and --undo takes it back."""
    output = of(context)
    if sum((dry_run or seconds is not None, list_, undo)) > 1:
        raise InvalidArgument("--list, --undo and --dry-run or --seconds do not go together")
    if run is not None and not undo:
        raise InvalidArgument("--run says which consolidation to take back", hint="Use it with --undo alone.")
    if list_:
        _list(output)
    elif undo:
        _undo(output, run)
    else:
        _consolidate(output, seconds, dry_run=dry_run)


def audit(context: typer.Context) -> None:
    """List memories that may be junk, or should not be here, each with the reasons. Changes nothing."""
    output = of(context)
    with output.memory(require_encoder=False) as memory:
        suspects = memory.audit()
        envelope = {
            "ok": True,
            "memories": len(memory),
            "suspects": [
                {
                    **record_json(each.record),
                    "reasons": [{"code": reason.code, "reason": reason.reason} for reason in each.reasons],
                }
                for each in suspects
            ],
        }
    output.show(envelope, _audited)


def graph(
    context: typer.Context,
    entity: Annotated[str | None, typer.Argument(help="Of whom or what; without one, what is known most of.")] = None,
) -> None:
    """Show which entities memories speak of and how they relate, each relation with its memories."""
    output = of(context)
    with output.memory(require_encoder=False) as memory:
        known = memory.graph()
        _, entities, count = known.counts
        relations = [
            {
                "subject": edge.subject,
                "predicate": edge.predicate,
                "object": edge.object,
                "memories": list(known.sources(edge)),
            }
            for edge in known.edges_of(entity)
        ]
    relations.sort(key=lambda each: -len(each["memories"]))
    envelope = {"ok": True, "entities": entities, "relations": count, "edges": relations}
    if entity is not None and not relations and not output.as_json:
        output.console.print(f"[dim]no relation of {literal(entity)} is known[/]")
    output.show(envelope, _graph)


def _consolidate(output: Output, seconds: float | None, *, dry_run: bool) -> None:
    with output.memory(require_encoder=False) as memory:
        done = memory.consolidate(seconds=seconds, dry_run=dry_run, progress=False if output.as_json else None)
        envelope = {"ok": True, "dry_run": dry_run, **_described(done, memory.state)}
    output.show(envelope, _consolidated)


def _list(output: Output) -> None:
    with output.memory(require_encoder=False) as memory:
        runs = [_counted(each) for each in reversed(memory.state.consolidations.values())]

    def render(console: Console, _: Envelope) -> None:
        if not runs:
            console.print("[dim]no consolidation yet[/]")
        for each in runs:
            console.print(f"{each['run']} [dim]{each['at'][:16].replace('T', ' ')}[/] {_said(each)}")

    output.show({"ok": True, "consolidations": runs}, render)


def _undo(output: Output, run: str | None) -> None:
    with output.memory() as memory:
        done = _counted(memory.undo_consolidation(run))
    output.show(
        {"ok": True, "undone": done},
        lambda console, _: console.print(f"[green]taken back[/] {done['run']}: {_said(done)}"),
    )


def _counted(run: Consolidated) -> dict[str, Any]:
    counts = {name: len(getattr(run, name)) for name in ("merged", "superseded", "forgotten", "gists")}
    return {"run": run.run, "at": run.at.isoformat(), **counts}


def _said(counts: dict[str, Any]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in ("merged", "superseded", "forgotten", "gists"))


def _described(done: Consolidation, state: State) -> dict[str, Any]:
    def change(each: Change) -> dict[str, Any]:
        said = {"id": each.old, "content": _content(state, each.old), "reason": each.reason}
        return said if not each.new else {**said, "into": each.new, "into_content": _content(state, each.new)}

    lists = {
        name: [change(each) for each in getattr(done, name)] for name in ("merged", "superseded", "forgotten", "gists")
    }
    return {"run": done.run, "before": done.before, "after": done.after, "finished": done.finished, **lists}


def _content(state: State, ident: str) -> str:
    record = state.anywhere(ident)
    return "" if record is None else record.content[:EXCERPT]


def _consolidated(console: Console, envelope: Envelope) -> None:
    width = console.width - 6
    for name, title in (
        ("merged", "says the same"),
        ("superseded", "no longer holds"),
        ("forgotten", "forgotten"),
        ("gists", "gist"),
    ):
        for each in envelope[name][:SHOWN]:
            console.print(f"[yellow]{title}:[/] {each['id']} {literal(excerpt(each['content'], width))}")
            if "into" in each:
                console.print(f"    [dim]{each['into']}[/] {literal(excerpt(each['into_content'], width))}")
            console.print(f"    [dim]{literal(each['reason'])}[/]")
        if len(envelope[name]) > SHOWN:
            console.print(f"    [dim]and {len(envelope[name]) - SHOWN} more; --json lists all[/]")
    counts = {name: len(envelope[name]) for name in ("merged", "superseded", "forgotten", "gists")}
    what = "would be" if envelope["dry_run"] else "consolidated"
    console.print(
        f"[green]{what}[/]: {_said(counts)}; {envelope['before']} active memories before, {envelope['after']} after"
    )
    if not envelope["finished"]:
        console.print("[dim]the time was up; run it again to go on[/]")
    if any(counts.values()) and not envelope["dry_run"]:
        console.print(f"[dim]to take it back: ntm-memory consolidate --undo --run {envelope['run']}[/]")


def _audited(console: Console, envelope: Envelope) -> None:
    for each in envelope["suspects"]:
        console.print(f"{each['id']} {literal(excerpt(each['content'], console.width - 16))}")
        for reason in each["reasons"]:
            console.print(f"    [yellow]{reason['code']}[/] [dim]{literal(reason['reason'])}[/]")
    found = len(envelope["suspects"])
    console.print(f"[green]{found} of {envelope['memories']}[/] memories are suspected of something")


def _graph(console: Console, envelope: Envelope) -> None:
    for each in envelope["edges"][: 2 * SHOWN]:
        told = f"{each['subject']} · {each['predicate']} · {each['object']}"
        console.print(f"{literal(told)} [dim]{', '.join(each['memories'][:3])}[/]")
    if len(envelope["edges"]) > 2 * SHOWN:
        console.print(f"[dim]and {len(envelope['edges']) - 2 * SHOWN} more; --json lists all[/]")
    console.print(f"[green]{envelope['entities']}[/] entities, [green]{envelope['relations']}[/] relations")
