"""What the views must say, in plain Python: each issue's life is walked, each week counted anew.

Written from the definitions, not from the SQL. It reads rows as stream_bq makes them and answers what a view
answers: a list of rows, each a dict. Slow and plain on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

Row = dict[str, Any]

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One issue: its row of the view `issues`, and what the weeks need to know beside it."""

    repository_id: int
    row: Row
    entered_at: datetime  # when it came to this repository
    left_at: datetime | None  # when it was deleted or transferred
    changes: list[tuple[datetime, str]]  # when it became open or closed, in order
    closes: list[datetime]  # moments of `closed` events
    reopens: list[datetime]  # moments of `reopened` events
    last: Row  # the last event that counts
    last_event_at: datetime

    def is_open(self, moment: datetime) -> bool:
        """Tell whether it was open, and in this repository, just before `moment`."""
        if moment <= self.entered_at or (self.left_at is not None and self.left_at < moment):
            return False
        state = "open"
        for at, new in self.changes:
            if at < moment:
                state = new
        return state == "open"


class Truth:
    """The answers of all views over the rows of `events`, at the time `now`."""

    def __init__(self, rows: Iterable[Row], now: datetime) -> None:
        self._now = now
        self._events = _once([_typed(row) for row in rows])
        issues: dict[tuple[int, int], list[Row]] = defaultdict(list)
        for event in self._events:
            if event["issue_number"] is not None and not event["is_pull_request"]:
                issues[event["repository_id"], event["issue_number"]].append(event)
        self._lives = [_life(sorted(events, key=_order), now) for _, events in sorted(issues.items())]
        self._names = _names(self._lives)
        for life in self._lives:
            life.row["repository"] = self._names[life.repository_id]

    def issue_events(self) -> list[Row]:
        """Return each delivery once."""
        return self._events

    def issues(self) -> list[Row]:
        """Return one row per issue."""
        return [life.row for life in self._lives]

    def time_to_close(self) -> list[Row]:
        """Return one row per repository that has issues."""
        return self._per_repository(
            lambda lives: _spread([life.row["time_to_close_hours"] for life in lives])
        )

    def time_to_first_response(self) -> list[Row]:
        """Return one row per repository that has issues."""

        def columns(lives: list[Life]) -> Row:
            stay = [life.row for life in lives if life.left_at is None]
            hours = [row["time_to_first_response_hours"] for row in stay if row["first_response_at"]]
            return {
                **_spread(hours),
                "answered_within_24h": sum(1 for hour in hours if hour <= 24),
                "answered_within_72h": sum(1 for hour in hours if hour <= 72),
                "unanswered": sum(
                    1 for row in stay if row["state"] == "open" and row["first_response_at"] is None
                ),
            }

        return self._per_repository(columns)

    def reopen_rate(self) -> list[Row]:
        """Return one row per repository that has issues; what was reopened must have been closed."""

        def columns(lives: list[Life]) -> Row:
            reopened = [life for life in lives if life.reopens]
            closed = [life for life in lives if life.row["first_closed_at"] or life.reopens]
            rate = len(reopened) / len(closed) if closed else None
            return {"closed_issues": len(closed), "reopened_issues": len(reopened), "rate": rate}

        return self._per_repository(columns)

    def issues_weekly(self) -> list[Row]:
        """Return one row per repository and week."""
        answer = []
        for repository_id, name in self._names.items():
            lives = [life for life in self._lives if life.repository_id == repository_id]
            week = _monday(min(life.entered_at for life in lives))
            last = _monday(max(life.last_event_at for life in lives))
            while week <= last:
                counts = _week(lives, week)
                answer.append(
                    {"repository_id": repository_id, "repository": name, "week": week.date(), **counts}
                )
                week += WEEK
        return answer

    def open_issues(self) -> list[Row]:
        """Return one row per open issue."""
        return [
            {
                **{name: life.row[name] for name in ("repository_id", "repository", "issue_number", "title")},
                **{name: life.row[name] for name in ("url", "labels", "assignees", "author")},
                **{name: life.row[name] for name in ("opened_at", "is_bot_authored")},
                "age_hours": _hours(self._now - life.row["opened_at"]),
                "answered": life.row["first_response_at"] is not None,
                "hours_since_last_event": _hours(self._now - life.last_event_at),
            }
            for life in self._lives
            if life.row["state"] == "open"
        ]

    def _per_repository(self, columns: Callable[[list[Life]], Row]) -> list[Row]:
        return [
            {"repository_id": repository_id, "repository": name, **columns(lives)}
            for repository_id, name in self._names.items()
            if (lives := [life for life in self._lives if life.repository_id == repository_id])
        ]


