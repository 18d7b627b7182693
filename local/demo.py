"""The demo: tell the story to the running stack, show what became of it, and balance the ledger."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import requests

from local.screen import Screen
from local.slack.message import Message
from local.slack.rendering.terminal import as_text
from local.stack import Stack
from local.story import Step, tell
from ops.send.command import Target, post

SETTLE_SECONDS = 60.0

ROWS = """
SELECT FORMAT_TIMESTAMP('%a %H:%M', event_at) AS `at`, repository, issue_number, event, action, sender,
  issue_state, ARRAY_TO_STRING(issue_labels, ', ') AS labels
FROM `${DATASET}.issue_events` ORDER BY event_at, received_at
"""

NUMBERS = """
SELECT repository, issue_number, title, state, reopen_count AS reopened,
  ROUND(time_to_first_response_hours, 1) AS first_response_hours, ROUND(time_to_close_hours, 1) AS close_hours
FROM `${DATASET}.issues` ORDER BY repository, issue_number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger: what is, and what must be."""

    name: str
    found: int
    expected: int

    @property
    def balances(self) -> bool:
        """Tell whether both are equal."""
        return self.found == self.expected


def run(stack: Stack, screen: Screen) -> bool:
    """Tell the story and print its outcome; return whether the ledger balances."""
    story = tell(datetime.now(UTC))
    screen.title(f"Deliveries to {stack.ingest_url}")
    answers = [deliver(stack, screen, step) for step in story]
    published = sum(answer.status_code == 202 for answer in answers)
    wait_for_subscribers(stack, screen, published)
    show_cards(stack, screen, [step.delivery_id for step in story])
    screen.title("BigQuery: the view issue_events")
    rows = stack.query(ROWS)
    screen.table(rows)
    screen.title("First numbers, in hours")
    screen.table(stack.query(NUMBERS))
    ledger = balance(stack, story, answers, len(rows))
    show_ledger(screen, ledger)
    return all(entry.balances for entry in ledger)


def deliver(stack: Stack, screen: Screen, step: Step) -> requests.Response:
    """Send one step and print its answer."""
    secret = "a guess" if step.forged else stack.webhook_secret
    answer = post(
        Target(url=stack.ingest_url, secret=secret.encode()), step.name, step.delivery_id, step.body
    )
    screen.delivery(step.event, step.note, answer.status_code)
    return answer


def wait_for_subscribers(stack: Stack, screen: Screen, published: int) -> None:
    """Wait until both subscribers have closed every published message, or a minute has passed."""
    deadline = time.monotonic() + SETTLE_SECONDS
    with screen.waiting() as progress:
        while time.monotonic() < deadline:
            done = {name: len(stack.handled(name)) for name in ("notify_slack", "stream_bq")}
            progress(", ".join(f"{name} {count} of {published}" for name, count in done.items()))
            if min(done.values()) >= published:
                return
            time.sleep(0.1)


def show_cards(stack: Stack, screen: Screen, order: list[str]) -> None:
    """Print what Slack holds in the order of the story: handled at once, events may pass each other."""

    def place(message: Message) -> int:
        payload = (message.metadata or {}).get("event_payload", {})
        ids = {payload.get("delivery_id"), *payload.get("deliveries", ())}
        return min((order.index(one) for one in ids if one in order), default=len(order))

    screen.title("Slack: #issues")
    messages = sorted(stack.slack.messages, key=place)
    for card in messages:
        if card.thread_ts is None:
            replies = [reply for reply in messages if reply.thread_ts == card.ts]
            lines = [as_text(card), *(f"  {as_text(reply)}" for reply in replies)]
            screen.card("\n".join(lines))


def balance(stack: Stack, story: list[Step], answers: list[requests.Response], rows: int) -> list[Entry]:
    """Compare what was found with what the story calls for."""
    statuses = Counter(answer.status_code for answer in answers)
    accepted = sum(not (step.forged or step.is_ping) for step in story)
    repeats = sum(step.repeats for step in story)
    outcomes = {
        name: Counter(line["outcome"] for line in stack.handled(name))
        for name in ("notify_slack", "stream_bq")
    }
    return [
        Entry(name="sent", found=len(answers), expected=len(story)),
        Entry(
            name="answered to a ping (200)", found=statuses[200], expected=sum(step.is_ping for step in story)
        ),
        Entry(name="refused (401)", found=statuses[401], expected=sum(step.forged for step in story)),
        Entry(name="accepted (202)", found=statuses[202], expected=accepted),
        Entry(name="handled by notify_slack", found=outcomes["notify_slack"].total(), expected=accepted),
        Entry(name="handled by stream_bq", found=outcomes["stream_bq"].total(), expected=accepted),
        Entry(
            name="duplicates that changed no card",
            found=outcomes["notify_slack"]["already_handled"],
            expected=repeats,
        ),
        Entry(name="rows in issue_events", found=rows, expected=accepted - repeats),
        Entry(
            name="cards in Slack",
            found=sum(message.thread_ts is None for message in stack.slack.messages),
            expected=sum(step.makes_card and not step.repeats for step in story),
        ),
        Entry(
            name="replies in their threads",
            found=sum(message.thread_ts is not None for message in stack.slack.messages),
            expected=sum(step.makes_reply for step in story),
        ),
    ]


def show_ledger(screen: Screen, ledger: list[Entry]) -> None:
    """Print the ledger, marking what does not balance."""
    screen.title("Ledger")
    for entry in ledger:
        screen.ledger(entry.name, entry.found, entry.expected)
