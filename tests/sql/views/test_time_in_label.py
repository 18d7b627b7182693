"""The view time_in_label adds up the time for which an issue carries a label while it is open."""

from typing import Any

from tests.sql.cases import MONA, OCTAVIA, Case, at
from tests.support.messages import NOON


def labels(case: Case, **options: Any) -> dict[str, tuple[float, Any]]:
    """Return hours and open_since of each label."""
    rows = case.ask("time_in_label", **options)
    return {row["label"]: (row["hours"], row["open_since"]) for row in rows}


def test_labels_of_an_open_issue(case: Case) -> None:
    """A label counts until it is removed, or until now; each event shows all labels, so none is lost."""
    issue = case.issue(labels=["bug"])
    opened = issue.opened()
    issue.labeled(MONA, at(hours=1), "lost")  # not delivered
    case.store(
        opened,
        issue.commented(MONA, at(hours=4), "Hello"),
        issue.labeled(MONA, at(hours=10), "help"),
        issue.unlabeled(MONA, at(hours=12), "bug"),
        issue.labeled(MONA, at(hours=20), "bug"),
    )
    now = 28 * 24.0
    assert labels(case) == {
        "bug": (12 + now - 20, at(hours=20)),
        "lost": (now - 4, at(hours=4)),
        "help": (now - 10, at(hours=10)),
    }


def test_closed_time_is_left_out(case: Case) -> None:
    """Time in which the issue is closed is in no label, and open_since is then the reopening."""
    issue = case.issue(labels=["bug"])
    case.store(
        issue.opened(),
        issue.closed(MONA, at(hours=10)),
        issue.labeled(MONA, at(hours=20), "wontfix"),
        issue.unlabeled(MONA, at(hours=25), "wontfix"),
        issue.reopened(OCTAVIA, at(hours=30)),
    )
    assert labels(case) == {"bug": (10 + 28 * 24.0 - 30, at(hours=30)), "wontfix": (0, None)}


def test_a_close_whose_delivery_is_lost(case: Case) -> None:
    """A close that only a later event shows ends the time at its closed_at."""
    issue = case.issue(labels=["bug"])
    opened = issue.opened()
    issue.closed(MONA, at(hours=10))
    case.store(opened, issue.commented(MONA, at(hours=50), "Thanks."))
    assert labels(case) == {"bug": (10, None)}


def test_a_departure_ends_it(case: Case) -> None:
    """A deletion and a transfer end the time here; the arrival begins it there, and knows nothing before."""
    gone, moved = case.issue(1, labels=["bug"]), case.issue(2, labels=["help"])
    opened = moved.opened()
    leaves, arrives, there = moved.moved(MONA, at(hours=20), case.other, 5)
    arrives.payload["issue"]["labels"] = opened.payload["issue"]["labels"]
    case.store(
        gone.opened(),
        (gone.deleted(MONA, at(hours=7)), at(hours=7)),
        opened,
        (leaves, at(hours=20)),
    )
    case.insert(case.delivered(arrives, "there"))
    assert there.number == 5
    assert labels(case) == {"bug": (7, None), "help": (20, None)}
    assert labels(case, repository=case.other) == {"help": (28 * 24.0 - 20, at(hours=20))}


def test_an_issue_first_seen_with_a_label(case: Case) -> None:
    """A label that was there before the first event counts from that event on."""
    issue = case.issue(labels=["bug"])
    case.store(issue.commented(MONA, at(days=20), "Hello"))
    assert labels(case) == {"bug": (8 * 24.0, at(days=20))}


def test_a_label_from_the_opening_on(case: Case) -> None:
    """A label that the opening shows counts from the opening."""
    case.store(case.issue(labels=["bug"]).opened())
    assert labels(case) == {"bug": (28 * 24.0, NOON)}
