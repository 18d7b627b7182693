"""A year of several repositories, made up from a seed: what happened, and what was delivered of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from ops.send import accounts, payloads
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
class Fact:
    """What happened to one issue, whatever was delivered. `certain`: everything was, in a telling order."""

    opened_at: datetime
    state: str = "open"
    closed_at: datetime | None = None
    first_closed_at: datetime | None = None
    reopen_count: int = 0
    first_response_at: datetime | None = None
    open_for: timedelta = timedelta()
    open_since: datetime | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event, at its time; the key is that of the issue."""

    at: datetime
    event: payloads.Event
    key: tuple[int, int]


@dataclass(slots=True, kw_only=True)
class Year:
    """The rows in the order of their delivery, and the facts by repository id and issue number."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[tuple[int, int], Fact] = field(default_factory=dict)


@cache
def a_year(seed: int) -> Year:
    """Return the year of this seed: 3 repositories, ISSUES issues each and those that move between them."""
    dice = random.Random(seed)
    year = Year()
    repositories = [accounts.Repository(full_name=f"seed{seed}/{name}") for name in ("app", "site", "docs")]
    happenings: list[Happening] = []
    for repository in repositories:
        others = [other for other in repositories if other is not repository]
        for number in range(1, ISSUES + 1):
            created_at = BEGIN + timedelta(seconds=dice.randrange(360 * 86_400))
            subject = Subject(
                repository=repository,
                number=number,
                title=f"Issue {number}",
                author=dice.choice(AUTHORS),
                created_at=created_at,
                is_pull_request=dice.random() < 0.1,
            )
            happenings += _live(dice, subject, others, year.facts)
    kept = list(_what_is_delivered(dice, happenings, year.facts))
    renames = {repository.id: dice.choice([None, _moment(dice)]) for repository in repositories}
    for number, happening in enumerate(kept):
        repository_id = happening.event.payload["repository"]["id"]
        renamed_at = renames[repository_id]
        name = f"seed{seed}/renamed-{repository_id}" if renamed_at and happening.at >= renamed_at else None
        year.rows += _deliver(dice, happening, f"{seed}-{number}", name)
    for repository in repositories:
        for name in ("push", "star", "ping"):
            at = _moment(dice)
            other = other_event(name, repository, dice.choice(PEOPLE))
            year.rows.append(row(other, f"{seed}-{repository.full_name}-{name}", at))
    dice.shuffle(year.rows)
    return year


def _live(
    dice: random.Random,
    subject: Subject,
    others: list[accounts.Repository],
    facts: dict[tuple[int, int], Fact],
) -> Iterator[Happening]:
    key = (subject.repository.id, subject.number)
    if subject.is_pull_request:
        for _ in range(3):
            at = _moment(dice)
            yield Happening(at=at, event=subject.commented(dice.choice(PEOPLE), at, "Nice"), key=key)
        return
    facts[key] = Fact(opened_at=subject.created_at, open_since=subject.created_at)
    yield Happening(at=subject.created_at, event=subject.opened(), key=key)
    yield from _go_on(dice, subject, subject.created_at, others, facts)


def _go_on(  # noqa: PLR0912, PLR0915 - one branch for each thing that can happen
    dice: random.Random,
    subject: Subject,
    at: datetime,
    others: list[accounts.Repository],
    facts: dict[tuple[int, int], Fact],
) -> Iterator[Happening]:
    key = (subject.repository.id, subject.number)
    fact = facts[key]
    people = PEOPLE
    comments: list[payloads.Event] = []
    turned_at: datetime | None = None
    moves = ["comment"] * 6 + ["turn"] * 5 + ["label", "unlabel", "assign", "edit", "lock", "ghost"]
    moves += ["comment edited", "comment deleted", "delete", "transfer"]
    for _ in range(dice.randrange(14)):
        at += _pause(dice)
        if at >= END:
            return
        by = dice.choice(PEOPLE)
        event: payloads.Event | None = None
        match dice.choice(moves):
            case "comment":
                writer = dice.choice([*people, *BOTS, subject.author, None])
                event = subject.commented(writer, at, "Hello")
                comments.append(event)
                if writer != subject.author and writer not in BOTS:
                    fact.first_response_at = fact.first_response_at or at
            case "comment edited" if comments:
                event = subject.comment_changed("edited", dice.choice(comments), by, at)
            case "comment deleted" if comments:
                event = subject.comment_changed("deleted", dice.choice(comments), by, at)
            case "turn":
                fact.certain = fact.certain and turned_at != at
                turned_at = at
                event = _turn(dice, subject, by, at, fact)
            case "label":
                event = subject.labeled(by, at, dice.choice(["bug", "docs", "help"]))
            case "unlabel" if subject.labels:
                subject.labels.pop()
                event = subject.changed("unlabeled", by, at)
            case "assign":
                event = subject.assigned(by, at, dice.choice(PEOPLE))
            case "edit":
                subject.title += "!"
                event = subject.changed("edited", by, at, changes={"title": {"from": subject.title[:-1]}})
            case "lock":
                event = subject.changed("locked", by, at)
            case "ghost" if subject.author is not None:
                comments = [_forget(comment, subject.author) for comment in comments]
                people = [person for person in PEOPLE if person != subject.author]
                subject.author = None
            case "delete":
                left_at = at if dice.random() < 0.5 else subject.updated_at or subject.created_at
                event = subject.changed("deleted", by, left_at)
                _leave(fact, "deleted", left_at)
            case "transfer":
                number = ISSUES + 1 + len(facts)
                event, arrival, there = subject.moved(by, at, dice.choice(others), number)
                _leave(fact, "transferred", at)
                there_key = (there.repository.id, number)
                facts[there_key] = Fact(opened_at=subject.created_at, state=subject.state, certain=False)
                yield Happening(at=at, event=arrival, key=there_key)
                yield from _go_on(dice, there, at, others, facts)
        if event is not None:
            yield Happening(at=at, event=event, key=key)
        if fact.state in {"deleted", "transferred"}:
            if dice.random() < 0.3:
                later = at + timedelta(hours=1)
                yield Happening(at=later, event=subject.commented(by, later, "Too late"), key=key)
            return
    return


def _turn(
    dice: random.Random, subject: Subject, by: accounts.Account, at: datetime, fact: Fact
) -> payloads.Event:
    if subject.state == "open":
        fact.state, fact.closed_at = "closed", at
        fact.first_closed_at = fact.first_closed_at or at
        if fact.open_since is not None:
            fact.open_for += at - fact.open_since
            fact.open_since = None
        return subject.closed(by, at, dice.choice(["completed", "not_planned"]))
    fact.state, fact.closed_at, fact.open_since = "open", None, at
    fact.reopen_count += 1
    event = subject.reopened(by, at)
    if dice.random() < 0.5:  # GitHub's own example leaves closed_at as it was
        subject.closed_at = None
        event = payloads.Event(name="issues", payload=event.payload | {"issue": subject.as_json()})
    return event


def _forget(comment: payloads.Event, author: accounts.Account) -> payloads.Event:
    """Return the comment as it is shown once its author's account is deleted."""
    if comment.payload["comment"]["user"] != author.as_json():
        return comment
    return payloads.Event(
        name=comment.name,
        payload={**comment.payload, "comment": {**comment.payload["comment"], "user": None}},
    )


