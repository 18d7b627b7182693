"""The demo's ledger: what was found, beside what the scenario leads to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import requests

from local.demo.scenario import Step
from local.stack.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger: what was found, and what is expected."""

    name: str
    found: int
    expected: int

    @property
    def balances(self) -> bool:
        """Return whether both are equal."""
        return self.found == self.expected


def balance(
    stack: Stack, steps: Sequence[Step], answers: Sequence[requests.Response], rows: int
) -> list[Entry]:
    """Compare the outcome with the scenario; `rows` is the number of rows in issue_events."""
    statuses = Counter(answer.status_code for answer in answers)
    accepted = sum(not (step.forged or step.is_ping) for step in steps)
    repeats = sum(step.repeats for step in steps)
    outcomes = {
        name: Counter(line["outcome"] for line in stack.handled(name))
        for name in ("notify_slack", "stream_bq")
    }
    return [
        Entry(name="sent", found=len(answers), expected=len(steps)),
        Entry(
            name="answered to a ping (200)", found=statuses[200], expected=sum(step.is_ping for step in steps)
        ),
        Entry(name="refused (401)", found=statuses[401], expected=sum(step.forged for step in steps)),
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
            expected=sum(step.makes_card and not step.repeats for step in steps),
        ),
        Entry(
            name="replies in their threads",
            found=sum(message.thread_ts is not None for message in stack.slack.messages),
            expected=sum(step.makes_reply for step in steps),
        ),
    ]
