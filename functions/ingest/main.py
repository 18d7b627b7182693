"""ingest: read, verify, decide, publish, answer. A 2xx means that Pub/Sub has confirmed the delivery."""

import io
import os
import time
from datetime import UTC, datetime
from http import HTTPStatus

import flask
import functions_framework

from clients.pubsub.publisher import Publisher
from pipeline import logs
from pipeline.delivery import Delivery
from pipeline.errors import ConfigurationError, Rejected, Unavailable
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import load_at_startup

from . import signature, webhook
from .settings import Settings
from .webhook_secrets import WebhookSecrets, official_access

# GitHub waits 10: https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks
ANSWER_SECONDS = 8.0
READ_PAUSE_SECONDS = 6.0  # after a longer pause within a body, the request counts as broken off

logs.setup()
settings = load_at_startup(lambda: Settings.from_environment(os.environ))
publisher = once(lambda: Publisher(settings().topic))
secrets = once(lambda: WebhookSecrets(settings().secret, official_access(settings().secret_endpoint)))


@functions_framework.http
def ingest(request: flask.Request) -> flask.Response:
    """Answer one webhook request by the table in docs/reference.md, and never with a part of the request."""
    deadline = time.monotonic() + ANSWER_SECONDS
    logs.start_request(
        traceparent=request.headers.get("traceparent"),
        delivery_id=webhook.unverified_delivery_id(request.headers.get),
    )
    limit_read_pause(request)
    try:
        return handle(request, deadline)
    except Rejected as refusal:
        log.warning("Refused: %s", refusal, extra={"reason": refusal.reason, "status": refusal.status.value})
        return answer(refusal.status, error=refusal.reason, message=str(refusal))
    except (Unavailable, ConfigurationError) as error:
        log.error("Not accepted: %s", error, exc_info=error.__cause__, extra={"reason": error.reason})
        return answer(HTTPStatus.SERVICE_UNAVAILABLE, error=error.reason, message="Not accepted; redeliver.")
    finally:
        request.stream = io.BytesIO()  # otherwise the framework reads the rest of the body, without a cap


def handle(request: flask.Request, deadline: float) -> flask.Response:
    """Check the request, cheapest check first, and publish what it delivers."""
    if request.method != "POST":
        raise Rejected(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Only POST is served here.")
    body = webhook.read_body(request.stream, request.content_length)
    webhook.check_type(request.mimetype, request.headers.get("Content-Encoding"))
    verify(body, request.headers.get("X-Hub-Signature-256"))
    delivery = webhook.read_delivery(request.headers.get, request.mimetype, body, datetime.now(UTC))
    logs.bind(
        delivery_id=delivery.delivery_id,
        event=delivery.event,
        action=delivery.action,
        repository=delivery.repository,
    )
    if delivery.event == "ping":
        log.info("Ping answered")
        return flask.Response("pong", mimetype="text/plain")
    events = settings().events
    if events is not None and delivery.event not in events:
        log.info("Not published: EVENTS does not name this event")
        return answer(HTTPStatus.ACCEPTED, delivery_id=delivery.delivery_id, message_id=None)
    return publish(delivery, deadline)


def limit_read_pause(request: flask.Request) -> None:
    """Limit each wait for more of the body: the server does not, and a stalled client blocks a thread."""
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(READ_PAUSE_SECONDS)


def verify(body: bytes, header: str | None) -> None:
    """Raise Rejected 401 unless one of our secrets signed `body`.

    The answer is the same for a missing, a malformed and a wrong signature.
    """
    if header is not None and signature.well_formed(header):
        if signature.verify(body, header, secrets().current()):
            return
        if signature.verify(body, header, secrets().reload()):
            return
    raise Rejected(HTTPStatus.UNAUTHORIZED, "signature", "X-Hub-Signature-256 is missing or wrong.")


def publish(delivery: Delivery, deadline: float) -> flask.Response:
    """Publish and answer 202 with Pub/Sub's message id."""
    data, attributes = delivery.to_message()
    message_id = publisher().publish(data, attributes, timeout=max(deadline - time.monotonic(), 0.1))
    log.info("Published", extra={"message_id": message_id})
    return answer(HTTPStatus.ACCEPTED, delivery_id=delivery.delivery_id, message_id=message_id)


def answer(status: HTTPStatus, **fields: str | None) -> flask.Response:
    """Return a JSON answer."""
    response = flask.jsonify(fields)
    response.status_code = status
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "POST"
    return response
