"""Slack's rate limits: about one post a second into a channel after a short burst, and the pause after a 429.

docs.slack.dev/apis/web-api/rate-limits: a method is counted per workspace, chat.postMessage per channel too.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_POSTS = frozenset({"chat.postMessage", "webhook"})
_SECONDS = re.compile(r"[0-9]{1,9}")
_ROUNDING = 1e-6  # seconds; sums of floats are not exact

type _Bucket = tuple[str, str]  # method; channel of a post, else empty


class RateLimit:
    """Token buckets by `clock`, in seconds; `burst` None means no limit. Its owner holds a lock."""

    def __init__(self, burst: int | None, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._clock = clock
        self._tokens: dict[_Bucket, tuple[float, float]] = {}  # tokens left, and at which time
        self._paused_until: dict[_Bucket, float] = {}
        self.over_limit: list[_Bucket] = []  # calls during a pause that a Retry-After asked for

    def seconds_to_wait(self, method: str, arguments: Mapping[str, Any]) -> int:
        """Count a call; return the seconds of its Retry-After, 0 if it may pass."""
        bucket = _bucket(method, arguments)
        if bucket in self._paused_until and self._clock() < self._paused_until[bucket] - _ROUNDING:
            self.over_limit.append(bucket)
        if self._burst is None or method not in _POSTS:
            return 0
        now = self._clock()
        tokens, then = self._tokens.get(bucket, (float(self._burst), now))
        tokens = min(tokens + now - then, float(self._burst))
        passes = tokens >= 1 - _ROUNDING
        self._tokens[bucket] = (tokens - passes, now)
        return 0 if passes else math.ceil(1 - tokens)

    def pause(self, method: str, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Remember the pause that a 429 with these headers asks for."""
        seconds = headers.get("Retry-After", "")
        if _SECONDS.fullmatch(seconds):
            bucket, until = _bucket(method, arguments), self._clock() + int(seconds)
            self._paused_until[bucket] = max(self._paused_until.get(bucket, 0.0), until)


def _bucket(method: str, arguments: Mapping[str, Any]) -> _Bucket:
    return method, str(arguments.get("channel", "")) if method in _POSTS else ""
