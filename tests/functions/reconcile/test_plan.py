"""What is delivered again, what became of each event, and what the ledger counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.github.hook_deliveries import APP, Attempt, Hook
from functions.reconcile import plan
from functions.reconcile.plan import Fate, Known, ListedEvent, Past, Window

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
HORIZON = NOW - timedelta(hours=72)
REPOSITORY = Hook(id=1, source="acme/app", url="https://ingest.example", is_active=True)
ORGANIZATION = Hook(id=2, source="acme", url="https://ingest.example", is_active=True)
NOTHING = Known(stored=frozenset())


def attempt(minutes_ago: float, status: int, **changes: Any) -> Attempt:
    """Return an attempt; ids grow with time."""
    at = NOW - timedelta(minutes=minutes_ago)
    defaults = {
        "id": int(at.timestamp()),
        "hook": REPOSITORY,
        "guid": "g",
        "event": "issues",
        "delivered_at": at,
        "is_redelivery": False,
        "status": status,
    }
    return Attempt(**{**defaults, **changes})


def again(minutes_ago: float, status: int, **changes: Any) -> Attempt:
    """Return a redelivery."""
    return attempt(minutes_ago, status, is_redelivery=True, **changes)


def event(*attempts: Attempt) -> ListedEvent:
    """Return the one event of the attempts."""
    [only] = plan.group(attempts, None)
    return only


def asked(events: list[ListedEvent], known: Known = NOTHING) -> list[str]:
    """Return the GUIDs that are delivered again."""
    return [each.guid for each in plan.to_redeliver(events, known, HORIZON)]


def test_attempts_are_grouped_by_guid_over_all_webhooks() -> None:
    """One event has the attempts of both webhooks, oldest first, however GitHub lists them."""
    first, second, third = attempt(30, 503), attempt(29, 503, hook=ORGANIZATION), again(5, 202)
    [only] = plan.group([third, first, second], None)
    assert only.attempts == (first, second, third)
    assert (only.first, only.last, only.asked) == (first, third, 1)


def test_an_attempt_that_two_pages_list_counts_once() -> None:
    """A list that moves while it is read makes no attempt in vain of one that is listed twice."""
    found = event(attempt(30, 503), again(5, 503), again(5, 503), again(5, 503))
    assert (found.asked, plan.fate(found, NOTHING, HORIZON)) == (1, Fate.WAITING)


def test_a_ping_and_what_events_leaves_out_are_not_expected() -> None:
    """Pings are never expected; with EVENTS, only the events that it names are."""
    attempts = [attempt(9, 200, guid="p", event="ping"), attempt(8, 202, guid="r", event="release")]
    assert [each.guid for each in plan.group(attempts, None)] == ["r"]
    assert plan.group(attempts, frozenset({"issues"})) == []


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_accepted_attempt_is_a_success(status: int) -> None:
    """A failed attempt stays listed after one with a status of 200 to 299 succeeded."""
    assert event(attempt(9, 503), again(5, status), again(2, 500)).accepted_at == NOW - timedelta(minutes=5)
    assert event(attempt(9, 503), again(5, 199), again(2, 300)).accepted_at is None


FAILED = event(attempt(60, 503))
IN_VAIN = event(attempt(240, 503), again(180, 502), again(120, 0), again(60, 503))
REFUSED = event(attempt(60, 413), again(30, 400), again(20, 415))
ACCEPTED = event(attempt(60, 202))
OLD = event(attempt(73 * 60, 503))
LAST_CHANCE = event(attempt(71 * 60, 503))
LATER = NOW - timedelta(minutes=40)


@pytest.mark.parametrize(
    ("found", "known", "expected"),
    [
        (FAILED, NOTHING, Fate.WAITING),
        (FAILED, Known(stored=frozenset("g")), Fate.STORED),
        (IN_VAIN, Known(stored=frozenset("g")), Fate.STORED),
        (IN_VAIN, Known(stored=frozenset(), held=frozenset("g")), Fate.HELD),
        (IN_VAIN, NOTHING, Fate.LOST),
        (OLD, NOTHING, Fate.LOST),
        (LAST_CHANCE, NOTHING, Fate.LOST),
        (event(attempt(69 * 60, 503)), NOTHING, Fate.WAITING),
        (REFUSED, NOTHING, Fate.REFUSED),
        (event(attempt(60, 413), again(30, 503)), NOTHING, Fate.WAITING),
        (ACCEPTED, NOTHING, Fate.WAITING),
        (event(attempt(60, 503), again(50, 0), again(40, 0), again(1, 202)), NOTHING, Fate.WAITING),
    ],
)
def test_the_fate_of_an_event(found: ListedEvent, known: Known, expected: Fate) -> None:
    """Stored, held, refused every time, lost beyond GitHub's horizon or in vain, else still waiting."""
    assert plan.fate(found, known, HORIZON) is expected


