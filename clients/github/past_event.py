"""One event of an issue's history, as GitHub's REST API shows it (pure).

Shapes: https://docs.github.com/rest/using-the-rest-api/issue-event-types; `comment_deleted` is not on that
page, and does not say whose comment it was.
"""

from dataclasses import dataclass
from datetime import datetime

from pipeline import json_fields
from pipeline.delivery import parse_time
from pipeline.json_fields import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEvent:
    """`kind` is GitHub's name of it, `by` the login of who did it; both are empty if GitHub does not say.

    `subject` is the name of the label, or the login of the assignee.
    """

    kind: str
    by: str
    subject: str
    at: datetime | None


def read_past_event(raw: Json) -> PastEvent:
    """Return an event. Of assignments GitHub names who did it as `assigner`; `actor` may be the assignee."""
    by = json_fields.mapping(raw, "assigner") or json_fields.mapping(raw, "actor")
    label, assignee = json_fields.mapping(raw, "label"), json_fields.mapping(raw, "assignee")
    return PastEvent(
        kind=json_fields.text(raw, "event") or "",
        by=json_fields.text(by, "login") or "",
        subject=json_fields.text(label, "name") or json_fields.text(assignee, "login") or "",
        at=parse_time(raw.get("created_at")),
    )