def _leave(fact: Fact, state: str, at: datetime) -> None:
    fact.state = state
    if fact.open_since is not None:
        fact.open_for += at - fact.open_since
        fact.open_since = None


def _what_is_delivered(
    dice: random.Random, happenings: list[Happening], facts: dict[tuple[int, int], Fact]
) -> Iterator[Happening]:
    """Lose some: what happened before the hook was made, and one now and then."""
    hooks = {key: _moment(dice) for key in facts if dice.random() < 0.15}
    for happening in happenings:
        begun = hooks.get(happening.key)
        if (begun is not None and happening.at < begun) or dice.random() < 0.03:
            if happening.key in facts:
                facts[happening.key].certain = False
        else:
            yield happening


def _deliver(
    dice: random.Random, happening: Happening, delivery_id: str, name: str | None
) -> Iterator[dict[str, Any]]:
    """Deliver it at least once, sooner or later."""
    delay = timedelta(seconds=dice.choice([1, 2, 3, 60, 3600]), microseconds=dice.randrange(1_000_000))
    source = dice.choice(["webhook", "webhook", "webhook", "reconcile", "backfill", "replay"])
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        received_at = happening.at + delay
        inserted_at = received_at + timedelta(microseconds=dice.randrange(5_000_000))
        copy = row(
            happening.event, delivery_id, received_at, inserted_at=inserted_at, source=source, name=name
        )
        yield copy
        if dice.random() < 0.3:
            yield dict(copy)
        delay += timedelta(seconds=dice.randrange(1, 90_000))


def _pause(dice: random.Random) -> timedelta:
    longest = dice.choice([1, 1, 90, 86_400, 86_400, 20 * 86_400, 150 * 86_400])
    return timedelta(seconds=dice.randrange(longest))


def _moment(dice: random.Random) -> datetime:
    return BEGIN + timedelta(seconds=dice.randrange(365 * 86_400))
