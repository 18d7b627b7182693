"""Figures in words: short, with two significant digits, and no percentile of too few."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from metrics import wording
from metrics.figures import BacklogAge, Delay, Percentiles, Report
from tests.support.reports import a_report, a_repository, weeks

ENOUGH = Percentiles(n=5, p50=5.25, p90=300.0)
FEW = Percentiles(n=4, p50=5.25, p90=300.0)


def plain(text: str) -> str:
    """Return the text with ordinary spaces."""
    return text.replace(wording.NO_BREAK, " ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "under 1 min"),
        (-0.5, "under 1 min"),
        (1 / 60, "1 min"),
        (0.75, "45 min"),
        (0.999, "1 h"),
        (5.24, "5.2 h"),
        (9.96, "10 h"),
        (47.8, "48 h"),
        (48, "2 days"),
        (24 * 9.96, "10 days"),
        (24 * 89, "89 days"),
        (24 * 90, "13 weeks"),
        (24 * 7 * 1500, "1,500 weeks"),
    ],
)
def test_a_duration_has_the_unit_that_fits(value: float, expected: str) -> None:
    """A duration is in minutes, hours, days or weeks, whichever needs few digits."""
    assert plain(wording.hours(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-0.8, "0 s"), (0.04, "0 s"), (2.54, "2.5 s"), (59.4, "59 s"), (60, "1 min"), (7200, "2 h")],
)
def test_a_short_delay_is_in_seconds(value: float, expected: str) -> None:
    """A delay below a minute is in seconds; GitHub's whole seconds can make it negative, which shows as 0."""
    assert plain(wording.seconds(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1, "0 working minutes"),
        (0.75, "45 working minutes"),
        (1 / 60, "1 working minute"),
        (1, "1 working hour"),
        (5.24, "5.2 working hours"),
        (1234, "1,234 working hours"),
    ],
)
def test_working_time_is_never_in_days(value: float, expected: str) -> None:
    """Working time is in minutes or hours: a working day has another length than a day."""
    assert plain(wording.working_hours(value)) == expected


def test_a_moment_is_in_utc() -> None:
    """A moment has its year only if it is another one than now."""
    moment = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert plain(wording.moment(moment, datetime(2026, 5, 1, tzinfo=UTC))) == "28 Feb 23:30"
    assert plain(wording.moment(moment, datetime(2027, 1, 1, tzinfo=UTC))) == "28 Feb 2026 23:30"
    assert plain(wording.day(date(2026, 3, 1))) == "1 Mar 2026"


def test_a_long_text_is_cut() -> None:
    """A text is one line, and ends with an ellipsis where it was cut."""
    assert wording.short(" a\tb\n\nc ") == "a b c"
    assert wording.short("W" * 120) == "W" * 120
    assert wording.short("W" * 121) == "W" * 119 + "\u2026"
    assert wording.short("a b c d", 4) == "a b\u2026"


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (BacklogAge(), "No issue is open, but for those of bots."),
        (
            BacklogAge(n=4, p50=1, p90=2, longest=72),
            "Too few for percentiles; the oldest is 3 days old (n = 4).",
        ),
    ],
)
def test_a_young_backlog_has_no_percentiles(age: BacklogAge, expected: str) -> None:
    """With fewer than five open issues there is the oldest one at most."""
    assert plain(wording.age_finding(age)) == expected


