"""Whether an issue still waits, by what GitHub says of it now (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from metrics.waiting import WaitingIssue
from pipeline.delivery import parse_time
from pipeline.json_fields import Json, mapping, text

MEMBERS = {"OWNER", "MEMBER", "COLLABORATOR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Logins in lower case: whose comments answer, and accounts of type User that are bots."""

    team: Collection[str] = ()
    bots: Collection[str] = ()


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
    """Return whether a comment is the team's: by its list, or without one by the author's association."""
    if accounts.team:
        return _login(comment) in accounts.team
    return comment.get("author_association") in MEMBERS


def _is_bot(comment: Json, accounts: Accounts) -> bool:
    login = _login(comment)
    return (
        text(mapping(comment, "user"), "type") == "Bot" or login.endswith("[bot]") or login in accounts.bots
    )


def _login(comment: Json) -> str:
    return (text(mapping(comment, "user"), "login") or "").lower()
