"""Whether a memory that is recalled into a chat comes back as a new one.

    python bench/feedback_loop.py --turns 1000 --seed 0 --examples 20

Chats in English and Chinese, made up from templates, run through `Turns`: before each turn what bears on the message is
recalled, after it what sounds worth keeping is kept. In some turns users tell something new; in the others they repeat
or reword what they told before, quote the assistant's answer, or the host hands the recalled block back as a part of
the message: whole, cut off, without its fence, or quoted. Several chats take turns, and half way through everything is
opened anew. Beside it runs a naive loop, which keeps every sentence of a message that sounds worth keeping.

A new memory repeats an older one if its words stand in the older one's or the other way round, if they stand in a block
that was recalled in that chat, or if both state the same fact: name and value are unique to a fact, so that it is known
in any wording. The words are compared without case, punctuation, blanks and the mark-up of a block's lines. Beside the
repeats stands the share of what was new that was kept: a memory that keeps nothing repeats nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness import RememberingEncoder
from ntm_memory_skill import Encoder, NTMMemoryManager, SentenceEncoder
from ntm_memory_skill.hosts.turns import Turns, worth_keeping
from ntm_memory_skill.sources import seeded_ids
from ntm_memory_skill.store import MemoryStore

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
STEP = timedelta(minutes=7)
BUDGET = 2_000  # characters of a block
LEAST = 6  # letters of a text, from which on its standing in another one is no accident
SESSIONS = {"en-1": "en", "en-2": "en", "en-3": "en", "zh-1": "zh", "zh-2": "zh", "zh-3": "zh"}
KINDS = {
    "told": 22,
    "changed": 5,
    "asked": 15,
    "repeated": 10,
    "reworded": 14,
    "block whole": 8,
    "block cut off": 7,
    "block unfenced": 6,
    "block quoted": 6,
    "answer quoted": 7,
}
"""What turns are of, with how many in a hundred."""
NEW = ("told", "changed")

FIRST = "Ana Bruno Carla Dmitri Elena Farid Greta Hugo Irina Jamal Katrin Leo Marta Nils Olga Paulo Quentin".split()
LAST = "Berg Castro Dietz Eriksen Fontaine Gupta Haddad Ivanov Jansen Kowalski Lindt Moreau Novak Okoye Pereira".split()
RELATIONS = "colleague neighbour cousin dentist flatmate trainer landlady uncle".split()
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭"
GIVEN = "伟 芳 娜 敏 静 强 磊 洋 艳 勇 军 杰 涛 明 超 秀兰 霞 平".split()
RELATIONS_ZH = "同事 邻居 表哥 室友 教练 房东 舅舅 同学".split()

PATTERNS = {
    "en": (
        (
            "My {who} is living in {value}. | Your {who} lives in {value}. | Where does {name} live?",
            "As I said, my {who} is at home in {value}. | Yes, remember, {value} is where {name} lives.",
            "Lisbon Oslo Turin Kyoto Leeds Gdansk Izmir Perth Tartu Cork Quito Lima Nairobi Porto Lyon Graz".split(),
        ),
        (
            "My {who} is a {value}. | Your {who} works as a {value}. | What does {name} do for a living?",
            "Right, my {who} is working as a {value}. | I told you already that my {who} is a {value} by trade.",
            "baker plumber surgeon pilot florist welder tailor notary beekeeper glazier locksmith farrier".split(),
        ),
        (
            "The birthday of my {who} is on {value}. | Your {who} was born on {value}. | When was {name} born?",
            "Exactly, my {who} was born on {value}. | Keep in mind, it's on {value} that {name} has a birthday.",
            [f"{day} {month}" for day, month in product(range(11, 29), ("March", "June", "August", "October"))],
        ),
        (
            "Remember that {name} drives a {value}. | {name} drives a {value}. | What car does {name} drive?",
            "Don't forget, the car of {name} is a {value}. | As I told you, my {who} is driving a {value}.",
            "Volvo Skoda Honda Peugeot Tesla Mazda Fiat Subaru Toyota Renault Dacia Lancia".split(),
        ),
    ),
    "zh": (
        (
            "我{who}住在{value}。 | 你{who}住在{value}。 | {name}住在哪里？",
            "对，我说过，我{who}的家是在{value}。 | 是的，记得吧，{value}是{name}住的地方。",
            "杭州 成都 西安 青岛 昆明 厦门 哈尔滨 南宁 兰州 大连 苏州 桂林 海口 拉萨".split(),
        ),
        (
            "我{who}是{value}。 | 你{who}的职业是{value}。 | {name}是做什么的？",
            "没错，我{who}的职业是{value}。 | 我之前说了，我{who}在做{value}。",
            "厨师 律师 护士 木匠 会计 导游 裁缝 飞行员 花匠 兽医 记者 电工".split(),
        ),
        (
            "我{who}的生日是{value}。 | 你{who}的生日是{value}。 | {name}的生日是哪天？",
            "对，我{who}是{value}出生的。 | 别忘了，{value}给{name}过生日。",
            [f"{month}月{day}日" for day, month in product(range(11, 29), "三六八")],
        ),
        (
            "记住，{name}对{value}过敏。 | {name}对{value}过敏。 | {name}对什么过敏？",
            "我跟你说过，我{who}是对{value}过敏的。 | 记得，{name}不能碰{value}，会过敏。",
            "花生 芒果 海鲜 牛奶 花粉 尘螨 鸡蛋 大豆 猫毛 青霉素 酒精 荞麦".split(),
        ),
    ),
}
"""How a fact is told, given as an answer and asked for; two other wordings; the values that it can have."""
QUOTING = {
    "en": ("> {answer}\n\nThanks, right.", 'You said: "{answer}" and yes, {told}', "{told} You said so yourself."),
    "zh": ("> {answer}\n\n谢谢，没错。", "你刚才说“{answer}”对，{told}", "{told}你自己也说了。"),
}
REPEATING = {"en": ("{told}", "{told} {told}", "Yes! {told}"), "zh": ("{told}", "{told}{told}", "是的！{told}")}

_LINE = re.compile(r"[>\s]*-\s*\[\w*\]\s*[\d-]*:?\s*")
_FENCE = re.compile(r"</?relevant-memories>\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that can be told, in several wordings."""

    subject: int
    """Facts with the same one are values of one thing, of which the last holds."""
    told: str
    reworded: tuple[str, ...]
    answer: str
    question: str
    marks: tuple[str, str]
    """The name and the value: whatever holds both, states the fact."""

    def stated_in(self, bare_text: str) -> bool:
        """Return whether a bare text states it."""
        return all(mark in bare_text for mark in self.marks)


