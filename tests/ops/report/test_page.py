"""The page: whole, self-contained, escaped, accessible, and honest about what it does not know."""

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from metrics import charts as report_charts
from metrics.figures import Age, Delay, DelayDay, Report, Responses, Spread
from ops.report.page import render
from tests.support.reports import a_report, a_repository, a_waiting, an_empty_report, weeks
from tests.support.year import HOSTILE_TITLES

VOID = {"meta", "link"}
CHARTS = ("backlog", "flow", "response", "close", "ages", "delay")


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element and go into it."""
        assert len(attrs) == len(dict(attrs)), f"<{tag}> repeats an attribute"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element of SVG that has nothing inside."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element that was entered last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note what is read in which element."""
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        """Return all that is read, with ordinary spaces."""
        parts = (text for tag, text in self.texts if tag != "style")
        return " ".join(" ".join(parts).split())


@functools.cache
def read(report: Report) -> Reader:
    """Render a report and read it; the same report once."""
    reader = Reader()
    reader.feed(render(report))
    reader.close()
    assert reader._open == []
    return reader


def odd_reports() -> dict[str, Report]:
    """Return reports at the edge, by a name."""
    report = a_report()
    few = Spread(n=4, p50=1.0, p90=2.0)
    none = {"response": Spread(), "close": Spread()}
    zero = {"opened": 0, "closed": 0, "reopened": 0, "backlog": 0, **none}
    tiny = Spread(n=9, p50=0.0, p90=0.0)
    huge = Spread(n=9, p50=200_000.0, p90=400_000.0)
    all_closed = {
        "repositories": (a_repository(open=0, unanswered=0),),
        "ages": tuple(replace(age, answered=0, unanswered=0) for age in report.ages),
        "waiting": (),
    }
    return {
        "usual": report,
        "empty": an_empty_report(),
        "empty-asked": an_empty_report(asked="acme/app", since=date(2026, 1, 5)),
        "one-week": replace(report, weeks=weeks(1), delay=Delay()),
        "silent-weeks": replace(report, weeks=weeks(30, **zero), delay=a_delay(1, -1.0), **all_closed),
        "ten-years": replace(report, weeks=weeks(520), delay=a_delay(9, 1e8)),
        "extremes": replace(report, weeks=weeks(9, response=tiny, close=huge), delay=a_delay(9, -1.0)),
        "too-few": replace(
            report, weeks=weeks(9, response=few, close=few), responses=Responses(spread=few), close=few
        ),
    }


def a_delay(n: int, seconds: float) -> Delay:
    """Return the delay of one day on which all deliveries took as long."""
    day = DelayDay(day=date(2026, 3, 1), n=n, p50=seconds, p95=seconds, most=seconds)
    return Delay(n=n, p50=seconds, p95=seconds, most=seconds, days=(day,))


