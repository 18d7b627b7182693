"""doctor compares BigQuery's tables and views with sql/, and reads the runs of reconcile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, NotFound
from google.auth.exceptions import DefaultCredentialsError

from clients.github.hook_deliveries import Attempt, Hook
from ops.doctor.checks import CHECKS
from ops.doctor.facts import Deliveries
from ops.doctor.finding import Report, examine
from ops.doctor.reading import bigquery
from ops.schema import SQL, files, statements
from pipeline.team import Team
from tests.support.warehouse import COLUMNS

FIX = "./issuewire schema apply --project p --dataset github"
HOOK = Hook(id=7, source="acme/app", url="https://ingest.example/", is_active=True)
RAN = {"run_at": datetime.now(UTC)}
VIEWS = {path.stem for name in ("team", "views") for path in SQL.glob(f"{name}/*.sql")}
TEAM = Team(logins=("mona",))


@dataclass(kw_only=True)
class Cloud:
    """A BigQuery that has applied sql/; tests change what it answers."""

    missing: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    run_at: datetime | None = None
    lost: list[Any] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def get_table(self, name: str, **_: Any) -> Any:
        """Return a table or a view, whose query BigQuery keeps as it was written."""
        if self.failure:
            raise self.failure
        dataset, stem = name.split(".")[1:]
        if stem in self.missing:
            raise NotFound(name)
        [path] = [path for path in files() if path.stem == stem]
        ddl = "\n".join(statements(path, dataset, TEAM))
        query = ddl.partition(" AS\n")[2] if stem in VIEWS else None
        if stem in self.changed:
            query = f"{query} -- older"
        names = [column for column in bigquery.columns(ddl) if column not in self.lacking]
        return SimpleNamespace(schema=[SimpleNamespace(name=each) for each in names], view_query=query)

    def query(self, sql: str, **_: Any) -> Any:
        """Return the job of a query about deliveries or reconcile."""
        rows = self.lost if "delivery_proof" in sql else [SimpleNamespace(run_at=self.run_at)]
        if "UNNEST(@ids)" in sql:
            rows = [SimpleNamespace(delivery_id=each) for each in self.stored]
        return SimpleNamespace(result=lambda **_: rows)


type Examine = Callable[..., Report]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Return a function that examines a BigQuery with these faults."""

    def examine_one(
        *,
        team: Team | None = TEAM,
        is_local: bool = False,
        run: str | None = "gcloud ...",
        deliveries: tuple[Deliveries, ...] = (),
        **faults: Any,
    ) -> Report:
        monkeypatch.setattr(bigquery, "connect", lambda _project: Cloud(**faults))
        found = bigquery.read_bigquery(
            "p", "github", FIX, team, is_local=is_local, run=run, deliveries=deliveries
        )
        return examine(CHECKS, found)

    return examine_one


def test_what_was_applied_is_healthy(report: Examine) -> None:
    """Tables and views of sql/ have no finding, and neither has a reconcile that is not deployed."""
    found = report(run=None)
    assert (found.findings, found.not_checked, found.looked_at) == ((), (), len(files()) + 1)


def test_a_team_file_that_was_changed_since_is_found(report: Examine) -> None:
    """The view of the accounts differs until the schema is applied again; a wrong file compares nothing."""
    [finding] = report(team=Team(logins=("mona", "kim")), run=None).findings
    assert (finding.slug, finding.fix) == ("view_differs", FIX)
    assert "p.github.accounts" in finding.text
    assert report(team=None, run=None).findings == ()


@pytest.mark.parametrize(
    ("faults", "slug", "words"),
    [
        ({"missing": {"events"}, **RAN}, "table_missing", "p.github.events does not exist"),
        ({"missing": {"issues"}, **RAN}, "table_missing", "p.github.issues does not exist"),
        ({"lacking": {"via_app"}, **RAN}, "table_columns", "p.github.events lacks the columns via_app"),
        ({"changed": {"issues_weekly"}, **RAN}, "view_differs", "p.github.issues_weekly is not the view"),
        ({}, "reconcile_late", "reconcile has not ended a run"),
        ({"run_at": datetime.now(UTC) - timedelta(hours=5)}, "reconcile_late", "5 hours ago"),
        (
            {
                "run_at": datetime.now(UTC),
                "lost": [SimpleNamespace(day="2026-01-05", source="acme/app", lost=2)],
            },
            "events_lost",
            "2 events of acme/app on 2026-01-05 are lost",
        ),
    ],
    ids=["no table", "no view", "no column", "older view", "no run", "late", "lost"],
)
def test_a_fault_of_bigquery_is_found(report: Examine, faults: dict[str, Any], slug: str, words: str) -> None:
    """Each fault is one finding."""
    [finding] = report(**faults).findings
    assert (finding.slug, words in finding.text) == (slug, True), finding


def an_attempt(guid: str, minutes_ago: float, **changes: Any) -> Attempt:
    """Return an attempt that ingest accepted."""
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    defaults = {"id": 1, "event": "issues", "is_redelivery": False, "status": 202}
    return Attempt(hook=HOOK, guid=guid, delivered_at=at, **(defaults | changes))


@pytest.mark.parametrize(
    ("stored", "found"), [(["old"], []), (["new", "other"], ["row_missing"])], ids=["stored", "missing"]
)
def test_a_delivery_that_is_not_stored_is_found(report: Examine, stored: list[str], found: list[str]) -> None:
    """The newest accepted event of issues that is half an hour old is looked for, and no other."""
    attempts = (
        an_attempt("new", 29),
        an_attempt("failed", 31, status=503),
        an_attempt("other", 31, event="issue_comment"),
        an_attempt("old", 31),
        an_attempt("older", 60),
    )
    shown = report(run=None, stored=stored, deliveries=(Deliveries(hook=HOOK, attempts=attempts),))
    assert [finding.slug for finding in shown.findings] == found
    assert all("lacks old of acme/app" in finding.text for finding in shown.findings)


def test_a_local_bigquery_is_not_compared_by_words(report: Examine) -> None:
    """The local BigQuery spells queries in its own way, and nothing calls reconcile every hour there."""
    assert report(is_local=True, changed={"issues"}, run_at=datetime(2026, 1, 5, tzinfo=UTC)).findings == ()
    assert len(report(is_local=True, missing={"issues"}).findings) == 1


@pytest.mark.parametrize("failure", [Forbidden("no permission"), DefaultCredentialsError("no login")])
def test_a_bigquery_that_refuses_is_not_checked(report: Examine, failure: Exception) -> None:
    """Without a permission or a login nothing is called wrong."""
    found = report(failure=failure)
    assert (found.findings, [each.what for each in found.not_checked]) == ((), ["BigQuery"])
    assert found.not_checked[0].fix == "gcloud auth application-default login"


def test_the_columns_are_those_of_the_table() -> None:
    """The columns that a table must have are read from its file, the ones that were added later too."""
    assert bigquery.columns("\n".join(statements(SQL / "events.sql", "github"))) == list(COLUMNS)


def test_a_view_is_compared_by_its_words() -> None:
    """White space does not matter to a view's query; a changed or missing word does."""
    assert bigquery.is_same_query("SELECT *\n  FROM a\n", "SELECT * FROM a")
    assert not bigquery.is_same_query("SELECT * FROM a", "SELECT * FROM b")
    assert not bigquery.is_same_query(None, "SELECT * FROM a")
