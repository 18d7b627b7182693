"""The stubs count what a function has stored."""

import json

from google.pubsub_v1 import PublishRequest, PubsubMessage

from bench.stubs.bigquery import count_rows
from bench.stubs.pubsub import count_messages


def test_every_message_of_a_publish_is_counted() -> None:
    """A group of messages in one call counts as so many, whatever their size."""
    messages = [PubsubMessage(data=b"x" * size, attributes={"event": "issues"}) for size in (1, 200, 20_000)]
    request = PublishRequest(topic="projects/p/topics/t", messages=messages)
    assert count_messages(PublishRequest.serialize(request)) == 3


def test_every_row_of_an_insert_is_counted() -> None:
    """Rows in one call count as so many; a payload that looks like a row does not count."""
    payload = json.dumps({"json": {"json": 1}})
    rows = [{"insertId": "d", "json": {"payload": payload}}] * 2
    assert count_rows(json.dumps({"rows": rows}).encode()) == 2
