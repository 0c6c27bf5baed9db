"""Commands that look after the files: verify, repair, compact, restore, reindex, encrypt, decrypt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ntm_memory_skill.config import Config, read_key
from ntm_memory_skill.errors import ConfigError, KeyRefused, StoreDamaged
from ntm_memory_skill.hosts.cli.output import Envelope, Output, literal, of, show_findings
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import DirectoryStore, Scrubbed
from ntm_memory_skill.store import verify as verify_store
from ntm_memory_skill.store.repair import repair as repair_store
from ntm_memory_skill.tools.verbs import record_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (verify, repair, compact, restore, reindex, encrypt, decrypt):
        app.command(command.__name__, rich_help_panel="Upkeep")(command)


def verify(context: typer.Context) -> None:
    """Check the files against each other; exit with 3 if they are damaged. Changes nothing."""
    output = of(context)
    findings = verify_store(output.config.memory_file, system_clock, output.config.settings.store)
    rows = [{"ok": each.ok, "subject": each.subject, "detail": each.detail} for each in findings]
    if all(each.ok for each in findings):
        output.show({"ok": True, "findings": rows}, show_findings)
        return
    if not output.as_json:
        show_findings(output.console, {"findings": rows})
    raise next(
        (each.error for each in findings if each.error is not None),
        StoreDamaged("; ".join(each.detail for each in findings if not each.ok)),
    )


def repair(
    context: typer.Context,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on though something that was acknowledged is lost.")
    ] = False,
) -> None:
    """Mend damaged files, and say exactly what is lost; without --accept-loss, lose nothing."""
    output = of(context)
    done = repair_store(
        output.config.memory_file,
        clock=system_clock,
        settings=output.config.settings.store,
        accept_loss=accept_loss,
    )
    envelope = {
        "ok": True,
        "mended": list(done.mended),
        "lost": list(done.lost),
        "quarantined": list(done.quarantined),
        "memories": done.memories,
        "archive": done.archived,
    }

    def render(console: Console, _: Envelope) -> None:
        if not done.needed:
            console.print("[green]nothing to repair[/]")
            return
        for label, lines in (("mended", done.mended), ("lost", done.lost), ("put aside", done.quarantined)):
            for line in lines:
                console.print(f"[bold]{label}:[/] {literal(line)}")
        console.print(f"[green]repaired[/]: {done.memories} memories, {done.archived} in the archive")

    output.show(envelope, render)


def compact(context: typer.Context) -> None:
    """Fold the journal into the snapshot now, and keep the generation before."""
    output = of(context)
    store = _store(output.config)
    files: tuple[str, ...] = ()
    if store.encoder is not None:  # else there is nothing to fold, and no folder is made for it
        with store.transaction():
            files = store.compact()
    sizes = {path.name: path.stat().st_size for path in (store.paths.snapshot, store.paths.journal) if path.exists()}

    def render(console: Console, _: Envelope) -> None:
        shown = ", ".join(f"{literal(name)} {size:,} bytes" for name, size in sizes.items())
        console.print(f"[green]folded[/]: {shown}" if files else "[dim]no memory yet[/]")

    output.show({"ok": True, "files_rewritten": list(files), "bytes": sizes}, render)


def restore(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(help="Which; without one, list what could come back.")] = None,
) -> None:
    """Bring memories back that were erased or forgotten, or let superseded ones hold again."""
    output = of(context)
    if not ids:
        with output.memory(require_encoder=False) as memory:
            state = memory.state
            archive, forgotten = (
                sorted(place.values(), key=lambda record: record.ordinal) for place in (state.archive, state.forgotten)
            )
        envelope = {
            "ok": True,
            "archive": [{**record_json(each), "erased": _moment(each.erased_at)} for each in archive],
            "forgotten": [{**record_json(each), "forgotten": _moment(each.forgotten_at)} for each in forgotten],
        }
        output.show(envelope, _archive)
        return
    with output.memory() as memory:
        back = [record_json(record) for record in memory.restore(*ids)]
    output.show({"ok": True, "restored": back}, _restored)


def reindex(context: typer.Context) -> None:
    """Encode every memory anew, after a change of the encoder."""
    output = of(context)
    with output.memory(require_encoder=False) as memory:
        count = memory.reindex(progress=False if output.as_json else None)
        encoder = str(memory.encoder)
    output.show(
        {"ok": True, "memories": count, "encoder": encoder},
        lambda console, _: console.print(f"[green]encoded anew[/]: {count} memories with {literal(encoder)}"),
    )


def encrypt(
    context: typer.Context,
    key_file: Annotated[
        Path | None, typer.Option(help="The new key's file; else the key that is configured. Also changes a key.")
    ] = None,
) -> None:
    """Encrypt all files of the memory, copies included. Without the key they cannot be read again, ever."""
    output = of(context)
    configured = output.config.settings.store.passphrase
    passphrase = configured if key_file is None else read_key(key_file)
    if passphrase is None:
        hint = "Set NTM_MEMORY_KEY or store.key_file, or give --key-file."
        raise ConfigError("there is no key to encrypt with", hint=hint)
    try:
        store = _store(output.config, None)
    except KeyRefused:  # it is encrypted already
        store = _store(output.config, configured)
    _reseal(output, store, passphrase)


def decrypt(context: typer.Context) -> None:
    """Store the memory's files readable again; then take the key out of the configuration."""
    output = of(context)
    _reseal(output, _store(output.config), None)


def _reseal(output: Output, store: DirectoryStore, passphrase: str | None) -> None:
    done = Scrubbed()
    if store.encoder is not None:  # else there is nothing to seal, and no folder is made for it
        with store.transaction():
            done = store.reseal(passphrase)
    state = "encrypted" if passphrase is not None else "decrypted"

    def render(console: Console, _: Envelope) -> None:
        console.print(f"[green]{state}[/]: {', '.join(done.rewritten)}" if done.rewritten else "[dim]no memory yet[/]")

    files = {"files_rewritten": list(done.rewritten), "files_removed": list(done.removed)}
    output.show({"ok": True, "encrypted": passphrase is not None, **files}, render)


def _store(config: Config, *passphrase: str | None) -> DirectoryStore:
    """Open the files alone, with the configured key or another one: no model is needed to look after them."""
    settings = config.settings.store
    if passphrase:
        settings = replace(settings, passphrase=passphrase[0])
    return DirectoryStore(config.memory_file, clock=system_clock, settings=settings)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _archive(console: Console, envelope: Envelope) -> None:
    if not envelope["archive"] and not envelope["forgotten"]:
        console.print("[dim]nothing was erased or forgotten[/]")
    for each in envelope["archive"]:
        when = (each["erased"] or "")[:16].replace("T", " ")
        console.print(f"{each['id']} [dim]erased {when}[/] {literal(each['content'])}")
    for each in envelope["forgotten"]:
        when = (each["forgotten"] or "")[:16].replace("T", " ")
        console.print(f"{each['id']} [dim]forgotten {when}[/] {literal(each['content'])}")
        console.print(f"  [dim]{literal(each.get('forgotten_because', ''))}[/]")


def _restored(console: Console, envelope: Envelope) -> None:
    for each in envelope["restored"]:
        console.print(f"[green]restored[/] {each['id']} {literal(each['content'])}")
