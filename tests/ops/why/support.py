"""Deliveries, log lines and routes for the tests of `why`."""

import json
from datetime import datetime, timedelta
from typing import Any

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Routes
from ops.send import payloads
from ops.why.routing import RouteOutcome, explain
from ops.why.timeline import IssueName, LogLine, Logs, Step, StoredDelivery, timeline
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

ISSUE = IssueName(repository="acme/app", number=7)
ROUTES = (
    '[[route]]\nname = "bugs"\nchannels = ["C1", "C2"]\nrepositories = ["acme/*"]\nlabels_any = ["bug"]\n'
)
EVERYTHING = '[[route]]\nname = "all"\nchannels = ["C1"]\n'
READ = Logs(since=NOON - timedelta(days=1))
UNREAD = Logs(left_out="gcloud is not installed.")


def routes(text: str = ROUTES) -> Routes:
    """Return the routes of a file."""
    return routes_file.parse(text)


def stored(
    event: payloads.Event | None = None, delivery_id: str = "d-1", *, at: datetime = NOON, **more: Any
) -> StoredDelivery:
    """Return a stored delivery, of an opened issue unless an event is given."""
    event = event or an_issue().opened()
    body = json.dumps(event.payload).encode()
    delivery = Delivery(delivery_id=delivery_id, event=event.name, body=body, received_at=at, **more)
    return StoredDelivery(
        event=IssueEvent.from_delivery(delivery), inserted_at=at + timedelta(seconds=2), with_payload=True
    )


def explained(delivery: StoredDelivery, text: str = ROUTES) -> tuple[StoredDelivery, RouteOutcome]:
    """Return the delivery with what the routes do with it."""
    return delivery, explain(delivery.event, routes(text))


def line(function: str = "notify_slack", delivery_id: str = "d-1", **fields: Any) -> LogLine:
    """Return a log line of a function."""
    about = {"delivery_id": delivery_id, "event": "issues", "action": "opened", "message": "A line."}
    return LogLine.read(function, about | fields)


def steps(*lines: LogLine, delivery: StoredDelivery | None = None, text: str = ROUTES) -> tuple[Step, ...]:
    """Return the timeline of one stored delivery and some lines."""
    return timeline([explained(delivery or stored(), text)], lines)
