"""Messages as Pub/Sub puts them on the dead-letter topic."""

from clients.pubsub.publisher import connect
from pipeline.delivery import Delivery
from tests.support.messages import NOON

GAVE_UP = {
    "CloudPubSubDeadLetterSourceSubscription": "notify-slack",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "test",
    "CloudPubSubDeadLetterSourceDeliveryCount": "100",
    "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-01-05T12:00:00.5Z",
}


def fill(dead_topic: str, count: int, **more: str) -> None:
    """Publish to the dead-letter topic what notify-slack gave up on, with the delivery ids d-0, d-1, ..."""
    publisher = connect()
    for number in range(count):
        delivery = Delivery(
            delivery_id=f"d-{number}",
            event="issues",
            action="opened",
            repository="acme/app",
            body=b'{"issue": {"number": %d}}' % number,
            received_at=NOON,
            hook_id=5,
        )
        data, attributes = delivery.to_message()
        message = {"data": data, "attributes": attributes | GAVE_UP | more}
        publisher.publish(topic=dead_topic, messages=[message], timeout=10)
