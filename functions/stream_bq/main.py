"""stream_bq: unwrap, shape, insert. Returning acknowledges the message; raising has it delivered again."""

import os
from datetime import UTC, datetime

import functions_framework
from cloudevents.http import CloudEvent

from pipeline import logs
from pipeline.delivery import Delivery, claimed
from pipeline.events import IssueEvent
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import BigQuerySettings, at_start

from .row import to_row
from .table import Table

logs.setup()
settings = at_start(lambda: BigQuerySettings.from_environment(os.environ))
table = once(lambda: Table(settings().table))


@functions_framework.cloud_event
def stream_bq(push: CloudEvent) -> None:
    """Store one message from the topic as one row."""
    logs.begin(**claimed(push.data))
    delivery = Delivery.from_push(push.data)
    logs.bind(
        delivery_id=delivery.delivery_id,
        event=delivery.event,
        action=delivery.action,
        repository=delivery.repository,
        traceparent=delivery.traceparent,
    )
    event = IssueEvent.from_delivery(delivery)
    row = to_row(event, len(delivery.body), datetime.now(UTC), store_payload=settings().store_payload)
    table().insert(row.columns, event.event_at)
    if row.left_out:
        log.warning("Left the payload out", extra={"reason": row.left_out})
    log.info("Stored", extra={"outcome": "stored"})
