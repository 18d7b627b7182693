"""The settings of notify_slack."""

import pytest

from functions.notify_slack.settings import Settings
from pipeline.errors import ConfigurationError
from pipeline.settings import RotatingToken


def test_a_token_is_enough() -> None:
    """With a token alone, cards link to github.com and are posted to Slack itself."""
    assert Settings.from_environment({"SLACK_TOKEN": "xoxb-1"}) == Settings(
        token=RotatingToken(name="SLACK_TOKEN", value="xoxb-1"), api_url="", github_url="https://github.com"
    )


def test_every_problem_is_reported_together() -> None:
    """The problems of token, API and links are reported in one message."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({"SLACK_TOKEN_FILE": "/nowhere", "SLACK_API_URL": "x", "GITHUB_URL": "y"})
    names = [problem.split()[0] for problem in caught.value.problems]
    assert names == ["SLACK_TOKEN_FILE", "SLACK_API_URL", "GITHUB_URL"]
