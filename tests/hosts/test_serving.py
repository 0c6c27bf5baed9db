"""What a process is made before it serves: one thread for torch, one heap for all threads, and seldom garbage."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ntm_memory_skill.hosts.compose import prepare_to_serve

M_ARENA_MAX = -8


class Library:
    """A C library that notes what it is told; one without `mallopt` if nothing can be told."""

    def __init__(self, *, tells: bool = True) -> None:
        self.told: list[tuple[int, int]] = []
        if tells:
            self.mallopt = lambda name, value: self.told.append((name, value))


@pytest.fixture(autouse=True)
def collecting() -> Iterator[tuple[int, int, int]]:
    """When a new Python looks for garbage; put back afterwards, whatever an earlier test had this process serve."""
    before, fresh = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*fresh)
    yield fresh
    gc.set_threshold(*before)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """The C library of a Linux system, in whose environment nothing is set."""
    made = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: made)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("MALLOC_ARENA_MAX", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever a test leaves there
        monkeypatch.delenv(name)
    return made


class TestHeap:
    """Where threads take their memory from."""

    def test_all_threads_share_one(self, library: Library) -> None:
        """By the C library's own setting; torch is kept to one thread besides."""
        prepare_to_serve()
        assert library.told == [(M_ARENA_MAX, 1)]
        assert os.environ["OMP_NUM_THREADS"] == "1"

    @pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "OMP_NUM_THREADS"])
    def test_what_the_owner_set_stands(self, library: Library, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """It is theirs to know better."""
        monkeypatch.setenv(name, "4")
        prepare_to_serve()
        assert os.environ[name] == "4"
        assert bool(library.told) == (name == "OMP_NUM_THREADS")

    @pytest.mark.parametrize("missing", ["mallopt", "library", "linux"])
    def test_elsewhere_nothing_happens(self, library: Library, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
        """Another C library has other heaps, or none to set."""

        def none(_: Any) -> Any:
            raise OSError("no such library")

        match missing:
            case "mallopt":
                monkeypatch.setattr(ctypes, "CDLL", lambda _: Library(tells=False))
            case "library":
                monkeypatch.setattr(ctypes, "CDLL", none)
            case _:
                monkeypatch.setattr(sys, "platform", "darwin")
        prepare_to_serve()
        assert library.told == []


class TestGarbage:
    """How often Python looks for it."""

    def test_it_is_looked_for_less_often_and_still_is(self, library: Library, collecting: tuple[int, int, int]) -> None:
        """After more new objects; the older ones in the proportion that they always had."""
        prepare_to_serve()
        young, *older = gc.get_threshold()
        assert gc.isenabled()
        assert young > 5 * collecting[0]
        assert older == list(collecting[1:])
