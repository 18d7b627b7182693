"""The threads of cards and burst messages: finds replies, and lets them follow their comments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from clients.slack.client import Slack

from ..cards import comment_reply
from ..cards.burst_message import BurstMessage
from ..cards.metadata import PostedCard
from ..routing.eligibility import CardEvent
from . import channel_history
from .channel_history import SlackMessage

type Parent = PostedCard | BurstMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Reads and corrects replies; `now` is in UTC. An empty thread is not read."""

    slack: Slack
    now: Callable[[], datetime]

    def around(
        self, event: CardEvent, channel: str, parents: Sequence[Parent], *, whole: bool
    ) -> list[SlackMessage]:
        """Return the messages that may have the event's reply, or all of the threads if `whole`.

        The time of receipt alone is no lower bound: a redelivery is received later than its reply was posted,
        and the event itself if GitHub does not date it. The issue's last change is no later than either.
        """
        received, now = event.received, self.now()
        start = min(event.issue.updated_at or now, received.event_at, received.received_at, now)
        return [
            message
            for parent in parents
            if parent.replies > 0
            for message in channel_history.thread(
                self.slack, channel, parent.ts, _posted_at(parent) if whole else start, now
            )
        ]

    def correct(self, event: CardEvent, channel: str, parent: Parent) -> None:
        """Change what replies tell of a comment that was edited or deleted, or whose issue was deleted."""
        if parent.replies == 0 or event.name == ("issues", "edited"):
            return
        comment = event.received.comment
        posted_at = _posted_at(parent)
        start = max(comment.created_at or posted_at, posted_at) if comment else posted_at
        replies = channel_history.thread(self.slack, channel, parent.ts, start, self.now())
        for posted in replies:
            in_burst = isinstance(parent, BurstMessage)
            if message := comment_reply.corrected(posted, event, in_burst=in_burst):
                self.slack.update(channel, str(posted["ts"]), message)


def _posted_at(parent: Parent) -> datetime:
    return datetime.fromtimestamp(float(parent.ts), UTC)
