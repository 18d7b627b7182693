"""The issues that wait for an answer of the team: how they are read, and where they stand."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
import sqlglot
from sqlglot import exp

from metrics.waiting import WAITING, Waiting, WaitingIssue, ranked
from pipeline.targets import State
from pipeline.team import Team
from tests.support.reports import NOW, a_waiting_issue

WORKING_HOURS = """
[hours]
zone = "UTC"
days = "Mon-Fri"
from = "09:00"
to = "17:00"
"""
TARGETS = """
[[target]]
labels_any = ["bug"]
respond_in = "8h"
[[target]]
labels_any = ["outage"]
respond_in = "72h"
calendar = true
[[target]]
labels_none = ["question"]
respond_in = "5d"
"""


def test_a_row_has_every_field_of_a_waiting_issue() -> None:
    """The columns of the query are the fields of WaitingIssue."""
    query = sqlglot.parse_one(WAITING.sql.replace("${DATASET}", "github"), read="bigquery")
    assert isinstance(query, exp.Select)
    assert query.named_selects == [field.name for field in fields(WaitingIssue)]


def test_the_worst_comes_first() -> None:
    """Issues past their target come first, then those due soon, then the others, what is due first first."""
    since = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
    issues = [
        a_waiting_issue(number=number, labels=labels, waiting_since=since - timedelta(days=days))
        for number, labels, days in (
            (1, ("question",), 9),
            (2, ("question",), 10),
            (3, (), 0),
            (4, ("bug",), 0),
            (5, ("outage",), 0),
            (6, ("bug",), 3),
        )
    ]
    team = Team.parse(WORKING_HOURS + TARGETS)
    found = ranked(issues, team.targets, team.hours, NOW)
    assert [(each.issue.number, each.standing.state) for each in found] == [
        (6, State.OVERDUE),
        (4, State.OVERDUE),
        (5, State.DUE_SOON),
        (3, State.WAITING),
        (2, State.WAITING),
        (1, State.WAITING),
    ]
    assert ranked(reversed(issues), team.targets, team.hours, NOW) == found


@pytest.mark.parametrize(
    ("team", "labels", "in_working_time"),
    [
        ("", (), False),
        (TARGETS, ("bug",), False),
        (WORKING_HOURS, (), True),
        (WORKING_HOURS + TARGETS, ("bug",), True),
        (WORKING_HOURS + TARGETS, ("outage",), False),
    ],
)
def test_times_are_in_working_time_if_the_target_is(
    team: str, labels: tuple[str, ...], *, in_working_time: bool
) -> None:
    """Without [hours], and for a target by the calendar, time is counted by the clock."""
    of = Team.parse(team)
    found = Waiting.of(a_waiting_issue(labels=labels), of.targets, of.hours, NOW)
    assert found.in_working_time is in_working_time
