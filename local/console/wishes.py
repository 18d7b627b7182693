"""What a person asks the simulator for, checked: a value of the wrong kind gets a sentence (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ops.send.known_issue import NUMBERS
from pipeline.repository_name import is_repository_name

REASONS: Final = ("completed", "not_planned", "duplicate")
MAX_LABELS: Final = 10

_TEXTS = {"title": 256, "body": 65_536, "label": 50, "author": 45, "to": 140, "repository": 140}  # characters
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(\[bot\])?")


class NotPossible(Exception):
    """The text says what is wrong with the wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to happen; `number` None is the next one. `to` is a login or a repository, by what is done."""

    do: str
    repository: str = "acme/app"
    number: int | None = None
    title: str | None = None
    body: str | None = None
    label: str | None = None
    labels: tuple[str, ...] = ()
    author: str = "octocat"
    reason: str = "completed"
    to: str | None = None

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> Self:
        """Read the object that the page sends; null and "" stand for what is left out. Raises NotPossible."""
        fields = {name: value for name, value in sent.items() if value not in (None, "", [])}
        if unknown := sorted(fields.keys() - set(cls.__slots__)):
            raise NotPossible(f"{unknown[0][:40]} is not a field; these are: {', '.join(cls.__slots__)}")
        if not isinstance(fields.get("do"), str):
            raise NotPossible("do must name what is to happen")
        for name, longest in _TEXTS.items():
            if name in fields:
                fields[name] = _text(name, fields[name], longest)
        if "labels" in fields:
            fields["labels"] = _labels(fields["labels"])
        _check(fields)
        return cls(**fields)

    def named(self) -> tuple[str, int]:
        """Return repository and number of the issue. Raises NotPossible without a number."""
        if self.number is None:
            raise NotPossible("choose an issue first: its number is missing")
        return self.repository, self.number


def is_login(text: str) -> bool:
    """Return whether GitHub could have an account of this name."""
    return _LOGIN.fullmatch(text) is not None


def _check(fields: Mapping[str, Any]) -> None:
    number = fields.get("number", 1)
    if not isinstance(number, int) or isinstance(number, bool) or number not in NUMBERS:
        raise NotPossible("number must be a whole number from 1")
    if not is_repository_name(fields.get("repository", "acme/app")):
        raise NotPossible("repository must be OWNER/NAME")
    if not is_login(fields.get("author", "octocat")):
        raise NotPossible("author must be a login of GitHub's, such as octocat or dependabot[bot]")
    if fields.get("reason", "completed") not in REASONS:
        raise NotPossible(f"reason must be one of {', '.join(REASONS)}")


def _labels(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_LABELS:
        raise NotPossible(f"labels must be a list of up to {MAX_LABELS} names")
    return tuple(dict.fromkeys(_text("a label", label, _TEXTS["label"]) for label in value))


def _text(name: str, value: object, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise NotPossible(f"{name} must be a text that is not empty")
    if len(value) > longest:
        raise NotPossible(f"{name} is too long: {len(value):,} characters, at most {longest:,}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotPossible(f"{name} has half of a character") from error
    return value if name == "body" else value.strip()
