"""The digest's numbers of a week are those of the views, over a year in the local BigQuery."""

from datetime import date

import pytest

from clients.bigquery import QueryRunner
from metrics.week_review import DURATIONS, NAMED_WEEKS, percentiles, review
from metrics.weeks import WEEK
from tests.support.warehouse import Warehouse


def test_the_numbers_of_a_week_are_those_of_the_views(warehouse: Warehouse, year_dataset: str) -> None:
    """Durations are of the populations of the views; a week of one repository is its row of issues_weekly."""
    run = QueryRunner(warehouse.client, year_dataset, lambda _: None)
    rows = run(NAMED_WEEKS, {})
    durations = run(DURATIONS, {"from_day": date(2000, 1, 1), "until_day": date(2100, 1, 1)})
    for kind, view in (("close", "time_to_close"), ("response", "time_to_first_response")):
        shown = warehouse.query(f"SELECT * FROM `${{DATASET}}.{view}`", year_dataset)
        assert shown
        for row in shown:
            found = percentiles(
                each.hours
                for each in durations
                if (each.kind, each.repository_id) == (kind, row["repository_id"])
            )
            p50, p90 = pytest.approx(row["p50_hours"]), pytest.approx(row["p90_hours"])
            assert (found.n, found.p50, found.p90) == (row["n"], p50, p90)
    last = next(row for row in reversed(rows) if row.repository == "acme/app")
    found = review(rows, durations, last.week, lambda name: name == "acme/app")
    assert found
    assert found.before
    assert (found.week.opened, found.week.closed, found.week.backlog) == (
        last.opened,
        last.closed,
        last.backlog,
    )
    assert found.before.week == last.week - WEEK
    assert found.week.close.n + found.week.response.n > 0
