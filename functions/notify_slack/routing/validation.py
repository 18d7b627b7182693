"""Every rule for the values of the routes file, table by table: each problem with its key."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import get_args

from pipeline.file_rules import (
    CHANNEL,
    LABELS,
    Problem,
    Table,
    did_you_mean,
    labels,
    one_of,
    repositories,
    texts,
    unknown_keys,
)

from .eligibility import CARD_EVENTS
from .route import Format, Private, Route

_DEFAULTS = ("fold_over", "format", "mute_authors")
_KEYS = tuple(field.name for field in fields(Route))
_MAX_FOLD_OVER = 50
_MISSPELT = 0.8  # "open" is this close to "opened"
_MENTION = re.compile(r"[UWS][A-Z0-9]+")
_MUTE_PATTERN = re.compile(r"[\w*?\[\]-]+", re.ASCII)
_ACTION = re.compile(r"[a-z]+(_[a-z]+)*")
_EVERYONE = re.compile(r"\*+\??\**|\?\*+")


def of_defaults(table: Table) -> Iterator[Problem]:
    """Yield what is wrong with [defaults]."""
    yield from unknown_keys(table, _DEFAULTS)
    yield from one_of("format", table.get("format", "compact"), get_args(Format))
    yield from _mute_authors(table)
    fold_over = table.get("fold_over", 0)
    if type(fold_over) is not int or not 0 <= fold_over <= _MAX_FOLD_OVER:
        yield "fold_over", f"fold_over must be a whole number from 0 to {_MAX_FOLD_OVER}; 0 turns it off"


def of_route(table: Table) -> Iterator[Problem]:
    """Yield what is wrong with one [[route]], including what can never match."""
    yield from unknown_keys(table, _KEYS)
    name = table.get("name", "route")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        yield "name", "name must be one line of text"
    channels = table.get("channels")
    if not texts(channels) or not all(map(CHANNEL.fullmatch, channels)):
        yield "channels", "channels must be a list of channel ids such as C0123456789"
    yield from repositories(table.get("repositories", ["*"]))
    yield from labels(table, "route")
    yield from _events(table.get("events", list(CARD_EVENTS)))
    yield from one_of("private", table.get("private", "any"), get_args(Private))
    yield from _mute_authors(table)
    yield from one_of("format", table.get("format", "compact"), get_args(Format))
    yield from _mention(table)


def _events(events: object) -> Iterator[Problem]:
    known = f" (known: {', '.join(CARD_EVENTS)})"
    if events == []:
        yield "events", f"events is empty, so the route can never match{known}"
    elif not texts(events):
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
    if not texts(patterns) or not all(map(_MUTE_PATTERN.fullmatch, patterns)):
        yield "mute_authors", 'mute_authors must be a list of logins such as "octocat" or "*[bot]"'
    elif everyone := next(filter(_EVERYONE.fullmatch, patterns), None):
        yield "mute_authors", f"mute_authors: {everyone!r} mutes everyone, so the route can never match"


def _mention(table: Table) -> Iterator[Problem]:
    mentioned, events = table.get("mention", []), table.get("events", list(CARD_EVENTS))
    if mentioned == []:
        return
    if not texts(mentioned) or not all(map(_MENTION.fullmatch, mentioned)):
        yield "mention", "mention must be a list of ids of users (U0123456789) or user groups (S0123456789)"
    elif texts(events) and "issues.opened" not in events and not table.keys() & set(LABELS):
        yield "mention", "mention: events has no issues.opened, so no one would ever be mentioned"
