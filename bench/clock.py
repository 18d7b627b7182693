"""Divides the time that is left: on a slow machine each measure has fewer rounds, and never under three."""

import time
from collections.abc import Callable, Iterator

LEAST = 3


class Clock:
    """`shares` are the measures to come, with their weights; `seconds` is the limit for all of them."""

    def __init__(
        self, seconds: float, shares: dict[str, float], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._end = now() + seconds
        self._shares = dict(shares)

    def take(self, name: str) -> float:
        """Begin a measure; return its seconds. What it does not use is left to the measures after it."""
        left = max(self._end - self._now(), 0.0)
        share = self._shares[name] / sum(self._shares.values())
        del self._shares[name]
        return left * share

    def rounds(self, seconds: float, most: int) -> Iterator[int]:
        """Yield the numbers of the rounds, from 1 to `most`, or fewer if the seconds end: at least three."""
        began = self._now()
        for number in range(1, most + 1):
            elapsed = self._now() - began
            mean = elapsed / max(number - 1, 1)
            if number > LEAST and elapsed + mean > seconds:
                return
            yield number
