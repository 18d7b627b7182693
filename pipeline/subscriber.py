"""What every subscriber does first with a push: bind the log fields, unwrap the message, read the event."""

from pipeline import logs
from pipeline.delivery import Delivery, unverified_ids
from pipeline.events import IssueEvent


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
