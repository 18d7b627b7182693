"""Which events make or change a card, and what a card needs to know about such an event."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import Malformed
from pipeline.events import Issue, IssueEvent

from .privacy import changes

GITHUB_URL = "https://github.com"

_ACTIONS = {
    "issues": "opened edited closed reopened labeled unlabeled assigned unassigned milestoned demilestoned"
    " locked unlocked pinned unpinned typed untyped transferred deleted",
    "issue_comment": "created edited deleted",
}
# The known events. An action that GitHub adds to one of the two changes a card too.
CARD_EVENTS = tuple(f"{event}.{action}" for event, actions in _ACTIONS.items() for action in actions.split())
DELETED = ("issues", "deleted")
_FINAL = {DELETED, ("issues", "transferred")}
_COMMENT_DELETED = ("issue_comment", "deleted")
_COUNTED = {("issue_comment", "created"): 1, _COMMENT_DELETED: -1}
_TRANSFER = {"old_issue", "old_repository"}
# What was changed or taken back at GitHub is followed in Slack, whatever a route's `events` are.
CORRECTIONS = {("issues", "edited"), DELETED, ("issue_comment", "edited"), _COMMENT_DELETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotShown:
    """The event makes and changes no card, whatever the routes say; `reason` is a sentence for the log."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEvent:
    """An event that makes or changes the card of its issue.

    `received` is the event as it was delivered. `key` is the name of the issue in metadata,
    REPOSITORY_ID#NUMBER, which outlives a rename. `github_url` is the base of every link, without a slash at
    its end; GitHub Enterprise has its own.
    """

    received: IssueEvent
    issue: Issue
    key: str
    number: int
    github_url: str

    @classmethod
    def of(cls, event: IssueEvent, github_url: str = GITHUB_URL) -> "CardEvent | NotShown":
        """Return the event for its card, or why it has none.

        Pull requests have no card, and a backfill posts nothing. Raises Malformed for an event of issues that
        does not say what happened to which one: its card could never be found again.
        """
        if event.event not in _ACTIONS:
            name = f"{event.event}.{event.action}" if event.action else event.event
            return NotShown(reason=f"no card is made of {name!r}, only of issues and their comments")
        if event.source == "backfill":
            return NotShown(reason="no card is made of history")
        if event.issue is None:
            raise Malformed("issue_missing", f"The {event.event} event has no issue.")
        if event.is_pull_request:
            return NotShown(reason="no card is made of a pull request")
        if not event.action:
            raise Malformed("action_missing", f"The {event.event} event has no action.")
        if event.repository_id is None:
            raise Malformed("repository_missing", f"The {event.event} event has no repository with an id.")
        if event.issue.number is None:
            raise Malformed("number_missing", "The event's issue has no number.")
        return cls(
            received=event,
            issue=event.issue,
            key=f"{event.repository_id}#{event.issue.number}",
            number=event.issue.number,
            github_url=github_url,
        )

    @property
    def name(self) -> tuple[str, str]:
        """Return GitHub's event and action: ("issues", "opened")."""
        return self.received.event, self.received.action or ""

    @property
    def delivery_id(self) -> str:
        """Return the delivery's id, which a repetition has too."""
        return self.received.delivery_id

    @property
    def sender(self) -> str | None:
        """Return the login of the account that acted, None for a deleted one."""
        return self.received.sender

    @property
    def is_opening(self) -> bool:
        """Return whether the event is the first one of the issue in its repository."""
        return self.name == ("issues", "opened")

    @property
    def is_arrival(self) -> bool:
        """Return whether the issue has come by transfer; it may be years old, and closed."""
        return self.is_opening and not changes(self.received).keys().isdisjoint(_TRANSFER)

    @property
    def is_new(self) -> bool:
        """Return whether the issue is new: at its opening, and never after it."""
        return self.is_opening and not self.is_arrival

    @property
    def comments(self) -> int | None:
        """Return the number of comments after the event; None if it is not known.

        GitHub counts before it adds or removes the comment that the event is about.
        """
        count, change = self.issue.comments, _COUNTED.get(self.name, 0)
        return None if count is None else count + change

    @property
    def is_close(self) -> bool:
        """Return whether the event is the close of the issue."""
        return self.name == ("issues", "closed")

    @property
    def is_deletion(self) -> bool:
        """Return whether the issue was deleted."""
        return self.name == DELETED

    @property
    def is_comment_deletion(self) -> bool:
        """Return whether a comment was deleted."""
        return self.name == _COMMENT_DELETED

    @property
    def is_correction(self) -> bool:
        """Return whether the event changes or takes back words that a message may show."""
        return self.name in CORRECTIONS

    @property
    def is_final(self) -> bool:
        """Return whether the issue has left the repository: deleted or transferred."""
        return self.name in _FINAL

    @property
    def shown_at(self) -> datetime:
        """Return which moment of the issue the event shows.

        A deletion and a transfer leave issue.updated_at as it was. The time when they were received is later
        than everything before them.
        """
        shown = self.issue.updated_at or self.received.event_at
        return max(shown, self.received.received_at) if self.is_final else shown
