"""The settings of commands that read GitHub."""

import pytest

from clients.github.settings import GitHubSettings
from pipeline.errors import ConfigurationError


def test_wrong_settings_are_reported_together() -> None:
    """The error names every wrong setting and shows no value."""
    with pytest.raises(ConfigurationError) as caught:
        GitHubSettings.from_environment({"GITHUB_API_URL": "ftp://x", "GITHUB_TOKEN": "s3cret t0ken"})
    assert {problem.split()[0] for problem in caught.value.problems} == {"GITHUB_TOKEN", "GITHUB_API_URL"}
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "GITHUB_TOKEN_FILE or GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN_FILE": "/nowhere/token"}, "names no file that can be read"),
    ],
)
def test_a_token_is_needed(environment: dict[str, str], problem: str) -> None:
    """Without a token, or with a file that cannot be read, the error names the setting."""
    with pytest.raises(ConfigurationError, match=problem):
        GitHubSettings.from_environment(environment)


def test_github_com_is_the_default() -> None:
    """Without GITHUB_API_URL it is github.com; the URL of a GitHub Enterprise Server keeps its path."""
    assert GitHubSettings.from_environment({"GITHUB_TOKEN": "x"}).api_url == "https://api.github.com"
    enterprise = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": "https://github.example.com/api/v3/"}
    assert GitHubSettings.from_environment(enterprise).api_url == "https://github.example.com/api/v3"


@pytest.mark.parametrize(
    ("environment", "problems"),
    [
        ({"GITHUB_TOKEN": "x"}, ["GITHUB_APP_ID and GITHUB_TOKEN are both set"]),
        ({"GITHUB_TOKEN_FILE": __file__}, ["GITHUB_APP_ID and GITHUB_TOKEN_FILE are both set"]),
        ({"GITHUB_APP_ID": "Iv1.abc"}, ["GITHUB_APP_ID is not of the form a number, the App ID"]),
        ({"GITHUB_APP_ID": ""}, ["GITHUB_APP_ID is not set"]),
        ({"GITHUB_APP_KEY_FILE": ""}, ["GITHUB_APP_KEY_FILE is not set"]),
        (
            {"GITHUB_APP_ID": "0", "GITHUB_APP_KEY_FILE": "/nowhere/key"},
            ["GITHUB_APP_KEY_FILE names no file that can be read", "GITHUB_APP_ID is not of the form"],
        ),
    ],
)
def test_an_app_is_an_id_and_a_key(environment: dict[str, str], problems: list[str]) -> None:
    """A token beside the App, an id that is no number, and a missing id or key are named."""
    app = {"GITHUB_APP_ID": "12345", "GITHUB_APP_KEY_FILE": __file__}
    with pytest.raises(ConfigurationError) as caught:
        GitHubSettings.from_environment(app | environment)
    assert len(caught.value.problems) == len(problems)
    for found, expected in zip(caught.value.problems, problems, strict=True):
        assert found.startswith(expected)


def test_an_app_needs_no_token() -> None:
    """With a GitHub App no token is read."""
    settings = GitHubSettings.from_environment({"GITHUB_APP_ID": "12345", "GITHUB_APP_KEY_FILE": __file__})
    assert settings.app is not None
    assert settings.app.id == "12345"
