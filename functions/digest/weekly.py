"""What the digest of the week's numbers tells a channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from clients.slack.blocks import Message
from metrics.week_review import Duration, NamedWeek, WeekReview, review
from pipeline.errors import Unavailable
from pipeline.logs import log

from . import review_message
from .entries import matches

PICTURE = "backlog.png"
NO_PICTURE = "The week's numbers go without their picture: %s"

type Upload = Callable[[str, bytes, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """The weeks of all repositories, and the durations of `week` and of the one before it.

    `upload` takes a picture's name, content and description, and returns its id; it raises Unavailable.
    """

    rows: Sequence[NamedWeek]
    durations: Sequence[Duration]
    week: date
    upload: Upload
    _warned: set[str] = field(default_factory=set, init=False)

    def message(self, _channel: str, globs: Sequence[str]) -> Message | None:
        """Return the message about the repositories that match, None if nothing is known of them.

        The picture is an extra: if Slack does not take it, the numbers go without.
        """
        found = review(self.rows, self.durations, self.week, lambda name: matches(name, globs))
        if found is None:
            return None
        message = review_message.build(found)
        if len(found.weeks) == 1:  # one point is no chart
            return message
        try:
            file_id = self.upload(PICTURE, draw(found), review_message.alt_text(found))
        except Unavailable as error:
            if error.reason not in self._warned:  # once, and not for each channel
                log.warning(NO_PICTURE, error, extra={"reason": error.reason})
            self._warned.add(error.reason)
            return message
        return review_message.with_picture(message, file_id, found)


def draw(found: WeekReview) -> bytes:
    """Return the report's chart of the backlog as a PNG."""
    # matplotlib takes 0.7 s of CPU to import, and six of seven days need no picture.
    from metrics.charts.counts import backlog_line  # noqa: PLC0415
    from metrics.charts.png import png  # noqa: PLC0415

    return png(backlog_line(found.weeks))
