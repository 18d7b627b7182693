"""triage reads its settings once; all that are wrong are named together."""

from pathlib import Path

import pytest

from functions.triage.settings import Settings
from pipeline.errors import ConfigurationError

DATASET = {"BIGQUERY_DATASET": "acme.github"}


def problems(**environment: str) -> tuple[str, ...]:
    """Return what is wrong with these settings."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment(environment)
    return caught.value.problems


def test_without_a_mode_and_an_app_it_is_a_dry_run_that_asks_nobody() -> None:
    """Nothing is changed unless somebody says so; a personal token is not used."""
    settings = Settings.from_environment({**DATASET, "GITHUB_TOKEN": "ghp_x"})
    assert (settings.dry_run, settings.github) == (True, None)


def test_acting_needs_an_app() -> None:
    """A token is not enough: its login is a person's, so that our own actions could not be told apart."""
    [problem] = problems(**DATASET, TRIAGE_MODE="act", GITHUB_TOKEN="ghp_x")
    assert "GITHUB_APP_ID and GITHUB_APP_KEY_FILE" in problem


def test_an_app_acts(tmp_path: Path) -> None:
    """With an App and TRIAGE_MODE=act, GitHub is changed."""
    key = tmp_path / "key.pem"
    key.touch()
    app = {"GITHUB_APP_ID": "12345", "GITHUB_APP_KEY_FILE": str(key)}
    settings = Settings.from_environment({**DATASET, **app, "TRIAGE_MODE": "act"})
    assert settings.github is not None
    assert settings.github.app is not None
    assert (settings.dry_run, settings.github.app.id) == (False, "12345")


def test_all_problems_are_named_together() -> None:
    """One start shows everything that is wrong."""
    found = problems(TRIAGE_MODE="live", BIGQUERY_DATASET="x", GITHUB_APP_ID="one")
    assert [problem.split()[0] for problem in found] == [
        "TRIAGE_MODE",
        "BIGQUERY_DATASET",
        "GITHUB_APP_KEY_FILE",
        "GITHUB_APP_ID",
    ]
