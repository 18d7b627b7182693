"""ops replay: the command."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import click

from clients.bigquery import QueryRunner, connect
from clients.pubsub.batch_publisher import BatchPublisher
from metrics.wording import count
from ops.cli import confirm, json_option, one_line_errors, yes_option
from ops.local_stack import local_option
from ops.parameters import Issue, Moment, check_span
from ops.progress import Progress, Step
from ops.replay import stored
from ops.replay.plan import Plan
from ops.replay.stored import Selection
from ops.replay.subscription import check_subscription, seek_subscription
from ops.report.command import progress
from ops.settings import find_dataset, read_topic
from ops.why.timeline import IssueName
from pipeline.delivery import format_time
from pipeline.errors import Unavailable

BATCH = 200
SEEKED = "Pub/Sub delivers again to {}."


@click.command()
@click.option("--delivery", "ids", metavar="ID", multiple=True, help="One delivery; may be repeated.")
@click.option("--issue", metavar="OWNER/REPO#NUMBER", type=Issue(), help="All deliveries about an issue.")
@click.option("--since", type=Moment(), help="What ingest received from this time on (UTC).")
@click.option("--until", type=Moment(), help="What it received before this time; default: now.")
@click.option(
    "--only", metavar="SUBSCRIPTION", help="Only for this one, such as stream-bq; default: for all."
)
@click.option(
    "--seek", is_flag=True, help="Have Pub/Sub itself deliver again, what it has kept since --since."
)
@click.option("--project", help="Google Cloud project of the dataset; default: that of BIGQUERY_DATASET.")
@click.option("--dataset", help="Name of the dataset; default: that of BIGQUERY_DATASET, else github.")
@local_option
@yes_option
@json_option
@one_line_errors()
def replay(  # noqa: PLR0913 - one for each option
    *,
    ids: tuple[str, ...],
    issue: IssueName | None,
    since: datetime | None,
    until: datetime | None,
    only: str | None,
    seek: bool,
    project: str | None,
    dataset: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Deliver again what was delivered before.

    Reads payloads from BigQuery, and publishes them under their own ids, to all subscribers or to one.
    Nothing doubles: one row, one card. You can stop it at any moment and run it again. Rows without a payload
    are named and left out. triage does nothing about a replay.

    With --seek, BigQuery is not needed: Pub/Sub delivers again to one subscription what it received since
    then and still has; it keeps messages for seven days. What that subscription was sent before then and has
    not acknowledged is dropped. triage acts on what ingest received in the last hour.

    \b
    Examples:
      ./issuewire replay --delivery 72d3162e-cc78-11e3-81ab-4c9367dc0958
      ./issuewire replay --issue acme/app#123 --only notify-slack
      ./issuewire replay --since 2026-01-31T08:00Z --until 2026-01-31T12:00Z
      ./issuewire replay --since 2026-01-31T08:00Z --only stream-bq --seek

    \b
    Environment:
      PUBSUB_TOPIC      projects/P/topics/T
      BIGQUERY_DATASET  PROJECT.DATASET, used where no option names them
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    if sum(map(bool, (ids, issue, since))) != 1 or (until and not since):
        raise click.UsageError("give one of --delivery, --issue and --since; --until needs --since")
    if seek and (since is None or until is not None or only is None):
        raise click.UsageError("--seek needs --since and --only, and has no end")
    check_span(since, until)
    topic = read_topic(os.environ)
    if seek:
        assert since is not None
        assert only is not None
        seek_subscription(topic, only, since, yes=yes)
        click.echo(
            json.dumps({"seeked": only, "since": format_time(since)}) if as_json else SEEKED.format(only)
        )
        return
    if only is not None:
        check_subscription(topic, only)
    project, dataset = find_dataset(project, dataset)
    run = QueryRunner(connect(project), dataset, progress())
    selection = _selection(run, ids, issue, since, until)
    found, without_payload = stored.find(run, selection)
    _check_found(ids, issue, {each.delivery_id for each in (*found, *without_payload)})
    plan = Plan(topic=topic, only=only, stored=found, without_payload=without_payload)
    for line in plan.lines():
        click.echo(line, err=True)
    if found:
        confirm(plan.question, yes=yes)
        Progress().show(_publish(run, selection, plan))
    lost = [each.delivery_id for each in without_payload]
    values = {"replayed": len(found), "without_payload": lost, "only": only}
    click.echo(json.dumps(values) if as_json else plan.outcome())


def _selection(
    run: QueryRunner,
    ids: tuple[str, ...],
    issue: IssueName | None,
    since: datetime | None,
    until: datetime | None,
) -> Selection:
    """Return what the options select. Raises ClickException for an issue of which nothing is stored."""
    if ids:
        return stored.by_ids(ids)
    if issue is not None:
        selection = stored.by_issue(run, issue)
        if selection is None:
            raise click.ClickException(f"nothing is stored of {issue.repository}")
        return selection
    assert since is not None
    return stored.by_span(since, until or datetime.now(UTC))


def _check_found(ids: tuple[str, ...], issue: IssueName | None, found: set[str]) -> None:
    """Raise ClickException if something that was named is not stored; an empty span is no error."""
    unknown = [name for name in ids if name not in found]
    if unknown:
        raise click.ClickException(f"not stored: {', '.join(unknown)}")
    if issue is not None and not found:
        raise click.ClickException(f"nothing is stored of {issue}")


def _publish(run: QueryRunner, selection: Selection, plan: Plan) -> Iterator[Step]:
    """Publish in batches, each confirmed before the next. Raises Unavailable that says how far it came."""
    confirmed = added = 0
    with closing(BatchPublisher(plan.topic)) as publisher:
        for delivery in stored.deliveries(run, selection, plan.stored, plan.only):
            publisher.add(delivery)
            added += 1
            if added - confirmed == BATCH or added == len(plan.stored):
                try:
                    publisher.flush()
                except Unavailable as error:
                    how_far = (
                        f"{confirmed:,} of {count(len(plan.stored), 'delivery', 'deliveries')} published"
                    )
                    raise Unavailable(
                        error.reason, f"{error} {how_far}; run the same command again."
                    ) from error
                confirmed = added
                yield Step(
                    stage="Publishing",
                    done=confirmed / len(plan.stored),
                    text=count(confirmed, "delivery", "deliveries"),
                )
