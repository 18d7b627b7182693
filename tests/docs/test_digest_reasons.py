"""Every reason that a line of the digest may have is in its part of the runbook, or in that of cards."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "operations.md").read_text()
SOURCES = [*(ROOT / "functions/digest").glob("*.py"), ROOT / "clients/bigquery.py"]
REASON = re.compile(r'Unavailable\(\s*"([a-z_]+)"')


def test_every_reason_of_the_digest_is_in_the_runbook() -> None:
    """An operator who reads a reason in a log line finds what it means and what to do."""
    reasons = {reason for path in SOURCES for reason in REASON.findall(path.read_text())}
    assert {"bigquery_failed", "slack_token_webhook", "github_slow", "card_not_kept"} <= reasons
    parts = ("Cards are missing in Slack", "digest reports a problem")
    found = " ".join(TEXT.split(f"\n## {part}\n")[1].split("\n## ")[0] for part in parts)
    assert sorted(reasons - set(re.findall(r"\w+", found))) == []
