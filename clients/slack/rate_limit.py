"""When a call to Slack may start: https://docs.slack.dev/apis/web-api/rate-limits.

Posts into one channel start a second apart, and whatever Slack has answered with 429 is left alone until its
pause is over: by every thread and for every delivery of this process.
"""

import math
import re
import time
from collections.abc import Callable, Mapping
from threading import Lock

from clients.slack.deadline import remaining
from pipeline.errors import Unavailable

SECONDS_PER_POST = 1.0
BURST = 10  # Slack allows short ones: what happens to an issue at once need not wait
LONGEST_WAIT_SECONDS = 10.0  # for a pause: a thread has better things to do, and Pub/Sub waits for nothing
LONGEST_PAUSE_SECONDS = 600
LEAST_CALL_SECONDS = 1.0
POSTS = {"chat.postMessage", "webhook"}
_SECONDS = re.compile(r"0*[1-9][0-9]{0,8}")

type Bucket = tuple[str, str]


class RateLimit:
    """Keeps until when each method is paused, and how fast each channel was posted to.

    Slack counts a method per workspace, and posts per channel too.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._paused: dict[Bucket, float] = {}  # until when
        self._full_at: dict[Bucket, float] = {}  # from when on a whole burst may pass again

    def wait(self, method: str, channel: str) -> None:
        """Return when a call may start. Raises Unavailable at once when that is too late for this delivery.

        Its reason is slack_ratelimited while Slack's pause lasts, slack_busy while other posts come first.
        """
        bucket = _bucket(method, channel)
        while True:
            pause, turn = self._take(bucket)
            if not pause and not turn:
                return
            latest = remaining(self._clock) - LEAST_CALL_SECONDS
            if pause > min(latest, LONGEST_WAIT_SECONDS):
                text = f"Slack takes no {method} for another {math.ceil(pause)} s; it is tried again."
                raise Unavailable("slack_ratelimited", text)
            if turn > latest:
                text = "Too many posts to one channel wait for their second; it is tried again."
                raise Unavailable("slack_busy", text)
            self._sleep(pause or turn)

    def pause(self, method: str, channel: str, seconds: int) -> None:
        """Remember that Slack wants no such call for so many seconds; then posts pass one by one."""
        bucket = _bucket(method, channel)
        with self._lock:
            end = self._clock() + min(seconds, LONGEST_PAUSE_SECONDS)
            self._paused[bucket] = max(end, self._paused.get(bucket, end))
            self._full_at[bucket] = self._paused[bucket] + (BURST - 1) * SECONDS_PER_POST

    def _take(self, bucket: Bucket) -> tuple[float, float]:
        """Return how long Slack's pause lasts, and otherwise how long until a post's turn; 0, 0 takes it."""
        with self._lock:
            now = self._clock()
            pause = self._paused.get(bucket, now) - now
            if pause > 0:
                return pause, 0
            if bucket[0] not in POSTS:
                return 0, 0
            rested = max(self._full_at.get(bucket, now), now)
            turn = rested - (BURST - 1) * SECONDS_PER_POST - now
            if turn > 0:
                return 0, turn
            self._full_at[bucket] = rested + SECONDS_PER_POST
            return 0, 0


def retry_after(headers: Mapping[str, str]) -> int:
    """Return the seconds that Slack asks for, 1 where it does not say so in a way that makes sense."""
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(asked) if _SECONDS.fullmatch(asked) else 1


def _bucket(method: str, channel: str) -> Bucket:
    return method, channel if method in POSTS else ""
