"""Runs a backfill: reads what is not read yet, publishes what is not published yet."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings
from clients.github.synthetic_deliveries import deliveries
from clients.pubsub.batch_publisher import BATCH_MESSAGES, BatchPublisher
from functions.stream_bq.table import STREAM_PAST
from ops import ROOT
from ops.backfill.checkpoint import Published
from ops.backfill.reader import HistoryReader
from ops.backfill.store import BackfillStore
from ops.progress import Progress, Step
from pipeline.errors import Unavailable

STATE = ROOT / ".local" / "backfill"
LOADS_PER_DAY = 1_500  # https://cloud.google.com/bigquery/quotas#load_jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """What the operator asks for; without a `topic` the deliveries are only counted."""

    name: str
    topic: str | None
    since: datetime | None
    until: datetime | None
    restart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOutcome:
    """What a run has done; `deliveries` counts by event.action, `too_old_to_stream` is an estimate."""

    repository: str
    repository_id: int
    issues: int
    pull_requests_left_out: int
    deliveries: Mapping[str, int]
    total: int
    published: int
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
        old = store.older_than(datetime.now(UTC) - STREAM_PAST)
        if old > LOADS_PER_DAY:
            progress.say(
                f"About {old:,} deliveries are older than {STREAM_PAST.days:,} days. BigQuery takes those by "
                f"load jobs, {LOADS_PER_DAY:,} a day at most; what it refuses stays on the dead-letter topic "
                "for seven days."
            )
        counts = Counter[str]()
        progress.show(_publish(store, request, topic, counts))
        outcome = BackfillOutcome(
            repository=repository["full_name"],
            repository_id=repository["id"],
            issues=store.issues(),
            pull_requests_left_out=store.pull_requests(),
            deliveries=dict(sorted(counts.items())),
            total=counts.total(),
            published=0 if topic is None else counts.total(),
            resumed=resumed,
            dry_run=topic is None,
            too_old_to_stream=old,
        )
        if topic is not None:
            store.finish()
        return outcome


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


def _publish(
    store: BackfillStore, request: BackfillRequest, topic: BatchPublisher | None, counts: Counter[str]
) -> Iterator[Step]:
    """Publish or only count, issue by issue; the checkpoint moves once Pub/Sub has confirmed the batch."""
    checkpoint = store.checkpoint
    assert checkpoint is not None
    stage = "Counting" if topic is None else "Publishing"
    known = checkpoint.published
    number = 0
    # What another topic has received is not on this one.
    if known is not None and (known.topic, known.until) == (request.topic, request.until):
        number = known.number
        counts.update(known.counts)
    confirmed = counts.total()
    issues = store.issues() or 1
    done = store.issues(up_to=number)
    for number, history in store.histories(number):  # noqa: B020 - starts after the last published issue
        for delivery in deliveries(checkpoint.repository, history, checkpoint.began_at, request.until):
            if topic is not None:
                topic.add(delivery)
            counts[f"{delivery.event}.{delivery.action}"] += 1
        done += 1
        if counts.total() - confirmed >= BATCH_MESSAGES or done == issues:
            if topic is not None and request.topic is not None:
                topic.flush()
                published = Published(
                    topic=request.topic, until=request.until, number=number, counts=dict(counts)
                )
                store.save(replace(checkpoint, published=published))
            confirmed = counts.total()
            yield Step(stage=stage, done=done / issues, text=f"{confirmed:,} deliveries")
