"""From the same events, the views and the published formulas of other tools give the same values.

Where they differ, a test shows both values; docs/reference.md says why.
"""

import statistics
from datetime import date, datetime, timedelta

import pytest

from tests.sql.cases import BOT, KIM, MONA, OCTAVIA, Case, at, picked
from tests.support.messages import NOON

HOUR = timedelta(hours=1)


def test_issue_metrics_percentiles(case: Case) -> None:
    """issue-metrics gives closed_at - created_at, and numpy's linear interpolation of the percentiles."""
    hours = [7, 11, 19, 48, 96, 130]
    issues = [case.issue(number) for number in range(len(hours))]
    events = [issue.opened() for issue in issues]
    for issue, hour in zip(issues, hours, strict=True):
        events += [issue.commented(MONA, at(hours=hour), "Done."), issue.closed(MONA, at(hours=hour))]
    case.store(*events)
    deciles = statistics.quantiles(hours, n=10, method="inclusive")
    expected = (len(hours), pytest.approx(statistics.median(hours)), pytest.approx(deciles[8]))
    assert picked(case.one("time_to_close"), "n", "p50_hours", "p90_hours") == expected
    assert picked(case.one("time_to_first_response"), "n", "p50_hours", "p90_hours") == expected


def test_issue_metrics_time_in_label(case: Case) -> None:
    """issue-metrics adds up the times of `unlabeled`, takes off those of `labeled`, and ends at the close."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.labeled(MONA, at(hours=2), "bug"),
        issue.labeled(MONA, at(hours=5), "help"),
        issue.unlabeled(MONA, at(hours=9), "bug"),
        issue.labeled(MONA, at(hours=20), "bug"),
        issue.unlabeled(MONA, at(hours=26), "bug"),
        issue.closed(MONA, at(hours=30)),
    )
    assert hours_in_labels(case) == {"bug": (9 + 26) - (2 + 20), "help": 30 - 5}


def test_closed_time_in_a_label(case: Case) -> None:
    """issue-metrics counts the time in which a reopened issue was closed; here it is left out."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.labeled(MONA, NOON, "bug"),
        issue.closed(MONA, at(hours=48)),
        issue.reopened(MONA, at(hours=96)),
        issue.closed(MONA, at(hours=144)),
    )
    theirs = (at(hours=144) - NOON) / HOUR
    assert (theirs, hours_in_labels(case)) == (144, {"bug": 96})


def test_issue_metrics_first_response(case: Case) -> None:
    """issue-metrics takes the first comment by neither author nor bot, of the first 20; here all count."""
    early, late = case.issue(1), case.issue(2)
    written = [(BOT, 1), (OCTAVIA, 2), (KIM, 3), (MONA, 4)]
    talk = [(OCTAVIA, hour) for hour in range(1, 21)] + [(MONA, 30)]
    case.store(
        early.opened(),
        *(early.commented(writer, at(hours=hour), "Hello") for writer, hour in written),
        late.opened(),
        *(late.commented(writer, at(hours=hour), "Hello") for writer, hour in talk),
    )
    found = {row["issue_number"]: row["time_to_first_response_hours"] for row in case.ask("issues")}
    theirs = [
        next((hour for writer, hour in comments[:20] if writer not in (OCTAVIA, BOT)), None)
        for comments in (written, talk)
    ]
    assert (theirs, found) == ([3, None], {1: 3, 2: 30})


def test_a_response_in_the_second_of_the_opening(case: Case) -> None:
    """issue-metrics leaves out a response of 0 seconds; here it is one of 0 hours."""
    issue = case.issue()
    case.store(issue.opened(), issue.commented(MONA, NOON, "At once."))
    assert picked(case.one("time_to_first_response"), "n", "p50_hours") == (1, 0)


def test_dbt_github_open_intervals(case: Case) -> None:
    """dbt_github adds up the intervals in which an issue is open, and counts one reopening less."""
    issue = case.issue()
    case.store(
        issue.opened(),
        issue.closed(MONA, at(hours=10)),
        issue.reopened(OCTAVIA, at(hours=30)),
        issue.closed(MONA, at(hours=35)),
        issue.reopened(OCTAVIA, at(hours=70)),
    )
    now = at(days=28)
    changes = [(at(hours=hour), hour in (0, 30, 70)) for hour in (0, 10, 30, 35, 70)]
    ends: list[datetime] = [begin for begin, _ in changes[1:]] + [now]
    intervals = [end - begin for (begin, is_open), end in zip(changes, ends, strict=True) if is_open]
    assert picked(case.one(), "open_hours", "reopen_count") == (
        sum(intervals, timedelta()) / HOUR,
        len(intervals) - 1,
    )


def test_chaoss_active_issues_and_closure_ratio(case: Case) -> None:
    """CHAOSS counts issues with a comment, a change of label or assignee, or a close; and closed / opened."""
    quiet, talk, label, assign, close = (case.issue(number) for number in range(5))
    case.store(
        *(issue.opened() for issue in (quiet, talk, label, assign, close)),
        talk.commented(MONA, at(hours=1), "Hello"),
        talk.commented(KIM, at(days=8), "Again"),
        label.labeled(MONA, at(hours=2), "bug"),
        assign.assigned(MONA, at(days=8), KIM),
        close.closed(MONA, at(days=1)),
    )
    assert case.weeks("active", "closed_ratio") == {
        date(2026, 1, 5): (len([talk, label, close]), 1 / 5),
        date(2026, 1, 12): (len([talk, assign]), None),
    }


def hours_in_labels(case: Case) -> dict[str, float]:
    """Return the hours in each label."""
    return {row["label"]: row["hours"] for row in case.ask("time_in_label")}
