"""What really happened to one issue of the random lives, noted while it happens."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops.send.accounts import Account
from tests.sql.issue_cast import BOTS, Cast


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What happened to one issue, whatever was delivered.

    `is_certain`: everything was delivered, and no two changes of state were in one second. The labels are
    certain if, besides, no other event was in the second of a change of theirs.
    """

    cast: Cast
    author: Account | None
    opened_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    reason: str | None = None
    first_closed_at: datetime | None = None
    reopen_count: int = 0
    first_response_at: datetime | None = None
    first_team_response_at: datetime | None = None
    waiting_since: datetime | None = None
    open_for: timedelta = timedelta()
    open_since: datetime | None = None
    left_at: datetime | None = None
    labels: tuple[str, ...] = ()
    in_label: dict[str, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    label_since: dict[str, datetime] = field(default_factory=dict)
    is_certain: bool = True
    are_labels_certain: bool = True
    _counted_until: datetime | None = None

    def opened(self, labels: list[str]) -> None:
        """Begin the open issue's life."""
        self.open_since = self.opened_at
        if self.author not in BOTS and not self.cast.is_team(self.author, self.opened_at):
            self.waiting_since = self.opened_at
        self.labelled(labels, self.opened_at)

    def commented(self, by: Account | None, shown_author: Account | None, at: datetime) -> None:
        """Note a word; the author is shown as nobody after its account was deleted."""
        if by in BOTS:
            return
        is_team = self.cast.is_team(by, at)
        self.waiting_since = None if is_team else self.waiting_since or at
        if by != shown_author:
            self.first_response_at = self.first_response_at or at
            if is_team:
                self.first_team_response_at = self.first_team_response_at or at

    def closed(self, at: datetime, reason: str | None) -> None:
        """Close the open issue."""
        self._count_labels(at)
        self.label_since = {}
        self.state, self.closed_at, self.reason = "closed", at, reason
        self.first_closed_at = self.first_closed_at or at
        if self.open_since is not None:
            self.open_for += at - self.open_since
            self.open_since = None

    def reopened(self, at: datetime) -> None:
        """Open the closed issue again."""
        self._count_labels(at)
        self.state, self.closed_at, self.reason, self.open_since = "open", None, None, at
        self.label_since = dict.fromkeys(self.labels, at)
        self.reopen_count += 1

    def labelled(self, labels: list[str], at: datetime, was_shown_at: datetime | None = None) -> None:
        """Note the labels that it carries from now on; an event may have shown the old ones just before."""
        if was_shown_at == at and self.labels != tuple(labels):
            self.are_labels_certain = False
        self._count_labels(at)
        self.labels = tuple(labels)
        for label in labels:
            self.in_label[label] += timedelta()
        if self.open_since is not None:
            self.label_since = {label: self.label_since.get(label, at) for label in labels}

    def time_in_labels(self, now: datetime) -> dict[str, timedelta]:
        """Return how long it was open with each label by the time it left, or by now."""
        self._count_labels(self.left_at or now)
        return dict(self.in_label)

    def _count_labels(self, at: datetime) -> None:
        for label in self.label_since:
            self.in_label[label] += at - (self._counted_until or at)
        self._counted_until = at
