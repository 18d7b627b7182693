"""A reference for the views, in plain Python: it goes through every issue and counts every week.

It is written from the definitions, not from the SQL. It reads rows of stream_bq and returns the rows of a
view, each a dict. It is slow, and simple on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.sql.reference_history import IssueHistory, issue_history, sort_key, span

Row = dict[str, Any]

WEEK = timedelta(weeks=1)
OPEN_ISSUE_COLUMNS = (
    "repository_id", "repository", "issue_number", "title", "url", "labels", "assignees", "author",
    "opened_at", "is_bot_authored",
)  # fmt: skip


class ReferenceMetrics:
    """The rows of all views over the rows of `events`, at the time `now`."""

    def __init__(self, rows: Iterable[Row], now: datetime) -> None:
        self._now = now
        self._events = _once([_typed(row) for row in rows])
        issues: dict[tuple[int, int], list[Row]] = defaultdict(list)
        ends: dict[int, datetime] = {}
        for event in self._events:
            if event["issue_number"] is not None:
                issues[event["repository_id"], event["issue_number"]].append(event)
            if (event["event"], event["action"]) == ("repository", "deleted"):
                end = ends.get(event["repository_id"], event["event_at"])
                ends[event["repository_id"]] = max(end, event["event_at"])
        histories = (
            issue_history(sorted(events, key=sort_key), ends.get(repository_id), now)
            for (repository_id, _), events in sorted(issues.items())
        )
        self._histories = [history for history in histories if history is not None]
        names = _names(self._events)
        self._names = {history.repository_id: names[history.repository_id] for history in self._histories}
        for history in self._histories:
            history.row["repository"] = names[history.repository_id]

    def issue_events(self) -> list[Row]:
        """Return each delivery once."""
        return self._events

    def issues(self) -> list[Row]:
        """Return one row per issue."""
        return [history.row for history in self._histories]

    def time_to_close(self) -> list[Row]:
        """Return one row per repository that has issues."""
        return self._per_repository(
            lambda histories: _percentiles([history.row["time_to_close_hours"] for history in histories])
        )

    def time_to_first_response(self) -> list[Row]:
        """Return one row per repository that has issues."""

        def columns(histories: list[IssueHistory]) -> Row:
            stay = [history.row for history in histories if history.left_at is None]
            hours = [row["time_to_first_response_hours"] for row in stay if row["first_response_at"]]
            return {
                **_percentiles(hours),
                "answered_within_24h": sum(1 for hour in hours if hour <= 24),
                "answered_within_72h": sum(1 for hour in hours if hour <= 72),
                "unanswered": sum(
                    1
                    for row in stay
                    if row["state"] == "open"
                    and row["first_response_at"] is None
                    and not row["response_unknown"]
                ),
                "unknown": sum(1 for row in stay if row["response_unknown"]),
            }

        return self._per_repository(columns)

    def reopen_rate(self) -> list[Row]:
        """Return one row per repository that has issues; what was reopened must have been closed."""

        def columns(histories: list[IssueHistory]) -> Row:
            reopened = [history for history in histories if history.row["reopen_count"]]
            closed = [h for h in histories if h.row["first_closed_at"] or h.row["reopen_count"]]
            rate = len(reopened) / len(closed) if closed else None
            return {"closed_issues": len(closed), "reopened_issues": len(reopened), "rate": rate}

        return self._per_repository(columns)

    def issues_weekly(self) -> list[Row]:
        """Return one row per repository and week."""
        answer = []
        for repository_id, name in self._names.items():
            histories = [history for history in self._histories if history.repository_id == repository_id]
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
            while week <= last:
                counts = _week(histories, week)
                answer.append(
                    {"repository_id": repository_id, "repository": name, "week": week.date(), **counts}
                )
                week += WEEK
        return answer

    def open_issues(self) -> list[Row]:
        """Return one row per open issue."""
        return [
            {
                **{name: history.row[name] for name in OPEN_ISSUE_COLUMNS},
                "age_hours": span(history.row["opened_at"], self._now),
                "answered": None
                if history.row["response_unknown"]
                else history.row["first_response_at"] is not None,
                "hours_since_last_event": span(history.last_event_at, self._now),
            }
            for history in self._histories
            if history.row["state"] == "open"
        ]

    def _per_repository(self, columns: Callable[[list[IssueHistory]], Row]) -> list[Row]:
        return [
            {"repository_id": repository_id, "repository": name, **columns(histories)}
            for repository_id, name in self._names.items()
            if (histories := [item for item in self._histories if item.repository_id == repository_id])
        ]


def pipeline_delay(rows: Iterable[Row]) -> list[Row]:
    """Return one row per day with webhook deliveries or recovered events, over all repositories."""
    days: dict[date, list[float]] = defaultdict(list)
    recovered: dict[date, int] = defaultdict(int)
    for event in _once([_typed(row) for row in rows]):
        if event["source"] == "webhook" and event["inserted_at"] is not None:
            seconds = max((event["inserted_at"] - event["event_at"]) / timedelta(seconds=1), 0)
            days[event["event_at"].date()].append(seconds)
        elif event["source"] == "reconcile":
            recovered[event["event_at"].date()] += 1
    return [
        {
            "day": day,
            "n": len(days[day]),
            "p50_seconds": _percentile(days[day], 50),
            "p95_seconds": _percentile(days[day], 95),
            "max_seconds": max(days[day], default=None),
            "recovered": recovered[day],
        }
        for day in sorted({*days, *recovered})
    ]


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
    return {
        "opened": sum(1 for history in histories if within(history.entered_at)),
        "closed": reported("closed"),
        "reopened": reported("open"),
        "backlog": sum(1 for history in histories if history.is_open(end)),
        "p50_hours_to_close": _percentile(to_close, 50),
        "p90_hours_to_close": _percentile(to_close, 90),
        "p50_hours_to_first_response": _percentile(to_response, 50),
    }


def _once(rows: list[Row]) -> list[Row]:
    """Return the copy of each delivery that was received first."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.get(row["delivery_id"])
        if known is None or row["received_at"] < known["received_at"]:
            first[row["delivery_id"]] = row
    return list(first.values())


def _names(events: list[Row]) -> dict[int, str]:
    """Return each repository's name in its last event."""
    named = [event for event in events if event["repository"] is not None]
    return {event["repository_id"]: event["repository"] for event in sorted(named, key=_event_order)}


def _event_order(event: Row) -> tuple[Any, ...]:
    at = event["issue_updated_at"] or event["event_at"]
    return at, event["event_at"], event["received_at"], event["delivery_id"]


def _percentiles(hours: Sequence[float | None]) -> Row:
    known = [hour for hour in hours if hour is not None]
    return {"n": len(known), "p50_hours": _percentile(known, 50), "p90_hours": _percentile(known, 90)}


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the continuous percentile, interpolated between the two nearest values."""
    if not values:
        return None
    ranked = sorted(values)
    position = (len(ranked) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (position - below)


def _monday(moment: datetime) -> datetime:
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return midnight - timedelta(days=midnight.weekday())


def _typed(row: Row) -> Row:
    """Return the row with its times as datetimes."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
        for name, value in row.items()
        if name != "payload"
    }
