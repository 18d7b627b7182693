"""ops schema apply: dataset, tables and views from sql/, through the official client."""

import os
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import click
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from clients.bigquery import connect
from ops import ROOT
from ops.cli import one_line_errors
from ops.local_stack import local_option
from ops.settings import find_dataset
from ops.team_sql import fill_in
from pipeline.team import Team

SQL = ROOT / "sql"
STATEMENT_SECONDS = 60.0
RETRY_SECONDS = 10.0  # the client's own default is ten minutes, without progress


@click.group()
def schema() -> None:
    """Create and update the BigQuery dataset."""


@schema.command("apply")
@local_option
@click.option("--project", required=True, help="Google Cloud project that holds the dataset.")
@click.option("--dataset", default="github", show_default=True, help="Name of the dataset.")
@click.option("--location", default=None, help="Where a new dataset is created, such as EU; default: US.")
@one_line_errors()
def apply_command(project: str, dataset: str, location: str | None) -> None:
    """Create or update dataset, tables and views.

    A second run changes nothing, and nothing is ever dropped. Two views hold what config/team.toml says, or
    the file that TEAM_FILE names. BIGQUERY_EMULATOR_HOST=http://host:port names a local BigQuery to use
    instead.
    """
    project, dataset = find_dataset(project, dataset)
    team = Team.read(os.environ, ROOT / "config")
    for name in apply(connect(project, location), dataset, None, team):
        click.echo(f"applied {name}")


def apply(
    client: bigquery.Client, dataset: str, views: Collection[str] | None = None, team: Team | None = None
) -> Iterator[str]:
    """Run every file of sql/ in order, of the views only these if any are named, and yield each file's name.

    Raises one of clients.bigquery.FAILURES.
    """
    retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
    for path in files(views):
        for statement in statements(path, dataset, team):
            deadline = time.monotonic() + STATEMENT_SECONDS
            job = client.query(statement, retry=retry, job_retry=None, timeout=STATEMENT_SECONDS)
            job.result(retry=retry, job_retry=None, timeout=max(deadline - time.monotonic(), 1.0))
        yield str(path.relative_to(SQL.parent))


def files(views: Collection[str] | None = None) -> list[Path]:
    """Return the file of `events` first, then the other tables, then the views, by name.

    What other views read comes before them: first the views of the team, then those that are named issue*.
    """
    by_name = [*sorted(SQL.glob("views/issue*.sql")), *sorted(SQL.glob("views/[!i]*.sql"))]
    of_views = [path for path in by_name if views is None or path.stem in views]
    return [SQL / "events.sql", *sorted(SQL.glob("tables/*.sql")), *sorted(SQL.glob("team/*.sql")), *of_views]


def statements(path: Path, dataset: str, team: Team | None = None) -> list[str]:
    """Return the statements of one file for `dataset`; a semicolon at the end of a line ends a statement."""
    text = fill_in(path.read_text(encoding="utf-8").replace("${DATASET}", dataset), team)
    return [part.strip() for part in re.split(r";[ \t]*(?:\n|\Z)", text) if part.strip()]
