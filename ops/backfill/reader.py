"""Reads a repository's issues, comments and issue events from GitHub into the spool, page by page.

Three lists of the whole repository cost a hundredth of the calls that one timeline for each issue would:
50,000 issues take some thousands of calls, which is an hour of GitHub's limit, and not a day. Single issues
are asked for only where the lists fall short: GitHub ends the list of events of a large repository before its
beginning, `since` cuts all three, and a page can slip while somebody deletes. So that events never know less
than the issue they belong to, the issues are read first.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients.github.client import GitHubClient, Page
from clients.github.issue_history import ACTIONS
from clients.github.responses import NotFound, PaginationLimit
from clients.github.synthetic_deliveries import REPOSITORY_FIELDS
from ops.backfill.store import Spool
from ops.progress import Step
from pipeline.delivery import format_time, parse_time
from pipeline.errors import Unavailable

Json = Mapping[str, Any]

_STAGES = {
    "issues": ("Reading issues", "with pull requests"),
    "comments": ("Reading comments", "with those on pull requests"),
    "events": ("Reading events", "with those of pull requests"),
    "missing": ("Reading what the lists left out", "issues"),
}
_KEPT = {*ACTIONS, "transferred"}
_EVENT_FIELDS = (
    *("id", "event", "actor", "created_at", "label", "assignee", "assigner", "milestone", "rename"),
    "state_reason",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """A repository to read; `since` leaves out the issues that nothing has touched after it."""

    github: GitHubClient
    spool: Spool
    name: str
    since: datetime | None

    def repository(self) -> Json:
        """Return the repository. Raises NotFound for an unknown one."""
        try:
            found = self.github.get(f"/repos/{self.name}")
        except NotFound as error:
            raise NotFound(
                error.reason, f"{self.name} does not exist at GitHub, or the token may not read it."
            ) from error
        known = self.spool.note("repository")
        if known is not None and known["id"] != found.content.get("id"):
            raise Unavailable(
                "repository_changed", f"{self.name} is another repository than before; use --restart."
            )
        began = self.spool.note("began") or format_time(found.read_at)
        repository = {name: found.content[name] for name in REPOSITORY_FIELDS if name in found.content}
        self.spool.save(notes={"repository": repository, "began": began})
        return repository

    def read(self) -> Iterator[Step]:
        """Read what is not in the spool yet."""
        base = f"/repos/{self.spool.note('repository')['full_name']}/issues"
        since = {} if self.since is None else {"since": self.since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        ascending = {"sort": "created", "direction": "asc", **since}
        yield from self._list("issues", base, {"state": "all", **ascending})
        yield from self._list("comments", f"{base}/comments", ascending)
        yield from self._list("events", f"{base}/events", {})
        yield from self._missing(base)

    def _list(self, stage: str, path: str, parameters: Mapping[str, str]) -> Iterator[Step]:
        cursor = self.spool.note(f"{stage}_cursor")
        count = self.spool.note(f"{stage}_count") or 0
        while cursor != "":
            try:
                page = self.github.page(cursor or path, parameters)
            except PaginationLimit:
                if stage == "issues":
                    raise  # comments and events can be asked for by issue
                self.spool.save(notes={f"{stage}_cursor": ""})
                break
            cursor, count = self._next(stage, page), count + len(page.items)
            self._save(stage, page, {f"{stage}_cursor": cursor, f"{stage}_count": count})
            yield _step(stage, self._covered(stage, page), count)
        yield _step(stage, 1.0, count)

    def _next(self, stage: str, page: Page) -> str:
        """Return the URL of the next page, "" when there is none to read: events come newest first."""
        last = _time_of(page, -1)
        beyond = stage == "events" and self.since is not None and last is not None and last < self.since
        return "" if page.next is None or beyond else page.next

    def _save(self, stage: str, page: Page, notes: Mapping[str, Any]) -> None:
        match stage:
            case "issues":
                self.spool.save(issues=page.items, read_at=page.read_at, notes=notes)
            case "comments":
                of_issues = [raw for raw in page.items if "/pull/" not in str(raw.get("html_url"))]
                self.spool.save(comments=of_issues, notes=notes)
            case "events":
                events = [
                    (issue["number"], _trimmed(raw))
                    for raw in page.items
                    if isinstance(issue := raw.get("issue"), dict)
                    and not issue.get("pull_request")
                    and _kept(raw)
                ]
                reach = {"events_from": page.items[-1].get("created_at")} if page.items else {}
                self.spool.save(events=events, notes={**notes, **reach})

    def _covered(self, stage: str, page: Page) -> float:
        """Return the part of the list that was read; where GitHub does not say, the part of all time."""
        if page.share is not None:
            return min(page.share, 0.999)
        last = _time_of(page, -1)
        born = parse_time(self.spool.note("repository").get("created_at"))
        if last is None or born is None:
            return 0.0
        whole = (page.read_at - born).total_seconds() or 1.0
        passed = (last - born).total_seconds() / whole
        return min(max(1.0 - passed if stage == "events" else passed, 0.0), 0.999)

    def _missing(self, base: str) -> Iterator[Step]:
        """Ask for single issues where the lists fell short."""
        if self.spool.note("complete"):
            return
        if self.since is None:
            for number in self.spool.unknown(self.spool.note("began")):
                self._look_up(base, number)
        gaps = self.spool.gaps(self.spool.note("events_from") or "")
        done = self.spool.note("gaps_to") or 0
        for place, (number, comments, events) in enumerate(gaps, 1):
            if number > done:
                with suppress(NotFound):  # deleted since its page was read; what is known of it is told
                    self._fill(f"{base}/{number}", number, comments=comments, events=events)
                self.spool.save(notes={"gaps_to": number})
            yield _step("missing", place / len(gaps), place)
        self.spool.save(notes={"complete": True})

    def _fill(self, path: str, number: int, *, comments: bool, events: bool) -> None:
        if comments:
            for page in self._pages(f"{path}/comments"):
                self.spool.save(comments=page.items)
        if events:
            for page in self._pages(f"{path}/events"):
                self.spool.save(events=[(number, _trimmed(raw)) for raw in page.items if _kept(raw)])

    def _pages(self, path: str) -> Iterator[Page]:
        following: str | None = path
        while following is not None:
            page = self.github.page(following, {})
            yield page
            following = page.next

    def _look_up(self, base: str, number: int) -> None:
        try:
            found = self.github.get(f"{base}/{number}")
        except NotFound:
            return  # deleted
        if str(found.content.get("url")).endswith(f"{base}/{number}"):
            self.spool.save(
                issues=[found.content], read_at=found.read_at
            )  # else it has moved to another repository


def _step(stage: str, done: float, count: int) -> Step:
    label, noun = _STAGES[stage]
    return Step(stage=label, done=done, text=f"{count:,} {noun}")


def _kept(raw: Json) -> bool:
    return raw.get("event") in _KEPT


def _trimmed(raw: Json) -> Json:
    """Return the event without the issue of today, of which GitHub sends a copy with every event."""
    return {name: raw[name] for name in _EVENT_FIELDS if name in raw}


def _time_of(page: Page, place: int) -> datetime | None:
    return parse_time(page.items[place].get("created_at")) if page.items else None
