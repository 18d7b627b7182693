"""The digest of the demo's last day: who waits for an answer, posted by the function digest."""

from dataclasses import replace
from pathlib import Path

import requests

from local.processes import NotReady
from local.slack.message import Message
from local.slack.server import CHANNELS
from local.stack.folders import read_workspace, unwritable
from local.stack.options import Options
from local.stack.stack import Stack

DIGEST = "issuewire_digest"
SECONDS = 60.0
# What the demo queries, and what these views read. Each view costs time at the start.
_VIEWS = frozenset({"issue_events", "issue_history", "issue_timelines", "issues", "waiting_on_us"})
_TEAM = Path(__file__).parent / "team.toml"

WAITING = """
SELECT repository, issue_number, title, author, ROUND(waiting_hours, 1) AS waiting_hours
FROM `${DATASET}.waiting_on_us` ORDER BY waiting_since
"""


def prepare(options: Options) -> Options:
    """Return the options of a stack with digest, the demo's team and few views. Raises NotReady."""
    [own], channel = CHANNELS, next(iter(read_workspace(options.routes)[0]))
    path = options.state / f"demo-team-{channel}.toml"
    try:
        options.state.mkdir(parents=True, exist_ok=True)
        path.write_text(_TEAM.read_text("utf-8").replace(own, channel), "utf-8")
    except OSError as error:
        raise unwritable(options.state, error) from error
    environment = {**options.environment, "TEAM_FILE": str(path)}
    return replace(options, scheduled=frozenset({"digest"}), views=_VIEWS, environment=environment)


def post(stack: Stack) -> list[Message]:
    """Call digest as Cloud Scheduler does, and return what it has posted. Raises NotReady."""
    try:
        requests.post(f"{stack.url('digest')}/", timeout=SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise NotReady(f"digest failed ({error}); its log is in {stack.folder}") from error
    return [found for found in stack.slack.messages if (found.metadata or {}).get("event_type") == DIGEST]
