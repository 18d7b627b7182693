"""The seeded year: the rows that the functions would store, of lives that show every figure."""

import functools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.ingest import webhook
from functions.stream_bq.row import to_row
from local.seed import waiting
from local.seed.openings import WEEKS
from local.seed.year import Sent, team, year
from pipeline.subscriber import receive, unwrap
from pipeline.targets import State, matching, standing
from pipeline.working_hours import business_time
from tests.support.messages import push_of

# In the evening, on a weekend, before opening, and just after the clock was changed.
pytestmark = pytest.mark.slow

MOMENTS = (
    datetime(2026, 5, 6, 19, 30, tzinfo=UTC),
    datetime(2026, 5, 9, 12, tzinfo=UTC),
    datetime(2026, 5, 11, 5, tzinfo=UTC),
    datetime(2026, 3, 30, 9, 10, tzinfo=UTC),
)
NOW = MOMENTS[0]


@functools.cache
def deliveries() -> tuple[Sent, ...]:
    """Return the year before NOW."""
    return tuple(year(NOW))


@functools.cache
def rows() -> tuple[dict[str, Any], ...]:
    """Return the rows of the year before NOW."""
    return tuple(sent.row() for sent in deliveries())


def test_the_rows_are_those_that_the_functions_would_store() -> None:
    """What ingest reads, the message and what stream_bq reads lead to the same row."""
    for sent in deliveries()[::40]:
        headers = {
            "content-type": "application/json",
            "x-github-event": sent.delivery.event,
            "x-github-delivery": sent.delivery.delivery_id,
            "x-github-hook-id": str(sent.delivery.hook_id),
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        header = webhook.header_reader(raw)
        read = webhook.read_delivery(header, sent.delivery.body, sent.delivery.received_at)
        push = json.dumps(push_of(read)).encode()
        event = receive(unwrap(push, None), "stream-bq")
        assert event is not None
        assert to_row(event, sent.inserted_at, store_payload=True).columns == sent.row(store_payload=True)


def test_the_same_seed_and_moment_give_the_same_year() -> None:
    """The deliveries repeat for a seed and a moment."""
    again = year(NOW)
    assert all(sent == before for sent, before in zip(again, deliveries(), strict=True))


def test_a_year_ends_now() -> None:
    """No delivery is later than now, and the first one is of the first week."""
    times = [datetime.fromisoformat(row["received_at"]) for row in rows()]
    assert max(times) < NOW + timedelta(minutes=1)
    assert timedelta(weeks=WEEKS - 1) < NOW - times[0] < timedelta(weeks=WEEKS + 1)


def test_it_has_what_the_figures_are_about() -> None:
    """Three repositories have outsiders, a team, bots, changing labels, reasons, reopenings and transfers."""
    names = {"acme/app", "acme/cli", "acme/website"}
    assert {row["repository"] for row in rows()} == names
    actions = Counter(f"{row['event']}.{row['action']}" for row in rows())
    assert {"issues.unlabeled", "issues.assigned", "issues.edited"} <= set(actions)
    assert min(actions["issues.transferred"], actions["issues.deleted"]) >= 3
    assert sum(row["transferred_from_number"] is not None for row in rows()) == actions["issues.transferred"]
    reasons = {row["issue_state_reason"] for row in rows() if row["action"] == "closed"}
    assert reasons == {"completed", "not_planned", "duplicate"}
    reopened = {row["repository"] for row in rows() if row["action"] == "reopened"}
    assert reopened == names
    authors = {row["issue_author"] for row in rows()}
    assert set(team().logins) < authors
    assert "updates[bot]" in authors
    assert {"triage[bot]", *team().bots} <= {row["comment_author"] for row in rows()}
    assert any(row["is_pull_request"] for row in rows())
    ids = Counter(row["delivery_id"] for row in rows())
    assert 10 < sum(n > 1 for n in ids.values()) < len(ids) / 50, "some deliveries arrive twice"


def test_authors_come_back_after_the_answer() -> None:
    """Many authors comment on their own issues after the team has, which makes them wait again."""
    answered: set[tuple[str, int]] = set()
    again: set[tuple[str, int]] = set()
    for row in rows():
        issue = row["repository"], row["issue_number"]
        if row["comment_author"] in team().logins:
            answered.add(issue)
        elif issue in answered and row["comment_author"] == row["issue_author"]:
            again.add(issue)
    assert len(again) > 100


def test_the_numbers_of_a_repository_follow_the_time() -> None:
    """A later issue has a higher number, and no two have the same."""
    for repository in {row["repository"] for row in rows()}:
        opened = [
            row
            for row in rows()
            if row["repository"] == repository and row["action"] == "opened" and row["source"] == "webhook"
        ]
        numbers = list(dict.fromkeys(row["issue_number"] for row in opened))
        assert numbers == sorted(numbers)
        assert len(numbers) == len({(row["issue_number"], row["issue_title"]) for row in opened})


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_issues_wait_for_too_long_nearly_so_and_not_for_long(now: datetime) -> None:
    """Whenever the year ends, some issues are overdue, some due soon and some waiting."""
    ours = team()
    states = Counter[State]()
    for opening, wait in waiting.openings(now, ours.hours).items():
        since = waiting.waiting_since(now, timedelta(hours=wait.hours), ours.hours)
        assert abs(business_time(since, now, ours.hours) - timedelta(hours=wait.hours)) < timedelta(seconds=2)
        target = matching(ours.targets, opening.activity.repository.full_name, [wait.label])
        states[standing(since, now, target, ours.hours).state] += 1
    assert states == {State.OVERDUE: 3, State.DUE_SOON: 3, State.WAITING: 3}
