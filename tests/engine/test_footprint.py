"""What an open memory takes of the process's memory, when its parts are built, and that each is there once."""

from __future__ import annotations

import mmap
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from sys import getsizeof

import numpy as np
import pytest

from ntm_memory_skill import HashedEncoder, NTMMemoryManager, Settings
from ntm_memory_skill.encoder import Progress
from ntm_memory_skill.engine.footprint import LOOKED_AT, Footprint
from ntm_memory_skill.errors import StoreClosed
from ntm_memory_skill.model import Record
from ntm_memory_skill.store import DirectoryStore, State
from ntm_memory_skill.store.fs import FileSystem
from ntm_memory_skill.transfer import to_jsonl
from tests.conftest import EPOCH, OpenMemory

ROOM = Settings(memory_size=10_000)


@pytest.fixture
def written(path: Path, hashed: HashedEncoder) -> Path:
    """A memory on disk."""
    with NTMMemoryManager.open(path, encoder=hashed) as memory:
        memory.memorize_many([{"content": f"text {number}", "session": "s"} for number in range(8)], progress=False)
    return path


class TestParts:
    """Bytes by part."""

    def test_nothing_is_loaded_to_be_counted(self, written: Path, hashed: HashedEncoder) -> None:
        """Neither before nor after."""
        with NTMMemoryManager.open(written, encoder=hashed) as memory:
            for _ in range(2):
                found = memory.footprint()
                assert (found.rows, found.quantised_rows, found.words) == (None, None, None)
            assert found.total == found.texts + found.records

    def test_what_is_loaded_is_counted(self, written: Path, hashed: HashedEncoder) -> None:
        """Rows by their numbers, texts by the strings that hold them."""
        with NTMMemoryManager.open(written, encoder=hashed) as memory:
            before = memory.footprint()
            memory.search("text 3", counted=False)
            found = memory.footprint()
            assert found.rows == 8 * 64 * 4
            assert found.words is not None
            assert found.words > 0
            assert found.texts == before.texts == sum(getsizeof(each.content) for each in memory.state.records.values())
            assert found.total == before.total + found.rows + found.words
            assert found.per_memory == round(found.total / 8)
            memory.search("text 3", counted=False, include_forgotten=True)
            assert memory.footprint().rows == 2 * 8 * 64 * 4

    def test_quantised_rows_are_counted_where_there_are_some(self, path: Path) -> None:
        """A quarter of the rows, and three numbers for each."""
        pytest.importorskip("numkong")
        encoder = HashedEncoder(dimension=64)
        with NTMMemoryManager.open(path, encoder=encoder, settings=ROOM) as memory:
            memory.memorize_many([{"content": f"text {number}"} for number in range(2_100)], progress=False)
            memory.search("text 3", counted=False)
            found = memory.footprint()
            assert found.quantised_rows is not None
            assert found.quantised_rows >= 2_100 * (64 + 3 * 4)

    def test_keys_wait_in_the_journal_until_it_is_folded(self, open_memory: OpenMemory) -> None:
        """Four bytes a number."""
        memory = open_memory()
        memory.memorize("x")
        dimension = memory.footprint().waiting_keys // 4
        assert dimension == memory.encoder.dimension if memory.encoder is not None else None
        memory.compact()
        assert memory.footprint().waiting_keys == 0

    def test_forgotten_and_erased_memories_are_counted(self, open_memory: OpenMemory) -> None:
        """They are in the process as well."""
        memory = open_memory()
        ident = memory.memorize("a text that is erased").id
        before = memory.footprint()
        memory.erase(ident)
        after = memory.footprint()
        assert (
            (after.memories, after.texts) == (before.memories, before.texts) == (1, getsizeof("a text that is erased"))
        )

    def test_an_empty_memory_has_no_share(self, open_memory: OpenMemory) -> None:
        """Nothing is divided by nothing."""
        found = open_memory().footprint()
        assert (found.memories, found.texts, found.per_memory) == (0, 0, None)

    def test_a_closed_memory_is_refused(self, open_memory: OpenMemory) -> None:
        """As every other look at it is."""
        memory = open_memory()
        memory.close()
        with pytest.raises(StoreClosed):
            memory.footprint()

    def test_of_many_an_even_choice_is_looked_at(self) -> None:
        """All of them are alike here, so that the estimate is right."""
        count = 3 * LOOKED_AT
        records = {
            f"m{number:05d}": Record(
                id=f"m{number:05d}", slot=number, ordinal=number, content=f"{number:05d}", created=EPOCH, at=EPOCH
            )
            for number in range(count)
        }
        found = Footprint.of(State(records=records), 0, ())
        assert found.texts == count * getsizeof("00000")


