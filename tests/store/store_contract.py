"""What every store does, whatever it keeps its memories in. `test_stores.py` runs this over each of them."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from ntm_memory_skill.errors import StoreDamaged
from ntm_memory_skill.model import (
    Accessed,
    Erased,
    Faded,
    Feedback,
    Forgotten,
    Merged,
    Purged,
    Restored,
    Undone,
    Updated,
    indexed_text,
)
from ntm_memory_skill.store import Beside, Changes, KeyRows, State, Store
from tests.store.builders import (
    DIMENSION,
    IDENTITY,
    OTHER_IDENTITY,
    commit,
    compact,
    contents,
    eventful,
    folded,
    ident,
    memorized,
    moment,
    record,
    row,
)


def key_of(store: Store, text: str) -> list[float] | None:
    """Return the key row that a store has for a text, or None."""
    rows, encoder = store.key_rows(), store.encoder
    assert encoder is not None
    place = rows.position(encoder.digest(text))
    return None if place is None else rows.keys[place].tolist()


def rows_for(texts: list[str], value: float) -> KeyRows:
    """Return a row of equal numbers for each text."""
    keys = np.full((len(texts), DIMENSION), value, dtype=np.float32)
    return KeyRows([IDENTITY.digest(text) for text in texts], keys)


def remark(number: int, query: str, *given: int) -> Feedback:
    """Return the feedback that of the memories that a question was given, the first was of use."""
    ids = tuple(ident(each) for each in given)
    return Feedback(query=query, ids=ids, used=ids[0], how="use", at=moment(number))


def keep(store: Store, *remarks: Feedback) -> None:
    """Keep feedback in a transaction."""
    with store.transaction():
        for each in remarks:
            store.keep_feedback(each)


class StoreContract:
    """A subclass gives the fixture `store`, a new and empty one."""

    @pytest.fixture
    def store(self) -> Store:
        """The store under test."""
        raise NotImplementedError

    def test_a_new_store_is_empty(self, store: Store) -> None:
        """And says so in every way."""
        assert store.state == State()
        assert store.encoder is None
        assert store.warnings == ()
        assert len(store.key_rows()) == 0
        assert store.refresh() == Changes(reloaded=False)
        assert not store.worth_folding(closing=True)
        assert (store.beside("head"), store.feedback()) == (None, [])

    def test_compacting_a_new_store_does_nothing(self, store: Store) -> None:
        """There is nothing to fold, and no encoder to put in a header."""
        assert compact(store) == ()
        assert store.state == State()
        assert store.encoder is None

    def test_commits_amount_to_the_fold_of_their_events(self, store: Store) -> None:
        """All that can happen: see `eventful`."""
        for events in eventful():
            commit(store, *events)
        assert store.state == folded(eventful())
        assert list(store.state.records) == [ident(number) for number in (0, 1, 3, 5, 7)]
        assert list(store.state.forgotten) == [ident(6), ident(8)]
        assert list(store.state.consolidations) == ["b"]

    def test_the_state_in_hand_follows_a_commit(self, store: Store) -> None:
        """A writer that looked up a memory in it finds the new version there afterwards."""
        commit(store, memorized(0))
        with store.transaction():
            state = store.state
            store.commit([Updated(ident(0), moment(1), content="new")], IDENTITY)
        assert state.records[ident(0)].content == "new"
        assert state is store.state

    def test_several_commits_fit_in_one_transaction(self, store: Store) -> None:
        """Each holds by itself."""
        with store.transaction():
            store.commit([memorized(0)], IDENTITY)
            store.commit([memorized(1)], IDENTITY)
        assert contents(store) == {ident(0): record(0).content, ident(1): record(1).content}

    def test_ones_own_commits_are_no_news(self, store: Store) -> None:
        """They are folded in already: to give them again would write them twice into the matrix."""
        for events in eventful():
            commit(store, *events)
            assert store.refresh() == Changes(reloaded=False)
        with store.transaction() as changes:
            assert changes == Changes(reloaded=False)

    def test_a_commit_with_an_unfit_event_stores_nothing_at_all(self, store: Store) -> None:
        """Neither the events before it nor those behind it; and the store goes on working."""
        commit(store, memorized(0))
        for unfit in (
            Faded(ident(9), moment(1), 0.5),
            memorized(0),
            memorized(9, slot=0),
            Purged(ident(0), moment(1)),
            Restored(ident(0), moment(1), 9, row(0)),
            Accessed((ident(0), ident(9)), (1, 1), moment(1)),
            Forgotten(ident(9), moment(1), "not recalled"),
            Merged(ident(0), ident(9), moment(1), 0.5, "the same"),
            Undone("never done"),
        ):
            with pytest.raises(StoreDamaged):
                commit(store, memorized(1), unfit, memorized(2))
            assert store.state == folded([[memorized(0)]])
        commit(store, memorized(1))
        assert store.state == folded([[memorized(0), memorized(1)]])

    def test_a_transaction_that_does_not_wait_is_one_like_any_other(self, store: Store) -> None:
        """Where nobody else is writing."""
        with store.transaction(wait=False) as changes:
            assert changes == Changes(reloaded=False)
            store.commit([memorized(0)], IDENTITY)
        assert list(store.state.records) == [ident(0)]

    def test_an_error_inside_a_transaction_frees_the_store(self, store: Store) -> None:
        """The next transaction begins as if nothing had been."""
        with pytest.raises(LookupError), store.transaction():
            raise LookupError
        commit(store, memorized(0))
        assert list(store.state.records) == [ident(0)]

    def test_the_first_encoder_stays_until_rekeying(self, store: Store) -> None:
        """All keys of a memory are one encoder's; later commits do not change whose."""
        commit(store, memorized(0))
        with store.transaction():
            store.commit([memorized(1)], OTHER_IDENTITY)
        assert store.encoder == IDENTITY
        with store.transaction():
            store.rekey(KeyRows([], np.zeros((0, DIMENSION), np.float32)), OTHER_IDENTITY)
        assert store.encoder == OTHER_IDENTITY

    def test_rekeying_replaces_the_rows_and_keeps_the_memories(self, store: Store) -> None:
        """Old rows would mean nothing to the new encoder."""
        commit(store, memorized(0))
        text = indexed_text(None, record(0).content)
        key = np.full((1, DIMENSION), 0.75, dtype=np.float32)
        with store.transaction():
            store.rekey(KeyRows([OTHER_IDENTITY.digest(text)], key), OTHER_IDENTITY)
        assert key_of(store, text) == key[0].tolist()
        assert len(store.key_rows()) == 1
        assert store.state == folded([[memorized(0)]])

    def test_supplied_rows_are_at_hand(self, store: Store) -> None:
        """One supply after the other, and of texts that are equal."""
        commit(store, memorized(0))
        store.supply(rows_for(["first", "twice", "twice"], 0.5))
        store.supply(rows_for(["second"], 0.25))
        store.supply(rows_for([], 0.0))
        assert key_of(store, "first") == key_of(store, "twice") == [0.5] * DIMENSION
        assert key_of(store, "second") == [0.25] * DIMENSION
        assert key_of(store, "third") is None

    def test_compacting_changes_nothing_that_can_be_read(self, store: Store) -> None:
        """Also twice in a row, and with commits before and after."""
        for events in eventful():
            commit(store, *events)
        for _ in range(2):
            compact(store)
            assert store.state == folded(eventful())
            assert store.refresh() == Changes(reloaded=False)
        commit(store, Erased(ident(0), moment(20)))
        assert ident(0) in store.state.archive
        assert not store.warnings

    def test_flushing_and_scrubbing_change_nothing_that_can_be_read(self, store: Store) -> None:
        """Also of a new store, and twice in a row."""
        for history in ([], eventful()):
            for events in history:
                commit(store, *events)
            for _ in range(2):
                store.flush()
                with store.transaction():
                    store.scrub()
                assert store.state == folded(history)
                assert store.refresh() == Changes(reloaded=False)
        commit(store, Erased(ident(0), moment(20)))
        assert ident(0) in store.state.archive
        assert not store.warnings

    @pytest.mark.parametrize("what", get_args(Beside))
    def test_what_was_kept_last_is_given(self, what: Beside, store: Store) -> None:
        """Whatever bytes it is; also before the first memory, and until it is removed, which may be done twice."""
        for data in (b'{"trained": "\xe2\x9c\x93"}', b"", b"\0\n" * 5000, None, None, b"again"):
            with store.transaction():
                store.keep_beside(what, data)
            assert store.beside(what) == data
            assert {store.beside(other) for other in get_args(Beside) if other != what} == {None}

    def test_nothing_that_becomes_of_memories_touches_what_is_beside_them(self, store: Store) -> None:
        """It is beside the memory, not of it."""
        with store.transaction():
            store.keep_beside("head", b"head")
            store.keep_beside("hops", b"hops")
        for events in eventful():
            commit(store, *events)
            compact(store)
        with store.transaction():
            store.scrub()
            store.rekey(store.key_rows(), OTHER_IDENTITY)
        assert (store.beside("head"), store.beside("hops")) == (b"head", b"hops")
        assert store.state == folded(eventful())

    def test_feedback_is_given_in_the_order_in_which_it_was_kept(self, store: Store) -> None:
        """What was of use twice is there twice; folding and another encoder change nothing."""
        commit(store, memorized(0), memorized(1), memorized(2))
        remarks = [remark(2, "什么时候？", 1, 0), remark(1, "when?\nand where?", 2), remark(2, "什么时候？", 1, 0)]
        for each in remarks:
            keep(store, each)
        compact(store)
        with store.transaction():
            store.rekey(store.key_rows(), OTHER_IDENTITY)
        assert store.feedback() == remarks
        assert store.state == folded([[memorized(0), memorized(1), memorized(2)]])

    def test_feedback_is_not_kept_without_a_memory(self, store: Store) -> None:
        """Nothing can have been given."""
        keep(store, remark(0, "when?", 0))
        assert store.feedback() == []

    def test_feedback_of_more_than_8_kib_is_not_kept(self, store: Store) -> None:
        """A question of some pages; a shorter one is."""
        commit(store, memorized(0))
        keep(store, remark(0, "x" * 8192, 0), remark(1, "x" * 8000, 0))
        assert store.feedback() == [remark(1, "x" * 8000, 0)]

    def test_the_newest_2000_pieces_of_feedback_are_given(self, store: Store) -> None:
        """And of more of them, no older one."""
        commit(store, memorized(0))
        remarks = [remark(number, f"question {number}", 0) for number in range(4100)]
        keep(store, *remarks)
        assert store.feedback() == remarks[-2000:]

    def test_feedback_can_be_forgotten(self, store: Store) -> None:
        """Also where there is none; and more can be kept afterwards."""
        commit(store, memorized(0))
        for number in range(2):
            with store.transaction():
                store.forget_feedback()
            assert store.feedback() == []
            keep(store, remark(number, "when?", 0))
            assert store.feedback() == [remark(number, "when?", 0)]

    def test_feedback_that_tells_of_a_purged_memory_is_gone(self, store: Store) -> None:
        """It names it, or its question and the text have something in common; from the commit on, and for good."""
        commit(store, memorized(0), memorized(1, content="the treasure lies under the oak"))
        kept = remark(1, "what is new?", 0)
        keep(store, remark(2, "what else?", 0, 1), kept, remark(3, "is it under the oak?", 0))
        commit(store, Erased(ident(1), moment(4)))
        assert len(store.feedback()) == 3
        commit(store, Purged(ident(1), moment(4)))
        assert store.feedback() == [kept]
        with store.transaction():
            store.scrub()
        keep(store, remark(5, "what else?", 1, 0))
        assert store.feedback() == [kept]
