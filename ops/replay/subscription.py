"""The one subscription that a replay is for: it must exist, and Pub/Sub can deliver to it again by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from google.pubsub_v1 import SubscriberClient

from clients.pubsub import subscriptions
from ops.cli import confirm
from ops.settings import subscription_of


def check_subscription(topic: str, name: str) -> None:
    """Raise ClickException unless it is a subscription of the topic: no one would read the replay."""
    with _client() as client:
        _check(client, topic, name)


def seek_subscription(topic: str, name: str, since: datetime, *, yes: bool) -> None:
    """Ask, and have Pub/Sub deliver to the subscription again what it received since then."""
    with _client() as client:
        _check(client, topic, name)
        click.echo(
            f"{name} gets again what Pub/Sub received from {since:%Y-%m-%d %H:%M:%S} UTC on, and still has.\n"
            f"What it was sent before then and has not acknowledged is dropped.",
            err=True,
        )
        confirm(f"Seek {name}?", yes=yes)
        subscriptions.seek(client, subscription_of(topic, name), since)


def _check(client: SubscriberClient, topic: str, name: str) -> None:
    subscription = subscription_of(topic, name)
    if subscriptions.topic_of(client, subscription) != topic:
        raise click.ClickException(f"{subscription} is not a subscription of {topic}")


@contextmanager
def _client() -> Iterator[SubscriberClient]:
    client = subscriptions.connect()
    try:
        yield client
    finally:
        client.transport.close()  # type: ignore[no-untyped-call]
