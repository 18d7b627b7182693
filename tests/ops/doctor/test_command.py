"""The command doctor: its lines, its JSON and its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local.github.server import TOKEN, GitHubServer
from local.slack.server import SlackServer
from ops import local_stack
from ops.__main__ import ops
from ops.doctor import command
from ops.doctor.facts import Clock
from ops.doctor.finding import NotChecked
from ops.doctor.reading import cloud, deployed
from pipeline.team import Team
from tests.support.endpoints import write_endpoints

ROUTES = '[[route]]\nchannels = ["C0123456789"]\n'
OFF = Clock(service="GitHub", ahead=90.0)
UNKNOWN = NotChecked(what="Slack", why="no token is set.", fix="export SLACK_TOKEN=...")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave only a routes file: no cloud, no tokens, no running stack."""
    (tmp_path / "routes.toml").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    names = ("GITHUB_TOKEN", "SLACK_TOKEN")
    for name in (*names, *(f"{name}_FILE" for name in names), "GITHUB_SOURCES", "INGEST_URL", "TEAM_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(local_stack, "ENDPOINTS", tmp_path / "endpoints.json")
    monkeypatch.setattr(deployed, "HOOKS_FILE", tmp_path / "webhooks")
    monkeypatch.setattr(deployed, "read_cloud", lambda: cloud.parse("=    complete yes\n"))


def ask(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(ops, ["doctor", "--file", "routes.toml", *arguments])


@pytest.mark.parametrize(
    ("facts", "status", "lines"),
    [
        ([Clock(service="GitHub", ahead=1.0)], 0, ["Nothing is wrong: 1 thing checked."]),
        ([UNKNOWN], 3, ["?    Slack not checked: no token is set; export SLACK_TOKEN=..."]),
        (
            [NotChecked(what="BigQuery", why="no\nanswer \x1b[2J.", fix="make serve")],
            3,
            ["?    BigQuery not checked: no answer ?[2J; make serve"],
        ),
        (
            [UNKNOWN, OFF],
            1,
            [
                (
                    "BAD  clock_off  this machine's clock is 90 s ahead of that of GitHub; "
                    "sudo timedatectl set-ntp true"
                ),
                "?    Slack not checked: no token is set; export SLACK_TOKEN=...",
            ],
        ),
    ],
    ids=["healthy", "not checked", "hostile", "finding"],
)
def test_each_finding_is_one_line(
    monkeypatch: pytest.MonkeyPatch, facts: list[object], status: int, lines: list[str]
) -> None:
    """A healthy installation is one line and status 0; a finding is status 1, and doubt alone is status 3."""
    monkeypatch.setattr(command, "read_deployed", lambda *_, **__: iter(facts))
    result = ask()
    assert (result.exit_code, result.stdout.splitlines(), result.stderr) == (status, lines, "")


def test_the_report_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json, findings and what was not checked are one object."""
    monkeypatch.setattr(command, "read_deployed", lambda *_, **__: iter([UNKNOWN, OFF]))
    result = ask("--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["looked_at"]) == (1, 1)
    assert report["findings"][0]["slug"] == "clock_off"
    assert report["not_checked"][0]["what"] == "Slack"


def test_without_any_access_everything_is_not_checked() -> None:
    """Without tokens and addresses nothing is called wrong, and each line says what to set."""
    result = ask()
    assert result.exit_code == 3
    assert "SLACK_TOKEN_FILE or SLACK_TOKEN is not set" in result.stdout
    assert [line.split(" not checked: ")[0] for line in result.stdout.splitlines()] == [
        "?    ingest",
        "?    GitHub",
        "?    Slack",
    ]


def test_webhook_and_slack_are_read_with_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhooks that were created here are read, and a healthy webhook and Slack have no finding."""
    Path("webhooks").write_text("acme/app\n")
    with GitHubServer() as github, SlackServer() as slack:
        github.github.host("acme/app")
        github.github.hooks._send = lambda *_: 202
        config = {"url": "http://127.0.0.1:1/", "content_type": "json"}
        events = ["issues", "issue_comment", "repository"]
        github.github.hooks.create("acme/app", {"name": "web", "events": events, "config": config})
        for name, value in (
            ("GITHUB_TOKEN", TOKEN),
            ("GITHUB_API_URL", github.url),
            ("SLACK_TOKEN", "xoxb-local"),
            ("SLACK_API_URL", slack.url),
            ("INGEST_URL", "http://127.0.0.1:1/"),
        ):
            monkeypatch.setenv(name, value)
        result = ask()
        assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
        assert result.stdout.startswith("BAD  ingest_down  ")
        assert "not checked" in ask("acme/other").stdout


def test_slack_is_read_with_the_deployed_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token in the environment the secret's newest version is used; none at all is a finding."""
    tokens = iter(["", "xoxb-local"])
    monkeypatch.setattr(deployed, "read_cloud", lambda: cloud.parse("=    project p\n=    complete yes\n"))
    monkeypatch.setattr(deployed, "read_newest", lambda *_: next(tokens))
    monkeypatch.setattr(deployed, "read_secret", lambda *_: UNKNOWN)
    monkeypatch.setattr(deployed, "read_bigquery", lambda *_, **__: iter(()))
    with SlackServer(channels={"C0123456789": "issues"}) as slack:
        monkeypatch.setenv("SLACK_API_URL", slack.url)
        assert ask().stdout.startswith("BAD  slack_token  Slack refuses the token with not_authed: ")
        assert ask().exit_code == 3
        assert [method for method, _ in slack.requests] == ["auth.test", "conversations.history"]


@pytest.mark.parametrize(
    ("named", "command"),
    [("our team.toml", "TEAM_FILE='our team.toml' ./issuewire"), ("config/team.toml", "./issuewire")],
)
def test_the_views_are_compared_with_the_deployed_team(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, command: str
) -> None:
    """The files are those that deploy.sh uses, and the command that fixes a view names the team's."""
    (tmp_path / "config").mkdir()
    (tmp_path / named).write_text('[team]\nlogins = ["mona"]')
    (tmp_path / "rules.toml").write_text("[[rule]]")
    settings = f"=    project p\n=    team_file {named}\n=    triage_file rules.toml\n=    complete yes\n"
    seen: list[Any] = []
    monkeypatch.setattr(deployed, "ROOT", tmp_path)
    monkeypatch.setattr(deployed, "read_cloud", lambda: cloud.parse(settings))
    monkeypatch.setattr(deployed, "read_newest", lambda *_: "")
    monkeypatch.setattr(deployed, "read_secret", lambda *_: UNKNOWN)
    monkeypatch.setattr(deployed, "read_bigquery", lambda *given, **_: seen.append(given) or iter(()))
    assert f"configuration_invalid  {tmp_path}/rules.toml: " in ask().output
    [(_, _, fix, team)] = seen
    assert fix == f"{command} schema apply --project p --dataset github"
    assert team == Team(logins=("mona",))


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("a/b/c",), 2, "a/b/c is neither OWNER/REPO nor an organization"),
        (("--local",), 1, "make serve is not running"),
    ],
)
def test_a_wrong_call_is_one_line(arguments: tuple[str, ...], status: int, message: str) -> None:
    """A wrong name and a missing stack are one line."""
    result = ask(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr


def test_the_local_stack_has_no_webhooks() -> None:
    """With --local, names and --ping are refused, because nothing would be done with them."""
    write_endpoints(local_stack.ENDPOINTS)
    for argument in ("acme/app", "--ping"):
        result = ask("--local", argument)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "leave out the names and --ping" in result.stderr


@pytest.mark.processes
def test_a_checkout_that_is_not_set_up_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reason for which ./deploy.sh stops is the one that doctor names."""
    script = tmp_path / "deploy.sh"
    script.write_text("#!/bin/sh\necho 'deploy.sh: gcloud is missing; install it' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(cloud, "DEPLOY", script)
    monkeypatch.setattr(deployed, "read_cloud", cloud.read_cloud)
    result = ask()
    assert result.exit_code == 3
    assert "?    the cloud not checked: gcloud is missing; install it; ./deploy.sh check" in result.stdout
