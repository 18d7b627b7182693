"""Reads a repository's issues, comments and issue events from GitHub into the store, page by page.

Three lists of the whole repository cost a hundredth of the calls that one timeline for each issue would:
50,000 issues take some thousands of calls, an hour of GitHub's limit instead of a day. Single issues are
asked for only if the lists are incomplete: GitHub ends the list of events of a large repository early,
`since` cuts all three, and a deletion can move an entry over a page's edge. The issues are read first, so
that the events never know less than the issue they belong to.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from clients.github.client import GitHubClient, Page
from clients.github.issue_history import ACTIONS
from clients.github.responses import NotFound, PaginationLimit
from clients.github.synthetic_deliveries import REPOSITORY_FIELDS
from ops.backfill.checkpoint import Checkpoint, ListName, ListPosition
from ops.backfill.store import BackfillStore
from ops.progress import Step
from pipeline.delivery import parse_time
from pipeline.errors import Unavailable

Json = Mapping[str, Any]

_STAGES = {
    "issues": ("Reading issues", "with pull requests"),
    "comments": ("Reading comments", "with those on pull requests"),
    "events": ("Reading events", "with those of pull requests"),
    "gaps": ("Reading what the lists left out", "issues"),
}
_EVENT_FIELDS = (
    *("id", "event", "actor", "created_at", "label", "assignee", "assigner", "milestone", "rename"),
    "state_reason",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReader:
    """Reads the repository `name`; `since` leaves out the issues that were last updated before it."""

    github: GitHubClient
    store: BackfillStore
    name: str
    since: datetime | None

    def begin(self) -> Checkpoint:
        """Ask for the repository and return the new or resumed checkpoint.

        Raises NotFound for an unknown repository, Unavailable if the name now belongs to another one.
        """
        try:
            found, read_at = self.github.get(f"/repos/{self.name}")
        except NotFound as error:
            raise NotFound(
                error.reason, f"{self.name} does not exist at GitHub, or the token may not read it."
            ) from error
        repository = {name: found[name] for name in REPOSITORY_FIELDS if name in found}
        known = self.store.checkpoint
        if known is None:
            checkpoint = Checkpoint(repository=repository, began_at=read_at, since=self.since)
        elif known.repository["id"] == found.get("id"):
            checkpoint = replace(known, repository=repository)
        else:
            raise Unavailable(
                "repository_changed", f"{self.name} is another repository than before; use --restart."
            )
        self.store.save(checkpoint)
        return checkpoint

    def read(self) -> Iterator[Step]:
        """Read what the store does not have yet; `begin` comes first."""
        base = f"/repos/{self._checkpoint.repository['full_name']}/issues"
        since = {} if self.since is None else {"since": self.since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        ascending = {"sort": "created", "direction": "asc", **since}
        yield from self._read_list("issues", base, {"state": "all", **ascending})
        yield from self._read_list("comments", f"{base}/comments", ascending)
        yield from self._read_list("events", f"{base}/events", {})
        if not self._checkpoint.complete:
            yield from self._fill_gaps(base)

    @property
    def _checkpoint(self) -> Checkpoint:
        assert self.store.checkpoint is not None
        return self.store.checkpoint

    def _read_list(self, name: ListName, path: str, parameters: Mapping[str, str]) -> Iterator[Step]:
        position, again = self._checkpoint.position(name), False
        while not position.ended:
            try:
                page = self.github.page(position.next or path, parameters)
            except PaginationLimit as error:
                if name == "issues" and error.reason == "cursor_needed" and position.next and not again:
                    position, again = ListPosition(), True  # the first page's link now has a cursor
                    continue
                if name == "issues":
                    raise  # only comments and events can be asked for by issue
                position = replace(position, ended=True)
                self.store.save(self._checkpoint.moved(name, position))
                break
            last = parse_time(page.items[-1].get("created_at")) if page.items else None
            is_old = self.since is not None and last is not None and last < self.since
            ended = page.next is None or (is_old and name == "events")  # only events come newest first
            position = ListPosition(next=page.next, ended=ended, count=position.count + len(page.items))
            self._save(name, page, self._checkpoint.moved(name, position))
            yield _step(name, self._share(name, page, last), position.count)
        yield _step(name, 1.0, position.count)

    def _save(self, name: ListName, page: Page, checkpoint: Checkpoint) -> None:
        match name:
            case "issues":
                self.store.save(checkpoint, issues=page.items, read_at=page.read_at)
            case "comments":
                on_issues = [raw for raw in page.items if "/pull/" not in str(raw.get("html_url"))]
                self.store.save(checkpoint, comments=on_issues)
            case "events":
                events = [
                    (issue["number"], event)
                    for raw in page.items
                    if isinstance(issue := raw.get("issue"), dict) and not issue.get("pull_request")
                    for event in _stored([raw])
                ]
                if page.items:
                    checkpoint = replace(checkpoint, events_from=page.items[-1].get("created_at") or "")
                self.store.save(checkpoint, events=events)

    def _share(self, name: ListName, page: Page, last: datetime | None) -> float:
        """Return the share of the list that was read: of its pages, or else of the repository's lifetime."""
        if page.share is not None:
            return min(page.share, 0.999)
        born = parse_time(self._checkpoint.repository.get("created_at"))
        if last is None or born is None:
            return 0.0
        lifetime = (page.read_at - born).total_seconds() or 1.0
        share = (last - born).total_seconds() / lifetime
        return min(max(1.0 - share if name == "events" else share, 0.0), 0.999)

    def _fill_gaps(self, base: str) -> Iterator[Step]:
        """Ask for the single issues of which the lists are incomplete."""
        if self.since is None:
            for number in self.store.unlisted(self._checkpoint.began_at):
                with suppress(NotFound):  # deleted
                    found, read_at = self.github.get(f"{base}/{number}")
                    if str(found.get("url")).endswith(f"{base}/{number}"):  # else it has moved elsewhere
                        self.store.save(issues=[found], read_at=read_at)
        gaps = self.store.gaps(self._checkpoint.events_from)
        for place, gap in enumerate(gaps, 1):
            if gap.number > self._checkpoint.gaps_to:
                comments: list[Json] = []
                events: list[Json] = []
                with suppress(NotFound):  # deleted since its page was read: publish what was read
                    if gap.comments:
                        comments.extend(self._items(f"{base}/{gap.number}/comments"))
                    if gap.events:
                        events.extend(_stored(self._items(f"{base}/{gap.number}/events")))
                self.store.save(
                    replace(self._checkpoint, gaps_to=gap.number),
                    comments=comments,
                    events=[(gap.number, event) for event in events],
                )
            yield _step("gaps", place / len(gaps), place)
        self.store.save(replace(self._checkpoint, complete=True))

    def _items(self, path: str) -> Iterator[Json]:
        following: str | None = path
        while following is not None:
            page = self.github.page(following, {})
            yield from page.items
            following = page.next


def _step(stage: str, done: float, count: int) -> Step:
    label, noun = _STAGES[stage]
    return Step(stage=label, done=done, text=f"{count:,} {noun}")


def _stored(events: Iterable[Json]) -> Iterator[Json]:
    """Yield the events that are rebuilt, without the issue as it is now, which GitHub sends with each."""
    for raw in events:
        if raw.get("event") in ACTIONS or raw.get("event") == "transferred":
            yield {name: raw[name] for name in _EVENT_FIELDS if name in raw}
