"""How settings are read from the environment: once, with all problems reported together."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pipeline.errors import ConfigurationError, Unavailable
from pipeline.logs import log

_TOPIC = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")
# A base URL, to which paths are appended. Credentials are not allowed in it: it is shown in cards and logs.
_URL = re.compile(r"https?://[^\s<>|?#@]+", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")  # what an HTTP header can carry
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def load_at_startup[T](read: Callable[[], T]) -> Callable[[], T]:
    """Read the settings now and return a function that returns them.

    Wrong settings are logged at once and do not stop the process: every call of the returned function raises
    ConfigurationError, so that events are answered with 5xx and their sender keeps them.
    """
    try:
        settings = read()
    except ConfigurationError as error:
        problems = error.problems
        log.critical("%s", error, extra={"reason": error.reason})

        def refuse() -> T:
            raise ConfigurationError(problems)

        return refuse
    return lambda: settings


def collect_problems[A, B](first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Return the values of both. Raises one ConfigurationError with the problems of either or both."""
    problems: list[str] = []
    values: list[Any] = []
    for read in (first, second):
        try:
            values.append(read())
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return values[0], values[1]


def read_file(environment: Mapping[str, str], name: str, default: Path) -> str:
    """Return the text of the file that a setting names, or of the default. Raises ConfigurationError."""
    path = Path(environment.get(name, "").strip() or default)
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{name} cannot be read ({type(error).__name__}: {path})"]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatingToken:
    """A token from the setting `name`, or from the file that `name`_FILE names; `kind` says what it is.

    The file wins, and is read again for every call: storing a new token needs no deployment. Every reason of
    a failure begins with the name: slack_token_unreadable, slack_token_blank, slack_token_malformed.
    """

    name: str
    file: Path | None = None
    value: str | None = field(default=None, repr=False)
    if_blank: str = "blank"
    form: re.Pattern[str] = _TOKEN
    kind: str = "token"

    def read(self) -> str:
        """Return the current token. Raises Unavailable if the file holds no token or cannot be read.

        A text that HTTP cannot carry is refused here: the HTTP client's own error would quote it in the log.
        """
        try:
            token = (self.file.read_text("utf-8-sig").strip() if self.file else self.value) or ""
        except (OSError, UnicodeDecodeError) as error:
            raise self._unavailable("unreadable", "cannot be read") from error
        if not token:
            raise self._unavailable(self.if_blank, f"is empty; store the {self.kind} in it")
        if not self.form.fullmatch(token):
            raise self._unavailable("malformed", f"holds more than one {self.kind}, or is not a {self.kind}")
        return token

    def _unavailable(self, state: str, message: str) -> Unavailable:
        return Unavailable(f"{self.name.lower()}_{state}", f"{self.name}_FILE {message}.")


class SettingsReader:
    """Reads settings and collects problems; values are never quoted, because one may be a secret.

    The end of its `with` block raises ConfigurationError if there are any: until then a value that is missing
    or wrong is read as an empty one.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._problems and error is None:
            raise ConfigurationError(self._problems)

    def problem(self, text: str) -> None:
        """Add a problem."""
        self._problems.append(text)

    def text(self, name: str) -> str | None:
        """Return the value without surrounding space, or None if the setting is missing or blank."""
        return self._environment.get(name, "").strip() or None

    def matching(self, name: str, pattern: re.Pattern[str], form: str) -> str:
        """Return the value of a required setting; `form` describes `pattern` to people."""
        value = self.optional(name, pattern, form)
        if value is None and self.text(name) is None:
            self.problem(f"{name} is not set (expected {form})")
        return value or ""

    def optional(self, name: str, pattern: re.Pattern[str], form: str) -> str | None:
        """Return the value, or None if the setting is missing; `form` describes `pattern` to people."""
        value = self.text(name)
        if value is None or pattern.fullmatch(value):
            return value
        self.problem(f"{name} is not of the form {form}")
        return None

    def topic(self) -> str:
        """Return PUBSUB_TOPIC, projects/P/topics/T."""
        return self.matching("PUBSUB_TOPIC", _TOPIC, "projects/P/topics/T")

    def url(self, name: str, default: str = "") -> str:
        """Return an http or https base URL without a slash at its end."""
        value = self.text(name) or default
        try:
            parts = urlsplit(value)
            if not value or (_URL.fullmatch(value) and parts.hostname and parts.port != 0):
                return value.rstrip("/")
        except ValueError:
            pass
        self.problem(f"{name} is not an http or https URL")
        return ""

    def file(self, name: str) -> Path | None:
        """Return the file that a setting names, or None if the setting is missing."""
        value = self.text(name)
        if value is not None and not (Path(value).is_file() and os.access(value, os.R_OK)):
            self.problem(f"{name} names no file that can be read")
        return Path(value) if value else None

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return whether a switch is on: true, yes, 1 or false, no, 0."""
        value = (self.text(name) or str(default)).lower()
        if value not in _BOOLEANS:
            self.problem(f"{name} is neither true nor false")
        return _BOOLEANS.get(value, default)

    def token(self, name: str, what: str, *, if_blank: str = "blank") -> RotatingToken:
        """Return the token of `name` or `name`_FILE, one of which is required; `what` describes it."""
        file, value = self.file(f"{name}_FILE"), self.text(name)
        if file is None and value is None:
            self.problem(f"{name}_FILE or {name} is not set ({what})")
        if value is not None and not _TOKEN.fullmatch(value):
            self.problem(f"{name} holds spaces, line breaks or other characters that no token has")
        return RotatingToken(name=name, file=file, value=value, if_blank=if_blank)
