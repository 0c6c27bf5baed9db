"""The report: all of it in one file, nothing in it but text, and that escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ntm_memory_skill import HashedEncoder, Settings
from ntm_memory_skill.evaluation import RememberingEncoder, SetFigures, figures, measure, parse, read, rows_for
from ntm_memory_skill.evaluation.report import Circumstances, html
from tests.evaluation import sets

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>&amp;\"'{{ 7*7 }}]]>"
CIRCUMSTANCES = Circumstances(encoder=HOSTILE, version="1.2", seed=3, limit=None)
SCRIPTED = re.compile(r"on\w+|srcdoc|javascript:", re.IGNORECASE)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Elements(HTMLParser):
    """Notes what a page is made of, and how its elements nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one without content."""
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost, which has to be this."""
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def measured(path: Path) -> SetFigures:
    """Return the figures of a set, by an encoder without a model."""
    rows = list(rows_for(Settings()).values())
    return figures(measure(read(path), rows, RememberingEncoder(HashedEncoder()), 20, progress=False))


@pytest.fixture(scope="module")
def hostile() -> SetFigures:
    """A set whose name and kinds of questions are written to do harm."""
    asked = [
        {"question": "one?", "gold": ["a"], "category": HOSTILE},
        {"question": "two?", "gold": ["a"], "category": "</svg></style><script>"},
    ]
    dataset = parse({"memories": [{"content": "x", "ref": "a"}], "questions": asked}, Path(HOSTILE.replace("/", "|")))
    rows = list(rows_for(Settings()).values())
    return figures(measure(dataset, rows, RememberingEncoder(HashedEncoder()), 20, progress=False))


@pytest.fixture
def page(tmp_path: Path) -> Elements:
    """A report of one set of every layout."""
    done = [measured(write(tmp_path / str(number))) for number, write in enumerate(sets.WRITERS.values())]
    return Elements(html(done, CIRCUMSTANCES))


def test_it_needs_nothing_from_elsewhere(page: Elements) -> None:
    """No script, no link, no picture but those drawn in it, and the page itself forbids them."""
    assert not {"script", "link", "img", "iframe", "object", "embed", "image", "use", "foreignobject"} & set(page.tags)
    fetched = [value for name, value in page.attributes if name in ("src", "href", "xlink:href", "data", "action")]
    assert fetched == []
    assert any(value and value.startswith("default-src 'none'") for _, value in page.attributes)


def test_hostile_names_stay_text(hostile: SetFigures) -> None:
    """They are shown as they are, in tables and plots alike, and make no element."""
    plain = Elements(html([measured_plainly()], CIRCUMSTANCES))
    page = Elements(html([hostile], CIRCUMSTANCES))
    assert set(page.tags) <= set(plain.tags) | {"svg"}
    assert not any(SCRIPTED.match(name) for name, _ in page.attributes)
    assert HOSTILE in page.text
    assert "</svg></style><script>" in page.text


def measured_plainly() -> SetFigures:
    """Return the figures of a harmless set with two kinds of questions."""
    asked = [{"question": "one?", "gold": ["a"], "category": kind} for kind in ("first", "second")]
    dataset = parse({"memories": [{"content": "x", "ref": "a"}], "questions": asked}, Path("plain"))
    rows = list(rows_for(Settings()).values())
    return figures(measure(dataset, rows, RememberingEncoder(HashedEncoder()), 20, progress=False))


def test_elements_nest(page: Elements, hostile: SetFigures) -> None:
    """What is opened is closed, and in the right order."""
    for each in (page, Elements(html([hostile], CIRCUMSTANCES))):
        assert (each.open, each.crossed) == ([], [])


def test_every_figure_of_the_tables_is_there(tmp_path: Path) -> None:
    """Recall at every depth with its interval, for every row; every kind; every comparison."""
    found = measured(sets.WRITERS["LoCoMo"](tmp_path))
    text = Elements(html([found], CIRCUMSTANCES)).text
    for row in found.rows:
        assert row.about in text
        for depth in found.depths:
            interval = row.overall.metrics[f"recall@{depth}"]
            assert f"{100 * interval.mean:.1f}{100 * interval.low:.1f}–{100 * interval.high:.1f}" in text
    assert all(kind in text for kind in found.rows[0].categories)
    assert text.count("points") >= 1
    assert len(found.comparison.others) == len(found.rows) - 1


def test_it_says_how_to_get_the_same_figures(page: Elements) -> None:
    """Encoder, version, seed, and how many questions."""
    for each in (HOSTILE, "1.2", "seed 3", "all questions"):
        assert each in page.text
    limited = Circumstances(encoder="e", version="1", seed=0, limit=1_234)
    assert "1,234" in Elements(html([measured_plainly()], limited)).text


def test_plots_of_several_sets_have_names_of_their_own(page: Elements) -> None:
    """Their styles do not reach into each other; a set with one kind of question has a plot less."""
    names = [value for name, value in page.attributes if name == "id" and value is not None]
    assert len(names) == len(set(names))
    with_kinds = {"LoCoMo", "BEAM", "MuSiQue", "JSON lines"}
    assert page.tags.count("svg") == 2 * len(sets.WRITERS) + len(with_kinds)


def test_the_same_figures_give_the_same_page() -> None:
    """No date and no random name is in it."""
    found = measured_plainly()
    assert html([found], CIRCUMSTANCES) == html([found], CIRCUMSTANCES)
