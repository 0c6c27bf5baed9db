"""What has to hold of a memory that is opened after something went wrong. Each breach says what had happened."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path

from ntm_memory_skill.errors import KeyRefused
from ntm_memory_skill.model import indexed_text
from ntm_memory_skill.store import DirectoryStore, snapshot
from ntm_memory_skill.store.feedback import FeedbackFile, Traces
from ntm_memory_skill.store.fold import Fold
from ntm_memory_skill.store.fs import FileSystem
from tests.store.builders import commit, compact, ident, open_store
from tests.store.disk import Picture
from tests.store.doubles import WatchedOS
from tests.store.ledger import Expected, after
from tests.store.operations import (
    EARLIER_SECRET,
    MEMORY,
    PLACE,
    PURGED,
    PURGED_TOO,
    REMARKS,
    SECRET,
    TELLING,
    Operation,
    laboratory,
    one_more,
    template,
)

_SOUND: dict[str, set[tuple[Picture, Hashable]]] = {}
"""By operation, what was found to be sound: different faults leave the same files, and those need no second look."""


class Examination:
    """Lays pictures of a memory's folder out, opens them, and looks whether all is as it must be.

    Args:
        root: A folder to lay them out in.
        operation: What was done to the memory.
    """

    def __init__(self, root: Path, operation: Operation) -> None:
        self.root, self.operation = root, operation
        self.path = root / PLACE
        self._sound = _SOUND.setdefault(operation.name, set())
        self._passphrase: str | None = None

    def sound(self, picture: Picture, expected: Expected, what: str) -> None:
        """Check that a memory is whole when it is opened, settled when it is opened again, and goes on working."""
        if (picture, expected.key) in self._sound:
            return
        picture.lay(self.root)
        with laboratory(WatchedOS()):
            if self.operation.mend is not None:
                self.operation.mend(self.path)
            store, self._passphrase = opened(self.path, expected, what)
            self.whole(store, expected, what)
            self.settled(store, what)
            self.working(store, expected, what)
        self._sound.add((picture, expected.key))

    def whole(self, store: DirectoryStore, expected: Expected, what: str) -> None:
        """Check what it says, its keys, and that no trace is left of what it purged."""
        assert store.state in expected.states, f"{what}: another state than all that may be"
        assert store.encoder in expected.encoders, f"{what}: another encoder"
        for trained, possible in expected.learnt.items():
            assert store.beside(trained) in possible, f"{what}: other {trained}, or none, or half of it"
        assert set(store.feedback()) <= {*REMARKS, *TELLING}, f"{what}: feedback that nobody gave"
        if store.encoder is not None:
            rows = store.key_rows()
            for known in store.state.remembered():
                digest = store.encoder.digest(indexed_text(known.key, known.content))
                place = rows.position(digest)
                assert place is not None or not expected.complete, f"{what}: the key of {known.id} is lost"
                assert place is None or rows.keys[place].tobytes() == expected.rows[digest], f"{what}: a wrong key"
        kept_secret(self.root, store, what)

    def settled(self, store: DirectoryStore, what: str) -> None:
        """Check that opening it again finds nothing to do and nothing amiss."""
        before = Picture.of(self.root)
        assert not before.temporaries(), f"{what}: temporary files are left: {before.temporaries()}"
        if self.operation.damage is not None:
            damaged = template(self.operation)[0].read(str(PLACE.with_name(f"{MEMORY}.{self.operation.damage}")))
            kept = {content for name, content, _ in before.files if f"{MEMORY}.damaged" in name}
            assert damaged in kept, f"{what}: the damaged file is gone"
        if before.read(str(PLACE)) is not None and not store.encrypted:
            for name, content in self.operation.copies:
                assert before.read(str(PLACE.with_name(name))) == content, f"{what}: the copy {name} is gone or changed"
        self.previous(store, what)
        again = self.again()
        assert (again.state, again.sequence, again.warnings) == (store.state, store.sequence, ()), f"{what}: unsettled"
        assert Picture.of(self.root) == before, f"{what}: the second opening changed files"

    def working(self, store: DirectoryStore, expected: Expected, what: str) -> None:
        """Check that it can be written and compacted."""
        states = {id(state): after(state, [one_more(store, 90)]) for state in expected.states if state == store.state}
        commit(store, one_more(store, 90))
        assert store.state in states.values(), f"{what}: a commit afterwards did something else"
        for _ in range(2):
            again = self.again()
            assert (again.state, again.warnings) == (store.state, ()), f"{what}: what was committed afterwards is lost"
            self.previous(again, what)
            compact(again)
            store.refresh()
        self.previous(store, what)
        kept_secret(self.root, store, what)

    def again(self) -> DirectoryStore:
        """Open the memory as another process would."""
        return open_store(self.path, passphrase=self._passphrase)

    def previous(self, store: DirectoryStore, what: str) -> None:
        """Check that the previous generation, where there is one, gives all that the snapshot holds.

        If folding got no further than keeping it, it is the present one, and gives what came since, too.
        """
        if not store.paths.previous[0].exists():
            return
        former, present = (path.read_bytes() for path in (store.paths.previous[0], store.paths.snapshot))
        journal = store.paths.previous[1].read_bytes() if store.paths.previous[1].exists() else None
        fold = Fold.of(former, journal, store._fold.seal)
        header, state = snapshot.decode(present, store._fold.seal)
        known = {header.sequence: state}
        if fold.generation == header.generation:
            known[store.sequence] = store.state
            assert header.sequence <= fold.sequence <= store.sequence, (
                f"{what}: the previous generation is out of place"
            )
        same = fold.state == known.get(fold.sequence, fold.state if fold.generation == header.generation else None)
        assert same, f"{what}: the previous generation is not what the snapshot was made of"


def opened(path: Path, expected: Expected, what: str) -> tuple[DirectoryStore, str | None]:
    """Open a memory with the one key that fits."""
    found = []
    for passphrase in expected.passphrases:
        try:
            found.append((open_store(path, passphrase=passphrase), passphrase))
        except KeyRefused:
            continue
    assert len(found) == 1, f"{what}: {len(found)} of {len(expected.passphrases)} keys fit"
    return found[0]


def kept_secret(root: Path, store: DirectoryStore, what: str) -> None:
    """Check that no file tells what a memory has purged; and of one that is encrypted, nothing of it."""
    files = Picture.of(root).files
    if {ident(PURGED), ident(PURGED_TOO)} <= store.state.tombstones.keys():
        found = sorted(name for name, content, _ in files if _tells(content))
        assert not found, f"{what}: what was purged is still in {found}"
        left = FeedbackFile(store.paths.feedback, FileSystem()).read(store._fold.seal, Traces(()))
        assert not set(left) & set(TELLING), f"{what}: feedback tells of what was purged"
    if store.encrypted:
        words = (b'"content":', b'"query":')
        readable = sorted(
            name for name, content, _ in files if _tells(content) or any(each in content for each in words)
        )
        assert not readable, f"{what}: there are readable memories or questions in {readable}"


def _tells(data: bytes) -> bool:
    """Return whether a file's bytes hold a part of a secret, as it is or as JSON writes it."""
    for text in (SECRET, EARLIER_SECRET):
        for line in text.splitlines():
            forms = {line.encode(), *(json.dumps(line, ensure_ascii=each)[1:-1].encode() for each in (True, False))}
            if any(form in data for form in forms):
                return True
    return False
