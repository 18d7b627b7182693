"""reconcile: look, redeliver, publish what was missed, prove. Cloud Scheduler calls it every hour.

200 means that the run saw everything and wrote its rows; 500 that the next run has to cover its window.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import functions_framework

from clients.github.client import GitHubClient
from clients.github.webhooks import Webhooks
from clients.pubsub.batch_publisher import BatchPublisher
from clients.pubsub.held_messages import HeldMessages
from pipeline import logs
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import load_at_startup

from .ledger import Ledger
from .report import Report
from .run import Neighbours, Run
from .settings import Settings
from .time_limit import TimeLimit

# Cloud Run ends the request after 30 minutes, as long as Cloud Scheduler waits. Held messages get five
# minutes more than this, and a call may outlast its time.
RUN_TIME = timedelta(minutes=20)

logs.setup()
settings = load_at_startup(lambda: Settings.from_environment(os.environ))
ledger = once(lambda: Ledger(settings().dataset))


@functions_framework.http
def reconcile(request: flask.Request) -> tuple[dict[str, Any], int] | tuple[str, int, dict[str, str]]:
    """Make one run and answer with its counts."""
    logs.start_request()
    if request.method != "POST":
        return "Only POST is allowed", 405, {"Allow": "POST"}
    now = datetime.now(UTC)
    limit = TimeLimit(now + RUN_TIME, lambda: datetime.now(UTC), time.sleep)
    with connected(limit) as neighbours:
        found = Run(neighbours, settings(), now, limit).run()
    log_report(found)
    return answer(found)


@contextmanager
def connected(limit: TimeLimit) -> Iterator[Neighbours]:
    """Connect to GitHub and, once something is to be published, to Pub/Sub."""
    opened: list[BatchPublisher] = []

    def publisher() -> BatchPublisher:
        if not opened:
            opened.append(BatchPublisher(settings().topic))
        return opened[0]

    github = GitHubClient(settings().github, limit.check)
    try:
        yield Neighbours(
            github=github,
            webhooks=Webhooks(github),
            ledger=ledger(),
            publisher=publisher,
            hold=lambda: HeldMessages(settings().hold, settings().topic),
        )
    finally:
        github.close()
        for each in opened:
            each.close()


def log_report(found: Report) -> None:
    """Log one ERROR for each problem, and one if the run did not see everything."""
    for problem in found.problems:
        log.error("%s", problem.text, extra={"reason": problem.reason})
    if found.failures:
        sentences = dict.fromkeys(str(failure) for failure in found.failures)
        log.error(
            "The run is not complete, and the next one covers its window: %s",
            " ".join(sentences),
            exc_info=found.failures[0].__cause__,
            extra={"reason": found.failures[0].reason},
        )
    log.info("Reconciled", extra=found.counts)


def answer(found: Report) -> tuple[dict[str, Any], int]:
    """Return the summary, with status 500 if the run is not complete."""
    reasons = [problem.reason for problem in found.problems]
    summary = {**found.counts, "problems": reasons}
    if found.failures:
        return {**summary, "failed": found.failures[0].reason}, 500
    return summary, 200
