"""How a stack is started, and the names that every stack has."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from local.processes import ROOT
from local.stack import topics

STATE = ROOT / ".local"
TEAM = ROOT / "config" / "team.toml"
TRIAGE = ROOT / "config" / "triage.toml"
DATASET = "github"
TOKEN = "xoxb-local"
SECRET = f"projects/{topics.PROJECT}/secrets/github-webhook-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to start; `ports` maps a part's name to its port, and 0 or no entry asks the system for one.

    `scheduled` are the functions to start of those that a schedule calls. `environment` has further variables
    of the functions.
    `views` are those of BigQuery, None for all. `clock` is Slack's, in seconds.
    `secret_file` has the webhook's secret, None for a new one. `slack_token_file` has a token of Slack
    itself, or the URL of an incoming webhook, None for the stand-in. `triage` has the rules of triage, which
    runs if there are any.
    """

    pubsub: str = "auto"
    ports: dict[str, int] = field(default_factory=dict)
    routes: Path = ROOT / "config" / "routes.toml"
    state: Path = STATE
    scheduled: frozenset[str] = frozenset()
    environment: dict[str, str] = field(default_factory=dict)
    views: frozenset[str] | None = None
    clock: Callable[[], float] = time.time
    secret_file: Path | None = None
    slack_token_file: Path | None = None
    triage: Path = TRIAGE
