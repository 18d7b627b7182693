"""stream_bq: read, shape, insert. 2xx acknowledges the message; any other answer has it delivered again."""

import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from pipeline import logs
from pipeline.errors import PipelineError, Rejected
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import load_at_startup
from pipeline.subscriber import Bodies, receive, unwrap

from .row import Row, to_row
from .settings import Settings
from .table import Table

LARGE_MESSAGES = 3  # at the same time: one takes up to 100 MiB of the instance's memory

logs.setup()
settings = load_at_startup(lambda: Settings.from_environment(os.environ))
table = once(lambda: Table(settings().table))
bodies = Bodies(large=LARGE_MESSAGES)


@functions_framework.aio.http
async def stream_bq(request: Request) -> Response:
    """Store one message from the topic as one row."""
    logs.start_request()
    if request.method != "POST":
        return Response("Only POST is allowed", 405, headers={"Allow": "POST"})
    try:
        await store(request)
    except Rejected as error:
        log.warning("Refused: %s", error, extra={"reason": error.reason})
        return Response(str(error), error.status)
    except PipelineError:
        log.exception("Not stored")
        return Response("Not stored", 500)
    return Response("Stored")


async def store(request: Request) -> None:
    """Return once BigQuery has confirmed the row."""
    async with AsyncExitStack() as held:
        row = read(await bodies.read(request.stream(), held), request.headers.get("ce-type"))
        await table().insert(row)
    if row.payload_omitted:
        log.warning("Left the payload out", extra={"reason": row.payload_omitted})
    log.info("Stored", extra={"outcome": "stored"})


def read(body: bytes, ce_type: str | None) -> Row:
    """Return the row of a push. Only the row is kept while it waits for its insert."""
    event = receive(unwrap(body, ce_type))
    return to_row(event, datetime.now(UTC), store_payload=settings().store_payload)
