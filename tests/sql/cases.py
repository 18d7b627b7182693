"""A few deliveries of one repository, and the rows of the views about it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops import schema
from ops.send import accounts, payloads
from pipeline.delivery import format_time, parse_time
from tests.sql.deliveries import Subject, row
from tests.sql.prepared import Prepared, Row
from tests.support.messages import NOON
from tests.support.warehouse import Warehouse

NOW = NOON + timedelta(days=28)  # two Mondays, at noon
OCTAVIA, MONA, KIM = (accounts.Account(login=login) for login in ("octavia", "mona", "kim"))
BOT = accounts.Account(login="triage", type="Bot")
OLD_BOT = accounts.Account(login="sweeper[bot]")
SUMMARIES = ("issues", "time_to_first_response", "issues_weekly")


@dataclass(slots=True, kw_only=True)
class Case:
    """The repository of one test, in a dataset that all tests share.

    `expected` are the rows of the test that are `prepared`, and are not stored again. Once the test stores
    any other row, the views themselves answer.
    """

    warehouse: Warehouse
    dataset: str
    repository: accounts.Repository
    prepared: Prepared | None = None
    expected: list[Row] = field(default_factory=list)

    @property
    def other(self) -> accounts.Repository:
        """Return a second repository."""
        return accounts.Repository(full_name=f"{self.repository.full_name}-other")

    def issue(self, number: int = 7, **changes: Any) -> Subject:
        """Return an issue of octavia, opened on the first Monday at noon."""
        defaults: dict[str, Any] = {"title": "Export fails", "author": OCTAVIA, "created_at": NOON}
        return Subject(repository=self.repository, number=number, **{**defaults, **changes})

    def store(
        self,
        *events: payloads.Event | tuple[payloads.Event, datetime],
        name: str | None = None,
        receipt: list[int] | None = None,
    ) -> None:
        """Deliver the events in this order, or received in the order of the numbers in `receipt`.

        An event may come with the time of its receipt: GitHub dates no deletion and no transfer.
        """
        order = receipt or list(range(len(events)))
        rows = []
        for index, (event, after) in enumerate(zip(events, order, strict=True)):
            if isinstance(event, tuple):
                delivery_id = f"{self.repository.full_name}/{index}"
                rows.append(row(event[0], delivery_id, event[1], name=name))
            else:
                rows.append(self.delivered(event, f"{index}", received_after=after, name=name))
        self.insert(*rows)

    def delivered(
        self, event: payloads.Event, delivery_id: str, received_after: float = 0, **options: Any
    ) -> Row:
        """Return the row of a delivery, received a second and `received_after` ms after the event."""
        at = parse_time(event.payload["issue"]["updated_at"])
        assert at is not None
        received_at = at + timedelta(seconds=1, milliseconds=received_after)
        return row(event, f"{self.repository.full_name}/{delivery_id}", received_at, **options)

    def insert(self, *rows: Row) -> None:
        """Store rows."""
        if self.prepared and self.expected[: len(rows)] == list(rows):
            del self.expected[: len(rows)]
            return
        self.prepared = None
        self.warehouse.insert(self.dataset, list(rows))

    def ask(self, view: str, repository: accounts.Repository | None = None) -> list[Row]:
        """Return the view's rows about the repository."""
        of = (repository or self.repository).id
        if self.prepared:
            return self.prepared.ask(view, of)
        return self.warehouse.query(
            f"SELECT * FROM `${{DATASET}}.{view}` WHERE repository_id = {of}", self.dataset
        )

    def one(self, view: str = "issues", repository: accounts.Repository | None = None) -> Row:
        """Return the view's only row about the repository."""
        (only,) = self.ask(view, repository)
        return only

    def weeks(self, *columns: str) -> dict[date, Any]:
        """Return one column of each week, or a tuple of several, in the order of the weeks."""
        rows = sorted(self.ask("issues_weekly"), key=lambda week: week["week"])
        return {
            week["week"]: tuple(week[name] for name in columns) if len(columns) > 1 else week[columns[0]]
            for week in rows
        }


def dataset_at(
    now: datetime, warehouse: Warehouse, folder: Path, views: Collection[str] | None = None
) -> str:
    """Create a dataset in whose views it is always `now`, from a copy of sql/ in `folder`."""
    for name in ("tables", "team", "views"):
        (folder / name).mkdir()
    for path in schema.files():
        text = path.read_text().replace("CURRENT_TIMESTAMP()", f"TIMESTAMP '{format_time(now)}'")
        (folder / path.relative_to(schema.SQL)).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "SQL", folder)
        return warehouse.dataset(views)


def at(*, days: float = 0, hours: float = 0) -> datetime:
    """Return the time so long after the issue was opened."""
    return NOON + timedelta(days=days, hours=hours)


def picked(row: Row, *names: str) -> tuple[Any, ...]:
    """Return some columns of a row."""
    return tuple(row[name] for name in names)
