"""Every rule for the values of the routes file, table by table: each problem with its key."""

import re
from collections.abc import Collection, Iterator
from dataclasses import fields
from typing import Any, TypeIs, get_args

from .eligibility import CARD_EVENTS
from .route import Format, Private, Route

_DEFAULTS = ("fold_over", "format", "mute_authors")
_LABELS = ("labels_any", "labels_all", "labels_none")
_KEYS = tuple(field.name for field in fields(Route))
_MAX_FOLD_OVER = 50
_MISSPELT = 0.8  # "open" is this close to "opened"
# Not a user's id: Slack would post there, but hides the history in which the card is found again.
_CHANNEL = re.compile(r"[CDG][A-Z0-9]+")
_MENTION = re.compile(r"[UWS][A-Z0-9]+")
_MUTE_PATTERN = re.compile(r"[\w*?\[\]-]+", re.ASCII)
_ACTION = re.compile(r"[a-z]+(_[a-z]+)*")
_EVERYONE = re.compile(r"\*+\??\**|\?\*+")
# What can match an owner/name: one slash between two names, or a wildcard in the place of the slash.
_GLOB = re.compile(r"[\w.*?-]+/[\w.*?-]+|(?=.*[*?])[\w.*?-]+|.*\[.*", re.ASCII)

type Problem = tuple[str | None, str]  # the key that it is about, and what is wrong
type Table = dict[str, Any]


def of_defaults(table: Table) -> Iterator[Problem]:
    """Yield what is wrong with [defaults]."""
    yield from _unknown(table, _DEFAULTS)
    yield from _one_of("format", table.get("format", "compact"), get_args(Format))
    yield from _mute_authors(table)
    fold_over = table.get("fold_over", 0)
    if type(fold_over) is not int or not 0 <= fold_over <= _MAX_FOLD_OVER:
        yield "fold_over", f"fold_over must be a whole number from 0 to {_MAX_FOLD_OVER}; 0 turns it off"


def of_route(table: Table) -> Iterator[Problem]:
    """Yield what is wrong with one [[route]], including what can never match."""
    yield from _unknown(table, _KEYS)
    name = table.get("name", "route")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        yield "name", "name must be one line of text"
    channels = table.get("channels")
    if not _texts(channels) or not all(map(_CHANNEL.fullmatch, channels)):
        yield "channels", "channels must be a list of channel ids such as C0123456789"
    yield from _repositories(table.get("repositories", ["*"]))
    yield from _labels(table)
    yield from _events(table.get("events", list(CARD_EVENTS)))
    yield from _one_of("private", table.get("private", "any"), get_args(Private))
    yield from _mute_authors(table)
    yield from _one_of("format", table.get("format", "compact"), get_args(Format))
    yield from _mention(table)


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a suggestion if the name looks like a misspelt known one, else nothing."""
    import difflib  # noqa: PLC0415 - only a wrong file needs it, and every cold start would wait for it

    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _repositories(globs: object) -> Iterator[Problem]:
    if not _texts(globs):
        yield "repositories", 'repositories must be a list of globs such as "acme/*"'
        return
    for glob in globs:
        if not _GLOB.fullmatch(glob):
            yield "repositories", f"repositories: {glob!r} can never match an owner/name"


def _labels(table: Table) -> Iterator[Problem]:
    """Yield problems, also for an empty list: it could mean that every issue matches, or that none does."""
    lists: dict[str, dict[str, str]] = {}  # {key: {label in lower case: label}}
    for key in (key for key in _LABELS if key in table):
        if not _texts(table[key]):
            yield key, f'{key} must be a list of labels such as "bug"'
            continue
        for label in table[key]:
            if label != label.strip():
                yield key, f"{key}: {label!r} begins or ends with a space, which no label does"
        lists[key] = {label.lower(): label for label in table[key]}
    asked, unwanted = lists.get("labels_any", {}), lists.get("labels_none", {})
    never = "so the route can never match"
    for label in sorted(unwanted.keys() & lists.get("labels_all", {}).keys()):
        yield "labels_none", f"labels_none: {unwanted[label]!r} is in labels_all too, {never}"
    if asked and asked.keys() <= unwanted.keys():
        yield "labels_none", f"labels_none has every label of labels_any, {never}"


def _events(events: object) -> Iterator[Problem]:
    known = f" (known: {', '.join(CARD_EVENTS)})"
    if events == []:
        yield "events", f"events is empty, so the route can never match{known}"
    elif not _texts(events):
        yield "events", f"events must be a list of EVENT.ACTION{known}"
    else:
        for event in events:
            if event not in CARD_EVENTS and not _may_be_new(event):
                hint = did_you_mean(event, CARD_EVENTS) or known
                yield "events", f"events: no card is made of {event!r}{hint}"


def _may_be_new(event: str) -> bool:
    """Return whether GitHub may have added the event. A name that is close to a known one is misspelt."""
    import difflib  # noqa: PLC0415 - as in did_you_mean

    name, _, action = event.partition(".")
    known = [known.removeprefix(f"{name}.") for known in CARD_EVENTS if known.startswith(f"{name}.")]
    close = difflib.get_close_matches(action, known, n=1, cutoff=_MISSPELT)
    return bool(known) and _ACTION.fullmatch(action) is not None and not close


def _mute_authors(table: Table) -> Iterator[Problem]:
    patterns = table.get("mute_authors", [])
    if patterns == []:
        return
    if not _texts(patterns) or not all(map(_MUTE_PATTERN.fullmatch, patterns)):
        yield "mute_authors", 'mute_authors must be a list of logins such as "octocat" or "*[bot]"'
    elif everyone := next(filter(_EVERYONE.fullmatch, patterns), None):
        yield "mute_authors", f"mute_authors: {everyone!r} mutes everyone, so the route can never match"


def _mention(table: Table) -> Iterator[Problem]:
    mentioned, events = table.get("mention", []), table.get("events", list(CARD_EVENTS))
    if mentioned == []:
        return
    if not _texts(mentioned) or not all(map(_MENTION.fullmatch, mentioned)):
        yield "mention", "mention must be a list of ids of users (U0123456789) or user groups (S0123456789)"
    elif _texts(events) and "issues.opened" not in events and not table.keys() & set(_LABELS):
        yield "mention", "mention: events has no issues.opened, so no one would ever be mentioned"


def _one_of(key: str, value: object, known: tuple[str, ...]) -> Iterator[Problem]:
    if value not in known:
        suggestion = did_you_mean(value, known) if isinstance(value, str) else ""
        yield key, f"{key} must be one of {', '.join(known)}{suggestion}"


def _unknown(table: Table, known: Collection[str]) -> Iterator[Problem]:
    for key in sorted(table.keys() - set(known)):
        yield key, f"unknown key {key!r}{did_you_mean(key, known)} (known: {', '.join(sorted(known))})"


def _texts(value: object) -> TypeIs[list[str]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and item.strip() for item in value)
    )