@pytest.mark.parametrize(
    ("found", "known", "expected"),
    [
        (FAILED, NOTHING, True),
        (FAILED, Known(stored=frozenset("g")), False),
        (FAILED, Known(stored=frozenset(), held=frozenset("g")), False),
        (IN_VAIN, NOTHING, False),
        (OLD, NOTHING, False),
        (LAST_CHANCE, NOTHING, True),
        (event(attempt(73 * 60, 503), again(60, 503)), NOTHING, True),
        (REFUSED, NOTHING, False),
        (event(attempt(60, 400)), NOTHING, True),
        (ACCEPTED, NOTHING, False),
        (ACCEPTED, Known(stored=frozenset(), stored_until=NOW - timedelta(minutes=61)), False),
        (ACCEPTED, Known(stored=frozenset(), stored_until=LATER), True),
        (ACCEPTED, Known(stored=frozenset(), stored_until=LATER, held=frozenset("g")), False),
    ],
)
def test_which_events_are_delivered_again(found: ListedEvent, known: Known, *, expected: bool) -> None:
    """What failed, and what was accepted and is not stored although later deliveries are."""
    assert asked([found], known) == ["g"] * expected


def test_after_an_outage_of_ingest_more_attempts_are_made() -> None:
    """What was asked for in vain is asked for again once ingest accepts something else, up to ten times."""
    other = event(attempt(10, 202, guid="other"))
    known = Known(stored=frozenset({"other"}))
    assert asked([IN_VAIN, other], known) == ["g"]
    often = event(*(again(minutes, 503) for minutes in range(600, 500, -10)))
    assert (often.asked, asked([often, other], known)) == (10, [])
    accepted = event(attempt(240, 202), again(180, 202), again(120, 202), again(60, 202))
    stored_until = NOW - timedelta(minutes=30)
    assert asked([accepted, other], Known(stored=known.stored, stored_until=stored_until)) == []
    earlier = event(attempt(90, 202, guid="other"))
    assert asked([IN_VAIN, earlier], known) == []


def test_the_newest_event_comes_first_and_each_once() -> None:
    """Of each event, one attempt is delivered again, through a webhook that is active."""
    off = Hook(id=3, source="acme/app", url="https://ingest.example", is_active=False)
    attempts = [
        attempt(50, 503, guid="a"),
        again(9, 503, guid="a"),
        attempt(40, 503, guid="b"),
        attempt(39, 503, guid="b", hook=off),
        attempt(30, 503, guid="c", hook=off),
    ]
    found = plan.to_redeliver(plan.group(attempts, None), NOTHING, HORIZON)
    assert found == [attempts[4], attempts[2], attempts[1]]


def test_what_several_webhooks_delivered_is_repeated_by_the_app_s() -> None:
    """The App may always repeat it; a token that may only read a repository's webhook would be refused."""
    app = Hook(id=0, source=APP, url="https://ingest.example", is_active=True)
    found = event(attempt(9, 503, hook=app), attempt(8, 503))
    assert [each.hook for each in plan.to_redeliver([found], NOTHING, HORIZON)] == [app]


