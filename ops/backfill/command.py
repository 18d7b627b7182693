"""ops backfill: publishes a repository's history as the deliveries that its webhook would have sent."""

import json
import os
import sys
import time
from dataclasses import asdict
from datetime import datetime

import click

from clients.github.settings import GitHubSettings
from ops.backfill.run import BackfillOutcome, BackfillRequest, run
from ops.cli import json_option, one_line_errors
from ops.local_stack import local_option
from ops.parameters import Moment
from ops.progress import Progress
from ops.settings import find_dataset, read_store_payload, read_topic
from pipeline.repository_name import is_repository_name
from pipeline.settings import collect_problems


@click.command()
@click.argument("repository", metavar="OWNER/REPO")
@click.option(
    "--since",
    type=Moment(),
    help="Only issues updated on or after this date (UTC), with their whole history.",
)
@click.option(
    "--until", type=Moment(), help="Only what happened before this date: the day on which your webhook began."
)
@local_option
@click.option("--project", help="Google Cloud project of the dataset; default: that of BIGQUERY_DATASET.")
@click.option("--dataset", help="Name of the dataset; default: that of BIGQUERY_DATASET, else github.")
@click.option("--dry-run", is_flag=True, help="Read and count; publish nothing.")
@click.option("--restart", is_flag=True, help="Forget an interrupted run and read everything again.")
@json_option
@one_line_errors()
def backfill(  # noqa: PLR0913 - one for each option
    *,
    repository: str,
    since: datetime | None,
    until: datetime | None,
    project: str | None,
    dataset: str | None,
    dry_run: bool,
    restart: bool,
    as_json: bool,
) -> None:
    """Publish a repository's history through the same topic.

    Reads issues, comments and issue events from GitHub's REST API and publishes the deliveries that a webhook
    would have sent. Slack shows none of them. You can stop it at any moment: the same command continues.
    A second run publishes the same delivery ids, so nothing doubles.

    BigQuery does not stream rows that are older than five years. Such deliveries are not published: they are
    loaded into the dataset, thousands at a time.

    The webhook's own deliveries have other ids, so an event that both deliver is counted twice: give --until
    if the webhook has been running.

    \b
    Environment:
      GITHUB_TOKEN_FILE, GITHUB_TOKEN     a token that may read issues
      GITHUB_APP_ID, GITHUB_APP_KEY_FILE  a GitHub App instead, and the file of its private key
      GITHUB_API_URL                      the API of a GitHub Enterprise Server
      PUBSUB_TOPIC                        projects/P/topics/T; not needed with --dry-run
      BIGQUERY_DATASET                    PROJECT.DATASET, for history older than five years
      STORE_PAYLOAD                       false: leave payloads out of that dataset, as stream_bq does
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    if not is_repository_name(repository):
        raise click.BadParameter("is not of the form owner/name", param_hint="OWNER/REPO")
    began = time.monotonic()
    progress = Progress()
    try:
        settings, (topic, store_payload) = _settings(dry_run=dry_run)
        request = BackfillRequest(
            name=repository,
            topic=topic,
            table=_table(project, dataset),
            store_payload=store_payload,
            since=since,
            until=until,
            restart=restart,
        )
        outcome = run(settings, request, progress)
    except KeyboardInterrupt:
        click.echo(
            "Stopped. Run the same command again to continue, or with --restart to begin again.", err=True
        )
        sys.exit(130)
    seconds = round(time.monotonic() - began, 1)
    values = {**asdict(outcome), "seconds": seconds}
    click.echo(json.dumps(values) if as_json else _sentence(outcome, seconds))


def _settings(*, dry_run: bool) -> tuple[GitHubSettings, tuple[str | None, bool]]:
    """Raise ConfigurationError naming every wrong setting; a count needs no topic."""
    return collect_problems(
        lambda: GitHubSettings.from_environment(os.environ),
        lambda: collect_problems(
            lambda: None if dry_run else read_topic(os.environ), lambda: read_store_payload(os.environ)
        ),
    )


def _table(project: str | None, dataset: str | None) -> str | None:
    """Return the full name of the table, None if nothing names the dataset. Raises UsageError."""
    if project is None and dataset is None and not os.environ.get("BIGQUERY_DATASET", "").strip():
        return None
    return ".".join((*find_dataset(project, dataset), "events"))


def _sentence(outcome: BackfillOutcome, seconds: float) -> str:
    what = "would be published" if outcome.dry_run else "published"
    if outcome.loaded:
        what += f", {outcome.loaded:,} of them loaded into BigQuery by {outcome.load_jobs:,} jobs,"
    kinds = ", ".join(f"{name} {count:,}" for name, count in outcome.deliveries.items())
    return (
        f"{outcome.repository}: {outcome.issues:,} issues, {outcome.total:,} deliveries {what} "
        f"in {seconds:,.0f} s{f' ({kinds})' if kinds else ''}."
        f"{' Run without --dry-run to publish them.' if outcome.dry_run else ''}"
    )
