"""Weeks begin on Monday in UTC; those of several repositories are added up."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from metrics.figures import RECENT_WEEKS, TREND_WEEKS, Week
from metrics.rows import RepositoryWeek

WEEK = timedelta(days=7)


def monday(moment: date | datetime) -> date:
    """Return the Monday of the week, in UTC."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


def recent_from(now: datetime) -> date:
    """Return the first day of the recent weeks; the current week is the last of them."""
    return monday(now) - (RECENT_WEEKS - 1) * WEEK


def join_weeks(
    rows: Sequence[RepositoryWeek], first: date | None, last: date
) -> tuple[tuple[Week, ...], int]:
    """Return the weeks of all repositories together from `first` to `last`, and the backlog before them.

    `rows` are in the order of their weeks. The view issues_weekly ends with a repository's last event. Issues
    that are open then stay open, so the repository's backlog is carried on to `last`. Weeks without events
    are included, with zeros.
    """
    if not rows:
        return (), 0
    start = rows[0].week if first is None else first
    backlog = {row.repository_id: row.backlog for row in rows if row.week < start}
    initial_backlog = sum(backlog.values())
    by_week: dict[date, list[RepositoryWeek]] = defaultdict(list)
    for row in rows:
        by_week[row.week].append(row)
    joined = []
    for index in range((last - start).days // 7 + 1):
        day = start + index * WEEK
        here = by_week[day]
        backlog |= {row.repository_id: row.backlog for row in here}
        joined.append(
            Week(
                week=day,
                opened=sum(row.opened for row in here),
                closed=sum(row.closed for row in here),
                reopened=sum(row.reopened for row in here),
                backlog=sum(backlog.values()),
            )
        )
    return tuple(joined), initial_backlog


def trends(rows: Sequence[RepositoryWeek], last: date) -> dict[int, tuple[int, ...]]:
    """Return each repository's backlog at the end of the last TREND_WEEKS, or of those since its first event.

    `rows` are in the order of their weeks.
    """
    by_repository: dict[int, dict[date, int]] = defaultdict(dict)
    for row in rows:
        by_repository[row.repository_id][row.week] = row.backlog
    return {repository: _trend(backlogs, last) for repository, backlogs in by_repository.items()}


def _trend(backlogs: dict[date, int], last: date) -> tuple[int, ...]:
    first = min(backlogs)
    values, backlog = [], 0
    for index in range((last - first).days // 7 + 1):
        backlog = backlogs.get(first + index * WEEK, backlog)
        values.append(backlog)
    return tuple(values[-TREND_WEEKS:])
