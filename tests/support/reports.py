"""Reports for tests, built without a warehouse."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from metrics.figures import (
    AgeBucket,
    Delay,
    DelayDay,
    Percentiles,
    Report,
    Repository,
    Responses,
    UnansweredIssue,
    Week,
)

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # a Wednesday
THIS_WEEK = date(2026, 3, 16)


def weeks(count: int, **changes: Any) -> tuple[Week, ...]:
    """Return the last `count` weeks, each with events; the last one is running."""
    first = THIS_WEEK - timedelta(weeks=count - 1)
    return tuple(
        replace(
            Week(
                week=first + timedelta(weeks=index),
                opened=4 + index % 3,
                closed=3,
                reopened=index % 2,
                backlog=10 + index,
                response=Percentiles(n=6, p50=5.0 + index % 4, p90=40.0),
                close=Percentiles(n=5, p50=50.0, p90=400.0 + 10 * index),
            ),
            **changes,
        )
        for index in range(count)
    )


def a_repository(**changes: Any) -> Repository:
    """Return one repository's figures."""
    defaults: dict[str, Any] = {
        "id": 1,
        "name": "acme/app",
        "open": 29,
        "unanswered": 2,
        "closed_issues": 50,
        "reopened_issues": 5,
        "responses": Responses(n=60, p50=5.0, p90=40.0, within_24h=45, within_72h=58),
        "close": Percentiles(n=48, p50=50.0, p90=400.0),
    }
    return Repository(**{**defaults, **changes})


def an_unanswered_issue(**changes: Any) -> UnansweredIssue:
    """Return an issue that waits for a first response."""
    defaults: dict[str, Any] = {
        "repository": "acme/app",
        "number": 7,
        "title": "Export fails",
        "url": "https://github.com/acme/app/issues/7",
        "age_hours": 24.0 * 40,
        "hours_since_last_event": 24.0 * 30,
        "labels": ("bug",),
    }
    return UnansweredIssue(**{**defaults, **changes})


def a_report(**changes: Any) -> Report:
    """Return a report of twenty weeks of one repository, with some of its parts replaced."""
    day = DelayDay(day=date(2026, 3, 10), n=30, p50=2.5, p95=6.0, slowest=90.0)
    defaults: dict[str, Any] = {
        "made_at": NOW,
        "since": None,
        "requested": None,
        "repositories": (a_repository(),),
        "weeks": weeks(20),
        "responses": a_repository().responses,
        "close": a_repository().close,
        "recent_response": Percentiles(n=40, p50=4.0, p90=30.0),
        "earlier_response": Percentiles(n=20, p50=6.0, p90=50.0),
        "ages": (
            AgeBucket(days=0, until=7, answered=5, unanswered=1),
            AgeBucket(days=7, until=30, answered=10, unanswered=0),
            AgeBucket(days=30, until=90, answered=8, unanswered=1),
            AgeBucket(days=90, until=365, answered=4, unanswered=0),
            AgeBucket(days=365, until=None),
        ),
        "oldest_unanswered": (
            an_unanswered_issue(),
            an_unanswered_issue(number=9, age_hours=50.0, hours_since_last_event=50.0),
        ),
        "delay": Delay(
            n=61, p50=2.4, p95=5.5, slowest=90.0, days=(day, replace(day, day=date(2026, 3, 12), n=31))
        ),
    }
    return Report(**{**defaults, **changes})


def an_empty_report(**changes: Any) -> Report:
    """Return the report of an empty dataset."""
    return Report(**{"made_at": NOW, "since": None, "requested": None, **changes})
