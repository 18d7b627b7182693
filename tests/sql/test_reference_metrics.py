"""Over random years of issues, in any order of delivery, the views equal the reference in Python."""

from collections.abc import Iterable
from typing import Any

import pytest

from ops import schema
from pipeline.team import Team
from tests.sql.cases import dataset_at
from tests.sql.issue_cast import BY_ASSOCIATION, BY_LIST, Cast
from tests.sql.issue_lives import NOW, Year, a_year
from tests.sql.reference_metrics import once, pipeline_delay, reference_of
from tests.support.warehouse import Warehouse

SEEDS = range(24)
VIEWS = (
    "issues",
    "time_to_close",
    "time_to_first_response",
    "reopen_rate",
    "issues_weekly",
    "open_issues",
    "waiting_on_us",
    "time_in_label",
    "issues_by_week_opened",
    "backlog_age",
)
VIEWS_OF_THE_TEAM = ("issues", "waiting_on_us")
KEYS = ("repository_id", "issue_number", "label", "week", "day", "delivery_id")

Row = dict[str, Any]
Answers = dict[str, list[Row]]


@pytest.fixture(scope="module")
def years() -> dict[int, Year]:
    """Return the years of all seeds."""
    return {seed: a_year(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def dataset(years: dict[int, Year], warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the one dataset with the years of all seeds."""
    dataset = dataset_at(NOW, warehouse, tmp_path_factory.mktemp("sql"))
    warehouse.load(dataset, [row for year in years.values() for row in year.rows])
    return dataset


@pytest.fixture(scope="module")
def by_list(dataset: str, warehouse: Warehouse) -> Answers:
    """Return the rows of each view about all years, with a list of the team."""
    set_team(warehouse, dataset, BY_LIST)
    return read(warehouse, dataset, VIEWS)


@pytest.fixture(scope="module")
def by_association(dataset: str, warehouse: Warehouse, by_list: Answers) -> Answers:
    """Return the rows after the list of the team was taken away; the bots are the same."""
    set_team(warehouse, dataset, BY_ASSOCIATION)
    return by_list | read(warehouse, dataset, VIEWS_OF_THE_TEAM)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_column_equals_the_reference(by_list: Answers, by_association: Answers, seed: int) -> None:
    """A year of deliveries, some late, repeated or out of order, gives the rows of the reference.

    Half of the years have a list of the team.
    """
    year = a_year(seed)
    assert_same_views(by_list if year.cast == BY_LIST else by_association, year.rows, year.cast)


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_a_change_of_the_team_changes_the_past(by_list: Answers, by_association: Answers, seed: int) -> None:
    """If the list of the team is taken away and the schema applied, all answers are as if it never was."""
    rows = a_year(seed).rows
    assert_same_views(by_association, rows, BY_ASSOCIATION)
    assert of_year(by_association["issues"], rows) != of_year(by_list["issues"], rows)


def test_the_delay_equals_the_reference(years: dict[int, Year], dataset: str, warehouse: Warehouse) -> None:
    """The pipeline's delay by day, over all repositories, equals the reference."""
    rows = [row for year in years.values() for row in year.rows]
    found = read(warehouse, dataset, ["pipeline_delay"])["pipeline_delay"]
    assert_same("pipeline_delay", found, pipeline_delay(rows))


def test_each_delivery_is_there_once(years: dict[int, Year], dataset: str, warehouse: Warehouse) -> None:
    """The view issue_events has one row per delivery id, the copy received first."""
    rows = [row for year in years.values() for row in year.rows]
    expected = {event["delivery_id"]: event["received_at"] for event in once(rows)}
    found = warehouse.query("SELECT delivery_id, received_at FROM `${DATASET}.issue_events`", dataset)
    assert len(found) == len(expected)
    assert {row["delivery_id"]: row["received_at"] for row in found} == expected


def set_team(warehouse: Warehouse, dataset: str, cast: Cast) -> None:
    """Apply the views that hold the team."""
    for path in schema.SQL.glob("team/*.sql"):
        for statement in schema.statements(path, dataset, Team.parse(cast.file)):
            warehouse.query(statement, dataset)


def read(warehouse: Warehouse, dataset: str, views: Iterable[str]) -> Answers:
    """Return all rows of the views."""
    return {name: warehouse.query(f"SELECT * FROM `${{DATASET}}.{name}`", dataset) for name in views}


def of_year(found: list[Row], rows: list[Row]) -> list[Row]:
    """Return the rows of a view that are about the year's repositories, in the order of their keys."""
    repositories = {row["repository_id"] for row in rows}
    return sorted((row for row in found if row["repository_id"] in repositories), key=key)


def assert_same_views(answers: Answers, rows: list[Row], cast: Cast) -> None:
    """Assert that every view has the reference's rows about the year."""
    reference = reference_of(rows, cast.file, NOW)
    for view in VIEWS:
        assert answers[view], f"{view}: no rows"
        assert_same(view, of_year(answers[view], rows), getattr(reference, view)())


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
