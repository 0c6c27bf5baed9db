"""A chat's turns: what stands out is recalled, what the user says is kept, and what was recalled is not kept again."""

from __future__ import annotations

import random
import threading

import pytest

from ntm_memory_skill import M3Settings, NTMMemoryManager, Settings
from ntm_memory_skill.hosts.turns import Turns
from ntm_memory_skill.hosts.turns.block import CLOSING, OPENING
from ntm_memory_skill.hosts.turns.turns import CANDIDATES, CHATS, RECALLED, SOURCE, TAG
from tests.conftest import OpenMemory
from tests.engine.support import FACTS, LoadingEncoder, plant

PLENTY = 10_000
ABOUT = {
    "who has goats in Kirchberg?": FACTS[0],
    "When do I see the dentist?": FACTS[1],
    "北京的会议": FACTS[4],
    "does Marco still play the violin?": FACTS[5],
}
"""A message, and what it should bring back."""
SILENT = ["", "  \n", "???", "👍", f"{OPENING}\nviolin\n{CLOSING}"]
"""Messages that are about nothing."""


@pytest.fixture
def turns(memory: NTMMemoryManager) -> Turns:
    """The turns of a memory's chats."""
    return Turns(memory)


@pytest.fixture
def planted(memory: NTMMemoryManager) -> NTMMemoryManager:
    """The same memory, in which the facts stand."""
    plant(memory)
    return memory


def shown(block: str | None) -> list[str]:
    """Return the texts in a block, in their order."""
    lines = [] if block is None else block.split("\n")[2:-1]
    return [line.split(": ", 1)[1] for line in lines]


def contents(memory: NTMMemoryManager) -> list[str]:
    """Return what the live memories say, in the order in which they were written."""
    return [record.content for record in sorted(memory.state.records.values(), key=lambda record: record.ordinal)]


def words(text: str) -> str:
    """Return a text's words as plainly as can be."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.lower()).split())


class TestRecall:
    """Before a turn."""

    @pytest.mark.parametrize(("message", "fact"), ABOUT.items())
    def test_what_a_message_is_about_comes_first(
        self, planted: NTMMemoryManager, turns: Turns, message: str, fact: str
    ) -> None:
        """In both languages."""
        assert shown(turns.begin(message, budget=PLENTY))[0] == fact

    @pytest.mark.parametrize("message", [*ABOUT, "zebra", "goats and violins", "the flight at dawn"])
    def test_exactly_what_stands_out_is_recalled(self, planted: NTMMemoryManager, turns: Turns, message: str) -> None:
        """What gets at least the share of attention that all would get evenly."""
        hits = planted.search(message, top_k=len(FACTS))
        expected = [hit.content for hit in hits if hit.score >= 1 / len(FACTS)]
        assert 0 < len(expected) < len(FACTS)
        assert shown(turns.begin(message, budget=PLENTY)) == expected

    def test_memories_that_match_alike_all_stand_out(self, open_memory: OpenMemory) -> None:
        """Rounding does not part them; there are only so many, though. Being recalled together would part them."""
        memory = open_memory(settings=Settings(m3=M3Settings(reconsolidate=False)))
        turns = Turns(memory)
        memory.memorize_many([{"content": "I like tea"}] * CANDIDATES)
        assert shown(turns.begin("tea", budget=PLENTY)) == ["I like tea"] * CANDIDATES
        memory.memorize_many([{"content": "I like tea"}] * 4)
        assert len(shown(turns.begin("tea", budget=PLENTY))) == CANDIDATES

    @pytest.mark.parametrize("message", SILENT)
    def test_a_message_about_nothing_recalls_nothing(
        self, planted: NTMMemoryManager, turns: Turns, message: str
    ) -> None:
        """And does not move the chat's focus."""
        before = turns.begin("violin", session="other", budget=PLENTY)
        assert turns.begin(message, session="chat", budget=PLENTY) is None
        assert turns.begin("violin", session="chat", budget=PLENTY) == before

    @pytest.mark.parametrize("message", ["the", "what is it?", "and then?", "什么"])
    def test_a_message_of_stop_words_recalls_nothing(
        self, planted: NTMMemoryManager, turns: Turns, message: str
    ) -> None:
        """Whatever happens to share one would stand out."""
        assert turns.begin(message, budget=PLENTY) is None

    def test_control_characters_in_a_message_do_not_cost_it_its_memories(
        self, planted: NTMMemoryManager, turns: Turns
    ) -> None:
        """Users paste what their terminals print."""
        assert shown(turns.begin("\x1b[31mviolin\x1b[0m", budget=PLENTY))[0] == FACTS[5]
        assert len(turns.end("I like tea. I like \x1b[32mgreen\x1b[0m bicycles.")) == 2

    def test_an_empty_memory_recalls_nothing(self, turns: Turns) -> None:
        """Which is no error."""
        assert turns.begin("violin", budget=PLENTY) is None

    def test_words_recall_while_the_model_loads(self, open_memory: OpenMemory) -> None:
        """A turn does not wait for it."""
        plant(open_memory())
        encoder = LoadingEncoder()
        try:
            turns = Turns(open_memory(encoder, Settings(answer_while_loading=True)))
            assert shown(turns.begin("who plays the violin?", budget=PLENTY))[0] == FACTS[5]
            assert not encoder.ready
        finally:
            encoder.allowed.set()

    def test_a_block_in_the_message_is_no_part_of_the_question(self, planted: NTMMemoryManager, turns: Turns) -> None:
        """A host may pass back what it was given."""
        block = turns.begin("goats", budget=PLENTY)
        alone = turns.begin("violin", budget=PLENTY)
        assert block != alone
        assert turns.begin(f"{block}\n\nviolin", budget=PLENTY) == alone

    def test_of_a_long_message_the_beginning_asks(self, planted: NTMMemoryManager, turns: Turns) -> None:
        """It may be longer than any memory."""
        assert shown(turns.begin("violin " + "x" * 100_000, budget=PLENTY))[0] == FACTS[5]

    @pytest.mark.parametrize("budget", [250, 400, 1_500])
    def test_the_block_keeps_to_its_budget(self, memory: NTMMemoryManager, turns: Turns, budget: int) -> None:
        """And makes use of it."""
        memory.memorize_many([{"content": "tea " * 100}] * 5)
        block = turns.begin("tea", budget=budget)
        assert block is not None
        assert 0.9 * budget < len(block) <= budget


