"""Other stores, and ours, behind two small protocols: a `Rival` opens a folder, a `Handle` adds, finds and lists texts.

An added text is acknowledged when `add` has returned. None of the rivals is a dependency: they are imported when they
are opened, and `install` says how to get what is missing. All take their keys from the encoder that they are given, and
are used as their own documentation says: sqlite-vec with one transaction an add, in WAL mode; Chroma through its
PersistentClient; LanceDB with a full-text index beside the vectors, its default fusion of the two, and `optimize` after
every 20 additions; mem0 with the local Qdrant that it takes by default. None of them is let onto the network.
"""

from __future__ import annotations

import importlib
import logging
import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from ntm_memory_skill import Encoder, NTMMemoryManager, Settings, __version__
from ntm_memory_skill.errors import NTMMemoryError
from ntm_memory_skill.model import indexed_text
from ntm_memory_skill.sources import system_clock

DIMENSION = 384  # of the keys: that of the sentence encoder that most of these stores are used with
LONGEST = 10_000_000  # characters: some sets hold texts that are far longer than a memory may be by default
OPTIMIZE_EVERY = 20  # additions: LanceDB's own rule of thumb
USER = "user"
SCHEMA = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS memories (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS keys USING vec0 (key float[{DIMENSION}]);
"""
NEAREST = """
SELECT memories.id, memories.text FROM keys JOIN memories ON memories.id = keys.rowid
WHERE keys.key MATCH ? AND keys.k = ? ORDER BY keys.distance
"""

Item = Mapping[str, Any]
"""A memory as the arguments of `memorize`: its content, and what else is known, which most stores have no use for."""


class Handle(Protocol):
    """An open store."""

    def add(self, item: Item) -> str:
        """Store a memory, and return its id once the store says that it is stored."""

    def listed(self) -> dict[str, str]:
        """Return all texts by id."""

    def close(self) -> None:
        """Let go of it."""


class Finder(Handle, Protocol):
    """An open store that finds texts by meaning."""

    def add_many(self, items: Sequence[Item]) -> list[str]:
        """Store memories in the way that the store offers for many, and return their ids in order."""

    def search(self, question: str, top_k: int, asked: datetime | None = None) -> list[str]:
        """Return the ids of what answers a question, best first; `asked` is when, None now, for a store that minds."""


class Rival(Protocol):
    """A kind of store."""

    name: str
    install: str
    """The command that installs it."""
    errors: tuple[type[Exception], ...]
    """What it raises when it refuses; known once it was opened."""

    def version(self) -> str | None:
        """Return which version would be opened here; None if it is not installed."""

    def open(self, folder: Path) -> Handle:
        """Open the store in a folder, or begin one."""


class FindingRival(Rival, Protocol):
    """A kind of store that finds texts by meaning."""

    remark: str
    """What a reader of its figures should know; may be empty."""

    def open(self, folder: Path) -> Finder:
        """Open the store in a folder, or begin one."""


def text_of(item: Item) -> str:
    """Return the text that a memory is found by: the same for all stores."""
    return indexed_text(item.get("key"), item["content"])


class _Keyed:
    """Who takes keys from an encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder


class Ours(_Keyed):
    """This package, as it comes."""

    name = "ntm-memory-skill"
    install = "pip install -e ."
    remark = "also told, where the set says so, in which chat and when a text was said, and when a question was asked"
    errors: tuple[type[Exception], ...] = (NTMMemoryError,)

    def version(self) -> str | None:
        """Return the package's own version."""
        return __version__

    def open(self, folder: Path) -> Finder:
        """Open the memory."""
        return _OurHandle(folder / "ntm_memory.json", self._encoder)


class _OurHandle:
    def __init__(self, path: Path, encoder: Encoder) -> None:
        self._asked: datetime | None = None
        settings = Settings(content_limit=LONGEST)
        self._memory = NTMMemoryManager.open(path, settings=settings, encoder=encoder, clock=self._now)

    def add(self, item: Item) -> str:
        return self._memory.memorize(**item).id

    def add_many(self, items: Sequence[Item]) -> list[str]:
        return self._memory.memorize_many(items, progress=False)

    def search(self, question: str, top_k: int, asked: datetime | None = None) -> list[str]:
        self._asked = asked
        return [hit.id for hit in self._memory.search(question, top_k=top_k)]

    def listed(self) -> dict[str, str]:
        return {ident: record.content for ident, record in self._memory.state.records.items()}

    def close(self) -> None:
        self._memory.close()

    def _now(self) -> datetime:
        return system_clock() if self._asked is None else self._asked


class SqliteVec(_Keyed):
    """A table of texts and a vec0 table of keys, changed in one transaction."""

    name = "sqlite-vec"
    install = "pip install sqlite-vec pysqlite3-binary"
    remark = ""
    errors: tuple[type[Exception], ...] = ()

    def version(self) -> str | None:
        """Return that of sqlite-vec, if there is a sqlite3 to load it into."""
        return None if find_spec("sqlite_vec") is None or self._driver() is None else version("sqlite-vec")

    def open(self, folder: Path) -> Finder:
        """Open the database."""
        sqlite3: Any = self._driver()
        vec: Any = importlib.import_module("sqlite_vec")
        self.errors = (sqlite3.Error,)
        database = sqlite3.connect(str(folder / "memory.db"), isolation_level=None)
        database.enable_load_extension(True)
        vec.load(database)
        database.executescript(SCHEMA)
        return _SqliteHandle(database, self._encoder)

    def _driver(self) -> Any:
        """Return a sqlite3 module that can load extensions; many builds of Python have one that cannot."""
        for name in ("sqlite3", "pysqlite3"):
            if find_spec(name) is not None:
                module: Any = importlib.import_module(name)
                if hasattr(module.Connection, "enable_load_extension"):
                    return module
        return None


class _SqliteHandle:
    def __init__(self, database: Any, encoder: Encoder) -> None:
        self._database = database
        self._encoder = encoder

    def add(self, item: Item) -> str:
        return self.add_many([item])[0]

    def add_many(self, items: Sequence[Item]) -> list[str]:
        texts = [text_of(item) for item in items]
        keys = self._encoder.encode_passages(texts)
        idents = []
        with self._database:  # rolls back if anything is raised
            self._database.execute("BEGIN IMMEDIATE")
            for text, key in zip(texts, keys, strict=True):
                row = self._database.execute("INSERT INTO memories (text) VALUES (?)", (text,)).lastrowid
                self._database.execute("INSERT INTO keys (rowid, key) VALUES (?, ?)", (row, key.tobytes()))
                idents.append(str(row))
        return idents

    def search(self, question: str, top_k: int, asked: datetime | None = None) -> list[str]:  # noqa: ARG002  # protocol
        key = self._encoder.encode_query(question).tobytes()
        return [str(row) for row, _ in self._database.execute(NEAREST, (key, top_k))]

    def listed(self) -> dict[str, str]:
        found = self._database.execute("SELECT id, text FROM memories JOIN keys ON keys.rowid = memories.id")
        return {str(row): text for row, text in found}

    def close(self) -> None:
        self._database.close()


class Chroma(_Keyed):
    """A collection of a persistent client."""

    name = "chroma"
    install = "pip install chromadb"
    remark = ""
    errors: tuple[type[Exception], ...] = ()

    def version(self) -> str | None:
        """Return that of the package."""
        return None if find_spec("chromadb") is None else version("chromadb")

    def open(self, folder: Path) -> Finder:
        """Open the collection."""
        chromadb: Any = importlib.import_module("chromadb")
        self.errors = (chromadb.errors.ChromaError, ValueError, RuntimeError)
        client = chromadb.PersistentClient(str(folder), chromadb.Settings(anonymized_telemetry=False))
        collection = client.get_or_create_collection("memories", embedding_function=None)
        return _ChromaHandle(collection, client.get_max_batch_size(), self._encoder)


class _ChromaHandle:
    def __init__(self, collection: Any, batch: int, encoder: Encoder) -> None:
        self._collection = collection
        self._batch = batch
        self._encoder = encoder

    def add(self, item: Item) -> str:
        return self.add_many([item])[0]

    def add_many(self, items: Sequence[Item]) -> list[str]:
        texts, idents = [text_of(item) for item in items], [str(uuid.uuid4()) for _ in items]
        keys = self._encoder.encode_passages(texts)
        for start in range(0, len(texts), self._batch):
            part = slice(start, start + self._batch)
            self._collection.add(ids=idents[part], embeddings=keys[part], documents=texts[part])
        return idents

    def search(self, question: str, top_k: int, asked: datetime | None = None) -> list[str]:  # noqa: ARG002  # protocol
        key = self._encoder.encode_query(question)
        found = self._collection.query(query_embeddings=[key], n_results=top_k)
        return list(found["ids"][0])

    def listed(self) -> dict[str, str]:
        found = self._collection.get(include=["documents"])
        return dict(zip(found["ids"], found["documents"], strict=True))

    def close(self) -> None:
        """Do nothing: a persistent client has nothing to close."""


class LanceDB(_Keyed):
    """A table with a vector and a text column, searched by meaning, or by both.

    Args:
        encoder: Makes the keys.
        tokenizer: That of the full-text index beside the vectors: "simple", its default, or "icu", which knows words
            that are written without blanks; None has no such index, and searches by meaning alone.
    """

    install = "pip install lancedb"
    errors: tuple[type[Exception], ...] = (ValueError, RuntimeError, OSError)

    def __init__(self, encoder: Encoder, tokenizer: str | None) -> None:
        super().__init__(encoder)
        self._tokenizer = tokenizer
        self.name = "LanceDB" if tokenizer is None else f"LanceDB hybrid, {tokenizer}"
        self.remark = "" if tokenizer is None else f"meaning and words by reciprocal rank; tokenizer: {tokenizer}"

    def version(self) -> str | None:
        """Return that of the package."""
        return None if find_spec("lancedb") is None else version("lancedb")

    def open(self, folder: Path) -> Finder:
        """Open the table."""
        lancedb: Any = importlib.import_module("lancedb")
        arrow: Any = importlib.import_module("pyarrow")
        text, vector = arrow.string(), arrow.list_(arrow.float32(), DIMENSION)
        schema = arrow.schema([("id", text), ("text", text), ("vector", vector)])
        table = lancedb.connect(str(folder)).create_table("memories", schema=schema, exist_ok=True)
        if self._tokenizer is not None and not table.list_indices():
            words: Any = importlib.import_module("lancedb.index").FTS(base_tokenizer=self._tokenizer)
            table.create_index("text", config=words)
        return _LanceHandle(table, self._encoder, hybrid=self._tokenizer is not None)


class _LanceHandle:
    def __init__(self, table: Any, encoder: Encoder, *, hybrid: bool) -> None:
        self._table = table
        self._encoder = encoder
        self._hybrid = hybrid
        self._additions = 0

    def add(self, item: Item) -> str:
        (ident,) = self._add([item])
        self._additions += 1
        if self._additions % OPTIMIZE_EVERY == 0:
            self._table.optimize()
        return ident

    def add_many(self, items: Sequence[Item]) -> list[str]:
        idents = self._add(items)
        self._table.optimize()  # takes them into the index of words
        return idents

    def _add(self, items: Sequence[Item]) -> list[str]:
        texts, idents = [text_of(item) for item in items], [str(uuid.uuid4()) for _ in items]
        keys = self._encoder.encode_passages(texts)
        columns = zip(idents, texts, keys, strict=True)
        self._table.add([{"id": ident, "text": text, "vector": key} for ident, text, key in columns])
        return idents

    def search(self, question: str, top_k: int, asked: datetime | None = None) -> list[str]:  # noqa: ARG002  # protocol
        key = self._encoder.encode_query(question)
        if self._hybrid:
            found = self._table.search(query_type="hybrid").vector(key).text(question)
        else:
            found = self._table.search(key)
        return [row["id"] for row in found.limit(top_k).to_list()]

    def listed(self) -> dict[str, str]:
        return {row["id"]: row["text"] for row in self._table.to_arrow().to_pylist()}

    def close(self) -> None:
        """Do nothing: every addition is a version of its own on disk."""


class Mem0(_Keyed):
    """One user's memories, stored as they are: no language model draws facts from them."""

    name = "mem0"
    install = "pip install mem0ai"
    remark = "infer=False, local Qdrant; searches by meaning alone where fastembed and its files are not installed"
    errors: tuple[type[Exception], ...] = (ValueError, RuntimeError, OSError)

    def version(self) -> str | None:
        """Return that of the package."""
        return None if find_spec("mem0") is None else version("mem0ai")

    def open(self, folder: Path) -> Finder:
        """Open the memory."""
        os.environ.update(MEM0_TELEMETRY="False", MEM0_DIR=str(folder), HF_HUB_OFFLINE="1")  # read when it is imported
        logging.getLogger("mem0").setLevel(logging.ERROR)  # it warns of each thing that is not installed
        mem0: Any = importlib.import_module("mem0")
        nobody = {"provider": "openai", "config": {"api_key": "unused"}}  # wants to be named, and is never called
        place = {"path": str(folder / "qdrant"), "embedding_model_dims": DIMENSION}
        store, history = {"provider": "qdrant", "config": place}, str(folder / "history.db")
        memory = mem0.Memory.from_config(
            {"vector_store": store, "llm": nobody, "embedder": nobody, "history_db_path": history}
        )
        memory.embedding_model = _Mem0Encoder(self._encoder)
        return _Mem0Handle(memory)


class _Mem0Encoder(_Keyed):
    """What mem0 asks for keys."""

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        asked = memory_action == "search"
        key = self._encoder.encode_query(text) if asked else self._encoder.encode_passages([text])[0]
        return list(key.tolist())


class _Mem0Handle:
    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def add(self, item: Item) -> str:
        return str(self._memory.add(text_of(item), user_id=USER, infer=False)["results"][0]["id"])

    def add_many(self, items: Sequence[Item]) -> list[str]:
        messages = [{"role": "user", "content": text_of(item)} for item in items]
        return [str(each["id"]) for each in self._memory.add(messages, user_id=USER, infer=False)["results"]]

    def search(self, question: str, top_k: int, asked: datetime | None = None) -> list[str]:  # noqa: ARG002  # protocol
        found = self._memory.search(question, filters={"user_id": USER}, top_k=top_k)
        return [str(each["id"]) for each in found["results"]]

    def listed(self) -> dict[str, str]:
        found = self._memory.get_all(filters={"user_id": USER}, top_k=LONGEST)
        return {str(each["id"]): each["memory"] for each in found["results"]}

    def close(self) -> None:
        self._memory.close()
        self._memory.vector_store.client.close()
