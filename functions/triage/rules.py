"""Decides what the rules do about an event: an event, the rules and the team in, intended actions out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pipeline.accounts import Accounts
from pipeline.conditions import label_mismatches, lower, repository_mismatch
from pipeline.events import Issue, IssueEvent
from pipeline.repository_name import is_repository_name

MAX_AGE = timedelta(hours=1)
DEFAULT_EVENTS = ("issues.opened", "issues.reopened")
_ACTIONS = (
    "opened reopened edited closed labeled unlabeled assigned unassigned milestoned demilestoned locked"
    " unlocked pinned unpinned typed untyped"
)
# The events that a rule may name. After those that it left by, there is no issue to act on.
EVENTS = (*(f"issues.{action}" for action in _ACTIONS.split()), "issue_comment.created")
LEFT = ("issues.deleted", "issues.transferred")
AUTHORS = {
    "outsider": "an outsider",
    "team": "of the team",
    "bot": "a bot",
    "first-time": "there for the first time",
}
_FIRST_TIME = {"NONE", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR"}

type What = Literal["add_label", "assign", "comment", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One [[rule]]: conditions, all of which have to be met, and what is done then.

    `events` are EVENT.ACTION. `author` is a key of AUTHORS, or logins, or None for everyone. A rule in
    `dry_run` only says what it would do, while the others act.
    """

    name: str
    repositories: tuple[str, ...] = ("*",)
    events: tuple[str, ...] = DEFAULT_EVENTS
    labels_any: tuple[str, ...] = ()
    labels_all: tuple[str, ...] = ()
    labels_none: tuple[str, ...] = ()
    words_any: tuple[str, ...] = ()
    author: str | tuple[str, ...] | None = None
    add_labels: tuple[str, ...] = ()
    assign: tuple[str, ...] = ()
    comment: str | None = None
    close: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a rule intends: `value` is a label, a login, the comment's text, or the reason of the close."""

    rule: str
    what: What
    value: str
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Why an event triggers nothing, whatever the rules are: a slug, and a sentence without its full stop."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The actions in the order in which they are done: labels, assignee, comment, close.

    `matched` are the names of the rules that match, `unmatched` says of each other rule why it does not. Both
    are empty for an event that is `ignored`.
    """

    actions: tuple[Action, ...] = ()
    matched: tuple[str, ...] = ()
    unmatched: Mapping[str, str] = field(default_factory=dict)
    ignored: Ignored | None = None


def decide(
    event: IssueEvent, rules: Sequence[Rule], team: Accounts, *, now: datetime, own_login: str | None
) -> Decision:
    """Return what the rules do about an event; `own_login` is the login of our GitHub App, if it is known."""
    for reason, text in _reasons_to_ignore(event, now, own_login):
        return Decision(ignored=Ignored(reason=reason, text=text))
    assert event.issue is not None
    written = _Written.of(event, event.issue)
    why = {rule.name: "; ".join(_mismatches(rule, event, event.issue, written, team)) for rule in rules}
    matching = [rule for rule in rules if not why[rule.name]]
    return Decision(
        actions=tuple(_actions(matching, event.issue, team)),
        matched=tuple(rule.name for rule in matching),
        unmatched={name: text for name, text in why.items() if text},
    )


def _reasons_to_ignore(event: IssueEvent, now: datetime, own_login: str | None) -> Iterator[tuple[str, str]]:
    name = f"{event.event}.{event.action}" if event.action else event.event
    if event.issue is None:
        yield "not_an_issue", f"{name!r} has no issue"
    if event.event not in {"issues", "issue_comment"}:
        yield "not_an_issue", f"no rule hears of {name!r}"
    if event.source not in {"webhook", "reconcile"}:
        yield "not_live", f"the source is {event.source}, and only new events trigger"
    if now - event.received_at >= MAX_AGE:
        yield "too_old", "the event was received an hour ago, or earlier"
    if own_login and (event.sender or "").lower() == own_login.lower():
        yield "own_action", f"the event was sent by {own_login}, which is our own app"
    if event.is_pull_request:
        yield "pull_request", "it is about a pull request"
    if name in LEFT:
        yield "issue_left", f"the issue is not there any more after {name}"
    if event.issue is None or event.issue.number is None or not is_repository_name(event.repository):
        yield "incomplete", "the event does not say which issue of which repository it is about"
    if event.event == "issue_comment" and event.comment is None:
        yield "incomplete", "the event does not show the comment that it is about"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What the event is about: the issue's title and text, or the comment that was just written.

    `texts` are folded.
    """

    author: str | None
    author_type: str | None
    association: str | None
    texts: tuple[str, ...]
    where: str

    @classmethod
    def of(cls, event: IssueEvent, issue: Issue) -> "_Written":
        comment = event.comment if event.event == "issue_comment" else None
        words = (comment.body,) if comment else (issue.title, issue.body)
        source = comment or issue
        return cls(
            author=source.author,
            author_type=source.author_type,
            association=source.author_association,
            texts=tuple(map(_folded, filter(None, words))),
            where="the comment has" if comment else "title and text have",
        )


