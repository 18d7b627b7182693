"""Pub/Sub: topics, subscriptions and their policies, with Pub/Sub's limits."""

from typing import Any

from tests.deploy.cloud.fields import apply_mask, page_of, unwrap_mask
from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.policies import serve_policies
from tests.deploy.cloud.pubsub_limits import (
    check_name,
    check_subscription,
    check_topic,
    require_topic,
    topic_name,
)
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["pubsub"]

pubsub = Routes("pubsub.googleapis.com", api="pubsub.googleapis.com")

_FIXED = {"name", "topic", "filter", "enableMessageOrdering"}  # cannot be changed


@pubsub.on("GET", "/v1/projects/{project}/topics")
def list_topics(state: State, request: Request) -> Any:
    """List the topics."""
    page, more = page_of(list(state.topics.values()), request.query)
    return ({"topics": page} if page else {}) | more


@pubsub.on("PUT", "/v1/projects/{project}/topics/{topic}")
def create_topic(state: State, request: Request, topic: str) -> Any:
    """Create a topic."""
    check_name(topic)
    if topic in state.topics:
        raise ApiError(409, f"Resource already exists in the project (resource={topic}).")
    new = request.body | {"name": f"projects/{state.project}/topics/{topic}"}
    check_topic(new)
    state.topics[topic] = new
    return new


@pubsub.on("GET", "/v1/projects/{project}/topics/{topic}")
def describe_topic(state: State, _: Request, topic: str) -> Any:
    """Show a topic."""
    topic_name(state, topic)
    return state.topics[topic]


@pubsub.on("PATCH", "/v1/projects/{project}/topics/{topic}")
def update_topic(state: State, request: Request, topic: str) -> Any:
    """Change a topic."""
    topic_name(state, topic)
    paths = unwrap_mask(request.body.get("updateMask"))
    new = apply_mask(state.topics[topic], request.body.get("topic", {}), paths)
    check_topic(new)
    state.topics[topic] = new
    return new


@pubsub.on("DELETE", "/v1/projects/{project}/topics/{topic}")
def delete_topic(state: State, _: Request, topic: str) -> Any:
    """Delete a topic; its subscriptions stay and receive no more messages."""
    name = topic_name(state, topic)
    del state.topics[topic]
    state.policies.pop(name, None)
    for subscription in state.subscriptions.values():
        if subscription["topic"] == name:
            subscription["topic"] = "_deleted-topic_"
    return {}


@pubsub.on("POST", "/v1/projects/{project}/topics/{topic}:publish")
def publish(state: State, request: Request, topic: str) -> Any:
    """Add each message to every subscription of the topic."""
    name = topic_name(state, topic)
    published = [
        message | {"messageId": str(state.next_number()), "publishTime": now()}
        for message in request.body.get("messages", [])
    ]
    for key, subscription in state.subscriptions.items():
        if subscription["topic"] == name:
            state.backlog[key].extend({"ackId": f"{key}-{m['messageId']}", "message": m} for m in published)
    return {"messageIds": [message["messageId"] for message in published]}


@pubsub.on("GET", "/v1/projects/{project}/topics/{topic}/subscriptions")
def list_subscriptions_of(state: State, _: Request, topic: str) -> Any:
    """List the names of a topic's subscriptions."""
    name = topic_name(state, topic)
    return {"subscriptions": [s["name"] for s in state.subscriptions.values() if s["topic"] == name]}


@pubsub.on("GET", "/v1/projects/{project}/subscriptions")
def list_subscriptions(state: State, request: Request) -> Any:
    """List the subscriptions."""
    page, more = page_of(list(state.subscriptions.values()), request.query)
    return ({"subscriptions": page} if page else {}) | more


