"""Slack: post, change, remove and read messages, as fast as it allows and while there is time."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clients.slack.blocks import Message
from clients.slack.deadline import remaining
from clients.slack.errors import CURED_BY_TEXT, SlackRefused, no_answer, remedy
from clients.slack.rate_limit import LEAST_CALL_SECONDS, RateLimit
from pipeline.errors import Unavailable
from pipeline.logs import log
from pipeline.once import once

if TYPE_CHECKING:
    from clients.slack.sdk import WebApi

TIMEOUT_SECONDS = 5.0
ATTEMPTS = 3  # of a call that Slack answers with 429
PAGE = 999  # the most that conversations.history gives at once
_TS = re.compile(r"[0-9]{1,10}\.[0-9]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A span of time as Slack writes it, its ends included."""

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
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._read_token = read_token
        self._clock = clock
        self._limits = RateLimit(clock, sleep)
        self._web_api = once(lambda: _load(api_url or "https://slack.com/api/"))

    def posts_to_webhook(self) -> bool:
        """Tell whether an incoming webhook is configured: it has one channel of its own."""
        return _is_url(self._read_token())

    def post(self, channel: str, message: Message, thread_ts: str | None = None) -> str:
        """Post the message, into a thread or not, and return Slack's timestamp of it (empty for a webhook).

        One that Slack calls invalid is sent once more as its text alone. A reply whose parent is gone is
        taken back, and raises Unavailable.
        """
        with _raising_unavailable():
            return _with_text_fallback(
                lambda content: self._post(channel, message, content, thread_ts), message
            )

    def update(self, channel: str, ts: str, message: Message) -> None:
        """Put the message in the place of the one posted at `ts`, or its text alone as in `post`."""
        with _raising_unavailable():
            _with_text_fallback(
                lambda content: self._call(
                    "chat.update", {"channel": channel, "ts": ts, "metadata": message.metadata, **content}
                ),
                message,
            )

    def delete(self, channel: str, ts: str) -> None:
        """Remove the message posted at `ts`; one that is gone already is removed."""
        with _raising_unavailable():
            try:
                self._call("chat.delete", {"channel": channel, "ts": ts})
            except SlackRefused as error:
                if error.reason != "message_not_found":
                    raise

    def history(self, channel: str, time_range: TimeRange, pages: int) -> Iterator[list[dict[str, Any]]]:
        """Yield at most so many pages of the channel's messages, newest first, with their metadata."""
        yield from self._pages("conversations.history", {"channel": channel}, time_range, pages)

    def replies(
        self, channel: str, ts: str, time_range: TimeRange, pages: int
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield at most so many pages of a thread, oldest first, its parent included."""
        yield from self._pages("conversations.replies", {"channel": channel, "ts": ts}, time_range, pages)

    def _pages(
        self, method: str, place: dict[str, str], time_range: TimeRange, pages: int
    ) -> Iterator[list[dict[str, Any]]]:
        span = {"oldest": time_range.oldest, "latest": time_range.latest, "inclusive": True}
        arguments = {**place, **span, "limit": PAGE, "include_all_metadata": True}
        cursor = ""
        for _ in range(pages):
            with _raising_unavailable():
                answer = self._call(method, arguments | ({"cursor": cursor} if cursor else {}), read=True)
                messages, cursor = _messages(answer), _next(answer)
            yield messages
            if not cursor:
                return

    def _post(self, channel: str, message: Message, content: dict[str, Any], thread_ts: str | None) -> str:
        token, content = self._read_token(), {**content, "unfurl_links": False, "unfurl_media": False}
        if _is_url(token):
            self._answer("webhook", channel, lambda s: self._web_api().send(token, content, timeout=s))
            return ""
        place = {"channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})
        answer = self._call("chat.postMessage", {**place, "metadata": message.metadata, **content})
        if not _is_ts(answer.get("ts")):
            raise no_answer("no timestamp")
        if thread_ts and _is_in_channel(answer):
            self.delete(channel, answer["ts"])
            raise SlackRefused("thread_not_found")
        return str(answer["ts"])

    def _call(self, method: str, arguments: Mapping[str, Any], *, read: bool = False) -> dict[str, Any]:
        return self._answer(
            method,
            arguments["channel"],
            lambda s: self._web_api().call(self._read_token(), method, arguments, timeout=s, read=read),
        )

    def _answer[T](self, method: str, channel: str, send: Callable[[float], T]) -> T:
        """Send, and again after each short pause that Slack asks for; `send` is told its seconds."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._attempt(method, channel, send)
            except SlackRefused as error:
                if not error.pause:
                    raise
        return self._attempt(method, channel, send)

    def _attempt[T](self, method: str, channel: str, send: Callable[[float], T]) -> T:
        self._limits.wait(method, channel)
        try:
            return send(self._timeout())
        except SlackRefused as error:
            if error.pause:
                self._limits.pause(method, channel, error.pause)
            raise

    def _timeout(self) -> float:
        seconds = remaining(self._clock)
        if seconds < LEAST_CALL_SECONDS:
            raise Unavailable("slack_deadline", "No time is left for this delivery; it is delivered again.")
        return min(TIMEOUT_SECONDS, seconds)


def _load(api_url: str) -> "WebApi":
    from clients.slack.sdk import WebApi  # noqa: PLC0415 - the SDK takes 60 ms, for which no start has to wait

    return WebApi(api_url)


@contextmanager
def _raising_unavailable() -> Iterator[None]:
    try:
        yield
    except SlackRefused as error:
        text = f"Slack answered {error.reason}: {remedy(error)}."
        raise Unavailable(f"slack_{error.reason}", text) from error


def _with_text_fallback[T](send: Callable[[dict[str, Any]], T], message: Message) -> T:
    try:
        return send({"text": message.text, "blocks": list(message.blocks)})
    except SlackRefused as error:
        if error.reason not in CURED_BY_TEXT:
            raise
        log.error("Slack refused the blocks; sending the text alone", extra={"reason": error.reason})
        return send({"text": message.text})


def _is_in_channel(answer: dict[str, Any]) -> bool:
    """Tell whether a reply became a message of the channel itself.

    That is where Slack posts it when its parent is gone; it says so by leaving out thread_ts alone.
    """
    message = answer.get("message")
    return isinstance(message, dict) and not message.get("thread_ts")


def _messages(answer: dict[str, Any]) -> list[dict[str, Any]]:
    messages = answer.get("messages")
    if not isinstance(messages, list):
        raise no_answer("no messages")
    return [message for message in messages if isinstance(message, dict) and _is_ts(message.get("ts"))]


def _is_ts(found: object) -> bool:
    """Tell whether it names a message; all that is read here is sorted by it."""
    return isinstance(found, str) and _TS.fullmatch(found) is not None


def _next(answer: dict[str, Any]) -> str:
    metadata = answer.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""


def _is_url(token: str) -> bool:
    return token.lower().startswith(("https://", "http://"))


def to_ts(moment: datetime) -> str:
    """Return the moment as Slack writes it; one before 1970 is 1970."""
    return f"{max(moment.timestamp(), 0):.6f}"
