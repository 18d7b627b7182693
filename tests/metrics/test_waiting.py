"""The query for the issues that wait for an answer of the team."""

from dataclasses import fields

import sqlglot
from sqlglot import exp

from metrics.waiting import WAITING, WaitingIssue


def test_a_row_has_every_field_of_a_waiting_issue() -> None:
    """The columns of the query are the fields of WaitingIssue."""
    query = sqlglot.parse_one(WAITING.sql.replace("${DATASET}", "github"), read="bigquery")
    assert isinstance(query, exp.Select)
    assert query.named_selects == [field.name for field in fields(WaitingIssue)]
