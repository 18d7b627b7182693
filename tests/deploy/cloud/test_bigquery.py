"""DDL in the stand-in: what BigQuery would refuse is refused, and the project's own schema is accepted."""

import pytest

from ops import schema
from tests.deploy.cloud.client import PROJECT, send
from tests.deploy.cloud.cloud import Cloud
from tests.support.checkout import ROOT


def query(cloud: Cloud, script: str, **place: str) -> tuple[int, str]:
    """Run a script; return the status, and the reason of an error or of a failed job."""
    settings = {"query": {"query": script, "useLegacySql": False}}
    url = f"https://bigquery.googleapis.com/bigquery/v2/projects/{PROJECT}/jobs"
    status, answer = send(cloud, "POST", url, {"configuration": settings, "jobReference": place})
    if "error" in answer:
        return status, answer["error"]["errors"][0]["reason"]
    return status, answer["status"].get("errorResult", {}).get("reason", "")


def test_the_schema_of_the_project_is_applied_twice(ready):
    """The DDL creates a dataset, a table and views, and changes nothing the second time."""
    files = schema.files()
    script = ";\n".join(statement for file in files for statement in schema.statements(file, "github"))
    assert query(ready, script, location="EU") == (200, "")
    before = ready.snapshot()
    assert query(ready, script, location="EU") == (200, "")
    assert ready.snapshot() == before
    assert ready.state.datasets["github"]["location"] == "EU"
    kinds = {name: table["type"] for name, table in ready.state.tables.items()}
    views = {f"github.{file.stem}": "VIEW" for file in files if file.parent.name in {"team", "views"}}
    tables = dict.fromkeys(("github.events", "github.delivery_ledger", "github.triage_actions"), "TABLE")
    assert kinds == tables | views
    table = ready.state.tables["github.events"]
    columns = {field["name"]: (field["type"], field["mode"]) for field in table["schema"]["fields"]}
    assert columns["delivery_id"] == ("STRING", "REQUIRED")
    assert columns["issue_labels"] == ("STRING", "REPEATED")
    assert columns["is_pull_request"] == ("BOOLEAN", "NULLABLE")
    assert table["timePartitioning"] == {"type": "DAY", "field": "event_at"}
    assert table["clustering"] == {"fields": ["repository", "issue_number"]}


def test_a_table_of_the_first_version_gets_the_newer_columns(ready):
    """The DDL adds the newer columns to a table that exists, at its end and in their order."""
    script = (ROOT / "sql" / "events.sql").read_text().replace("${DATASET}", "github")
    query(ready, script, location="EU")
    fields = ready.state.tables["github.events"]["schema"]["fields"]
    everything = [field["name"] for field in fields]
    newer = ["hook_id", "issue_type", "issue_status", "issue_status_category", "via_app"]
    assert everything[-len(newer) :] == newer
    del fields[-len(newer) :]
    for _ in range(2):
        assert query(ready, script, location="EU") == (200, "")
        assert [field["name"] for field in fields] == everything


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("CREATE TABLE missing.t (a STRING)", "notFound"),
        ("CREATE TABLE d.t (a STRING)", "duplicate"),
        ("CREATE SCHEMA d", "duplicate"),
        ("CREATE SCHEMA e OPTIONS (location = 'EU')", "invalid"),
        ("CREATE TABLE d.u (a STRING) PARTITION BY DATE(b)", "invalidQuery"),
        ("CREATE TABLE d.u (a STRING, A INT64)", "invalidQuery"),
        ("CREATE VIEW d.v AS SELECT a FROM d.missing", "notFound"),
        ("CREATE OR REPLACE VIEW d.t AS SELECT 1 AS a", "invalidQuery"),
        ("ALTER TABLE d.t ADD COLUMN a STRING", "invalidQuery"),
        ("ALTER TABLE d.t ADD COLUMN b STRING NOT NULL", "invalidQuery"),
        ("CREATE VIEW v AS SELECT 1 AS a", "invalid"),
        ("SELECT a FROM other.d.t", "accessDenied"),
        ("SELECT FROM WHERE", "invalidQuery"),
        ("GRANT NOTHING TO NOBODY", "invalidQuery"),
    ],
)
def test_a_statement_that_bigquery_would_refuse_is_refused(ready, script, reason):
    """The error carries the reason that bq reads, and nothing has changed."""
    assert query(ready, "CREATE SCHEMA d; CREATE TABLE d.t (a STRING)") == (200, "")
    before = ready.snapshot()
    status, found = query(ready, script)
    assert (status != 200, found) == (True, reason)
    assert ready.snapshot() == before


def test_a_script_adds_columns_once_and_stops_at_its_first_failure(ready):
    """Statements before a failure stay done, those after it are not run."""
    script = """
        CREATE SCHEMA IF NOT EXISTS d OPTIONS (location = "EU");
        CREATE TABLE IF NOT EXISTS d.t (a STRING NOT NULL);
        ALTER TABLE d.t ADD COLUMN IF NOT EXISTS b ARRAY<STRUCT<c INT64>>, ADD COLUMN IF NOT EXISTS a INT64;
        CREATE VIEW d.v AS WITH w AS (SELECT x.c FROM d.t, d.t.b AS x) SELECT c FROM w;
        CREATE TABLE d.t (a STRING);
        CREATE TABLE d.never (a STRING);
    """
    assert query(ready, script, location="EU") == (200, "duplicate")
    assert set(ready.state.tables) == {"d.t", "d.v"}
    inner = [{"name": "c", "type": "INTEGER", "mode": "NULLABLE"}]
    assert ready.state.tables["d.t"]["schema"]["fields"] == [
        {"name": "a", "type": "STRING", "mode": "REQUIRED"},
        {"name": "b", "type": "RECORD", "mode": "REPEATED", "fields": inner},
    ]
    assert query(ready, "SELECT 1 FROM d.t", location="US") == (404, "notFound")
