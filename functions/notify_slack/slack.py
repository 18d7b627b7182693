"""Slack: post a card, and say what each refusal means.

A post is never re-sent after a lost answer: Slack knows no idempotency key, and it may have succeeded. The
SDK's connection-retry handler would do that, so it is off; Pub/Sub delivers the event again instead.
"""

import re
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.webhook import WebhookClient

from pipeline.errors import PipelineError, Unavailable
from pipeline.logs import log

from .card import Card

TIMEOUT_SECONDS = 5
LONGEST_WAIT_SECONDS = 5
RATE_LIMIT_RETRIES = 2

# What a shorter message may cure: https://docs.slack.dev/reference/methods/chat.postMessage#errors
_INVALID = {
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_payload",
    "metadata_too_large",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
}
_FIXES = {
    "account_inactive": "the app was removed from the workspace; install it again",
    "action_prohibited": "a workspace policy forbids this post; ask an administrator",
    "channel_is_archived": "unarchive the channel, or name another in routes.toml",
    "channel_not_found": "check the channel's id in routes.toml, and invite the app if it is private",
    "invalid_auth": "the token is wrong; store the bot token again",
    "invalid_token": "the webhook's URL is wrong; store it again",
    "is_archived": "unarchive the channel, or name another in routes.toml",
    "missing_scope": "add the scope chat:write to the app and install it again",
    "no_service": "the incoming webhook was removed; make a new one",
    "not_allowed_token_type": "store a bot token (xoxb-...)",
    "not_authed": "the token is empty; store the bot token",
    "not_in_channel": "invite the app to the channel",
    "restricted_action": "a workspace policy forbids this post; ask an administrator",
    "token_expired": "store a fresh token",
    "token_revoked": "install the app again and store its new token",
}
_UNKNOWN = (
    "it is tried again; if it stays, see https://docs.slack.dev/reference/methods/chat.postMessage#errors"
)
_SECONDS = re.compile(r"[0-9]{1,9}")
_CODE = re.compile(r"[a-z_]{1,64}")

# What the SDK lets rise when there is no answer, or one that is neither JSON nor an object nor even text.
_NO_ANSWER = (OSError, HTTPException, SlackClientError, ValueError, LookupError, AttributeError)


class _Refused(PipelineError):
    """Slack answered, and not with ok; `reason` is its own code, or http_STATUS."""


class Slack:
    """Posts with whatever token `read_token` returns at that moment, so that it rotates without a restart."""

    def __init__(
        self,
        read_token: Callable[[], str],
        api_url: str | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._read_token = read_token
        self._api_url = (api_url or "https://slack.com/api").rstrip("/") + "/"
        self._tls = ssl.create_default_context()  # 50 ms of CPU, which the SDK would spend on every call
        self._retries: list[RetryHandler] = [_ShortRateLimit(sleep)]

    def posts_to_webhook(self) -> bool:
        """Tell whether an incoming webhook is configured: it has one channel of its own."""
        return _is_url(self._read_token())

    def post(self, channel: str, card: Card) -> str:
        """Post the card and return Slack's timestamp of it (empty for an incoming webhook).

        A card that Slack calls invalid is sent once more as its text alone. Raises Unavailable for every
        message that Slack has not confirmed; its text names the fix, where the operator has one.
        """
        try:
            try:
                return self._send(channel, card)
            except _Refused as error:
                if error.reason not in _INVALID:
                    raise
                log.error("Slack refused the card; sending its text alone", extra={"reason": error.reason})
                return self._send(channel, card, text_only=True)
        except _Refused as error:
            fix = _FIXES.get(error.reason, _UNKNOWN)
            raise Unavailable(f"slack_{error.reason}", f"Slack answered {error.reason}: {fix}.") from error
        except _NO_ANSWER as error:
            raise Unavailable(
                "slack_unreachable", f"Slack gave no usable answer: {type(error).__name__}."
            ) from error

    def _send(self, channel: str, card: Card, *, text_only: bool = False) -> str:
        token = self._read_token()
        rich: dict[str, Any] = {} if text_only else {"blocks": card.blocks}
        common: dict[str, Any] = {"text": card.text, "unfurl_links": False, "unfurl_media": False, **rich}
        if _is_url(token):
            return self._send_to_webhook(token, common)
        if not text_only:
            common["metadata"] = card.metadata
        client = WebClient(
            token=token,
            base_url=self._api_url,
            timeout=TIMEOUT_SECONDS,
            ssl=self._tls,
            retry_handlers=self._retries,
        )
        client.proxy = None  # the SDK's own rule sends https through HTTP_PROXY and knows no NO_PROXY
        try:
            return str(client.chat_postMessage(channel=channel, **common)["ts"])
        except SlackApiError as error:
            raise _refusal(error.response.get("error"), error.response.status_code) from error

    def _send_to_webhook(self, url: str, message: dict[str, Any]) -> str:
        client = WebhookClient(url, timeout=TIMEOUT_SECONDS, ssl=self._tls, retry_handlers=self._retries)
        client.proxy = None
        answer = client.send(**message)
        if answer.status_code != 200 or answer.body.strip() != "ok":
            raise _refusal(answer.body, answer.status_code)
        return ""


class _ShortRateLimit(RateLimitErrorRetryHandler):
    """Waits as long as Slack asks, but never so long that Pub/Sub gives up on this delivery meanwhile."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        super().__init__(max_retry_count=RATE_LIMIT_RETRIES)
        self._sleep = sleep

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002 - the SDK's signature
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> None:
        headers = {name.lower(): values for name, values in (response.headers if response else {}).items()}
        asked = "".join(headers.get("retry-after", [])[:1])
        self._sleep(min(int(asked), LONGEST_WAIT_SECONDS) if _SECONDS.fullmatch(asked) else 1)
        state.next_attempt_requested = True
        state.increment_current_attempt()


def _is_url(token: str) -> bool:
    return token.lower().startswith(("https://", "http://"))


def _refusal(code: object, status: int) -> _Refused:
    known = isinstance(code, str) and _CODE.fullmatch(code.strip()) is not None
    reason = str(code).strip() if known else f"http_{status}"
    return _Refused(reason, f"Slack refused with {reason}.")
