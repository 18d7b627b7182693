"""The threads of cards and burst messages: finds replies, and lets them follow their comments."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from clients.slack.client import Slack

from ..cards import thread_reply
from ..cards.burst_message import BurstMessage
from ..cards.metadata import PostedCard
from ..routing.eligibility import CardEvent
from . import channel_history

type Parent = PostedCard | BurstMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Reads and corrects replies; `now` is in UTC. An empty thread is not read."""

    slack: Slack
    now: Callable[[], datetime]

    def has_reply(self, event: CardEvent, channel: str, parent: Parent) -> bool:
        """Return whether the thread has the event's reply."""
        return parent.replies > 0 and channel_history.has_reply(
            self.slack, channel, parent.ts, event, self.now()
        )

    def correct(self, event: CardEvent, channel: str, parent: Parent) -> None:
        """Change what replies tell of a comment that was edited or deleted, or whose issue was deleted."""
        if parent.replies == 0 or event.name == ("issues", "edited"):
            return
        comment = event.received.comment
        posted_at = datetime.fromtimestamp(float(parent.ts), UTC)
        start = max(comment.created_at or posted_at, posted_at) if comment else posted_at
        replies = channel_history.thread(self.slack, channel, parent.ts, start, self.now())
        for posted in replies:
            in_burst = isinstance(parent, BurstMessage)
            if message := thread_reply.corrected(posted, event, in_burst=in_burst):
                self.slack.update(channel, str(posted["ts"]), message)
