"""Commands that show what the memory can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ntm_memory_skill.hosts.cli.output import Envelope, literal, of, terminal
from ntm_memory_skill.hosts.cli.picture import BREAK, attention_picture
from ntm_memory_skill.hosts.demo import Answer, Demonstration


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo", rich_help_panel="Proof")(demo)


def demo(
    context: typer.Context,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the demo's memory in this folder, to try the other commands on.")
    ] = None,
) -> None:
    """Store a bilingual diary, open it anew, and ask it ten questions."""
    output = of(context)
    console = terminal(stderr=True) if output.as_json else output.console
    with Demonstration(output.config.settings, keep) as shown:
        if not output.as_json:
            console.print(f"Loading the encoder and storing {len(shown.entries)} diary entries …")
        shown.store(progress=False if output.as_json else None)
        if not output.as_json:
            console.print(f"[green]stored[/] in {shown.seconds_to_store:.1f} s; closed, opened again, asking:\n")
        answers = [_asked(console, shown, number, quiet=output.as_json) for number in range(len(shown.questions))]
        envelope = {"ok": all(answer.found for answer in answers), **shown.summary(answers)}
    if output.as_json:
        output.dump(envelope)
    else:
        _summary(console, envelope)
        if keep is not None:
            console.print(f'\nTry: ntm-memory --memory {literal(str(keep))} search "who repairs the roof?" --explain')
    raise typer.Exit(0 if envelope["ok"] else 1)


def _asked(console: Console, shown: Demonstration, number: int, *, quiet: bool) -> Answer:
    answer = shown.ask(number)
    if quiet:
        return answer
    console.print(f"[bold]{number + 1}. {literal(answer.question)}[/]")
    for rank, hit in enumerate(answer.hits, 1):
        text = literal(hit.content)
        if hit.ref == answer.ref:
            text = text.replace(answer.expected, f"[bold green]{answer.expected}[/]")
        console.print(f"   {rank}. [dim]{hit.score:.3f}[/] {text}")
        if hit.ref == answer.ref:
            break
    if answer.hit is None:
        console.print(f"   [red]not among the first {len(answer.hits)}[/]")
    else:
        for line in attention_picture(answer.attention, answer.hit.id):
            console.print(f"   [cyan]{line}[/]")
    console.print()
    return answer


def _summary(console: Console, envelope: Envelope) -> None:
    summary: dict[str, Any] = dict(envelope)
    console.print(
        f"[bold]{summary['first']} of {summary['questions']} answers came first, "
        f"{summary['found']} were among the first {summary['looked_at']}[/]; by meaning alone (cosine), "
        f"{summary['cosine_first']} and {summary['cosine_found']}."
    )
    console.print(
        f"[dim]{summary['memories']} memories · a search took {summary['milliseconds']:.0f} ms (median), "
        f"encoding the question included · each picture: one bar a memory, {BREAK} between chats[/]"
    )
