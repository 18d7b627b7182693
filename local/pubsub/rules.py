"""What the local Pub/Sub refuses: malformed names, values past the limits, and what it does not imitate.

Limits and names: https://cloud.google.com/pubsub/quotas and https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names.
"""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import Message
from google.pubsub_v1 import types

from local.grpc_server import Refused

MAX_REQUEST_BYTES = 10_000_000
MAX_MESSAGES = 1_000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1_024
MAX_DEADLINE = 600
LONGEST_BACKOFF = timedelta(seconds=600)

_ID = r"(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}"
_NAMES = {kind: re.compile(rf"projects/[^/]+/{kind}/{_ID}") for kind in ("topics", "subscriptions")}
_IMITATED = {
    "topic": {"name", "labels", "message_retention_duration"},
    "subscription": {
        *("name", "topic", "labels", "state", "push_config", "dead_letter_policy", "retry_policy"),
        *("ack_deadline_seconds", "expiration_policy", "message_retention_duration"),
    },
    "push_config": {"push_endpoint"},
    "message": {"data", "attributes", "message_id", "publish_time"},
}


def invalid(detail: str) -> Refused:
    """Return the refusal of a value that the service never accepts."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, detail)


def check_name(kind: str, name: str) -> None:
    """Refuse a full name whose id is malformed or under 3 letters; kind: topics or subscriptions."""
    if not _NAMES[kind].fullmatch(name):
        raise invalid(f"Invalid [{kind}] name: (name={name})")


def check_topic(topic: types.Topic) -> None:
    """Refuse a topic with a malformed name or a setting that is not imitated."""
    check_name("topics", topic.name)
    _check_imitated("topic", types.Topic.pb(topic))


def check_subscription(spec: types.Subscription) -> None:
    """Refuse a subscription that the service would refuse, or that has a setting that is not imitated."""
    check_name("subscriptions", spec.name)
    _check_imitated("subscription", types.Subscription.pb(spec))
    _check_imitated("push_config", types.PushConfig.pb(spec.push_config))
    if not 10 <= spec.ack_deadline_seconds <= MAX_DEADLINE:
        raise invalid(f"ack_deadline_seconds is {spec.ack_deadline_seconds}; it must be 10 to {MAX_DEADLINE}")
    if spec.push_config.push_endpoint:
        _check_endpoint(spec.push_config.push_endpoint)
    if "dead_letter_policy" in spec:
        check_name("topics", spec.dead_letter_policy.dead_letter_topic)
        attempts = spec.dead_letter_policy.max_delivery_attempts
        if not 5 <= attempts <= 100:
            raise invalid(f"max_delivery_attempts is {attempts}; it must be 5 to 100")
        if not spec.push_config.push_endpoint:
            raise _not_imitated("dead_letter_policy", "pull subscription")
    shortest, longest = spec.retry_policy.minimum_backoff, spec.retry_policy.maximum_backoff
    if not timedelta() <= shortest <= longest <= LONGEST_BACKOFF:
        raise invalid(f"the backoff of {shortest} to {longest} is not in order or not within 0 to 600 s")


def check_publish(request: types.PublishRequest) -> None:
    """Refuse a request that is empty, too large, or holds a message that the service would refuse."""
    if not 1 <= len(request.messages) <= MAX_MESSAGES:
        raise invalid(f"{len(request.messages)} messages in one request; it must be 1 to {MAX_MESSAGES}")
    size = types.PublishRequest.pb(request).ByteSize()
    if size > MAX_REQUEST_BYTES:
        raise invalid(f"the request has {size} bytes; the limit is {MAX_REQUEST_BYTES}")
    for message in request.messages:
        _check_message(message)


def _check_message(message: types.PubsubMessage) -> None:
    _check_imitated("message", types.PubsubMessage.pb(message))
    attributes = message.attributes
    if not message.data and not attributes:
        raise invalid("Some messages are empty: a message needs data or at least one attribute")
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(f"the message has {len(attributes)} attributes; the limit is {MAX_ATTRIBUTES}")
    for key, value in attributes.items():
        if len(key.encode()) > MAX_KEY_BYTES:
            raise invalid(f"the attribute key {key[:20]!r}... is over {MAX_KEY_BYTES} bytes")
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise invalid(f"the value of attribute {key!r} is over {MAX_VALUE_BYTES} bytes")


def _check_endpoint(endpoint: str) -> None:
    try:
        url = urlsplit(endpoint)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[\x21-\x7e]+", endpoint):
        raise invalid(f"Unsupported push_endpoint: {endpoint!r} is not an http or https address")


def _check_imitated(kind: str, value: Message) -> None:
    extra = sorted({field.name for field, _ in value.ListFields()} - _IMITATED[kind])
    if extra:
        raise _not_imitated(", ".join(extra), kind)


def _not_imitated(what: str, kind: str) -> Refused:
    return Refused(grpc.StatusCode.UNIMPLEMENTED, f"the local stand-in does not imitate {what} of a {kind}")
