"""The report in a real browser: on a phone, on a desktop, in dark mode and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from metrics.wording import short
from ops.report.page import render
from tests.support.browser import Browser, browser
from tests.support.reports import a_report, a_repository, an_empty_report, waiting
from tests.support.year import HOSTILE_TITLES

__all__ = ["browser"]

CHARTS = ["backlog", "flow", "response", "close", "ages", "delay"]
SCREENS = [(360, False), (390, True), (800, False), (1280, False), (1280, True)]

# Of each chart: the visible drawing, its size, and the size of its smallest text.
VISIBLE_CHARTS = """
[...document.querySelectorAll("figure")].map(figure => {
  const seen = [...figure.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().width > 0);
  const box = seen[0].getBoundingClientRect();
  const scale = box.width / seen[0].viewBox.baseVal.width;
  const texts = [...seen[0].querySelectorAll("text")];
  const sizes = texts.map(text => parseFloat(getComputedStyle(text).fontSize));
  return {
    name: figure.getAttribute("aria-labelledby").replace("-title", ""),
    seen: seen.map(svg => svg.getAttribute("class")),
    width: box.width, height: box.height, text: scale * Math.min(...sizes),
  };
})
"""
# Every text colour on the page and in the charts, with its contrast (WCAG 2).
CONTRASTS = """
(() => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(Number)
      .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const found = {};
  for (const element of document.querySelectorAll("svg text, h1, h2, h3, p, a, dt, dd, td, th, summary")) {
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const value = light(ink);
    found[ink] = (Math.max(value, paper) + 0.05) / (Math.min(value, paper) + 0.05);
  }
  return found;
})()
"""
# Of each table that is in sight, how much of its width is outside.
TABLE_OVERFLOWS = """
[...document.querySelectorAll("section > .scroll")].map(box => box.scrollWidth - box.clientWidth)
"""
OVERFLOW = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of two repositories with waiting issues of hostile titles."""
    hostile = tuple(waiting(title=title, labels=(title,), author=title) for title in HOSTILE_TITLES)
    other = a_repository(id=2, name="acme/a-repository-with-quite-a-long-name-that-no-one-expected")
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(a_report(waiting=hostile, repositories=(a_repository(), other))), "utf-8")
    return path


@pytest.fixture(autouse=True)
def is_clean(browser: Browser) -> Iterator[None]:
    """No page of any test loads anything but itself, or makes the browser complain."""
    yield
    assert [url for url in browser.requests if not url.startswith(("file:", "data:,"))] == []
    assert len([url for url in browser.requests if url.startswith("file:")]) == 1
    assert browser.errors == []


@pytest.mark.parametrize(("width", "dark"), SCREENS)
def test_every_chart_can_be_read(browser: Browser, page: Path, width: int, *, dark: bool) -> None:
    """Each chart is visible once at any width, inside the page, with text of at least ten pixels."""
    browser.open(page, width, dark=dark)
    charts = browser.ask(VISIBLE_CHARTS)
    assert [chart["name"] for chart in charts] == CHARTS
    for chart in charts:
        assert chart["seen"] == ["narrow" if width < 620 else "wide"]
        assert chart["width"] >= 300
        assert chart["height"] >= 150
        assert chart["text"] >= 10
    assert browser.ask(OVERFLOW) <= 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast(browser: Browser, page: Path, *, dark: bool) -> None:
    """In light and in dark mode, on the page and in the charts, text has a contrast of at least 4.5."""
    browser.open(page, 1280, dark=dark)
    found = browser.ask(CONTRASTS)
    assert len(found) >= 4
    assert {ink: value for ink, value in found.items() if value < 4.5} == {}
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)"
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_every_table_fits(browser: Browser, page: Path, width: int) -> None:
    """The four tables of the page need no scrolling, on a phone and on a desktop."""
    browser.open(page, width)
    assert browser.ask(TABLE_OVERFLOWS) == [0, 0, 0, 0]


def test_overdue_is_not_shown_by_colour_alone(browser: Browser, page: Path) -> None:
    """An overdue issue has a colour of its own, and says that it is overdue."""
    browser.open(page, 390)
    shown = browser.ask("[...document.querySelectorAll('.overdue')].map(each => each.textContent)")
    assert shown == ["overdue by 9.4\xa0working hours"] * len(HOSTILE_TITLES)
    colours = "[...document.querySelectorAll('.overdue, #waiting')].map(each => getComputedStyle(each).color)"
    assert len(set(browser.ask(colours))) == 2


def test_a_chart_has_a_table_that_unfolds(browser: Browser, page: Path) -> None:
    """The table of a chart is collapsed, and opens without scripts."""
    browser.open(page, 360)
    first = "document.querySelector('details').getBoundingClientRect().height"
    folded = browser.ask(first)
    assert 20 <= folded < 60
    browser.ask("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert browser.ask(first) > folded + 100
    assert browser.ask(OVERFLOW) <= 0


def test_hostile_titles_stay_text(browser: Browser, page: Path) -> None:
    """Markup in a title becomes neither an element nor a script, and is shown literally."""
    browser.open(page, 1280)
    assert browser.ask("document.querySelectorAll('script, img, h1 ~ h1').length") == 0
    assert browser.ask("document.querySelectorAll('h1').length") == 1
    shown = browser.ask("[...document.querySelectorAll('.waiting a')].map(link => link.textContent)")
    assert shown == [short(title) for title in HOSTILE_TITLES]


def test_the_page_can_be_printed(browser: Browser, page: Path) -> None:
    """On paper the colours are those of light mode, collapsed tables are left out, and a cut list says so."""
    browser.open(page, 718, dark=True, media="print")
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.ask("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert [chart["seen"] for chart in browser.ask(VISIBLE_CHARTS)] == [["narrow"]] * len(CHARTS)
    summaries = (
        "[...document.querySelectorAll('summary')].filter(each => each.getBoundingClientRect().height)"
    )
    assert browser.ask(f"{summaries}.map(each => each.textContent)") == ["1 more"]
    assert browser.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("width", [360, 1280])
def test_an_empty_dataset_gives_a_page(browser: Browser, tmp_path: Path, width: int) -> None:
    """A page without data says that nothing is stored, and what to do."""
    path = tmp_path / "report.html"
    path.write_text(render(an_empty_report()), "utf-8")
    browser.open(path, width)
    assert browser.ask("document.querySelector('h1').getBoundingClientRect().height") > 0
    assert "No issue is stored yet" in browser.ask("document.querySelector('main').innerText")
    assert browser.ask("document.querySelectorAll('figure').length") == 0
    assert browser.ask(OVERFLOW) <= 0
