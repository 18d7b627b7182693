"""ops backfill: a repository's history from GitHub, as the deliveries that its webhook would have sent."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings, read_topic
from clients.github.synthetic_deliveries import deliveries
from clients.pubsub.batch_publisher import BATCH_MESSAGES, Topic
from functions.stream_bq.table import STREAM_PAST
from ops.backfill.reader import Harvest
from ops.backfill.store import Spool
from ops.cli import json_option, one_line_errors
from ops.progress import Progress, Step
from pipeline.delivery import parse_time
from pipeline.errors import Unavailable
from pipeline.repository_name import is_repository_name
from pipeline.settings import both

STATE = Path(".local/backfill")
LOADS_A_DAY = 1_500  # https://cloud.google.com/bigquery/quotas#load_jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the operator asked for; `topic` None means to count only."""

    name: str
    topic: str | None
    since: datetime | None
    until: datetime | None
    restart: bool


class _Day(click.ParamType[datetime]):
    """2026-01-31, or a full RFC 3339 time; UTC unless it says otherwise."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment; a date is its first."""
        moment = value if isinstance(value, datetime) else parse_time(value)
        return moment or self.fail(f"{value!r} is no date such as 2026-01-31", param, ctx)


@click.command()
@click.argument("repository", metavar="OWNER/REPO")
@click.option(
    "--since", type=_Day(), help="Only issues updated on or after this date (UTC), with their whole history."
)
@click.option(
    "--until", type=_Day(), help="Only what happened before this date: the day on which your webhook began."
)
@click.option("--dry-run", is_flag=True, help="Read and count; publish nothing.")
@click.option("--restart", is_flag=True, help="Forget an interrupted run and read everything again.")
@json_option
@one_line_errors()
def backfill(  # noqa: PLR0913 - one for each option
    *,
    repository: str,
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    restart: bool,
    as_json: bool,
) -> None:
    """Publish a repository's history through the same topic.

    Reads issues, comments and issue events from GitHub's REST API and publishes the deliveries that a webhook
    would have sent. Slack shows none of them. You can stop it at any moment: the same command continues.
    A second run publishes the same delivery ids, so nothing doubles.

    The webhook's own deliveries have other ids, so an event that both deliver is counted twice: give --until
    if the webhook has been running.

    \b
    Environment:
      GITHUB_TOKEN_FILE, GITHUB_TOKEN  a token that may read issues
      GITHUB_API_URL                   the API of a GitHub Enterprise Server
      PUBSUB_TOPIC                     projects/P/topics/T; not needed with --dry-run
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    if not is_repository_name(repository):
        raise click.BadParameter("is not of the form owner/name", param_hint="OWNER/REPO")
    began = time.monotonic()
    progress = Progress()
    try:
        settings, topic = _settings(dry_run=dry_run)
        wanted = Wanted(name=repository, topic=topic, since=since, until=until, restart=restart)
        outcome = run(settings, wanted, progress)
    except KeyboardInterrupt:
        click.echo("Stopped. Run the same command again to go on, with --restart to begin anew.", err=True)
        sys.exit(130)
    outcome["seconds"] = round(time.monotonic() - began, 1)
    click.echo(json.dumps(outcome) if as_json else _sentence(outcome))


def _settings(*, dry_run: bool) -> tuple[GitHubSettings, str | None]:
    """Raise ConfigurationError naming every wrong setting; a count needs no topic."""
    return both(
        lambda: GitHubSettings.from_environment(os.environ),
        lambda: None if dry_run else read_topic(os.environ),
    )


def run(settings: GitHubSettings, wanted: Wanted, progress: Progress) -> dict[str, Any]:
    """Read what is not read yet, publish what is not published yet, and return the outcome."""
    with ExitStack() as stack:
        spool = Spool(state_path(settings, wanted.name), restart=wanted.restart)
        stack.callback(lambda: spool.close() if spool.note("began") else spool.remove())
        github = stack.enter_context(closing(GitHubClient(settings, progress.waiting)))
        topic = None
        if wanted.topic is not None:
            topic = stack.enter_context(closing(Topic(wanted.topic)))
            topic.check()
        resumed = _resume(spool, wanted, progress)
        harvest = Harvest(github=github, spool=spool, name=wanted.name, since=wanted.since)
        repository = harvest.repository()
        progress.show(harvest.read())
        old = spool.older(f"{datetime.now(UTC) - STREAM_PAST:%Y-%m-%d}")
        if old > LOADS_A_DAY:
            progress.say(
                f"About {old:,} deliveries are older than {STREAM_PAST.days:,} days. "
                f"BigQuery takes those by load jobs, {LOADS_A_DAY:,} a day at most; "
                "what it refuses is held on the dead-letter topic for seven days."
            )
        counts = Counter[str]()
        progress.show(_tell(spool, wanted, topic, counts))
        outcome = {
            "repository": repository["full_name"],
            "repository_id": repository["id"],
            "issues": spool.count("issue", "raw IS NOT NULL"),
            "pull_requests_left_out": spool.count("issue", "raw IS NULL"),
            "deliveries": dict(sorted(counts.items())),
            "total": counts.total(),
            "published": 0 if topic is None else counts.total(),
            "resumed": resumed,
            "dry_run": topic is None,
            "too_old_to_stream": old,
        }
        if topic is not None:
            spool.save(notes={"began": None})  # done: the file goes
        return outcome


def state_path(settings: GitHubSettings, name: str) -> Path:
    """Return the file of a repository's backfill; GitHub does not tell owner/NAME from owner/name."""
    host = urlsplit(settings.api_url).netloc.replace(":", "_")
    return STATE / f"{host}~{name.replace('/', '~')}.sqlite3".lower()


