"""Events, the routes that they match, and the problems of a routes file."""

import json
from datetime import timedelta

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Destination, Routes
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.errors import ConfigurationError
from pipeline.events import IssueEvent
from tests.support.messages import NOON

MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="dependabot[bot]", type="Bot")
OCTAVIA = accounts.Account(login="octavia")
LATER = NOON + timedelta(hours=1)
ROUTE_KEYS = (
    "(known: channels, events, format, labels_all, labels_any, labels_none, mention, mute_authors, name,"
    " private, repositories)"
)
DEFAULT_KEYS = "(known: fold_over, format, mute_authors)"
GOOD = '[[route]]\nchannels = ["C1"]\n'


def issue_event(event: payloads.Event) -> IssueEvent:
    """Return the event as the function reads it: from JSON bytes."""
    body = json.dumps(event.payload).encode()
    return IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event=event.name, body=body, received_at=NOON)
    )


def one_route(line: str = "") -> Routes:
    """Return the routes of a file with one route to C1 and one more line."""
    return routes_file.parse(f'[[route]]\nname = "one"\nchannels = ["C1"]\n{line}\n')


def channels_of(routes: Routes, event: IssueEvent) -> tuple[str, ...]:
    """Return the channels that show the event."""
    return tuple(
        destination.channel for destination in routes.destinations(event) if not destination.final_update
    )


def only_destination(routes: Routes, event: IssueEvent) -> Destination:
    """Return the only destination."""
    [destination] = routes.destinations(event)
    return destination


def mismatches(routes: Routes, event: IssueEvent) -> list[tuple[str, str]]:
    """Return why the event does not match the only route; the destinations agree with it."""
    [match] = routes.explain(event)
    assert match.matches is (channels_of(routes, event) == ("C1",))
    return [(reason.key, reason.text) for reason in match.mismatches]


def event_in(repository: str | None) -> IssueEvent:
    """Return an event of the repository."""
    named = {} if repository is None else {"repository": {"full_name": repository}}
    return issue_event(payloads.Event(name="issues", payload={"action": "opened", **named}))


def channels_by(text: str, repository: str | None = "acme/app") -> tuple[str, ...]:
    """Return the channels that the file routes an event of the repository to."""
    return channels_of(routes_file.parse(text), event_in(repository))


def route_toml(globs: list[str], *ids: str) -> str:
    """Return one route as TOML."""
    return f"[[route]]\nchannels = {list(ids)}\nrepositories = {globs}\n"


def problems(text: str) -> tuple[str, ...]:
    """Return the problems of the file."""
    with pytest.raises(ConfigurationError) as caught:
        routes_file.parse(text)
    return caught.value.problems
