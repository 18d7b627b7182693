"""Whether an issue still waits, by what GitHub says of it now (pure)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from metrics.waiting import WaitingIssue
from pipeline.accounts import Accounts
from pipeline.delivery import parse_time
from pipeline.json_fields import Json, mapping, text


def still_waiting(
    found: WaitingIssue, issue: Json, comments: Iterable[Json], accounts: Accounts
) -> WaitingIssue | None:
    """Return the issue, with the time since which it waits, or None if it is closed or answered.

    `issue` and `comments`, the oldest first, are GitHub's; of these, what is older than the wait is left out.
    """
    if issue.get("state") == "closed":
        return None
    since: datetime | None = found.waiting_since
    for comment in comments:
        said_at = parse_time(comment.get("created_at"))
        if said_at is None or said_at <= found.waiting_since or _is_bot(comment, accounts):
            continue
        if _is_team(comment, accounts):
            since = None
        elif since is None:
            since = said_at
    return None if since is None else replace(found, waiting_since=since)


def _is_team(comment: Json, accounts: Accounts) -> bool:
    return accounts.is_team(text(mapping(comment, "user"), "login"), text(comment, "author_association"))


def _is_bot(comment: Json, accounts: Accounts) -> bool:
    author = mapping(comment, "user")
    return accounts.is_bot(text(author, "login"), text(author, "type"))
