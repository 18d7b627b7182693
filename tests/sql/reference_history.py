"""The history of one issue in plain Python, from its events: when it was answered, closed, reopened and left.

It is written from the definitions, not from the SQL; reference_metrics.py counts the histories.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.sql.reference_labels import LabelClock, label_clock
from tests.sql.reference_people import People
from tests.sql.reference_words import first_response, waiting_since

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An issue became open or closed; `at` is never before the change that precedes it.

    `is_reported`: by an event that is about the state, and not only shown by another one. If `reopened` is
    the first known event, nothing before it is known: it is reported, and is no change.
    """

    at: datetime
    state: str
    is_reported: bool
    is_change: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueHistory:
    """One issue: its row of the view `issues`, and what the weekly counts need besides."""

    repository_id: int
    row: Row
    entered_at: datetime  # when it was opened in this repository, or came to it
    left_at: datetime | None  # when it was deleted or transferred
    changes: list[Change]  # when it became open or closed, in order
    last_event_at: datetime
    active_at: list[datetime]  # the times of its events other than the opening
    label_clock: LabelClock

    def reported(self, state: str) -> list[datetime]:
        """Return the times at which an event reported that it became open, or closed."""
        return [change.at for change in self.changes if change.state == state and change.is_reported]

    def is_open(self, moment: datetime) -> bool:
        """Return whether it was open, and in this repository, just before `moment`."""
        if moment <= self.entered_at or (self.left_at is not None and self.left_at < moment):
            return False
        state = "open"
        for change in self.changes:
            if change.at < moment and change.is_change:
                state = change.state
        return state == "open"


def issue_history(
    events: list[Row], ended_at: datetime | None, people: People, now: datetime
) -> IssueHistory | None:
    """Return the history of one issue from its events, which are in order; None for a mere pull request.

    `ended_at` is when the repository was deleted.
    """
    opened_at = min(event["issue_created_at"] for event in events)
    arrivals = [event["issue_updated_at"] for event in events if _is_arrival(event)]
    entered_at = min(arrivals, default=opened_at)
    if ended_at is not None and entered_at > ended_at:
        ended_at = None  # the repository was restored before
    if ended_at is not None:
        events = [event for event in events if event["issue_updated_at"] <= ended_at]
    leaving = next((event for event in events if _is_departure(event)), None)
    if leaving is not None:
        events = events[: events.index(leaving) + 1]
    if all(event["is_pull_request"] for event in events):
        return None
    last = events[-1]
    changes = list(_changes(events, opened_at))
    state = next((change.state for change in reversed(changes) if change.is_change), "open")
    known_closes = [event["issue_closed_at"] for event in events if event["issue_closed_at"]]
    closed_at = max(known_closes) if state == "closed" else None
    left_at, left_as = None, None
    if leaving is not None:
        left_at, left_as = leaving["event_at"], leaving["action"]
        if leaving["is_pull_request"]:
            left_as = "transferred"
    elif ended_at is not None and state == "open":
        left_at, left_as = ended_at, "deleted"
    turns = [(change.at, change.state) for change in changes if change.is_change]
    end = max([left_at or now, opened_at, *(change.at for change in changes)])
    response_at, team_response_at, is_known = first_response(events, people)
    is_bot_authored = people.is_bot(last["issue_author"], last["issue_author_type"])
    since = None
    if (left_as or state) == "open" and not is_bot_authored:
        since = waiting_since(events, opened_at, people)
    last_event_at = max(
        event["issue_updated_at"] if _is_arrival(event) else event["event_at"] for event in events
    )
    row = {
        "repository_id": last["repository_id"],
        "repository": None,  # set when all issues are known
        "issue_number": last["issue_number"],
        "title": last["issue_title"],
        "url": last["issue_url"],
        "state": left_as or state,
        "state_reason": last["issue_state_reason"],
        "close_reason": _close_reason(events) if closed_at else None,
        "author": last["issue_author"],
        "author_type": last["issue_author_type"],
        "labels": last["issue_labels"],
        "assignees": last["issue_assignees"],
        "milestone": last["issue_milestone"],
        "opened_at": opened_at,
        "entered_at": entered_at,
        "left_at": left_at,
        "last_event_at": last_event_at,
        "first_response_at": response_at,
        "first_team_response_at": team_response_at,
        "first_closed_at": min(known_closes, default=None),
        "closed_at": closed_at,
        "reopen_count": sum(1 for change in changes if change.state == "open" and change.is_reported),
        "open_hours": hours(_time_open(opened_at, changes, end)),
        "time_to_first_response_hours": span(opened_at, response_at) if response_at and not left_at else None,
        "time_to_close_hours": span(opened_at, closed_at) if closed_at and not left_at else None,
        "closed_unanswered": closed_at is not None and left_at is None and is_known and response_at is None,
        "waiting_on_us": since is not None,
        "waiting_since": since,
        "is_bot_authored": is_bot_authored,
        "left_censored": not any(_is(event, "opened") for event in events),
        "response_unknown": not is_known,
    }
    return IssueHistory(
        repository_id=last["repository_id"],
        row=row,
        entered_at=entered_at,
        left_at=left_at and max([left_at, *(change.at for change in changes)]),
        changes=changes,
        last_event_at=last_event_at,
        active_at=[event["event_at"] for event in events if not _is(event, "opened")],
        label_clock=label_clock(events, opened_at, turns, end),
    )


