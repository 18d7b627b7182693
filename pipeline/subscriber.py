"""What every subscriber does first with a push: bind the log fields, unwrap the message, read the event.

`unwrap` comes before it where the function gets the body as it was posted, in either envelope.
"""

import json
from http import HTTPStatus
from typing import Any

from pipeline import logs
from pipeline.delivery import Delivery, unverified_ids
from pipeline.errors import Rejected
from pipeline.events import IssueEvent

MAX_PUSH_BYTES = 15 * 1024 * 1024  # Pub/Sub's 10,000,000 bytes are 13,333,336 in base64
CLOUD_EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def receive(push: object) -> IssueEvent:
    """Return the event of a push body or of a CloudEvent's data, and bind its log fields to this request.

    Raises Malformed if it is not a message of ours. Its log line then carries the ids that the message names.
    """
    logs.start_request(**unverified_ids(push))
    delivery = Delivery.from_push(push)
    logs.bind(
        delivery_id=delivery.delivery_id,
        event=delivery.event,
        action=delivery.action,
        repository=delivery.repository,
        traceparent=delivery.traceparent,
    )
    return IssueEvent.from_delivery(delivery)


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