class TestKeeping:
    """After a turn."""

    def test_what_was_said_is_kept_with_its_chat_and_its_origin(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """So that its owner can tell it from what was memorized on purpose."""
        idents = turns.end("Hello! My cat is called Miso. 我喜欢喝茶。What now?", session="chat")
        records = [memory.get(ident) for ident in idents]
        assert [record.content for record in records] == ["My cat is called Miso.", "我喜欢喝茶。"]
        assert {(record.session, record.source, record.tags) for record in records} == {("chat", SOURCE, (TAG,))}
        assert len(memory) == 2

    def test_a_request_is_left_off_what_is_kept(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """In both languages."""
        turns.end("Please remember that my cat is called Miso.")
        turns.end("请记住：门禁密码是4471。")
        assert contents(memory) == ["my cat is called Miso.", "门禁密码是4471。"]

    @pytest.mark.parametrize(
        "again", ["I like black tea.", "i LIKE  black tea!!", "Ｉ　ｌｉｋｅ black tea", "I like black"]
    )
    def test_what_the_memory_knows_word_for_word_is_not_kept_again(
        self, memory: NTMMemoryManager, turns: Turns, again: str
    ) -> None:
        """Whatever its case, punctuation and width, and also a part of it."""
        memory.memorize("In the morning I like black tea.")
        assert turns.end(again) == []
        assert len(memory) == 1

    @pytest.mark.parametrize("new", ["I like tea", "I like green tea", "I don't like black tea"])
    def test_what_says_something_else_is_kept(self, memory: NTMMemoryManager, turns: Turns, new: str) -> None:
        """A word's beginning is no word, and a word more may turn the sense."""
        plant(memory, ["I like teamwork", "I like black tea"])
        assert len(turns.end(new)) == 1
        assert contents(memory)[-1] == new

    def test_a_sentence_said_twice_is_kept_once(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """In one message, and in another chat's."""
        assert len(turns.end("I like tea. I like tea!", session="one")) == 1
        assert turns.end("I like tea", session="two") == []

    def test_what_was_recalled_is_not_kept_again_in_that_chat(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """Even if it was erased meanwhile; another chat's user says it on their own."""
        ident = memory.memorize("I like black tea in the morning").id
        block = turns.begin("tea", session="one", budget=PLENTY)
        memory.erase(ident)
        assert turns.end(f"{block}\nI like black tea", session="one") == []
        assert len(turns.end("I like black tea", session="two")) == 1

    def test_a_block_alone_is_nobody_s_words(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """In any chat, also one in which it was not recalled."""
        memory.memorize("I like black tea")
        block = turns.begin("tea", session="one", budget=PLENTY)
        memory.erase(next(iter(memory.state.records)))
        assert turns.end(str(block), session="two") == []
        assert len(memory) == 0


class TestBounds:
    """What is kept in mind of a gateway's chats does not grow for ever."""

    def test_the_chat_that_was_quiet_longest_gives_way(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """The others are still known; a chat that speaks again is not quiet."""
        ident = memory.memorize("I like tea").id
        for number in range(CHATS):
            turns.begin("tea", session=f"chat {number}", budget=PLENTY)
        turns.begin("tea", session="chat 0", budget=PLENTY)
        turns.begin("tea", session="one more", budget=PLENTY)
        memory.erase(ident)
        for known in ("chat 0", "chat 2", f"chat {CHATS - 1}", "one more"):
            assert turns.end("I like tea", session=known) == []
        assert len(turns.end("I like tea", session="chat 1")) == 1

    def test_a_chat_s_oldest_recollections_give_way(self, memory: NTMMemoryManager, turns: Turns) -> None:
        """A chat may last for months."""
        oldest = memory.memorize("I like tea").id
        turns.begin("tea", budget=PLENTY)
        memory.erase(oldest)
        newest = memory.memorize("I like coffee").id
        for _ in range(RECALLED - 1):
            turns.begin("coffee", budget=PLENTY)
        assert turns.end("I like tea") == []
        turns.begin("coffee", budget=PLENTY)
        memory.erase(newest)
        assert turns.end("I like coffee") == []
        assert len(turns.end("I like tea")) == 1


def test_many_threads_share_the_turns_of_a_memory(memory: NTMMemoryManager, turns: Turns) -> None:
    """Each chat's words are kept once, under that chat, and none gets an error."""
    plant(memory)
    chats = {f"chat {number}": [f"I like number {number}{each}." for each in range(10)] for number in range(8)}
    failures: list[BaseException] = []

    def talk(session: str) -> None:
        try:
            for sentence in chats[session]:
                turns.begin(f"goats? {sentence}", session=session, budget=PLENTY)
                turns.end(sentence, session=session)
        except BaseException as error:  # noqa: BLE001  # it is reported by the thread that started this one
            failures.append(error)

    threads = [threading.Thread(target=talk, args=(session,)) for session in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    captured = [record for record in memory.state.records.values() if TAG in record.tags]
    assert sorted((record.session, record.content) for record in captured) == sorted(
        (session, sentence) for session, sentences in chats.items() for sentence in sentences
    )


def test_a_thousand_turns_leave_no_memory_that_repeats_one_that_was_recalled(
    memory: NTMMemoryManager, turns: Turns
) -> None:
    """Users repeat what they were told, hosts pass blocks back: the memory does not feed on itself."""
    draw = random.Random(7)  # noqa: S311  # a seed, for the same chats each time
    plant(memory)
    subjects = [f"{colour} {thing}" for colour in ("green", "old", "loud") for thing in ("tea", "goats", "bicycles")]
    recalled: set[str] = set()
    for _ in range(1_000):
        session, subject = f"chat {draw.randrange(5)}", draw.choice(subjects)
        block = turns.begin(f"what about {subject}?", session=session, budget=1_500)
        recalled.update(shown(block))
        repeated = draw.choice(shown(block) or [""])
        said = draw.choice([f"I {draw.choice(['like', 'draw'])} {subject}.", repeated, f"Remember: {repeated}", "ok"])
        before = set(memory.state.records)
        for ident in turns.end(f"{block or ''}\n\n{said}", session=session):
            assert ident not in before
            assert words(memory.get(ident).content) not in map(words, recalled)
    kept = [words(content) for content in contents(memory)]
    assert len(kept) == len(set(kept))
    assert len(FACTS) < len(kept) <= len(FACTS) + 2 * len(subjects)
    assert recalled >= set(FACTS[:1])
