"""Replies in the threads of cards and burst messages: each is posted once, as far as the threads show."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from clients.slack.blocks import Message
from clients.slack.client import Slack

from ..cards import thread_reply
from ..cards.burst_message import BurstMessage
from ..cards.metadata import PostedCard
from ..routing.eligibility import CardEvent
from ..routing.routes import Destination
from . import channel_history


class ThreadReplies:
    """Posts the reply to an event unless a thread has it; `now` is in UTC."""

    def __init__(self, slack: Slack, now: Callable[[], datetime]) -> None:
        self._slack = slack
        self._now = now

    def post(
        self,
        event: CardEvent,
        destination: Destination,
        ts: str,
        *parents: PostedCard | BurstMessage,
        mention: bool = False,
    ) -> bool:
        """Post the reply into the thread at `ts` and return True, unless one of the parents' threads has it.

        It mentions people only if `mention`: a new card mentions them itself.
        """
        reply = thread_reply.build(event, destination if mention else replace(destination, mention=()))
        return self._post(event, destination, ts, reply, parents)

    def post_in_burst(self, event: CardEvent, destination: Destination, burst: BurstMessage) -> bool:
        """Post the reply, with the name of its issue, into the burst message's thread unless it has it."""
        reply = thread_reply.build(event, replace(destination, mention=()))
        named = thread_reply.for_burst(reply, event) if reply else None
        return self._post(event, destination, burst.ts, named, (burst,))

    def is_complete(self, event: CardEvent, destination: Destination, burst: BurstMessage) -> bool:
        """Return whether the event has no reply, or the burst message's thread has it."""
        reply = thread_reply.build(event, replace(destination, mention=()))
        return reply is None or self._has(event, destination, burst)

    def _post(
        self,
        event: CardEvent,
        destination: Destination,
        ts: str,
        reply: Message | None,
        parents: Sequence[PostedCard | BurstMessage],
    ) -> bool:
        if reply is None or any(self._has(event, destination, parent) for parent in parents):
            return False
        self._slack.post(destination.channel, reply, thread_ts=ts)
        return True

    def _has(self, event: CardEvent, destination: Destination, parent: PostedCard | BurstMessage) -> bool:
        """Return whether the thread has the event's reply; an empty thread need not be read."""
        return parent.replies > 0 and channel_history.has_reply(
            self._slack, destination.channel, parent.ts, event, self._now()
        )
