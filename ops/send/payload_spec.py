"""A payload that the operator describes by options: what `send` posts when it is given no file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ops.send import accounts, payloads
from pipeline.repository_name import is_repository_name

type _Build = Callable[[payloads.Issue, accounts.Account, datetime], payloads.Event]

# Each event with its actions; the first action is the default. The issue is new, and `by` acts on it at `at`.
BUILDERS: dict[str, dict[str, _Build]] = {
    "issues": {
        "opened": lambda issue, _by, _at: issue.opened(),
        "closed": lambda issue, by, at: issue.closed(by, at),
        "reopened": lambda issue, by, at: issue.reopened(by, at),
        "labeled": lambda issue, by, at: issue.labeled(by, at, "bug"),
        "assigned": lambda issue, by, at: issue.assigned(by, at, by),
    },
    "issue_comment": {"created": lambda issue, by, at: issue.commented(by, at, issue.body or "")},
    "repository": {"deleted": lambda issue, by, _at: payloads.repository_deleted(issue.repository, by)},
    "ping": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadSpec:
    """The event, and the values of the issue that it is about; action None means the event's first one."""

    event: str
    action: str | None
    title: str
    body: str
    repository: str
    number: int
    author: str

    def problem(self) -> str | None:
        """Return what makes the payload impossible, naming the option; None if nothing does."""
        if self.event not in BUILDERS:
            return f"--event {self.event} cannot be built (known: {', '.join(BUILDERS)}); give a FILE"
        actions = BUILDERS[self.event]
        if self.action is not None and self.action not in actions:
            known = ", ".join(actions) or "none"
            return f"--action {self.action} cannot be built for {self.event} (known: {known})"
        if not is_repository_name(self.repository):
            return "--repository is not of the form owner/name"
        return None


def build_payload(spec: PayloadSpec, now: datetime) -> payloads.Event:
    """Return an event of GitHub's shape that happens at `now`; `spec` has no problem."""
    author = accounts.Account(login=spec.author)
    repository = accounts.Repository(full_name=spec.repository)
    actions = BUILDERS[spec.event]
    if not actions:
        return payloads.ping(repository, author)
    issue = payloads.Issue(
        repository=repository,
        number=spec.number,
        title=spec.title,
        body=spec.body,
        author=author,
        created_at=now,
    )
    return actions[spec.action or next(iter(actions))](issue, author, now)