def _resume(spool: Spool, wanted: Wanted, progress: Progress) -> bool:
    """Tell whether the spool holds an interrupted run of this request. Raises Unavailable for another's."""
    since = None if wanted.since is None else wanted.since.isoformat()
    began = spool.note("began")
    if began is not None and spool.note("since") != since:
        raise Unavailable(
            "backfill_differs",
            f"the run that was interrupted had --since {spool.note('since')}; give it again, or --restart.",
        )
    if began is not None:
        progress.say(f"Going on with the run of {began[:16].replace('T', ' ')} UTC.")
    spool.save(notes={"since": since})
    return began is not None


def _tell(spool: Spool, wanted: Wanted, topic: Topic | None, counts: Counter[str]) -> Iterator[Step]:
    """Publish, or only count, issue by issue; progress is noted once Pub/Sub has confirmed all of it."""
    stage = "Counting" if topic is None else "Publishing"
    repository, received_at = spool.note("repository"), parse_time(spool.note("began"))
    assert received_at is not None
    mark = {"topic": wanted.topic, "until": None if wanted.until is None else wanted.until.isoformat()}
    known = spool.note("progress") if topic is not None else None
    # What went to another topic has not gone to this one.
    number, told = (known["number"], known["counts"]) if known and known["mark"] == mark else (0, {})
    counts.update(told)
    noted = counts.total()
    whole = spool.count("issue", "raw IS NOT NULL") or 1
    done = spool.count("issue", f"raw IS NOT NULL AND number <= {int(number)}")
    for number, past in spool.pasts(number):  # noqa: B020 - the first is where to go on
        for delivery in deliveries(repository, past, received_at, wanted.until):
            if topic is not None:
                topic.add(delivery)
            counts[f"{delivery.event}.{delivery.action}"] += 1
        done += 1
        if counts.total() - noted >= BATCH_MESSAGES or done == whole:
            if topic is not None:
                topic.flush()
                note = {"mark": mark, "number": number, "counts": counts}
                spool.save(notes={"progress": note})
            noted = counts.total()
            yield Step(stage=stage, done=done / whole, text=f"{noted:,} deliveries")


def _sentence(outcome: dict[str, Any]) -> str:
    what = "would be published" if outcome["dry_run"] else "published"
    kinds = ", ".join(f"{name} {count:,}" for name, count in outcome["deliveries"].items())
    return (
        f"{outcome['repository']}: {outcome['issues']:,} issues, {outcome['total']:,} deliveries {what} "
        f"in {outcome['seconds']:,.0f} s{f' ({kinds})' if kinds else ''}."
        f"{' Without --dry-run, this is what goes out.' if outcome['dry_run'] else ''}"
    )
