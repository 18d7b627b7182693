"""What `ops routes` says of a route, and of what the routes do with an event: for people and for scripts."""

from dataclasses import asdict
from typing import Any

from functions.notify_slack.cards import card
from functions.notify_slack.routing.routes import Hearing, Route, Routes, Verdict
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
        f"mutes {', '.join(route.mute_authors) or 'nobody'}",
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
    lines = [_verdict(verdict) for verdict in found.explain(event)]
    if silence := card.silence(event):
        return [*lines, f"No card in any channel: {silence}."]
    hearings = [_hearing(hearing, event, found) for hearing in found.hearings(event)]
    return [*lines, *(hearings or ["No card: no route matches."])]


def explained(event: IssueEvent, found: Routes) -> dict[str, Any]:
    """Return the outcome for scripts; without a card there are no `hearings`."""
    silence = card.silence(event)
    return {
        "makes_card": silence is None,
        "why_no_card": silence,
        "hearings": [
            {
                "channel": hearing.channel,
                "format": hearing.format,
                "leaving": hearing.leaving,
                "replies": hearing.replies,
                "mentions": mentioned(hearing, event),
                "left_out": left_out(hearing, event, found),
            }
            for hearing in (() if silence else found.hearings(event))
        ],
        "routes": [
            {
                "name": verdict.route.name,
                "channels": list(verdict.route.channels),
                "matches": verdict.matches,
                "leaving": verdict.leaving,
                "quiet": verdict.quiet,
                "why_not": [asdict(reason) for reason in verdict.why_not],
            }
            for verdict in found.explain(event)
        ],
    }


def mentioned(hearing: Hearing, event: IssueEvent) -> list[str]:
    """Return the ids that the card mentions: those of `mention` on a new issue, and its assignees."""
    return _mentions(hearing.mention, hearing, event)


def left_out(hearing: Hearing, event: IssueEvent, found: Routes) -> list[str]:
    """Return the ids that would be mentioned too, did they not act themselves."""
    routes = [verdict.route for verdict in found.explain(event) if verdict.matches]
    mention = tuple(user for route in routes if hearing.channel in route.channels for user in route.mention)
    everybody = Hearing(channel=hearing.channel, people=found.people)
    return [user for user in _mentions(mention, everybody, event) if user not in mentioned(hearing, event)]


def _mentions(mention: tuple[str, ...], hearing: Hearing, event: IssueEvent) -> list[str]:
    new = event.event == "issues" and event.action == "opened"
    assignees = [login.lower() for login in (event.issue.assignees if event.issue else ())]
    people = [hearing.people[login] for login in assignees if login in hearing.people]
    return list(dict.fromkeys([*(mention if new else ()), *people]))


def _verdict(verdict: Verdict) -> str:
    name, channels = verdict.route.name, ", ".join(verdict.route.channels)
    if verdict.matches:
        return f"matches   {name} -> {channels}" + (f" (no reply: {verdict.quiet})" if verdict.quiet else "")
    why_not = "; ".join(reason.text for reason in verdict.why_not)
    return f"leaves    {name} -> {channels}: {why_not}" if verdict.leaving else f"skips     {name}: {why_not}"


def _hearing(hearing: Hearing, event: IssueEvent, found: Routes) -> str:
    if hearing.leaving:
        return f"Card in {hearing.channel}: if there is one, it says a last time how the issue stands."
    parts: list[str] = [hearing.format]
    if users := mentioned(hearing, event):
        parts.append(f"mentions {', '.join(users)}")
    if users := left_out(hearing, event, found):
        parts.append(f"does not mention {', '.join(users)}, who acts")
    if not hearing.replies:
        parts.append("no reply in its thread")
    return f"Card in {hearing.channel}: {'; '.join(parts)}."
