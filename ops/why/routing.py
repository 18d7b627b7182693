"""What the routes file would do with one stored delivery; uses what `routes explain` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.notify_slack.routing.routes import Routes
from ops.routes.explanation import explain_json, explain_lines
from pipeline.errors import Malformed
from pipeline.events import IssueEvent

ONLY_UPDATES = "the event only updates a card that is there"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOutcome:
    """`channels` are those in which the event makes a card, `why_not` says why there are none."""

    lines: tuple[str, ...]
    details: Mapping[str, Any]
    channels: tuple[str, ...]
    why_not: str | None


def explain(event: IssueEvent, routes: Routes) -> RouteOutcome:
    """Return what the routes do with the event."""
    try:
        details = explain_json(event, routes)
        lines = tuple(explain_lines(event, routes))
    except Malformed as error:
        why_not = f"notify_slack cannot use the delivery: {error}"
        return RouteOutcome(lines=(f"No card: {why_not}",), details={}, channels=(), why_not=why_not)
    destinations = details["destinations"]
    channels = tuple(
        destination["channel"]
        for destination in destinations
        if destination["makes_card"] and not destination["leaving"]
    )
    why_not = details["why_no_card"] or (ONLY_UPDATES if destinations else routes.why_unmatched(event))
    return RouteOutcome(
        lines=lines, details=details, channels=channels, why_not=None if channels else why_not
    )
