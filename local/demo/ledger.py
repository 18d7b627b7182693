"""The demo's ledger: what was found, beside what the scenario leads to."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import requests

from local.demo import triage
from local.demo.scenario import Step
from local.stack.stack import Stack


class Entry(NamedTuple):
    """One line of the ledger: what was found, and what is expected."""

    name: str
    found: int
    expected: int


def balance(
    stack: Stack, steps: Sequence[Step], answers: Sequence[requests.Response], rows: int
) -> list[Entry]:
    """Compare the outcome with the scenario; `rows` is the number of rows in issue_events.

    What triage does at the local GitHub comes back as deliveries of GitHub's own.
    """
    statuses = Counter(answer.status_code for answer in answers)
    pings, forged = sum(step.is_ping for step in steps), sum(step.forged for step in steps)
    accepted = len(steps) - pings - forged
    published = accepted + triage.DONE
    triaged = Counter(line["result"] for line in stack.log_lines("triage") if "result" in line)
    repeats = sum(step.repeats for step in steps)
    cards = sum(step.makes_card and not step.repeats for step in steps)
    replies = sum(step.makes_reply for step in steps) + triage.replies(stack)
    messages = stack.slack.messages
    posted = sum(message.thread_ts is None for message in messages)
    slack = Counter(line["outcome"] for line in stack.handled("notify_slack"))
    return [
        Entry("sent", len(answers), len(steps)),
        Entry("answered to a ping (200)", statuses[200], pings),
        Entry("refused (401)", statuses[401], forged),
        Entry("accepted (202)", statuses[202], accepted),
        Entry("done by triage, each delivered by GitHub", triaged["done"], triage.DONE),
        Entry("only said by triage (dry run)", triaged["would"], triage.WOULD),
        Entry("handled by notify_slack", slack.total(), published),
        Entry("handled by stream_bq", len(stack.handled("stream_bq")), published),
        Entry("duplicates that changed no card", slack["already_handled"], repeats),
        Entry("rows in issue_events", rows, published - repeats),
        Entry("cards in Slack", posted, cards),
        Entry("replies in their threads", len(messages) - posted, replies),
    ]
