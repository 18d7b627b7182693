"""Who hears what: which routes an event matches, and for every other one the reasons why not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from pipeline.events import IssueEvent

Private = Literal["any", "only", "never"]
Format = Literal["compact", "full"]
Key = Literal["repositories", "labels_any", "labels_all", "labels_none", "events", "private", "mute_authors"]

FOLD_OVER = 10  # new issues a minute in one channel, before they become one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a route does not hear an event: the key in the routes file that decides it, and a sentence."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Events that nothing here keeps out go to all of the channels.

    `events` are EVENT.ACTION, none for all; `mention` are Slack's ids of users and user groups.
    """

    name: str
    channels: tuple[str, ...]
    repositories: tuple[str, ...]
    labels_any: tuple[str, ...]
    labels_all: tuple[str, ...]
    labels_none: tuple[str, ...]
    events: tuple[str, ...]
    private: Private
    mute_authors: tuple[str, ...]
    format: Format
    mention: tuple[str, ...]

    def verdict(self, event: IssueEvent) -> "Verdict":
        """Return what the route makes of the event."""
        labels = _lower(event.issue.labels if event.issue else ())
        others = tuple(Reason(key=key, text=text) for key, text in self._others(event))
        unlike = tuple(Reason(key=key, text=text) for key, text in self._unlike(labels))
        leaving = bool(unlike) and not others and self._turns_against(event)
        return Verdict(route=self, why_not=(*others, *unlike), leaving=leaving, quiet=self._quiet(event))

    def _others(self, event: IssueEvent) -> Iterator[tuple[Key, str]]:
        """GitHub's names know no case; a delivery without a repository is heard by the star alone."""
        repository, name = (event.repository or "").lower(), f"{event.event}.{event.action}"
        if not any(fnmatchcase(repository, glob.lower()) for glob in self.repositories):
            said = repr(event.repository) if event.repository else "the missing repository"
            yield "repositories", f"{said} matches none of {', '.join(self.repositories)}"
        if self.events and name not in self.events and not self._names(event):
            yield "events", f"{name!r} is none of {', '.join(self.events)}"
        if self.private == "only" and not _may_be_private(event):
            yield "private", "the repository is public, and the route hears private ones only"
        if self.private == "never" and _may_be_private(event):
            said = "the repository is private, or does not say"
            yield "private", f"{said}, and the route hears public ones only"
        author = event.issue.author if event.issue else None
        if glob := self._muting(author):
            yield "mute_authors", f"the author {author!r} is muted by {glob}"

    def _unlike(self, labels: frozenset[str]) -> Iterator[tuple[Key, str]]:
        if self.labels_any and not labels & _lower(self.labels_any):
            yield "labels_any", f"the issue has none of the labels {_listed(self.labels_any)}"
        if missing := [label for label in self.labels_all if label.lower() not in labels]:
            yield "labels_all", f"the issue lacks {_listed(missing)}"
        if unwanted := [label for label in self.labels_none if label.lower() in labels]:
            yield "labels_none", f"the issue has {_listed(unwanted)}"

    def _names(self, event: IssueEvent) -> bool:
        """Tell whether a label came or went that decides on this route; it is heard whatever `events` are."""
        if f"{event.event}.{event.action}" not in {"issues.labeled", "issues.unlabeled"}:
            return False
        named = _lower((*self.labels_any, *self.labels_all, *self.labels_none))
        return (event.label or "").lower() in named

    def _turns_against(self, event: IssueEvent) -> bool:
        """Tell whether a label goes that the route asks for, or one comes that it keeps out.

        The labels before the event are not looked at: of several that change at once, each event shows the
        issue with all of them changed.
        """
        named = {
            "issues.unlabeled": (*self.labels_any, *self.labels_all),
            "issues.labeled": self.labels_none,
        }.get(f"{event.event}.{event.action}", ())
        return (event.label or "").lower() in _lower(named)

    def _quiet(self, event: IssueEvent) -> str | None:
        glob = self._muting(event.sender)
        return f"the sender {event.sender!r} is muted by {glob}" if glob else None

    def _muting(self, login: str | None) -> str | None:
        """Return the pattern that mutes the login; a deleted account has none, and nothing mutes it."""
        return next((glob for glob in self.mute_authors if login and _is(login, glob)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one route makes of an event; it matches when there is no reason against it.

    `leaving`: a label that just came or went keeps the issue out of the route, whose card, if there is one,
    says so a last time. `quiet`: why the event adds no reply, None when it may.
    """

    route: Route
    why_not: tuple[Reason, ...]
    leaving: bool
    quiet: str | None

    @property
    def matches(self) -> bool:
        """Tell whether the route hears the event."""
        return not self.why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How one channel is told of an event: the first of its routes decides on the format.

    `people` are Slack's user ids by GitHub login in lower case. Neither they nor `mention`, whom a new issue
    is shown to, hold whoever acts. `leaving` means that a card which is there is changed a last time, and
    none is made; without `replies` nothing is added to the thread.
    """

    channel: str
    format: Format = "compact"
    people: Mapping[str, str] = field(default_factory=dict)
    mention: tuple[str, ...] = ()
    replies: bool = True
    leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The whole file. `people` are Slack's user ids by GitHub login in lower case; `fold_over` 0 is off."""

    routes: tuple[Route, ...]
    people: Mapping[str, str] = field(default_factory=dict)
    fold_over: int = FOLD_OVER

    def explain(self, event: IssueEvent) -> tuple[Verdict, ...]:
        """Return what each route makes of the event, in the file's order."""
        return tuple(route.verdict(event) for route in self.routes)

    def hearings(self, event: IssueEvent) -> tuple[Hearing, ...]:
        """Return the channels that hear the event, in the file's order, each once."""
        verdicts = [verdict for verdict in self.explain(event) if verdict.matches or verdict.leaving]
        heard = [verdict for verdict in verdicts if verdict.matches]
        left = [verdict for verdict in verdicts if verdict.leaving]
        channels = dict.fromkeys(channel for verdict in verdicts for channel in verdict.route.channels)
        actor = self.people.get((event.sender or "").lower())
        return tuple(
            self._hearing(channel, _of(channel, heard), _of(channel, left), actor) for channel in channels
        )

    def _hearing(self, channel: str, heard: list[Verdict], left: list[Verdict], actor: str | None) -> Hearing:
        """Nobody is pinged by what they do themselves, under none of their logins."""
        told = heard or left
        mention = dict.fromkeys(user for verdict in heard for user in verdict.route.mention)
        return Hearing(
            channel=channel,
            format=told[0].route.format,
            people={login: user for login, user in self.people.items() if user != actor},
            mention=tuple(user for user in mention if user != actor),
            replies=any(not verdict.quiet for verdict in told),
            leaving=not heard,
        )

    def silence(self, event: IssueEvent) -> str:
        """Return in one line why no route hears the event, as the routes of its repository tell it."""
        near = [
            f"{verdict.route.name}: {'; '.join(reason.text for reason in verdict.why_not)}"
            for verdict in self.explain(event)
            if all(reason.key != "repositories" for reason in verdict.why_not)
        ]
        return " | ".join(near) or "no route names the repository"


def _of(channel: str, verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if channel in verdict.route.channels]


def _is(login: str, glob: str) -> bool:
    """Tell whether the pattern means the login: `*` and `?` are wild, a bracket is a bracket, case is none.

    fnmatch alone would read "[bot]" as one letter of b, o, t, and mute bob.
    """
    return fnmatchcase(login.lower(), glob.lower().replace("[", "[[]"))


def _may_be_private(event: IssueEvent) -> bool:
    """Only a delivery that says so is public: what is not known must not leak."""
    repository = event.payload.get("repository")
    return not (isinstance(repository, dict) and repository.get("private") is False)


def _lower(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(repr, names))
