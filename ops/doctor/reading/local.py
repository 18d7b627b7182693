"""Reads the running make serve: its functions, its subscriptions, and its parts as the cloud's are read."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from clients.pubsub import subscriptions
from ops.doctor.facts import Part
from ops.doctor.finding import NotChecked
from ops.doctor.reading.bigquery import read_bigquery
from ops.doctor.reading.configuration import Configuration
from ops.doctor.reading.ingest import read_ingest, read_status
from ops.doctor.reading.slack import read_slack
from ops.local_stack import LocalStack
from ops.settings import subscription_of
from pipeline.errors import Unavailable
from pipeline.settings import RotatingToken

RESTART = "make serve"
ANOTHER = 'make serve ARGS="--slack-token-file slack-token.txt"'


def read_local(stack: LocalStack, found: Configuration, show: Callable[[str], None]) -> Iterator[object]:
    """Yield every fact about the running stack."""
    yield from found.files
    show("ingest")
    yield from read_ingest(stack.ingest_url, secret=stack.webhook_secret, restart=RESTART)
    for name, url in stack.subscriptions.items():
        status = read_status(url)
        yield Part(
            name=f"function {name}", problem="does not answer" if status is None else None, fix=RESTART
        )
    show("Pub/Sub")
    yield from _read_subscriptions(stack)
    show("BigQuery")
    fix = f"./issuewire schema apply --local --project {stack.project} --dataset {stack.dataset}"
    yield from read_bigquery(stack.project, stack.dataset, fix, found.team, is_local=True)
    show("Slack")
    yield from _read_slack(stack, found)


def _read_slack(stack: LocalStack, found: Configuration) -> Iterator[object]:
    try:
        token = RotatingToken(name="SLACK_TOKEN", file=Path(stack.slack_token_file)).read()
    except Unavailable as error:
        yield NotChecked(what="Slack", why=str(error), fix=RESTART)
        return
    yield from read_slack(
        stack.slack_url, token, found.channels, fix=ANOTHER, shows_pictures=found.shows_pictures
    )


def _read_subscriptions(stack: LocalStack) -> Iterator[object]:
    topic = f"projects/{stack.project}/topics/{stack.topic}"
    try:
        client = subscriptions.connect()
    except Unavailable as error:
        yield NotChecked(what="Pub/Sub", why=str(error), fix=RESTART)
        return
    for name, url in chain(stack.subscriptions.items(), [(f"{stack.topic}-dead-hold", "")]):
        expected = (topic, url) if url else (f"{topic}-dead", "")
        try:
            of, endpoint = subscriptions.delivery_of(client, subscription_of(topic, name))
        except Unavailable as error:
            yield Part(name=f"subscription {name}", problem=f"cannot be read: {error}", fix=RESTART)
            continue
        is_right = of == expected[0] and (endpoint.startswith(expected[1]) if url else not endpoint)
        problem = None if is_right else f"delivers {of} to {endpoint or 'no one'}"
        yield Part(name=f"subscription {name}", problem=problem, fix=RESTART)
