"""Topics and subscriptions of the stand-in, with Pub/Sub's limits."""

import json

import pytest

from tests.deploy.cloud.client import AGENT, DOMAIN, PROJECT, account, binding, send, subscription, topic
from tests.deploy.cloud.state import members_of

EVENTS = f"projects/{PROJECT}/topics/github-events"


def test_a_topic_is_created_once_and_changed(ready):
    """A second topic of the same name is a conflict; a field mask names what changes."""
    assert send(ready, "PUT", topic("github-events"), {})[0] == 409
    change = {"topic": {"messageRetentionDuration": "259200s"}, "updateMask": "messageRetentionDuration"}
    assert send(ready, "PATCH", topic("github-events"), change)[0] == 200
    assert ready.state.topics["github-events"]["messageRetentionDuration"] == "259200s"


def test_a_subscription_keeps_messages_until_they_are_acknowledged(ready):
    """A subscription keeps its messages until they are acknowledged or it is deleted."""
    send(ready, "PUT", subscription("stream-bq"), {"topic": EVENTS})
    send(ready, "POST", f"{topic('github-events')}:publish", {"messages": [{"data": "aGVsbG8="}]})
    (pulled,) = send(ready, "POST", f"{subscription('stream-bq')}:pull", {})[1]["receivedMessages"]
    assert pulled["message"]["data"] == "aGVsbG8="
    assert len(ready.state.backlog["stream-bq"]) == 1
    send(ready, "POST", f"{subscription('stream-bq')}:acknowledge", {"ackIds": [pulled["ackId"]]})
    assert ready.state.backlog["stream-bq"] == []
    assert send(ready, "DELETE", subscription("stream-bq"))[0] == 200
    assert ready.state.subscriptions == {}


def test_a_subscription_takes_an_endpoint_and_a_policy(ready):
    """A pull subscription becomes a push subscription; then it cannot be pulled from."""
    send(ready, "PUT", subscription("stream-bq"), {"topic": EVENTS})
    token = {"serviceAccountEmail": f"push-fn@{DOMAIN}", "audience": "https://stream-bq.a.run.app"}
    push = {"pushEndpoint": "https://stream-bq.a.run.app/", "oidcToken": token}
    change = {"subscription": {"pushConfig": push}, "updateMask": "pushConfig"}
    assert send(ready, "PATCH", subscription("stream-bq"), change)[0] == 200
    assert ready.state.subscriptions["stream-bq"]["pushConfig"] == push
    assert send(ready, "POST", f"{subscription('stream-bq')}:pull", {})[0] == 400
    body = binding("roles/pubsub.subscriber", f"serviceAccount:{AGENT}")
    assert send(ready, "POST", f"{subscription('stream-bq')}:setIamPolicy", body)[0] == 200
    policy = ready.state.policies[f"projects/{PROJECT}/subscriptions/stream-bq"]
    assert members_of(policy, "roles/pubsub.subscriber") == {f"serviceAccount:{AGENT}"}
    missing = binding("roles/pubsub.subscriber", account("ingest-fn"))
    assert send(ready, "POST", f"{subscription('missing')}:setIamPolicy", missing)[0] == 404


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 200),
        ({"ackDeadlineSeconds": 9}, 400),
        ({"ackDeadlineSeconds": 601}, 400),
        ({"topic": f"projects/{PROJECT}/topics/missing"}, 404),
        ({"deadLetterPolicy": {"deadLetterTopic": f"projects/{PROJECT}/topics/missing"}}, 404),
        ({"deadLetterPolicy": {"deadLetterTopic": "EVENTS", "maxDeliveryAttempts": 5}}, 200),
        ({"deadLetterPolicy": {"deadLetterTopic": "EVENTS", "maxDeliveryAttempts": 4}}, 400),
        ({"deadLetterPolicy": {"deadLetterTopic": "EVENTS", "maxDeliveryAttempts": 101}}, 400),
        ({"pushConfig": {"pushEndpoint": "http://notify-slack.a.run.app/"}}, 400),
        (
            {
                "pushConfig": {
                    "pushEndpoint": "https://x.app/",
                    "oidcToken": {"serviceAccountEmail": "no@x.y"},
                }
            },
            400,
        ),
        ({"retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "601s"}}, 400),
        ({"messageRetentionDuration": "300s"}, 400),
        ({"expirationPolicy": {"ttl": "3600s"}}, 400),
    ],
)
def test_a_subscription_outside_pubsubs_limits_is_refused(ready, settings, status):
    """Deadlines, attempts, backoff, retention and push endpoints have Pub/Sub's limits."""
    events = f"projects/{PROJECT}/topics/github-events"
    body = json.loads(json.dumps({"topic": events} | settings).replace('"EVENTS"', f'"{events}"'))
    assert send(ready, "PUT", subscription("notify-slack"), body)[0] == status
    assert ("notify-slack" in ready.state.subscriptions) == (status == 200)