class TestLaziness:
    """What is built when."""

    @pytest.fixture(autouse=True)
    def _no_keys(self, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let nobody read the key file, once it has been written."""

        def refused(*_: object) -> None:
            raise AssertionError("the key rows were read")

        monkeypatch.setattr(DirectoryStore, "key_rows", refused)
        monkeypatch.setattr(FileSystem, "map", refused)

    @pytest.mark.parametrize(
        "look",
        [
            len,
            lambda memory: memory.state,
            lambda memory: memory.get(next(iter(memory.state.records))),
            lambda memory: list(to_jsonl(list(memory.state.records.values()))),
            lambda memory: memory.footprint(),
            lambda memory: memory.update(next(iter(memory.state.records)), importance=0.9),
            lambda memory: memory.erase(next(iter(memory.state.records))),
            lambda memory: memory.erase(next(iter(memory.state.records)), strength=0.5),
        ],
        ids=["count", "state", "get", "export", "footprint", "update", "erase", "fade"],
    )
    def test_it_needs_neither_keys_nor_a_matrix(
        self, written: Path, hashed: HashedEncoder, look: Callable[[NTMMemoryManager], object]
    ) -> None:
        """The state is enough."""
        memory = NTMMemoryManager.open(written, encoder=hashed)  # closing would fold, which needs the keys
        look(memory)
        assert memory.footprint().rows is None


class TestOpening:
    """How much is held while the matrix is filled."""

    @pytest.fixture
    def maps(self, monkeypatch: pytest.MonkeyPatch) -> list[mmap.mmap]:
        """Collect the maps that are made of files."""
        made: list[mmap.mmap] = []
        real = FileSystem.map

        def watched(fs: FileSystem, file: Path) -> bytes | mmap.mmap | None:
            found = real(fs, file)
            made.extend([found] if isinstance(found, mmap.mmap) else [])
            return found

        monkeypatch.setattr(FileSystem, "map", watched)
        return made

    def test_the_peak_is_the_matrix_and_little_else(self, path: Path) -> None:
        """Far from another copy of all keys: they come from a map of their file, a tile at a time."""
        encoder, count = HashedEncoder(dimension=1024), 4_000
        with NTMMemoryManager.open(path, encoder=encoder, settings=ROOM) as memory:
            memory.memorize_many([{"content": f"text {number}"} for number in range(count)], progress=False)
        with NTMMemoryManager.open(path, encoder=encoder, settings=ROOM) as memory:
            tracemalloc.start()
            try:
                memory.warm_up()
                held, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        matrix = count * 1024 * 4
        assert held > matrix
        assert peak - held < matrix / 2

    def test_the_key_file_is_let_go_of(self, written: Path, hashed: HashedEncoder, maps: list[mmap.mmap]) -> None:
        """Windows could not replace it otherwise, and folding would fail."""
        with NTMMemoryManager.open(written, encoder=hashed) as memory:
            memory.search("text 3")
            memory.memorize("another text")
            memory.compact()
        assert len(maps) >= 2
        assert all(each.closed for each in maps)

    def test_it_is_let_go_of_before_anything_is_encoded(self, written: Path, maps: list[mmap.mmap]) -> None:
        """Which may take minutes."""
        keys = written.with_name("ntm_memory.keys.npy")
        data = bytearray(keys.read_bytes())
        data[-1] ^= 0xFF  # the last key is lost
        keys.write_bytes(data)
        closed: list[bool] = []

        class Watching(HashedEncoder):
            """An encoder that looks whether the file is mapped."""

            def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> np.ndarray:
                """Take note, and encode."""
                closed.extend(each.closed for each in maps)
                return super().encode_passages(texts, on_progress)

        with NTMMemoryManager.open(written, encoder=Watching(dimension=64)) as memory:
            memory.warm_up()
        assert closed == [True]