@dataclass(slots=True)
class Counts:
    """What came of the turns of a kind."""

    turns: int = 0
    captured: int = 0
    repeats: int = 0
    recalled: int = 0
    """Of these, the ones that repeat what was recalled in the same chat before."""


@dataclass(slots=True)
class Result:
    """What came of a loop."""

    name: str
    kinds: dict[str, Counts] = field(default_factory=lambda: {kind: Counts() for kind in KINDS})
    told: int = 0
    """New facts that were told."""
    kept: int = 0
    """Of these, the ones that a memory states after the turn."""
    examples: list[tuple[str, str]] = field(default_factory=list)
    """The kind of turn, and a memory that repeats."""


class Naive:
    """Recalls as `Turns` does, and keeps every sentence that sounds worth keeping, without looking.

    Args:
        memory: Where to recall from, and to keep in.
    """

    def __init__(self, memory: NTMMemoryManager) -> None:
        self._memory = memory
        self.begin = Turns(memory).begin

    def end(self, message: str, *, session: str | None = None) -> list[str]:
        """Keep the sentences of a message."""
        return [self._memory.memorize(each, session=session).record.id for each in worth_keeping(message)]


LOOPS: dict[str, type[Turns] | type[Naive]] = {"turns": Turns, "naive": Naive}


