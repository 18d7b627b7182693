"""What a route does, and what the routes do with an event: in words, and as JSON."""

from dataclasses import asdict
from typing import Any

from functions.notify_slack.routing.eligibility import CardEvent, NotShown
from functions.notify_slack.routing.route import Route, RouteMatch
from functions.notify_slack.routing.routes import Destination, Routes
from pipeline.events import IssueEvent


def summary(route: Route) -> str:
    """Return what a route does, in one line; keys that are not set are left out."""
    labels = {
        "labels_any": route.labels_any,
        "labels_all": route.labels_all,
        "labels_none": route.labels_none,
    }
    parts = [
        f"repositories {', '.join(route.repositories)}",
        *(f"{key} {', '.join(map(repr, names))}" for key, names in labels.items() if names),
        f"events {', '.join(route.events) or 'all'}",
        f"private {route.private}",
        f"mutes {', '.join(route.mute_authors) or 'no one'}",
        f"format {route.format}",
        *([f"mentions {', '.join(route.mention)}"] if route.mention else []),
    ]
    return f"{route.name} -> {', '.join(route.channels)}: {'; '.join(parts)}"


def defaults_summary(found: Routes) -> str:
    """Return what holds for all routes, in one line."""
    people = f"{len(found.people) or 'no'} {'person' if len(found.people) == 1 else 'people'} known to Slack"
    if not found.fold_over:
        return f"{people}; new issues never fold"
    return f"{people}; more than {found.fold_over} new issues a minute in a channel fold"


def explain_lines(event: IssueEvent, found: Routes) -> list[str]:
    """Return a line for each route, and then one for each channel that would show the event."""
    lines = [_route_line(match) for match in found.explain(event)]
    shown = CardEvent.of(event)
    if isinstance(shown, NotShown):
        return [*lines, f"No card in any channel: {shown.reason}."]
    channels = [_channel_line(destination, event, found) for destination in found.destinations(event)]
    return [*lines, *(channels or ["No card: no route matches."])]


def explain_json(event: IssueEvent, found: Routes) -> dict[str, Any]:
    """Return the explanation for scripts; without a card, `destinations` is empty."""
    shown = CardEvent.of(event)
    why_no_card = shown.reason if isinstance(shown, NotShown) else None
    return {
        "makes_card": why_no_card is None,
        "why_no_card": why_no_card,
        "destinations": [
            {
                "channel": destination.channel,
                "format": destination.format,
                "leaving": destination.final_update,
                "makes_card": destination.makes_card,
                "replies": destination.replies,
                "mentions": _mentions(destination.mention, destination, event),
                "left_out": _left_out(destination, event, found),
            }
            for destination in (() if why_no_card else found.destinations(event))
        ],
        "routes": [
            {
                "name": match.route.name,
                "channels": list(match.route.channels),
                "matches": match.matches,
                "leaving": match.final_update,
                "updates": match.updates,
                "quiet": match.muted_because,
                "why_not": [asdict(mismatch) for mismatch in match.mismatches],
            }
            for match in found.explain(event)
        ],
    }


def _mentions(mention: tuple[str, ...], destination: Destination, event: IssueEvent) -> list[str]:
    """Return the ids that the card mentions: `mention`, and the assignees."""
    assignees = [login.lower() for login in (event.issue.assignees if event.issue else ())]
    people = [destination.people[login] for login in assignees if login in destination.people]
    return list(dict.fromkeys([*mention, *people]))


def _left_out(destination: Destination, event: IssueEvent, found: Routes) -> list[str]:
    """Return the ids that are not mentioned only because they act themselves."""
    routes = [match.route for match in found.explain(event) if match.calls]
    every = tuple(user for route in routes if destination.channel in route.channels for user in route.mention)
    unfiltered = Destination(channel=destination.channel, people=found.people)
    shown = _mentions(destination.mention, destination, event)
    return [user for user in _mentions(every, unfiltered, event) if user not in shown]


def _route_line(match: RouteMatch) -> str:
    name, channels = match.route.name, ", ".join(match.route.channels)
    why_not = "; ".join(mismatch.text for mismatch in match.mismatches)
    if match.updates:
        verb = "leaves " if match.final_update else "updates"
        return f"{verb}   {name} -> {channels}: {why_not}"
    if not match.matches:
        return f"skips     {name}: {why_not}"
    muted = f" (no reply: {match.muted_because})" if match.muted_because else ""
    return f"matches   {name} -> {channels}{muted}"


def _channel_line(destination: Destination, event: IssueEvent, found: Routes) -> str:
    if destination.final_update:
        return f"Card in {destination.channel}: if there is one, it is updated a last time."
    if not destination.makes_card:
        return f"Card in {destination.channel}: if there is one, it is updated."
    parts: list[str] = [destination.format]
    if users := _mentions(destination.mention, destination, event):
        parts.append(f"mentions {', '.join(users)}")
    if users := _left_out(destination, event, found):
        parts.append(f"does not mention {', '.join(users)}, who acts")
    if not destination.replies:
        parts.append("no reply in its thread")
    return f"Card in {destination.channel}: {'; '.join(parts)}."
