"""The demo: send the scenario to the running stack, show the outcome, and balance the ledger."""

import json
import textwrap
import time
from datetime import UTC, datetime
from functools import partial

import requests

from local.demo import digest, triage
from local.demo.ledger import balance
from local.demo.scenario import Step, scenario
from local.slack.message import Message
from local.slack.rendering.terminal import as_text
from local.stack.stack import Stack
from local.terminal import Terminal
from ops.send import payloads
from ops.send.target import Target, post

SETTLE_SECONDS = 60.0

ROWS = """
SELECT FORMAT_TIMESTAMP('%a %H:%M', event_at) AS `at`, CONCAT(repository, '#', issue_number) AS issue,
  CONCAT(event, '.', action) AS event, sender, issue_state AS state,
  ARRAY_TO_STRING(issue_labels, ', ') AS labels
FROM `${DATASET}.issue_events` ORDER BY event_at, received_at
"""

NUMBERS = """
SELECT repository, issue_number, title, state, reopen_count AS reopened,
  ROUND(time_to_first_response_hours, 1) AS first_response_hours, ROUND(time_to_close_hours, 1) AS close_hours
FROM `${DATASET}.issues` ORDER BY repository, issue_number
"""


def run(stack: Stack, terminal: Terminal) -> bool:
    """Send the scenario and print its outcome; return whether the ledger balances."""
    steps = scenario(datetime.now(UTC))
    terminal.title(f"Deliveries to {stack.ingest_url}")
    answers = [deliver(stack, terminal, step) for step in steps]
    published = sum(answer.status_code == 202 for answer in answers)
    wait_for_subscribers(stack, terminal, published + triage.DONE)
    show_cards(stack, terminal, [step.delivery_id for step in steps])
    terminal.title("What the rules of local/demo/triage.toml did at the local GitHub")
    terminal.table(stack.query(triage.ACTIONS))
    terminal.title("BigQuery: the view issue_events")
    rows = stack.query(ROWS)
    terminal.table(rows)
    terminal.title("First numbers, in hours")
    terminal.table(stack.query(NUMBERS))
    terminal.title("Who waits for an answer")
    terminal.table(stack.query(digest.WAITING))
    ledger = balance(stack, steps, answers, len(rows))
    terminal.title("Slack: the digest of the last day")
    posted = digest.post(stack)
    for message in posted:
        terminal.line(textwrap.indent(as_text(message, width=min(100, terminal.width - 4)), "  "))
    terminal.title("Ledger")
    for entry in ledger:
        terminal.ledger(*entry)
    return len(posted) == 1 and all(entry.found == entry.expected for entry in ledger)


def deliver(stack: Stack, terminal: Terminal, step: Step) -> requests.Response:
    """Let one step happen at GitHub, unless it is forged or repeated, send it, and print its answer."""
    if not (step.forged or step.repeats or step.is_ping):
        stack.github.store(payloads.Event(name=step.name, payload=json.loads(step.body)))
    secret = "a guess" if step.forged else stack.webhook_secret
    target = Target(url=stack.ingest_url, secret=secret.encode())
    answer = post(target, step.name, step.delivery_id, step.body)
    terminal.delivery(step.event, step.note, answer.status_code)
    return answer


def wait_for_subscribers(stack: Stack, terminal: Terminal, published: int) -> None:
    """Wait until every subscriber has handled what was published, for a minute at most."""
    deadline, actions = time.monotonic() + SETTLE_SECONDS, triage.DONE + triage.WOULD
    with terminal.waiting() as progress:
        while time.monotonic() < deadline:
            done = {name: len(stack.handled(name)) for name in ("notify_slack", "stream_bq")}
            progress(", ".join(f"{name} {count} of {published}" for name, count in done.items()))
            if min(done.values()) >= published and len(stack.query(triage.ACTIONS)) >= actions:
                return
            time.sleep(0.1)


def show_cards(stack: Stack, terminal: Terminal, order: list[str]) -> None:
    """Print Slack's messages in the order of the scenario; the function handles events side by side."""

    def place(message: Message) -> int:
        payload = (message.metadata or {}).get("event_payload", {})
        ids = {payload.get("delivery_id"), *payload.get("deliveries", ())}
        return min((order.index(one) for one in ids if one in order), default=len(order))

    draw = partial(as_text, width=min(100, terminal.width - 4))
    terminal.title("Slack: #issues (late, because the demo sends three days at once)")
    messages = sorted(stack.slack.messages, key=place)
    for card in messages:
        if card.thread_ts is None:
            replies = [reply for reply in messages if reply.thread_ts == card.ts]
            text = "\n".join([draw(card), *(f"  {draw(reply)}" for reply in replies)])
            terminal.line(textwrap.indent(text, "  ") + "\n")
