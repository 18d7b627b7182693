"""The page is well-formed, self-contained, escaped, accessible, and clear about unknown figures."""

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from metrics.charts import drawing
from metrics.figures import BacklogAge, Delay, DelayDay, LabelTimes, Percentiles, Report, Responses
from ops.report.page import render
from tests.support.reports import (
    a_report,
    a_repository,
    a_single_issue,
    a_young_report,
    an_empty_report,
    waiting,
    weeks,
    without_target,
)
from tests.support.year import HOSTILE_TITLES

pytestmark = pytest.mark.slow  # a page has seven charts
VOID = {"meta", "link"}
CHARTS = ("backlog", "flow", "response", "close", "ages", "delay")


class PageParser(HTMLParser):
    """Parses a page strictly: every element is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the element and enter it."""
        assert len(attrs) == len(dict(attrs)), f"<{tag}> repeats an attribute"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element of SVG without content."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Leave the innermost element."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record the text and its element."""
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        """Return all visible text, with ordinary spaces."""
        parts = (text for tag, text in self.texts if tag != "style")
        return " ".join(" ".join(parts).split())


@functools.cache
def rendered(report: Report) -> str:
    """Render a report; the same report once."""
    return render(report)


@functools.cache
def parse(report: Report) -> PageParser:
    """Render and parse a report; the same report once."""
    parser = PageParser()
    parser.feed(rendered(report))
    parser.close()
    assert parser._open == []
    return parser


def edge_cases() -> dict[str, Report]:
    """Return edge cases by name."""
    report = a_report()
    few = Percentiles(n=4, p50=1.0, p90=2.0)
    none = {"response": Percentiles(), "close": Percentiles()}
    zero = {"opened": 0, "closed": 0, "reopened": 0, "backlog": 0, **none}
    tiny = Percentiles(n=9, p50=0.0, p90=0.0)
    huge = Percentiles(n=9, p50=200_000.0, p90=400_000.0)
    all_closed = {
        "repositories": (a_repository(open=0, unanswered=0),),
        "ages": tuple(replace(age, answered=0, unanswered=0) for age in report.ages),
        "backlog_age": BacklogAge(),
        "waiting": (),
    }
    return {
        "usual": report,
        "empty": an_empty_report(),
        "empty-requested": an_empty_report(requested="acme/app", since=date(2026, 1, 5)),
        "one-week": a_young_report(),
        "one-issue": a_single_issue(),
        "several-repositories": replace(
            report, repositories=(a_repository(), a_repository(id=2, name="acme/web", open=3, trend=(4,)))
        ),
        "weeks-without-events": replace(
            report, weeks=weeks(30, **zero), delay=a_delay(1, -1.0), **all_closed
        ),
        "ten-years": replace(report, weeks=weeks(520), delay=a_delay(9, 1e8)),
        "extremes": replace(report, weeks=weeks(9, response=tiny, close=huge), delay=a_delay(9, -1.0)),
        "too-few": replace(
            report,
            weeks=weeks(9, response=few, close=few),
            responses=Responses(n=4, p50=1.0, p90=2.0),
            close=few,
        ),
    }


def a_delay(n: int, seconds: float) -> Delay:
    """Return the delay of one day on which all deliveries took equally long."""
    day = DelayDay(day=date(2026, 3, 1), n=n, p50=seconds, p95=seconds, slowest=seconds)
    return Delay(n=n, p50=seconds, p95=seconds, slowest=seconds, days=(day,))


QUICK = {"usual", "empty", "empty-requested"}
EVERY = pytest.mark.parametrize(
    "report",
    [
        pytest.param(report, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, report in edge_cases().items()
    ],
)


@pytest.fixture
def without_drawings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw nothing: the test is about the text around the charts."""

    def empty_svg(name: str, label: str, _draw: object, size: drawing.Size) -> str:
        return f'<svg role="img" id="{name}-{size.name}" aria-label="{label}"></svg>'

    monkeypatch.setattr(drawing, "draw_svg", empty_svg)
    _clear_caches()
    yield
    _clear_caches()


def _clear_caches() -> None:
    rendered.cache_clear()
    parse.cache_clear()


