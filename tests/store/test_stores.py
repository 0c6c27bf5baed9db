"""Both stores keep the contract of `store_contract.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ntm_memory_skill.store import MemoryStore, Store
from tests.store.builders import open_store
from tests.store.store_contract import StoreContract


class TestDirectoryStore(StoreContract):
    """The store on disk."""

    @pytest.fixture
    def store(self, path: Path) -> Store:
        """A store in a folder that does not exist yet."""
        return open_store(path)


class TestMemoryStore(StoreContract):
    """The store in this process alone."""

    @pytest.fixture
    def store(self) -> Store:
        """A store of nothing yet."""
        return MemoryStore()
