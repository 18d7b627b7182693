"""A reference for the views, in plain Python: it goes through every issue and counts every week.

It is written from the definitions, not from the SQL. It reads rows of stream_bq and returns the rows of a
view, each a dict. It is slow, and simple on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

Row = dict[str, Any]

WEEK = timedelta(weeks=1)
OPEN_ISSUE_COLUMNS = (
    "repository_id", "repository", "issue_number", "title", "url", "labels", "assignees", "author",
    "opened_at", "is_bot_authored",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueHistory:
    """One issue: its row of the view `issues`, and what the weekly counts need besides."""

    repository_id: int
    row: Row
    entered_at: datetime  # when it was opened in this repository, or came to it
    left_at: datetime | None  # when it was deleted or transferred
    changes: list[tuple[datetime, str]]  # the times at which it became open or closed, in order
    closes: list[datetime]  # times of `closed` events
    reopens: list[datetime]  # times of `reopened` events
    last: Row  # the last event that counts
    last_event_at: datetime

    def is_open(self, moment: datetime) -> bool:
        """Return whether it was open, and in this repository, just before `moment`."""
        if moment <= self.entered_at or (self.left_at is not None and self.left_at < moment):
            return False
        state = "open"
        for at, new in self.changes:
            if at < moment:
                state = new
        return state == "open"


class ReferenceMetrics:
    """The rows of all views over the rows of `events`, at the time `now`."""

    def __init__(self, rows: Iterable[Row], now: datetime) -> None:
        self._now = now
        self._events = _once([_typed(row) for row in rows])
        issues: dict[tuple[int, int], list[Row]] = defaultdict(list)
        for event in self._events:
            if event["issue_number"] is not None and not event["is_pull_request"]:
                issues[event["repository_id"], event["issue_number"]].append(event)
        self._histories = [
            _issue_history(sorted(events, key=_sort_key), now) for _, events in sorted(issues.items())
        ]
        self._names = _names(self._histories)
        for history in self._histories:
            history.row["repository"] = self._names[history.repository_id]

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
                    1 for row in stay if row["state"] == "open" and row["first_response_at"] is None
                ),
            }

        return self._per_repository(columns)

    def reopen_rate(self) -> list[Row]:
        """Return one row per repository that has issues; what was reopened must have been closed."""

        def columns(histories: list[IssueHistory]) -> Row:
            reopened = [history for history in histories if history.reopens]
            closed = [history for history in histories if history.row["first_closed_at"] or history.reopens]
            rate = len(reopened) / len(closed) if closed else None
            return {"closed_issues": len(closed), "reopened_issues": len(reopened), "rate": rate}

        return self._per_repository(columns)

    def issues_weekly(self) -> list[Row]:
        """Return one row per repository and week."""
        answer = []
        for repository_id, name in self._names.items():
            histories = [history for history in self._histories if history.repository_id == repository_id]
            week = _monday(min(history.entered_at for history in histories))
            last = _monday(max(history.last_event_at for history in histories))
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
                "age_hours": _hours(self._now - history.row["opened_at"]),
                "answered": history.row["first_response_at"] is not None,
                "hours_since_last_event": _hours(self._now - history.last_event_at),
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


def _issue_history(events: list[Row], now: datetime) -> IssueHistory:
    """Return the history of one issue from its events, which are in order."""
    leaving = next((event for event in events if _is(event, "deleted", "transferred")), None)
    if leaving is not None:
        events = events[: events.index(leaving) + 1]
    last = events[-1]
    opened_at = last["issue_created_at"]
    opening = next((event for event in events if _is(event, "opened")), None)
    changes = list(_changes(events))
    known_closes = [event["issue_closed_at"] for event in events if event["issue_closed_at"]]
    first_response_at = min((e["comment_created_at"] for e in events if _is_response(e)), default=None)
    reopens = [event["event_at"] for event in events if _is(event, "reopened")]
    state = changes[-1][1] if changes else "open"
    closed_at = max(known_closes) if state == "closed" else None
    entered_at = opening["issue_updated_at"] if opening and _is_arrival(opening) else opened_at
    left_at = leaving["event_at"] if leaving else None
    last_event_at = max(
        event["issue_updated_at"] if _is_arrival(event) else event["event_at"] for event in events
    )
    row = {
        "repository_id": last["repository_id"],
        "repository": None,  # set when all issues are known
        "issue_number": last["issue_number"],
        "title": last["issue_title"],
        "url": last["issue_url"],
        "state": leaving["action"] if leaving else state,
        "state_reason": last["issue_state_reason"],
        "author": last["issue_author"],
        "author_type": last["issue_author_type"],
        "labels": last["issue_labels"],
        "assignees": last["issue_assignees"],
        "milestone": last["issue_milestone"],
        "opened_at": opened_at,
        "entered_at": entered_at,
        "left_at": left_at,
        "last_event_at": last_event_at,
        "first_response_at": first_response_at,
        "first_closed_at": min(known_closes, default=None),
        "closed_at": closed_at,
        "reopen_count": len(reopens),
        "open_hours": _hours(_time_open(opened_at, changes, left_at or now)),
        "time_to_first_response_hours": _hours(first_response_at - opened_at)
        if first_response_at and not leaving
        else None,
        "time_to_close_hours": _hours(closed_at - opened_at) if closed_at and not leaving else None,
        "is_bot_authored": _is_bot(last["issue_author"], last["issue_author_type"]),
        "left_censored": opening is None,
    }
    return IssueHistory(
        repository_id=last["repository_id"],
        row=row,
        entered_at=entered_at,
        left_at=left_at,
        changes=changes,
        closes=[event["event_at"] for event in events if _is(event, "closed")],
        reopens=reopens,
        last=last,
        last_event_at=last_event_at,
    )


def pipeline_delay(rows: Iterable[Row]) -> list[Row]:
    """Return one row per day with webhook deliveries, over all repositories."""
    days: dict[date, list[float]] = defaultdict(list)
    for event in _once([_typed(row) for row in rows]):
        if event["source"] == "webhook" and event["inserted_at"] is not None:
            seconds = (event["inserted_at"] - event["event_at"]) / timedelta(seconds=1)
            days[event["event_at"].date()].append(seconds)
    return [
        {
            "day": day,
            "n": len(seconds),
            "p50_seconds": _percentile(seconds, 50),
            "p95_seconds": _percentile(seconds, 95),
            "max_seconds": max(seconds),
        }
        for day, seconds in sorted(days.items())
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

    to_close = hours("closed_at", "time_to_close_hours")
    to_response = hours("first_response_at", "time_to_first_response_hours")
    return {
        "opened": sum(1 for history in histories if within(history.entered_at)),
        "closed": sum(1 for history in histories for moment in history.closes if within(moment)),
        "reopened": sum(1 for history in histories for moment in history.reopens if within(moment)),
        "backlog": sum(1 for history in histories if history.is_open(end)),
        "p50_hours_to_close": _percentile(to_close, 50),
        "p90_hours_to_close": _percentile(to_close, 90),
        "p50_hours_to_first_response": _percentile(to_response, 50),
    }


def _changes(events: list[Row]) -> Iterable[tuple[datetime, str]]:
    """Yield the times at which the issue was closed or reopened; it starts open.

    In the second of a close or reopening, other events may show the issue as it was before or after.
    """
    state = "open"
    state_seconds = {event["issue_updated_at"] for event in events if _is(event, "closed", "reopened")}
    for event in events:
        new = event["issue_state"]
        if _is(event, "closed", "reopened"):
            new = "closed" if event["action"] == "closed" else "open"
        elif event["issue_updated_at"] in state_seconds:
            continue
        if new != state:
            state = new
            yield event["issue_closed_at" if state == "closed" else "issue_updated_at"], state


def _time_open(opened_at: datetime, changes: list[tuple[datetime, str]], end: datetime) -> timedelta:
    total, since = timedelta(), opened_at
    state = "open"
    for at, new in changes:
        if new == "closed":
            total += at - since
        since, state = at, new
    return total + (end - since) if state == "open" else total


def _is_response(event: Row) -> bool:
    return (
        event["event"] == "issue_comment"
        and event["comment_author"] != event["issue_author"]  # two deleted accounts may be one person
        and not _is_bot(event["comment_author"], event["comment_author_type"])
    )


def _is_bot(login: str | None, kind: str | None) -> bool:
    return kind == "Bot" or (login or "").endswith("[bot]")


def _is(event: Row, *actions: str) -> bool:
    return event["event"] == "issues" and event["action"] in actions


def _sort_key(event: Row) -> tuple[Any, ...]:
    """Return the sort key of an event; in one second `opened` is first, changes of state are last."""
    rank = 1
    if _is(event, "opened"):
        rank = 0
    elif _is(event, "closed", "reopened"):
        rank = 2
    elif _is(event, "deleted", "transferred"):
        rank = 3
    return event["issue_updated_at"], event["event_at"], rank, event["received_at"], event["delivery_id"]


def _once(rows: list[Row]) -> list[Row]:
    """Return the copy of each delivery that was received first."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.get(row["delivery_id"])
        if known is None or row["received_at"] < known["received_at"]:
            first[row["delivery_id"]] = row
    return list(first.values())


def _names(histories: list[IssueHistory]) -> dict[int, str]:
    """Return each repository's name in its last event about an issue."""
    last = {history.repository_id: history.last for history in sorted(histories, key=_last_event_order)}
    return {repository_id: last[repository_id]["repository"] for repository_id in sorted(last)}


def _last_event_order(history: IssueHistory) -> tuple[Any, ...]:
    return tuple(
        history.last[name] for name in ("issue_updated_at", "event_at", "received_at", "delivery_id")
    )


def _is_arrival(event: Row) -> bool:
    return _is(event, "opened") and event["transferred_from_number"] is not None


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


def _hours(span: timedelta) -> float:
    return span // timedelta(microseconds=1) / 3_600_000_000


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