@pubsub.on("PUT", "/v1/projects/{project}/subscriptions/{subscription}")
def create_subscription(state: State, request: Request, subscription: str) -> Any:
    """Create a subscription."""
    check_name(subscription)
    if subscription in state.subscriptions:
        raise ApiError(409, f"Resource already exists in the project (resource={subscription}).")
    defaults = {
        "pushConfig": {},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {"ttl": "2678400s"},
    }
    new = defaults | request.body
    new |= {"name": f"projects/{state.project}/subscriptions/{subscription}", "state": "ACTIVE"}
    require_topic(state, new.get("topic", ""))
    check_subscription(state, new)
    state.subscriptions[subscription] = new
    return new


@pubsub.on("GET", "/v1/projects/{project}/subscriptions/{subscription}")
def describe_subscription(state: State, _: Request, subscription: str) -> Any:
    """Show a subscription."""
    _subscription_name(state, subscription)
    return state.subscriptions[subscription]


@pubsub.on("PATCH", "/v1/projects/{project}/subscriptions/{subscription}")
def update_subscription(state: State, request: Request, subscription: str) -> Any:
    """Change a subscription."""
    _subscription_name(state, subscription)
    paths = unwrap_mask(request.body.get("updateMask"))
    if fixed := sorted(_FIXED & set(paths)):
        raise ApiError(400, f"Invalid update_mask provided in the UpdateSubscriptionRequest: {fixed[0]}.")
    new = apply_mask(state.subscriptions[subscription], request.body.get("subscription", {}), paths)
    check_subscription(state, new)
    state.subscriptions[subscription] = new
    return new


@pubsub.on("POST", "/v1/projects/{project}/subscriptions/{subscription}:modifyPushConfig")
def modify_push(state: State, request: Request, subscription: str) -> Any:
    """Replace the push settings; empty settings make it a pull subscription."""
    _subscription_name(state, subscription)
    new = state.subscriptions[subscription] | {"pushConfig": request.body.get("pushConfig", {})}
    check_subscription(state, new)
    state.subscriptions[subscription] = new
    return {}


@pubsub.on("DELETE", "/v1/projects/{project}/subscriptions/{subscription}")
def delete_subscription(state: State, _: Request, subscription: str) -> Any:
    """Delete a subscription with its messages."""
    state.policies.pop(_subscription_name(state, subscription), None)
    del state.subscriptions[subscription]
    state.backlog.pop(subscription, None)
    return {}


@pubsub.on("POST", "/v1/projects/{project}/subscriptions/{subscription}:pull")
def pull(state: State, request: Request, subscription: str) -> Any:
    """Return messages, which stay until they are acknowledged."""
    _subscription_name(state, subscription)
    if state.subscriptions[subscription].get("pushConfig", {}).get("pushEndpoint"):
        raise ApiError(400, "This method is not supported for this subscription type.", "FAILED_PRECONDITION")
    messages = state.backlog[subscription][: int(request.body.get("maxMessages", 1))]
    return {"receivedMessages": messages} if messages else {}


@pubsub.on("POST", "/v1/projects/{project}/subscriptions/{subscription}:acknowledge")
def acknowledge(state: State, request: Request, subscription: str) -> Any:
    """Remove messages."""
    _subscription_name(state, subscription)
    gone = set(request.body.get("ackIds", []))
    state.backlog[subscription] = [m for m in state.backlog[subscription] if m["ackId"] not in gone]
    return {}


@pubsub.on("POST", "/v1/projects/{project}/subscriptions/{subscription}:seek")
def seek(state: State, request: Request, subscription: str) -> Any:
    """Record that the subscription was moved back or forward."""
    _subscription_name(state, subscription)
    state.seeks.append((subscription, request.body))
    return {}


def _subscription_name(state: State, subscription: str) -> str:
    if subscription not in state.subscriptions:
        raise ApiError(404, f"Resource not found (resource={subscription}).")
    return f"projects/{state.project}/subscriptions/{subscription}"


serve_policies(pubsub, "/v1/projects/{project}/topics/{topic}", "topic", topic_name)
serve_policies(
    pubsub, "/v1/projects/{project}/subscriptions/{subscription}", "subscription", _subscription_name
)
