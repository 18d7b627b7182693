"""ops why: the command."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from clients.bigquery import connect
from ops.cli import json_option, one_line_errors
from ops.local_stack import local_option
from ops.parameters import Issue
from ops.report.command import progress
from ops.routes.command import file_option, read_routes
from ops.settings import find_dataset
from ops.stored_errors import stored_errors
from ops.why import logs as functions_logs
from ops.why import wording
from ops.why.answer import answer
from ops.why.fetch import StoredIssue, fetch
from ops.why.routing import explain
from ops.why.timeline import IssueName, Logs, timeline

BEFORE = timedelta(hours=1)  # logs are read from this long before the first delivery


@click.command()
@click.argument("issue", metavar="OWNER/REPO#NUMBER", type=Issue())
@local_option
@click.option("--project", help="Google Cloud project of the dataset; default: that of BIGQUERY_DATASET.")
@click.option("--dataset", help="Name of the dataset; default: that of BIGQUERY_DATASET, else github.")
@file_option
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    help="How far back the logs are read; Cloud Logging keeps them for 30 days by default.",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the functions' logs, instead of Cloud Logging.",
)
@json_option
@one_line_errors()
def why(  # noqa: PLR0913 - one for each option
    issue: IssueName,
    *,
    project: str | None,
    dataset: str | None,
    routes_path: Path,
    days: int,
    logs: Path | None,
    as_json: bool,
) -> None:
    """Explain why an issue has a card in Slack, or none.

    Prints every delivery about the issue that is stored in BigQuery or logged: when it came, what each
    function did with it, and what the routes file does with it. The last line is the answer. The logs are
    read through gcloud, if it is logged in; with --local, those of `make serve` are read.

    Exit status: 0 if a delivery was found, 1 if none has arrived or on an error, 2 for a wrong call.

    \b
    Example:
      ./issuewire why acme/app#123 --project my-project

    \b
    Environment:
      BIGQUERY_DATASET        PROJECT.DATASET, used where no option names them
      BIGQUERY_EMULATOR_HOST  http://host:port of a local BigQuery
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    project, dataset = find_dataset(project, dataset)
    routes = read_routes(routes_path, as_json=as_json)
    show = progress()
    stored = read_stored(project, dataset, issue)
    show("the logs")
    read = read_logs(project, logs, stored, issue.number, days)
    explained = ((delivery, explain(delivery.event, routes)) for delivery in stored.deliveries)
    steps = timeline(explained, read.lines)
    found = answer(issue, steps, read)
    if as_json:
        click.echo(json.dumps(wording.as_json(issue, steps, read, found)))
    else:
        click.echo("\n".join(wording.text(issue, steps, read, found)))
    sys.exit(0 if steps else 1)


def read_stored(project: str, dataset: str, issue: IssueName) -> StoredIssue:
    """Return what is stored. Raises ClickException, and one of clients.bigquery.FAILURES."""
    with stored_errors(project, dataset):
        return fetch(connect(project), dataset, issue, progress())


def read_logs(project: str, folder: Path | None, stored: StoredIssue, number: int, days: int) -> Logs:
    """Return the lines about the issue: of the files in `folder`, or else of Cloud Logging."""
    if folder is not None:
        return functions_logs.from_files(folder, stored.names, number)
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    if stored.deliveries:
        since = max(since, stored.deliveries[0].event.received_at - BEFORE)
    return functions_logs.from_cloud(project, stored.names, number, since, now)
