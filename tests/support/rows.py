"""The rows that stream_bq stores of made-up events."""

import json
from datetime import datetime
from typing import Any

from functions.stream_bq.row import to_row
from ops.send import payloads
from pipeline.delivery import Delivery, Source
from pipeline.events import IssueEvent


def stored(
    made: payloads.Event,
    delivery_id: str,
    received_at: datetime,
    *,
    source: Source = "webhook",
    with_payload: bool = True,
) -> dict[str, Any]:
    """Return the row of a delivery."""
    body = json.dumps(made.payload).encode()
    delivery = Delivery(
        delivery_id=delivery_id, event=made.name, body=body, received_at=received_at, source=source, hook_id=5
    )
    event = IssueEvent.from_delivery(delivery)
    return to_row(event, received_at, store_payload=with_payload).columns
