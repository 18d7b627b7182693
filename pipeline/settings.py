"""The environment of the functions, read once into frozen values; all problems are reported together."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import ConfigurationError, Unavailable
from pipeline.logs import log

_TOPIC = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")
_SECRET = re.compile(r"projects/[^/\s]+/secrets/[^/\s]+")
_TABLE = re.compile(r"([\w.-]+:)?[\w-]+\.\w+\.[\w-]+")  # a project may belong to a domain
_EVENTS = re.compile(r"[a-z_]+(\s*,\s*[a-z_]+)*\s*,?")
# Links and calls are made by appending to it; user and password do not belong into either.
_URL = re.compile(r"https?://[^\s<>|?#@]+", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_ENDPOINT = re.compile(r"[^:/\s]+:\d+")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """`events` None means that every verified event is published."""

    topic: str
    secret: str
    secret_endpoint: str | None
    events: frozenset[str] | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "IngestSettings":
        """Raise ConfigurationError naming every wrong setting."""
        read = _Reader(environment)
        settings = cls(
            topic=read.matching("PUBSUB_TOPIC", _TOPIC, "projects/P/topics/T"),
            secret=read.matching("WEBHOOK_SECRET", _SECRET, "projects/P/secrets/S, a secret's name"),
            secret_endpoint=read.optional("SECRET_MANAGER_ENDPOINT", _ENDPOINT, "host:port"),
            events=_comma_list(read.optional("EVENTS", _EVENTS, "a comma list of event names")),
        )
        read.finish()
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """One of `token_file` and `token` is set; the file goes before, and is read anew for every post."""

    token_file: Path | None
    token: str | None
    api_url: str | None
    github_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SlackSettings":
        """Raise ConfigurationError naming every wrong setting."""
        read = _Reader(environment)
        token_file, token = read.text("SLACK_TOKEN_FILE"), read.text("SLACK_TOKEN")
        if token_file is None and token is None:
            read.problem(
                "SLACK_TOKEN_FILE or SLACK_TOKEN is not set (a bot token, or an incoming webhook's URL)"
            )
        if token is not None and not _TOKEN.fullmatch(token):
            read.problem(
                "SLACK_TOKEN holds more than one token or URL: spaces, line breaks or other characters"
            )
        if token_file is not None and not (Path(token_file).is_file() and os.access(token_file, os.R_OK)):
            read.problem("SLACK_TOKEN_FILE names no file that can be read")
        settings = cls(
            token_file=Path(token_file) if token_file else None,
            token=token,
            api_url=read.url("SLACK_API_URL", None),
            github_url=read.url("GITHUB_URL", "https://github.com") or "",
        )
        read.finish()
        return settings

    def read_token(self) -> str:
        """Return the token of this moment. Raises Unavailable when its file cannot be read or holds none.

        One that HTTP cannot carry would rise from the client with its text, and so end up in the log.
        """
        try:
            token = self.token_file.read_text("utf-8-sig").strip() if self.token_file else self.token
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable("slack_token_unreadable", "SLACK_TOKEN_FILE cannot be read.") from error
        if not token:
            raise Unavailable("slack_token_blank", "SLACK_TOKEN_FILE is empty; store the bot token.")
        if not _TOKEN.fullmatch(token):
            raise Unavailable("slack_token_malformed", "SLACK_TOKEN_FILE holds more than one token or URL.")
        return token


def read_routes(environment: Mapping[str, str], folder: Path) -> str:
    """Return the text of ROUTES_FILE, or of `folder`/routes.toml. Raises ConfigurationError."""
    path = Path(environment.get("ROUTES_FILE", "").strip() or folder / "routes.toml")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"ROUTES_FILE cannot be read ({type(error).__name__}: {path})"]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class BigQuerySettings:
    """`table` is P.dataset.table."""

    table: str
    store_payload: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "BigQuerySettings":
        """Raise ConfigurationError naming every wrong setting."""
        read = _Reader(environment)
        settings = cls(
            table=read.matching("BIGQUERY_TABLE", _TABLE, "PROJECT.DATASET.TABLE"),
            store_payload=read.boolean("STORE_PAYLOAD", default=True),
        )
        read.finish()
        return settings


def at_start[T](read: Callable[[], T]) -> Callable[[], T]:
    """Read the settings now, so that a start with wrong ones says so, and return what hands them out.

    Wrong settings do not stop the process: every call raises ConfigurationError, so that events are answered
    with 5xx and kept by their sender.
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


def both[A, B](first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Return what both give; when either or both raise ConfigurationError, raise one with all problems."""
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


class _Reader:
    """Collects problems instead of stopping at the first; values are never quoted, one may be a secret."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[str] = []

    def problem(self, text: str) -> None:
        self._problems.append(text)

    def finish(self) -> None:
        if self._problems:
            raise ConfigurationError(self._problems)

    def text(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def matching(self, name: str, pattern: re.Pattern[str], form: str) -> str:
        value = self.optional(name, pattern, form)
        if value is None and self.text(name) is None:
            self.problem(f"{name} is not set (expected {form})")
        return value or ""

    def optional(self, name: str, pattern: re.Pattern[str], form: str) -> str | None:
        value = self.text(name)
        if value is None or pattern.fullmatch(value):
            return value
        self.problem(f"{name} is not of the form {form}")
        return None

    def url(self, name: str, default: str | None) -> str | None:
        value = self.text(name) or default
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            if _URL.fullmatch(value) and parts.hostname and parts.port != 0:
                return value.rstrip("/")
        except ValueError:
            pass
        self.problem(f"{name} is not an http or https URL")
        return None

    def boolean(self, name: str, *, default: bool) -> bool:
        value = (self.text(name) or str(default)).lower()
        if value not in _BOOLEANS:
            self.problem(f"{name} is neither true nor false")
        return _BOOLEANS.get(value, default)


def _comma_list(text: str | None) -> frozenset[str] | None:
    return frozenset(part.strip() for part in text.split(",") if part.strip()) if text else None
