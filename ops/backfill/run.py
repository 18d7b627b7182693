"""Runs a backfill: reads, publishes, and loads into BigQuery what is too old to be streamed."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings
from clients.pubsub.batch_publisher import BATCH_MESSAGES, BatchPublisher
from ops import ROOT
from ops.backfill import old_rows
from ops.backfill.deliver import Destination, count, deliver
from ops.backfill.old_rows import LOAD_PAST, OldRows
from ops.backfill.reader import HistoryReader
from ops.backfill.store import BackfillStore
from ops.progress import Progress
from pipeline.errors import Unavailable

STATE = ROOT / ".local" / "backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """What the operator asks for; without a `topic` the deliveries are only counted.

    `table` is PROJECT.DATASET.events, for what is too old to be streamed; it may be None if nothing is.
    """

    name: str
    topic: str | None
    table: str | None
    store_payload: bool
    since: datetime | None
    until: datetime | None
    restart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOutcome:
    """What a run has done; `deliveries` counts by event.action, `too_old_to_stream` is an estimate.

    `published` and `loaded` are the deliveries that the topic and the table have; `load_jobs` are this run's.
    """

    repository: str
    repository_id: int
    issues: int
    pull_requests_left_out: int
    deliveries: Mapping[str, int]
    total: int
    published: int
    loaded: int
    load_jobs: int
    resumed: bool
    dry_run: bool
    too_old_to_stream: int


def run(settings: GitHubSettings, request: BackfillRequest, progress: Progress) -> BackfillOutcome:
    """Run until everything is published, or counted. Raises Unavailable; the next run then continues."""
    with ExitStack() as stack:
        store = BackfillStore(state_path(settings, request.name), restart=request.restart)
        stack.callback(store.close)
        github = stack.enter_context(closing(GitHubClient(settings, progress.waiting)))
        topic = None
        if request.topic is not None:
            topic = stack.enter_context(closing(BatchPublisher(request.topic)))
            topic.check()
        resumed = _resumes(store, request, progress)
        reader = HistoryReader(github=github, store=store, name=request.name, since=request.since)
        repository = reader.begin().repository
        progress.show(reader.read())
        assert store.checkpoint is not None
        began_at = store.checkpoint.began_at
        old = store.older_than(began_at - LOAD_PAST)
        published, loaded, jobs = Counter[str](), Counter[str](), 0
        if topic is None or request.topic is None:
            progress.show(count(store, request.until, published))
        else:
            if old:
                table = stack.enter_context(closing(_old_rows(request, old)))
                loading = Destination(
                    name=str(request.table),
                    stage="Loading what is too old to stream",
                    receiver=table,
                    takes=lambda delivery: old_rows.is_old(delivery, began_at),
                    batch=old_rows.BATCH_ROWS,
                )
                progress.show(deliver(store, request.until, loading, loaded))
                jobs = table.jobs
            publishing = Destination(
                name=request.topic,
                stage="Publishing",
                receiver=topic,
                takes=lambda delivery: not (old and old_rows.is_old(delivery, began_at)),
                batch=BATCH_MESSAGES,
            )
            progress.show(deliver(store, request.until, publishing, published))
        counts = published + loaded
        outcome = BackfillOutcome(
            repository=repository["full_name"],
            repository_id=repository["id"],
            issues=store.issues(),
            pull_requests_left_out=store.pull_requests(),
            deliveries=dict(sorted(counts.items())),
            total=counts.total(),
            published=0 if topic is None else published.total(),
            loaded=loaded.total(),
            load_jobs=jobs,
            resumed=resumed,
            dry_run=topic is None,
            too_old_to_stream=old,
        )
        if topic is not None:
            store.finish()
        return outcome


def _old_rows(request: BackfillRequest, old: int) -> OldRows:
    """Return the table that takes the old deliveries. Raises Unavailable if it is not named."""
    if request.table is None:
        raise Unavailable(
            "dataset_missing",
            f"about {old:,} deliveries are older than {LOAD_PAST.days:,} days and are loaded into BigQuery; "
            "give --project and --dataset, or set BIGQUERY_DATASET.",
        )
    return OldRows(request.table, store_payload=request.store_payload)


def state_path(settings: GitHubSettings, name: str) -> Path:
    """Return the file of a repository's backfill; to GitHub owner/NAME and owner/name are the same."""
    host = urlsplit(settings.api_url).netloc.replace(":", "_")
    return STATE / f"{host}~{name.replace('/', '~')}.sqlite3".lower()


def _resumes(store: BackfillStore, request: BackfillRequest, progress: Progress) -> bool:
    """Return whether the store has an interrupted run. Raises Unavailable if that had another --since."""
    known = store.checkpoint
    if known is None:
        return False
    if known.since != request.since:
        had = "no --since" if known.since is None else f"--since {known.since.isoformat()}"
        raise Unavailable(
            "backfill_differs", f"the interrupted run had {had}; give the same again, or --restart."
        )
    progress.say(f"Continuing the run of {known.began_at:%Y-%m-%d %H:%M} UTC.")
    return True
