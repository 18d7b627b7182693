"""A delivery waits a few seconds at most; whatever takes longer is delivered again."""

from datetime import datetime, timedelta

import pytest

from clients.github.client import TOO_MANY_WRITES, USED_UP
from functions.triage.time_limit import DELIVERY_SECONDS, TimeLimit
from pipeline.errors import Busy, Unavailable
from tests.support.messages import NOON


class Clocks:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.limit = TimeLimit(lambda: self.seconds, self.now)
        self.limit.start()

    def now(self) -> datetime:
        """Return the time."""
        return NOON + timedelta(seconds=self.seconds)

    def error(self, reason: str, seconds: float) -> Unavailable | None:
        """Return the error of a wait."""
        try:
            self.limit.on_wait(reason, self.now() + timedelta(seconds=seconds))
        except Unavailable as error:
            return error
        return None


@pytest.mark.parametrize("reason", [USED_UP, TOO_MANY_WRITES])
def test_a_rate_limit_is_left_to_the_next_delivery(reason: str) -> None:
    """A long wait for GitHub's limits is no error to an operator; it ends with a retry."""
    error = Clocks().error(reason, 60)
    assert isinstance(error, Busy)
    assert error.reason == "rate_limited"
    assert Clocks().error(reason, 5) is None


def test_an_outage_is_an_error() -> None:
    """If GitHub fails for longer than a few seconds, the error says what it answered."""
    error = Clocks().error("GitHub: https://api.github.com/app answered 502", 8)
    assert not isinstance(error, Busy)
    assert error is not None
    assert (error.reason, str(error)) == ("github_down", "GitHub: https://api.github.com/app answered 502.")


def test_the_time_of_a_delivery_ends() -> None:
    """After it nothing is waited for and nothing is asked; the next delivery has its own time."""
    clocks = Clocks()
    clocks.seconds = DELIVERY_SECONDS - 1
    clocks.limit.check()
    clocks.seconds = DELIVERY_SECONDS
    with pytest.raises(Unavailable) as caught:
        clocks.limit.check()
    assert caught.value.reason == "github_slow"
    error = clocks.error("GitHub: it answered 502", 1)
    assert error is not None
    assert error.reason == "github_slow"
    clocks.limit.start()
    assert clocks.error("GitHub: it answered 502", 1) is None
