"""A reference for the views, in plain Python: it goes through every issue and counts every week.

It is written from the definitions, not from the SQL. It reads rows of stream_bq and returns the rows of a
view, each a dict. It is slow, and simple on purpose.
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from tests.sql.reference_history import IssueHistory, hours, issue_history, sort_key, span
from tests.sql.reference_hours import OfficeHours, office_hours
from tests.sql.reference_people import People
from tests.sql.reference_weekly import by_week_opened, percentile, percentiles, weekly

Row = dict[str, Any]

OPEN_ISSUE_COLUMNS = (
    "repository_id", "repository", "issue_number", "title", "url", "labels", "assignees", "author",
    "opened_at", "is_bot_authored",
)  # fmt: skip
WAITING_COLUMNS = (
    "repository_id", "repository", "issue_number", "title", "url", "author", "opened_at", "waiting_since",
    "labels", "assignees",
)  # fmt: skip


def reference_of(rows: list[Row], team_file: str, now: datetime) -> "ReferenceMetrics":
    """Return the reference at the time `now` for the team of a config/team.toml."""
    file = tomllib.loads(team_file)
    team, bots = (
        frozenset(login.lower() for login in file.get(table, {}).get("logins", []))
        for table in ("team", "bots")
    )
    return ReferenceMetrics(rows, now, People(team=team, bots=bots), office_hours(file.get("hours")))


class ReferenceMetrics:
    """The rows of all views over the rows of `events`, at the time `now`."""

    def __init__(
        self, rows: Iterable[Row], now: datetime, people: People, office: OfficeHours | None = None
    ) -> None:
        """`office` is None if every hour counts."""
        self._now, self._office = now, office
        self._events = once(rows)
        issues: dict[tuple[int, int], list[Row]] = defaultdict(list)
        ends: dict[int, datetime] = {}
        for event in self._events:
            if event["issue_number"] is not None:
                issues[event["repository_id"], event["issue_number"]].append(event)
            if (event["event"], event["action"]) == ("repository", "deleted"):
                end = ends.get(event["repository_id"], event["event_at"])
                ends[event["repository_id"]] = max(end, event["event_at"])
        histories = (
            issue_history(sorted(events, key=sort_key), ends.get(repository_id), people, now)
            for (repository_id, _), events in sorted(issues.items())
        )
        self._histories = [history for history in histories if history is not None]
        names = _names(self._events)
        self._names = {history.repository_id: names[history.repository_id] for history in self._histories}
        for history in self._histories:
            history.row["repository"] = names[history.repository_id]

    def issues(self) -> list[Row]:
        """Return one row per issue."""
        return [history.row for history in self._histories]

    def time_to_close(self) -> list[Row]:
        """Return one row per repository that has issues."""

        def columns(histories: list[IssueHistory]) -> Row:
            closed = [history.row for history in histories if history.row["state"] == "closed"]
            people = [row for row in closed if not row["is_bot_authored"]]
            completed = [row for row in people if row["close_reason"] == "completed"]
            return {
                **percentiles([row["time_to_close_hours"] for row in completed]),
                "put_aside": len(people) - len(completed),
                "bot_authored": len(closed) - len(people),
            }

        return self._per_repository(columns)

    def time_to_first_response(self) -> list[Row]:
        """Return one row per repository that has issues; each of them is in one column, or has left."""

        def columns(histories: list[IssueHistory]) -> Row:
            stay = [history.row for history in histories if history.left_at is None]
            people = [row for row in stay if not row["is_bot_authored"]]
            hours = [row["time_to_first_response_hours"] for row in people if row["first_response_at"]]
            silent = [
                row for row in people if row["first_response_at"] is None and not row["response_unknown"]
            ]
            return {
                **percentiles(hours),
                "answered_within_24h": sum(1 for hour in hours if hour <= 24),
                "answered_within_72h": sum(1 for hour in hours if hour <= 72),
                "unanswered": sum(1 for row in silent if row["state"] == "open"),
                "unknown": sum(1 for row in people if row["response_unknown"]),
                "closed_unanswered": sum(1 for row in silent if row["state"] == "closed"),
                "bot_authored": len(stay) - len(people),
            }

        return self._per_repository(columns)

    def reopen_rate(self) -> list[Row]:
        """Return one row per repository that has issues; what was reopened must have been closed."""

        def columns(histories: list[IssueHistory]) -> Row:
            people = [history.row for history in histories if not history.row["is_bot_authored"]]
            reopened = [row for row in people if row["reopen_count"]]
            closed = [row for row in people if row["first_closed_at"] or row["reopen_count"]]
            rate = len(reopened) / len(closed) if closed else None
            return {"closed_issues": len(closed), "reopened_issues": len(reopened), "rate": rate}

        return self._per_repository(columns)

    def issues_weekly(self) -> list[Row]:
        """Return one row per repository and week."""
        return self._per_repository_and_week(weekly)

    def issues_by_week_opened(self) -> list[Row]:
        """Return one row per repository and week in which issues were opened, or came."""
        return self._per_repository_and_week(by_week_opened)

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

    def waiting_on_us(self) -> list[Row]:
        """Return one row per open issue on which somebody outside the team waits."""
        return [
            {
                **{name: history.row[name] for name in WAITING_COLUMNS},
                "waiting_hours": span(history.row["waiting_since"], self._now),
                "working_hours": span(history.row["waiting_since"], self._now)
                if self._office is None
                else hours(self._office.between(history.row["waiting_since"], self._now)),
            }
            for history in self._histories
            if history.row["waiting_on_us"]
        ]

    def time_in_label(self) -> list[Row]:
        """Return one row per issue and label that it ever carried."""
        return [
            {
                **{name: history.row[name] for name in ("repository_id", "repository", "issue_number")},
                "label": label,
                "hours": hours(spent),
                "open_since": history.label_clock.since.get(label)
                if history.row["state"] == "open"
                else None,
            }
            for history in self._histories
            for label, spent in history.label_clock.spent.items()
        ]

    def backlog_age(self) -> list[Row]:
        """Return one row per repository that has issues."""

        def columns(histories: list[IssueHistory]) -> Row:
            open_rows = [history.row for history in histories if history.row["state"] == "open"]
            ages = [span(row["opened_at"], self._now) for row in open_rows if not row["is_bot_authored"]]
            return {**percentiles(ages), "max_hours": max(ages, default=None)}

        return self._per_repository(columns)

    def _per_repository(self, columns: Callable[[list[IssueHistory]], Row]) -> list[Row]:
        return [
            {"repository_id": repository_id, "repository": name, **columns(histories)}
            for repository_id, name in self._names.items()
            if (histories := self._of(repository_id))
        ]

    def _per_repository_and_week(self, rows: Callable[[list[IssueHistory]], list[Row]]) -> list[Row]:
        return [
            {"repository_id": repository_id, "repository": name, **row}
            for repository_id, name in self._names.items()
            for row in rows(self._of(repository_id))
        ]

    def _of(self, repository_id: int) -> list[IssueHistory]:
        return [history for history in self._histories if history.repository_id == repository_id]


def pipeline_delay(rows: Iterable[Row]) -> list[Row]:
    """Return one row per day with webhook deliveries or recovered events, over all repositories."""
    days: dict[date, list[float]] = defaultdict(list)
    recovered: dict[date, int] = defaultdict(int)
    for event in once(rows):
        if event["source"] == "webhook" and event["inserted_at"] is not None:
            seconds = max((event["inserted_at"] - event["event_at"]) / timedelta(seconds=1), 0)
            days[event["event_at"].date()].append(seconds)
        elif event["source"] == "reconcile":
            recovered[event["event_at"].date()] += 1
    return [
        {
            "day": day,
            "n": len(days[day]),
            "p50_seconds": percentile(days[day], 50),
            "p95_seconds": percentile(days[day], 95),
            "max_seconds": max(days[day], default=None),
            "recovered": recovered[day],
        }
        for day in sorted({*days, *recovered})
    ]


def once(rows: Iterable[Row]) -> list[Row]:
    """Return the copy of each delivery that was received first, with its times as datetimes."""
    first: dict[str, Row] = {}
    for row in map(_typed, rows):
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


def _typed(row: Row) -> Row:
    """Return the row with its times as datetimes."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
        for name, value in row.items()
        if name != "payload"
    }
