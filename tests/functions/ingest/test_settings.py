"""ingest needs a topic and a secret, and may filter events."""

import pytest

from functions.ingest.settings import Settings
from pipeline.errors import ConfigurationError

REQUIRED = {"PUBSUB_TOPIC": "projects/p/topics/t", "WEBHOOK_SECRET": "projects/p/secrets/s"}


def test_two_settings_are_required() -> None:
    """Topic and secret are enough: without EVENTS every event is published."""
    assert Settings.from_environment({**REQUIRED, "EVENTS": " "}) == Settings(
        topic="projects/p/topics/t", secret="projects/p/secrets/s", secret_endpoint=None, events=None
    )


@pytest.mark.parametrize(
    ("text", "events"),
    [("issues", {"issues"}), (" issues , issue_comment,", {"issues", "issue_comment"}), ("a,a", {"a"})],
)
def test_events_is_a_comma_list(text: str, events: set[str]) -> None:
    """EVENTS is a comma list, in which spaces and a comma at the end are accepted."""
    assert Settings.from_environment({**REQUIRED, "EVENTS": text}).events == events


@pytest.mark.parametrize(
    "text", ["issues issue_comment", "issues.opened", "Issues", ",", "issues,,x", "issues;push"]
)
def test_an_unclear_list_of_events_is_refused(text: str) -> None:
    """A malformed list of events is refused, because it would drop events unnoticed."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({**REQUIRED, "EVENTS": text})
    assert caught.value.problems == ("EVENTS is not of the form a comma list of event names",)


def test_every_problem_is_reported_together() -> None:
    """Every problem is reported together, and no value is quoted."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment(
            {"WEBHOOK_SECRET": "hunter2", "SECRET_MANAGER_ENDPOINT": "hunter3", "EVENTS": "hunter 4"}
        )
    assert str(caught.value) == (
        "Wrong configuration: PUBSUB_TOPIC is not set (expected projects/P/topics/T); "
        "WEBHOOK_SECRET is not of the form projects/P/secrets/S, a secret's name; "
        "SECRET_MANAGER_ENDPOINT is not of the form host:port; "
        "EVENTS is not of the form a comma list of event names"
    )
