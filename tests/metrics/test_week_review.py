"""The last complete week against the week before it."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from metrics.figures import Percentiles
from metrics.week_review import CHART_WEEKS, Duration, NamedWeek, last_week, percentiles, review

WEEK = date(2026, 3, 9)
BEFORE = date(2026, 3, 2)


def a_row(week: date = WEEK, repository: int = 1, **changes: Any) -> NamedWeek:
    """Return a week of the repository acme/NUMBER."""
    defaults = {"repository_id": repository, "repository": f"acme/{repository}", "week": week}
    return NamedWeek(**{**defaults, **changes})


def a_duration(hours: float, kind: str = "close", week: date = WEEK, repository: int = 1) -> Duration:
    """Return how long something took."""
    return Duration(kind=kind, repository_id=repository, week=week, hours=hours)


@pytest.mark.parametrize("day", [date(2026, 3, 16), date(2026, 3, 22)])
def test_the_last_week_ends_before_the_week_of_the_day(day: date) -> None:
    """From Monday to Sunday, the reviewed week is the one that ended with the last Sunday."""
    assert last_week(day) == WEEK


def test_only_the_wanted_repositories_are_counted() -> None:
    """Counts, backlog and durations are those of the wanted repositories, together."""
    rows = [a_row(BEFORE, number, opened=1, closed=2, backlog=5) for number in (1, 2, 3)]
    rows += [a_row(WEEK, number, opened=10, closed=20, backlog=number) for number in (1, 2, 3)]
    durations = [a_duration(float(number), repository=number) for number in (1, 2, 3)]
    found = review(rows, durations, WEEK, lambda name: name != "acme/3")
    assert found
    assert found.before
    assert found.repositories == ("acme/1", "acme/2")
    assert (found.week.opened, found.week.closed, found.week.backlog) == (20, 40, 3)
    assert (found.before.opened, found.before.closed, found.before.backlog) == (2, 4, 10)
    assert found.week.close == Percentiles(n=2, p50=1.5, p90=1.9)
    assert found.week.response == found.before.close == Percentiles()


def test_durations_belong_to_the_week_in_which_they_ended() -> None:
    """Responses and closes of the two weeks are kept apart."""
    durations = [
        a_duration(8.0, "response", BEFORE),
        a_duration(2.0, "response"),
        a_duration(4.0, "close", BEFORE),
    ]
    found = review([a_row(BEFORE), a_row()], durations, WEEK, lambda _: True)
    assert found
    assert found.before
    assert (found.week.response.p50, found.before.response.p50, found.before.close.p50) == (2.0, 8.0, 4.0)
    assert found.week.close.n == 0


def test_a_first_week_has_none_before_it() -> None:
    """If nothing is known of the time before the week, there is no week before, not one of zeros."""
    found = review([a_row(opened=3, backlog=3)], [], WEEK, lambda _: True)
    assert found
    assert found.before is None
    assert [week.week for week in found.weeks] == [WEEK]


def test_a_quiet_week_has_zeros_and_keeps_the_backlog() -> None:
    """A week without events, after the last one of a repository, has zeros and the backlog from before."""
    found = review([a_row(date(2026, 2, 16), opened=4, backlog=4)], [], WEEK, lambda _: True)
    assert found
    assert found.before
    assert (found.week.opened, found.week.closed, found.week.backlog) == (0, 0, 4)
    assert (found.before.opened, found.before.backlog) == (0, 4)
    assert [week.backlog for week in found.weeks] == [4, 4, 4, 4]


def test_nothing_known_is_no_review() -> None:
    """Without a wanted repository, or with events of the running week only, there is nothing to say."""
    assert review([a_row()], [], WEEK, lambda _: False) is None
    assert review([a_row(WEEK + timedelta(weeks=1), opened=1)], [], WEEK, lambda _: True) is None


def test_the_chart_shows_a_year_and_carries_older_backlogs_into_it() -> None:
    """The chart begins 53 weeks ago, with the backlog of a repository whose last event is older."""
    rows = [a_row(WEEK - timedelta(weeks=100), 1, backlog=7), a_row(WEEK, 2, backlog=1)]
    found = review(rows, [], WEEK, lambda _: True)
    assert found
    assert len(found.weeks) == CHART_WEEKS
    assert (found.weeks[0].backlog, found.weeks[-1].backlog) == (7, 8)


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_lie_between_their_neighbours(seed: int) -> None:
    """A percentile is at its part of the way through the ranked values; p90 of ten is near the ninth."""
    hours = [random.Random(seed).uniform(0, 100) for _ in range(11)]
    ranked = sorted(hours)
    assert percentiles(hours) == Percentiles(n=11, p50=ranked[5], p90=ranked[9])
    assert percentiles([1.0, 2.0]) == Percentiles(n=2, p50=1.5, p90=1.9)
    assert percentiles([3.0]) == Percentiles(n=1, p50=3.0, p90=3.0)
    assert percentiles([]) == Percentiles()
