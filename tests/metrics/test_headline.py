"""The headline figures as JSON."""

import json
from datetime import date

import pytest

from metrics.figures import Delay, Percentiles, Responses
from metrics.headline import headline
from tests.support.reports import a_report, an_empty_report, waiting
from tests.support.year import HOSTILE_TITLES

A_WAITING_ISSUE = {
    "repository": "acme/app",
    "number": 7,
    "title": "Export fails",
    "url": "https://github.com/acme/app/issues/7",
    "author": "octavia",
    "state": "overdue",
    "due_at": "2026-03-17T14:05:00+00:00",
    "waiting_since": "2026-03-16T14:05:00+00:00",
    "waiting_hours": 49.4,
    "working_hours": 17.4,
    "labels": ["bug"],
    "assignees": ["mona"],
}
SECOND = {"number": 9, "title": "Login is slow", "state": "due_soon", "assignees": []}


def test_the_headline_is_json() -> None:
    """The numbers are plain JSON: counts, percentiles with n, shares of one, ISO dates and times."""
    assert json.loads(json.dumps(headline(a_report(since=date(2026, 1, 5))))) == {
        "made_at": "2026-03-18T15:30:00+00:00",
        "since": "2026-01-05",
        "repositories": ["acme/app"],
        "waiting_on_us": {
            "n": 2,
            "overdue": 1,
            "due_soon": 1,
            "issues": [A_WAITING_ISSUE, A_WAITING_ISSUE | SECOND],
        },
        "open": 29,
        "open_by_bots": 0,
        "unanswered": 2,
        "response_unknown": 0,
        "weeks_compared": 13,
        "open_before": 16,
        "backlog_age": {"n": 29, "p50_hours": 480.0, "p90_hours": 1900.0, "max_hours": 2600.0},
        "time_to_first_response": {
            "n": 60,
            "p50_hours": 5.0,
            "p90_hours": 40.0,
            "answered_within_24h": 45,
            "answered_within_72h": 58,
            "closed_unanswered": 0,
        },
        "time_to_first_team_response": {"n": 55, "p50_hours": 6.0, "p90_hours": 44.0},
        "time_to_close": {"n": 48, "p50_hours": 50.0, "p90_hours": 400.0, "put_aside": 0},
        "reopen_rate": {"closed_issues": 50, "reopened_issues": 5, "rate": 0.1},
        "by_week_opened": [
            {
                "week": "2026-03-09",
                "opened": 8,
                "answered_within_24h": 6,
                "answered_within_72h": 7,
                "closed": 5,
                "still_open": 3,
                "p50_hours_to_close": 40.0,
            },
            {
                "week": "2026-03-16",
                "opened": 3,
                "answered_within_24h": 1,
                "answered_within_72h": 1,
                "closed": 1,
                "still_open": 2,
                "p50_hours_to_close": None,
            },
        ],
        "time_in_label": {
            "bug": {
                "n": 20,
                "p50_hours": 30.0,
                "p90_hours": 400.0,
                "open": 6,
                "longest_open_hours": 900.0,
            }
        },
        "pipeline_delay": {"n": 61, "p50_seconds": 2.4, "p95_seconds": 5.5, "max_seconds": 90.0},
    }


def test_the_headline_has_no_percentile_of_fewer_than_five() -> None:
    """A percentile of too few cases is null, with n beside it."""
    few = Percentiles(n=4, p50=1.0, p90=2.0)
    report = a_report(
        responses=Responses(n=4, p50=1.0, p90=2.0), close=few, delay=Delay(n=4, p50=1.0, p95=1.0, slowest=1.0)
    )
    found = headline(report)
    assert found["time_to_close"] == {"n": 4, "p50_hours": None, "p90_hours": None, "put_aside": 0}
    assert found["time_to_first_response"] == {
        "n": 4,
        "p50_hours": None,
        "p90_hours": None,
        "answered_within_24h": 0,
        "answered_within_72h": 0,
        "closed_unanswered": 0,
    }
    assert found["pipeline_delay"] == {"n": 4, "p50_seconds": None, "p95_seconds": None, "max_seconds": 1.0}


def test_a_rate_of_nothing_is_null() -> None:
    """The reopen rate is null, not zero, while no issue was closed."""
    found = headline(an_empty_report())
    assert found["reopen_rate"] == {"closed_issues": 0, "reopened_issues": 0, "rate": None}


@pytest.mark.parametrize("title", [*HOSTILE_TITLES, "\x1b[2J", "\ud800"])
def test_hostile_titles_stay_text(title: str) -> None:
    """A title is uncut, and no character of it reaches the terminal as anything but printable ASCII."""
    printed = json.dumps(headline(a_report(waiting=(waiting(title=title),))))
    assert json.loads(printed)["waiting_on_us"]["issues"][0]["title"] == title
    assert printed.isascii()
    assert printed.isprintable()
