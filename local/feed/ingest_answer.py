"""What ingest answered to a delivery, by its log line or by GitHub's list of deliveries; pure."""

from dataclasses import dataclass

from local.feed import wording
from local.feed.happening import Happening


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The HTTP status, and in words what it means. `message_id` is Pub/Sub's, None if nothing was published.

    `is_second_hand`: GitHub has it; ingest has logged nothing, for instance because it did not run.
    """

    status: int
    text: str
    message_id: str | None = None
    is_second_hand: bool = False


def read(happening: Happening) -> Answer | None:
    """Return the answer of which a happening of ingest or GitHub tells, None if it tells of none."""
    fields, text = happening.fields, happening.text
    status, reason = fields.get("status"), fields.get("reason")
    why = wording.problem(text, reason if isinstance(reason, str) else None)
    answer = None
    if happening.part == "github":
        if happening.kind == "delivered" and isinstance(status, int):
            answer = Answer(status=status, text=text, is_second_hand=True)
    elif "message_id" in fields:
        answer = Answer(status=202, text="published", message_id=str(fields["message_id"]))
    elif text.startswith("Refused") and isinstance(status, int):
        answer = Answer(status=status, text=f"refused: {why}")
    elif text.startswith("Not accepted"):
        answer = Answer(status=503, text=f"not accepted: {why}")
    elif text.startswith("Not published"):
        answer = Answer(status=202, text="not published: EVENTS does not name the event")
    elif text.startswith("Ping answered"):
        answer = Answer(status=200, text="pong")
    return answer
