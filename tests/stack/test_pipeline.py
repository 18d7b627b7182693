"""A delivery passes from the webhook to Slack and BigQuery, also when a service fails."""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from clients.pubsub.publisher import connect
from functions.ingest.signature import sign
from local.slack.message import Message
from local.stack.options import DATASET
from local.stack.stack import Stack
from local.stack.topics import PROJECT, TOPIC
from ops.__main__ import ops
from ops.send import accounts, payloads
from tests.support.messages import an_issue

pytestmark = pytest.mark.stack

PATIENCE = 60.0


class Sender:
    """Sends deliveries as GitHub does and finds their cards, rows and log lines."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def send(self, event: payloads.Event, delivery_id: str, **headers: str) -> requests.Response:
        """Sign and post one delivery."""
        body = json.dumps(event.payload).encode()
        signed = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event.name,
            "X-GitHub-Delivery": delivery_id,
            "X-Hub-Signature-256": sign(body, self.stack.webhook_secret.encode()),
        }
        return requests.post(self.stack.ingest_url, data=body, headers={**signed, **headers}, timeout=30)

    def cards(self, delivery_id: str) -> list[Message]:
        """Return the cards whose metadata names the delivery."""
        return [
            message
            for message in self.stack.slack.messages
            if message.metadata and delivery_id in message.metadata["event_payload"].get("deliveries", ())
        ]

    def rows(self, delivery_id: str) -> list[dict[str, Any]]:
        """Return the delivery's rows in the view."""
        where = f"WHERE delivery_id = '{delivery_id}'"
        return self.stack.query(f"SELECT * FROM `${{DATASET}}.issue_events` {where}")

    def closed(self, function: str, delivery_id: str) -> list[dict[str, Any]]:
        """Return the function's log lines that close a message of the delivery."""
        return [line for line in self.stack.handled(function) if line["delivery_id"] == delivery_id]


@pytest.fixture
def github_sends(stack: Stack) -> Sender:
    """Return a sender to the stack."""
    return Sender(stack)


@pytest.fixture
def delivery_id() -> str:
    """Return a GUID that no other test uses."""
    return str(uuid.uuid4())


def eventually[T](ask: Callable[[], T]) -> T:
    """Call `ask` until it returns something, for a minute at most, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "nothing arrived"
        time.sleep(0.1)
    return answer


def test_an_opened_issue_becomes_a_card_and_a_row(github_sends: Sender, delivery_id: str) -> None:
    """A signed delivery is accepted and becomes one Slack card and one BigQuery row."""
    answer = github_sends.send(an_issue(title="Export <fails>").opened(), delivery_id)
    assert answer.status_code == 202
    assert answer.json()["delivery_id"] == delivery_id
    card = eventually(lambda: github_sends.cards(delivery_id))[0]
    assert "Export &lt;fails&gt;" in json.dumps(card.blocks)
    row = eventually(lambda: github_sends.rows(delivery_id))[0]
    assert (row["issue_title"], row["issue_state"], row["source"]) == ("Export <fails>", "open", "webhook")
    assert row["received_at"] <= row["inserted_at"]


def test_the_same_delivery_twice_is_one_row_and_one_card(github_sends: Sender, delivery_id: str) -> None:
    """GitHub's redelivery is accepted and adds neither a card nor a row."""
    event = an_issue(number=8).opened()
    assert [github_sends.send(event, delivery_id).status_code for _ in range(2)] == [202, 202]
    for function in ("notify_slack", "stream_bq"):
        eventually(lambda name=function: len(github_sends.closed(name, delivery_id)) >= 2)
    assert len(github_sends.cards(delivery_id)) == 1
    assert len(github_sends.rows(delivery_id)) == 1


def test_one_trace_and_one_issue_cover_all_three_functions(github_sends: Sender, delivery_id: str) -> None:
    """A query by trace or by issue shows the delivery in ingest and in both subscribers."""
    trace = uuid.uuid4().hex
    traceparent = f"00-{trace}-00f067aa0ba902b7-01"
    github_sends.send(an_issue(number=9).opened(), delivery_id, traceparent=traceparent)
    eventually(lambda: github_sends.closed("notify_slack", delivery_id))
    eventually(lambda: github_sends.closed("stream_bq", delivery_id))
    for function in ("ingest", "notify_slack", "stream_bq"):
        lines = [
            line for line in github_sends.stack.log_lines(function) if line.get("delivery_id") == delivery_id
        ]
        assert {(line.get("trace"), line.get("issue")) for line in lines} == {(trace, 9)}, function


