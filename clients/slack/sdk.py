"""Calls through Slack's own SDK: one call, one request, and nothing is ever sent twice.

Slack has no idempotency key, and a post whose answer was lost may have succeeded. The SDK's retry handler
would send it again, so it is off; Pub/Sub delivers the event again instead.

Each function raises SlackRefused, or Unavailable if no usable answer came. The timeout is in seconds and
applies to connecting, to the handshake and to each part of the answer separately.
"""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from clients.slack import tls
from clients.slack.errors import no_answer, refusal

# Slack promises to accept JSON only for methods that write: https://docs.slack.dev/apis/web-api/#methods
FORM_METHODS = {"conversations.history", "conversations.replies"}
# Slack has promised a form for this one for longer than JSON.
FORM_POST_METHODS = {"files.getUploadURLExternal"}
# What the SDK raises if there is no answer, or one that is neither JSON nor an object nor even text.
_NO_ANSWER = (OSError, HTTPException, SlackClientError, ValueError, LookupError, AttributeError, TypeError)
_LONGEST_CONFIRMATION = 1_000  # bytes; the status alone counts
_TLS = tls.context()  # once: the SDK would make an ordinary context, of 45 ms of CPU, for every call


def call(
    api_url: str, token: str, method: str, arguments: Mapping[str, Any], timeout: float
) -> dict[str, Any]:
    """Return the Web API's answer to a method."""
    answer = _call(api_url, token, method, arguments, timeout).data
    if not isinstance(answer, dict):
        raise no_answer("bytes")
    return answer


def granted_scopes(api_url: str, token: str, timeout: float) -> frozenset[str] | None:
    """Return the token's scopes, by the header that Slack adds to every answer; None without it."""
    headers = _call(api_url, token, "auth.test", {}, timeout).headers
    scopes = next((str(value) for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    return None if scopes is None else frozenset(filter(None, map(str.strip, scopes.split(","))))


def _call(
    api_url: str, token: str, method: str, arguments: Mapping[str, Any], timeout: float
) -> SlackResponse:
    client = WebClient(token=token, base_url=api_url, **_options(timeout))
    client.proxy = None  # the SDK's own rule sends https through HTTP_PROXY and ignores NO_PROXY
    try:
        if method in FORM_METHODS:
            return client.api_call(method, http_verb="GET", params=dict(arguments))
        if method in FORM_POST_METHODS:
            return client.api_call(method, params=dict(arguments))
        return client.api_call(method, json=dict(arguments))
    except SlackApiError as error:
        response = error.response
        data = response.data if isinstance(response.data, dict) else {}
        raise refusal(
            data.get("error"), response.status_code, response.headers, data.get("needed")
        ) from error
    except _NO_ANSWER as error:
        raise no_answer(type(error).__name__) from error


def upload(url: str, content: bytes, timeout: float) -> None:
    """Send a file's bytes to a URL that Slack has given for them."""
    if not url.startswith(("https://", "http://")):
        raise no_answer("no address for the file")
    request = Request(url, content, {"Content-Type": "application/octet-stream"}, method="POST")  # noqa: S310
    try:
        with urlopen(request, timeout=timeout, context=_TLS) as answer:  # noqa: S310 - checked above
            answer.read(_LONGEST_CONFIRMATION)
    except HTTPError as error:
        with error:
            raise refusal(None, error.code, dict(error.headers)) from error
    except _NO_ANSWER as error:
        raise no_answer(type(error).__name__) from error


def post_to_webhook(url: str, message: Mapping[str, Any], timeout: float) -> None:
    """Post to an incoming webhook."""
    client = WebhookClient(url, **_options(timeout))
    client.proxy = None
    try:
        answer = client.send_dict(dict(message))
    except _NO_ANSWER as error:
        raise no_answer(type(error).__name__) from error
    if answer.status_code != 200 or answer.body.strip() != "ok":
        raise refusal(answer.body, answer.status_code, answer.headers)


def _options(timeout: float) -> dict[str, Any]:
    return {"timeout": timeout, "ssl": _TLS, "retry_handlers": []}
