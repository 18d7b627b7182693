"""Slack's two ways to ask for part of a list: a time range, and pages joined by cursors."""

import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from local.slack.message import Message
from local.slack.rules.problems import Arguments, Problem, RefusedError

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 999  # docs.slack.dev/reference/methods/conversations.history

_TS = re.compile(r"(\d{1,10})(?:\.(\d{1,6}))?", re.ASCII)
_COUNT = re.compile(r"\d{1,4}", re.ASCII)
_CURSOR = re.compile(rb"next_ts:(\d{1,16})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The times that a call asks for, in microseconds, ends included; cursor is the first on the page."""

    oldest: int = 0
    latest: int = sys.maxsize
    limit: int = DEFAULT_LIMIT
    cursor: int | None = None


def microseconds(ts: str) -> int:
    """Read a ts as Slack writes it: seconds, a point, six digits."""
    return int(ts.replace(".", ""))


def read_window(arguments: Arguments) -> Window:
    """Read oldest, latest, inclusive, limit and cursor of a call.

    Raises RefusedError with Slack's slug: invalid_ts_oldest, invalid_ts_latest, invalid_limit,
    invalid_cursor.
    """
    margin = 0 if arguments.get("inclusive", False) else 1
    return Window(
        oldest=_read_ts(arguments, "oldest", -1) + margin,
        latest=_read_ts(arguments, "latest", sys.maxsize) - margin,
        limit=_read_limit(arguments.get("limit", DEFAULT_LIMIT)),
        cursor=_read_cursor(arguments.get("cursor", "")),
    )


def cut_page(messages: Iterable[Message], window: Window, *, newest_first: bool) -> tuple[list[Message], str]:
    """Return one page of a window, in order, and the cursor of the next page, empty on the last."""
    oldest, latest = window.oldest, window.latest
    if window.cursor is not None and newest_first:
        latest = min(latest, window.cursor)
    elif window.cursor is not None:
        oldest = max(oldest, window.cursor)
    asked = [message for message in messages if oldest <= microseconds(message.ts) <= latest]
    asked.sort(key=lambda message: microseconds(message.ts), reverse=newest_first)
    page, rest = asked[: window.limit], asked[window.limit :]
    return page, b64encode(b"next_ts:%d" % microseconds(rest[0].ts)).decode() if rest else ""


def _read_ts(arguments: Arguments, name: str, default: int) -> int:
    if name not in arguments:
        return default
    ts = arguments[name]
    match = _TS.fullmatch(ts) if isinstance(ts, str) else None
    if match is None:
        message = "must be a string that looks like 1234567890.123456"
        raise RefusedError(Problem(error=f"invalid_ts_{name}", message=message, pointer=f"/{name}"))
    return int(match[1] + (match[2] or "").ljust(6, "0"))


def _read_limit(limit: Any) -> int:
    digits = str(limit) if isinstance(limit, str | int) else ""  # that of True has no digits
    if not _COUNT.fullmatch(digits) or not 1 <= int(digits) <= MAX_LIMIT:
        message = f"must be a number from 1 to {MAX_LIMIT}"
        raise RefusedError(Problem(error="invalid_limit", message=message, pointer="/limit"))
    return int(digits)


def _read_cursor(cursor: Any) -> int | None:
    if cursor == "":
        return None
    match = None
    with suppress(TypeError, ValueError):
        match = _CURSOR.fullmatch(b64decode(cursor, validate=True))
    if match is None:
        raise RefusedError(Problem(error="invalid_cursor"))
    return int(match[1])
