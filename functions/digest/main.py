"""digest: read who waits, post it into each channel, mark their cards. Cloud Scheduler calls it each morning.

200 means that every channel has its digest or needs none; 500 that the next call has to complete it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
import functions_framework

from clients.github.client import GitHubClient
from clients.slack import deadline
from clients.slack.client import Slack
from metrics.waiting import WAITING, WaitingIssue
from metrics.week_review import DURATIONS, NAMED_WEEKS, last_week
from metrics.weeks import WEEK
from pipeline import logs
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import load_at_startup

from .daily import Daily
from .marks import Marks
from .message import Readers
from .overdue import overdue
from .posting import Kind
from .recheck import Recheck
from .run import Report, Run
from .settings import Settings
from .warehouse import Warehouse, read_once
from .weekly import Weekly

PATIENCE_SECONDS = 65.0  # nobody waits for the run, and Slack rarely asks for a pause of over a minute
RUN_SECONDS = 600.0  # Cloud Run ends the request after 900, and a call may outlast its time

logs.setup()
settings = load_at_startup(lambda: Settings.read(os.environ, Path(__file__).parent))
warehouse = once(lambda: Warehouse(settings().dataset))


@functions_framework.http
def digest(request: flask.Request) -> tuple[dict[str, Any], int] | tuple[str, int, dict[str, str]]:
    """Post what is due today and answer with the number of channels by their outcome."""
    logs.start_request()
    if request.method != "POST":
        return "Only POST is allowed", 405, {"Allow": "POST"}
    now = datetime.now(UTC)
    slack = Slack(settings().bot_token, settings().api_url, patience=PATIENCE_SECONDS)
    waiting = read_once(lambda: warehouse().rows(WAITING, {"repository": None}))
    with deadline.limit(RUN_SECONDS), rechecking() as recheck:
        run = Run(
            slack=slack,
            plan=settings().plan,
            hours=settings().team.hours,
            now=now,
            contents={
                Kind.DAILY: lambda: daily(waiting(), now, recheck),
                Kind.WEEKLY: lambda: weekly(now, slack),
            },
            marks=lambda: marks(waiting(), now, recheck, slack),
            card_channels=settings().card_channels,
        )
        return answer(run.run())


@contextmanager
def rechecking() -> Iterator[Recheck]:
    """Connect to GitHub, if there is a token."""
    github = settings().github
    recheck = Recheck((lambda check: GitHubClient(github, check)) if github else None, settings().team)
    try:
        yield recheck
    finally:
        recheck.close()


def daily(waiting: Sequence[WaitingIssue], now: datetime, recheck: Recheck) -> Daily:
    """Return what the daily digest tells."""
    found = settings()
    readers = Readers(github_url=found.github_url, people=found.people, away=found.team.away)
    return Daily(
        issues=waiting, team=found.team, readers=readers, now=now, still_waiting=recheck.still_waiting
    )


def marks(waiting: Sequence[WaitingIssue], now: datetime, recheck: Recheck, slack: Slack) -> Marks:
    """Return what marks the cards of issues past their target."""
    late = overdue(waiting, settings().team, now, recheck.still_waiting)
    return Marks(slack=slack, overdue=late, now=now)


def weekly(now: datetime, slack: Slack) -> Weekly:
    """Read the week's numbers. Raises Unavailable."""
    week = last_week(now.astimezone(settings().team.hours.zone).date())
    days = {"from_day": week - WEEK, "until_day": week + WEEK}
    return Weekly(
        rows=warehouse().rows(NAMED_WEEKS, {}),
        durations=warehouse().rows(DURATIONS, days),
        week=week,
        upload=slack.upload,
    )


def answer(report: Report) -> tuple[dict[str, Any], int]:
    """Return the summary, with status 500 if a channel lacks its digest."""
    log.info("Digests", extra=report.counts)
    summary = {"day": report.day.isoformat(), **report.counts}
    if report.failures:
        return {**summary, "failed": [failure.reason for failure in report.failures]}, 500
    return summary, 200
