"""Every rule for the values of one [[rule]] in the triage file: each problem with its key."""

import re
from collections.abc import Iterator
from dataclasses import fields

from pipeline.file_rules import (
    BOT_LOGIN,
    LABELS,
    LOGIN,
    Problem,
    Table,
    did_you_mean,
    labels,
    logins,
    one_of,
    repositories,
    texts,
    unknown_keys,
)

from .rules import AUTHORS, EVENTS, LEFT, Rule

KEYS = tuple(field.name for field in fields(Rule))
CLOSE_REASONS = ("completed", "not_planned", "duplicate")
ACTION_KEYS = ("add_labels", "assign", "comment", "close")
MARKER = "<!-- issuewire"  # begins what marks our own comments
MAX_LABEL = 50  # GitHub's own limits
MAX_NAME = 100
MAX_COMMENT = 60_000  # 65,536, less what marks the comment
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f]")


def of_rule(table: Table) -> Iterator[Problem]:
    """Yield what is wrong with one [[rule]], including what can never match and what does nothing."""
    yield from unknown_keys(table, KEYS)
    yield from _name(table.get("name"))
    yield from repositories(table.get("repositories", ["*"]))
    yield from _events(table.get("events", ["issues.opened"]))
    asked = {key: value for key, value in table.items() if key not in LABELS or value != []}
    yield from labels(asked, "rule")  # an empty list asks for nothing
    yield from _words(table.get("words_any", []))
    yield from _author(table.get("author", "team"))
    yield from _add_labels(table.get("add_labels", []))
    yield from logins("assign", table.get("assign", []), LOGIN)
    yield from _comment(table.get("comment", "."))
    yield from one_of("close", table.get("close", CLOSE_REASONS[0]), CLOSE_REASONS)
    if not isinstance(table.get("dry_run", False), bool):
        yield "dry_run", "dry_run must be true or false"
    if all(table.get(key) in (None, []) for key in ACTION_KEYS):
        yield None, f"the rule does nothing; give one of {', '.join(ACTION_KEYS)}"
    elif table.get("events") == ["issues.closed"] and {key for key in ACTION_KEYS if table.get(key)} == {
        "close"
    }:
        yield "close", "close: the issue is closed already at issues.closed, so the rule does nothing"


def _name(name: object) -> Iterator[Problem]:
    if name is None:
        yield "name", "name is missing; comments and stored decisions are known by it"
    elif not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
        yield "name", f"name must be one line of at most {MAX_NAME} characters"


def _events(events: object) -> Iterator[Problem]:
    known = f" (known: {', '.join(EVENTS)})"
    if events == []:
        yield "events", f"events is empty, so the rule can never match{known}"
    elif not texts(events):
        yield "events", f"events must be a list of EVENT.ACTION{known}"
    else:
        for event in events:
            if event in LEFT:
                yield "events", f"events: after {event!r} there is no issue to act on"
            elif event not in EVENTS:
                hint = did_you_mean(event, EVENTS) or known
                yield "events", f"events: no rule hears of {event!r}{hint}"


def _words(words: object) -> Iterator[Problem]:
    if words != [] and not texts(words):
        yield "words_any", 'words_any must be a list of words such as "parser" or "syntax error"'


def _author(author: object) -> Iterator[Problem]:
    if isinstance(author, list) and author:
        yield from logins("author", author, BOT_LOGIN)
        for name in (name for name in AUTHORS if name in author):
            yield "author", f'author: a list is of logins; write author = "{name}"'
    elif not isinstance(author, str) or author not in AUTHORS:
        hint = did_you_mean(author, AUTHORS) if isinstance(author, str) else ""
        yield (
            "author",
            f'author must be one of {", ".join(AUTHORS)}, or a list of logins such as ["octocat"]{hint}',
        )


def _add_labels(names: object) -> Iterator[Problem]:
    if names == []:
        return
    if not texts(names):
        yield "add_labels", 'add_labels must be a list of labels such as "bug"'
        return
    for name in names:
        if name != name.strip() or _CONTROL.search(name) or "\n" in name or "\t" in name:
            yield "add_labels", f"add_labels: {name!r} is not one line without spaces around it"
        elif len(name) > MAX_LABEL:
            yield "add_labels", f"add_labels: {name!r} is longer than GitHub's {MAX_LABEL} characters"


def _comment(comment: object) -> Iterator[Problem]:
    if not isinstance(comment, str) or not comment.strip():
        yield "comment", "comment must be a text, and not an empty one"
    elif len(comment) > MAX_COMMENT:
        yield "comment", f"comment is longer than {MAX_COMMENT:,} characters, and GitHub would refuse it"
    elif _CONTROL.search(comment):
        yield "comment", "comment has a control character"
    elif MARKER in comment.lower():
        yield "comment", f"comment must not hold {MARKER!r}, which marks the comments that are there already"
