"""Whatever happens to issues in a year, however it is delivered, the views say what plain Python counts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.sql.lives import NOW, Fact, Year, a_year
from tests.sql.truth import Truth, pipeline_delay
from tests.support.warehouse import PROJECT, Warehouse

SEEDS = range(24)
VIEWS = (
    "issues",
    "time_to_close",
    "time_to_first_response",
    "reopen_rate",
    "issues_weekly",
    "open_issues",
)
KEYS = ("repository_id", "issue_number", "week", "day", "delivery_id")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The years, and the answer of each view about all of them."""

    years: dict[int, Year]
    views: dict[str, list[Row]]


@pytest.fixture(scope="module")
def answers(warehouse: Warehouse, dataset_at: Callable[[datetime], str]) -> Answers:
    """Store the years of all seeds in one dataset and ask each view once."""
    dataset = dataset_at(NOW)
    years = {seed: a_year(seed) for seed in SEEDS}
    rows = [row for year in years.values() for row in year.rows]
    warehouse.client.load_table_from_json(
        [{**row, "payload": None} for row in rows],
        f"{PROJECT}.{dataset}.events",
    ).result(timeout=60)
    names = (*VIEWS, "pipeline_delay", "issue_events")
    views = {name: warehouse.query(f"SELECT * FROM `${{DATASET}}.{name}`", dataset) for name in names}
    return Answers(years=years, views=views)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_column_of_every_view_is_true(answers: Answers, seed: int) -> None:
    """A year of issues, late, doubled and out of order, gives the numbers that are counted by hand."""
    rows = answers.years[seed].rows
    repositories = {row["repository_id"] for row in rows}
    truth = Truth(rows, NOW)
    for view in VIEWS:
        expected = getattr(truth, view)()
        found = [row for row in answers.views[view] if row["repository_id"] in repositories]
        assert expected, f"{view}: the seed says nothing"
        assert_same(view, found, expected)


def test_the_delay_is_true(answers: Answers) -> None:
    """The pipeline's delay by day, over all repositories, is the one that is counted by hand."""
    rows = [row for year in answers.years.values() for row in year.rows]
    assert_same("pipeline_delay", answers.views["pipeline_delay"], pipeline_delay(rows))


def test_each_delivery_is_there_once(answers: Answers) -> None:
    """issue_events has one row for each delivery id, the copy that was received first."""
    rows = [row for year in answers.years.values() for row in year.rows]
    expected = {event["delivery_id"]: event["received_at"] for event in Truth(rows, NOW).issue_events()}
    found = answers.views["issue_events"]
    assert len(found) == len(expected)
    assert {row["delivery_id"]: row["received_at"] for row in found} == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_is_what_happened(seed: int) -> None:
    """What is counted from the deliveries is what the issues really went through, where all was delivered."""
    year = a_year(seed)
    issues = {(row["repository_id"], row["issue_number"]): row for row in Truth(year.rows, NOW).issues()}
    certain = {key: fact for key, fact in year.facts.items() if fact.certain}
    assert len(certain) >= 5
    for key, fact in certain.items():
        assert {name: issues[key][name] for name in what_happened(fact)} == what_happened(fact), key


def what_happened(fact: Fact) -> Row:
    """Return the fact as the view `issues` would show it."""
    open_for = fact.open_for + (NOW - fact.open_since if fact.open_since else NOW - NOW)
    return {
        "state": fact.state,
        "opened_at": fact.opened_at,
        "closed_at": fact.closed_at,
        "first_closed_at": fact.first_closed_at,
        "reopen_count": fact.reopen_count,
        "first_response_at": fact.first_response_at,
        "open_hours": open_for.total_seconds() / 3600,
        "left_censored": False,
    }


def assert_same(view: str, found: list[Row], expected: list[Row]) -> None:
    """Assert that the rows are the same in all columns: exactly, percentiles to the last digits.

    But for `history`, of which issues_weekly is made: it is seen through that.
    """
    by_key = {key(row): row for row in found}
    assert len(by_key) == len(found), f"{view}: a key twice"
    assert by_key.keys() == {key(row) for row in expected}, view
    for row in expected:
        assert by_key[key(row)].keys() - {"history"} == row.keys(), view
        for name, value in row.items():
            has = by_key[key(row)][name]
            right = has == (pytest.approx(value, rel=1e-12) if name.startswith("p") and value else value)
            assert right, f"{view}.{name} of {key(row)}: {has!r} is not {value!r}"


def key(row: Row) -> tuple[Any, ...]:
    """Return what tells the row from others of its view."""
    return tuple(row[name] for name in KEYS if name in row)
