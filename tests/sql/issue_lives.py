"""A random year of several repositories: what happened to the issues, and what was delivered of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from ops.send import accounts
from pipeline.delivery import parse_time
from tests.sql.deliveries import other_event, row
from tests.sql.issue_cast import AUTHORS, BY_ASSOCIATION, BY_LIST, PEOPLE, Cast
from tests.sql.issue_moves import END, ISSUES, LABELS, LivingIssue, TimelineEvent, issue_events, some_time
from tests.sql.issue_outcome import Outcome

NOW = datetime(2026, 1, 13, 9, 30, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Year:
    """The rows in the order of their delivery, and the outcomes by repository id and issue number."""

    cast: Cast
    rows: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)


@cache
def a_year(seed: int) -> Year:
    """Return the year of this seed: three repositories with ISSUES issues each, some of them transferred.

    In every second year there is a list of the team.
    """
    rng = random.Random(seed)
    year = Year(cast=BY_ASSOCIATION if seed % 2 else BY_LIST)
    repositories = [accounts.Repository(full_name=f"seed{seed}/{name}") for name in ("app", "site", "docs")]
    timeline: list[TimelineEvent] = []
    for repository in repositories:
        others = [other for other in repositories if other is not repository]
        for number in range(1, ISSUES + 1):
            created_at = some_time(rng)
            subject = LivingIssue(
                repository=repository,
                number=number,
                title=f"Issue {number}",
                author=rng.choice(AUTHORS),
                created_at=created_at,
                comments=rng.choice([0, 0, 0, 0, 0, 3]),
                is_pull_request=rng.random() < 0.1,
                labels=rng.choice([[], [], [LABELS[0]], LABELS[:2]]).copy(),
            )
            timeline += issue_events(rng, subject, others, year.cast, year.outcomes)
    ends = {repository.id: some_time(rng) for repository in repositories if rng.random() < 0.4}
    kept = list(_delivered_events(rng, timeline, ends, year.outcomes))
    renames = {repository.id: rng.choice([None, some_time(rng)]) for repository in repositories}
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
            year.rows.append(row(other, f"{seed}-{repository.full_name}-{event}", some_time(rng)))
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
    hooks = {key: some_time(rng) for key in outcomes if rng.random() < 0.15}
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
