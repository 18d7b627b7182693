"""The function starts with its settings, or reports every problem and refuses events."""

import json
from pathlib import Path

from local.slack.server import SlackServer
from tests.functions.notify_slack.support import (
    CHANNELS,
    MARKER,
    ROUTES,
    TOKEN,
    attributes,
    lines_since,
    opened,
)
from tests.support.framework import function
from tests.support.messages import post_cloud_event, post_raw, push


def test_the_settings_apply(tmp_path: Path) -> None:
    """GITHUB_URL is in every link, the webhook's line included; fold_over is that of the routes file."""
    (tmp_path / "routes.toml").write_text(f"[defaults]\nfold_over = 1\n{ROUTES}")
    (tmp_path / "token").write_text(TOKEN)
    with SlackServer(channels=dict.fromkeys(["C1", *CHANNELS.values()], "issues"), token=TOKEN) as slack:
        environment = {
            "GITHUB_URL": "https://github.acme.example",
            "SLACK_TOKEN_FILE": str(tmp_path / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(tmp_path / "routes.toml"),
        }
        with function("notify_slack", tmp_path, environment) as up:
            for number in range(2):
                assert post_raw(up.url, opened(f"here-{number}", "acme/app")).status_code == 200
            (tmp_path / "token").write_text(slack.webhook_url)
            assert post_raw(up.url, opened("here-2", "acme/app")).status_code == 200
    assert [message.text.split(":")[0] for message in slack.messages] == [
        "New issue",
        "1 more issue at once",
        "New issue",
    ]
    assert all("<https://github.acme.example/acme/app/" in str(message.blocks) for message in slack.messages)


def test_every_wrong_setting_is_reported_at_start(tmp_path: Path) -> None:
    """Every problem of environment and routes is in one line; every event is answered with 500."""
    routes = tmp_path / "routes.toml"
    routes.write_text('[[route]]\nname = "bugs"\nchannel = "C1"\n')
    environment = {
        "SLACK_TOKEN": "xoxb-one xoxb-two",
        "GITHUB_URL": "github",
        "ROUTES_FILE": str(routes),
    }
    with function("notify_slack", tmp_path, environment) as up:
        [line] = [json.loads(text) for text in up.output().splitlines()]
        assert (line["severity"], line["reason"]) == ("CRITICAL", "configuration")
        for part in (
            "SLACK_TOKEN ",
            "GITHUB_URL ",
            "route 1 ('bugs'): unknown key 'channel'",
            "('bugs'): channels must be",
        ):
            assert part in line["message"]
        before = len(up.output())
        for post in (post_raw, post_cloud_event):
            assert post(up.url, opened("x")).status_code == 500
        assert [(line["severity"], line["reason"]) for line in lines_since(up, before)] == [
            ("ERROR", "configuration")
        ] * 2
        assert "xoxb" not in up.output()


def test_a_missing_routes_file_and_a_missing_token_are_reported_together(tmp_path: Path) -> None:
    """A function without its routes and its token refuses events rather than losing them."""
    with function("notify_slack", tmp_path, {"ROUTES_FILE": str(tmp_path / "none.toml")}) as up:
        [line] = [json.loads(text) for text in up.output().splitlines()]
        assert "SLACK_TOKEN_FILE or SLACK_TOKEN is not set" in line["message"]
        assert f"ROUTES_FILE cannot be read (FileNotFoundError: {tmp_path / 'none.toml'})" in line["message"]
        assert post_raw(up.url, opened("x")).status_code == 500


def test_log_lines_stay_json_with_the_frameworks_execution_id(tmp_path: Path) -> None:
    """With LOG_EXECUTION_ID=true each record is one line with the framework's label beside ours."""
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    with SlackServer(channels=dict.fromkeys(CHANNELS.values(), "issues"), token=TOKEN) as slack:
        environment = {
            "LOG_EXECUTION_ID": "true",
            "SLACK_TOKEN": TOKEN,
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(routes),
        }
        with function("notify_slack", tmp_path, environment) as up:
            for post in (post_raw, post_cloud_event):
                assert post(up.url, opened(post.__name__)).status_code == 200
                assert post(up.url, push(MARKER.encode(), attributes("broken"))).status_code == 500
            lines = [json.loads(text) for text in up.output().splitlines()]
            assert TOKEN not in up.output()
            assert MARKER not in up.output()
    assert [(line["severity"], line.get("reason"), line["delivery_id"]) for line in lines] == [
        ("INFO", None, "post_raw"),
        ("ERROR", "body_not_json", "broken"),
        ("INFO", None, "post_cloud_event"),
        ("ERROR", "body_not_json", "broken"),
    ]
    ids = [
        line["logging.googleapis.com/labels"]["execution_id"] for line in lines if line["severity"] == "INFO"
    ]
    assert len(set(ids)) == 2
