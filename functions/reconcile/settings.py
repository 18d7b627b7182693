"""The settings of reconcile."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from clients.github.settings import GitHubSettings
from pipeline.settings import SettingsReader, collect_problems

KEPT_HOURS = 72  # how long github.com lists a delivery
KEPT_HOURS_SERVER = 168  # GitHub Enterprise Server does

_SOURCES = re.compile(r"[\w.-]+(/[\w.-]+)?(\s*,\s*[\w.-]+(/[\w.-]+)?)*", re.ASCII)
_URLS = re.compile(r"https?://[^\s,]+(\s*,\s*https?://[^\s,]+)*")
_DATASET = re.compile(r"([\w.-]+:)?[\w-]+\.\w+")
_EVENTS = re.compile(r"[a-z_]+(\s*,\s*[a-z_]+)*\s*,?")
_CLOUD = re.compile(r"(https://api\.([\w-]+\.)?(github|ghe)\.com/?)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run needs.

    `sources` are repositories, OWNER/REPO, and organizations; a webhook with one of `ingest_urls` is ours.
    `hold` is the subscription that holds dead letters. `events` None means that ingest publishes every event.
    GitHub lists deliveries for the time `kept`.
    """

    github: GitHubSettings
    topic: str
    dataset: str
    sources: tuple[str, ...]
    ingest_urls: tuple[str, ...]
    hold: str
    redrive_max: int
    events: frozenset[str] | None
    lookback: timedelta
    kept: timedelta

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raise ConfigurationError naming every wrong setting."""
        github, own = collect_problems(
            lambda: GitHubSettings.from_environment(environment), lambda: _own(environment)
        )
        return cls(github=github, **own)


def _own(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that only reconcile has."""
    with SettingsReader(environment) as read:
        kept = KEPT_HOURS if _CLOUD.fullmatch(read.text("GITHUB_API_URL") or "") else KEPT_HOURS_SERVER
        hours = int(read.optional("LOOKBACK_HOURS", _NUMBER, f"a number from 1 to {kept}") or 6)
        if not 1 <= hours <= kept:
            read.problem(f"LOOKBACK_HOURS is not a number from 1 to {kept}")
        events = read.optional("EVENTS", _EVENTS, "a comma list of event names")
        topic = read.topic()
        return {
            "topic": topic,
            "hold": f"{topic.replace('/topics/', '/subscriptions/')}-dead-hold",
            "redrive_max": int(read.optional("REDRIVE_MAX", _NUMBER, "a number") or 20),
            "dataset": read.matching("BIGQUERY_DATASET", _DATASET, "PROJECT.DATASET"),
            "sources": _parts(
                read.matching("GITHUB_SOURCES", _SOURCES, "a comma list of OWNER/REPO and organizations")
            ),
            "ingest_urls": _parts(read.matching("INGEST_URL", _URLS, "the URL of ingest, or a comma list")),
            "events": frozenset(_parts(events)) if events else None,
            "lookback": timedelta(hours=hours),
            "kept": timedelta(hours=kept),
        }


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
