"""One server's entry in an MCP client's file: put there or taken out, all else left as it stands."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from ntm_memory_skill.errors import HostRefused, InvalidArgument
from ntm_memory_skill.hosts.setup.clients import CLIENTS, SERVER, Client, Entry, snippet
from ntm_memory_skill.hosts.setup.documents import Document
from ntm_memory_skill.hosts.setup.files import read_file, remove_file, replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What will be different in a client's file."""

    client: Client
    file: Path
    """The real one, where links lead."""
    before: Entry | None
    after: Entry | None
    """None where the entry is to go."""
    data: bytes | None
    """The file's bytes as found; None if there is none."""
    result: bytes | None
    """Its bytes afterwards; None if it goes, since nothing of anybody else's is in it."""

    @property
    def needed(self) -> bool:
        """Whether anything will be different."""
        return self.before != self.after


def locate(name: str, home: Path, project: Path | None) -> Path:
    """Return a client's file, where links lead; a link in a project must not lead out of it, for others made it.

    Raises:
        InvalidArgument: The client reads no file of a project's.
        HostRefused: A link leads out of the project.
    """
    client = CLIENTS[name]
    file = client.file(home, project)
    if file is None:
        raise InvalidArgument(f"{client.title} has no configuration for a project", hint="Leave out --project.")
    real = file.resolve()
    if project is not None and not real.is_relative_to(project.resolve()):
        raise HostRefused(f"{file} leads to {real}, out of the project", hint="Put a file in the link's place.")
    return real


def prepare(client: Client, file: Path, entry: Entry | None) -> Edit:
    """Find out what has to be different in a client's file so that it holds just this entry, or none.

    Raises:
        HostRefused: The file cannot be read, or not be written again without a loss; the hint has what to put there.
    """
    data = read_file(file)
    try:
        document = client.format.parse(data or b"")
        servers = document.get(client.servers, {})
        if not isinstance(servers, MutableMapping):
            raise HostRefused(f"{client.servers!r} is no table of servers")
    except HostRefused as error:
        task = f"Take {SERVER} out of it" if entry is None else f"Put this into it by hand:\n{snippet(client, entry)}"
        raise HostRefused(f"{file} is left as it is: {error.message}", hint=task) from error
    before = _plain(servers.get(SERVER))
    if before == entry:
        result = data
    elif entry is None:
        result = _without(client, document, data or b"", before)
    else:
        result = _with(client, document, data or b"", entry)
    return Edit(client=client, file=file, before=before, after=entry, data=data, result=result)


def make(edit: Edit) -> None:
    """Write the file; what somebody has written into it since it was read stays.

    Raises:
        HostRefused: As in `prepare`, or it cannot be written.
    """
    if read_file(edit.file) != edit.data:
        edit = prepare(edit.client, edit.file, edit.after)
    if edit.result is None:
        remove_file(edit.file)
    elif edit.result != edit.data:
        replace_file(edit.file, edit.result)


def _with(client: Client, document: Document, data: bytes, entry: Entry) -> bytes:
    if client.servers in document:
        document[client.servers][SERVER] = entry
    else:
        document[client.servers] = {SERVER: entry}
    return client.format.render(document, data)


def _without(client: Client, document: Document, data: bytes, before: Entry | None) -> bytes | None:
    """Return the file without the entry, and without a table that held nothing else; None if all of it was ours."""
    if data == _with(client, client.format.parse(b""), b"", before or {}):
        return None
    del document[client.servers][SERVER]
    if not document[client.servers]:
        del document[client.servers]
    return client.format.render(document, data)


def _plain(value: object) -> Entry | None:
    """Return a table as plain values."""
    return dict(value) if isinstance(value, MutableMapping) else None