def test_why_says_what_each_function_did(
    github_sends: Sender, delivery_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command `why` finds the row and the log lines of an issue, and says why it has no card."""
    stack = github_sends.stack
    bot = accounts.Account(login="renovate[bot]", type="Bot")
    github_sends.send(an_issue(number=77, author=bot).opened(), delivery_id)
    for function in ("notify_slack", "stream_bq"):
        eventually(lambda name=function: github_sends.closed(name, delivery_id))
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", stack.bigquery_url)
    arguments = ["why", "acme/app#77", "--project", PROJECT, "--dataset", DATASET, "--json"]
    arguments += ["--file", str(stack.options.routes), "--logs", str(stack.folder)]
    found = json.loads(CliRunner().invoke(ops, arguments).stdout)
    [delivery] = found["deliveries"]
    assert delivery["delivery_id"] == delivery_id
    log = {line["function"]: line for line in delivery["log"]}
    assert {"ingest", "notify_slack", "stream_bq"} <= log.keys()
    muted = "everything: the author 'renovate[bot]' is muted by *[bot]"
    assert (log["notify_slack"]["why"], delivery["why_no_card"], found["has_card"]) == (muted, muted, False)


def test_a_bigquery_outage_delays_only_the_row(github_sends: Sender, delivery_id: str) -> None:
    """While BigQuery is stopped, a delivery is accepted and its card is posted; the row follows later."""
    github_sends.stack.children["bigquery"].stop()
    try:
        assert github_sends.send(an_issue(number=10).opened(), delivery_id).status_code == 202
        eventually(lambda: github_sends.cards(delivery_id))
        assert github_sends.closed("stream_bq", delivery_id) == []
    finally:
        github_sends.stack.children["bigquery"].start()
        github_sends.stack.wait_for_port("bigquery")
    eventually(lambda: github_sends.closed("stream_bq", delivery_id))
    assert len(github_sends.rows(delivery_id)) == 1
    assert len(github_sends.cards(delivery_id)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 429, "headers": {"Retry-After": "1"}}, id="rate limit"),
        pytest.param({"status": 500}, id="internal error"),
        pytest.param({"drop": True}, id="no answer"),
    ],
)
def test_a_slack_outage_delays_only_the_card(
    github_sends: Sender, delivery_id: str, fault: dict[str, Any]
) -> None:
    """While Slack fails, the row is stored; once Slack is back, the card is posted exactly once."""
    github_sends.stack.slack.fail_until_cleared(**fault)
    assert github_sends.send(an_issue(number=11).opened(), delivery_id).status_code == 202
    eventually(lambda: github_sends.rows(delivery_id))
    asked = len(github_sends.stack.slack.requests)
    eventually(lambda: len(github_sends.stack.slack.requests) > asked)
    assert github_sends.cards(delivery_id) == []
    github_sends.stack.slack.clear_faults()
    eventually(lambda: github_sends.closed("notify_slack", delivery_id))
    assert len(github_sends.cards(delivery_id)) == 1


def test_a_forged_delivery_reaches_no_subscriber(github_sends: Sender, delivery_id: str) -> None:
    """A delivery with a wrong signature is refused, and neither subscriber receives it."""
    forged = "sha256=" + "0" * 64
    event = an_issue(number=12).opened()
    assert github_sends.send(event, delivery_id, **{"X-Hub-Signature-256": forged}).status_code == 401
    later = str(uuid.uuid4())
    github_sends.send(event, later)
    eventually(lambda: github_sends.closed("stream_bq", later))
    eventually(lambda: github_sends.closed("notify_slack", later))
    assert github_sends.rows(delivery_id) == []
    assert github_sends.cards(delivery_id) == []


def test_a_malformed_message_does_not_delay_others(github_sends: Sender, delivery_id: str) -> None:
    """A malformed message on the topic is refused at each attempt, and the next delivery still arrives."""
    connect(emulator=github_sends.stack.pubsub_host).publish(
        topic=f"projects/{PROJECT}/topics/{TOPIC}", messages=[{"data": b"\x00 not ours"}], timeout=10
    )
    github_sends.send(an_issue(number=13).opened(), delivery_id)
    eventually(lambda: github_sends.cards(delivery_id))
    eventually(lambda: github_sends.rows(delivery_id))
    for function in ("notify_slack", "stream_bq"):
        reasons = {line.get("reason") for line in github_sends.stack.log_lines(function)}
        assert "delivery_id_missing" in reasons


def test_the_workspace_has_the_channels_and_people_of_the_routes_file(github_sends: Sender) -> None:
    """The local workspace has the channels and people that the routes file names."""
    delivery_id = str(uuid.uuid4())
    issue = an_issue(number=4712, repository=accounts.Repository(full_name="acme/docs"))
    issue.assignees.append(accounts.Account(login="mona"))
    assert github_sends.send(issue.opened(), delivery_id).status_code == 202
    eventually(lambda: len(github_sends.cards(delivery_id)) == 2)
    cards = github_sends.cards(delivery_id)
    assert {card.channel for card in cards} == {"C0123456789", "C0000000002"}
    assert all("<@U0123456789>" in str(card.blocks) for card in cards)
    page = requests.get(github_sends.stack.slack.console_url, timeout=30).text
    assert "@mona" in page
    assert "# docs" in page


def test_a_lost_pubsub_is_made_again(github_sends: Sender, delivery_id: str) -> None:
    """Google's emulator, started again after it was killed, has its topics and subscriptions."""
    stack = github_sends.stack
    if "pubsub" not in stack.children:
        pytest.skip("needs java and Google's Pub/Sub emulator")
    os.kill(stack.children["pubsub"].pid, signal.SIGKILL)
    stack.restart("pubsub")
    assert github_sends.send(an_issue(number=21).opened(), delivery_id).status_code == 202
    eventually(lambda: github_sends.cards(delivery_id))
    eventually(lambda: github_sends.rows(delivery_id))
