"""Slack: post, change, remove and read messages.

A post is never re-sent after a lost answer: Slack knows no idempotency key, and it may have succeeded. The
SDK's connection-retry handler would do that, so it is off; Pub/Sub delivers the event again instead.
"""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from pipeline.errors import Unavailable
from pipeline.logs import log

from .message import Message
from .rate_limit import ShortRateLimit
from .refusals import CURED_BY_TEXT, Refused, fix, refusal

TIMEOUT_SECONDS = 5
PAGE = 999  # the most that conversations.history gives at once

# What the SDK lets rise when there is no answer, or one that is neither JSON nor an object nor even text.
_NO_ANSWER = (OSError, HTTPException, SlackClientError, ValueError, LookupError, AttributeError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time as Slack writes it, its ends included; without `latest` pages begin at the old end."""

    oldest: str
    latest: str


class Slack:
    """Calls with whatever token `read_token` returns at that moment, so that it rotates without a restart.

    Every method raises Unavailable for what Slack has not confirmed; its text names the fix, where the
    operator has one.
    """

    def __init__(
        self,
        read_token: Callable[[], str],
        api_url: str | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._read_token = read_token
        self._api_url = (api_url or "https://slack.com/api").rstrip("/") + "/"
        self._tls = ssl.create_default_context()  # 50 ms of CPU, which the SDK would spend on every call
        self._retries: list[RetryHandler] = [ShortRateLimit(sleep)]

    def posts_to_webhook(self) -> bool:
        """Tell whether an incoming webhook is configured: it has one channel of its own."""
        return _is_url(self._read_token())

    def post(self, channel: str, message: Message, thread_ts: str | None = None) -> str:
        """Post the message, into a thread or not, and return Slack's timestamp of it (empty for a webhook).

        One that Slack calls invalid is sent once more as its text alone.
        """
        with _told():
            return _or_text(lambda content: self._post(channel, message, content, thread_ts), message)

    def update(self, channel: str, ts: str, message: Message) -> None:
        """Put the message in the place of the one posted at `ts`, or its text alone as in `post`."""
        with _told():
            _or_text(
                lambda content: self._call(
                    "chat.update", channel=channel, ts=ts, metadata=message.metadata, **content
                ),
                message,
            )

    def delete(self, channel: str, ts: str) -> None:
        """Remove the message posted at `ts`; one that is gone already is removed."""
        with _told():
            try:
                self._call("chat.delete", channel=channel, ts=ts)
            except Refused as error:
                if error.reason != "message_not_found":
                    raise

    def history(self, channel: str, window: Window, pages: int) -> Iterator[list[dict[str, Any]]]:
        """Yield at most so many pages of the channel's messages, newest first, with their metadata."""
        yield from self._pages("conversations.history", window, pages, channel=channel)

    def replies(self, channel: str, ts: str, window: Window, pages: int) -> Iterator[list[dict[str, Any]]]:
        """Yield at most so many pages of a thread, oldest first, its parent included."""
        yield from self._pages("conversations.replies", window, pages, channel=channel, ts=ts)

    def _pages(self, method: str, window: Window, pages: int, **place: str) -> Iterator[list[dict[str, Any]]]:
        cursor = ""
        for _ in range(pages):
            with _told():
                answer = self._read(
                    method,
                    oldest=window.oldest,
                    latest=window.latest,
                    inclusive=True,
                    limit=PAGE,
                    include_all_metadata=True,
                    **place,
                    **({"cursor": cursor} if cursor else {}),
                )
                messages, cursor = _messages(answer["messages"]), _next(answer)
            yield messages
            if not cursor:
                return

    def _post(self, channel: str, message: Message, content: dict[str, Any], thread_ts: str | None) -> str:
        token = self._read_token()
        quiet = {"unfurl_links": False, "unfurl_media": False}
        if _is_url(token):
            return self._send_to_webhook(token, {**content, **quiet})
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        answer = self._call(
            "chat.postMessage",
            channel=channel,
            metadata=message.metadata,
            **content,
            **quiet,
            **thread,
        )
        return str(answer["ts"])

    def _call(self, method: str, **arguments: Any) -> SlackResponse:
        return self._answer(lambda client: client.api_call(method, json=arguments))

    def _read(self, method: str, **arguments: Any) -> SlackResponse:
        return self._answer(lambda client: client.api_call(method, http_verb="GET", params=arguments))

    def _answer(self, call: Callable[[WebClient], SlackResponse]) -> SlackResponse:
        client = WebClient(
            token=self._read_token(),
            base_url=self._api_url,
            timeout=TIMEOUT_SECONDS,
            ssl=self._tls,
            retry_handlers=self._retries,
        )
        client.proxy = None  # the SDK's own rule sends https through HTTP_PROXY and knows no NO_PROXY
        try:
            return call(client)
        except SlackApiError as error:
            answer = error.response
            raise refusal(answer.get("error"), answer.status_code, answer.get("needed")) from error

    def _send_to_webhook(self, url: str, message: dict[str, Any]) -> str:
        client = WebhookClient(url, timeout=TIMEOUT_SECONDS, ssl=self._tls, retry_handlers=self._retries)
        client.proxy = None
        answer = client.send(**message)
        if answer.status_code != 200 or answer.body.strip() != "ok":
            raise refusal(answer.body, answer.status_code)
        return ""


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        text = f"Slack answered {error.reason}: {fix(error)}."
        raise Unavailable(f"slack_{error.reason}", text) from error
    except _NO_ANSWER as error:
        text = f"Slack gave no usable answer: {type(error).__name__}."
        raise Unavailable("slack_unreachable", text) from error


def _or_text[T](send: Callable[[dict[str, Any]], T], message: Message) -> T:
    try:
        return send({"text": message.text, "blocks": list(message.blocks)})
    except Refused as error:
        if error.reason not in CURED_BY_TEXT:
            raise
        log.error("Slack refused the blocks; sending the text alone", extra={"reason": error.reason})
        return send({"text": message.text})


def _messages(value: Any) -> list[dict[str, Any]]:
    return [message for message in value if isinstance(message, dict)]


def _next(answer: SlackResponse) -> str:
    metadata = answer.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""


def _is_url(token: str) -> bool:
    return token.lower().startswith(("https://", "http://"))


def stamp(moment: datetime) -> str:
    """Return the moment as Slack writes it; one before 1970 is 1970."""
    return f"{max(moment.timestamp(), 0):.6f}"
