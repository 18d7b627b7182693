"""Slack's two ways to ask for part of a list at once: a span of time, and pages joined by cursors."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from local.slack.page import Message
from local.slack.rules import Arguments, Problem, RefusedError

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 999  # docs.slack.dev/reference/methods/conversations.history

_STAMP = re.compile(r"(\d{1,10})(?:\.(\d{1,6}))?", re.ASCII)
_COUNT = re.compile(r"\d{1,4}", re.ASCII)
_CURSOR = re.compile(rb"next_ts:(\d{1,16})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which messages are asked for; times are microseconds, cursor is that of the first one on the page."""

    oldest: int | None = None
    latest: int | None = None
    inclusive: bool = False
    limit: int = DEFAULT_LIMIT
    cursor: int | None = None

    def spans(self, moment: int) -> bool:
        """Tell whether a message of this time is asked for; the ends themselves only if inclusive."""
        margin = 0 if self.inclusive else 1
        after = self.oldest is None or moment >= self.oldest + margin
        return after and (self.latest is None or moment <= self.latest - margin)


def microseconds(ts: str) -> int:
    """Read a ts as Slack writes it: seconds, a point, six digits."""
    return int(ts.replace(".", ""))


def read_window(arguments: Arguments) -> Window:
    """Read oldest, latest, inclusive, limit and cursor of a call.

    Raises RefusedError with Slack's slug: invalid_ts_oldest, invalid_ts_latest, invalid_limit,
    invalid_cursor.
    """
    return Window(
        oldest=_read_stamp(arguments, "oldest"),
        latest=_read_stamp(arguments, "latest"),
        inclusive=arguments.get("inclusive", False),
        limit=_read_limit(arguments.get("limit", DEFAULT_LIMIT)),
        cursor=_read_cursor(arguments.get("cursor", "")),
    )


def cut(messages: Iterable[Message], window: Window, *, newest_first: bool) -> tuple[list[Message], str]:
    """Give one page of a window, in order, and the cursor of the next page, empty on the last."""
    sign = -1 if newest_first else 1
    asked = [
        message
        for message in messages
        if window.spans(moment := microseconds(message.ts))
        and (window.cursor is None or sign * moment >= sign * window.cursor)
    ]
    asked.sort(key=lambda message: microseconds(message.ts), reverse=newest_first)
    page, rest = asked[: window.limit], asked[window.limit :]
    return page, _write_cursor(rest[0]) if rest else ""


def _read_stamp(arguments: Arguments, name: str) -> int | None:
    if name not in arguments:
        return None
    stamp = arguments[name]
    match = _STAMP.fullmatch(stamp) if isinstance(stamp, str) else None
    if match is None:
        message = "must be a string that looks like 1234567890.123456"
        raise RefusedError(Problem(error=f"invalid_ts_{name}", message=message, pointer=f"/{name}"))
    return int(match[1] + (match[2] or "").ljust(6, "0"))


def _read_limit(limit: Any) -> int:
    digits = str(limit) if isinstance(limit, str | int) else ""  # True is an int, but its word is no number
    if not _COUNT.fullmatch(digits) or not 1 <= int(digits) <= MAX_LIMIT:
        message = f"must be a number from 1 to {MAX_LIMIT}"
        raise RefusedError(Problem(error="invalid_limit", message=message, pointer="/limit"))
    return int(digits)


def _read_cursor(cursor: Any) -> int | None:
    if cursor == "":
        return None
    try:
        match = _CURSOR.fullmatch(b64decode(cursor, validate=True))
    except (TypeError, ValueError) as error:
        raise RefusedError(Problem(error="invalid_cursor")) from error
    if match is None:
        raise RefusedError(Problem(error="invalid_cursor"))
    return int(match[1])


def _write_cursor(following: Message) -> str:
    return b64encode(b"next_ts:%d" % microseconds(following.ts)).decode()