class Facts:
    """New facts, none of them twice, and what was told so far.

    Args:
        rng: Draws names and values.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        english = [(f"{first} {last}", f"{{}} {first} {last}") for first, last in product(FIRST, LAST)]
        chinese = [(f"{last}{first}", f"{{}}{last}{first}") for last, first in product(SURNAMES, GIVEN)]
        self._names = {"en": rng.sample(english, len(english)), "zh": rng.sample(chinese, len(chinese))}
        self.told: list[Fact] = []
        self.current: dict[str, list[Fact]] = {"en": [], "zh": []}
        self._subjects: list[tuple[str, str, str, int, list[str]]] = []

    def new(self, language: str) -> Fact:
        """Return a fact about somebody new."""
        name, who = self._names[language].pop()
        who = who.format(self._rng.choice(RELATIONS if language == "en" else RELATIONS_ZH))
        pattern = self._rng.randrange(len(PATTERNS[language]))
        values = self._rng.sample(PATTERNS[language][pattern][2], 6)
        self._subjects.append((language, name, who, pattern, values))
        return self._fact(len(self._subjects) - 1)

    def changed(self, language: str) -> Fact:
        """Return another value of a fact that was told, or a new one where none can change any more."""
        of_language = [place for place, (each, *_, left) in enumerate(self._subjects) if each == language and left]
        return self._fact(self._rng.choice(of_language)) if of_language else self.new(language)

    def _fact(self, place: int) -> Fact:
        language, name, who, pattern, values = self._subjects[place]
        value = values.pop()
        plain, others, _ = PATTERNS[language][pattern]
        said = {"who": who, "name": name, "value": value}
        told, answer, question = plain.format_map(said).split(" | ")
        fact = Fact(
            subject=place,
            told=told,
            reworded=tuple(others.format_map(said).split(" | ")),
            answer=answer,
            question=question,
            marks=(bare(name), bare(value)),
        )
        self.told.append(fact)
        self.current[language] = [each for each in self.current[language] if each.subject != place] + [fact]
        return fact


class Chats:
    """The chats of one loop, turn by turn.

    Args:
        name: The loop's name.
        make: Makes it, of a memory; called again after the restart.
        encoder: Makes the memory's keys.
        seed: Same seed, same kinds of turns and same new facts, whatever is recalled.
    """

    def __init__(self, name: str, make: type[Turns] | type[Naive], encoder: Encoder, seed: int) -> None:
        self.result = Result(name)
        self._make, self._encoder, self._seed = make, encoder, seed
        self._store, self._now = MemoryStore(), START
        self._plan, self._rng = Random(seed), Random(seed)  # noqa: S311  # repeatable is the point
        self._facts = Facts(self._plan)
        self._blocks: dict[str, list[str]] = {session: [] for session in SESSIONS}
        self._known: dict[str, str] = {}
        self._open()

    def restart(self) -> None:
        """Open the memory anew, and begin with a loop that has seen nothing."""
        self._memory.close()
        self._open()

    def _open(self) -> None:
        ids = seeded_ids(self._seed + len(self._known))
        self._memory = NTMMemoryManager(self._store, self._encoder, clock=lambda: self._now, ids=ids)
        self._loop = self._make(self._memory)

    def turn(self) -> None:
        """Run one turn, and count what came of it."""
        self._now += STEP
        session = self._plan.choice(list(SESSIONS))
        kind = self._plan.choices(list(KINDS), list(KINDS.values()))[0]
        if not self._facts.current[SESSIONS[session]]:
            kind = "told"
        words, new = self._words(kind, session)
        block = self._loop.begin(words, session=session, budget=BUDGET)
        if block is not None:
            self._blocks[session].append(block)
        self._loop.end(self._handed_back(kind, words, session), session=session)
        self._count(kind, session, new)

    def _words(self, kind: str, session: str) -> tuple[str, list[Fact]]:
        """Return what the user says, and what of it is new."""
        language = SESSIONS[session]
        if kind in NEW or (kind.startswith("block") and self._plan.random() < 0.5):
            fact = self._facts.changed(language) if kind == "changed" else self._facts.new(language)
            return fact.told, [fact]
        fact = self._before(session)
        if kind == "repeated":
            text = self._rng.choice(REPEATING[language]).format(told=fact.told)
            return self._rng.choice([text, text.upper(), text.rstrip(".。")]), []
        if kind == "reworded":
            return self._rng.choice(fact.reworded), []
        if kind == "answer quoted":
            return self._rng.choice(QUOTING[language]).format(answer=fact.answer, told=fact.told), []
        return fact.question, []

    def _before(self, session: str) -> Fact:
        """Return a fact that still holds: mostly one that was recalled last in the chat, if one was."""
        told = self._facts.current[SESSIONS[session]]
        seen = bare(self._blocks[session][-1]) if self._blocks[session] else ""
        shown = [fact for fact in told if fact.stated_in(seen)]
        return self._rng.choice(shown if shown and self._rng.random() < 0.8 else told)

    def _handed_back(self, kind: str, words: str, session: str) -> str:
        """Return the message as the host gives it after the turn."""
        if not kind.startswith("block") or not self._blocks[session]:
            return words
        block = self._blocks[session][-1]
        lines = block.split("\n")[2:-1]
        share = int(len(block) * self._rng.uniform(0.3, 0.95))
        forms = {
            "block whole": [block],
            "block cut off": [block[:share], block[share:], block[: -len("</relevant-memories>")]],
            "block unfenced": [
                _FENCE.sub("", block),
                "\n".join(lines),
                "\n".join(each.split(": ", 1)[-1] for each in lines),
            ],
            "block quoted": ["> " + block.replace("\n", "\n> "), "\n".join(f"> {line}" for line in lines)],
        }
        parts = [self._rng.choice(forms[kind]), words]
        return "\n\n".join(parts if self._rng.random() < 0.8 else reversed(parts))

    def _count(self, kind: str, session: str, new: Sequence[Fact]) -> None:
        counts = self.result.kinds[kind]
        counts.turns += 1
        seen = [bare(block) for block in self._blocks[session]]
        captured = [record for ident, record in self._memory.state.records.items() if ident not in self._known]
        for record in sorted(captured, key=lambda record: record.ordinal):
            counts.captured += 1
            repeated = set(self._repeated(bare(record.content), seen))
            if repeated:
                counts.repeats += 1
                counts.recalled += any(old in block for old in repeated for block in seen)
                self.result.examples.append((kind, record.content))
            self._known[record.id] = bare(record.content)
        self.result.told += len(new)
        self.result.kept += sum(any(fact.stated_in(text) for text in self._known.values()) for fact in new)

    def _repeated(self, text: str, blocks: Sequence[str]) -> Iterator[str]:
        """Yield the texts that a new memory's text repeats: older memories, or itself where it comes from a block."""
        stated = [fact for fact in self._facts.told if fact.stated_in(text)]
        for old in self._known.values():
            within = text in old or (len(old) >= LEAST and old in text)
            if within or any(fact.stated_in(old) for fact in stated):
                yield old
        if any(text in block for block in blocks) and not stated:
            yield text