@EVERY
def test_a_page_is_well_formed(report: Report) -> None:
    """The elements of a page are closed in order, ids are unique, and references have a target."""
    page = parse(report)
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
def test_a_page_is_self_contained(report: Report) -> None:
    """The file has no script, and no reference to anything outside except its links to issues."""
    page = parse(report)
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
    """A page has a language, a title, one h1, no skipped heading level, and a name for each drawing."""
    page = parse(report)
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
def test_a_chart_takes_its_colours_from_the_page(report: Report) -> None:
    """Drawings take every colour and the font from the page, so that they suit light, dark and print."""
    page = parse(report)
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


def test_each_chart_is_explained() -> None:
    """Each of the six charts has two sizes, a heading, a finding, an explanation and a table."""
    page = parse(a_report())
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
    """Every chart names the unit of its axes: issues, hours and days, seconds, weeks in UTC."""
    page = parse(a_report())
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


@pytest.mark.slow
def test_the_same_figures_are_the_same_page() -> None:
    """The page depends on its figures alone: two renderings are byte-identical."""
    assert render(a_report()) == rendered(a_report())


@pytest.mark.usefixtures("without_drawings")
def test_the_headline_numbers_have_their_n() -> None:
    """Every percentile and share has its number of cases beside it."""
    text = parse(a_report()).text()
    for part in (
        "Waiting on us 2 1 past the target",
        "Open issues 29 2 without a first response",
        "Age of open issues 20 days p90 79 days, n = 29",
        "First response, by anyone 5 h p90 40 h, n = 60",
        "First response, by the team 6 h p90 44 h, n = 55",
        "Answered within 24 h 75% 45 of 60; 58 within 72 h",
        "Time to close 2.1 days p90 17 days, n = 48",
        "Reopen rate 10% 5 of 50 closed issues",
    ):
        assert part in text


@pytest.mark.usefixtures("without_drawings")
def test_too_few_cases_have_no_percentile() -> None:
    """Fewer than five issues give no percentile in the headline, a week or a chart."""
    text = parse(edge_cases()["too-few"]).text()
    assert "First response, by anyone too few p90 too few, n = 4" in text
    assert "Time to close too few p90 too few, n = 4" in text
    assert text.count("No week has 5 of them, too few to draw percentiles.") == 2
    assert "2026-03-16 4 too few too few" in text


@pytest.mark.usefixtures("without_drawings")
def test_gaps_are_counted() -> None:
    """If some weeks have too few, the page says how many have enough; if all have enough, it says nothing."""
    report = a_report()
    first, *rest = report.weeks
    some = replace(report, weeks=(replace(first, close=Percentiles(n=4, p50=1.0, p90=1.0)), *rest))
    assert "19 of 20 weeks have the 5 that a percentile takes; the others are gaps." in parse(some).text()
    assert "the others are gaps" not in parse(report).text()


@pytest.mark.usefixtures("without_drawings")
def test_the_running_week_is_marked() -> None:
    """The page says that the bars of a running week are in outline; after the week it does not."""
    report = a_report()
    assert "The week in outline is not over." in parse(report).text()
    over = replace(report, made_at=report.made_at + timedelta(days=7))
    assert "in outline is not over" not in parse(over).text()


@pytest.mark.usefixtures("without_drawings")
def test_the_table_of_a_chart_is_complete() -> None:
    """The table has a row for each week, even without events, the newest first."""
    report = replace(a_report(), weeks=weeks(3, opened=0, closed=0, reopened=0))
    text = parse(report).text()
    assert "week from opened closed reopened 2026-03-16 0 0 0 2026-03-09 0 0 0 2026-03-02 0 0 0" in text


def test_an_empty_dataset_gives_a_page() -> None:
    """An empty dataset gives a page that says what to do, without a chart or a number."""
    page = parse(an_empty_report())
    assert "No issue is stored yet" in page.text()
    assert "./issuewire backfill OWNER/REPO" in page.text()
    assert page.all("svg") == page.all("figure") == page.all("table") == []


@pytest.mark.usefixtures("without_drawings")
@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_hostile_text_is_escaped(title: str) -> None:
    """Markup in a title, a label or a repository's name stays text and adds no element."""
    plain = parse(a_report(waiting=(waiting(),)))
    hostile = waiting(title=title, labels=(title,), repository=title, author=title, assignees=(title,))
    report = a_report(
        waiting=(hostile,),
        labels=(LabelTimes(label=title),),
        repositories=(a_repository(name=title),),
    )
    page = parse(report)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    shown = [text for tag, text in page.texts if tag == "bdi"]
    assert shown.count(title) == (4 if len(title) > 120 else 5), "a title is cut after 120 characters"


