"""Slack's rules for one call: a request in, its arguments or the list of what is wrong with it out.

Limits and sentences are Slack's (docs.slack.dev, Block Kit reference and chat.postMessage). Stricter than
Slack on purpose: bad escaping, control characters, unknown arguments and legacy attachments are refused here,
where Slack is lenient and the mistake would only be seen in the channel. So are a post's text that Slack
would cut, and a type of metadata with which Slack would drop it without a word.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

_ENTITY = r"&(?:amp|lt|gt);"
_ADDRESS = rf"(?:[^\s<>|&]|{_ENTITY})+"
_LABEL = rf"(?:[^<>|&\n]|{_ENTITY})+"

# A construct in angle brackets; docs.slack.dev/messaging/formatting-message-text.
CONTROL: Final = re.compile(
    rf"<(?:(?P<url>(?:https?://|mailto:){_ADDRESS})"
    r"|@(?P<user>[UW][A-Z0-9]+)"
    r"|#(?P<channel>C[A-Z0-9]+)"
    r"|!(?P<special>here|channel|everyone)"
    r"|!subteam\^(?P<group>S[A-Z0-9]+)"
    r"|!date\^(?P<stamp>\d{1,11})\^(?P<format>[^<>|^&\n]+)"
    rf"(?:\^(?P<date_url>https?://{_ADDRESS}))?(?=\|))"
    rf"(?:\|(?P<label>{_LABEL}))?>"
)
_RESERVED = re.compile(r"[<>&]")
_WHOLE_ENTITY = re.compile(_ENTITY)
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_TS = re.compile(r"\d{10}\.\d{6}")
_EVENT_TYPE = re.compile(r"[A-Za-z][\w-]{0,254}", re.ASCII)

MAX_TEXT: Final = 40_000  # characters of the top-level text
MAX_UPDATE_TEXT: Final = 4_000  # likewise, of chat.update
MAX_BLOCKS: Final = 50
MAX_BLOCKS_TEXT: Final = 12_000  # characters over all blocks; undocumented, seen between 12,000 and 13,300
MAX_DEPTH: Final = 20  # levels of nesting; nothing that Slack documents comes near

_BOOLEANS = frozenset(
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

type Arguments = dict[str, Any]
type Found = Iterator[tuple[str, str]]  # sentence, JSON pointer
type Check = Callable[[Any, str], Found]
type Fields = Mapping[str, tuple[bool, Check]]  # name -> (required, check)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: Slack's error slug and, unless the slug says it all, a sentence and a JSON pointer."""

    error: str
    message: str = ""
    pointer: str = ""

    def __str__(self) -> str:
        """Say it as Slack does in response_metadata.messages, without the [ERROR] in front."""
        return f"{self.message} [json-pointer:{self.pointer}]" if self.pointer else self.message or self.error


class RefusedError(Exception):
    """The request is answered with the first problem's error, and the details; the others explain."""

    def __init__(self, *problems: Problem, details: Mapping[str, str] | None = None) -> None:
        super().__init__("; ".join(f"{problem.error}: {problem}" for problem in problems))
        self.problems = problems
        self.details = details or {}


def decode(content_type: str, body: bytes) -> Arguments:
    """Read the arguments of a call from a JSON or form-encoded body; an empty body has none.

    Raises RefusedError with Slack's slug: missing_post_type, invalid_post_type, invalid_charset,
    invalid_json, json_not_object, invalid_form_data, invalid_array_arg, invalid_blocks_format,
    invalid_metadata_format.
    """
    kind, _, parameters = (part.strip().lower() for part in content_type.partition(";"))
    if not body:
        return {}
    if not kind:
        raise RefusedError(Problem(error="missing_post_type"))
    if parameters and parameters.replace(" ", "").strip('"') not in {"charset=utf-8", 'charset="utf-8'}:
        raise RefusedError(Problem(error="invalid_charset"))
    if kind == "application/json":
        return _decode_json(body)
    if kind == "application/x-www-form-urlencoded":
        return decode_form(body)
    raise RefusedError(Problem(error="invalid_post_type", message=f"cannot read {kind}"))


