"""One route of the routes file: whether an event matches it, and if not, why."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from pipeline.conditions import label_mismatches, lower, names_repository, repository_mismatch
from pipeline.events import IssueEvent

from .eligibility import CORRECTIONS, DELETED
from .privacy import may_be_private

Private = Literal["any", "only", "never"]
Format = Literal["compact", "full"]
Key = Literal["repositories", "labels_any", "labels_all", "labels_none", "events", "private", "mute_authors"]

_EVERY_BOT = "*[bot]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Why an event does not match a route: the key in the routes file that decides it, and a sentence."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Channels, and the conditions that an event has to meet to be shown in them.

    `events` are EVENT.ACTION, empty for all. `mention` are Slack's ids of users and user groups.
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

    def match(self, event: IssueEvent, bots: Collection[str] = ()) -> "RouteMatch":
        """Return whether the event matches, and every reason why not; `bots` are logins in lower case."""
        of_labels = tuple(
            Mismatch(key=key, text=text)
            for key, text in label_mismatches(
                event.issue.labels if event.issue else (),
                any_of=self.labels_any,
                all_of=self.labels_all,
                none_of=self.labels_none,
            )
        )
        loses = bool(of_labels) and self._loses(event)
        label_decides = loses or self._label_decides(event)
        others = tuple(
            Mismatch(key=key, text=text)
            for key, text in self._other_mismatches(event, bots, label_decides=label_decides)
        )
        muting = self._muting_pattern(event.sender, event.sender_type, bots)
        leaves = loses and not others
        corrects = bool(others or of_labels) and (event.event, event.action) in CORRECTIONS
        # A deletion shows no word of a repository that has become private.
        passable = {"events", "private"} if (event.event, event.action) == DELETED else {"events"}
        corrects = corrects and all(mismatch.key in passable for mismatch in others)
        return RouteMatch(
            route=self,
            mismatches=(*others, *of_labels),
            final_update=leaves or (corrects and bool(of_labels)),
            updates=leaves or corrects,
            calls=not others and not of_labels and self._calls(event),
            brings_in=not others and not of_labels and self._brings_in(event),
            muted_because=f"the sender {event.sender!r} is muted by {muting}" if muting else None,
        )

    def names(self, repository: str | None) -> bool:
        """Return whether `repositories` has the name; GitHub's names ignore case."""
        return names_repository(self.repositories, repository)

    def last_match(self, event: IssueEvent, bots: Collection[str]) -> "RouteMatch":
        """Return the match of an event whose repository was renamed: a card that is there says so."""
        match = self.match(event, bots)
        shown = all(mismatch.key not in {"private", "mute_authors"} for mismatch in match.mismatches)
        return replace(match, updates=shown, final_update=shown, renamed=shown)

    def _other_mismatches(
        self, event: IssueEvent, bots: Collection[str], *, label_decides: bool
    ) -> Iterator[tuple[Key, str]]:
        """Yield why another key than the labels does not match."""
        name = f"{event.event}.{event.action}"
        if why := repository_mismatch(self.repositories, event.repository):
            yield "repositories", why
        if self.events and name not in self.events and not label_decides:
            yield "events", f"{name!r} is not one of {', '.join(self.events)}"
        private = may_be_private(event.payload.get("repository"))
        if self.private == "only" and not private:
            yield "private", "the repository is public, and the route takes private ones only"
        if self.private == "never" and private:
            text = "the repository is private, or does not say, and the route takes public ones only"
            yield "private", text
        issue = event.issue
        if issue and (glob := self._muting_pattern(issue.author, issue.author_type, bots)):
            yield "mute_authors", f"the author {issue.author!r} is muted by {glob}"

    def _label_decides(self, event: IssueEvent) -> bool:
        """Return whether the event sets or removes a label of this route; such an event needs no `events`."""
        if f"{event.event}.{event.action}" not in {"issues.labeled", "issues.unlabeled"}:
            return False
        return (event.label or "").lower() in lower((*self.labels_any, *self.labels_all, *self.labels_none))

    def _brings_in(self, event: IssueEvent) -> bool:
        """Return whether the event sets a label that the route requires, or removes one that it excludes."""
        named = {
            "issues.labeled": (*self.labels_any, *self.labels_all),
            "issues.unlabeled": self.labels_none,
        }.get(f"{event.event}.{event.action}", ())
        return (event.label or "").lower() in lower(named)

    def _calls(self, event: IssueEvent) -> bool:
        """Return whether the event is one that the route's people hear of: not of a closed issue."""
        is_open = event.issue is None or event.issue.state != "closed"
        return is_open and ((event.event, event.action) == ("issues", "opened") or self._brings_in(event))

    def _loses(self, event: IssueEvent) -> bool:
        """Return whether the event removes a label that the route requires, or sets one that it excludes.

        The labels before the event do not count: when several change at once, each event shows the issue with
        all of them changed. GitHub leaves the label out if it was deleted from the repository; it may have
        been any.
        """
        named = {
            "issues.unlabeled": (*self.labels_any, *self.labels_all),
            "issues.labeled": self.labels_none,
        }.get(f"{event.event}.{event.action}", ())
        return bool(named) if event.label is None else event.label.lower() in lower(named)

    def _muting_pattern(self, login: str | None, kind: str | None, bots: Collection[str]) -> str | None:
        """Return the pattern that mutes the account: `*` and `?` are wildcards, and case is ignored.

        The pattern `*[bot]` means every bot, also one whose login does not end so: Copilot has the type Bot,
        and some accounts of type User are bots by config/team.toml.

        Brackets are literal: fnmatch alone would read "[bot]" as one letter of b, o, t, and mute bob. A
        deleted account has no login and is never muted.
        """
        name = (login or "").lower()
        is_bot = kind == "Bot" or name in bots
        for pattern in self.mute_authors:
            glob = pattern.lower()
            if (is_bot and glob == _EVERY_BOT) or (name and fnmatchcase(name, glob.replace("[", "[[]"))):
                return pattern
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatch:
    """What one route makes of an event.

    `updates`: the event does not match, but a card that is there is updated: a label that was just set or
    removed takes the issue out of the route, or words that the card or its thread may show were changed or
    taken back. `final_update`: the card then says that it is not followed any more. `calls`: the event
    matches, and the people of the route's `mention` hear of it; `brings_in`: a label brought the issue in.
    `muted_because`: why the event adds no reply, None if it may add one.
    """

    route: Route
    mismatches: tuple[Mismatch, ...]
    updates: bool
    final_update: bool
    renamed: bool = False
    calls: bool
    brings_in: bool
    muted_because: str | None

    @property
    def matches(self) -> bool:
        """Return whether the event matches the route."""
        return not self.mismatches