def _changes(events: list[Row], opened_at: datetime) -> Iterable[Change]:
    """Yield the times at which the issue was closed or reopened; it starts open.

    In the second of a close or reopening, other events may show the issue as it was before or after. In the
    second of a `status_changed` only it counts, unless there is a close or reopening too.
    """
    at = opened_at
    state = None
    for event, new, is_about_state in _states(events):
        second = event["issue_updated_at"]
        if new != (state or "open"):
            at = max(at, event["issue_closed_at"] if new == "closed" else second)
            yield Change(at=at, state=new, is_reported=is_about_state)
        elif state is None and _is(event, "reopened"):
            at = max(at, second)
            yield Change(at=at, state="open", is_reported=True, is_change=False)
        state = new


def _states(events: list[Row]) -> Iterable[tuple[Row, str, bool]]:
    """Yield the events that say what the state is, the state, and whether the event is about the state."""
    explicit = {event["issue_updated_at"] for event in events if _is(event, "closed", "reopened")}
    by_status = {event["issue_updated_at"] for event in events if _is(event, "status_changed")} - explicit
    for event in events:
        second = event["issue_updated_at"]
        if event["is_pull_request"]:
            continue
        if _is(event, "closed", "reopened"):
            yield event, "closed" if event["action"] == "closed" else "open", True
        elif second not in explicit and (second not in by_status or _is(event, "status_changed")):
            yield event, event["issue_state"], _is(event, "status_changed")


def _close_reason(events: list[Row]) -> str:
    """Return the reason that the last event about, or with, the state gives."""
    *_, (last, _, _) = _states(events)
    return last["issue_state_reason"] or "completed"


def _time_open(opened_at: datetime, changes: list[Change], end: datetime) -> timedelta:
    total, since = timedelta(), opened_at
    state = "open"
    for change in changes:
        if not change.is_change:
            continue
        if change.state == "closed":
            total += change.at - since
        since, state = change.at, change.state
    return total + (end - since) if state == "open" else total


def _is(event: Row, *actions: str) -> bool:
    return event["event"] == "issues" and event["action"] in actions


def sort_key(event: Row) -> tuple[Any, ...]:
    """Return the sort key of an event; in one second `opened` is first, changes of state are last."""
    rank = 1
    if _is(event, "opened"):
        rank = 0
    elif _is_departure(event):
        rank = 3
    elif _is(event, "closed", "reopened", "status_changed"):
        rank = 2
    return event["issue_updated_at"], event["event_at"], rank, event["received_at"], event["delivery_id"]


def _is_departure(event: Row) -> bool:
    return event["is_pull_request"] or _is(event, "deleted", "transferred")


def _is_arrival(event: Row) -> bool:
    return _is(event, "opened") and event["transferred_from_number"] is not None


def span(begin: datetime, end: datetime) -> float:
    """Return the hours between the two, 0 if the end is before the beginning."""
    return hours(max(end - begin, timedelta()))


def hours(length: timedelta) -> float:
    """Return the length in hours."""
    return length // timedelta(microseconds=1) / 3_600_000_000
