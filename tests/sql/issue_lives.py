"""A random year of several repositories: what happened to the issues, and what was delivered of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from ops.send import accounts, payloads
from pipeline.delivery import parse_time
from tests.sql.deliveries import Subject, other_event, row

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 13, 9, 30, tzinfo=UTC)

PEOPLE = [accounts.Account(login=login) for login in ("octavia", "mona", "kim", "lee")]
BOTS = [
    accounts.Account(login="triage[bot]", type="Bot"),
    accounts.Account(login="sweeper", type="Bot"),
    accounts.Account(login="old[bot]"),
]
AUTHORS = [*PEOPLE, *PEOPLE, BOTS[0], BOTS[2], None]
ISSUES = 9


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What happened to one issue, whatever was delivered.

    `is_certain`: everything was delivered, and no two changes of state were in one second.
    """

    opened_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    first_closed_at: datetime | None = None
    reopen_count: int = 0
    first_response_at: datetime | None = None
    open_for: timedelta = timedelta()
    open_since: datetime | None = None
    left_at: datetime | None = None
    is_certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One event at its time; `key` is repository id and issue number."""

    at: datetime
    event: payloads.Event
    key: tuple[int, int]


@dataclass(slots=True, kw_only=True)
class Year:
    """The rows in the order of their delivery, and the outcomes by repository id and issue number."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)


@cache
def a_year(seed: int) -> Year:
    """Return the year of this seed: three repositories with ISSUES issues each, some of them transferred."""
    rng = random.Random(seed)
    year = Year()
    repositories = [accounts.Repository(full_name=f"seed{seed}/{name}") for name in ("app", "site", "docs")]
    timeline: list[TimelineEvent] = []
    for repository in repositories:
        others = [other for other in repositories if other is not repository]
        for number in range(1, ISSUES + 1):
            created_at = _moment(rng)
            subject = Subject(
                repository=repository,
                number=number,
                title=f"Issue {number}",
                author=rng.choice(AUTHORS),
                created_at=created_at,
                comments=rng.choice([0, 0, 0, 0, 0, 3]),
                is_pull_request=rng.random() < 0.1,
            )
            timeline += _issue_events(rng, subject, others, year.outcomes)
    ends = {repository.id: _moment(rng) for repository in repositories if rng.random() < 0.4}
    kept = list(_delivered_events(rng, timeline, ends, year.outcomes))
    renames = {repository.id: rng.choice([None, _moment(rng)]) for repository in repositories}
    for number, item in enumerate(kept):
        repository_id = item.event.payload["repository"]["id"]
        renamed_at = renames[repository_id]
        name = f"seed{seed}/renamed-{repository_id}" if renamed_at and item.at >= renamed_at else None
        copies = list(_deliver(rng, item, f"{seed}-{number}", name))
        year.rows += copies
        outcome = year.outcomes.get(item.key)
        if outcome is not None and item.event.title in {"issues.deleted", "issues.transferred"}:
            outcome.left_at = parse_time(copies[0]["event_at"])
    for repository in repositories:
        for event, action in (("push", None), ("star", "created"), ("repository", "edited"), ("ping", None)):
            other = other_event(event, repository, rng.choice(PEOPLE), action)
            year.rows.append(row(other, f"{seed}-{repository.full_name}-{event}", _moment(rng)))
        if repository.id in ends:
            year.rows += _end_of(rng, repository, ends[repository.id], year.outcomes)
    rng.shuffle(year.rows)
    return year


