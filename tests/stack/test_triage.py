"""triage acts on the GitHub of the stack, and what it does comes back as GitHub's own deliveries."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.github.github_app import LOGIN
from local.stack.stack import Stack
from ops.send.payload_spec import PayloadSpec

pytestmark = pytest.mark.stack

PATIENCE = 60.0
ACTIONS = "SELECT result FROM `${DATASET}.triage_actions` WHERE delivery_id = '%s'"
ROWS = "SELECT event_at FROM `${DATASET}.issue_events` WHERE delivery_id = '%s'"


@pytest.fixture
def old_hook(stack: Stack) -> Iterator[None]:
    """Have a webhook of the repository beside the App's."""
    config = {"url": stack.ingest_url, "content_type": "json", "secret": stack.webhook_secret}
    github = stack.github.github
    github.host("acme/app")
    hook = github.hooks.create("acme/app", {"events": ["issues", "issue_comment"], "config": config})
    yield
    github.hooks.by_place["acme/app"].pop(hook["id"])


def until(condition: Callable[[], Any]) -> None:
    """Return once the condition is true, for a minute at most."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.usefixtures("old_hook")
def test_two_webhooks_double_nothing(stack: Stack) -> None:
    """The App's webhook and an old one deliver an event under one GUID: one row, one card and one action."""
    spec = PayloadSpec(repository="acme/app", number=501, title="Please triage this")
    guid, _ = stack.github.act(spec)

    def lines(function: str, field: str) -> list[dict[str, Any]]:
        found = stack.log_lines(function)
        return [line for line in found if line.get("delivery_id") == guid and field in line]

    until(lambda: all(len(lines(name, "outcome")) == 2 for name in ("notify_slack", "stream_bq")))
    until(lambda: len(lines("triage", "result")) == 2)
    assert sorted(line["outcome"] for line in lines("notify_slack", "outcome")) == [
        "already_handled",
        "posted",
    ]
    assert sorted(line["result"] for line in lines("triage", "result")) == ["done", "present"]
    assert len(stack.query(ROWS % guid)) == 1
    until(lambda: len(stack.query(ACTIONS % guid)) == 2)
    events = stack.github.github.repository("acme/app").events_of(501)
    assert [each["actor"]["login"] for each in events if each["event"] == "labeled"] == [LOGIN]
    cards = [
        message
        for message in stack.slack.messages
        if message.metadata and guid in message.metadata["event_payload"].get("deliveries", ())
    ]
    assert len(cards) == 1
    until(lambda: "triaged" in str(cards[0].blocks))
