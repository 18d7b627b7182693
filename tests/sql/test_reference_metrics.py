"""Over random years of issues, in any order of delivery, the views equal the reference in Python."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sql.cases import dataset_at
from tests.sql.issue_lives import NOW, Outcome, Year, a_year
from tests.sql.reference_history import hours
from tests.sql.reference_metrics import ReferenceMetrics, pipeline_delay
from tests.support.warehouse import Warehouse

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
    """The years, and the rows of each view over all of them."""

    years: dict[int, Year]
    views: dict[str, list[Row]]


@pytest.fixture(scope="module")
def answers(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Store the years of all seeds in one dataset and read each view once."""
    dataset = dataset_at(NOW, warehouse, tmp_path_factory.mktemp("sql"))
    years = {seed: a_year(seed) for seed in SEEDS}
    warehouse.load(dataset, [row for year in years.values() for row in year.rows])
    names = (*VIEWS, "pipeline_delay", "issue_events")
    views = {name: warehouse.query(f"SELECT * FROM `${{DATASET}}.{name}`", dataset) for name in names}
    return Answers(years=years, views=views)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_column_equals_the_reference(answers: Answers, seed: int) -> None:
    """A year of deliveries, some late, repeated or out of order, gives the rows of the reference."""
    rows = answers.years[seed].rows
    repositories = {row["repository_id"] for row in rows}
    reference = ReferenceMetrics(rows, NOW)
    for view in VIEWS:
        expected = getattr(reference, view)()
        found = [row for row in answers.views[view] if row["repository_id"] in repositories]
        assert expected, f"{view}: the seed has no rows"
        assert_same(view, found, expected)


def test_the_delay_equals_the_reference(answers: Answers) -> None:
    """The pipeline's delay by day, over all repositories, equals the reference."""
    rows = [row for year in answers.years.values() for row in year.rows]
    assert_same("pipeline_delay", answers.views["pipeline_delay"], pipeline_delay(rows))


def test_each_delivery_is_there_once(answers: Answers) -> None:
    """The view issue_events has one row per delivery id, the copy received first."""
    rows = [row for year in answers.years.values() for row in year.rows]
    expected = {
        event["delivery_id"]: event["received_at"] for event in ReferenceMetrics(rows, NOW).issue_events()
    }
    found = answers.views["issue_events"]
    assert len(found) == len(expected)
    assert {row["delivery_id"]: row["received_at"] for row in found} == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_equals_what_happened(seed: int) -> None:
    """If everything was delivered, the reference has what really happened to the issues."""
    year = a_year(seed)
    issues = {
        (row["repository_id"], row["issue_number"]): row for row in ReferenceMetrics(year.rows, NOW).issues()
    }
    certain = {key: outcome for key, outcome in year.outcomes.items() if outcome.is_certain}
    assert len(certain) >= 5
    for key, outcome in certain.items():
        assert {name: issues[key][name] for name in what_happened(outcome)} == what_happened(outcome), key


def what_happened(outcome: Outcome) -> Row:
    """Return the outcome as the view `issues` shows it."""
    open_for = outcome.open_for
    if outcome.open_since:
        open_for += (outcome.left_at or NOW) - outcome.open_since
    return {
        "state": outcome.state,
        "opened_at": outcome.opened_at,
        "closed_at": outcome.closed_at,
        "first_closed_at": outcome.first_closed_at,
        "reopen_count": outcome.reopen_count,
        "first_response_at": outcome.first_response_at,
        "left_at": outcome.left_at,
        "open_hours": hours(open_for),
        "left_censored": False,
    }


def assert_same(view: str, found: list[Row], expected: list[Row]) -> None:
    """Assert that all columns are equal: percentiles up to rounding, all others exactly.

    `history` is left out: issues_weekly is made of it, and compared.
    """
    by_key = {key(row): row for row in found}
    assert len(by_key) == len(found), f"{view}: a key twice"
    assert by_key.keys() == {key(row) for row in expected}, view
    for row in expected:
        assert by_key[key(row)].keys() - {"history"} == row.keys(), view
        for name, value in row.items():
            actual = by_key[key(row)][name]
            is_equal = actual == (
                pytest.approx(value, rel=1e-12) if name.startswith("p") and value else value
            )
            assert is_equal, f"{view}.{name} of {key(row)}: {actual!r} is not {value!r}"


def key(row: Row) -> tuple[Any, ...]:
    """Return the columns that identify the row in its view."""
    return tuple(row[name] for name in KEYS if name in row)
