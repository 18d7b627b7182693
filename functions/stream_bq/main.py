"""stream_bq: read, shape, insert. Returning acknowledges the message; raising has it delivered again."""

import os
from datetime import UTC, datetime

import functions_framework
from cloudevents.http import CloudEvent

from pipeline import logs
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import load_at_startup
from pipeline.subscriber import receive

from .row import to_row
from .settings import Settings
from .table import Table

logs.setup()
settings = load_at_startup(lambda: Settings.from_environment(os.environ))
table = once(lambda: Table(settings().table))


@functions_framework.cloud_event
def stream_bq(push: CloudEvent) -> None:
    """Store one message from the topic as one row."""
    event = receive(push.data)
    row = to_row(event, datetime.now(UTC), store_payload=settings().store_payload)
    table().insert(row.columns, event.event_at)
    if row.payload_omitted:
        log.warning("Left the payload out", extra={"reason": row.payload_omitted})
    log.info("Stored", extra={"outcome": "stored"})
