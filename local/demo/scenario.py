"""The demo's scenario: two repositories, three days, and the deliveries that GitHub would send."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ops.send import accounts, payloads

APP = accounts.Repository(full_name="acme/app")
WEBSITE = accounts.Repository(full_name="acme/website")
OCTAVIA = accounts.Account(login="octavia")
MONA = accounts.Account(login="mona")
KIM = accounts.Account(login="kim")
TRIAGE_BOT = accounts.Account(login="triage[bot]", type="Bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One delivery: what it is, its bytes, and its expected outcome."""

    note: str
    event: str
    delivery_id: str
    body: bytes
    makes_card: bool = False
    makes_reply: bool = False
    forged: bool = False
    repeats: bool = False

    @property
    def is_ping(self) -> bool:
        """Return whether ingest answers it without publishing."""
        return self.event.startswith("ping")

    @property
    def name(self) -> str:
        """Return the value of X-GitHub-Event."""
        return self.event.split(".")[0]


def scenario(now: datetime) -> list[Step]:
    """Return the deliveries in the order in which they arrive; the last one happens shortly before `now`."""

    def ago(hours: float) -> datetime:
        return now - timedelta(hours=hours)

    def issue(
        repository: accounts.Repository, number: int, title: str, author: accounts.Account, hours: float
    ) -> payloads.Issue:
        return payloads.Issue(
            repository=repository, number=number, title=title, author=author, created_at=ago(hours)
        )

    export = issue(APP, 1, "CSV export drops the last row", OCTAVIA, 72)
    export.body = "Steps:\n1. Export a table of 10 rows\n2. Count: 9"
    flash = issue(WEBSITE, 1, "Dark mode flashes white", KIM, 30)
    pull = issue(APP, 2, "Count rows before writing", MONA, 29)
    pull.is_pull_request = True
    hostile = issue(WEBSITE, 2, "Login fails for <admin> & <!channel> | 500", OCTAVIA, 20)
    fake = issue(APP, 666, "GitHub did not send this", KIM, 19)
    steps = [
        _step("GitHub pings the new webhook", payloads.ping(APP, MONA)),
        _step("octavia reports a bug", export.opened(), makes_card=True),
        _step("a bot comments: no response, no reply", export.commented(TRIAGE_BOT, ago(71.9), "Thanks!")),
        _step("octavia comments on her own issue", export.commented(OCTAVIA, ago(71), "Also in 2.4.")),
        _step("mona labels it", export.labeled(MONA, ago(70), "bug")),
        _step("mona answers: the first response", export.commented(MONA, ago(66), "I can see it.")),
        _step("mona closes it", export.closed(MONA, ago(48))),
        _step("octavia reopens it", export.reopened(OCTAVIA, ago(40))),
        _step("mona closes it again", export.closed(MONA, ago(24))),
        _step("kim reports a bug in a second repository", flash.opened(), makes_card=True),
        _step("a comment on a pull request", pull.commented(OCTAVIA, ago(29), "Nice.")),
        _step("a forged delivery", fake.opened(), forged=True),
    ]
    report = _step("a title that attacks Slack", hostile.opened(), makes_card=True)
    repeated = replace(report, note="GitHub delivers it again", repeats=True)
    left, arrived = flash.transferred(MONA, ago(15), to=APP, number=3)
    moved = arrived.opened(old_issue=flash.as_json(), old_repository=WEBSITE.as_json())
    return [
        *steps,
        report,
        repeated,
        _step("kim's issue is transferred to the first repository", left),
        _step("and opened there; kim still waits for an answer", moved, makes_card=True),
        _step("mona closes it; this arrives before her answer", hostile.closed(MONA, ago(2))),
        _step("mona's answer of ten hours ago arrives late", hostile.commented(MONA, ago(10), "Fixing.")),
    ]


_REPLIES = {"issue_comment.created", "issues.closed", "issues.reopened", "issues.transferred"}


def _step(note: str, event: payloads.Event, *, makes_card: bool = False, forged: bool = False) -> Step:
    # Pull requests have no card, and bots are muted.
    hidden = "pull_request" in event.payload.get("issue", {}) or event.payload["sender"]["type"] == "Bot"
    return Step(
        note=note,
        event=event.title,
        delivery_id=payloads.delivery_id(note),
        body=json.dumps(event.payload).encode(),
        makes_card=makes_card,
        makes_reply=event.title in _REPLIES and not hidden,
        forged=forged,
    )
