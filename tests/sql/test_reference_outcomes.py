"""The reference in Python has what really happened to the issues of the random years."""

from collections import defaultdict
from typing import Any

import pytest

from tests.sql.issue_cast import BOTS
from tests.sql.issue_lives import NOW, a_year
from tests.sql.issue_outcome import Outcome
from tests.sql.reference_history import hours
from tests.sql.reference_metrics import reference_of

SEEDS = range(24)

Row = dict[str, Any]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_equals_what_happened(seed: int) -> None:
    """If everything was delivered, the reference has what really happened to the issues."""
    year = a_year(seed)
    reference = reference_of(year.rows, year.cast.file, NOW)
    issues = {(row["repository_id"], row["issue_number"]): row for row in reference.issues()}
    in_label: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in reference.time_in_label():
        in_label[row["repository_id"], row["issue_number"]].append(row)
    certain = {key: outcome for key, outcome in year.outcomes.items() if outcome.is_certain}
    assert len(certain) >= 5
    for issue, outcome in certain.items():
        expected = what_happened(outcome)
        assert {name: issues[issue][name] for name in expected} == expected, issue
        if outcome.are_labels_certain:
            found = {row["label"]: row["hours"] for row in in_label[issue]}
            assert found == {label: hours(spent) for label, spent in outcome.time_in_labels(NOW).items()}
            since = {row["label"]: row["open_since"] for row in in_label[issue] if row["open_since"]}
            assert since == (outcome.label_since if outcome.state == "open" else {}), issue


def what_happened(outcome: Outcome) -> Row:
    """Return the outcome as the view `issues` shows it."""
    open_for = outcome.open_for
    if outcome.open_since:
        open_for += (outcome.left_at or NOW) - outcome.open_since
    is_closed = outcome.closed_at is not None
    is_ours = outcome.state == "open" and outcome.author not in BOTS
    since = outcome.waiting_since if is_ours else None
    return {
        "state": outcome.state,
        "opened_at": outcome.opened_at,
        "closed_at": outcome.closed_at,
        "close_reason": (outcome.reason or "completed") if is_closed else None,
        "first_closed_at": outcome.first_closed_at,
        "reopen_count": outcome.reopen_count,
        "first_response_at": outcome.first_response_at,
        "first_team_response_at": outcome.first_team_response_at,
        "closed_unanswered": outcome.state == "closed" and outcome.first_response_at is None,
        "waiting_since": since,
        "waiting_on_us": since is not None,
        "left_at": outcome.left_at,
        "open_hours": hours(open_for),
        "left_censored": False,
    }
