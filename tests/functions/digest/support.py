"""Waiting issues, and the team for whose answer they wait."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from metrics import waiting as metrics_waiting
from metrics.waiting import Waiting, WaitingIssue
from pipeline.team import Team

NOW = datetime(2026, 1, 7, 8, 0, tzinfo=UTC)  # a Wednesday, 09:00 in Berlin
TEAM_FILE = """
[team]
logins = ["mona", "kim"]
away = ["kim"]
[bots]
logins = ["k8s-ci-robot"]
[hours]
zone = "Europe/Berlin"
days = "Mon-Fri"
from = "09:00"
to = "17:00"
holidays = ["2026-01-06"]
[[target]]
labels_any = ["urgent"]
respond_in = "24h"
calendar = true
[[target]]
labels_any = ["bug"]
respond_in = "8h"
[digest]
channels = { "C0123456789" = ["acme/*"] }
at = "09:00"
weekly = "Mon"
since = "2025-12-01"
"""
TEAM = Team.parse(TEAM_FILE)


def waiting(number: int, since: datetime, **changes: Any) -> WaitingIssue:
    """Return an issue that has waited since then."""
    defaults: dict[str, Any] = {
        "repository_id": 1,
        "repository": "acme/app",
        "title": f"Issue {number}",
        "url": f"https://github.com/acme/app/issues/{number}",
        "author": "octavia",
        "opened_at": since,
        "waiting_hours": (NOW - since) / timedelta(hours=1),
        "working_hours": 0.0,
    }
    return WaitingIssue(number=number, waiting_since=since, **{**defaults, **changes})


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time in January 2026 as the clocks in Berlin show it."""
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


def ranked(issues: Iterable[WaitingIssue], team: Team = TEAM) -> list[Waiting]:
    """Return the issues in their order."""
    return metrics_waiting.ranked(issues, team.targets, team.hours, NOW)
