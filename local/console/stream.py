"""The stream of one browser, as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from local.console.board import Board, Seen

TICK_SECONDS: Final = 0.25  # between two looks at the parts, and at whether the reader has left
COMMENT_SECONDS: Final = 15.0


def stream(
    board: Board, since: int, stopping: threading.Event, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """Yield what happens after the happening with this number; an empty part where nothing does.

    If the feed no longer has what follows the number, the browser is told to read the state again.
    """
    yield b": connected\n\n"  # so that the browser has the head at once
    seen = Seen(number=since)
    if not board.has_since(since):
        yield _event("reset", {})
        seen = Seen(number=board.last)
    parts, told_at, sent_at = None, 0.0, clock()
    while not stopping.is_set():
        news = board.news(seen, TICK_SECONDS)
        lines = [_event("happening", happening.as_json(), happening.number) for happening in news.happenings]
        lines += [_event("delivery", delivery) for delivery in news.deliveries]
        lines += [_event("message", message) for message in news.messages]
        lines += [_event("issue", issue) for issue in news.issues]
        seen, now = news.seen, clock()
        if now - told_at >= TICK_SECONDS:
            told_at, before, parts = now, parts, board.parts()
            lines += [_event("parts", parts)] * (parts != before)
        if not lines and now - sent_at >= COMMENT_SECONDS:
            lines.append(b": nothing new\n\n")
        if lines:
            sent_at = now
        yield b"".join(lines)


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    """Return one event, on one line each: JSON escapes the line breaks in strings."""
    id_line = "" if number is None else f"id: {number}\n"
    return f"event: {name}\n{id_line}data: {json.dumps(data)}\n\n".encode()