EVERY = pytest.mark.parametrize("report", odd_reports().values(), ids=odd_reports().keys())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put an empty drawing in the place of each chart: the test is about the text around them."""

    def stand_in(name: str, label: str, _draw: object) -> str:
        return f'<svg role="img" id="{name}" aria-label="{label}"></svg>'

    monkeypatch.setattr(report_charts, "in_every_size", stand_in)
    read.cache_clear()
    yield
    read.cache_clear()


@EVERY
def test_a_page_is_well_formed(report: Report) -> None:
    """Whatever the figures, elements are closed in order, ids are unique, and references lead to one."""
    page = read(report)
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [name for name, times in ids.items() if times > 1] == []
    referred = {
        name
        for _, attributes in page.elements
        for key, value in attributes.items()
        for name in (
            (value or "").split()
            if key == "aria-labelledby"
            else re.findall(r"url\(#([^)]+)\)", value or "")
            if key in {"clip-path", "style"}
            else [(value or "")[1:]]
            if key == "href" and (value or "").startswith("#")
            else []
        )
    }
    assert referred <= set(ids)


@EVERY
def test_a_page_needs_nothing_else(report: Report) -> None:
    """The file has no script and no reference to anything outside but its links to issues."""
    page = read(report)
    assert {"script", "img", "iframe", "object", "embed", "image", "foreignobject"}.isdisjoint(
        tag for tag, _ in page.elements
    )
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        outside = [value for value in attributes.values() if value and re.search(r"https?:|//", value)]
        assert outside == [] or tag == "a"
    style = next(text for tag, text in page.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style


@EVERY
def test_a_page_is_accessible(report: Report) -> None:
    """It has a language, a title, one first heading, no skipped level, and a name for each drawing."""
    page = read(report)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("title")) == len(page.all("h1")) == len(page.all("main")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    for svg in page.all("svg"):
        assert svg["role"] == "img"
        assert re.match(r"(Line|Bar) chart\. .+\. .*\d.*", svg["aria-label"] or "")
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


@EVERY
def test_a_chart_has_no_colour_of_its_own(report: Report) -> None:
    """Drawings take every colour and the font from the page, so that they follow light, dark and print."""
    page = read(report)
    drawn = {"path", "use", "text", "g", "rect"}
    styles = [
        attributes["style"] or ""
        for tag, attributes in page.elements
        if tag in drawn and "style" in attributes
    ]
    colours = {value for style in styles for value in re.findall(r"(?:fill|stroke|color): ([^;]+)", style)}
    assert {colour for colour in colours if not re.fullmatch(r"none|var\(--[a-z]+\)", colour)} == set()
    assert not any("font-family" in style for style in styles)
    assert bool(colours) == bool(page.all("svg"))


def test_each_chart_says_what_it_shows() -> None:
    """Six charts in two sizes, each with heading, finding, explanation and the table behind it."""
    page = read(a_report())
    assert [figure["aria-labelledby"] for figure in page.all("figure")] == [
        f"{name}-title" for name in CHARTS
    ]
    assert [svg["class"] for svg in page.all("svg")] == ["wide", "narrow"] * len(CHARTS)
    assert len(page.all("figcaption")) == len(page.all("details")) == len(CHARTS)
    finding = "Half within 5\xa0h, nine of ten within 40\xa0h (n\xa0=\xa060)."
    title = "Time to first response, by the week of the response"
    assert [svg["aria-label"] for svg in page.all("svg")][4:6] == [f"Line chart. {title}. {finding}"] * 2
    assert "Time to close, by the week of the close" in page.text()


def test_axes_have_units() -> None:
    """Every chart writes what its axes count: issues, hours and days, seconds, weeks in UTC."""
    page = read(a_report())
    drawn = Counter(text for tag, text in page.texts if tag == "text")
    assert drawn["week, from Monday (UTC)"] == 8
    assert drawn["day (UTC)"] == 2
    assert drawn["open issues"] == 2
    assert drawn["issues a week"] == 2
    assert drawn["hours and days, log scale"] == 4
    assert drawn["seconds and up, log scale"] == 2
    assert drawn["open issues by age"] == 2
    for name in ("p50", "p90", "p95", "opened", "closed"):
        assert drawn[name] >= 2, "lines are named where they end, not by colour alone"


@pytest.mark.usefixtures("undrawn")
def test_the_headline_numbers_have_their_n() -> None:
    """Beside every percentile and share stands of how many."""
    text = read(a_report()).text()
    for part in (
        "Open issues 29 2 without a first response",
        "Time to first response 5 h p90 40 h, n = 60",
        "Answered within 24 h 75% 45 of 60; 58 within 72 h",
        "Time to close 2.1 days p90 17 days, n = 48",
        "Reopen rate 10% 5 of 50 closed issues",
        "Pipeline delay 2.4 s p95 5.5 s, n = 61",
    ):
        assert part in text


@pytest.mark.usefixtures("undrawn")
def test_too_few_is_said() -> None:
    """Fewer than five issues give no percentile: not in the headline, a week or a chart."""
    text = read(odd_reports()["too-few"]).text()
    assert "Time to first response too few p90 too few, n = 4" in text
    assert "Time to close too few p90 too few, n = 4" in text
    assert text.count("No week has 5 of them, too few to draw percentiles.") == 2
    assert "2026-03-16 4 too few too few" in text


@pytest.mark.usefixtures("undrawn")
def test_gaps_are_counted() -> None:
    """Where some weeks have too few, the page says how many have enough; where all have, nothing."""
    report = a_report()
    first, *rest = report.weeks
    some = replace(report, weeks=(replace(first, close=Spread(n=4, p50=1.0, p90=1.0)), *rest))
    assert "19 of 20 weeks have the 5 that a percentile takes; the others are gaps." in read(some).text()
    assert "the others are gaps" not in read(report).text()


@pytest.mark.usefixtures("undrawn")
def test_the_running_week_is_marked() -> None:
    """The bars of a week that is not over are in outline, and the page says so; others are not."""
    report = a_report()
    assert "The week in outline is not over." in read(report).text()
    over = replace(report, made_at=report.made_at + timedelta(days=7))
    assert "in outline is not over" not in read(over).text()


@pytest.mark.usefixtures("undrawn")
def test_the_numbers_behind_a_chart_are_all_there() -> None:
    """The table has a row for each week, also a quiet one, the newest first."""
    report = replace(a_report(), weeks=weeks(3, opened=0, closed=0, reopened=0))
    text = read(report).text()
    assert "week from opened closed reopened 2026-03-16 0 0 0 2026-03-09 0 0 0 2026-03-02 0 0 0" in text


def test_nothing_stored_is_said_kindly() -> None:
    """An empty dataset gives a whole page that says what to do, without a chart or a number."""
    page = read(an_empty_report())
    assert "No issue is stored yet" in page.text()
    assert "./issuewire backfill OWNER/REPO" in page.text()
    assert page.all("svg") == page.all("figure") == page.all("table") == []


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_hostile_text_is_escaped(title: str) -> None:
    """A title, a label or a repository's name that is markup stays text, in a page of the same elements."""
    plain = read(a_report(waiting=(a_waiting(),)))
    report = a_report(
        waiting=(a_waiting(title=title, labels=(title,), repository=title),),
        repositories=(a_repository(name=title),),
    )
    page = read(report)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert ("bdi", title) in page.texts


