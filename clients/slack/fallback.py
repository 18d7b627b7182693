"""What is sent in place of a message whose blocks Slack calls invalid: as much of it as Slack accepts."""

import time
from collections.abc import Callable
from typing import Any

from clients.slack.blocks import Message, without_pictures
from clients.slack.deadline import remaining
from clients.slack.errors import SHORTER_MAY_PASS, SlackRefused
from pipeline.logs import log

# Slack processes an uploaded picture for a moment, and calls its block invalid until then. files.info would
# tell when that is over, but needs one more scope; a refused post posts nothing, so it tells as much.
_PAUSES = (0.0, 1.0, 2.0, 4.0)  # seconds before each try to show a picture
_RESERVE = 10.0  # seconds that the tries leave for the message without it

type Send[T] = Callable[[dict[str, Any]], T]


def with_fallback[T](send: Send[T], message: Message, sleep: Callable[[float], None] = time.sleep) -> T:
    """Send the message; if Slack calls its blocks invalid, without its pictures, then its text alone."""
    plain = without_pictures(message)
    if plain != message:
        for pause in _PAUSES:
            if pause and remaining() < pause + _RESERVE:
                break
            sleep(pause)
            try:
                return send(_content(message))
            except SlackRefused as error:
                if error.code not in SHORTER_MAY_PASS:
                    raise
        log.warning("Slack does not show the picture; sending the message without it")
    try:
        return send(_content(plain))
    except SlackRefused as error:
        if error.code not in SHORTER_MAY_PASS:
            raise
        log.error("Slack refused the blocks; sending the text alone", extra={"reason": error.code})
        return send({"text": message.text})


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}
