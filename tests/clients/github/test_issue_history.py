"""An issue's history, rebuilt backwards and forwards from what the REST API gives."""

import copy
from typing import Any

import pytest

from pipeline.errors import Malformed
from tests.clients.github.histories import (
    BOT,
    MONA,
    after,
    bodies,
    history_of,
    hosted,
    names,
    rebuild,
    row,
    text_after,
)
from tests.support.messages import NOON, an_issue


def test_labels_of_the_first_second_are_on_the_opened_issue() -> None:
    """Labels given at the opening are events of the same second: the opened issue has them."""
    repository = hosted(an_issue(labels=["bug", "ui"]).opened())
    rebuilt = rebuild(repository)
    assert names(rebuilt) == ["issues.opened", "issues.labeled", "issues.labeled"]
    assert row(rebuilt[0])["issue_labels"] == ["bug", "ui"]


def test_each_change_is_reverted() -> None:
    """Each snapshot has the title, labels, assignees, milestone and lock of its time."""
    issue = an_issue()
    repository = hosted(issue.opened(), issue.labeled(MONA, after(hours=1), "bug"))
    by, milestone = MONA.as_json(), {"title": "1.0"}
    assignment = {"assignee": by, "assigner": BOT.as_json()}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("renamed", {"rename": {"from": "Export fails", "to": "Export is empty"}}),
        ("unlabeled", {"label": {"name": "bug", "color": "d73a4a"}}),
        ("milestoned", {"milestone": milestone}),
        ("assigned", assignment),
        ("unassigned", assignment),
        ("locked", {"lock_reason": "spam"}),
        ("demilestoned", {"milestone": milestone}),
        ("unlocked", {}),
    ]
    for hour, (kind, extra) in enumerate(changes, 2):
        repository.add_event(7, kind, by, text_after(hours=hour), **extra)
    rebuilt = bodies(
        rebuild(repository, history_of(repository, title="Export is empty", labels=[{"name": "ui"}]))
    )
    assert [each["action"] for each in rebuilt][2:] == [
        *("edited", "unlabeled", "milestoned", "assigned", "unassigned", "locked", "demilestoned", "unlocked")
    ]
    assert [each["issue"]["title"] for each in rebuilt] == ["Export fails"] * 2 + ["Export is empty"] * 8
    labels = [[label["name"] for label in each["issue"]["labels"]] for each in rebuilt]
    assert labels == [["ui"], *[["ui", "bug"]] * 2, *[["ui"]] * 7]
    assert [bool(each["issue"]["milestone"]) for each in rebuilt] == [False] * 4 + [True] * 4 + [False] * 2
    assert [len(each["issue"]["assignees"]) for each in rebuilt] == [0] * 5 + [1] + [0] * 4
    assert [each["issue"]["locked"] for each in rebuilt] == [False] * 7 + [True] * 2 + [False]
    assert rebuilt[2]["changes"] == {"title": {"from": "Export fails"}}
    assert rebuilt[5]["sender"]["login"] == BOT.login
    assert rebuilt[5]["assignee"]["login"] == MONA.login


def test_a_close_without_an_event_is_rebuilt() -> None:
    """An imported issue may be closed without an event: it closes at its closed_at, with a stable id."""
    repository = hosted(an_issue().opened())
    closed = text_after(days=3)
    history = history_of(
        repository, state="closed", state_reason="completed", closed_at=closed, closed_by=MONA.as_json()
    )
    rebuilt = rebuild(repository, history)
    assert names(rebuilt) == ["issues.opened", "issues.closed"]
    assert row(rebuilt[1])["event_at"] == "2026-01-08T12:00:00.000000Z"
    assert (row(rebuilt[1])["issue_state_reason"], row(rebuilt[1])["sender"]) == ("completed", "mona")
    assert "closed_by" not in bodies(rebuilt)[1]["issue"]
    touched = history_of(repository, **{**history.issue, "updated_at": text_after(days=9)})
    assert [each.delivery_id for each in rebuild(repository, touched)] == [
        each.delivery_id for each in rebuilt
    ]


def test_a_reopening_without_an_event_is_rebuilt() -> None:
    """An open issue whose last event is a close was reopened; each run gives the same id."""
    issue = an_issue()
    repository = hosted(issue.opened(), issue.closed(MONA, after(days=1)))
    first = rebuild(repository, history_of(repository, state="open", updated_at=text_after(days=2)))
    second = rebuild(repository, history_of(repository, state="open", updated_at=text_after(days=5)))
    assert names(first) == ["issues.opened", "issues.closed", "issues.reopened"]
    assert [each.delivery_id for each in first] == [each.delivery_id for each in second]
    lagging = history_of(repository, state="open", updated_at=text_after())
    assert names(rebuild(repository, lagging)) == ["issues.opened", "issues.closed"]


def test_later_events_are_left_to_the_webhook() -> None:
    """Events in or after the second of the reading are left out: the issue may not show them yet."""
    issue = an_issue()
    opened = issue.opened()
    repository = hosted(
        opened, issue.closed(MONA, after(hours=2)), issue.commented(MONA, after(hours=3), "x")
    )
    repository.issues[7] = opened.payload["issue"]
    assert names(rebuild(repository, history_of(repository, read_at=after(hours=2)))) == ["issues.opened"]
    assert rebuild(repository, history_of(repository, read_at=NOON)) == []


def test_later_events_do_not_hide_a_missing_close() -> None:
    """An imported, closed issue that is reopened while the events are read has its close."""
    repository = hosted(an_issue().opened())
    repository.add_event(7, "reopened", MONA.as_json(), text_after(days=9))
    closed = {"state": "closed", "closed_at": text_after(days=3)}
    rebuilt = rebuild(repository, history_of(repository, read_at=after(days=8), **closed))
    assert names(rebuilt) == ["issues.opened", "issues.closed"]


def test_a_comment_comes_before_the_close_of_the_same_second() -> None:
    """Closing with a comment is one second: the comment comes first, and received_at keeps that order."""
    issue = an_issue()
    repository = hosted(
        issue.opened(), issue.commented(MONA, after(hours=1), "Done"), issue.closed(MONA, after(hours=1))
    )
    rebuilt = rebuild(repository)
    assert names(rebuilt)[1:] == ["issue_comment.created", "issues.closed"]
    assert [each.received_at for each in rebuilt] == sorted({each.received_at for each in rebuilt})


@pytest.mark.parametrize("broken", [{"created_at": None}, {"created_at": "soon"}, {"id": None}])
def test_an_event_without_time_or_id_is_refused(broken: dict[str, Any]) -> None:
    """An event that has no place in the history is an error."""
    issue = an_issue()
    repository = hosted(issue.opened(), issue.labeled(MONA, after(hours=1), "bug"))
    repository.events[-1] = copy.deepcopy(repository.events[-1]) | broken
    with pytest.raises(Malformed) as caught:
        rebuild(repository)
    assert caught.value.reason == "history_malformed"
