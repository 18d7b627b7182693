"""The settings of digest, and its two files, are checked together."""

from datetime import time
from pathlib import Path

import pytest

from functions.digest.settings import Settings
from pipeline.errors import ConfigurationError, Unavailable
from tests.functions.digest.support import TEAM, TEAM_FILE

REQUIRED = {"SLACK_TOKEN": "xoxb-1", "BIGQUERY_DATASET": "p.github"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files of a team and of routes."""
    (tmp_path / "team.toml").write_text(TEAM_FILE)
    (tmp_path / "routes.toml").write_text('[people]\nMona = "U1MONA"\n')
    return tmp_path


def test_the_files_beside_the_function_are_read(folder: Path) -> None:
    """Token and dataset are enough: team and people come from the files of the deployed folder."""
    settings = Settings.read(REQUIRED, folder)
    assert settings.team == TEAM
    assert settings.plan.at == time(9)
    assert settings.people == {"mona": "U1MONA"}
    assert (settings.dataset, settings.github_url, settings.api_url) == ("p.github", "https://github.com", "")
    assert settings.github is None


def test_cards_are_looked_for_in_the_channels_of_the_routes(folder: Path) -> None:
    """Each channel of the routes is named once; what notify_slack would refuse is left to notify_slack."""
    (folder / "routes.toml").write_text(
        '[[route]]\nchannels = ["C1", "C2"]\n[[route]]\nchannels = ["C2", 3]\n[[route]]\nchannels = "C4"\n'
    )
    assert Settings.read(REQUIRED, folder).card_channels == ("C1", "C2")
    (folder / "routes.toml").write_text("route = 1\n")
    assert Settings.read(REQUIRED, folder).card_channels == ()


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_TOKEN_FILE"])
def test_a_token_of_github_lets_it_be_asked(folder: Path, name: str) -> None:
    """With a token, or a file of one, issues are asked for again."""
    (folder / "token").write_text("ghp_1")
    value = "ghp_1" if name == "GITHUB_TOKEN" else str(folder / "token")
    github = Settings.read({**REQUIRED, name: value}, folder).github
    assert github is not None
    assert (github.token.read(), github.api_url) == ("ghp_1", "https://api.github.com")


def test_a_github_app_lets_it_be_asked(folder: Path) -> None:
    """With an App, its key's file takes the token's place; half an App is a problem and no silence."""
    (folder / "key").write_text("")
    app = {"GITHUB_APP_ID": "12345", "GITHUB_APP_KEY_FILE": str(folder / "key")}
    github = Settings.read({**REQUIRED, **app}, folder).github
    assert github is not None
    assert github.app is not None
    with pytest.raises(ConfigurationError, match="GITHUB_APP_ID is not set"):
        Settings.read({**REQUIRED, **app, "GITHUB_APP_ID": ""}, folder)


def test_every_problem_is_reported_together(folder: Path) -> None:
    """The problems of settings and of both files are in one message."""
    (folder / "team.toml").write_text("[team]\nlogins = []\n")
    (folder / "routes.toml").write_text('[people]\nmona = "mona"\n')
    environment = {"GITHUB_URL": "x", "GITHUB_TOKEN": "a b", "BIGQUERY_DATASET": "github"}
    with pytest.raises(ConfigurationError) as caught:
        Settings.read(environment, folder)
    text = str(caught.value)
    for problem in (
        "SLACK_TOKEN_FILE or SLACK_TOKEN is not set",
        "GITHUB_URL is not",
        "BIGQUERY_DATASET is not of the form PROJECT.DATASET",
        "GITHUB_TOKEN holds spaces",
        "there is no [digest] with channels",
        "'mona' needs a Slack user id",
    ):
        assert problem in text


def test_an_incoming_webhook_is_no_token(folder: Path) -> None:
    """The token is read for every call; an incoming webhook's URL in its place is refused."""
    file = folder / "slack-token"
    file.write_text("xoxb-2\n")
    settings = Settings.read({**REQUIRED, "SLACK_TOKEN_FILE": str(file)}, folder)
    assert settings.bot_token() == "xoxb-2"
    file.write_text("https://hooks.slack.com/services/T0/B0/x")
    with pytest.raises(Unavailable) as caught:
        settings.bot_token()
    assert caught.value.reason == "slack_token_webhook"
