"""When a call to Slack may start, and when it is repeated: https://docs.slack.dev/apis/web-api/rate-limits.

Posts into one channel start a second apart, and no call starts during a pause that Slack has asked for with
429. Both apply to every thread and every delivery of this process.
"""

import math
import time
from collections.abc import Callable
from threading import Lock

from clients.slack.deadline import remaining
from clients.slack.errors import SlackRefused
from pipeline.errors import Unavailable

SECONDS_PER_POST = 1.0
BURST = 10  # Slack allows short bursts, so several posts about one issue need not wait
MAX_WAIT_SECONDS = 10.0  # longer pauses fail at once; Pub/Sub redelivers
MAX_PAUSE_SECONDS = 600
MIN_CALL_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
ATTEMPTS = 3  # of a call that Slack answers with 429
WEBHOOK = "webhook"  # counted like a method
POSTS = {"chat.postMessage", WEBHOOK}

type Bucket = tuple[str, str]


class RateLimit:
    """A token bucket for each channel's posts, and the end of each method's pause.

    Slack counts a method per workspace, and posts per channel too.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._paused_until: dict[Bucket, float] = {}
        self._full_at: dict[Bucket, float] = {}  # when the bucket allows a whole burst again

    def run[T](self, method: str, channel: str, send: Callable[[float], T]) -> T:
        """Return what `send` returns. It gets its timeout in seconds.

        A call that Slack rate-limits is sent again after the pause that Slack asks for. Raises what `send`
        raises, and Unavailable if the call cannot start in time.
        """
        attempts = 0
        while True:
            self.wait(method, channel)
            seconds = remaining(self._clock)
            if seconds < MIN_CALL_SECONDS:
                text = "No time is left for this delivery; it is delivered again."
                raise Unavailable("slack_deadline", text)
            attempts += 1
            try:
                return send(min(TIMEOUT_SECONDS, seconds))
            except SlackRefused as error:
                if error.pause:
                    self.pause(method, channel, error.pause)
                if not error.pause or attempts == ATTEMPTS:
                    raise

    def wait(self, method: str, channel: str) -> None:
        """Return when a call may start. Raises Unavailable at once if that is too late for this delivery.

        Its reason is slack_ratelimited during Slack's pause, and slack_busy if other posts come first.
        """
        bucket = _bucket(method, channel)
        while True:
            pause, delay = self._take(bucket)
            if not pause and not delay:
                return
            latest = remaining(self._clock) - MIN_CALL_SECONDS
            if pause > min(latest, MAX_WAIT_SECONDS):
                text = f"Slack accepts no {method} for another {math.ceil(pause)} s; it is tried again."
                raise Unavailable("slack_ratelimited", text)
            if delay > latest:
                text = "Too many posts to one channel wait for their second; it is tried again."
                raise Unavailable("slack_busy", text)
            self._sleep(pause or delay)

    def pause(self, method: str, channel: str, seconds: int) -> None:
        """Start no such call for `seconds`; after them posts pass one by one, without a burst."""
        bucket = _bucket(method, channel)
        with self._lock:
            end = self._clock() + min(seconds, MAX_PAUSE_SECONDS)
            self._paused_until[bucket] = max(end, self._paused_until.get(bucket, end))
            self._full_at[bucket] = self._paused_until[bucket] + (BURST - 1) * SECONDS_PER_POST

    def _take(self, bucket: Bucket) -> tuple[float, float]:
        """Return the seconds until Slack's pause ends and until the next post may start.

        If both are 0, the call may start and is counted.
        """
        with self._lock:
            now = self._clock()
            pause = self._paused_until.get(bucket, now) - now
            if pause > 0:
                return pause, 0
            if bucket[0] not in POSTS:
                return 0, 0
            full_at = max(self._full_at.get(bucket, now), now)
            delay = full_at - (BURST - 1) * SECONDS_PER_POST - now
            if delay > 0:
                return 0, delay
            self._full_at[bucket] = full_at + SECONDS_PER_POST
            return 0, 0


def _bucket(method: str, channel: str) -> Bucket:
    return method, channel if method in POSTS else ""
