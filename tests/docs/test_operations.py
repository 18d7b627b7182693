"""The runbook is correct: it explains the reasons that the function and the commands give."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.eligibility import CardEvent, NotShown
from functions.notify_slack.store.outcome import Outcome
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SECTION = (
    (ROOT / "docs" / "operations.md")
    .read_text()
    .split("\n## Why does #123 have no card?\n")[1]
    .split("\n## ")[0]
)


def first_column(header: str) -> list[str]:
    """Return the code in the first column of the section's table with this header."""
    table = SECTION.split(f"| {header} |")[1].split("\n\n")[0]
    return [
        code
        for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
        for code in re.findall(r"`([^`]+)`", row)
    ]


WHYS = first_column("why")
ROUTES = """
[[route]]
channels = ["C1"]
repositories = ["beta/*"]
[[route]]
channels = ["C1"]
repositories = ["acme/*"]
events = ["issues.opened", "issues.closed"]
labels_any = ["bug"]
labels_all = ["p1"]
labels_none = ["stale"]
private = "only"
[[route]]
channels = ["C1"]
private = "never"
repositories = ["acme/*"]
"""


def given_reasons() -> set[str]:
    """Return the reasons that the code gives for events that reach no channel."""
    bot = accounts.Account(login="dependabot[bot]", type="Bot")
    public, private, other = (
        accounts.Repository(full_name=name, private=hidden)
        for name, hidden in (("acme/app", False), ("acme/app", True), ("gamma/app", False))
    )
    issues = [
        payloads.Issue(
            repository=repository, number=7, title="x", author=bot, created_at=NOON, labels=["stale"], **kind
        )
        for repository in (public, private, other)
        for kind in ({}, {"is_pull_request": True})
    ]
    bodies = [event.payload for issue in issues for event in (issue.opened(), issue.reopened(bot, NOON))]
    routes, texts = routes_file.parse(ROUTES), set()
    for payload in bodies:
        event = IssueEvent.from_delivery(
            Delivery(delivery_id="d", event="issues", body=json.dumps(payload).encode(), received_at=NOON)
        )
        shown = CardEvent.of(event)
        texts.update({shown.reason} if isinstance(shown, NotShown) else ())
        texts.add(routes.why_unmatched(event))
        texts.update(mismatch.text for match in routes.explain(event) for mismatch in match.mismatches)
    return texts


@pytest.mark.parametrize("why", WHYS)
def test_the_runbook_explains_only_reasons_that_are_given(why: str) -> None:
    """Every reason in the runbook is one that the code gives, letter by letter except for `...`."""
    pattern = re.compile(".*" + ".*".join(map(re.escape, why.split("..."))) + ".*", re.DOTALL)
    function = (ROOT / "functions" / "notify_slack" / "main.py").read_text()
    assert any(map(pattern.fullmatch, given_reasons())) or why in function


def test_the_runbook_explains_reasons() -> None:
    """The runbook explains more than ten reasons for an issue that did not reach Slack."""
    assert len(WHYS) > 10


def test_the_runbook_explains_every_outcome() -> None:
    """The runbook lists every value of the log field `outcome` once, and no others."""
    assert sorted(first_column("outcome")) == sorted(Outcome)
