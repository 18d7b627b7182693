"""When a call to Slack may start, and when it is repeated: https://docs.slack.dev/apis/web-api/rate-limits.

Posts into one channel start a second apart, and no call starts during a pause that Slack has asked for with
429. Both apply to every thread and every delivery of this process. A thread knows its turn before it waits
for it, and waits only for a moment.
"""

import math
import time
from collections.abc import Callable
from threading import Lock

from clients.slack import waiting
from clients.slack.deadline import remaining
from clients.slack.errors import SlackRefused
from pipeline.errors import Busy, Unavailable

SECONDS_PER_POST = 1.0
BURST = 10  # Slack allows short bursts, so several posts about one issue need not wait
MAX_PAUSE_SECONDS = 600
MIN_CALL_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
POST = "chat.postMessage"
WEBHOOK = "webhook"  # counted like a method
POSTS = {POST, WEBHOOK}

type Bucket = tuple[str, str]


class RateLimit:
    """A token bucket for each channel's posts, and the end of each method's pause.

    Slack counts a method per workspace, and posts per channel too. A call waits for a moment at most: for
    `patience`, in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wait_limit: waiting.WaitLimit = waiting.PROCESS,
        patience: float = waiting.SECONDS,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._wait_limit = wait_limit
        self._patience = patience
        self._lock = Lock()
        self._paused_until: dict[Bucket, float] = {}
        self._full_at: dict[Bucket, float] = {}  # when the bucket allows a whole burst again

    def run[T](self, method: str, channel: str, send: Callable[[float], T]) -> T:
        """Return what `send` returns. It gets its timeout in seconds.

        A call that Slack rate-limits is sent again after the pause that Slack asks for. Raises what `send`
        raises, and Busy if the call would have to wait for longer than a moment in all.
        """
        bucket, latest = _bucket(method, channel), self._latest()
        while True:
            self._wait(bucket, latest)
            seconds = remaining(self._clock)
            if seconds < MIN_CALL_SECONDS:
                text = "No time is left for this delivery; it is delivered again."
                raise Unavailable("slack_deadline", text)
            try:
                return send(min(TIMEOUT_SECONDS, seconds))
            except SlackRefused as error:
                if not error.pause:
                    raise
                self.pause(method, channel, error.pause)

    def wait(self, method: str, channel: str) -> None:
        """Return when a call may start. Raises Busy at once if that is not within a moment.

        Its reason is slack_ratelimited during Slack's pause, and slack_busy if other posts come first.
        """
        self._wait(_bucket(method, channel), self._latest())

    def check(self, method: str, channel: str) -> None:
        """Raise what `wait` would raise now, for a caller that has something to do before the call."""
        bucket = _bucket(method, channel)
        with self._lock:
            now = self._clock()
            start = self._start(bucket, now)
        if start > now:
            with self._wait_limit.place() as may_wait:
                if not may_wait or start > self._latest():
                    raise self._too_late(bucket)

    def pause(self, method: str, channel: str, seconds: int) -> None:
        """Start no such call for `seconds`; after them posts pass one by one, without a burst."""
        bucket = _bucket(method, channel)
        with self._lock:
            end = self._clock() + min(seconds, MAX_PAUSE_SECONDS)
            self._paused_until[bucket] = max(end, self._paused_until.get(bucket, end))
            self._full_at[bucket] = self._paused_until[bucket] + (BURST - 1) * SECONDS_PER_POST

    def _wait(self, bucket: Bucket, latest: float) -> None:
        if self._reserve(bucket, -math.inf) is not None:
            return
        with self._wait_limit.place() as may_wait:
            while True:
                start = self._reserve(bucket, latest) if may_wait else None
                if start is None:
                    raise self._too_late(bucket)
                self._sleep(max(start - self._clock(), 0))
                if not self._pause(bucket):  # none has begun meanwhile
                    return

    def _latest(self) -> float:
        return self._clock() + min(self._patience, remaining(self._clock) - MIN_CALL_SECONDS)

    def _reserve(self, bucket: Bucket, latest: float) -> float | None:
        """Return when the call may start, and count it; None if that is neither now nor by `latest`."""
        with self._lock:
            now = self._clock()
            start = self._start(bucket, now)
            if start > max(now, latest):
                return None
            if bucket[0] in POSTS:
                self._full_at[bucket] = max(self._full_at.get(bucket, start), start) + SECONDS_PER_POST
            return start

    def _start(self, bucket: Bucket, now: float) -> float:
        next_post = self._full_at.get(bucket, now) - (BURST - 1) * SECONDS_PER_POST
        return max(now, self._paused_until.get(bucket, now), next_post)

    def _pause(self, bucket: Bucket) -> float:
        """Return the seconds until Slack's pause ends."""
        with self._lock:
            now = self._clock()
            return max(self._paused_until.get(bucket, now) - now, 0)

    def _too_late(self, bucket: Bucket) -> Busy:
        if pause := self._pause(bucket):
            text = f"Slack accepts no {bucket[0]} for another {math.ceil(pause)} s; it is tried again."
            return Busy("slack_ratelimited", text)
        return Busy("slack_busy", "Too many posts wait for their second; it is tried again.")


def _bucket(method: str, channel: str) -> Bucket:
    return method, channel if method in POSTS else ""
