"""Who spoke last on an issue, and since when somebody outside the team waits, in plain Python."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.sql.reference_people import People

Row = dict[str, Any]


def waiting_since(events: list[Row], opened_at: datetime, people: People) -> datetime | None:
    """Return since when an outsider waits for the team; None if the team had the last word.

    The opening is the first word, also of an imported issue whose comments are older than itself.
    """
    since = opened_at if people.side(events[0], "issue") == "outsider" else None
    for comment in _in_order_of_writing(events):
        side = people.side(comment, "comment")
        if side == "team":
            since = None
        elif side == "outsider" and since is None:
            since = comment["comment_created_at"]
    return since


def first_response(events: list[Row], people: People) -> tuple[datetime | None, datetime | None, bool]:
    """Return when somebody first answered, when the team first did, and whether that is known.

    It is known if the issue was seen without comments before. The answer's own event may show that: it
    counts the comments before it.
    """
    answers = [comment for comment in _in_order_of_writing(events) if _is_response(comment, people)]
    first = _earliest(answers)
    of_team = _earliest(answer for answer in answers if people.side(answer, "comment") == "team")
    latest = datetime.max.replace(tzinfo=UTC)
    if first is not None:
        own = [e for e in answers if e["comment_created_at"] == first and e["action"] == "created"]
        latest = max((event["issue_updated_at"] for event in own), default=first)
    is_known = any(
        event["issue_updated_at"] <= latest
        for event in events
        if event["issue_comments"] == 0
        or (event["issue_comments"] is None and (event["event"], event["action"]) == ("issues", "opened"))
    )
    return (first, of_team, True) if is_known else (None, None, False)


def _in_order_of_writing(events: list[Row]) -> list[Row]:
    """Return one event of each comment: that of its creation, or the first known one if that was lost."""
    comments: dict[int, list[Row]] = defaultdict(list)
    for event in events:
        if event["event"] == "issue_comment" and not event["is_pull_request"]:
            comments[event["comment_id"]].append(event)
    chosen = [
        next((event for event in of_comment if event["action"] == "created"), of_comment[0])
        for of_comment in comments.values()
    ]
    return sorted(chosen, key=lambda event: (event["comment_created_at"], event["comment_id"]))


def _earliest(answers: Iterable[Row]) -> datetime | None:
    return min((answer["comment_created_at"] for answer in answers), default=None)


def _is_response(event: Row, people: People) -> bool:
    return (
        event["comment_author"] != event["issue_author"]  # two deleted accounts may be one person
        and people.side(event, "comment") != "bot"
    )