def test_fewer_than_five_have_no_percentile() -> None:
    """Four cases give "too few", five the percentile, none a dash."""
    assert [plain(wording.p50(of)) for of in (ENOUGH, FEW, Percentiles())] == ["5.2 h", "too few", "\u2013"]
    assert [plain(wording.p90(of)) for of in (ENOUGH, FEW, Percentiles())] == [
        "12 days",
        "too few",
        "\u2013",
    ]
    assert plain(wording.duration_finding(FEW)) == "Too few for percentiles (n = 4)."


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://github.com/acme/app/issues/7", True),
        ("http://ghe.example.com/acme/app/issues/7", True),
        ("HTTPS://github.com/a", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("\x01javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.com/x", False),
        ("/etc/passwd", False),
        ("https://", False),
        ("https:github.com", False),
        ("https://[bad", False),
        ("https://a b", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_are_safe_links(url: str | None, *, is_link: bool) -> None:
    """A payload may contain any text as its URL; only http and https with a host is a link."""
    assert wording.safe_link(url) == (url if is_link else None)


@pytest.mark.parametrize(
    ("open_now", "by_bots", "unanswered", "expected"),
    [
        (0, 0, 0, "No issue is open."),
        (2, 2, 0, "Every open issue was opened by a bot."),
        (1, 0, 0, "The only open issue has had a first response."),
        (3, 2, 0, "The only open issue has had a first response."),
        (3, 0, 0, "All 3 open issues have had a first response."),
        (3, 0, 1, "1 of 3 open issues has had no first response yet."),
        (1, 0, 1, "1 of 1 open issue has had no first response yet."),
        (1203, 3, 1100, "1,100 of 1,200 open issues have had no first response yet."),
    ],
)
def test_are_we_answering(open_now: int, by_bots: int, unanswered: int, expected: str) -> None:
    """The first answer says how many open issues lack a response; issues of bots ask for none."""
    counts = {"open": open_now, "open_by_bots": by_bots, "unanswered": unanswered}
    report = a_report(repositories=(a_repository(**counts),))
    assert wording.answering(report)[0] == expected


def test_what_is_not_known_is_not_called_answered() -> None:
    """If open issues may have been answered before their first event, none of them is said to be answered."""
    report = a_report(repositories=(a_repository(open=9, unanswered=0, unknown=2),))
    assert wording.answering(report)[0] == (
        "No open issue is known to lack a first response; of 2 of 9 open issues it is not known."
    )


def test_how_long_answers_take_is_compared() -> None:
    """The detail has p50 and p90 with n, and compares recent with earlier weeks if both have enough."""
    report = a_report()
    assert plain(wording.answering(report)[1]) == (
        "Half of the first responses came within 5 h, nine of ten within 40 h (n = 60). "
        "In the last 13 weeks half came within 4 h (n = 40), before that within 6 h (n = 20)."
    )
    few = replace(report, earlier_response=FEW)
    assert "before" not in wording.answering(few)[1]
    fewest = replace(report, responses=replace(report.responses, n=4))
    assert plain(wording.answering(fewest)[1]) == (
        "Too few first responses to say how long they take (n = 4)."
    )


def trend(before: int, now: int) -> str:
    """Return the answer for a backlog that went from `before` to `now` in the last thirteen weeks."""
    old, recent = weeks(20)[:-13], weeks(13, backlog=now)
    report: Report = a_report(
        weeks=(*(replace(week, backlog=before) for week in old), *recent),
        repositories=(a_repository(open=now),),
    )
    return wording.growing(report)[0]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (16, 29, "It is growing: 29 issues open, 13 more than 13 weeks ago."),
        (29, 16, "It is shrinking: 16 issues open, 13 fewer than 13 weeks ago."),
        (100, 105, "It is steady: 105 issues open, 5 more than 13 weeks ago."),
        (100, 106, "It is growing: 106 issues open, 6 more than 13 weeks ago."),
        (7, 7, "It is steady: 7 issues open, as many as 13 weeks ago."),
        (0, 0, "It is steady: 0 issues open, as many as 13 weeks ago."),
        (0, 1, "It is growing: 1 issue open, 1 more than 13 weeks ago."),
    ],
)
def test_is_the_backlog_growing(before: int, now: int, expected: str) -> None:
    """The second answer says how the backlog changed in a quarter; up to five percent is steady."""
    assert trend(before, now) == expected


def test_the_growth_has_the_flow_of_the_same_weeks() -> None:
    """The detail counts the issues opened, closed and reopened in the compared weeks."""
    assert wording.growing(a_report())[1] == "65 opened, 39 closed and 7 reopened in these 13 weeks."


def test_a_young_history_is_not_compared() -> None:
    """A history shorter than a quarter gives no answer about growth."""
    report = a_report(weeks=weeks(3))
    assert wording.growing(report)[0] == "Too early to tell: 29 issues open."
    since = replace(report, since=date(2026, 3, 2), initial_backlog=20)
    assert wording.growing(since)[0] == "It is growing: 29 issues open, 9 more than 3 weeks ago."


def test_each_chart_has_its_finding() -> None:
    """Each chart has a sentence that sums it up, which is in its accessible name too."""
    report = a_report()
    assert plain(wording.backlog_finding(report)) == (
        "29 open now; the most were 29, in the week of 16 Mar 2026."
    )
    assert wording.flow_finding(report) == "99 opened and 60 closed in 20 weeks: 5.0 and 3.0 a week."
    assert plain(wording.duration_finding(ENOUGH)) == "Half within 5.2 h, nine of ten within 12 days (n = 5)."
    assert plain(wording.age_finding(report.backlog_age)) == (
        "Half are older than 20 days, one in ten is older than 79 days; the oldest is 15 weeks old (n = 29)."
    )
    assert plain(wording.delay_finding(report.delay)) == (
        "Half were stored within 2.4 s, 95 of 100 within 5.5 s; the slowest took 1.5 min (n = 61)."
    )
    assert plain(wording.delay_finding(Delay())) == "Too few deliveries for percentiles (n = 0)."
