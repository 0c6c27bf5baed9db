"""The feedback: `ntm_memory.feedback.jsonl`, which given memories turned out to be of use, for training.

    {"query":"when do we launch?","ids":["m1","m2"],"used":"m2","how":"update","at":"2026-05-09T10:00:00+00:00"}

One JSON line each, oldest first. Lines are appended under the writers' lock and never waited for: what a crash takes of
them nobody was promised. A line that is torn, or anybody else's, is passed over. In an encrypted memory each line is
closed by itself, as {"sealed":"…"}, and one that can be read is anybody else's.

Questions are text, and may hold what a memory says: whatever could tell of a memory that was purged goes with it, and
with it all that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import orjson

from ntm_memory_skill.errors import KeyRefused, StoreDamaged
from ntm_memory_skill.model import Feedback, Record
from ntm_memory_skill.store.codec import feedback_from_json, feedback_to_json
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.store.seal import Seal

KEPT = 2_000
"""Lines that are kept, the newest; the file is cut back to them when it has twice as many."""
LONGEST = 2**13
"""Bytes of a line, before it is sealed: a question of some pages is not kept, so that the file stays small."""
PIECE = 12
"""Bytes in a row that a question must not share with a purged text: twelve letters, or four Chinese characters."""

_PURPOSE = b"feedback:"  # sealed with the line, so that no piece of another file can stand for it
_SEALED = re.compile(rb'\{"sealed":"([A-Za-z0-9_=-]+)"\}')


class Traces:
    """What could tell of purged memories.

    Args:
        idents: Their ids.
        records: Those of them whose text is still known.
    """

    def __init__(self, idents: Collection[str], records: Iterable[Record] = ()) -> None:
        self._idents = idents
        texts = {_plain(text) for record in records for text in _texts(record)} - {b""}
        self._short = {text for text in texts if len(text) < PIECE}
        self._pieces = {piece for text in texts for piece in _pieces(text)}

    def left_by(self, feedback: Feedback) -> bool:
        """Return whether a line names a purged memory, or its question and the memory's text have something in common.

        That is `PIECE` bytes in a row or, of a shorter text, all of it; blanks and the case of letters do not count.
        """
        if any(ident in self._idents for ident in feedback.ids):
            return True
        query = _plain(feedback.query)
        if any(text in query for text in self._short):
            return True
        return bool(self._pieces) and not self._pieces.isdisjoint(_pieces(query))


class FeedbackFile:
    """The file beside one memory. Whoever changes it holds the writers' lock.

    Args:
        path: Where it is.
        fs: The file system to call.
    """

    def __init__(self, path: Path, fs: FileSystem) -> None:
        self.path, self._fs = path, fs

    def read(self, seal: Seal | None, traces: Traces) -> list[Feedback]:
        """Return what is kept, oldest first, without what tells of a purged memory."""
        lines = [each for _, each in _ours(self._data(), seal) if not traces.left_by(each)]
        return lines[-KEPT:]

    def add(self, feedback: Feedback, seal: Seal | None) -> None:
        """Append a line, unless it is too long; cut the file back to the newest lines if it has grown too far.

        A torn end is written over.
        """
        text = line(feedback, seal)
        if text is None:
            return
        data = self._data()
        if data.count(b"\n") < 2 * KEPT:
            self._fs.append(self.path, text, data.rfind(b"\n") + 1, sync=False)
        else:
            former = [each for each, _ in _ours(data, seal)]
            self._fs.replace(self.path, b"".join([*former, text][-KEPT:]))

    def clean(self, seal: Seal | None, traces: Traces) -> bool:
        """Write the file anew without what tells of a purged memory, and return whether there was such a thing."""
        data = self._data()
        left = b"".join(text for text, each in _ours(data, seal) if not traces.left_by(each))
        if left == data:
            return False
        self._fs.replace(self.path, left)
        return True

    def write(self, lines: Iterable[Feedback], seal: Seal | None) -> None:
        """Put these lines in the place of all that is there."""
        texts = (line(each, seal) for each in lines)
        self._fs.replace(self.path, b"".join(text for text in texts if text is not None))

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self._fs.remove(self.path)

    def _data(self) -> bytes:
        found = self._fs.read(self.path)
        return b"" if found is None else found[0]


def line(feedback: Feedback, seal: Seal | None = None) -> bytes | None:
    """Return the line of a piece of feedback; None if it is too long."""
    text = orjson.dumps(feedback_to_json(feedback))
    if len(text) >= LONGEST:
        return None
    return text + b"\n" if seal is None else b'{"sealed":"%s"}\n' % seal.encrypt(_PURPOSE + text)


def _ours(data: bytes, seal: Seal | None) -> Iterator[tuple[bytes, Feedback]]:
    """Give the lines that are whole and of this memory: each as it is written, and what it says.

    As it is written, not as it was read: what else stood between its words is left out.
    """
    for text in data.split(b"\n")[:-1]:
        try:
            if seal is None:
                feedback = feedback_from_json(orjson.loads(text))
                yield orjson.dumps(feedback_to_json(feedback)) + b"\n", feedback
            else:
                yield text + b"\n", feedback_from_json(orjson.loads(_opened(text, seal)))
        except (orjson.JSONDecodeError, StoreDamaged, KeyRefused):
            continue


def _opened(text: bytes, seal: Seal) -> bytes:
    found = _SEALED.fullmatch(text)
    opened = b"" if found is None else seal.decrypt(found[1])
    if not opened.startswith(_PURPOSE):
        raise StoreDamaged("the line is no feedback of this memory")
    return opened[len(_PURPOSE) :]


def _texts(record: Record) -> Iterator[str]:
    """Give all that a memory says and has said, and its name."""
    yield record.content
    yield from (version.content for version in record.versions)
    if record.key is not None:
        yield record.key


def _plain(text: str) -> bytes:
    return " ".join(text.casefold().split()).encode()


def _pieces(text: bytes) -> Iterator[bytes]:
    return (text[start : start + PIECE] for start in range(len(text) - PIECE + 1))
