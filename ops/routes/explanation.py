"""What `ops routes` says of a route, and of what the routes do with an event: for people and for scripts."""

from dataclasses import asdict
from typing import Any

from functions.notify_slack.routing.eligibility import CardEvent, NotShown
from functions.notify_slack.routing.route import Route, RouteMatch
from functions.notify_slack.routing.routes import Destination, Routes
from pipeline.events import IssueEvent


def summary(route: Route) -> str:
    """Return what a route does, in one line: what decides always, and the rest where it is set."""
    parts = [
        f"repositories {', '.join(route.repositories)}",
        *(
            f"{key} {', '.join(map(repr, labels))}"
            for key, labels in (
                ("labels_any", route.labels_any),
                ("labels_all", route.labels_all),
                ("labels_none", route.labels_none),
            )
            if labels
        ),
        f"events {', '.join(route.events) or 'all'}",
        f"private {route.private}",
        f"mutes {', '.join(route.mute_authors) or 'no one'}",
        f"format {route.format}",
        *([f"mentions {', '.join(route.mention)}"] if route.mention else []),
    ]
    return f"{route.name} -> {', '.join(route.channels)}: {'; '.join(parts)}"


def shared(found: Routes) -> str:
    """Return what holds for all routes, in one line."""
    people = f"{len(found.people) or 'no'} {'person' if len(found.people) == 1 else 'people'} known to Slack"
    if not found.fold_over:
        return f"{people}; new issues never fold"
    return f"{people}; more than {found.fold_over} new issues a minute in a channel fold"


def story(event: IssueEvent, found: Routes) -> list[str]:
    """Return a line for each route, and then one for each channel that would show the event."""
    lines = [_route_match(match) for match in found.explain(event)]
    shown = CardEvent.of(event)
    if isinstance(shown, NotShown):
        return [*lines, f"No card in any channel: {shown.reason}."]
    destinations = [_destination(destination, event, found) for destination in found.destinations(event)]
    return [*lines, *(destinations or ["No card: no route matches."])]


def explained(event: IssueEvent, found: Routes) -> dict[str, Any]:
    """Return the outcome for scripts; without a card there are no `hearings`."""
    shown = CardEvent.of(event)
    why_no_card = shown.reason if isinstance(shown, NotShown) else None
    return {
        "makes_card": why_no_card is None,
        "why_no_card": why_no_card,
        "hearings": [
            {
                "channel": destination.channel,
                "format": destination.format,
                "leaving": destination.final_update,
                "replies": destination.replies,
                "mentions": mentioned(destination, event),
                "left_out": left_out(destination, event, found),
            }
            for destination in (() if why_no_card else found.destinations(event))
        ],
        "routes": [
            {
                "name": match.route.name,
                "channels": list(match.route.channels),
                "matches": match.matches,
                "leaving": match.final_update,
                "quiet": match.muted_because,
                "why_not": [asdict(mismatch) for mismatch in match.mismatches],
            }
            for match in found.explain(event)
        ],
    }


def mentioned(destination: Destination, event: IssueEvent) -> list[str]:
    """Return the ids that the card mentions: those of `mention` on a new issue, and its assignees."""
    return _mentions(destination.mention, destination, event)


def left_out(destination: Destination, event: IssueEvent, found: Routes) -> list[str]:
    """Return the ids that would be mentioned too, did they not act themselves."""
    routes = [match.route for match in found.explain(event) if match.matches]
    mention = tuple(
        user for route in routes if destination.channel in route.channels for user in route.mention
    )
    everyone = Destination(channel=destination.channel, people=found.people)
    return [user for user in _mentions(mention, everyone, event) if user not in mentioned(destination, event)]


def _mentions(mention: tuple[str, ...], destination: Destination, event: IssueEvent) -> list[str]:
    new = event.event == "issues" and event.action == "opened"
    assignees = [login.lower() for login in (event.issue.assignees if event.issue else ())]
    people = [destination.people[login] for login in assignees if login in destination.people]
    return list(dict.fromkeys([*(mention if new else ()), *people]))


def _route_match(match: RouteMatch) -> str:
    name, channels = match.route.name, ", ".join(match.route.channels)
    if match.matches:
        return f"matches   {name} -> {channels}" + (
            f" (no reply: {match.muted_because})" if match.muted_because else ""
        )
    why_not = "; ".join(mismatch.text for mismatch in match.mismatches)
    return (
        f"leaves    {name} -> {channels}: {why_not}" if match.final_update else f"skips     {name}: {why_not}"
    )


def _destination(destination: Destination, event: IssueEvent, found: Routes) -> str:
    if destination.final_update:
        return f"Card in {destination.channel}: if there is one, it is updated a last time."
    parts: list[str] = [destination.format]
    if users := mentioned(destination, event):
        parts.append(f"mentions {', '.join(users)}")
    if users := left_out(destination, event, found):
        parts.append(f"does not mention {', '.join(users)}, who acts")
    if not destination.replies:
        parts.append("no reply in its thread")
    return f"Card in {destination.channel}: {'; '.join(parts)}."
