"""One call to Slack: when it may start, how long it may take, and how often it is attempted."""

import time
from collections.abc import Callable
from typing import Any

from clients.slack.blocks import Message
from clients.slack.deadline import remaining
from clients.slack.errors import SHORTER_MAY_PASS, SlackRefused
from clients.slack.rate_limit import MIN_CALL_SECONDS, RateLimit
from pipeline.errors import Unavailable
from pipeline.logs import log

TIMEOUT_SECONDS = 5.0
ATTEMPTS = 3  # of a call that Slack answers with 429


class Attempts:
    """Sends calls as fast as Slack allows, while the delivery's deadline allows one more."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._rate_limit = RateLimit(clock, sleep)

    def run[T](self, method: str, channel: str, send: Callable[[float], T]) -> T:
        """Return what `send` returns. It gets its timeout in seconds.

        A call that Slack rate-limits is sent again after the pause that Slack asks for. Raises what `send`
        raises, and Unavailable if the call cannot start in time.
        """
        attempts = 0
        while True:
            self._rate_limit.wait(method, channel)
            seconds = remaining(self._clock)
            if seconds < MIN_CALL_SECONDS:
                text = "No time is left for this delivery; it is delivered again."
                raise Unavailable("slack_deadline", text)
            attempts += 1
            try:
                return send(min(TIMEOUT_SECONDS, seconds))
            except SlackRefused as error:
                if error.pause:
                    self._rate_limit.pause(method, channel, error.pause)
                if not error.pause or attempts == ATTEMPTS:
                    raise


def with_text_fallback[T](send: Callable[[dict[str, Any]], T], message: Message) -> T:
    """Send the message's text and blocks; if Slack calls them invalid, send the text alone."""
    try:
        return send({"text": message.text, "blocks": list(message.blocks)})
    except SlackRefused as error:
        if error.code not in SHORTER_MAY_PASS:
            raise
        log.error("Slack refused the blocks; sending the text alone", extra={"reason": error.code})
        return send({"text": message.text})