@pytest.mark.usefixtures("without_drawings")
def test_characters_that_html_forbids_are_replaced() -> None:
    """Control characters and lone surrogates become replacement characters, and the page can be encoded."""
    html = render(a_report(waiting=(waiting(title="a\x00b\x1bc\ud800d\x7fe"),)))
    assert "a\ufffdb\ufffdc\ufffdd\ufffde" in html
    assert html.encode("utf-8")


@pytest.mark.usefixtures("without_drawings")
@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", None, "//example.com"])
def test_only_web_addresses_are_linked(url: str | None) -> None:
    """An issue whose URL is not a web address is listed without a link."""
    page = parse(a_report(waiting=(waiting(url=url),)))
    assert page.all("a") == []
    assert ("bdi", "Export fails") in page.texts


@pytest.mark.usefixtures("without_drawings")
def test_a_waiting_issue_is_listed_in_full() -> None:
    """The list comes first; an issue has when it is due, since when it waits, author, labels, assignees."""
    text = parse(a_report()).text()
    first = (
        "Waiting on us 2 issues wait for an answer of the team. 1 is past the target, 1 is due soon. "
        "overdue by 9.4 working hours was due 17 Mar 14:05 Export fails acme/app#7 · opened by octavia · "
        "waits since 16 Mar 14:05 (2.1 days by the clock, 17 working hours) bug assigned to mona "
        "due in 9.4 working hours due 17 Mar 14:05 Login is slow acme/app#9"
    )
    assert first in text
    assert text.index(first) < text.index("Are we answering?")
    assert parse(a_report()).all("a")[0]["href"] == "https://github.com/acme/app/issues/7"
    untitled = parse(a_report(waiting=(waiting(title=" ", author=None),)))
    assert ("bdi", "(no title)") in untitled.texts
    assert ("bdi", "a deleted account") in untitled.texts


@pytest.mark.usefixtures("without_drawings")
def test_time_by_the_clock_has_no_working_time_beside_it() -> None:
    """Where every hour counts, and for a target by the calendar, spans are in hours and days."""
    clock = waiting(in_working_time=False, working_hours=49.4)
    text = parse(a_report(waiting=(clock,))).text()
    assert "overdue by 9.4 h was due" in text
    assert "waits since 16 Mar 14:05 (2.1 days) " in text


@pytest.mark.usefixtures("without_drawings")
def test_what_team_toml_lacks_is_said() -> None:
    """Without a target nothing is due; without a team the page says whose answers count."""
    text = parse(a_report(waiting=(without_target(),), has_targets=False, has_team=False)).text()
    assert "The longest wait is 2.1 days. No target is set, so nothing is due;" in text
    assert "no target Export fails" in text
    assert "config/team.toml names no team, so owners, members and collaborators count" in text
    assert "Waiting on us 1 no target is set" in text
    assert "config/team.toml names no team, so it is among the others. opened by" in text
    assert "time to close (n) others 88" in text


@pytest.mark.usefixtures("without_drawings")
def test_no_one_waits() -> None:
    """If no issue waits the page says so, and has no list."""
    page = parse(a_report(waiting=()))
    assert "No one waits for an answer of the team." in page.text()
    assert page.all("ol") == []
    assert "In every open issue the team had the last word" in page.text()
    none_open = a_report(waiting=(), repositories=(a_repository(open=0),))
    assert "No issue of a person is open." in parse(none_open).text()


@pytest.mark.usefixtures("without_drawings")
def test_a_long_list_is_folded_and_cut() -> None:
    """Five waiting issues are in sight, the next ones can be unfolded, and at most fifty are listed."""
    many = tuple(waiting(number=number) for number in range(1, 61))
    page = parse(a_report(waiting=many))
    assert "60 issues wait" in page.text()
    assert "The first 50 of 60 are listed; --json has all." in page.text()
    assert " 45 more " in page.text()
    assert len(page.all("li")) == 50
    assert [item.get("start") for item in page.all("ol")] == [None, "6"]
    six = parse(a_report(waiting=many[:6]))
    assert " 1 more " in six.text()
    assert "are listed" not in six.text()
    assert len(parse(a_report(waiting=many[:5])).all("details")) == len(CHARTS)