def _end_of(
    rng: random.Random,
    repository: accounts.Repository,
    ended_at: datetime,
    outcomes: dict[tuple[int, int], Outcome],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the repository's deletion, and end its open issues."""
    event = other_event("repository", repository, rng.choice(PEOPLE), "deleted")
    for number in range(rng.choice([1, 1, 2])):
        yield row(event, f"{repository.full_name}-end", ended_at + timedelta(days=number))
    for (repository_id, _), outcome in outcomes.items():
        if repository_id == repository.id and outcome.state == "open" and outcome.opened_at <= ended_at:
            outcome.state, outcome.left_at = "deleted", ended_at


def _issue_events(
    rng: random.Random,
    subject: Subject,
    others: list[accounts.Repository],
    outcomes: dict[tuple[int, int], Outcome],
) -> Iterator[TimelineEvent]:
    key = (subject.repository.id, subject.number)
    if subject.is_pull_request:
        for _ in range(3):
            at = _moment(rng)
            yield TimelineEvent(at=at, event=subject.commented(rng.choice(PEOPLE), at, "Nice"), key=key)
        return
    outcomes[key] = Outcome(
        opened_at=subject.created_at, open_since=subject.created_at, is_certain=subject.comments == 0
    )
    opened = subject.opened()
    if rng.random() < 0.1:
        del opened.payload["issue"]["comments"]
        outcomes[key].is_certain = False
    yield TimelineEvent(at=subject.created_at, event=opened, key=key)
    yield from _later_events(rng, subject, subject.created_at, others, outcomes)


def _later_events(  # noqa: PLR0912, PLR0915 - one branch for each kind of event
    rng: random.Random,
    subject: Subject,
    at: datetime,
    others: list[accounts.Repository],
    outcomes: dict[tuple[int, int], Outcome],
) -> Iterator[TimelineEvent]:
    key = (subject.repository.id, subject.number)
    outcome = outcomes[key]
    people = PEOPLE
    comments: list[payloads.Event] = []
    changed_at: datetime | None = None
    moves = (
        ["comment"] * 6
        + ["close or reopen"] * 5
        + ["label", "unlabel", "assign", "edit", "lock", "account deleted"]
    )
    moves += ["comment edited", "comment deleted", "delete", "transfer", "became a pull request"]
    moves += ["status", "status", "status and close", "closed again", "imported"]
    for _ in range(rng.randrange(14)):
        at += _pause(rng)
        if at >= END:
            return
        by = rng.choice(PEOPLE)
        event: payloads.Event | None = None
        match rng.choice(moves):
            case "comment":
                writer = rng.choice([*people, *BOTS, subject.author, None])
                event = subject.commented(writer, at, "Hello")
                if rng.random() < 0.5:  # the number before the comment, as in GitHub's recorded payloads
                    event.payload["issue"]["comments"] -= 1
                comments.append(event)
                if writer != subject.author and writer not in BOTS:
                    outcome.first_response_at = outcome.first_response_at or at
            case "comment edited" if comments:
                event = subject.comment_changed("edited", rng.choice(comments), by, at)
            case "comment deleted" if comments:
                event = subject.comment_changed("deleted", rng.choice(comments), by, at)
                subject.comments = rng.choice([0, max(subject.comments - 1, 0)])
            case "close or reopen":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                event = _close_or_reopen(rng, subject, by, at, outcome)
            case "status":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                if rng.random() < 0.5:
                    _close_or_reopen(rng, subject, by, at, outcome)
                event = subject.status_changed(by, at)
            case "status and close":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                if rng.random() < 0.3:  # the status is delivered as it was before
                    yield TimelineEvent(at=at, event=subject.status_changed(by, at), key=key)
                event = _close_or_reopen(rng, subject, by, at, outcome)
                yield TimelineEvent(at=at, event=subject.status_changed(by, at), key=key)
            case "closed again" if subject.state == "closed":
                outcome.is_certain = outcome.is_certain and changed_at != at
                event = subject.closed_again(by, at, "duplicate")
            case "imported":
                outcome.is_certain = False
                event = _imported(rng, subject, by, at)
            case "became a pull request":
                subject.is_pull_request = True
                event = subject.commented(by, at, "Here is the code")
                _depart(outcome, "transferred")
                outcome.left_at = at
            case "label":
                event = subject.labeled(by, at, rng.choice(["bug", "docs", "help"]))
            case "unlabel" if subject.labels:
                subject.labels.pop()
                event = subject.changed("unlabeled", by, at)
            case "assign":
                event = subject.assigned(by, at, rng.choice(PEOPLE))
            case "edit":
                subject.title += "!"
                event = subject.changed("edited", by, at, changes={"title": {"from": subject.title[:-1]}})
            case "lock":
                event = subject.changed("locked", by, at)
            case "account deleted" if subject.author is not None:
                comments = [_with_deleted_author(comment, subject.author) for comment in comments]
                people = [person for person in PEOPLE if person != subject.author]
                subject.author = None
            case "delete":
                event = subject.deleted(by, at)
                _depart(outcome, "deleted")
            case "transfer":
                number = ISSUES + 1 + len(outcomes)
                event, arrival, there = subject.moved(by, at, rng.choice(others), number)
                _depart(outcome, "transferred")
                there_key = (there.repository.id, number)
                outcomes[there_key] = Outcome(
                    opened_at=subject.created_at, state=subject.state, is_certain=False
                )
                yield TimelineEvent(at=at, event=arrival, key=there_key)
                yield from _later_events(rng, there, at, others, outcomes)
        if event is not None:
            yield TimelineEvent(at=at, event=event, key=key)
        if outcome.state in {"deleted", "transferred"}:
            if rng.random() < 0.3:
                later = at + timedelta(hours=1)
                yield TimelineEvent(at=later, event=subject.commented(by, later, "Too late"), key=key)
            return
    return


def _close_or_reopen(
    rng: random.Random, subject: Subject, by: accounts.Account, at: datetime, outcome: Outcome
) -> payloads.Event:
    if subject.state == "open":
        outcome.state, outcome.closed_at = "closed", at
        outcome.first_closed_at = outcome.first_closed_at or at
        if outcome.open_since is not None:
            outcome.open_for += at - outcome.open_since
            outcome.open_since = None
        return subject.closed(by, at, rng.choice(["completed", "not_planned"]))
    outcome.state, outcome.closed_at, outcome.open_since = "open", None, at
    outcome.reopen_count += 1
    event = subject.reopened(by, at)
    if rng.random() < 0.5:  # GitHub's own example keeps closed_at
        subject.closed_at = None
        event = payloads.Event(name="issues", payload=event.payload | {"issue": subject.as_json()})
    return event


def _with_deleted_author(comment: payloads.Event, author: accounts.Account) -> payloads.Event:
    """Return the comment as GitHub shows it after its author's account was deleted."""
    if comment.payload["comment"]["user"] != author.as_json():
        return comment
    return payloads.Event(
        name=comment.name,
        payload={**comment.payload, "comment": {**comment.payload["comment"], "user": None}},
    )


def _imported(rng: random.Random, subject: Subject, by: accounts.Account, at: datetime) -> payloads.Event:
    """Return a close, or a comment, from before the opening, as an import delivers it."""
    before = subject.created_at - timedelta(hours=rng.randrange(1, 400))
    if rng.random() < 0.5:
        event = subject.closed(by, at)
        subject.closed_at = before
        return payloads.Event(name="issues", payload=event.payload | {"issue": subject.as_json()})
    event = subject.commented(by, at, "Long ago")
    written = {**event.payload["comment"], "created_at": payloads.time_text(before)}
    return payloads.Event(name="issue_comment", payload=event.payload | {"comment": written})


def _depart(outcome: Outcome, state: str) -> None:
    outcome.state = state


def _delivered_events(
    rng: random.Random,
    timeline: list[TimelineEvent],
    ends: dict[int, datetime],
    outcomes: dict[tuple[int, int], Outcome],
) -> Iterator[TimelineEvent]:
    """Yield the events without those before the webhook existed, and without a few lost ones.

    After the end of a repository there are few events about the issues that were there, and all about those
    that came after it was restored.
    """
    hooks = {key: _moment(rng) for key in outcomes if rng.random() < 0.15}
    for item in timeline:
        hooked_at = hooks.get(item.key)
        ended_at = ends.get(item.key[0], END)
        outcome = outcomes.get(item.key)
        is_gone = outcome is not None and outcome.opened_at <= ended_at < item.at and rng.random() < 0.8
        if outcome is not None and outcome.opened_at <= ended_at < item.at:
            outcome.is_certain = False
        if is_gone or (hooked_at is not None and item.at < hooked_at) or rng.random() < 0.03:
            if item.key in outcomes:
                outcomes[item.key].is_certain = False
        else:
            yield item


def _deliver(
    rng: random.Random, item: TimelineEvent, delivery_id: str, name: str | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of an event: one or several copies, some of them late."""
    is_dated = item.event.title not in {"issues.deleted", "issues.transferred", "issue_comment.deleted"}
    first = rng.choice([-3 if is_dated else 0, 1, 2, 3, 60, 3600])  # GitHub's clock may be ahead
    delay = timedelta(seconds=first, microseconds=rng.randrange(1_000_000))
    source = rng.choice(["webhook", "webhook", "webhook", "reconcile", "backfill", "replay"])
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        received_at = item.at + delay
        inserted_at = received_at + timedelta(microseconds=rng.randrange(5_000_000))
        copy = row(item.event, delivery_id, received_at, inserted_at=inserted_at, source=source, name=name)
        yield copy
        if rng.random() < 0.3:
            yield dict(copy)
        delay += timedelta(seconds=rng.randrange(1, 90_000))


def _pause(rng: random.Random) -> timedelta:
    longest = rng.choice([1, 1, 90, 86_400, 86_400, 20 * 86_400, 150 * 86_400])
    return timedelta(seconds=rng.randrange(longest))


def _moment(rng: random.Random) -> datetime:
    return BEGIN + timedelta(seconds=rng.randrange(365 * 86_400))