def _mismatches(
    rule: Rule, event: IssueEvent, issue: Issue, written: _Written, team: Accounts
) -> Iterator[str]:
    name = f"{event.event}.{event.action}"
    if why := repository_mismatch(rule.repositories, event.repository):
        yield why
    if name not in rule.events:
        yield f"{name!r} is not {_one_of(rule.events)}"
    labels = label_mismatches(
        issue.labels, any_of=rule.labels_any, all_of=rule.labels_all, none_of=rule.labels_none
    )
    yield from (text for _, text in labels)
    # Every further label would trigger the rule again.
    decisive = {
        "issues.labeled": (*rule.labels_any, *rule.labels_all),
        "issues.unlabeled": rule.labels_none,
    }.get(name, ())
    if name in rule.events and decisive and (event.label or "").lower() not in lower(decisive):
        yield f"the label {event.label!r} of the event is not {_one_of(map(repr, decisive))}"
    if rule.words_any and not any(_folded(word) in text for word in rule.words_any for text in written.texts):
        yield f"{written.where} none of {', '.join(map(repr, rule.words_any))}"
    if rule.author is not None and not _is_by(rule.author, written, team):
        wanted = AUTHORS[rule.author] if isinstance(rule.author, str) else _one_of(rule.author)
        yield f"the author {written.author!r} is not {wanted}"


def _one_of(names: Iterable[str]) -> str:
    listed = tuple(names)
    return f"one of {', '.join(listed)}" if listed[1:] else listed[0]


def _folded(text: str) -> str:
    """Return the text without what does not matter: case, and with which characters its lines end."""
    return text.replace("\r\n", "\n").casefold()


def _is_by(wanted: str | tuple[str, ...], written: _Written, team: Accounts) -> bool:
    """Return whether the author is one of those that are wanted.

    GitHub marks private members of an organization as NONE, and new bots as well: neither is an outsider or
    there for the first time.
    """
    if not isinstance(wanted, str):
        return (written.author or "").lower() in lower(wanted)
    is_bot = team.is_bot(written.author, written.author_type)
    is_team = not is_bot and team.is_team(written.author, written.association)
    is_outsider = not is_bot and not is_team
    return {
        "bot": is_bot,
        "team": is_team,
        "outsider": is_outsider,
        "first-time": is_outsider and written.association in _FIRST_TIME,
    }[wanted]


def _actions(rules: Sequence[Rule], issue: Issue, team: Accounts) -> Iterator[Action]:
    """Yield each label once, and of the other kinds the first rule's. A rule in dry run takes none away."""
    intended = [action for rule in rules for action in _of_rule(rule, issue, team)]
    for what in ("add_label", "assign", "comment", "close"):
        acting: set[str] = set()
        all_together: set[str] = set()
        for action in intended:
            if action.what != what:
                continue
            key = action.value.lower() if what == "add_label" else what
            if key not in (all_together if action.dry_run else acting):
                yield action
            all_together.add(key)
            if not action.dry_run:
                acting.add(key)


def _of_rule(rule: Rule, issue: Issue, team: Accounts) -> Iterator[Action]:
    assignable = [login for login in rule.assign if login.lower() not in team.away]
    values: tuple[tuple[What, str | None], ...] = (
        *(("add_label", label) for label in rule.add_labels),
        ("assign", assignable[(issue.number or 0) % len(assignable)] if assignable else None),
        ("comment", rule.comment),
        ("close", None if issue.state == "closed" else rule.close),
    )
    for what, value in values:
        if value is not None:
            yield Action(rule=rule.name, what=what, value=value, dry_run=rule.dry_run)
