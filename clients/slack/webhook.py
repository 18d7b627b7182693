"""Slack's incoming webhooks: one URL posts to one channel, and can neither read, change nor remove.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

import time
from collections.abc import Callable
from typing import Any

from clients.slack.backoff import Backoff
from clients.slack.blocks import NO_UNFURLING, Message
from clients.slack.errors import SlackRefused
from clients.slack.fallback import with_fallback
from clients.slack.rate_limit import WEBHOOK, RateLimit


class IncomingWebhook:
    """Posts to the URL that `read_url` returns at that moment, so that it rotates without a restart."""

    def __init__(
        self,
        read_url: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._read_url = read_url
        self._rate_limit = RateLimit(clock, sleep)
        self._backoff = Backoff(clock)

    def post(self, message: Message) -> None:
        """Post the message without its metadata, or its text alone if Slack calls the blocks invalid.

        Raises Unavailable for what Slack has not confirmed; its text names the remedy.
        """
        with_fallback(self._send, message)

    def _send(self, content: dict[str, Any]) -> None:
        from clients.slack import sdk  # noqa: PLC0415 - importing the SDK takes 60 ms; start-up need not wait

        url = self._read_url()

        def send(timeout: float) -> None:
            if not is_webhook_url(url):  # a bot token since; the SDK's error would quote it
                raise SlackRefused("invalid_token")
            sdk.post_to_webhook(url, {**content, **NO_UNFURLING}, timeout)

        self._backoff.run(url, WEBHOOK, WEBHOOK, lambda: self._rate_limit.run(WEBHOOK, "", send))


def is_webhook_url(token: str) -> bool:
    """Return whether the token is an incoming webhook's URL, and not a bot token."""
    return token.lower().startswith(("https://", "http://"))
