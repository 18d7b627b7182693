"""An issue as GitHub shows it now, and what that says about an intended action (pure).

A process remembers nothing of what it did: everything is read from GitHub's own history of the issue.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.github.past_event import PastEvent
from pipeline.events import Comment, Issue, IssueEvent

from .marker import rules_in
from .outcome import Outcome, Result
from .rules import Action

ACTIONS_A_DAY = 10
_DAY = timedelta(days=1)
_COUNTED = {"labeled", "assigned", "closed"}

type Verdict = tuple[Result, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """The issue, its events and its comments, oldest first; `read_at` is GitHub's time of reading it.

    A comment or an event is ours if its author is exactly `own_login`.
    """

    issue: Issue
    events: Sequence[PastEvent]
    comments: Sequence[Comment]
    own_login: str
    read_at: datetime

    def actions_left(self) -> int:
        """Return how many more actions the issue may get from us today."""
        since = self.read_at - _DAY
        events = sum(
            each.kind in _COUNTED and each.by == self.own_login and _is_after(each.at, since)
            for each in self.events
        )
        comments = sum(_is_after(each.created_at, since) for each in self.comments if self._is_ours(each))
        return max(ACTIONS_A_DAY - events - comments, 0)

    def settled(self, action: Action, event: IssueEvent, done: Collection[Outcome] = ()) -> Verdict | None:
        """Return the result and the reason if there is nothing to do, else None.

        `done` are the actions that were done for the event before this one.
        """
        match action.what:
            case "add_label":
                had = self.issue.labels
                return self._member(action.value, had, ("labeled", "unlabeled"), "label_removed")
            case "assign":
                had = self.issue.assignees
                return self._member(action.value, had, ("assigned", "unassigned"), "assignee_removed")
            case "comment":
                return self._comment(action.rule)
        return self._close(event, done)

    def _member(self, value: str, had: Sequence[str], kinds: tuple[str, str], reason: str) -> Verdict | None:
        """Settle a label or an assignee by what the issue has, and by the last event about it."""
        last = self._last(kinds, value)
        if value.lower() in _lower(had):
            is_ours = last is not None and last.by == self.own_login
            return "present", "done_before" if is_ours else None
        # If the last event added it, somebody has taken it off since the events were read.
        if last is not None and not (last.kind == kinds[1] and last.by == self.own_login):
            return "removed", reason
        return None

    def _last(self, kinds: Collection[str], value: str) -> PastEvent | None:
        """Return the last event of these kinds about a label or a login; their case does not matter."""
        about = (each for each in self.events if each.kind in kinds and each.subject.lower() == value.lower())
        return max(enumerate(about), default=(0, None), key=lambda found: found[0])[1]

    def _comment(self, rule: str) -> Verdict | None:
        """Settle a comment by the markers in our own comments.

        A comment of ours without one was edited by a person, and may be that of any rule. GitHub does not say
        whose comment was deleted: after a deletion by somebody else, the issue gets no further one.
        """
        marked = [rules_in(each.body or "") for each in self.comments if self._is_ours(each)]
        if any(rule in rules for rules in marked):
            return "present", "done_before"
        if not all(marked):
            return "present", "comment_edited"
        if any(each.kind == "comment_deleted" and each.by != self.own_login for each in self.events):
            return "removed", "comment_deleted"
        return None

    def _close(self, event: IssueEvent, done: Collection[Outcome]) -> Verdict | None:
        if self.issue.state == "closed":
            last = self._last(("closed",), "")
            return "present", "done_before" if last is not None and last.by == self.own_login else None
        if self._was_reopened(event.event_at):
            return "removed", "issue_reopened"
        reason = next(self._changes(event, done), None)
        return ("changed", reason) if reason else None

    def _was_reopened(self, since: datetime) -> bool:
        """Return whether the issue, which is open, was closed by us, or by anybody since then."""
        return any(
            each.kind == "closed" and (each.by == self.own_login or _is_after(each.at, since))
            for each in self.events
        )

    def _changes(self, event: IssueEvent, done: Collection[Outcome]) -> Iterator[str]:
        """Yield a reason for each part of the issue that somebody else has changed since the event."""
        was, now = event.issue, self.issue
        if was is None or now.state != was.state:
            yield "state_changed"
            return
        if now.title != was.title:
            yield "title_changed"
        if (now.body or "") != (was.body or ""):
            yield "text_changed"
        labels = self._own_since(now.labels, "labeled") | _values(done, "add_label")
        if _lower(was.labels) - _lower(now.labels) or _lower(now.labels) - _lower(was.labels) - labels:
            yield "labels_changed"
        people = self._own_since(now.assignees, "assigned") | _values(done, "assign")
        before, after = _lower(was.assignees), _lower(now.assignees)
        if before - after or after - before - people:
            yield "assignees_changed"
        if self._has_other_comments(event, was):
            yield "comments_changed"

    def _own_since(self, values: Sequence[str], kind: str) -> frozenset[str]:
        """Return those of the labels or assignees that we added last."""
        last = {value.lower(): self._last((kind,), value) for value in values}
        return frozenset(value for value, each in last.items() if each and each.by == self.own_login)

    def _has_other_comments(self, event: IssueEvent, was: Issue) -> bool:
        """Return whether somebody else has added, edited or deleted a comment since the event."""
        if self.issue.comments != len(self.comments):
            return True  # since the comments were read
        own = event.comment.id if event.comment else None
        others = [each for each in self.comments if not self._is_ours(each) and each.id != own]
        if any(_is_after(each.updated_at or each.created_at, event.event_at) for each in others):
            return True
        ours_before = sum(
            self._is_ours(each) and not _is_after(each.created_at, event.event_at - timedelta(seconds=1))
            for each in self.comments
        )
        expected = (was.comments or 0) - ours_before
        # The webhook of a comment may count that comment, or not yet.
        return len(others) not in ({expected, expected - 1} if event.comment else {expected})

    def _is_ours(self, comment: Comment) -> bool:
        return comment.author == self.own_login


def _values(done: Collection[Outcome], what: str) -> frozenset[str]:
    return frozenset(each.action.value.lower() for each in done if each.action.what == what)


def _lower(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value.lower() for value in values)


def _is_after(moment: datetime | None, since: datetime) -> bool:
    """Return whether a time is later; an unknown one counts as if it was."""
    return moment is None or moment > since