def main() -> None:
    """Print a table, examples if asked for, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--examples", type=int, default=0, metavar="N", help="show N memories that repeat, of each loop"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = RememberingEncoder(SentenceEncoder())
    results = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("turns", total=len(LOOPS) * arguments.turns)
        for name, make in LOOPS.items():
            chats = Chats(name, make, encoder, arguments.seed)
            for number in range(arguments.turns):
                if number == arguments.turns // 2:
                    chats.restart()
                chats.turn()
                progress.advance(task)
            results.append(chats.result)
    Console(width=120).print(table(results))
    for result in results:
        for kind, text in result.examples[: arguments.examples]:
            print(f"{result.name} · {kind}: {text}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(each) for each in results], ensure_ascii=False, indent=1), "utf-8")


def table(results: Sequence[Result]) -> Table:
    """Return a table: a block a loop, a line a kind of turn."""
    shown = Table("loop", "turns of", "turns", "captured", "repeats", "of what was recalled", "new facts kept")
    for result in results:
        for kind, counts in result.kinds.items():
            cells = (counts.turns, counts.captured, counts.repeats, counts.recalled)
            shown.add_row(result.name, kind, *map(str, cells))
        sums = [sum(getattr(each, name) for each in result.kinds.values()) for name in Counts.__dataclass_fields__]
        shown.add_row(result.name, "all", *map(str, sums), f"{result.kept} of {result.told}", end_section=True)
    return shown


def bare(text: str) -> str:
    """Return a text's letters and digits alone, in lower case, without what begins the lines of a block."""
    folded = unicodedata.normalize("NFKC", _LINE.sub(" ", text)).casefold()
    return "".join(char for char in folded if char.isalnum())


if __name__ == "__main__":
    main()
