"""Slack's limits: posts into one channel about one a second with a short burst, and the pause after a 429.

docs.slack.dev/apis/web-api/rate-limits: a method is counted per workspace, chat.postMessage per channel too.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_POSTS = frozenset({"chat.postMessage", "webhook"})
_SECONDS = re.compile(r"[0-9]{1,9}")
_ROUNDING = 1e-6  # of sums of seconds

type _Lane = tuple[str, str]


class Limit:
    """Counts calls by `clock`, in seconds; its owner holds the lock. `burst` None: nobody is too fast."""

    def __init__(self, burst: int | None, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._clock = clock
        self._tokens: dict[_Lane, tuple[float, float]] = {}  # how many there were, and when
        self._paused: dict[_Lane, float] = {}
        self.hasty: list[_Lane] = []  # calls before the end of a pause that was asked for

    def refuse(self, method: str, arguments: Mapping[str, Any]) -> int:
        """Return for how many seconds the caller has to stay away, 0 when the call may pass."""
        lane = _lane(method, arguments)
        if lane in self._paused and self._clock() < self._paused[lane] - _ROUNDING:
            self.hasty.append(lane)
        if self._burst is None or method not in _POSTS:
            return 0
        now = self._clock()
        tokens, then = self._tokens.get(lane, (float(self._burst), now))
        tokens = min(tokens + now - then, float(self._burst))
        passes = tokens >= 1 - _ROUNDING
        self._tokens[lane] = (tokens - passes, now)
        return 0 if passes else math.ceil(1 - tokens)

    def asked(self, method: str, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Remember the pause that an answer with these headers asks for."""
        seconds = headers.get("Retry-After", "")
        if _SECONDS.fullmatch(seconds):
            lane = _lane(method, arguments)
            self._paused[lane] = max(self._paused.get(lane, 0.0), self._clock() + int(seconds))


def _lane(method: str, arguments: Mapping[str, Any]) -> _Lane:
    return method, str(arguments.get("channel", "")) if method in _POSTS else ""