@pytest.mark.usefixtures("undrawn")
def test_what_html_cannot_hold_is_replaced() -> None:
    """Control characters and lone surrogates are shown as replaced, and the page can be encoded."""
    html = render(a_report(waiting=(a_waiting(title="a\x00b\x1bc\ud800d\x85e"),)))
    assert "a\ufffdb\ufffdc\ufffdd\ufffde" in html
    assert html.encode("utf-8")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", None, "//example.com"])
def test_only_web_addresses_are_linked(url: str | None) -> None:
    """An issue whose URL is no web address is listed without a link."""
    page = read(a_report(waiting=(a_waiting(url=url),)))
    assert page.all("a") == []
    assert ("bdi", "Export fails") in page.texts


@pytest.mark.usefixtures("undrawn")
def test_an_issue_that_waits_is_told_in_full() -> None:
    """The list gives age, title, repository and number, the last event, and the labels."""
    text = read(a_report()).text()
    assert "40 days Export fails acme/app#7 , last event 30 days ago · bug" in text
    assert "2.1 days Export fails acme/app#9 , nothing since · bug" in text
    assert read(a_report()).all("a")[0]["href"] == "https://github.com/acme/app/issues/7"
    untitled = read(a_report(waiting=(a_waiting(title=" "),)))
    assert ("bdi", "(no title)") in untitled.texts


@pytest.mark.usefixtures("undrawn")
def test_a_cut_list_says_so() -> None:
    """Where more issues wait than are listed, the page gives both numbers."""
    text = read(a_report(repositories=(a_repository(unanswered=31),))).text()
    assert "The oldest 2 of 31." in text
    assert "The oldest" not in read(a_report()).text()


@pytest.mark.usefixtures("undrawn")
def test_repositories_are_compared_when_there_are_several() -> None:
    """With two repositories there is a table of both; with one there is none."""
    two = a_report(repositories=(a_repository(), a_repository(id=2, name="acme/web", open=3)))
    assert "acme/web 3 2 5 h 60 2.1 days 48 10% 50" in read(two).text()
    assert "How issues are answered: acme/app and acme/web" in read(two).text()
    assert "By repository" not in read(a_report()).text()
    three = a_report(repositories=tuple(a_repository(id=index, name=f"acme/{index}") for index in range(3)))
    assert "How issues are answered: 3 repositories" in read(three).text()


@pytest.mark.usefixtures("undrawn")
def test_the_period_is_told() -> None:
    """Below the title stands when the page was made and since when it counts."""
    assert (
        "Made on 18 Mar 2026 at 15:30 UTC from all that is stored, since the week of 3 Nov 2025."
        in read(a_report()).text()
    )
    since = read(a_report(since=date(2026, 1, 5))).text()
    assert "from what happened since Monday, 5 Jan 2026; open issues as of now." in since


def test_the_same_figures_are_the_same_page() -> None:
    """The page depends on its figures alone: made twice, it is the same to the byte."""
    assert render(a_report()) == render(a_report())


def test_ages_are_named_by_their_days() -> None:
    """The bars of the backlog's age have names, counts, and how many of them wait."""
    page = read(a_report(ages=(Age(days=0, until=7, answered=2, unanswered=3), Age(days=365, until=None))))
    drawn = [text for tag, text in page.texts if tag == "text"]
    assert {"under 7 days", "over 1 year", "5 (3 unanswered)", "0"} <= set(drawn)