@pytest.mark.usefixtures("without_drawings")
def test_the_weeks_of_opening_are_compared() -> None:
    """Each week has what became of its issues, the newest first; of many weeks the last thirteen."""
    text = parse(a_report()).text()
    assert "16 Mar 3 33% 33% 1 2 \u2013 9 Mar 8 75% 88% 5 3 40 h" in text
    assert "The newest weeks still change. week from" in text
    many = a_report(cohorts=a_report().cohorts * 7)
    assert "The newest weeks still change. The last 13 of 14 weeks." in parse(many).text()


@pytest.mark.usefixtures("without_drawings")
def test_the_team_and_others_are_apart() -> None:
    """Issues of the team, of others and of bots have a row, with responses by anyone and by the team."""
    text = parse(a_report()).text()
    assert (
        "the team 12 4 0 \u2013 \u2013 \u2013 others 88 25 2 5 h (58) 6.5 h (53) 2.1 days (44) bots 5 0 0"
        in text
    )


@pytest.mark.usefixtures("without_drawings")
def test_time_in_label_is_shown() -> None:
    """Each label has its percentiles and who carries it now; a label that no issue carried has none."""
    labels = (*a_report().labels, LabelTimes(label="absent"))
    text = parse(a_report(labels=labels)).text()
    assert "bug 20 30 h 17 days 6 38 days absent 0 \u2013 \u2013 0 \u2013" in text
    assert "No issue has carried a label yet." in parse(a_report(labels=())).text()


@pytest.mark.usefixtures("without_drawings")
def test_a_week_old_dataset_says_what_is_missing() -> None:
    """A dataset of one week has counts, no percentiles, and says that it is too early."""
    text = parse(a_young_report()).text()
    for part in (
        "Too early to tell: 2 issues open.",
        "Too few first responses to say how long they take (n = 1).",
        "No week has 5 of them, too few to draw percentiles.",
        "No day has 5 deliveries, too few to draw percentiles.",
        "Too few for percentiles; the oldest is 2.1 days old (n = 2).",
        "16 Mar 3 33% 33% 1 2 too few",
    ):
        assert part in text


@pytest.mark.usefixtures("without_drawings")
def test_a_single_issue_gives_a_page() -> None:
    """With one issue the page has words in the singular, and no percentile."""
    text = parse(a_single_issue()).text()
    for part in (
        "1 issue waits for an answer of the team. None is past its target, 0 are due soon.",
        "1 of 1 open issue has had no first response yet.",
        "Too early to tell: 1 issue open.",
        "No issue has carried a label yet.",
        "others 1 1 1 \u2013 \u2013 \u2013",
    ):
        assert part in text


@pytest.mark.usefixtures("without_drawings")
def test_repositories_are_compared_when_there_are_several() -> None:
    """Several repositories have a table with a small trend of each; a single one has none."""
    two = a_report(repositories=(a_repository(), a_repository(id=2, name="acme/web", open=3)))
    assert "acme/web 3 2 2 5 h (60) 2.1 days (48) 10% 50" in parse(two).text()
    [first, second] = [svg["aria-label"] for svg in parse(two).all("svg") if svg.get("class") == "trend"]
    assert first == second == "Line chart. Issues open at each week's end. 4 open 25 weeks ago, 29 now."
    assert "How issues are answered: acme/app and acme/web" in parse(two).text()
    assert "By repository" not in parse(a_report()).text()
    three = a_report(repositories=tuple(a_repository(id=index, name=f"acme/{index}") for index in range(3)))
    assert "How issues are answered: 3 repositories" in parse(three).text()


@pytest.mark.usefixtures("without_drawings")
def test_the_period_is_shown() -> None:
    """Below the title is when the page was made and the period that it covers."""
    assert (
        "Made on 18 Mar 2026 at 15:30 UTC from all that is stored, since the week of 3 Nov 2025."
        in parse(a_report()).text()
    )
    since = parse(a_report(since=date(2026, 1, 5))).text()
    assert "from what happened since Monday, 5 Jan 2026; open issues as of now." in since
