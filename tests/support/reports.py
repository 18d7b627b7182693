"""Reports for tests, built without a warehouse."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from metrics.figures import (
    AgeBucket,
    Authors,
    BacklogAge,
    Cohort,
    Delay,
    DelayDay,
    LabelTimes,
    Percentiles,
    Report,
    Repository,
    Responses,
    Week,
)
from metrics.waiting import Waiting, WaitingIssue
from pipeline.targets import Standing, State

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
        "waiting": 2,
        "trend": tuple(range(4, 30)),
    }
    return Repository(**{**defaults, **changes})


def a_waiting_issue(**changes: Any) -> WaitingIssue:
    """Return an issue that has waited since Monday 14:05."""
    defaults: dict[str, Any] = {
        "repository_id": 1,
        "repository": "acme/app",
        "number": 7,
        "title": "Export fails",
        "url": "https://github.com/acme/app/issues/7",
        "author": "octavia",
        "opened_at": datetime(2026, 3, 16, 14, 5, tzinfo=UTC),
        "waiting_since": datetime(2026, 3, 16, 14, 5, tzinfo=UTC),
        "waiting_hours": 49.4,
        "working_hours": 17.4,
        "labels": ("bug",),
        "assignees": ("mona",),
    }
    return WaitingIssue(**{**defaults, **changes})


def waiting(state: State = State.OVERDUE, *, in_working_time: bool = True, **changes: Any) -> Waiting:
    """Return a waiting issue whose answer was or is due in working time."""
    is_over = state is State.OVERDUE
    span = timedelta(hours=9.4)
    return Waiting(
        issue=a_waiting_issue(**changes),
        standing=Standing(
            state=state,
            due_at=datetime(2026, 3, 17, 14, 5, tzinfo=UTC),
            waited=timedelta(hours=17.4),
            waited_by_the_clock=timedelta(hours=49.4),
            over=span if is_over else None,
            left=None if is_over else span,
        ),
        in_working_time=in_working_time,
    )


def without_target(**changes: Any) -> Waiting:
    """Return a waiting issue that no target is about."""
    placed = waiting(State.WAITING, **changes)
    return replace(placed, standing=replace(placed.standing, due_at=None, left=None), in_working_time=False)


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
        "waiting": (waiting(), waiting(State.DUE_SOON, number=9, title="Login is slow", assignees=())),
        "has_targets": True,
        "has_team": True,
        "team_responses": Responses(n=55, p50=6.0, p90=44.0),
        "backlog_age": BacklogAge(n=29, p50=480.0, p90=1900.0, longest=2600.0),
        "cohorts": (
            Cohort(
                week=date(2026, 3, 9),
                opened=8,
                within_24h=6,
                within_72h=7,
                closed=5,
                still_open=3,
                close=Percentiles(n=5, p50=40.0, p90=60.0),
            ),
            Cohort(week=THIS_WEEK, opened=3, within_24h=1, within_72h=1, closed=1, still_open=2),
        ),
        "authors": (
            Authors(name="the team", opened=12, open=4),
            Authors(
                name="others",
                opened=88,
                open=25,
                waiting=2,
                response=Percentiles(n=58, p50=5.0, p90=40.0),
                team_response=Percentiles(n=53, p50=6.5, p90=44.0),
                close=Percentiles(n=44, p50=50.0),
            ),
            Authors(name="bots", opened=5, open=0),
        ),
        "labels": (LabelTimes(label="bug", n=20, p50=30.0, p90=400.0, open=6, longest_open=900.0),),
        "delay": Delay(
            n=61, p50=2.4, p95=5.5, slowest=90.0, days=(day, replace(day, day=date(2026, 3, 12), n=31))
        ),
    }
    return Report(**{**defaults, **changes})


def a_young_report() -> Report:
    """Return the report of a dataset that is a week old: three issues, two open, one answered."""
    few = Responses(n=1, p50=3.0, p90=3.0, within_24h=1, within_72h=1)
    return a_report(
        repositories=(
            a_repository(open=2, unanswered=2, closed_issues=1, reopened_issues=0, trend=(2,), responses=few,
                         close=Percentiles(n=1, p50=5.0, p90=5.0)),
        ),
        weeks=(Week(week=THIS_WEEK, opened=3, closed=1, backlog=2, response=few, close=few),),
        responses=few,
        team_responses=few,
        close=Percentiles(n=1, p50=5.0, p90=5.0),
        recent_response=few,
        earlier_response=Percentiles(),
        ages=(AgeBucket(days=0, until=7, unanswered=2), *a_report().ages[4:]),
        backlog_age=BacklogAge(n=2, p50=40.0, p90=49.0, longest=49.4),
        cohorts=(
            Cohort(week=THIS_WEEK, opened=3, within_24h=1, within_72h=1, closed=1, still_open=2,
                   close=Percentiles(n=1, p50=5.0)),
        ),
        authors=(Authors(name="the team"), Authors(name="others", opened=3, open=2, waiting=2),
                 Authors(name="bots")),
        labels=(LabelTimes(label="bug", n=2, p50=1.0, p90=2.0, open=2, longest_open=40.0),),
        delay=Delay(n=3, p50=2.0, p95=2.0, slowest=2.0,
                    days=(DelayDay(day=date(2026, 3, 16), n=3, p50=2.0, p95=2.0, slowest=2.0),)),
    )  # fmt: skip


def a_single_issue() -> Report:
    """Return the report of one issue that waits, without labels."""
    return replace(
        a_young_report(),
        repositories=(
            a_repository(open=1, unanswered=1, waiting=1, closed_issues=0, reopened_issues=0, trend=(1,),
                         responses=Responses(), close=Percentiles()),
        ),
        weeks=(Week(week=THIS_WEEK, opened=1, backlog=1),),
        waiting=(waiting(State.WAITING, labels=(), assignees=()),),
        responses=Responses(),
        team_responses=Responses(),
        close=Percentiles(),
        recent_response=Percentiles(),
        ages=(AgeBucket(days=0, until=7, unanswered=1), *a_report().ages[4:]),
        backlog_age=BacklogAge(n=1, p50=49.4, p90=49.4, longest=49.4),
        cohorts=(Cohort(week=THIS_WEEK, opened=1, still_open=1),),
        authors=(Authors(name="the team"), Authors(name="others", opened=1, open=1, waiting=1),
                 Authors(name="bots")),
        labels=(),
    )  # fmt: skip


def an_empty_report(**changes: Any) -> Report:
    """Return the report of an empty dataset."""
    return Report(**{"made_at": NOW, "since": None, "requested": None, **changes})
