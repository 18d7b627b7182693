"""Carries out what the rules intend: reads the issue, does what is missing, and reads back what was done.

Everything is additive and can be repeated: after a crash, or a lost answer, the next delivery of the same
message finds what is done and does the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from clients.github.issue_actions import IssueActions
from clients.github.responses import Forbidden, Invalid, NotFound, Suspended
from pipeline.errors import Unavailable
from pipeline.events import Issue, IssueEvent
from pipeline.repository_name import is_repository_name

from .issue_view import IssueView
from .marker import rules_in, with_marker
from .outcome import Outcome
from .rules import Action

# What a retry cannot change. Everything else that GitHub refuses is raised, and delivered again.
REFUSALS = (NotFound, Forbidden, Invalid, Suspended)
_DAY = timedelta(days=1)
_ORDER = ("add_label", "assign", "comment", "close")

type Report = Callable[[Outcome], None]


def carry_out(
    github: IssueActions, event: IssueEvent, actions: Sequence[Action], report: Report, *, dry_run: bool
) -> None:
    """Report the outcome of every action as soon as it is known; in a dry run, change nothing.

    Raises Unavailable if a retry may help. What was reported until then is done.
    """
    issue = event.issue
    assert event.repository is not None
    assert issue is not None
    assert issue.number is not None
    run = _Run(
        github=github,
        event=event,
        repository=event.repository,
        number=issue.number,
        actions=actions,
        tell=report,
        dry_run=dry_run,
    )
    try:
        view = run.read()
    except REFUSALS as error:
        run.refuse(actions, error)
    else:
        run.act(view)


@dataclass(slots=True, kw_only=True)
class _Run:
    """The actions of one event; `done` are those that were carried out."""

    github: IssueActions
    event: IssueEvent
    repository: str
    number: int
    actions: Sequence[Action]
    tell: Report
    dry_run: bool
    done: list[Outcome] = field(default_factory=list)

    def read(self) -> IssueView:
        """Return the issue as it is now.

        People act meanwhile: a comment that is deleted now was read, or its deletion is among the events, and
        what the events show and the issue lacks was taken off. The other order would put it back.
        """
        own_login = self.github.own_login()
        needs_all = any(action.what in {"comment", "close"} for action in self.actions)
        since = None if needs_all else self.event.received_at - _DAY
        comments = self.github.comments(self.repository, self.number, since)
        events = self.github.events(self.repository, self.number)
        issue, read_at = self.github.issue(self.repository, self.number)
        if self.event.issue and (issue.id, issue.number) != (self.event.issue.id, self.number):
            raise NotFound("issue_moved", f"{self.repository}#{self.number} is another issue now.")
        self.repository = _repository(issue) or self.repository  # it may have been renamed
        return IssueView(issue=issue, events=events, comments=comments, own_login=own_login, read_at=read_at)

    def act(self, view: IssueView) -> None:
        """Do what is missing, within the limit of actions a day."""
        left = view.actions_left()
        for what in _ORDER:
            todo: list[Action] = []
            intended = [action for action in self.actions if action.what == what]
            if what == "close" and intended and self.done:
                self.github.await_turn()
                try:
                    view = self.read()
                except REFUSALS as error:
                    self.refuse(intended, error)
                    return
            for action in intended:
                settled = view.settled(action, self.event, self.done)
                if settled is not None:
                    self.tell(Outcome(action=action, result=settled[0], reason=settled[1]))
                elif self.dry_run or action.dry_run:
                    self.tell(Outcome(action=action, result="would"))
                elif len(todo) >= left:
                    self.tell(Outcome(action=action, result="limit", reason="too_many_actions"))
                else:
                    todo.append(action)
            left -= len(todo)
            if todo:
                self.write(todo, view.own_login)

    def write(self, todo: Sequence[Action], own_login: str) -> None:
        """Do actions of one kind by one request."""
        try:
            applied = self.applied(todo, own_login)
        except REFUSALS as error:
            self.refuse(todo, error)
            return
        for action in todo:
            outcome = Outcome(action=action, result="done")
            if action.value.lower() not in applied:
                outcome = Outcome(action=action, result="not_applied", reason="not_applied")
            else:
                self.done.append(outcome)
            self.tell(outcome)

    def applied(self, todo: Sequence[Action], own_login: str) -> frozenset[str]:
        """Send the request; return, in lower case, which of the values the issue then has.

        GitHub answers with labels, assignees and state as it has stored them. If something is missing
        there, the issue is read once more.
        """
        first, place = todo[0], (self.repository, self.number)
        match first.what:
            case "add_label":
                found = self.github.add_labels(*place, [action.value for action in todo])
                if not {action.value.lower() for action in todo} <= _lower(found):
                    found = self.github.issue(*place)[0].labels
            case "assign":
                found = self.github.add_assignee(*place, first.value)
                if first.value.lower() not in _lower(found):
                    found = self.github.issue(*place)[0].assignees
            case "comment":
                body = with_marker(first.value, first.rule, self.event.delivery_id)
                posted = self.github.add_comment(*place, body)
                view = self.github.comments(*place, posted.created_at)  # the answer repeats what was sent
                ours = (rules_in(each.body or "") for each in view if each.author == own_login)
                found = (first.value,) if any(first.rule in rules for rules in ours) else ()
            case "close":
                issue = self.github.close(*place, first.value)
                found = (first.value,) if issue.state == "closed" else ()
        return _lower(found)

    def refuse(self, actions: Sequence[Action], error: Unavailable) -> None:
        """Report that GitHub refuses the actions for good."""
        for action in actions:
            self.tell(Outcome(action=action, result="refused", reason=error.reason, detail=str(error)))


def _repository(issue: Issue) -> str | None:
    """Return the owner/name in the issue's address."""
    name = "/".join(urlsplit(issue.url or "").path.split("/")[1:3])
    return name if is_repository_name(name) else None


def _lower(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value.lower() for value in values)