def decode_form(body: bytes) -> Arguments:
    """Read a form or a query string: blocks and metadata as JSON, switches as true, false, 1 or 0."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as error:
        raise RefusedError(Problem(error="invalid_form_data", message=str(error))) from error
    arguments: Arguments = dict(pairs)
    if len(arguments) < len(pairs):
        raise RefusedError(Problem(error="invalid_array_arg", message="an argument is given twice"))
    for name in ("blocks", "metadata"):
        if name in arguments:
            arguments[name] = _loads(arguments[name], f"invalid_{name}_format")
    switches = {"true": True, "1": True, "false": False, "0": False}
    for name in _BOOLEANS & arguments.keys():
        arguments[name] = switches.get(arguments[name], arguments[name])
    return arguments


def check_message(arguments: Arguments, known: AbstractSet[str] = POST_ARGUMENTS) -> list[Problem]:
    """Tell everything wrong with a message; the first problem is the answer, an empty list is consent.

    The channel and the thread are looked up by whoever knows them; here they only have to be strings.
    """
    problems = check_arguments(arguments, known)
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    if not blocks and not (isinstance(text, str) and text.strip()):
        problems.append(Problem(error="no_text"))
    if isinstance(text, str):
        if len(text) > MAX_TEXT:
            problems.append(Problem(error="msg_too_long"))
        problems += _as("invalid_arguments", _unescaped(text, "/text", controls=True))
    return problems + _check_blocks(blocks) + _check_metadata(arguments)


def check_update(arguments: Arguments) -> list[Problem]:
    """Tell everything wrong with new content for a message; as check_message, but {} removes metadata."""
    content = {name: value for name, value in arguments.items() if name != "metadata" or value != {}}
    text = content.get("text")
    long = isinstance(text, str) and len(text) > MAX_UPDATE_TEXT
    problems = [Problem(error="msg_too_long")] if long else []
    return _check_required(content, {"ts"}) + problems + check_message(content, UPDATE_ARGUMENTS)


def check_arguments(
    arguments: Arguments, known: AbstractSet[str], *, required: AbstractSet[str] = frozenset()
) -> list[Problem]:
    """Tell which arguments are missing, unknown, of a wrong type, or no text."""
    missing = _check_required(arguments, required)
    return [*missing, *_check_characters(arguments), *_check_arguments(arguments, known)]


def _decode_json(body: bytes) -> Arguments:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(Problem(error="invalid_json", message="not UTF-8")) from error
    arguments = _loads(text, "invalid_json")
    if not isinstance(arguments, dict):
        raise RefusedError(Problem(error="json_not_object"))
    return arguments


def _loads(text: str, slug: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is given twice in one object")
        return dict(pairs)

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise RefusedError(Problem(error=slug, message=str(error))) from error


def _as(slug: str, found: Found) -> list[Problem]:
    return [Problem(error=slug, message=message, pointer=pointer) for message, pointer in found]


def _check_required(arguments: Arguments, required: AbstractSet[str]) -> list[Problem]:
    missing = sorted(required - arguments.keys())
    return [Problem(error="invalid_arguments", message=f"missing required field: {name}") for name in missing]


def _check_arguments(arguments: Arguments, known: AbstractSet[str]) -> Iterator[Problem]:
    slug = "invalid_arguments"
    for name in sorted(arguments.keys() - known):
        yield Problem(error=slug, message=f"unknown argument: {name}", pointer=f"/{name}")
    for name in sorted(_STRINGS & arguments.keys()):
        yield from _as(slug, _string()(arguments[name], f"/{name}"))
    for name in sorted(_BOOLEANS & arguments.keys()):
        yield from _as(slug, _boolean(arguments[name], f"/{name}"))
    for name in sorted(_TIMESTAMPS & arguments.keys()):
        if isinstance(arguments[name], str) and not _TS.fullmatch(arguments[name]):
            yield Problem(error=slug, message="must look like 1234567890.123456", pointer=f"/{name}")


def _check_characters(arguments: Arguments) -> Iterator[Problem]:
    slugs = {"blocks": "invalid_blocks", "metadata": "invalid_metadata_format"}
    for at, value in _leaves(arguments):
        slug = slugs.get(at.split("/", 2)[1], "invalid_arguments")
        if at.count("/") > MAX_DEPTH:
            yield Problem(error=slug, message=f"nested deeper than {MAX_DEPTH} levels", pointer=at)
        elif isinstance(value, str) and (bad := _NOT_TEXT.search(value)):
            message = f"character U+{ord(bad[0]):04X} at {bad.start()} is not text"
            yield Problem(error=slug, message=message, pointer=at)


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Every value that holds no other, with its pointer; stops one level below MAX_DEPTH."""
    waiting = [("", value)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, dict) and at.count("/") <= MAX_DEPTH:
            waiting += [(f"{at}/{name}", inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list) and at.count("/") <= MAX_DEPTH:
            waiting += reversed([(f"{at}/{index}", inner) for index, inner in enumerate(value)])
        elif at:
            yield at, value


def _check_metadata(arguments: Arguments) -> list[Problem]:
    if "metadata" not in arguments:
        return []
    if not isinstance(arguments["metadata"], dict):
        return _as("invalid_metadata_format", iter([("must provide an object", "/metadata")]))
    schema = _object({"event_type": (True, _event_type), "event_payload": (True, _any_object)})
    return _as("invalid_metadata_schema", schema(arguments["metadata"], "/metadata"))


def _check_blocks(blocks: Any) -> list[Problem]:
    if not isinstance(blocks, list):
        return _as("invalid_blocks_format", iter([("must provide an array", "/blocks")]))
    problems = _as("invalid_blocks", _list(_by_type(_BLOCKS), most=MAX_BLOCKS)(blocks, "/blocks"))
    seen: set[tuple[str, str]] = set()
    size = 0
    for at, value in _leaves({"blocks": blocks}):
        name = at.rpartition("/")[2]
        if not isinstance(value, str):
            continue
        if name == "text":
            size += len(value)
        if name in {"block_id", "action_id"}:
            if (name, value) in seen:
                message = f'`{name}` "{value}" already exists'
                problems.append(Problem(error="invalid_blocks", message=message, pointer=at))
            seen.add((name, value))
    if size > MAX_BLOCKS_TEXT:
        problems.append(Problem(error="msg_blocks_too_long"))
    return problems


def _unescaped(text: str, at: str, *, controls: bool) -> Found:
    """Yield the first < > or & that neither belongs to an entity nor, with controls, to a construct."""
    position = 0
    while reserved := _RESERVED.search(text, position):
        start = reserved.start()
        whole = _WHOLE_ENTITY.match(text, start) or (CONTROL.match(text, start) if controls else None)
        if whole is None:
            yield f"unescaped {text[start]} at character {start}: {text[start : start + 24]!r}", at
            return
        position = whole.end()


def _string(most: int | None = None, *, least: int = 0) -> Check:
    def check(value: Any, at: str) -> Found:
        if not isinstance(value, str):
            yield "must provide a string", at
        elif len(value.strip()) < least:  # Slack counts a string of spaces as empty
            yield f"must be more than {least - 1} characters", at
        elif most is not None and len(value) > most:
            yield f"must be less than {most + 1} characters", at

    return check


def _boolean(value: Any, at: str) -> Found:
    if not isinstance(value, bool):
        yield "must provide a boolean", at


def _event_type(value: Any, at: str) -> Found:
    if not isinstance(value, str) or not _EVENT_TYPE.fullmatch(value):
        yield "must be a letter, and letters, digits, - and _ after it", at


def _any_object(value: Any, at: str) -> Found:
    if not isinstance(value, dict):
        yield "must provide an object", at


def _choice(*allowed: str) -> Check:
    def check(value: Any, at: str) -> Found:
        if value not in allowed:
            yield f"must be one of: {', '.join(allowed)}", at

    return check


def _url(value: Any, at: str) -> Found:
    problems = list(_string(3000, least=1)(value, at))
    yield from problems
    if not problems and not re.fullmatch(r"https?://[^\s/][^\s]*", value):
        yield "must be an http or https URL", at


def _list(inner: Check, *, most: int, least: int = 0) -> Check:
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


def _object(fields: Fields) -> Check:
    def check(value: Any, at: str) -> Found:
        if not isinstance(value, dict):
            yield "must provide an object", at
            return
        for name in sorted(value.keys() - fields.keys()):
            yield f"invalid additional property: {name}", at
        for name, (required, inner) in fields.items():
            if name in value:
                yield from inner(value[name], f"{at}/{name}")
            elif required:
                yield f"missing required field: {name}", at

    return check


def _by_type(table: Mapping[str, Check]) -> Check:
    def check(value: Any, at: str) -> Found:
        if not isinstance(value, dict):
            yield "must provide an object", at
        elif "type" not in value:
            yield "missing required field: type", at
        elif not isinstance(value["type"], str) or value["type"] not in table:
            yield f"unsupported type: {value['type']}", f"{at}/type"
        else:
            yield from table[value["type"]](value, at)

    return check


def _text(most: int, *kinds: str) -> Check:
    """Check a text object of one of these kinds; Slack names the object first, then the place in it."""
    switch = {"mrkdwn": "verbatim", "plain_text": "emoji"}

    def of(kind: str) -> Check:
        shape = _object(
            {
                "type": (True, _string()),
                "text": (True, _string(most, least=1)),
                switch[kind]: (False, _boolean),
            }
        )

        def check(value: Any, at: str) -> Found:
            problems = list(shape(value, at))
            if isinstance(value.get("text"), str):
                problems += _unescaped(value["text"], f"{at}/text", controls=kind == "mrkdwn")
            if problems:
                yield "failed to match all allowed schemas", at
            yield from problems

        return check

    return _by_type({kind: of(kind) for kind in kinds})


def _block(**fields: tuple[bool, Check]) -> Check:
    return _object({"type": (True, _string()), "block_id": (False, _string(255, least=1)), **fields})


def _section(value: Any, at: str) -> Found:
    yield from _SECTION(value, at)
    if not {"text", "fields"} & value.keys():
        yield "missing required field: text", at


def _rich_part(value: Any, at: str) -> Found:
    """Check types only: sections, lists, quotes and code whose elements carry strings."""
    yield from _any_object(value, at)
    if isinstance(value, dict):
        for name in sorted({"text", "url", "name"} & value.keys() | {"type"}):
            yield from _string()(value.get(name), f"{at}/{name}")
        if at.count("/") < MAX_DEPTH and "elements" in value:
            yield from _list(_rich_part, most=MAX_TEXT)(value["elements"], f"{at}/elements")


_PLAIN = "plain_text"
_MRKDWN = "mrkdwn"
_IMAGE: Fields = {"image_url": (True, _url), "alt_text": (True, _string(2000, least=1))}
_CONFIRM = _object(
    {
        "title": (True, _text(100, _PLAIN)),
        "text": (True, _text(300, _PLAIN)),
        "confirm": (True, _text(30, _PLAIN)),
        "deny": (True, _text(30, _PLAIN)),
        "style": (False, _choice("primary", "danger")),
    }
)
_BUTTON = _object(
    {
        "type": (True, _string()),
        "text": (True, _text(75, _PLAIN)),
        "action_id": (False, _string(255, least=1)),
        "url": (False, _url),
        "value": (False, _string(2000)),
        "style": (False, _choice("primary", "danger")),
        "confirm": (False, _CONFIRM),
        "accessibility_label": (False, _string(75, least=1)),
    }
)
_IMAGE_ELEMENT = _object({"type": (True, _string()), **_IMAGE})
_CONTEXT_ELEMENT: dict[str, Check] = {
    _MRKDWN: _text(3000, _MRKDWN),
    _PLAIN: _text(3000, _PLAIN),
    "image": _IMAGE_ELEMENT,
}
_SECTION = _block(
    text=(False, _text(3000, _MRKDWN, _PLAIN)),
    fields=(False, _list(_text(2000, _MRKDWN, _PLAIN), least=1, most=10)),
    accessory=(False, _by_type({"button": _BUTTON, "image": _IMAGE_ELEMENT})),
    expand=(False, _boolean),
)
_BLOCKS: dict[str, Check] = {
    "header": _block(text=(True, _text(150, _PLAIN))),
    "section": _section,
    "context": _block(elements=(True, _list(_by_type(_CONTEXT_ELEMENT), least=1, most=10))),
    "actions": _block(elements=(True, _list(_by_type({"button": _BUTTON}), least=1, most=25))),
    "divider": _block(),
    "image": _block(**_IMAGE, title=(False, _text(2000, _PLAIN))),
    "rich_text": _block(elements=(True, _list(_rich_part, least=1, most=MAX_TEXT))),
}
