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
