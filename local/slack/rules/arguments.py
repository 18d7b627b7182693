"""Which arguments a method takes, and everything that is wrong with those of a call."""

import re
from collections.abc import Iterator
from typing import Any, Final

from local.slack.rules.block_kit import check_block_list
from local.slack.rules.mrkdwn import unescaped
from local.slack.rules.problems import Arguments, Problem, problems
from local.slack.rules.schema import MAX_DEPTH, Check, Found, any_object, array, boolean, fields, size, string

MAX_TEXT: Final = 40_000  # characters of the top-level text
MAX_UPDATE_TEXT: Final = 4_000  # the same, of chat.update
MAX_BLOCKS_TEXT: Final = 12_000  # characters over all blocks; undocumented, seen between 12,000 and 13,300

_MESSAGE = {"text", "blocks", "metadata"}
_POST_ONLY = {"thread_ts", "mrkdwn", "unfurl_links", "unfurl_media"}
_CHANNEL = {"channel", "link_names", "reply_broadcast"}
_READING = {"channel", "oldest", "latest", "inclusive", "limit", "cursor", "include_all_metadata"}
_ARGUMENTS = {
    "webhook": _MESSAGE | _POST_ONLY,
    "chat.postMessage": _MESSAGE | _POST_ONLY | _CHANNEL,
    "chat.update": _MESSAGE | _CHANNEL | {"ts", "attachments"},
    "chat.delete": {"channel", "ts"},
    "conversations.history": _READING,
    "conversations.replies": _READING | {"ts"},
    "files.getUploadURLExternal": {"filename", "length", "alt_txt"},
    "files.completeUploadExternal": {"files"},
}
BOOLEANS: Final = _POST_ONLY - {"thread_ts"} | _CHANNEL - {"channel"} | {"inclusive", "include_all_metadata"}
_REQUIRED = {"ts", "filename", "length", "files"}
_TS = string(pattern=r"\d{10}\.\d{6}", sentence="must look like 1234567890.123456")


def _attachment_text(value: Any, at: str) -> Found:
    yield from string(3000, least=1)(value, at)
    if isinstance(value, str):
        yield from unescaped(value, at, controls=True)


_COLOR = string(pattern="#[0-9a-f]{6}", sentence="must look like #0b5fa5")
_ATTACHMENT = fields({"color": _COLOR, "text": _attachment_text, "fallback": string(least=1)})
_CHECKS: dict[str, Check] = {
    "channel": string(),
    "text": string(),
    "thread_ts": _TS,
    "ts": _TS,
    "attachments": array(_ATTACHMENT, most=20),
    "filename": string(least=1),
    "length": size,
    "alt_txt": string(),
    "files": array(fields({"id": string(least=1)}, {"title": string()}), least=1, most=10),
    **dict.fromkeys(sorted(BOOLEANS), boolean),
}
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_CHARACTER_SLUGS = {"blocks": "invalid_blocks", "metadata": "invalid_metadata_format"}
_EVENT_TYPE = string(
    pattern="[A-Za-z][A-Za-z0-9_-]{0,254}", sentence="must be a letter, and letters, digits, - and _ after it"
)
_METADATA = fields({"event_type": _EVENT_TYPE, "event_payload": any_object})


def check_arguments(method: str, arguments: Arguments) -> list[Problem]:
    """Return everything wrong with a call of a method or "webhook", the problem that is the answer first.

    The workspace looks up the channel and the thread; here they only have to be strings.
    """
    known = _ARGUMENTS[method]
    missing = sorted(known & _REQUIRED - arguments.keys())
    unknown = sorted(arguments.keys() - known)
    found = problems("invalid_arguments", ((f"missing required field: {name}", "") for name in missing))
    found += _check_characters(arguments)
    found += problems("invalid_arguments", ((f"unknown argument: {name}", f"/{name}") for name in unknown))
    for name, check in _CHECKS.items():
        if name in arguments:
            found += problems("invalid_arguments", check(arguments[name], f"/{name}"))
    return found + _check_message(method, arguments) if known >= _MESSAGE else found


def _check_message(method: str, arguments: Arguments) -> list[Problem]:
    found = []
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    if not blocks and not arguments.get("attachments") and not (isinstance(text, str) and text.strip()):
        found.append(Problem(error="no_text"))
    if isinstance(text, str):
        if len(text) > (MAX_UPDATE_TEXT if method == "chat.update" else MAX_TEXT):
            found.append(Problem(error="msg_too_long"))
        found += problems("invalid_arguments", unescaped(text, "/text", controls=True))
    found += _check_blocks(blocks)
    metadata = arguments.get("metadata")
    if "metadata" not in arguments or (method == "chat.update" and metadata == {}):  # {} removes it
        return found
    if not isinstance(metadata, dict):
        return found + problems("invalid_metadata_format", [("must provide an object", "/metadata")])
    return found + problems("invalid_metadata_schema", _METADATA(metadata, "/metadata"))


def _check_blocks(blocks: Any) -> list[Problem]:
    if not isinstance(blocks, list):
        return problems("invalid_blocks_format", [("must provide an array", "/blocks")])
    found = problems("invalid_blocks", check_block_list(blocks, "/blocks"))
    seen: set[tuple[str, str]] = set()
    length = 0
    for at, value in _leaves({"blocks": blocks}):
        name = at.rpartition("/")[2]
        if name == "text" and isinstance(value, str):
            length += len(value)
        elif name in {"block_id", "action_id"} and isinstance(value, str):
            if (name, value) in seen:
                found += problems("invalid_blocks", [(f'`{name}` "{value}" already exists', at)])
            seen.add((name, value))
    return [*found, Problem(error="msg_blocks_too_long")] if length > MAX_BLOCKS_TEXT else found


def _check_characters(arguments: Arguments) -> Iterator[Problem]:
    for at, value in _leaves(arguments):
        slug = _CHARACTER_SLUGS.get(at.split("/", 2)[1], "invalid_arguments")
        if at.count("/") > MAX_DEPTH:
            yield Problem(error=slug, message=f"nested deeper than {MAX_DEPTH} levels", pointer=at)
        elif isinstance(value, str) and (bad := _NOT_TEXT.search(value)):
            message = f"character U+{ord(bad[0]):04X} at {bad.start()} is not text"
            yield Problem(error=slug, message=message, pointer=at)


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value that is no container, with its pointer; stops one level below MAX_DEPTH."""
    waiting = [("", value)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, dict) and at.count("/") <= MAX_DEPTH:
            waiting += [(f"{at}/{name}", inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list) and at.count("/") <= MAX_DEPTH:
            waiting += reversed([(f"{at}/{index}", inner) for index, inner in enumerate(value)])
        elif at:
            yield at, value
