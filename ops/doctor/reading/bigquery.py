"""Compares BigQuery's tables and views with sql/, and reads what reconcile found."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import FAILURES, connect, explain
from ops.doctor.facts import Deliveries, Proof, Row, Table
from ops.doctor.finding import NotChecked
from ops.schema import files, statements
from pipeline.team import Team

SECONDS = 20.0
RETRY = DEFAULT_RETRY.with_timeout(SECONDS)
LOG_IN = "gcloud auth application-default login"
STORED_WITHIN = timedelta(minutes=30)
_ALWAYS_STORED = "issues"  # EVENTS may leave out others
_VIEW = re.compile(r"CREATE OR REPLACE VIEW `[^`]+`(?: OPTIONS \(.*?\))? AS\n(.*)", re.DOTALL)
_COLUMN = re.compile(r"^  (?:ADD COLUMN IF NOT EXISTS )?(\w+) [A-Z][A-Z0-9]+", re.MULTILINE)
_PROOF = """
SELECT CAST(day AS STRING) AS day, source, lost
FROM `${DATASET}.delivery_proof`
WHERE lost > 0 AND day >= DATE_SUB(CURRENT_DATE(), INTERVAL 7 DAY)
ORDER BY day, source
"""
_STORED = "SELECT DISTINCT delivery_id FROM `${DATASET}.events` WHERE delivery_id IN UNNEST(@ids)"
_LAST_RUN = "SELECT MAX(run_at) AS run_at FROM `${DATASET}.delivery_ledger`"


def read_bigquery(  # noqa: PLR0913 - each comes from another source
    project: str,
    dataset: str,
    fix: str,
    team: Team | None,
    *,
    is_local: bool = False,
    run: str | None = None,
    deliveries: Sequence[Deliveries] = (),
) -> Iterator[object]:
    """Yield the facts about every table and view of sql/, then about reconcile, which `run` runs.

    Of each webhook's `deliveries`, the newest that should be stored by now is looked for.
    The local BigQuery keeps a view's query in its own spelling, so it is not compared. Neither are the
    team's views if the team's file is wrong and `team` is None.
    """
    try:
        client = connect(project)
        for path in files():
            name, ddl = f"{project}.{dataset}.{path.stem}", "\n".join(statements(path, dataset, team))
            found = _read_table(client, name, ddl, fix)
            is_unknown = is_local or (team is None and path.parent.name == "team")
            yield replace(found, is_current=True) if is_unknown else found
    except FAILURES as error:
        yield NotChecked(what="BigQuery", why=explain(error), fix="make serve" if is_local else LOG_IN)
        return
    if is_local:
        return  # nothing calls reconcile every hour
    parts = (
        ("the rows of deliveries", lambda: _read_rows(client, dataset, deliveries)),
        ("the runs of reconcile", lambda: [_read_proof(client, dataset, run)]),
    )
    for what, read in parts:
        try:
            yield from read()
        except NotFound:
            continue  # the missing table is a finding already
        except FAILURES as error:
            yield NotChecked(what=what, why=explain(error), fix=LOG_IN)


def _read_table(client: bigquery.Client, name: str, ddl: str, fix: str) -> Table:
    try:
        found = client.get_table(name, retry=RETRY, timeout=SECONDS)
    except NotFound:
        return Table(name=name, exists=False, fix=fix)
    view = _VIEW.search(ddl)
    if view is None:
        has = {field.name for field in found.schema}
        lacking = tuple(column for column in columns(ddl) if column not in has)
        return Table(name=name, exists=True, lacking=lacking, fix=fix)
    is_current = is_same_query(found.view_query, view[1])
    return Table(name=name, exists=True, is_current=is_current, fix=fix)


def columns(ddl: str) -> list[str]:
    """Return the columns that the statements of a table define, each once."""
    return list(dict.fromkeys(_COLUMN.findall(ddl)))


def is_same_query(stored: str | None, ours: str) -> bool:
    """Return whether both are the same but for white space; BigQuery keeps a view's text, comments too."""
    return stored is not None and stored.split() == ours.split()


def _read_rows(client: bigquery.Client, dataset: str, deliveries: Sequence[Deliveries]) -> list[object]:
    before = datetime.now(UTC) - STORED_WITHIN
    due = [
        next(
            (
                each
                for each in found.attempts
                if each.succeeded and each.event == _ALWAYS_STORED and each.delivered_at < before
            ),
            None,
        )
        for found in deliveries
    ]
    accepted = [each for each in due if each is not None]
    if not accepted:
        return []
    ids = bigquery.ArrayQueryParameter("ids", "STRING", [each.guid for each in accepted])
    stored = {row.delivery_id for row in _rows(client, dataset, _STORED, ids)}
    return [
        Row(
            source=each.hook.source,
            guid=each.guid,
            accepted_at=each.delivered_at,
            is_stored=each.guid in stored,
        )
        for each in accepted
    ]


def _read_proof(client: bigquery.Client, dataset: str, run: str | None) -> Proof:
    [last] = _rows(client, dataset, _LAST_RUN)
    lost = tuple((row.day, row.source, row.lost) for row in _rows(client, dataset, _PROOF))
    hours = None if last.run_at is None else (datetime.now(UTC) - last.run_at).total_seconds() / 3600
    return Proof(hours=hours, lost=lost, run=run)


def _rows(client: bigquery.Client, dataset: str, sql: str, *parameters: Any) -> list[bigquery.Row]:
    job = client.query(
        sql.replace("${DATASET}", dataset),
        job_config=bigquery.QueryJobConfig(query_parameters=list(parameters)),
        retry=RETRY,
        job_retry=RETRY,
        timeout=SECONDS,
    )
    return list(job.result(retry=RETRY, job_retry=RETRY, timeout=SECONDS))
