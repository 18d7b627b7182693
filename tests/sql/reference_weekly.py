"""The weeks of a repository, and its issues by the week of their opening, in plain Python."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sql.reference_history import IssueHistory

Row = dict[str, Any]

WEEK = timedelta(weeks=1)


def weekly(histories: list[IssueHistory]) -> list[Row]:
    """Return one row per week, from the first to the last event."""
    week = _monday(min(history.entered_at for history in histories))
    last = _monday(
        max(
            moment
            for history in histories
            for moment in (
                history.last_event_at,
                history.entered_at,
                *(change.at for change in history.changes),
                *filter(None, [history.left_at]),
            )
        )
    )
    rows = []
    while week <= last:
        rows.append({"week": week.date(), **_week(histories, week)})
        week += WEEK
    return rows


def by_week_opened(histories: list[IssueHistory]) -> list[Row]:
    """Return one row per week in which an issue was opened, or came; those that left count as opened only."""
    rows = []
    for week in sorted({_monday(history.entered_at) for history in histories}):
        cohort = [history.row for history in histories if _monday(history.entered_at) == week]
        stay = [row for row in cohort if row["left_at"] is None]
        answered = [row["time_to_first_response_hours"] for row in stay if row["first_response_at"]]
        closed = [row["time_to_close_hours"] for row in stay if row["state"] == "closed"]
        rows.append(
            {
                "week": week.date(),
                "opened": len(cohort),
                "answered_within_24h": sum(1 for hours in answered if hours <= 24),
                "answered_within_72h": sum(1 for hours in answered if hours <= 72),
                "closed": len(closed),
                "still_open": len(stay) - len(closed),
                "p50_hours_to_close": percentile(closed, 50),
            }
        )
    return rows


def percentiles(hours: Sequence[float | None]) -> Row:
    """Return n and the percentiles of those that are known."""
    known = [hour for hour in hours if hour is not None]
    return {"n": len(known), "p50_hours": percentile(known, 50), "p90_hours": percentile(known, 90)}


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the continuous percentile, interpolated between the two nearest values."""
    if not values:
        return None
    ranked = sorted(values)
    position = (len(ranked) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (position - below)


def _week(histories: list[IssueHistory], week: datetime) -> Row:
    end = week + WEEK

    def within(moment: datetime) -> bool:
        return week <= moment < end

    def hours(moment: str, column: str) -> list[float]:
        """Return a column of the issues whose `moment`, or arrival if that was later, is in the week."""
        return [
            history.row[column]
            for history in histories
            if history.left_at is None
            and history.row[moment] is not None
            and within(max(history.row[moment], history.entered_at))
        ]

    def reported(state: str) -> int:
        return sum(
            1
            for history in histories
            for moment in history.reported(state)
            if within(max(moment, history.entered_at))
        )

    to_close = hours("closed_at", "time_to_close_hours")
    to_response = hours("first_response_at", "time_to_first_response_hours")
    opened, closed = sum(1 for history in histories if within(history.entered_at)), reported("closed")
    return {
        "opened": opened,
        "closed": closed,
        "reopened": reported("open"),
        "backlog": sum(1 for history in histories if history.is_open(end)),
        "active": sum(
            1
            for history in histories
            if any(within(max(moment, history.entered_at)) for moment in history.active_at)
        ),
        "closed_ratio": closed / opened if opened else None,
        "p50_hours_to_close": percentile(to_close, 50),
        "p90_hours_to_close": percentile(to_close, 90),
        "p50_hours_to_first_response": percentile(to_response, 50),
    }


def _monday(moment: datetime) -> datetime:
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return midnight - timedelta(days=midnight.weekday())
