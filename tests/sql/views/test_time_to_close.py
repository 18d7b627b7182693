"""The view time_to_close has percentiles, which are computed as in every view."""

from datetime import date

import pytest

from tests.sql.cases import BOT, MONA, Case, at, picked


def test_percentiles_are_continuous(case: Case) -> None:
    """p50 and p90 are interpolated: of 10, 20, 30 and 100 hours they are 25 and 79."""
    events = []
    for number, hours in enumerate((10, 100, 20, 30)):
        issue = case.issue(number)
        events += [
            issue.opened(),
            issue.commented(MONA, at(hours=hours), "Yes."),
            issue.closed(MONA, at(hours=hours)),
        ]
    case.store(*events, case.issue(9).opened())
    close, response = case.one("time_to_close"), case.one("time_to_first_response")
    assert picked(close, "n", "p50_hours", "p90_hours") == (4, 25.0, pytest.approx(79))
    assert picked(response, "n", "p50_hours", "p90_hours") == (4, 25.0, pytest.approx(79))
    assert picked(response, "answered_within_24h", "answered_within_72h", "unanswered") == (2, 3, 1)
    assert picked(case.one("reopen_rate"), "closed_issues", "reopened_issues", "rate") == (4, 0, 0.0)
    weeks = case.weeks("p50_hours_to_close", "p90_hours_to_close", "p50_hours_to_first_response")
    assert weeks == {date(2026, 1, 5): (25.0, pytest.approx(79), 25.0)}


def test_what_was_put_aside_and_what_bots_opened(case: Case) -> None:
    """Only issues closed as completed count; the others and those of bots are counted beside them."""
    reasons = ["completed", None, "not_planned", "duplicate", "answered"]
    people = [case.issue(number) for number in range(5)]
    bots = [case.issue(number, author=BOT) for number in (8, 9)]
    events = [issue.opened() for issue in (*people, *bots)]
    events += [issue.closed(MONA, at(hours=10 * (hour + 1))) for hour, issue in enumerate(people)]
    for event, reason in zip(events[7:], reasons, strict=True):
        event.payload["issue"]["state_reason"] = reason
    events.append(bots[0].closed(MONA, at(hours=1), "not_planned"))
    case.store(*events)
    found = case.one("time_to_close")
    assert picked(found, "n", "p50_hours", "put_aside", "bot_authored") == (2, 15.0, 3, 1)
    issues = {row["issue_number"]: row["close_reason"] for row in case.ask("issues")}
    assert [issues[number] for number in range(5)] == [
        "completed",
        "completed",
        "not_planned",
        "duplicate",
        "answered",
    ]
    assert picked(case.one("time_to_first_response"), "closed_unanswered", "bot_authored") == (5, 2)
