"""Texts that threads ask for at the same time: one run for many, and nobody pays for another's mistake."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_memory_skill import HashedEncoder, SentenceEncoder
from ntm_memory_skill.encoder import batching, exporting
from ntm_memory_skill.encoder.batching import CHUNK, LARGEST, BatchingEncoder
from ntm_memory_skill.encoder.pieces import of_like_length
from ntm_memory_skill.encoder.protocol import Text
from ntm_memory_skill.errors import EncoderUnavailable
from tests.encoder.engines import PATIENCE, HeldEncoder

ALONE = HashedEncoder(16)


class Line(deque[Any]):
    """A waiting line that tells when somebody joins its end."""

    def __init__(self) -> None:
        super().__init__()
        self.joined = threading.Semaphore(0)

    def append(self, item: object) -> None:
        """Put one at the end."""
        super().append(item)
        self.joined.release()


class Asking:
    """An encoder whose first runs are held, and threads that ask it."""

    def __init__(self, inner: HeldEncoder) -> None:
        self.inner = inner
        self.encoder = BatchingEncoder(inner)
        self.line = Line()
        self.encoder._waiting = self.line
        self.keys: dict[str, np.ndarray] = {}
        self.errors: dict[str, BaseException] = {}
        self.threads: dict[str, threading.Thread] = {}

    def ask(self, text: str, ask: Callable[[], np.ndarray] | None = None) -> None:
        """Ask in a thread that is named after the text."""

        def call() -> None:
            try:
                self.keys[text] = self.encoder.encode_query(text) if ask is None else ask()
            except BaseException as error:  # noqa: BLE001  # an interruption, too, is what the test is about
                self.errors[text] = error

        thread = threading.Thread(target=call, name=text, daemon=True)
        self.threads[text] = thread
        thread.start()

    def run(self, text: str) -> None:
        """Ask, and return once the model runs."""
        self.ask(text)
        assert self.inner.began.acquire(timeout=PATIENCE)

    def wait_in_line(self, *texts: str) -> None:
        """Ask, and return once all wait in line, in this order."""
        for text in texts:
            self.ask(text)
            assert self.line.joined.acquire(timeout=PATIENCE)

    def finish(self) -> None:
        """Let the held runs go on, and return when every call has ended."""
        self.inner.go.set()
        for text, thread in self.threads.items():
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{text[:20]} waits for ever"

    def check(self, *texts: str) -> None:
        """Check that these texts, and no others, got the keys that they have alone."""
        assert sorted(self.keys) == sorted(texts)
        for text in texts:
            np.testing.assert_array_equal(self.keys[text], ALONE.encode_query(text))


@pytest.fixture
def asking() -> Asking:
    """An encoder whose first run is held."""
    return Asking(HeldEncoder(held=1))


class TestTogether:
    """Who shares a run."""

    def test_a_single_caller_waits_for_nobody(self) -> None:
        """Each of its calls is a run, made in its own thread."""
        inner = HeldEncoder()
        threads: list[threading.Thread] = []
        inner.before_run = lambda texts: threads.append(threading.current_thread())
        encoder = BatchingEncoder(inner)
        for text in ("a", "b"):
            np.testing.assert_array_equal(encoder.encode_query(text), ALONE.encode_query(text))
        assert inner.runs == [["a"], ["b"]]
        assert threads == [threading.current_thread()] * 2

    def test_what_is_asked_during_a_run_is_encoded_in_the_next(self, asking: Asking) -> None:
        """All of it, in one run, and everybody gets their own."""
        asking.run("first")
        later = [f"question {number}" for number in range(8)]
        asking.wait_in_line(*later)
        asking.finish()
        assert asking.inner.runs == [["first"], later]
        asking.check("first", *later)

    def test_questions_and_passages_share_a_run(self, asking: Asking) -> None:
        """A list of passages stays together."""
        asking.run("first")
        asking.wait_in_line("question")
        asking.ask("passages", lambda: asking.encoder.encode_passages(["one", "two"]))
        assert asking.line.joined.acquire(timeout=PATIENCE)
        asking.finish()
        assert asking.inner.runs == [["first"], ["question", "one", "two"]]
        np.testing.assert_array_equal(asking.keys["passages"], ALONE.encode_passages(["one", "two"]))

    def test_a_batch_is_bounded_and_the_first_in_line_goes_first(self, asking: Asking) -> None:
        """What is too many for one run goes into the next."""
        asking.run("first")
        later = [f"question {number:03}" for number in range(2 * LARGEST + 3)]
        asking.wait_in_line(*later)
        asking.finish()
        assert asking.inner.runs == [["first"], later[:LARGEST], later[LARGEST : 2 * LARGEST], later[2 * LARGEST :]]
        asking.check("first", *later)

    def test_short_texts_do_not_wait_for_long_ones(self, asking: Asking) -> None:
        """Nor are they filled up to their length."""
        asking.run("first")
        asking.wait_in_line("x" * 2000, "short", "y" * 1500, "brief")
        asking.finish()
        assert asking.inner.runs == [["first"], ["x" * 2000, "y" * 1500], ["short", "brief"]]

    def test_others_get_their_turn_between_the_chunks_of_a_long_list(self, asking: Asking) -> None:
        """And progress is told after each."""
        told: list[tuple[int, int]] = []
        texts = [f"text {number}" for number in range(CHUNK + 5)]
        asking.ask("list", lambda: asking.encoder.encode_passages(texts, lambda *step: told.append(step)))
        assert asking.inner.began.acquire(timeout=PATIENCE)
        asking.wait_in_line("question")
        asking.finish()
        assert asking.inner.runs[0] == texts[:CHUNK]
        assert asking.inner.runs[1][0] == "question"  # what is left of the list may share its run
        np.testing.assert_array_equal(asking.keys["list"], ALONE.encode_passages(texts))
        assert told == [(CHUNK, CHUNK + 5), (CHUNK + 5, CHUNK + 5)]

    def test_as_many_runs_go_on_side_by_side_as_the_engine_allows(self) -> None:
        """And not one more."""
        asking = Asking(HeldEncoder(side_by_side=2, held=2))
        asking.run("one")
        asking.run("two")
        asking.wait_in_line("three", "four")
        assert asking.inner.runs == [["one"], ["two"]]
        asking.finish()
        assert sorted(text for run in asking.inner.runs[2:] for text in run) == ["four", "three"]
        asking.check("one", "two", "three", "four")

    def test_until_the_model_is_loaded_each_goes_alone(self, asking: Asking) -> None:
        """Who meets the error of loading it meets their own."""
        asking.inner.ready = False
        asking.inner.before_run = lambda texts: fail(EncoderUnavailable(f"not for {texts}"))
        asking.run("first")
        asking.wait_in_line("second", "third")
        asking.finish()
        assert asking.inner.runs == [["first"], ["second"], ["third"]]
        assert {text: str(error) for text, error in asking.errors.items()} == {
            text: str(EncoderUnavailable(f"not for {[text]}")) for text in ("first", "second", "third")
        }


def fail(error: BaseException) -> None:
    """Raise an error, where only an expression can stand."""
    raise error


class TestFailing:
    """What one caller's trouble does to the others: nothing."""

    def test_only_the_caller_whose_text_fails_gets_the_error(self, asking: Asking) -> None:
        """The others of its batch get their keys."""
        asking.inner.before_run = lambda texts: fail(ValueError("bad")) if "bad" in texts else None
        asking.run("first")
        asking.wait_in_line("good", "bad", "fine")
        asking.finish()
        assert asking.inner.runs == [["first"], ["good", "bad", "fine"], ["good"], ["bad"], ["fine"]]
        asking.check("first", "good", "fine")
        assert list(asking.errors) == ["bad"]
        assert isinstance(asking.errors["bad"], ValueError)

    def test_an_encoder_goes_on_after_an_error(self, asking: Asking) -> None:
        """The model is free again."""
        asking.inner.go.set()
        asking.inner.before_run = lambda texts: fail(ValueError("bad")) if "bad" in texts else None
        for _ in range(2):
            with pytest.raises(ValueError, match="bad"):
                asking.encoder.encode_query("bad")
            np.testing.assert_array_equal(asking.encoder.encode_query("good"), ALONE.encode_query("good"))

    def test_who_is_interrupted_while_running_for_others_hands_them_on(self, asking: Asking) -> None:
        """They keep their places, and one of them runs the model."""
        interruptions = iter([KeyboardInterrupt()])

        def interrupt_once(texts: list[str]) -> None:
            if "interrupted" in texts:
                for each in interruptions:
                    raise each

        asking.inner.before_run = interrupt_once
        asking.run("first")
        asking.wait_in_line("interrupted", "second", "third")
        asking.finish()
        assert asking.inner.runs == [["first"], ["interrupted", "second", "third"], ["second", "third"]]
        asking.check("first", "second", "third")
        assert isinstance(asking.errors["interrupted"], KeyboardInterrupt)

    @pytest.mark.parametrize("called", [False, True], ids=["in line", "just as its turn comes"])
    def test_who_is_interrupted_while_waiting_holds_nobody_up(
        self, asking: Asking, monkeypatch: pytest.MonkeyPatch, called: bool
    ) -> None:
        """Nor is the model run for them."""
        interrupt = Interrupt(monkeypatch, called=called)
        asking.run("first")
        asking.wait_in_line("interrupted", "x" * 1000)
        if not called:
            interrupt.now.set()
            asking.threads["interrupted"].join(PATIENCE)
        asking.finish()
        asking.check("first", "x" * 1000)
        assert isinstance(asking.errors["interrupted"], KeyboardInterrupt)
        assert asking.inner.runs == [["first"], ["x" * 1000]]
        assert asking.encoder._free == 1

    def test_who_has_left_is_not_called_to_run(self, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though whoever ran the model for them was interrupted, too."""
        interrupt = Interrupt(monkeypatch, called=False)

        def interrupt_both(texts: list[str]) -> None:
            if texts[0] == "runs":
                interrupt.now.set()
                asking.threads["interrupted"].join(PATIENCE)
                raise KeyboardInterrupt

        asking.inner.before_run = interrupt_both
        asking.run("first")
        asking.wait_in_line("runs", "interrupted", "last")
        asking.finish()
        assert asking.inner.runs == [["first"], ["runs", "interrupted", "last"], ["last"]]
        asking.check("first", "last")
        assert sorted(asking.errors) == ["interrupted", "runs"]


class Interrupt:
    """Interrupts the thread "interrupted" while it waits: when `now` is set, or as soon as it is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, called: bool) -> None:
        self.now = now = threading.Event()
        ordinary = threading.Event

        class Interrupted(ordinary):  # type: ignore[valid-type,misc]  # the library's own class, under another name
            """An event whose waiting is interrupted in one thread."""

            def wait(self, timeout: float | None = None) -> bool:
                """Wait, or be interrupted."""
                if threading.current_thread().name != "interrupted":
                    return bool(super().wait(timeout))
                assert super().wait(PATIENCE) if called else now.wait(PATIENCE)
                raise KeyboardInterrupt

        class Threading:
            """The module as `batching` sees it."""

            Event, Lock = Interrupted, threading.Lock

        monkeypatch.setattr(batching, "threading", Threading)


@given(st.lists(st.integers(0, 300), max_size=40), st.integers(1, 9))
def test_groups_hold_each_text_once_and_texts_of_like_length(lengths: list[int], most: int) -> None:
    """And never more than a run takes."""
    groups = of_like_length(lengths, most)
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        assert 1 <= len(group) <= most
        within = [lengths[place] for place in group]
        assert max(within) <= 2 * min(within) + 8


@pytest.mark.model
def test_many_threads_get_the_bundled_model_s_own_keys(bundled: SentenceEncoder) -> None:
    """Whatever company their questions had in a run."""
    texts = [text[:300] for text in exporting.SAMPLE for _ in range(3)]
    alone = {text: bundled.encode_query(text) for text in texts}
    together = bundled.encode_together([Text(text, question=True) for text in texts])
    np.testing.assert_allclose(together, [alone[text] for text in texts], atol=1e-6)
    encoder, start = BatchingEncoder(bundled), threading.Barrier(len(texts))
    found: dict[int, np.ndarray] = {}

    def ask(number: int) -> None:
        start.wait(PATIENCE)
        found[number] = encoder.encode_query(texts[number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, text in enumerate(texts):
        np.testing.assert_allclose(found[number], alone[text], atol=1e-6)
