"""At most half of a function's threads wait at any moment."""

import re
from pathlib import Path

from clients.slack import waiting
from clients.slack.waiting import WaitLimit

ROOT = Path(__file__).parents[3]


def test_no_more_threads_wait_than_may() -> None:
    """A place is free again once its thread no longer waits, and not before."""
    limit = WaitLimit(threads=2)
    with limit.place() as first:
        with limit.place() as second, limit.place() as third, limit.place() as fourth:
            assert (first, second, third, fourth) == (True, True, False, False)
        with limit.place() as fifth:
            assert fifth


def test_half_of_the_deployed_threads_may_wait() -> None:
    """Half of the threads that are deployed may wait, so that the others are free for other channels."""
    deployed = (ROOT / "deploy" / "functions" / "notify_slack.sh").read_text()
    [threads] = re.findall(r"THREADS=([0-9]+)", deployed)
    assert int(threads) == waiting.THREADS * 2
