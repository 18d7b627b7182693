"""ingest: read, verify, decide, publish, answer. A 2xx means that Pub/Sub has confirmed the delivery."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from clients.pubsub.publisher import Publisher
from pipeline import logs
from pipeline.delivery import MAX_BODY_BYTES, Delivery
from pipeline.errors import ConfigurationError, Rejected, Unavailable
from pipeline.logs import log
from pipeline.once import once_async
from pipeline.request_body import BodyReader, RequestBody
from pipeline.settings import load_at_startup

from . import signature, webhook
from .settings import Settings
from .webhook_secrets import WebhookSecrets, official_access

# GitHub waits 10: https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks
ANSWER_SECONDS = 8.0
BODY_SECONDS = 6.0
BODIES_BYTES = 80 * 1024 * 1024  # of all large bodies that are being handled, in an instance of 512 MiB
LONG_BYTES = 1024 * 1024  # a longer body is parsed and packed in a thread, so that others do not wait for it

logs.setup()
settings = load_at_startup(lambda: Settings.from_environment(os.environ))
bodies = BodyReader(largest=MAX_BODY_BYTES, seconds=BODY_SECONDS, memory=BODIES_BYTES)


@once_async
async def publisher() -> Publisher:
    """Return the publisher of this process."""
    return await Publisher.open(settings().topic)


@once_async
async def secrets() -> WebhookSecrets:
    """Return the secrets of this process."""
    return WebhookSecrets(settings().secret, await official_access(settings().secret_endpoint))


def pass_on_every_method() -> None:
    """Have the framework pass every method to the function.

    It would answer TRACE and unknown methods itself, and name methods in Allow that this function refuses.
    """
    framework: Any = functions_framework.aio
    framework_route = framework.Route

    def route(path: str, endpoint: Any, methods: list[str]) -> Any:
        made = framework_route(path, endpoint=endpoint, methods=methods)
        made.methods = None
        return made

    framework.Route = route


pass_on_every_method()


@functions_framework.aio.http
async def ingest(request: Request) -> Response:
    """Answer one webhook request by the table in docs/reference.md, and never with a part of the request."""
    deadline = time.monotonic() + ANSWER_SECONDS
    header = webhook.header_reader(request.scope["headers"])
    body = RequestBody(request.receive, webhook.announced_bytes(header))
    logs.start_request(traceparent=header("traceparent"), delivery_id=webhook.unverified_delivery_id(header))
    try:
        return await handle_in_time(request.method, header, body, deadline)
    except Rejected as refusal:
        await body.discard()
        log.warning("Refused: %s", refusal, extra={"reason": refusal.reason, "status": refusal.status.value})
        response = answer(refusal.status, error=refusal.reason, message=str(refusal))
    except (Unavailable, ConfigurationError) as error:
        await body.discard()
        log.error("Not accepted: %s", error, exc_info=error.__cause__, extra={"reason": error.reason})
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        response = answer(unavailable, error=error.reason, message="Not accepted; redeliver.")
    if not body.ended:  # otherwise the server reads the rest, without a limit
        response.headers["Connection"] = "close"
    return response


async def handle_in_time(method: str, header: webhook.Header, body: RequestBody, deadline: float) -> Response:
    """Handle the request. Raises Unavailable if its steps, each within its limit, take too long together."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS + 0.5):
            return await handle(method, header, body, deadline)
    except TimeoutError as error:
        raise Unavailable("answer_late", "The answer was not ready in time.") from error


async def handle(method: str, header: webhook.Header, body: RequestBody, deadline: float) -> Response:
    """Check the request, cheapest check first, and publish what it delivers."""
    if method != "POST":
        raise Rejected(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Only POST is served here.")
    bodies.check_size(body.announced)
    webhook.check_framing(header)
    try:
        webhook.check_type(header)
        if not signature.well_formed(header("X-Hub-Signature-256")):
            raise wrong_signature()
    except Rejected:
        await body.discard()
        bodies.check_size(body.received)
        raise
    async with bodies.read(body) as data:
        await verify(data, header("X-Hub-Signature-256") or "")
        return await accept(header, data, deadline)


async def verify(body: bytes | bytearray, header: str) -> None:
    """Raise Rejected 401 unless one of our secrets signed `body`."""
    ours = await secrets()
    if signature.verify(body, header, await ours.current()):
        return
    if signature.verify(body, header, await ours.reload()):
        return
    raise wrong_signature()


def wrong_signature() -> Rejected:
    """Return the one answer to a missing, a malformed and a wrong signature."""
    return Rejected(HTTPStatus.UNAUTHORIZED, "signature", "X-Hub-Signature-256 is missing or wrong.")


async def accept(header: webhook.Header, body: bytes | bytearray, deadline: float) -> Response:
    """Answer a verified delivery: a ping with pong, and everything else once it is published."""
    if len(body) > LONG_BYTES:
        delivery = await asyncio.to_thread(webhook.read_delivery, header, bytes(body), datetime.now(UTC))
    else:
        delivery = webhook.read_delivery(header, bytes(body), datetime.now(UTC))
    logs.bind(
        delivery_id=delivery.delivery_id,
        event=delivery.event,
        action=delivery.action,
        repository=delivery.repository,
        issue=delivery.issue,
    )
    if delivery.event == "ping":
        log.info("Ping answered")
        return Response("pong", media_type="text/plain")
    events = settings().events
    if events is not None and delivery.event not in events:
        log.info("Not published: EVENTS does not name this event")
        return answer(HTTPStatus.ACCEPTED, delivery_id=delivery.delivery_id, message_id=None)
    return await publish(delivery, deadline)


async def publish(delivery: Delivery, deadline: float) -> Response:
    """Publish and answer 202 with Pub/Sub's message id."""
    if len(delivery.body) > LONG_BYTES:
        data, attributes = await asyncio.to_thread(delivery.to_message)
    else:
        data, attributes = delivery.to_message()
    ours = await publisher()
    message_id = await ours.publish(data, attributes, max(deadline - time.monotonic(), 0.1))
    log.info("Published", extra={"message_id": message_id})
    return answer(HTTPStatus.ACCEPTED, delivery_id=delivery.delivery_id, message_id=message_id)


def answer(status: HTTPStatus, **fields: str | None) -> Response:
    """Return a JSON answer."""
    content = json.dumps(fields, separators=(",", ":")) + "\n"
    headers = {"Allow": "POST"} if status == HTTPStatus.METHOD_NOT_ALLOWED else None
    return Response(content, status, headers, "application/json")
