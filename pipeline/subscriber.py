"""What every subscriber does first with a push: bind the log fields, unwrap the message, read the event.

`unwrap` comes before it where the function gets the body as it was posted, in either envelope.
"""

import json
from http import HTTPStatus
from typing import Any

from pipeline import logs
from pipeline.delivery import Delivery, addressee, read_body, unverified_ids
from pipeline.errors import Malformed, Rejected
from pipeline.events import IssueEvent, issue_number, parse_payload
from pipeline.logs import log

MAX_PUSH_BYTES = 15 * 1024 * 1024  # Pub/Sub's 10,000,000 bytes are 13,333,336 in base64
CLOUD_EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def receive(push: object, subscription: str) -> IssueEvent | None:
    """Return the event of a push body or of a CloudEvent's data, and bind its log fields to this request.

    `subscription` is the caller's own, such as stream-bq. Returns None for a replay that is meant for another
    one: the log says so, and the caller acknowledges it.

    Raises Malformed if it is not a message of ours. Its log line then carries what the message does name.
    """
    logs.start_request(**unverified_ids(push))
    only = addressee(push)
    if only is not None and not names(only, subscription):
        logs.bind(issue=unverified_issue(push))
        log.info("Not for this subscription", extra={"reason": "meant_for_another", "only": only})
        return None
    try:
        delivery = Delivery.from_push(push)
    except Malformed:
        logs.bind(issue=unverified_issue(push))
        raise
    logs.bind(
        delivery_id=delivery.delivery_id,
        event=delivery.event,
        action=delivery.action,
        repository=delivery.repository,
        traceparent=delivery.traceparent,
    )
    event = IssueEvent.from_delivery(delivery)
    logs.bind(issue=event.issue.number if event.issue else None)
    return event


def unverified_issue(push: object) -> int | None:
    """Return the number of the issue in a push body's data, for the log if the rest cannot be read."""
    message = push.get("message") if isinstance(push, dict) else None
    message = message if isinstance(message, dict) else {}
    attributes = message.get("attributes")
    encoding = attributes.get("content_encoding") if isinstance(attributes, dict) else None
    try:
        return issue_number(parse_payload(read_body(message.get("data"), encoding)))
    except Malformed:
        return None


def names(only: str, subscription: str) -> bool:
    """Return whether the attribute `only` names this subscription, with or without a deployment's prefix."""
    return only == subscription or only.endswith(f"-{subscription}")


def unwrap(body: bytes | bytearray, ce_type: str | None) -> dict[str, Any]:
    """Return {"message": {...}, ...} from the body of a raw push, or of a binary CloudEvent of this type.

    `ce_type` is the header ce-type. Raises Rejected if the body has no Pub/Sub message.
    Shapes: https://cloud.google.com/pubsub/docs/push#receive_push, https://github.com/googleapis/google-cloudevents
    """
    if ce_type not in {None, CLOUD_EVENT_TYPE}:
        raise Rejected(HTTPStatus.BAD_REQUEST, "event_type_unknown", f"ce-type is not {CLOUD_EVENT_TYPE}.")
    try:
        push: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected(HTTPStatus.BAD_REQUEST, "push_not_json", "The body is not JSON.") from error
    message = push.get("message") if isinstance(push, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("messageId"), str):
        raise Rejected(HTTPStatus.BAD_REQUEST, "message_missing", "The body has no Pub/Sub message.")
    if ce_type is None and not isinstance(push.get("subscription"), str):
        raise Rejected(HTTPStatus.BAD_REQUEST, "subscription_missing", "The push names no subscription.")
    return {"message": message}
