"""Slack's own client: one call, one answer, and nothing is ever sent twice.

Slack knows no idempotency key, and a post whose answer was lost may have succeeded. The SDK's handler that
connects anew would send it again, so it is off; Pub/Sub delivers the event again instead.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from clients.slack.errors import no_answer, refusal

# What the SDK lets rise when there is no answer, or one that is neither JSON nor an object nor even text.
_NO_ANSWER = (OSError, HTTPException, SlackClientError, ValueError, LookupError, AttributeError, TypeError)


class WebApi:
    """Calls methods below `api_url`, and incoming webhooks.

    Raises SlackRefused, or Unavailable if no usable answer came. `timeout` is in seconds and applies to
    connecting, to the handshake and to each part of the answer separately.
    """

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url
        self._tls = ssl.create_default_context()  # 50 ms of CPU, which the SDK would spend on every call

    def call(
        self, token: str, method: str, arguments: Mapping[str, Any], timeout: float, *, read: bool
    ) -> dict[str, Any]:
        """Return the answer to a method that reads (its arguments go as a form) or writes (as JSON)."""
        client = WebClient(
            token=token,
            base_url=self._api_url,
            timeout=timeout,  # type: ignore[arg-type]  # parts of a second are as good
            ssl=self._tls,
            retry_handlers=[],
        )
        client.proxy = None  # the SDK's own rule sends https through HTTP_PROXY and knows no NO_PROXY
        try:
            if read:
                answer = client.api_call(method, http_verb="GET", params=dict(arguments)).data
            else:
                answer = client.api_call(method, json=dict(arguments)).data
        except SlackApiError as error:
            response = error.response
            said = response.data if isinstance(response.data, dict) else {}
            raise refusal(
                said.get("error"), response.status_code, response.headers, said.get("needed")
            ) from error
        except _NO_ANSWER as error:
            raise no_answer(type(error).__name__) from error
        if not isinstance(answer, dict):
            raise no_answer("bytes")
        return answer

    def send(self, url: str, message: Mapping[str, Any], timeout: float) -> None:
        """Post to an incoming webhook."""
        client = WebhookClient(
            url,
            timeout=timeout,  # type: ignore[arg-type]  # parts of a second are as good
            ssl=self._tls,
            retry_handlers=[],
        )
        client.proxy = None
        try:
            answer = client.send_dict(dict(message))
        except _NO_ANSWER as error:
            raise no_answer(type(error).__name__) from error
        if answer.status_code != 200 or answer.body.strip() != "ok":
            raise refusal(answer.body, answer.status_code, answer.headers)
