"""What triage does in the demo: at the local GitHub, one rule acts, and one only says what it would do."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from functions.notify_slack.routing import routes_file
from local.github.github_app import HOOK_ID
from local.stack.folders import unwritable
from local.stack.options import Options
from local.stack.stack import Stack
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent

type Json = dict[str, Any]

RULES = Path(__file__).parent / "triage.toml"
CHANGES = ("issues.labeled", "issues.assigned")  # GitHub's webhooks about what the acting rule does
DONE, WOULD = len(CHANGES), 1
# Our own bot's changes are told in the threads, where every bot is muted by default.
_HEARD = '\n[defaults]\nmute_authors = ["triage[bot]"]\n'

ACTIONS = """
SELECT rule, issue, what, value, result FROM `${DATASET}.triage_actions` ORDER BY issue DESC, what
"""


def prepare(options: Options) -> Options:
    """Return the options of a stack with the demo's rules, whose changes are heard. Raises NotReady.

    Routes with [defaults] stay as they are.
    """
    path = options.state / "demo-routes.toml"
    try:
        routes = options.routes.read_text("utf-8-sig")
        options.state.mkdir(parents=True, exist_ok=True)
        path.write_text(routes if "\n[defaults]" in routes else routes + _HEARD, "utf-8")
    except OSError as error:
        raise unwritable(options.state, error) from error
    return replace(options, triage=RULES, routes=path)


def replies(stack: Stack) -> int:
    """Return how many replies the local GitHub's own deliveries make, by the routes that the demo uses."""
    routes = routes_file.parse(stack.options.routes.read_text("utf-8-sig"))
    sent = [each for each in stack.github.github.hooks.deliveries[HOOK_ID] if each["action"] == "assigned"]
    return sum(any(to.replies for to in routes.destinations(_event(each))) for each in sent)


def _event(sent: Json) -> IssueEvent:
    body = json.dumps(sent["request"]["payload"]).encode()
    return IssueEvent.from_delivery(
        Delivery(delivery_id=sent["guid"], event=sent["event"], body=body, received_at=datetime.now(UTC))
    )
