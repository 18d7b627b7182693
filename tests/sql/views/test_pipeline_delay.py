"""The view pipeline_delay has the delay of the webhook's deliveries by day."""

from datetime import date, datetime, timedelta

import pytest

from ops.send import payloads
from tests.sql.cases import MONA, Case
from tests.support.messages import NOON


def test_the_delay_of_a_day(case: Case) -> None:
    """The delay runs from the event to its row, by the event's day, over the webhook's deliveries alone.

    What was recovered is counted beside them, also on a day without any delivery.
    """
    then = NOON - timedelta(days=2000)  # no other test has events on these days

    def after(seconds: float) -> datetime:
        return then + timedelta(seconds=seconds)

    def opened(number: int) -> payloads.Event:
        return case.issue(number, created_at=then).opened()

    comment = case.issue(9, is_pull_request=True, created_at=then).commented(MONA, after(60), "Nice.")
    labeled = case.issue(6, created_at=then).labeled(MONA, after(86_400), "bug")
    assigned = case.issue(8, created_at=then).assigned(MONA, after(3 * 86_400), MONA)
    case.insert(
        case.delivered(opened(1), "1", inserted_at=after(2)),
        case.delivered(opened(1), "1", received_after=9000, inserted_at=after(500_000)),
        case.delivered(opened(2), "2", inserted_at=after(4)),
        case.delivered(comment, "3", inserted_at=after(72.5)),
        case.delivered(opened(3), "4", inserted_at=after(300_000), source="backfill"),
        case.delivered(opened(4), "5", inserted_at=after(300_000), source="reconcile"),
        case.delivered(opened(5), "6", inserted_at=after(300_000), source="replay"),
        case.delivered(labeled, "7", inserted_at=after(86_401.1)),
        case.delivered(assigned, "8", inserted_at=after(300_000), source="reconcile"),
    )
    rows = case.warehouse.query(
        "SELECT * FROM ${DATASET}.pipeline_delay WHERE EXTRACT(YEAR FROM day) = 2020 ORDER BY day",
        case.dataset,
    )
    assert [tuple(row.values()) for row in rows] == [
        (date(2020, 7, 15), 3, 4.0, pytest.approx(11.65), 12.5, 1),
        (date(2020, 7, 16), 1, 1.1, 1.1, 1.1, 0),
        (date(2020, 7, 18), 0, None, None, None, 1),
    ]