def _life(events: list[Row], now: datetime) -> Life:
    """Walk through one issue's events, which are in order."""
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
    entered_at = opening["issue_updated_at"] if opening and _came_by_transfer(opening) else opened_at
    left_at = leaving["event_at"] if leaving else None
    last_event_at = max(
        event["issue_updated_at"] if _came_by_transfer(event) else event["event_at"] for event in events
    )
    row = {
        "repository_id": last["repository_id"],
        "repository": None,  # known once all issues are
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
    return Life(
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
    """Return one row per day on which webhook deliveries happened, over all repositories."""
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


def _week(lives: list[Life], week: datetime) -> Row:
    end = week + WEEK

    def within(moment: datetime) -> bool:
        return week <= moment < end

    def hours(moment: str, column: str) -> list[float]:
        """Return a column of the issues whose moment, or arrival if that was later, falls in the week."""
        return [
            life.row[column]
            for life in lives
            if life.left_at is None
            and life.row[moment] is not None
            and within(max(life.row[moment], life.entered_at))
        ]

    to_close = hours("closed_at", "time_to_close_hours")
    to_response = hours("first_response_at", "time_to_first_response_hours")
    return {
        "opened": sum(1 for life in lives if within(life.entered_at)),
        "closed": sum(1 for life in lives for moment in life.closes if within(moment)),
        "reopened": sum(1 for life in lives for moment in life.reopens if within(moment)),
        "backlog": sum(1 for life in lives if life.is_open(end)),
        "p50_hours_to_close": _percentile(to_close, 50),
        "p90_hours_to_close": _percentile(to_close, 90),
        "p50_hours_to_first_response": _percentile(to_response, 50),
    }


def _changes(events: list[Row]) -> Iterable[tuple[datetime, str]]:
    """Yield when the issue became closed, or open again; it began open.

    In the second of a close or reopening, what else happened may show the issue as it was before or after.
    """
    state = "open"
    turns = {event["issue_updated_at"] for event in events if _is(event, "closed", "reopened")}
    for event in events:
        new = event["issue_state"]
        if _is(event, "closed", "reopened"):
            new = "closed" if event["action"] == "closed" else "open"
        elif event["issue_updated_at"] in turns:
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
        and event["comment_author"] != event["issue_author"]  # two ghosts may be one person
        and not _is_bot(event["comment_author"], event["comment_author_type"])
    )


def _is_bot(login: str | None, kind: str | None) -> bool:
    return kind == "Bot" or (login or "").endswith("[bot]")


def _is(event: Row, *actions: str) -> bool:
    return event["event"] == "issues" and event["action"] in actions


def _order(event: Row) -> tuple[Any, ...]:
    """Return the key of the events' order; in one second `opened` is first, what turns or ends it last."""
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


def _names(lives: list[Life]) -> dict[int, str]:
    """Return each repository's name in its last event about an issue."""
    ids = sorted({life.repository_id for life in lives})
    last = {
        repository_id: max((life.last for life in lives if life.repository_id == repository_id), key=_moment)
        for repository_id in ids
    }
    return {repository_id: event["repository"] for repository_id, event in last.items()}


def _moment(event: Row) -> tuple[Any, ...]:
    return event["issue_updated_at"], event["event_at"], event["received_at"], event["delivery_id"]


def _came_by_transfer(event: Row) -> bool:
    return _is(event, "opened") and event["transferred_from_number"] is not None


def _spread(hours: Sequence[float | None]) -> Row:
    known = [hour for hour in hours if hour is not None]
    return {"n": len(known), "p50_hours": _percentile(known, 50), "p90_hours": _percentile(known, 90)}


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the continuous percentile: between two neighbours, in proportion."""
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
    """Return the row with its times as times."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
        for name, value in row.items()
        if name != "payload"
    }
