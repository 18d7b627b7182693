"""The settings of notify_slack, and where its routes file is."""

from pathlib import Path

import pytest

from functions.notify_slack.settings import Settings, read_routes
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


def test_routes_are_read_from_the_setting_or_from_the_folder(tmp_path: Path) -> None:
    """ROUTES_FILE wins over routes.toml beside the function; a byte order mark is ignored."""
    (tmp_path / "routes.toml").write_text("# ours", encoding="utf-8")
    (tmp_path / "other.toml").write_text("\ufeff# ä", encoding="utf-8")
    assert read_routes({"ROUTES_FILE": " "}, tmp_path) == "# ours"
    assert read_routes({"ROUTES_FILE": str(tmp_path / "other.toml")}, tmp_path) == "# ä"


def test_a_routes_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The error about an unreadable routes file names its path and the cause."""
    (tmp_path / "latin.toml").write_bytes(b"# \xe4")
    for path, error in (
        ("no.toml", "FileNotFoundError"),
        ("", "IsADirectoryError"),
        ("latin.toml", "UnicodeDecodeError"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read_routes({"ROUTES_FILE": str(tmp_path / path)}, tmp_path)
        assert caught.value.problems == (f"ROUTES_FILE cannot be read ({error}: {tmp_path / path})",)
