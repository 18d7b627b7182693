"""stream_bq: read, shape, insert. 2xx acknowledges the message; any other answer has it delivered again."""

import os
from datetime import UTC, datetime

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from pipeline import logs
from pipeline.errors import PipelineError, Rejected
from pipeline.logs import log
from pipeline.once import once
from pipeline.request_body import BodyReader, RequestBody
from pipeline.settings import load_at_startup
from pipeline.subscriber import MAX_PUSH_BYTES, receive, unwrap

from .row import Row, to_row
from .settings import Settings
from .table import Table

BODY_SECONDS = 10.0
BODIES_BYTES = 3 * MAX_PUSH_BYTES  # of all large messages that wait or are stored, in an instance of 512 MiB

SUBSCRIPTION = "stream-bq"

logs.setup()
settings = load_at_startup(lambda: Settings.from_environment(os.environ))
table = once(lambda: Table(settings().table))
bodies = BodyReader(largest=MAX_PUSH_BYTES, seconds=BODY_SECONDS, memory=BODIES_BYTES)


@functions_framework.aio.http
async def stream_bq(request: Request) -> Response:
    """Store one message from the topic as one row."""
    logs.start_request()
    if request.method != "POST":
        return Response("Only POST is allowed", 405, {"Allow": "POST"})
    length = request.headers.get("content-length", "")
    body = RequestBody(request.receive, int(length) if length.isdecimal() else None)
    try:
        await store(body, request.headers.get("ce-type"))
    except Rejected as error:
        log.warning("Refused: %s", error, extra={"reason": error.reason})
        response = Response(str(error), error.status)
    except PipelineError:
        log.exception("Not stored")
        response = Response("Not stored", 500)
    else:
        return Response("Stored")
    await body.discard()
    if not body.ended:  # otherwise the server reads the rest, without a limit
        response.headers["Connection"] = "close"
    return response


async def store(body: RequestBody, ce_type: str | None) -> None:
    """Return once BigQuery has confirmed the row, or if the message is meant for another subscription."""
    async with bodies.read(body) as data:
        row = read(data, ce_type)
        if row is None:
            return
        del data  # only the row is kept while it waits for its insert
        await table().insert(row)
    if row.payload_omitted:
        log.warning("Left the payload out", extra={"reason": row.payload_omitted})
    log.info("Stored", extra={"outcome": "stored"})


def read(data: bytes | bytearray, ce_type: str | None) -> Row | None:
    """Return the row of a push, or None if it is meant for another subscription."""
    event = receive(unwrap(data, ce_type), SUBSCRIPTION)
    if event is None:
        return None
    return to_row(event, datetime.now(UTC), store_payload=settings().store_payload)
