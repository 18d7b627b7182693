"""Whether Slack takes a message, or new content for one."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final

from local.slack.rules.arguments import (
    POST_ARGUMENTS,
    UPDATE_ARGUMENTS,
    check_arguments,
    check_required,
    leaves,
)
from local.slack.rules.block_kit import check_block_list
from local.slack.rules.mrkdwn import unescaped
from local.slack.rules.problems import Arguments, Problem
from local.slack.rules.schema import Found, any_object, fields

MAX_TEXT: Final = 40_000  # characters of the top-level text
MAX_UPDATE_TEXT: Final = 4_000  # the same, of chat.update
MAX_BLOCKS_TEXT: Final = 12_000  # characters over all blocks; undocumented, seen between 12,000 and 13,300

_EVENT_TYPE = re.compile(r"[A-Za-z][\w-]{0,254}", re.ASCII)


def check_message(arguments: Arguments, known: AbstractSet[str] = POST_ARGUMENTS) -> list[Problem]:
    """Return everything wrong with a message, the problem that is the answer first; an empty list accepts it.

    The workspace looks up the channel and the thread; here they only have to be strings.
    """
    problems = check_arguments(arguments, known)
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    if not blocks and not (isinstance(text, str) and text.strip()):
        problems.append(Problem(error="no_text"))
    if isinstance(text, str):
        if len(text) > MAX_TEXT:
            problems.append(Problem(error="msg_too_long"))
        problems += _as("invalid_arguments", unescaped(text, "/text", controls=True))
    return problems + _check_blocks(blocks) + _check_metadata(arguments)


def check_update(arguments: Arguments) -> list[Problem]:
    """Return everything wrong with new content for a message; like check_message, but {} removes metadata."""
    content = {name: value for name, value in arguments.items() if name != "metadata" or value != {}}
    text = content.get("text")
    long = isinstance(text, str) and len(text) > MAX_UPDATE_TEXT
    problems = [Problem(error="msg_too_long")] if long else []
    return check_required(content, {"ts"}) + problems + check_message(content, UPDATE_ARGUMENTS)


def _check_blocks(blocks: Any) -> list[Problem]:
    if not isinstance(blocks, list):
        return _as("invalid_blocks_format", [("must provide an array", "/blocks")])
    problems = _as("invalid_blocks", check_block_list(blocks, "/blocks"))
    strings = [
        (at.rpartition("/")[2], value, at)
        for at, value in leaves({"blocks": blocks})
        if isinstance(value, str)
    ]
    seen: set[tuple[str, str]] = set()
    for name, value, at in strings:
        if name in {"block_id", "action_id"}:
            if (name, value) in seen:
                problems += _as("invalid_blocks", [(f'`{name}` "{value}" already exists', at)])
            seen.add((name, value))
    if sum(len(value) for name, value, _ in strings if name == "text") > MAX_BLOCKS_TEXT:
        problems.append(Problem(error="msg_blocks_too_long"))
    return problems


def _check_metadata(arguments: Arguments) -> list[Problem]:
    if "metadata" not in arguments:
        return []
    if not isinstance(arguments["metadata"], dict):
        return _as("invalid_metadata_format", [("must provide an object", "/metadata")])
    schema = fields({"event_type": (True, _event_type), "event_payload": (True, any_object)})
    return _as("invalid_metadata_schema", schema(arguments["metadata"], "/metadata"))


def _event_type(value: Any, at: str) -> Found:
    if not isinstance(value, str) or not _EVENT_TYPE.fullmatch(value):
        yield "must be a letter, and letters, digits, - and _ after it", at


def _as(slug: str, found: Iterable[tuple[str, str]]) -> list[Problem]:
    return [Problem(error=slug, message=message, pointer=pointer) for message, pointer in found]
