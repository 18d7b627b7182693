"""Events, and what rules decide about them."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from functions.triage.rules import Decision, Rule, decide
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from pipeline.team import Team
from tests.support.messages import NOON, an_issue

MONA = accounts.Account(login="mona")
OCTAVIA = accounts.Account(login="octavia")
BOT = accounts.Account(login="dependabot[bot]", type="Bot")
OWN = "issuewire[bot]"
TEAM = Team(logins=("mona", "kim"), away=("kim",), bots=("k8s-ci-robot",))
MINUTE = timedelta(minutes=1)


def issue_event(made: payloads.Event, **changes: Any) -> IssueEvent:
    """Return the event as the function reads it, from JSON bytes; the changes replace its fields."""
    delivery = Delivery(
        delivery_id="d-1", event=made.name, body=json.dumps(made.payload).encode(), received_at=NOON
    )
    return replace(IssueEvent.from_delivery(delivery), **changes)


def opened(association: str = "NONE", **issue: Any) -> IssueEvent:
    """Return an issue's opening; its author has this author_association."""
    made = an_issue(**issue).opened()
    made.payload["issue"]["author_association"] = association
    return issue_event(made)


def decided(
    event: IssueEvent,
    *rules: Rule,
    team: Team = TEAM,
    now: datetime = NOON + MINUTE,
    own_login: str | None = OWN,
) -> Decision:
    """Return what the rules do about the event, a minute after it was received."""
    return decide(event, rules, team, now=now, own_login=own_login)


def actions(event: IssueEvent, *rules: Rule, team: Team = TEAM) -> list[tuple[str, str, str]]:
    """Return rule, kind and value of each action."""
    return [(action.rule, action.what, action.value) for action in decided(event, *rules, team=team).actions]