def hours(number: float) -> timedelta:
    """Return a span."""
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("past", "start"),
    [
        (Past(), datetime(2026, 3, 4, tzinfo=UTC)),
        (Past(ended_at=NOW - hours(1)), datetime(2026, 3, 4, tzinfo=UTC)),
        (Past(ended_at=NOW - hours(30)), datetime(2026, 3, 3, tzinfo=UTC)),
        (Past(ended_at=NOW, open_since=datetime(2026, 3, 2, tzinfo=UTC)), datetime(2026, 3, 2, tzinfo=UTC)),
        (Past(ended_at=NOW - hours(300)), datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_window_reaches_back_to_what_is_not_proven(past: Past, start: datetime) -> None:
    """Over LOOKBACK_HOURS, to the last proof's end and to open days, in whole days that GitHub lists."""
    window = Window.of(NOW, hours(6), hours(72), past)
    assert (window.start, window.end, window.horizon) == (start, NOW, HORIZON)


def test_a_window_after_midnight_has_the_day_before() -> None:
    """Shortly after midnight, the window still has the whole day before."""
    window = Window.of(datetime(2026, 3, 4, 2, 0, tzinfo=UTC), hours(6), hours(72), Past())
    assert [start.day for start, _ in window.days()] == [3, 4]


def test_the_ledger_counts_each_event_on_the_day_of_its_first_attempt() -> None:
    """A row for each day with events and for the last one; every column counts GUIDs of this webhook."""
    attempts = [
        attempt(24 * 60, 503, guid="recovered"),
        again(23 * 60, 202, guid="recovered"),
        attempt(30, 202, guid="stored"),
        attempt(29, 503, guid="asked"),
        attempt(28, 413, guid="refused"),
        again(27, 413, guid="refused"),
        *(again(minutes, 503, guid="lost") for minutes in (26, 25, 24)),
        attempt(23, 202, guid="elsewhere", hook=ORGANIZATION),
        attempt(22, 202, guid="both"),
        attempt(22, 202, guid="both", hook=ORGANIZATION),
    ]
    events = plan.group(attempts, None)
    known = Known(stored=frozenset({"recovered", "stored", "elsewhere", "both"}))
    window = Window.of(NOW, hours(60), hours(72), Past())
    yesterday, today = plan.ledger_rows(REPOSITORY, events, known, frozenset({"asked"}), window)
    names = ("expected", "stored", "redelivered", "recovered", "refused", "lost")
    assert [getattr(yesterday, name) for name in names] == [1, 1, 0, 1, 0, 0]
    assert [getattr(today, name) for name in names] == [5, 2, 1, 0, 1, 1]
    assert (yesterday.window_start, yesterday.window_end) == (
        datetime(2026, 3, 3, tzinfo=UTC),
        datetime(2026, 3, 4, tzinfo=UTC),
    )
    assert (today.window_start, today.window_end, today.run_at) == (
        datetime(2026, 3, 4, tzinfo=UTC),
        NOW,
        NOW,
    )
    [other] = plan.ledger_rows(ORGANIZATION, events, known, frozenset(), window)
    assert (other.source, other.hook_id, other.expected, other.stored) == ("acme", 2, 2, 2)


def test_a_day_that_github_begins_to_forget_has_no_row() -> None:
    """A row about a part of a day would replace the one about the whole."""
    window = Window.of(NOW, hours(72), hours(72), Past())
    events = plan.group([attempt(71 * 60, 202)], None)
    [today] = plan.ledger_rows(REPOSITORY, events, NOTHING, frozenset(), window)
    assert (today.window_start, today.expected) == (datetime(2026, 3, 4, tzinfo=UTC), 0)
