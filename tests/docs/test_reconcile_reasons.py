"""Every reason that an ERROR line of reconcile may have is a heading of the runbook."""

import re
from itertools import chain
from pathlib import Path

from tests.docs.reasons import raised

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "operations.md").read_text()
SECTION = TEXT.split("\n## reconcile reports a problem\n")[1].split("\n## ")[0]
# issue_history is used by backfill only, and issue_actions by triage.
SOURCES = [
    path
    for folder in ("functions/reconcile", "clients/github", "clients/pubsub")
    for path in sorted((ROOT / folder).glob("*.py"))
    if path.name not in {"issue_history.py", "issue_actions.py"}
]
# RotatingToken and load_at_startup make these of a name.
MADE = {"github_token_unreadable", "github_token_malformed", "configuration"}
OF_INGEST = {"message_too_large"}


def test_every_reason_of_reconcile_is_a_heading_of_the_runbook() -> None:
    """An operator who reads a reason in a log line finds a heading that says what to do."""
    reasons = set(chain.from_iterable(map(raised, SOURCES))) - OF_INGEST | MADE
    assert {"deliveries_lost", "hook_missing", "token_refused", "github_refused", "list_ends"} <= reasons
    headings = " ".join(re.findall(r"^###+ (.*)$", SECTION, re.MULTILINE))
    assert sorted(reasons - set(re.findall(r"\w+", headings))) == []
