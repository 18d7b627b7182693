"""All routes: which channels an event goes to, and how it is shown in each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.events import IssueEvent

from .eligibility import CARD_EVENTS, DELETED
from .route import Format, Route, RouteMatch

FOLD_OVER = 10  # new issues a minute in one channel, before further ones share one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A channel, and how an event is shown in it; the channel's first matching route decides on the format.

    `people` are Slack's user ids by GitHub login in lower case, `mention` the ids that this event mentions;
    both leave out the account that acts. Without `makes_card` an existing card is updated, and none is made;
    `final_update`: a last time, which the card says. `renamed`: the reason is the repository's name. Without
    `replies` nothing is added to the thread.
    """

    channel: str
    format: Format = "compact"
    people: Mapping[str, str] = field(default_factory=dict)
    mention: tuple[str, ...] = ()
    replies: bool = True
    final_update: bool = False
    renamed: bool = False
    makes_card: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The whole file. `people` are Slack's user ids by GitHub login in lower case; `fold_over` 0 is off.

    `bots` are the logins, in lower case, of accounts of type User that are bots; they are in the team's file.
    """

    routes: tuple[Route, ...]
    people: Mapping[str, str] = field(default_factory=dict)
    fold_over: int = FOLD_OVER
    bots: tuple[str, ...] = ()

    def warnings(self) -> tuple[str, ...]:
        """Return a line for each event that a route names and that is new to us: GitHub may have added it."""
        return tuple(
            f"route {route.name!r}: events: {event!r} is new to Issuewire; it matches if GitHub sends it"
            for route in self.routes
            for event in route.events
            if event not in CARD_EVENTS
        )

    def explain(self, event: IssueEvent) -> tuple[RouteMatch, ...]:
        """Return what each route makes of the event, in the file's order."""
        return tuple(route.match(event, self.bots) for route in self.routes)

    def outdated(self, event: IssueEvent, former: Collection[str]) -> tuple[Route, ...]:
        """Return the routes that name the event's repository only by one of its `former` names."""
        return tuple(
            route
            for route in self.routes
            if not route.names(event.repository) and any(map(route.names, former))
        )

    def destinations(self, event: IssueEvent, former: Collection[str] = ()) -> tuple[Destination, ...]:
        """Return the channels that show the event, in the file's order, each once.

        A route that names the repository only by one of its `former` names updates the cards that are there.
        """
        last = (route.last_match(event, self.bots) for route in self.outdated(event, former))
        matches = [match for match in (*self.explain(event), *last) if match.matches or match.updates]
        channels = dict.fromkeys(channel for match in matches for channel in match.route.channels)
        return tuple(self._destination(channel, matches, event) for channel in channels)

    def _destination(self, channel: str, matches: list[RouteMatch], event: IssueEvent) -> Destination:
        """No one is mentioned for their own actions, under any of their logins. A deletion makes no card."""
        actor = self.people.get((event.sender or "").lower())
        deletes = (event.event, event.action) == DELETED
        here = [match for match in matches if channel in match.route.channels]
        showing = [match for match in here if match.matches]
        mention = dict.fromkeys(user for match in showing if match.calls for user in match.route.mention)
        deciding = showing or here
        return Destination(
            channel=channel,
            format=deciding[0].route.format,
            people={login: user for login, user in self.people.items() if user != actor},
            mention=tuple(user for user in mention if user != actor),
            replies=any(not match.muted_because for match in deciding),
            final_update=not showing and any(match.final_update for match in here),
            renamed=not showing and all(match.renamed for match in here),
            makes_card=not deletes and any(match.brings_in or not match.muted_because for match in showing),
        )

    def why_unmatched(self, event: IssueEvent) -> str:
        """Return in one line why no route matches, as far as routes for the event's repository can say."""
        near = [
            f"{match.route.name}: {'; '.join(mismatch.text for mismatch in match.mismatches)}"
            for match in self.explain(event)
            if all(mismatch.key != "repositories" for mismatch in match.mismatches)
        ]
        return " | ".join(near) or "no route names the repository"
