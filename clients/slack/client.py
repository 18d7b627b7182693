"""Slack's Web API with a bot token: post, change, remove and read messages."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients.slack import waiting
from clients.slack.backoff import Backoff
from clients.slack.blocks import NO_UNFURLING, Attachment, Message
from clients.slack.errors import SlackRefused, no_answer
from clients.slack.fallback import with_fallback
from clients.slack.rate_limit import POST, RateLimit

PAGE = 999  # the most messages that conversations.history returns at once
API_URL = "https://slack.com/api/"
_FILES = "files"  # stands for a channel: a refused file refuses no message
_TS = re.compile(r"[0-9]{1,10}\.[0-9]{6}")

type Pages = Iterator[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A span of time as Slack writes it, its ends included."""

    oldest: str
    latest: str


class Slack:
    """Calls with the token that `read_token` returns at that moment, so that it rotates without a restart.

    `api_url` is the base URL of the Web API, empty for Slack's own. A call that Slack's limits hold up waits
    for at most `patience`, in seconds. Every method raises Unavailable for what
    Slack has not confirmed; its text names the remedy.
    """

    def __init__(
        self,
        read_token: Callable[[], str],
        api_url: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = waiting.SECONDS,
    ) -> None:
        self._read_token = read_token
        self._api_url = api_url or API_URL
        self._sleep = sleep
        self._rate_limit = RateLimit(clock, sleep, patience=patience)
        self._backoff = Backoff(clock)

    def check_post(self, channel: str) -> None:
        """Raise Unavailable if the channel refuses, or if a post could not start now or within a moment."""
        self._backoff.check(self._read_token(), channel)
        self._rate_limit.check(POST, channel)

    def post(self, channel: str, message: Message, thread_ts: str | None = None) -> str:
        """Post the message, as a reply if `thread_ts` is given, and return its timestamp.

        If Slack calls the blocks invalid, uploaded pictures are left out, then the text is sent alone. If a
        reply's parent is gone, the reply is removed and Unavailable is raised.
        """
        target = {"channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})
        answer = self._send(POST, {**target, **NO_UNFURLING}, message)
        if not _is_ts(answer.get("ts")):
            raise no_answer("no timestamp")
        if thread_ts and _is_outside_thread(answer):
            self.delete(channel, answer["ts"])
            raise SlackRefused("thread_not_found")
        return str(answer["ts"])

    def update(self, channel: str, ts: str, message: Message) -> None:
        """Replace the message posted at `ts`, by its text alone if Slack calls the blocks invalid.

        Its attachments go.
        """
        self._send("chat.update", {"channel": channel, "ts": ts, "attachments": []}, message)

    def attach(self, channel: str, ts: str, *attachments: Attachment) -> None:
        """Give the message posted at `ts` these attachments as its only ones; all else of it stays as it is.

        So nothing that another instance writes at the same time is lost. A message that is given neither text
        nor blocks keeps them: https://docs.slack.dev/reference/methods/chat.update#text-blocks-attachments
        Whether Slack takes none at all, without a text, is not documented: SlackRefused then has a code of
        SHORTER_MAY_PASS.
        """
        self._call("chat.update", {"channel": channel, "ts": ts, "attachments": list(attachments)})

    def delete(self, channel: str, ts: str) -> None:
        """Remove the message posted at `ts`, if it still exists."""
        try:
            self._call("chat.delete", {"channel": channel, "ts": ts})
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise

    def upload(self, filename: str, content: bytes, alt_text: str) -> str:
        """Upload a picture and return its id; it stays private until a message shows it.

        https://docs.slack.dev/messaging/working-with-files#uploading_files
        """
        from clients.slack import sdk  # noqa: PLC0415 - as in _call

        file = {"filename": filename, "length": len(content), "alt_txt": alt_text}
        ticket = self._call("files.getUploadURLExternal", file)
        url, file_id = ticket.get("upload_url"), ticket.get("file_id")
        if not isinstance(url, str) or not isinstance(file_id, str):
            raise no_answer("no address for the file")
        self._rate_limit.run("upload", _FILES, lambda timeout: sdk.upload(url, content, timeout))
        self._call("files.completeUploadExternal", {"files": [{"id": file_id, "title": filename}]})
        return file_id

    def history(self, channel: str, time_range: TimeRange, pages: int) -> Pages:
        """Yield at most `pages` pages of the channel's messages, newest first, with their metadata."""
        return self._pages("conversations.history", {"channel": channel}, time_range, pages)

    def replies(self, channel: str, ts: str, time_range: TimeRange, pages: int) -> Pages:
        """Yield at most `pages` pages of a thread, oldest first, its parent included."""
        return self._pages("conversations.replies", {"channel": channel, "ts": ts}, time_range, pages)

    def _pages(self, method: str, target: dict[str, str], time_range: TimeRange, pages: int) -> Pages:
        span = {"oldest": time_range.oldest, "latest": time_range.latest, "inclusive": True}
        arguments = {**target, **span, "limit": PAGE, "include_all_metadata": True}
        for _ in range(pages):
            answer = self._call(method, arguments)
            yield _messages(answer)
            metadata = answer.get("response_metadata")
            cursor = metadata.get("next_cursor") if isinstance(metadata, dict) else None
            if not cursor:
                return
            arguments = {**arguments, "cursor": str(cursor)}

    def _send(self, method: str, target: dict[str, Any], message: Message) -> dict[str, Any]:
        arguments = {**target, "metadata": message.metadata}
        return with_fallback(
            lambda content: self._call(method, {**arguments, **content}), message, self._sleep
        )

    def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        from clients.slack import sdk  # noqa: PLC0415 - importing the SDK takes 60 ms; start-up need not wait

        token, channel = self._read_token(), arguments.get("channel", _FILES)

        def send(timeout: float) -> dict[str, Any]:
            return sdk.call(self._api_url, token, method, arguments, timeout)

        return self._backoff.run(token, method, channel, lambda: self._rate_limit.run(method, channel, send))


def to_ts(moment: datetime) -> str:
    """Return the moment as Slack writes it; one before 1970 becomes 1970."""
    return f"{max(moment.timestamp(), 0):.6f}"


def _is_outside_thread(answer: dict[str, Any]) -> bool:
    """Return whether Slack posted a reply to the channel itself.

    It does so if the parent is gone, and shows it only by leaving out thread_ts.
    """
    message = answer.get("message")
    return isinstance(message, dict) and not message.get("thread_ts")


def _messages(answer: dict[str, Any]) -> list[dict[str, Any]]:
    messages = answer.get("messages")
    if not isinstance(messages, list):
        raise no_answer("no messages")
    return [message for message in messages if isinstance(message, dict) and _is_ts(message.get("ts"))]


def _is_ts(value: object) -> bool:
    """Return whether the value is a message's timestamp; callers sort messages by it."""
    return isinstance(value, str) and _TS.fullmatch(value) is not None
