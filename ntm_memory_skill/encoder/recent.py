"""What was worked out for the latest texts, so that the same text is not worked on twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """A value for each of the texts that were used last; of more than it has room for, the one used longest ago goes.

    A text is known by its hash (BLAKE2b, 16 bytes): an entry takes as much room for a long text as for a short one, and
    nothing that was asked stays readable in here. Threads may use it at once.

    Args:
        room: How many texts, 1 and up.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._using = threading.Lock()
        self._values: OrderedDict[bytes, Value] = OrderedDict()

    def __len__(self) -> int:
        """How many texts have a value."""
        return len(self._values)

    def get(self, text: str) -> Value | None:
        """Return the value of a text, which then was used last; None where there is none."""
        name = _name(text)
        with self._using:
            value = self._values.get(name)
            if value is not None:
                self._values.move_to_end(name)
            return value

    def put(self, text: str, value: Value) -> None:
        """Keep a value, which must not be None, for a text."""
        name = _name(text)
        with self._using:
            self._values[name] = value
            self._values.move_to_end(name)
            if len(self._values) > self._room:
                self._values.popitem(last=False)


def _name(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
