"""The floor of the subscribers: a function under the framework that takes a CloudEvent and does nothing."""

import functions_framework
from cloudevents.http import CloudEvent


@functions_framework.cloud_event
def event(_push: CloudEvent) -> None:
    """Acknowledge."""
