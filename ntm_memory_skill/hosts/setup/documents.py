"""An MCP client's configuration file as a value and back: JSON, or TOML. What is not changed reads the same afterwards.

A file that holds more than such a value can (comments in JSON, a name twice) is refused: writing it would lose that.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import MutableMapping
from typing import Any, Protocol

from ntm_memory_skill.errors import HostRefused

Document = MutableMapping[str, Any]

_INDENT = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_ESCAPE = re.compile(rb"\\u(?!00[0-7])")  # a letter beyond ASCII


class Format(Protocol):
    """How a file holds its value."""

    def parse(self, data: bytes) -> Document:
        """Return the value in a file's bytes; no bytes hold an empty one.

        Raises:
            HostRefused: They hold none, or more than that.
        """

    def render(self, document: Document, like: bytes) -> bytes:
        """Return a value's bytes, laid out like those that it came from."""


class JsonFormat:
    """Plain JSON."""

    def parse(self, data: bytes) -> Document:
        """Return the object in the bytes; see `Format.parse`."""
        try:
            text = data.decode("utf-8-sig")
            found = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse) if text.strip() else {}
        except ValueError as error:
            raise HostRefused(f"not plain JSON: {error}") from error
        if not isinstance(found, dict):
            raise HostRefused("not plain JSON with an object in it")
        return found

    def render(self, document: Document, like: bytes) -> bytes:
        """Return the object's bytes, with indentation, line ends and byte order mark as they were."""
        text = like.decode("utf-8-sig")
        indent = _INDENT.search(text)
        on_one_line = len(text.strip()) > len("{}") and "\n" not in text.strip()
        layout: str | int | None = None if on_one_line else indent[1] if indent else 2
        escaped = like.isascii() and _ESCAPE.search(like) is not None
        try:
            data = json.dumps(document, indent=layout, ensure_ascii=escaped).encode()
        except UnicodeEncodeError:  # half a surrogate pair, which only an escape can write
            data = json.dumps(document, indent=layout).encode()
        if not text.strip() or text.endswith("\n"):
            data += b"\n"
        if b"\r\n" in like:
            data = data.replace(b"\n", b"\r\n")
        return codecs.BOM_UTF8 + data if like.startswith(codecs.BOM_UTF8) else data


class TomlFormat:
    """TOML, with its comments and its layout."""

    def parse(self, data: bytes) -> Document:
        """Return the document in the bytes; see `Format.parse`."""
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            return tomlkit.parse(data.decode("utf-8"))
        except (TOMLKitError, UnicodeDecodeError) as error:
            raise HostRefused(f"not TOML: {error}") from error

    def render(self, document: Document, like: bytes) -> bytes:
        """Return the document's bytes, with the end as it was: a table that goes leaves the blank line above it."""
        import tomlkit

        end = like[len(like.rstrip(b"\r\n")) :] if like.strip() else b"\n"
        return tomlkit.dumps(document).encode().rstrip(b"\r\n") + end


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in dict(pairs[:number]))
        raise ValueError(f"{twice!r} stands twice in one object")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
