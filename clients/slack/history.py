"""One message of a channel, and what came shortly before it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.slack.client import Slack, TimeRange, to_ts
from clients.slack.deadline import remaining
from clients.slack.errors import SlackRefused

CLOCK_SKEW = timedelta(minutes=10)  # between the clocks of GitHub, Slack and this machine
LONGEST_RUN = timedelta(minutes=10)  # nothing takes longer from its look-up to its post
_PAUSES = (0.25, 0.5, 1.0, 2.0)  # seconds between two reads of a history that lags
_RESERVE = 10.0  # seconds that the caller needs after those reads


def messages_before(
    slack: Slack, channel: str, ts: str, sleep: Callable[[float], None]
) -> list[Mapping[str, Any]]:
    """Return what came shortly before the message posted at `ts`, once the history shows that message.

    Until it does, a history that lags may lack other messages too. After about four seconds the last read is
    used.
    """
    end = datetime.fromtimestamp(float(ts), UTC)
    time_range = TimeRange(oldest=to_ts(end - LONGEST_RUN), latest=to_ts(end + CLOCK_SKEW))
    messages = _first_page(slack, channel, time_range)
    for pause in _PAUSES:
        if any(message["ts"] == ts for message in messages) or remaining() < pause + _RESERVE:
            break
        sleep(pause)
        messages = _first_page(slack, channel, time_range)
    return [message for message in messages if float(message["ts"]) < float(ts)]


def message_at(slack: Slack, channel: str, ts: str) -> Mapping[str, Any]:
    """Return the message posted at `ts`, empty if it was deleted. This method of Slack's does not lag."""
    try:
        [page] = slack.replies(channel, ts, TimeRange(oldest=ts, latest=ts), 1)
    except SlackRefused as error:
        if error.code == "thread_not_found":
            return {}
        raise
    return next((message for message in page if message.get("ts") == ts), {})


def _first_page(slack: Slack, channel: str, time_range: TimeRange) -> list[Mapping[str, Any]]:
    return [message for page in slack.history(channel, time_range, 1) for message in page]
