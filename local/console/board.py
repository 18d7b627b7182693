"""What the page shows, for all browsers alike: each sees the same state, and then what changes of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from local.console.issues_view import IssuesView
from local.console.slack_view import SlackView
from local.feed.feed import Feed
from local.feed.happening import Happening

DELIVERIES: Final = 200

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a browser has read: the number of a happening, and since then the revisions of the views."""

    number: int
    messages: int = 0
    issues: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What has changed since a browser last looked; `seen` is how far it has read then."""

    seen: Seen
    happenings: list[Happening]
    deliveries: list[Json]
    messages: list[Json]
    issues: list[Json]


class Board:
    """Safe for many threads. `parts` returns the parts and switches as they are now."""

    def __init__(self, feed: Feed, slack: SlackView, issues: IssuesView, parts: Callable[[], Json]) -> None:
        self._feed = feed
        self._slack = slack
        self._issues = issues
        self._lock = threading.Lock()
        self.parts = parts

    @property
    def last(self) -> int:
        """Return the number of the newest happening."""
        return self._feed.last

    def has_since(self, number: int) -> bool:
        """Return whether everything after this happening is still known."""
        kept = self._feed.since(0)
        oldest = kept[0].number if kept else 1
        return oldest - 1 <= number <= self.last

    def channels(self) -> list[Json]:
        """Return Slack's channels with their messages."""
        with self._lock:
            self._refresh()
            return self._slack.channels()

    def state(self) -> Json:
        """Return all that the page shows."""
        last = self.last  # first: what changes from here on is sent again
        with self._lock:
            self._refresh()
            channels, issues = self._slack.channels(), self._issues.issues()
        deliveries = [summary.as_json() for summary in self._feed.deliveries(DELIVERIES)]
        return {
            **self.parts(),
            "deliveries": deliveries,
            "channels": channels,
            "issues": issues,
            "last": last,
        }

    def news(self, seen: Seen, seconds: float) -> News:
        """Return what is newer than what was seen; waits for a happening, but no longer than this."""
        happenings = self._feed.wait(seen.number, seconds)
        with self._lock:
            self._refresh()
            messages = self._slack.since(seen.number, seen.messages)
            issues = self._issues.since(seen.number, seen.issues)
            revisions = {"messages": self._slack.revision, "issues": self._issues.revision}
        ids = dict.fromkeys(happening.delivery_id for happening in happenings if happening.delivery_id)
        summaries = [summary for id_ in ids if (summary := self._feed.delivery(id_))]
        number = happenings[-1].number if happenings else seen.number
        return News(
            seen=Seen(number=number, **revisions),
            happenings=happenings,
            deliveries=[summary.as_json() for summary in summaries],
            messages=messages,
            issues=issues,
        )

    def _refresh(self) -> None:
        number = self.last
        self._slack.refresh(number)
        self._issues.refresh(number)
