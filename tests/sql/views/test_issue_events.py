"""The view issue_events has one row per delivery."""

from datetime import UTC, datetime, timedelta

from tests.sql.deliveries import a_row
from tests.support.messages import NOON
from tests.support.warehouse import COLUMNS, Warehouse


def test_the_view_shows_each_delivery_once(warehouse: Warehouse, dataset: str) -> None:
    """issue_events has one row per delivery, the copy received first, with all columns."""

    def later(seconds: float) -> str:
        return (NOON + timedelta(seconds=seconds)).isoformat()

    warehouse.insert(
        dataset,
        [
            a_row(delivery_id="a", received_at=later(9), sender="third"),
            a_row(delivery_id="a", received_at=later(1), sender="first"),
            a_row(delivery_id="a", received_at=later(5), sender="second"),
            a_row(delivery_id="b", received_at=later(3), inserted_at=later(8), sender="stored later"),
            a_row(delivery_id="b", received_at=later(3), inserted_at=later(4), sender="stored first"),
            a_row(delivery_id="c", received_at=later(2), inserted_at=later(3), sender="twin"),
            a_row(delivery_id="c", received_at=later(2), inserted_at=later(3), sender="twin"),
            a_row(delivery_id="d", sender="alone"),
        ],
    )
    rows = warehouse.query(
        "SELECT * FROM `${DATASET}.issue_events` WHERE LENGTH(delivery_id) = 1 ORDER BY delivery_id", dataset
    )
    assert [(row["delivery_id"], row["sender"]) for row in rows] == [
        ("a", "first"),
        ("b", "stored first"),
        ("c", "twin"),
        ("d", "alone"),
    ]
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["received_at"] == datetime(2026, 1, 5, 12, 0, 1, tzinfo=UTC)
