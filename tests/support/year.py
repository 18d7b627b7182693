"""A year of two repositories, generated from a seed, as the rows that stream_bq would have stored.

acme/app is busy, with a slow summer and two weeks without new issues; acme/website is small, so that few of
its weeks have enough issues for a percentile. Bots answer first, authors comment on their own issues, issues
are reopened, transferred, deleted and left unanswered, deliveries arrive twice, some titles are hostile, and
one issue in each repository was closed before the first delivery about it.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from functions.stream_bq.row import to_row
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent

NOW = datetime.now(UTC)
APP = accounts.Repository(full_name="acme/app")
WEBSITE = accounts.Repository(full_name="acme/website")
WEEKS = 52
QUIET_WEEKS = range(20, 22)  # no issue is opened
SLOW_WEEKS = range(32, 39)  # everything takes four times as long

HOSTILE_TITLES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><h1>owned</h1>",
    "\u202egnp.exe is displayed backwards",
    "Price shows $\\frac{1}{2}$ & 5 < 6",
    "W" * 256,
)
_PARTS = ("Export", "Login", "Search", "Dark mode", "Upload", "The settings page", "Sync", "The invoice")
_FAULTS = (
    "fails with a timeout",
    "loses the last row",
    "is slow with many entries",
    "shows the wrong date",
    "should remember my choice",
    "crashes on an empty file",
    "ignores the time zone",
    "cannot be used with a keyboard",
)
_LABELS = ("bug", "enhancement", "question", "documentation", "good first issue")
_USERS = tuple(
    accounts.Account(login=name) for name in ("octavia", "kim", "noor", "sam-reads", "li-wei", "ana")
)
_TEAM = tuple(accounts.Account(login=name) for name in ("mona", "jo", "ravi"))
_TRIAGE = accounts.Account(login="triage[bot]", type="Bot")
_RENOVATE = accounts.Account(login="updates[bot]", type="Bot")

TimedEvent = tuple[datetime, payloads.Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """How active a repository is: issues opened a week, medians in hours, shares of 1."""

    repository: accounts.Repository
    opened: float
    response: float
    close: float
    unanswered: float


ACTIVITIES = (
    Activity(repository=APP, opened=13, response=5, close=60, unanswered=0.04),
    Activity(repository=WEBSITE, opened=2.5, response=14, close=150, unanswered=0.1),
)


def rows(end: datetime = NOW, seed: int = 1) -> list[dict[str, Any]]:
    """Return the rows of the 52 weeks before `end`, the oldest first."""
    random = Random(seed)
    events = sorted(
        (
            item
            for activity in ACTIVITIES
            for item in _repository_events(random, activity, end)
            if item[0] <= end
        ),
        key=lambda item: item[0],
    )
    stored = []
    for index, (at, event) in enumerate(events):
        row = _row(random, at, event, payloads.delivery_id(f"year/{seed}/{index}"), end)
        stored.append(row)
        if random.random() < 0.01:
            stored.append({**row, "received_at": row["inserted_at"]})
    return stored


def row_of(
    event: payloads.Event, delivery_id: str, received_at: datetime, inserted_at: datetime
) -> dict[str, Any]:
    """Return the row that stream_bq would store of one event."""
    body = json.dumps(event.payload).encode()
    delivery = Delivery(delivery_id=delivery_id, event=event.name, body=body, received_at=received_at)
    return to_row(IssueEvent.from_delivery(delivery), inserted_at, store_payload=False).columns


def _row(
    random: Random, at: datetime, event: payloads.Event, delivery_id: str, end: datetime
) -> dict[str, Any]:
    received_at = at + timedelta(seconds=random.uniform(0.4, 1.5))
    late = 240.0 if (end - at).days == 45 else 1.0  # one day on which the pipeline is slow
    inserted_at = received_at + timedelta(seconds=late * random.lognormvariate(0.2, 0.5))
    return row_of(event, delivery_id, received_at, inserted_at)


def _repository_events(random: Random, activity: Activity, end: datetime) -> Iterator[TimedEvent]:
    number = 0
    for week in range(WEEKS):
        busy = 0.0 if week in QUIET_WEEKS else activity.opened * (0.8 + 0.4 * week / WEEKS)
        monday = end - timedelta(weeks=WEEKS - week)
        moments = sorted(_moment(random, monday) for _ in range(_poisson(random, busy)))
        for moment in moments:
            number += 1
            yield from _issue_events(
                random, activity, number, moment, slow=4.0 if week in SLOW_WEEKS else 1.0
            )
    pull = payloads.Issue(
        repository=activity.repository, number=90_000, title="A pull request", author=_USERS[0],
        created_at=end - timedelta(weeks=30), is_pull_request=True,
    )  # fmt: skip
    at = end - timedelta(weeks=29)
    yield at, pull.commented(_TEAM[0], at, "Thanks!")
    undated = payloads.Issue(
        repository=activity.repository, number=80_000, title="Closed before the webhook existed",
        author=_USERS[0], created_at=end - timedelta(weeks=40, hours=activity.response),
    )  # fmt: skip
    at = end - timedelta(weeks=20)
    yield at, undated.reopened(_TEAM[0], at)


def _issue_events(
    random: Random, activity: Activity, number: int, opened_at: datetime, slow: float
) -> Iterator[TimedEvent]:
    author = _RENOVATE if random.random() < 0.04 else random.choice(_USERS)
    issue = payloads.Issue(
        repository=activity.repository, number=number, title=_title(random, number), author=author,
        created_at=opened_at,
    )  # fmt: skip
    member = random.choice(_TEAM)
    yield opened_at, issue.opened()
    if random.random() < 0.5:
        at = opened_at + timedelta(seconds=20)
        yield at, issue.commented(_TRIAGE, at, "Thank you for the report.")
    if random.random() < 0.8:
        at = opened_at + timedelta(seconds=50)
        yield at, issue.labeled(member, at, random.choice(_LABELS))
    if random.random() < 0.2:
        at = opened_at + timedelta(minutes=9)
        yield at, issue.commented(author, at, "I forgot to say:")
    at = opened_at + timedelta(minutes=10)
    is_answered = random.random() >= activity.unanswered
    if is_answered:
        at += timedelta(hours=slow * activity.response * random.lognormvariate(0, 1.3))
        yield at, issue.commented(member, at, "I can see it.")
    outcome = random.random()
    if outcome < 0.015:
        at += timedelta(hours=1)
        yield at, issue.deleted(member, at)
    elif outcome < 0.03 and activity.repository == APP:
        at += timedelta(hours=2)
        leaves, there = issue.transferred(member, at, WEBSITE, 50_000 + number)
        yield at, leaves
        arrives = there.opened(old_issue=issue.as_json(), old_repository=APP.as_json())
        yield at, arrives
    elif outcome < (0.9 if is_answered else 0.3):
        yield from _closing_events(random, issue, member, at, slow * activity.close)


def _closing_events(
    random: Random, issue: payloads.Issue, member: accounts.Account, at: datetime, hours: float
) -> Iterator[TimedEvent]:
    at += timedelta(hours=hours * random.lognormvariate(0, 1.4))
    yield at, issue.closed(member, at, "not_planned" if random.random() < 0.12 else "completed")
    while random.random() < 0.08:
        at += timedelta(days=random.uniform(0.2, 12))
        yield at, issue.reopened(issue.author or member, at)
        if random.random() < 0.2:
            return
        at += timedelta(hours=hours * random.lognormvariate(0, 1))
        yield at, issue.closed(member, at)


def _title(random: Random, number: int) -> str:
    if number % 40 == 0:
        return HOSTILE_TITLES[number // 40 % len(HOSTILE_TITLES)]
    return f"{random.choice(_PARTS)} {random.choice(_FAULTS)}"


def _moment(random: Random, monday: datetime) -> datetime:
    """Return a moment of the week, mostly in working hours, in whole seconds as at GitHub."""
    day = random.choices(range(7), weights=(6, 6, 6, 6, 5, 1, 1))[0]
    hour = random.choices((random.uniform(8, 18), random.uniform(0, 24)), weights=(4, 1))[0]
    return (monday + timedelta(days=day, hours=hour - 12)).replace(microsecond=0)


def _poisson(random: Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
