"""Rules for the values of a configuration file, for every file that has them: each problem with its key."""

import re
from collections.abc import Collection, Iterator
from typing import Any, TypeIs

# Not a user's id: Slack would post there, but hides the history in which the card is found again.
CHANNEL = re.compile(r"[CDG][A-Z0-9]+")
LOGIN = re.compile(r"[\w-]+", re.ASCII)
BOT_LOGIN = re.compile(r"[\w-]+(\[bot\])?", re.ASCII)
LABELS = ("labels_any", "labels_all", "labels_none")
# What can match an owner/name: one slash between two names, or a wildcard in the place of the slash.
_GLOB = re.compile(r"[\w.*?-]+/[\w.*?-]+|(?=.*[*?])[\w.*?-]+|.*\[.*", re.ASCII)

type Problem = tuple[str | None, str]  # the key that it is about, and what is wrong
type Table = dict[str, Any]


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a suggestion if the name looks like a misspelt known one, else nothing."""
    import difflib  # noqa: PLC0415 - only a wrong file needs it, and every cold start would wait for it

    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def unknown_keys(table: Table, known: Collection[str]) -> Iterator[Problem]:
    """Yield every key that is not a known one."""
    for key in sorted(table.keys() - set(known)):
        yield key, f"unknown key {key!r}{did_you_mean(key, known)} (known: {', '.join(sorted(known))})"


def one_of(key: str, value: object, known: tuple[str, ...]) -> Iterator[Problem]:
    """Yield a problem unless the value is a known one."""
    if value not in known:
        suggestion = did_you_mean(value, known) if isinstance(value, str) else ""
        yield key, f"{key} must be one of {', '.join(known)}{suggestion}"


def texts(value: object) -> TypeIs[list[str]]:
    """Return whether the value is a list of texts, of which it has at least one, and none is blank."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and item.strip() for item in value)
    )


def repositories(globs: object) -> Iterator[Problem]:
    """Yield problems of a list of globs, also what can match no repository."""
    if not texts(globs):
        yield "repositories", 'repositories must be a list of globs such as "acme/*"'
        return
    for glob in globs:
        if not _GLOB.fullmatch(glob):
            yield "repositories", f"repositories: {glob!r} can never match an owner/name"


def labels(table: Table, what: str) -> Iterator[Problem]:
    """Yield problems of labels_any, labels_all and labels_none in the table of a `what`.

    An empty list is one: it could mean that every issue matches, or that none does.
    """
    lists: dict[str, dict[str, str]] = {}  # {key: {label in lower case: label}}
    for key in (key for key in LABELS if key in table):
        if not texts(table[key]):
            yield key, f'{key} must be a list of labels such as "bug"'
            continue
        for label in table[key]:
            if label != label.strip():
                yield key, f"{key}: {label!r} begins or ends with a space, which no label does"
        lists[key] = {label.lower(): label for label in table[key]}
    asked, unwanted = lists.get("labels_any", {}), lists.get("labels_none", {})
    never = f"so the {what} can never match"
    for label in sorted(unwanted.keys() & lists.get("labels_all", {}).keys()):
        yield "labels_none", f"labels_none: {unwanted[label]!r} is in labels_all too, {never}"
    if asked and asked.keys() <= unwanted.keys():
        yield "labels_none", f"labels_none has every label of labels_any, {never}"


def logins(key: str, value: object, pattern: re.Pattern[str]) -> Iterator[Problem]:
    """Yield problems of a list of logins, which may be empty."""
    if value != [] and not texts(value):
        yield key, f'{key} must be a list of GitHub logins such as "octocat"'
        return
    for login in value if isinstance(value, list) else []:
        if not pattern.fullmatch(login):
            yield key, f"{key}: {login!r} is not a GitHub login"
