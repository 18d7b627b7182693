"""The settings of ingest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pipeline.settings import SettingsReader

_SECRET = re.compile(r"projects/[^/\s]+/secrets/[^/\s]+")
_ENDPOINT = re.compile(r"[^:/\s]+:\d+")
_EVENTS = re.compile(r"[a-z_]+(\s*,\s*[a-z_]+)*\s*,?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`events` None means that every verified event is published."""

    topic: str
    secret: str
    secret_endpoint: str | None
    events: frozenset[str] | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        with SettingsReader(environment) as read:
            return cls(
                topic=read.topic(),
                secret=read.matching("WEBHOOK_SECRET", _SECRET, "projects/P/secrets/S, a secret's name"),
                secret_endpoint=read.optional("SECRET_MANAGER_ENDPOINT", _ENDPOINT, "host:port"),
                events=_names(read.optional("EVENTS", _EVENTS, "a comma list of event names")),
            )


def _names(text: str | None) -> frozenset[str] | None:
    return frozenset(part.strip() for part in text.split(",") if part.strip()) if text else None
