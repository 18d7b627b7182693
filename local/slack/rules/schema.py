"""Checks of JSON values that report in Slack's sentences; each yields (sentence, JSON pointer)."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from local.slack.rules.mrkdwn import unescaped

MAX_DEPTH: Final = 20  # levels of nesting; nothing that Slack documents comes near

type Found = Iterator[tuple[str, str]]
type Check = Callable[[Any, str], Found]
type Checks = Mapping[str, Check]


def string(most: int | None = None, *, least: int = 0, pattern: str = "", sentence: str = "") -> Check:
    """Check a string by its length in characters; `sentence` reports that it does not match `pattern`."""

    def check(value: Any, at: str) -> Found:
        if not isinstance(value, str):
            yield "must provide a string", at
        elif len(value.strip()) < least:  # Slack counts a string of spaces as empty
            yield f"must be more than {least - 1} characters", at
        elif most is not None and len(value) > most:
            yield f"must be less than {most + 1} characters", at
        elif pattern and not re.fullmatch(pattern, value):
            yield sentence, at

    return check


def boolean(value: Any, at: str) -> Found:
    """Check that a value is true or false."""
    if not isinstance(value, bool):
        yield "must provide a boolean", at


def size(value: Any, at: str) -> Found:
    """Check a number of bytes, which a form carries as digits."""
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,12}", str(value)):
        yield "must provide a number", at


def any_object(value: Any, at: str) -> Found:
    """Check that a value is an object."""
    if not isinstance(value, dict):
        yield "must provide an object", at


def array(inner: Check, *, most: int, least: int = 0) -> Check:
    """Check a list by its length, and each of its items."""

    def check(value: Any, at: str) -> Found:
        if not isinstance(value, list):
            yield "must provide an array", at
            return
        if len(value) > most:
            yield f"no more than {most} items allowed", at
        if len(value) < least:
            yield f"no fewer than {least} items allowed", at
        for index, item in enumerate(value):
            yield from inner(item, f"{at}/{index}")

    return check


def fields(required: Checks, optional: Checks = MappingProxyType({})) -> Check:
    """Check an object that has the required fields, perhaps the optional ones, and no others."""

    def check(value: Any, at: str) -> Found:
        if not isinstance(value, dict):
            yield "must provide an object", at
            return
        for name in sorted(value.keys() - required.keys() - optional.keys()):
            yield f"invalid additional property: {name}", at
        for name, inner in (*required.items(), *optional.items()):
            if name in value:
                yield from inner(value[name], f"{at}/{name}")
            elif name in required:
                yield f"missing required field: {name}", at

    return check


def by_type(checks: Checks) -> Check:
    """Check an object by the check for its type."""

    def check(value: Any, at: str) -> Found:
        if not isinstance(value, dict):
            yield "must provide an object", at
        elif "type" not in value:
            yield "missing required field: type", at
        elif not isinstance(value["type"], str) or value["type"] not in checks:
            yield f"unsupported type: {value['type']}", f"{at}/type"
        else:
            yield from checks[value["type"]](value, at)

    return check


def text(most: int, *kinds: str) -> Check:
    """Check a text object of one of these kinds; Slack names the object first, then the place in it."""
    return by_type({kind: _text_of(kind, most) for kind in kinds})


def _text_of(kind: str, most: int) -> Check:
    switch = {"mrkdwn": "verbatim", "plain_text": "emoji"}[kind]
    shape = fields({"type": string(), "text": string(most, least=1)}, {switch: boolean})

    def check(value: Any, at: str) -> Found:
        problems = list(shape(value, at))
        if isinstance(value.get("text"), str):
            problems += unescaped(value["text"], f"{at}/text", controls=kind == "mrkdwn")
        if problems:
            yield "failed to match all allowed schemas", at
        yield from problems

    return check
