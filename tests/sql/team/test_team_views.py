"""The views of sql/team hold what config/team.toml says."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ops import schema
from ops.team_sql import fill_in
from pipeline.team import Team
from tests.support.warehouse import Warehouse

TEXT = """
[team]
logins = ["Mona", "kim"]
[bots]
logins = ["k8s-ci-robot"]
[hours]
zone = "{zone}"
days = "{days}"
from = "{opens}"
to = "{closes}"
holidays = ["2026-03-30", "2026-12-25"]
"""
FIRST = date(2008, 1, 1)


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return a dataset without the views of sql/views."""
    return warehouse.dataset(views=())


def apply(warehouse: Warehouse, dataset: str, team: Team | None) -> None:
    """Apply the views of sql/team as the command does."""
    for path in schema.files(()):
        for statement in schema.statements(path, dataset, team) if path.parent.name == "team" else ():
            warehouse.query(statement, dataset)


def accounts(warehouse: Warehouse, dataset: str) -> dict[str, str]:
    """Return the accounts as {login: role}."""
    rows = warehouse.query("SELECT * FROM `${DATASET}.accounts`", dataset)
    return {row["login"]: row["role"] for row in rows}


def working_days(
    warehouse: Warehouse, dataset: str, since: date = FIRST
) -> list[tuple[date, datetime, datetime]]:
    """Return the rows of working_days from a day on."""
    where = f"WHERE day >= '{since}' ORDER BY day"
    rows = warehouse.query(f"SELECT * FROM `${{DATASET}}.working_days` {where}", dataset)
    return [tuple(row.values()) for row in rows]


def last_day() -> date:
    """Return the last day of working_days: today, five years later."""
    today = datetime.now(UTC).date()
    is_leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=today.year + 5, day=28 if is_leap_day else today.day)


def test_without_a_file_every_hour_counts_and_no_one_is_of_the_team(
    warehouse: Warehouse, dataset: str
) -> None:
    """`accounts` is empty, and every day is a working day from midnight to midnight UTC."""
    apply(warehouse, dataset, None)
    assert accounts(warehouse, dataset) == {}
    days = working_days(warehouse, dataset)
    midnight = datetime(2008, 1, 1, tzinfo=UTC)
    assert days[0] == (FIRST, midnight, midnight + timedelta(days=1))
    assert [day for day, _, _ in days] == [
        FIRST + timedelta(days=number) for number in range((last_day() - FIRST).days + 1)
    ]


@pytest.mark.parametrize(
    "week",
    [
        ("Europe/Berlin", "Mon-Fri", "09:00", "17:00"),
        ("America/Los_Angeles", "Sun-Thu", "00:00", "24:00"),
        ("Pacific/Auckland", "Mon, Wed, Sat", "08:30", "24:00"),
        ("Asia/Kolkata", "Mon-Sun", "00:00", "05:45"),
    ],
    ids=lambda week: week[0],
)
def test_working_days_are_those_of_the_team(
    warehouse: Warehouse, dataset: str, week: tuple[str, str, str, str]
) -> None:
    """Each working day opens and closes when the pure code says so, over every change of the clock."""
    zone, days, opens, closes = week
    text = TEXT.format(zone=zone, days=days, opens=opens, closes=closes)
    team = Team.parse(text)
    apply(warehouse, dataset, team)
    since = date(2025, 1, 1)
    found = working_days(warehouse, dataset, since)
    every = (since + timedelta(days=number) for number in range((last_day() - since).days + 1))
    assert found == [(day, *team.hours.shift(day)) for day in every if team.hours.is_working_day(day)]


def test_a_change_of_the_file_counts_for_the_past_too(warehouse: Warehouse, dataset: str) -> None:
    """The next `schema apply` replaces who is who, for every event that is stored."""
    text = TEXT.format(zone="UTC", days="Mon-Fri", opens="09:00", closes="17:00")
    apply(warehouse, dataset, Team.parse(text))
    before = {"mona": "team", "kim": "team", "k8s-ci-robot": "bot"}
    assert accounts(warehouse, dataset) == before
    apply(warehouse, dataset, Team.parse(text.replace('"Mona", ', "")))
    assert accounts(warehouse, dataset) == {"kim": "team", "k8s-ci-robot": "bot"}


def test_a_login_stays_text(warehouse: Warehouse, dataset: str) -> None:
    """Quotes, backslashes and line breaks in a login end no string of the statement."""
    login = "o'x\"y\\z\n`); DROP"
    apply(warehouse, dataset, Team(logins=(login,)))
    assert accounts(warehouse, dataset) == {login: "team"}


def test_an_empty_file_is_as_none() -> None:
    """Without a file, and with one that says nothing, the statements are the same."""
    for path in sorted(schema.SQL.glob("team/*.sql")):
        text = path.read_text()
        assert fill_in(text, None) == fill_in(text, Team.parse(""))
        assert "${" not in fill_in(text, None).replace("${DATASET}", "")
