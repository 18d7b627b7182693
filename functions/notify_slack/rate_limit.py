"""The pause that Slack asks for: https://docs.slack.dev/apis/web-api/rate-limits."""

import re
from collections.abc import Callable

from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

LONGEST_WAIT_SECONDS = 5
RATE_LIMIT_RETRIES = 2
_SECONDS = re.compile(r"[0-9]{1,9}")


class ShortRateLimit(RateLimitErrorRetryHandler):
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
        """Sleep, and ask for another attempt."""
        headers = {name.lower(): values for name, values in (response.headers if response else {}).items()}
        asked = "".join(headers.get("retry-after", [])[:1])
        self._sleep(min(int(asked), LONGEST_WAIT_SECONDS) if _SECONDS.fullmatch(asked) else 1)
        state.next_attempt_requested = True
        state.increment_current_attempt()
