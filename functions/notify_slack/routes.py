"""Who hears what: which routes an event matches, and for every other one the reasons why not."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from pipeline.events import IssueEvent

Private = Literal["any", "only", "never"]
Key = Literal["repositories", "events", "private", "mute_authors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a route does not hear an event: the key in the routes file that decides it, and a sentence."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Events that nothing here keeps out go to all of the channels. `events` are EVENT.ACTION."""

    name: str
    channels: tuple[str, ...]
    repositories: tuple[str, ...]
    events: tuple[str, ...]
    private: Private
    mute_authors: tuple[str, ...]

    def why_not(self, event: IssueEvent) -> tuple[Reason, ...]:
        """Return every reason why this route does not hear the event; none means that it does."""
        return tuple(Reason(key=key, text=text) for key, text in self._reasons(event))

    def _reasons(self, event: IssueEvent) -> Iterator[tuple[Key, str]]:
        """GitHub's names know no case; a delivery without a repository is heard by the star alone."""
        repository, name = (event.repository or "").lower(), f"{event.event}.{event.action}"
        if not any(fnmatchcase(repository, glob.lower()) for glob in self.repositories):
            said = repr(event.repository) if event.repository else "the missing repository"
            yield "repositories", f"{said} matches none of {', '.join(self.repositories)}"
        if name not in self.events:
            yield "events", f"{name!r} is none of {', '.join(self.events)}"
        if self.private == "only" and not _may_be_private(event):
            yield "private", "the repository is public, and the route hears private ones only"
        if self.private == "never" and _may_be_private(event):
            yield (
                "private",
                "the repository is private, or does not say, and the route hears public ones only",
            )
        for who, login in _muted(event).items():
            glob = next((glob for glob in self.mute_authors if _is(login, glob)), None)
            if glob is not None:
                yield "mute_authors", f"{who} {login!r} is muted by {glob}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one route makes of an event; it matches when there is no reason against it."""

    route: Route
    why_not: tuple[Reason, ...]

    @property
    def matches(self) -> bool:
        """Tell whether the route hears the event."""
        return not self.why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The whole file."""

    routes: tuple[Route, ...]

    def explain(self, event: IssueEvent) -> tuple[Verdict, ...]:
        """Return what each route makes of the event, in the file's order."""
        return tuple(Verdict(route=route, why_not=route.why_not(event)) for route in self.routes)

    def channels(self, event: IssueEvent) -> tuple[str, ...]:
        """Return the channels that hear the event, in the file's order, each once."""
        heard = (verdict.route.channels for verdict in self.explain(event) if verdict.matches)
        return tuple(dict.fromkeys(channel for channels in heard for channel in channels))

    def silence(self, event: IssueEvent) -> str:
        """Return in one line why no route hears the event, as the routes of its repository tell it."""
        near = [
            f"{verdict.route.name}: {'; '.join(reason.text for reason in verdict.why_not)}"
            for verdict in self.explain(event)
            if all(reason.key != "repositories" for reason in verdict.why_not)
        ]
        return " | ".join(near) or "no route names the repository"


def _muted(event: IssueEvent) -> dict[str, str]:
    """Return whose muting silences the event: the issue's author, and who closed or reopened it.

    Each message in Slack tells one event, so a bot's closing of a person's issue would be a bot's message.
    Who opened an issue is its author, unless it came by transfer; then the author counts, not who moved it.
    A deleted account has no login, and nothing mutes it.
    """
    people = {"the author": event.issue.author if event.issue else None}
    if event.action != "opened":
        people["the sender"] = event.sender
    return {who: login for who, login in people.items() if login}


def _is(login: str, glob: str) -> bool:
    """Tell whether the pattern means the login: `*` and `?` are wild, a bracket is a bracket, case is none.

    fnmatch alone would read "[bot]" as one letter of b, o, t, and mute bob.
    """
    return fnmatchcase(login.lower(), glob.lower().replace("[", "[[]"))


def _may_be_private(event: IssueEvent) -> bool:
    """Only a delivery that says so is public: what is not known must not leak."""
    repository = event.payload.get("repository")
    return not (isinstance(repository, dict) and repository.get("private") is False)
