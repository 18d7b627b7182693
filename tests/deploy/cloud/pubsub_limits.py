"""Pub/Sub's limits for topics and subscriptions: names, durations, attempts, endpoints."""

import re
from typing import Any

from tests.deploy.cloud.fields import seconds
from tests.deploy.cloud.messages import ApiError
from tests.deploy.cloud.policies import require_account
from tests.deploy.cloud.state import State

__all__ = ["check_name", "check_subscription", "check_topic", "require_topic", "topic_name"]

_NAME = re.compile(r"(?!goog)[A-Za-z][\w.~+%-]{2,254}", re.ASCII)
_MINUTE, _DAY = 60, 86_400


def topic_name(state: State, topic: str) -> str:
    """Return the full name of a topic; 404 if it does not exist."""
    if topic not in state.topics:
        raise ApiError(404, f"Resource not found (resource={topic}).")
    return f"projects/{state.project}/topics/{topic}"


def require_topic(state: State, name: str) -> None:
    """Refuse the full name of a topic that does not exist."""
    topic_name(state, name.removeprefix(f"projects/{state.project}/topics/"))


def check_name(name: str) -> None:
    """Refuse a name that Pub/Sub does not accept."""
    if not _NAME.fullmatch(name):
        raise ApiError(400, f"Invalid resource name given (name={name}).")


def check_topic(topic: dict[str, Any]) -> None:
    """Refuse settings of a topic that are out of bounds."""
    if "messageRetentionDuration" in topic:
        _within(topic["messageRetentionDuration"], "message_retention_duration", 10 * _MINUTE, 31 * _DAY)


def check_subscription(state: State, new: dict[str, Any]) -> None:
    """Refuse settings of a subscription that are out of bounds, and set the defaults."""
    if not 10 <= new.get("ackDeadlineSeconds", 10) <= 600:
        raise ApiError(400, f"Invalid ack deadline given: {new['ackDeadlineSeconds']}; 10 to 600 seconds.")
    retention = _within(
        new["messageRetentionDuration"], "message_retention_duration", 10 * _MINUTE, 31 * _DAY
    )
    ttl = new.get("expirationPolicy", {}).get("ttl")
    if ttl is not None and seconds(ttl, "ttl") < max(_DAY, retention):
        raise ApiError(400, "The expiration ttl must be at least a day and not below the retention.")
    if "deadLetterPolicy" in new:
        require_topic(state, new["deadLetterPolicy"].get("deadLetterTopic", ""))
        attempts = new["deadLetterPolicy"].setdefault("maxDeliveryAttempts", 5)
        if not 5 <= attempts <= 100:
            raise ApiError(400, f"max_delivery_attempts must be between 5 and 100, not {attempts}.")
    if "retryPolicy" in new:
        _check_backoff(new["retryPolicy"])
    _check_push(state, new.get("pushConfig", {}))


def _check_backoff(policy: dict[str, Any]) -> None:
    shortest = _within(policy.setdefault("minimumBackoff", "10s"), "minimum_backoff", 0, 600)
    if _within(policy.setdefault("maximumBackoff", "600s"), "maximum_backoff", 0, 600) < shortest:
        raise ApiError(400, "maximum_backoff must not be below minimum_backoff.")


def _check_push(state: State, push: dict[str, Any]) -> None:
    endpoint = push.get("pushEndpoint", "")
    if endpoint and not re.fullmatch(r"https://[\w.-]+(?::\d+)?(?:[/?]\S*)?", endpoint):
        raise ApiError(
            400, f'Invalid push endpoint given (endpoint={endpoint}). It must start with "https://".'
        )
    token = push.get("oidcToken", {})
    if token and not endpoint:
        raise ApiError(400, "An OIDC token needs a push endpoint.")
    if "serviceAccountEmail" in token:
        require_account(state, token["serviceAccountEmail"])


def _within(duration: Any, field: str, least: int, most: int) -> float:
    value = seconds(duration, field)
    if not least <= value <= most:
        raise ApiError(400, f"Invalid {field}: {duration}; {least}s to {most}s.")
    return value
