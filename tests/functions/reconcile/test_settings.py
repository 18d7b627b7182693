"""The settings of reconcile are read once, with every problem named."""

from datetime import timedelta

import pytest

from functions.reconcile.settings import Settings
from pipeline.errors import ConfigurationError
from tests.functions.reconcile.rig import ENVIRONMENT


def read(**environment: str) -> Settings:
    """Return the settings with these changes."""
    return Settings.from_environment({**ENVIRONMENT, **environment})


def test_the_defaults() -> None:
    """Six hours, every event, twenty re-drives, and the hold beside the topic."""
    settings = read()
    assert (settings.lookback, settings.events, settings.redrive_max) == (timedelta(hours=6), None, 20)
    assert settings.hold == "projects/p/subscriptions/github-events-dead-hold"
    assert (settings.sources, settings.ingest_urls) == (("acme/app",), (ENVIRONMENT["INGEST_URL"],))


def test_lists_are_separated_by_commas() -> None:
    """Sources, addresses and events are comma lists, with or without spaces."""
    settings = read(
        GITHUB_SOURCES="acme/app, acme", INGEST_URL="https://a.example/,https://b.example/x", EVENTS="issues"
    )
    assert settings.sources == ("acme/app", "acme")
    assert settings.ingest_urls == ("https://a.example/", "https://b.example/x")
    assert settings.events == {"issues"}


@pytest.mark.parametrize(
    ("url", "hours"),
    [
        ("", 72),
        ("https://api.github.com/", 72),
        ("https://api.acme.ghe.com", 72),
        ("https://github.acme.example/api/v3", 168),
    ],
)
def test_how_long_github_keeps_deliveries(url: str, hours: int) -> None:
    """GitHub's cloud keeps deliveries for three days, GitHub Enterprise Server for seven."""
    assert read(GITHUB_API_URL=url, LOOKBACK_HOURS=str(hours)).kept == timedelta(hours=hours)
    with pytest.raises(ConfigurationError, match=f"LOOKBACK_HOURS is not a number from 1 to {hours}"):
        read(GITHUB_API_URL=url, LOOKBACK_HOURS=str(hours + 1))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_SOURCES", ""),
        ("GITHUB_SOURCES", "acme/app/x"),
        ("INGEST_URL", "ingest"),
        ("BIGQUERY_DATASET", "github"),
        ("PUBSUB_TOPIC", "t"),
        ("LOOKBACK_HOURS", "0"),
        ("REDRIVE_MAX", "many"),
        ("EVENTS", "Issues"),
        ("GITHUB_TOKEN", ""),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    """A setting that is missing or malformed is named, and its value is not shown."""
    with pytest.raises(ConfigurationError, match=name):
        read(**{name: value})
