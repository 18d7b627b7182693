"""The message that the workspace stores and the page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One stored message in its current state; via is "api" or "webhook".

    ts, thread_ts and edited are Slack's "seconds.microseconds". edited is the time of the newest update, or
    None if that update had blocks: Slack does not mark it as edited.
    """

    channel: str
    ts: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Any] | None = None
    thread_ts: str | None = None
    via: str = "api"
    edited: str | None = None
