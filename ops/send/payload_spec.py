"""A payload that the operator describes by options: what `send` posts when it is given no file (pure)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ops.send import payloads
from ops.send.accounts import Account, Repository
from ops.send.known_issue import NUMBERS, Json, KnownIssue
from pipeline.repository_name import is_repository_name

_AUTHOR = "octocat"
_TITLE = "A test issue"
_TEXT = "Sent by issuewire send."
_LABEL = "bug"
_LABEL_ACTIONS = ("opened", "labeled", "unlabeled")
_ASSIGNEE_ACTIONS = ("assigned", "unassigned")
_REASONS = ("completed", "not_planned", "duplicate")


class Impossible(Exception):
    """The options describe no event of GitHub's; the text names the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadSpec:
    """The event, and what it changes. None: as it is known, or as a new issue has it by default.

    `author` acts; `action` None is the event's first one; `reason` is that of a close, by default completed.
    """

    event: str = "issues"
    action: str | None = None
    title: str | None = None
    body: str | None = None
    label: str | None = None
    assignee: str | None = None
    repository: str = "acme/app"
    number: int = 1
    author: str = _AUTHOR
    reason: str | None = None

    @property
    def issue_name(self) -> tuple[str, int] | None:
        """Return repository and number of the issue that the event is about; None if it is about none."""
        return (self.repository, self.number) if self.event in _CHANGES else None

    @property
    def opens(self) -> bool:
        """Return whether the event opens the issue."""
        return self.event == "issues" and self.action in {None, "opened"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One change of an issue, by an account and at a time; `comments` were sent before."""

    spec: PayloadSpec
    by: Account
    at: datetime
    comment_id: int
    comments: tuple[Json, ...]

    @property
    def name(self) -> str:
        return f"{self.spec.repository}#{self.spec.number}"

    @property
    def label(self) -> str:
        return self.spec.label or _LABEL

    @property
    def assignee(self) -> Account:
        return Account.named(self.spec.assignee) if self.spec.assignee else self.by

    def opened(self, issue: payloads.Issue) -> payloads.Event:
        if self.spec.label and self.spec.label not in issue.labels:
            issue.labels.append(self.spec.label)
        issue.updated_at = self.at
        return issue.opened()

    def edited(self, issue: payloads.Issue) -> payloads.Event:
        if self.spec.title is None and self.spec.body is None:
            raise Impossible("--action edited needs --title or --body")
        return issue.edited(self.by, self.at, self.spec.title, self.spec.body)

    def closed(self, issue: payloads.Issue) -> payloads.Event:
        """Close the issue; one that is closed already keeps the time of its close, as at GitHub."""
        closed_at = issue.closed_at if issue.state == "closed" else None
        event = issue.closed(self.by, self.at, self.spec.reason or _REASONS[0])
        if closed_at:
            event.payload["issue"]["closed_at"] = payloads.time_text(closed_at)
        return event

    def reopened(self, issue: payloads.Issue) -> payloads.Event:
        return issue.reopened(self.by, self.at)

    def labeled(self, issue: payloads.Issue) -> payloads.Event:
        return issue.labeled(self.by, self.at, self.label)

    def unlabeled(self, issue: payloads.Issue) -> payloads.Event:
        if self.label not in issue.labels:
            has = ", ".join(map(repr, issue.labels)) or "none"
            raise Impossible(
                f"{self.name} does not have the label {self.label!r} (it has {has}); give --label"
            )
        return issue.unlabeled(self.by, self.at, self.label)

    def assigned(self, issue: payloads.Issue) -> payloads.Event:
        return issue.assigned(self.by, self.at, self.assignee)

    def unassigned(self, issue: payloads.Issue) -> payloads.Event:
        if self.assignee not in issue.assignees:
            raise Impossible(f"{self.name} is not assigned to {self.assignee.login}; give --assignee")
        return issue.unassigned(self.by, self.at, self.assignee)

    def deleted(self, issue: payloads.Issue) -> payloads.Event:
        return issue.deleted(self.by, self.at)

    def commented(self, issue: payloads.Issue) -> payloads.Event:
        return issue.commented(self.by, self.at, self.spec.body or _TEXT, self.comment_id)

    def comment_edited(self, issue: payloads.Issue) -> payloads.Event:
        last = self._last_comment()
        new = {"body": self.spec.body or _TEXT, "updated_at": payloads.time_text(self.at)}
        changes = {"body": {"from": last.get("body")}}
        return issue.comment_event("edited", self.by, self.at, {**last, **new}, changes=changes)

    def comment_deleted(self, issue: payloads.Issue) -> payloads.Event:
        return issue.comment_event("deleted", self.by, self.at, self._last_comment())

    def _last_comment(self) -> Json:
        if not self.comments:
            raise Impossible(f"{self.name} has no comment that was sent; send one: --event issue_comment")
        return self.comments[-1]


type _Method = Callable[[_Change, payloads.Issue], payloads.Event]

# The events about an issue with their actions; the first action is the default.
_CHANGES: dict[str, dict[str, _Method]] = {
    "issues": {
        "opened": _Change.opened,
        "edited": _Change.edited,
        "closed": _Change.closed,
        "reopened": _Change.reopened,
        "labeled": _Change.labeled,
        "unlabeled": _Change.unlabeled,
        "assigned": _Change.assigned,
        "unassigned": _Change.unassigned,
        "deleted": _Change.deleted,
    },
    "issue_comment": {
        "created": _Change.commented,
        "edited": _Change.comment_edited,
        "deleted": _Change.comment_deleted,
    },
}
ACTIONS = {
    **{event: list(actions) for event, actions in _CHANGES.items()},
    "repository": ["deleted"],
    "ping": [],
}


def build(spec: PayloadSpec, known: KnownIssue | None, now: datetime, comment_id: int) -> payloads.Event:
    """Return an event of GitHub's shape that happens at `now`. Raises Impossible.

    `known` is the issue that it is about; without it, the event is about a new one. A new comment has the id
    `comment_id`.
    """
    action = _check(spec)
    by = Account.named(spec.author)
    if spec.event == "ping":
        return payloads.ping(Repository(full_name=spec.repository), by)
    if spec.event == "repository":
        return payloads.repository_deleted(Repository(full_name=spec.repository), by)
    issue = known.restored(now) if known else _new_issue(spec, now)
    change = _Change(
        spec=spec,
        by=by,
        at=known.next_time(now) if known else now,
        comment_id=comment_id,
        comments=known.comments if known else (),
    )
    before = issue.as_json()
    if action != "edited" and spec.event == "issues":
        issue.title = issue.title if spec.title is None else spec.title
        issue.body = issue.body if spec.body is None else spec.body
    event = _CHANGES[spec.event][action](change, issue)
    return known.merged(before, event) if known else event


def _new_issue(spec: PayloadSpec, now: datetime) -> payloads.Issue:
    """Return an issue that was opened at `now`: by the account that acts, if it does not act on another's."""
    return payloads.Issue(
        repository=Repository(full_name=spec.repository),
        number=spec.number,
        title=spec.title or _TITLE,
        body=_TEXT,
        author=Account.named(spec.author if spec.opens else _AUTHOR),
        created_at=now,
    )


def _check(spec: PayloadSpec) -> str:
    """Return the action, empty if the event has none. Raises Impossible for options that do not fit."""
    if spec.event not in ACTIONS:
        known = ", ".join(ACTIONS)
        raise Impossible(f"--event {spec.event} cannot be built (known: {known}); give a FILE")
    actions = ACTIONS[spec.event]
    action = spec.action or next(iter(actions), "")
    if spec.action is not None and action not in actions:
        known = ", ".join(actions) or "none"
        raise Impossible(f"--action {action} cannot be built for {spec.event} (known: {known})")
    if spec.number not in NUMBERS:
        raise Impossible("--number is larger than any number of GitHub's")
    if not is_repository_name(spec.repository):
        raise Impossible("--repository is not of the form owner/name")
    for option, value, fitting in (
        ("--label", spec.label, _LABEL_ACTIONS),
        ("--assignee", spec.assignee, _ASSIGNEE_ACTIONS),
    ):
        if value is not None and (spec.event != "issues" or action not in fitting):
            raise Impossible(f"{option} is for the actions {', '.join(fitting)} of issues")
    if spec.reason is not None and (action != "closed" or spec.reason not in _REASONS):
        raise Impossible(f"--reason is for --action closed, and one of {', '.join(_REASONS)}")
    return action
