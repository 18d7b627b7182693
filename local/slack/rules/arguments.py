"""Which arguments a method takes, and whether those of a call are well formed."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final

from local.slack.rules.problems import Arguments, Problem
from local.slack.rules.schema import MAX_DEPTH, boolean, string

WEBHOOK_ARGUMENTS: Final = frozenset(
    {"text", "blocks", "metadata", "thread_ts", "mrkdwn", "unfurl_links", "unfurl_media"}
)
POST_ARGUMENTS: Final = WEBHOOK_ARGUMENTS | {"channel", "link_names", "reply_broadcast"}
UPDATE_ARGUMENTS: Final = frozenset(
    {"channel", "ts", "text", "blocks", "metadata", "link_names", "reply_broadcast"}
)
DELETE_ARGUMENTS: Final = frozenset({"channel", "ts"})
HISTORY_ARGUMENTS: Final = frozenset(
    {"channel", "oldest", "latest", "inclusive", "limit", "cursor", "include_all_metadata"}
)
REPLIES_ARGUMENTS: Final = HISTORY_ARGUMENTS | {"ts"}
BOOLEANS: Final = frozenset(
    {
        "include_all_metadata",
        "inclusive",
        "link_names",
        "mrkdwn",
        "reply_broadcast",
        "unfurl_links",
        "unfurl_media",
    }
)

_TIMESTAMPS = frozenset({"thread_ts", "ts"})
_STRINGS = frozenset({"channel", "text"}) | _TIMESTAMPS
_TS = re.compile(r"\d{10}\.\d{6}")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_CHARACTER_SLUGS = {"blocks": "invalid_blocks", "metadata": "invalid_metadata_format"}


def check_arguments(
    arguments: Arguments, known: AbstractSet[str], *, required: AbstractSet[str] = frozenset()
) -> list[Problem]:
    """Return a problem for each argument that is missing, unknown, of a wrong type, or not text."""
    return [
        *check_required(arguments, required),
        *_check_characters(arguments),
        *_check_types(arguments, known),
    ]


def check_required(arguments: Arguments, required: AbstractSet[str]) -> list[Problem]:
    """Return a problem for each argument that is missing."""
    missing = sorted(required - arguments.keys())
    return [Problem(error="invalid_arguments", message=f"missing required field: {name}") for name in missing]


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
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


def _check_types(arguments: Arguments, known: AbstractSet[str]) -> Iterator[Problem]:
    def problems(found: Iterator[tuple[str, str]]) -> Iterator[Problem]:
        return (Problem(error="invalid_arguments", message=message, pointer=at) for message, at in found)

    yield from problems(
        (f"unknown argument: {name}", f"/{name}") for name in sorted(arguments.keys() - known)
    )
    for name in sorted(_STRINGS & arguments.keys()):
        yield from problems(string()(arguments[name], f"/{name}"))
    for name in sorted(BOOLEANS & arguments.keys()):
        yield from problems(boolean(arguments[name], f"/{name}"))
    for name in sorted(_TIMESTAMPS & arguments.keys()):
        if isinstance(arguments[name], str) and not _TS.fullmatch(arguments[name]):
            yield from problems(iter([("must look like 1234567890.123456", f"/{name}")]))


def _check_characters(arguments: Arguments) -> Iterator[Problem]:
    for at, value in leaves(arguments):
        slug = _CHARACTER_SLUGS.get(at.split("/", 2)[1], "invalid_arguments")
        if at.count("/") > MAX_DEPTH:
            yield Problem(error=slug, message=f"nested deeper than {MAX_DEPTH} levels", pointer=at)
        elif isinstance(value, str) and (bad := _NOT_TEXT.search(value)):
            message = f"character U+{ord(bad[0]):04X} at {bad.start()} is not text"
            yield Problem(error=slug, message=message, pointer=at)
