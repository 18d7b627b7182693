"""Drives held messages again: what a subscriber gave up on during an outage."""

from collections.abc import Callable
from dataclasses import dataclass

from clients.pubsub.held_messages import HeldMessages
from pipeline.logs import log

READ_AT_ONCE = 100  # a message has up to 10 MB
DRIVEN_AT_ONCE = 10
SECONDS_EACH = 1.0  # Slack takes one post a second in a channel
STORES = "stream-bq"
READS = 50  # of a longer hold, a delivery may be asked for as well, which doubles nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held: the ids of the deliveries that stream_bq gave up on, and whether there is any message."""

    for_storing: frozenset[str] = frozenset()
    is_empty: bool = False


def look(hold: HeldMessages) -> Held:
    """Return what is held; nothing is taken from the hold."""
    found: set[str] = set()
    is_empty = True
    for _ in range(READS):
        messages = hold.pull(READ_AT_ONCE)
        if not messages:
            break
        is_empty = False
        found |= {
            message.delivery_id
            for message in messages
            if message.delivery_id and (message.gave_up or STORES).endswith(STORES)
        }
    return Held(for_storing=frozenset(found), is_empty=is_empty)


def redrive(hold: HeldMessages, most: int, pause: Callable[[float], bool]) -> int:
    """Drive messages again, the oldest first and no faster than Slack takes them; return their number.

    What was driven again `most` times stays held. `pause` waits, or returns false when the time is up.
    """
    driven = 0
    while messages := hold.pull(READ_AT_ONCE):
        due = [message for message in messages if message.redriven < most]
        due.sort(key=lambda message: message.received_at)
        for start in range(0, len(due), DRIVEN_AT_ONCE):
            some = due[start : start + DRIVEN_AT_ONCE]
            hold.redrive(some)
            driven += len(some)
            for message in some:
                fields = {"delivery_id": message.delivery_id, "subscription": message.gave_up}
                log.info("Driven again", extra=fields)
            if not pause(SECONDS_EACH * len(some)):
                return driven
    return driven
