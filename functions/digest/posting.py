"""Posts one digest of each kind a day into a channel, however often and by however many instances.

Slack has no transactions, so the channel is read before the post and again after it. Of two digests the older
one stays: every instance chooses the same one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from datetime import time as time_of_day
from enum import StrEnum
from typing import Any

from clients.slack.blocks import Message
from clients.slack.client import Slack, TimeRange, to_ts
from clients.slack.history import CLOCK_SKEW, messages_before

DIGEST = "issuewire_digest"  # the metadata's event type
_MAX_PAGES = 5  # about 5,000 messages since midnight


class Kind(StrEnum):
    """What a digest tells."""

    DAILY = "daily"
    WEEKLY = "weekly"


class Outcome(StrEnum):
    """What became of a digest in one channel."""

    POSTED = "posted"
    ALREADY_POSTED = "already_posted"
    NOTHING_TO_SAY = "nothing_to_say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The digest of a kind on the day of `now` in the team's `zone`."""

    kind: Kind
    now: datetime
    zone: tzinfo

    @property
    def day(self) -> str:
        """Return the day, such as 2026-12-01."""
        return self.now.astimezone(self.zone).date().isoformat()

    @property
    def payload(self) -> Mapping[str, Any]:
        """Return what the message's metadata says; a message with the same is the same digest."""
        return {"day": self.day, "kind": str(self.kind), "schema": 1}

    @property
    def time_range(self) -> TimeRange:
        """Return the time in which the digest may have been posted: the day until now."""
        midnight = datetime.combine(self.now.astimezone(self.zone), time_of_day(), self.zone).astimezone(UTC)
        return TimeRange(oldest=to_ts(midnight - CLOCK_SKEW), latest=to_ts(self.now + CLOCK_SKEW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What became of a digest, and the message's timestamp; None if there was nothing to say."""

    outcome: Outcome
    ts: str | None = None


def post_once(
    slack: Slack,
    channel: str,
    digest: Digest,
    build: Callable[[], Message | None],
    sleep: Callable[[float], None] = time.sleep,
) -> Posted:
    """Post what `build` returns, unless the channel has the digest or `build` returns None.

    `build` is called only if the channel lacks the digest; the message's metadata is set here. What a crashed
    instance posted besides is removed. Raises Unavailable; a repetition then does what is missing.
    """
    if posted := _posted(_since_midnight(slack, channel, digest), digest):
        for ts in posted[1:]:
            slack.delete(channel, ts)
        return Posted(outcome=Outcome.ALREADY_POSTED, ts=posted[0])
    message = build()
    if message is None:
        return Posted(outcome=Outcome.NOTHING_TO_SAY)
    metadata = {"event_type": DIGEST, "event_payload": dict(digest.payload)}
    ts = slack.post(channel, replace(message, metadata=metadata))
    if older := _posted(messages_before(slack, channel, ts, sleep), digest):
        slack.delete(channel, ts)
        return Posted(outcome=Outcome.ALREADY_POSTED, ts=older[0])
    return Posted(outcome=Outcome.POSTED, ts=ts)


def _since_midnight(slack: Slack, channel: str, digest: Digest) -> list[Mapping[str, Any]]:
    pages = slack.history(channel, digest.time_range, _MAX_PAGES)
    return [message for page in pages for message in page]


def _posted(messages: Iterable[Mapping[str, Any]], digest: Digest) -> list[str]:
    """Return the timestamps of the digest's messages, the oldest first."""
    return sorted((str(message["ts"]) for message in messages if _is(message, digest)), key=float)


def _is(message: Mapping[str, Any], digest: Digest) -> bool:
    match message.get("metadata"):
        case {"event_type": "issuewire_digest", "event_payload": {"day": digest.day, "kind": digest.kind}}:
            return True
        case _:
            return False
