"""The readers of doctor against the strict stand-ins: what they see, and what they may not see."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings
from local.github.server import TOKEN, GitHubServer
from local.slack.server import SlackServer
from ops.doctor.checks import CHECKS
from ops.doctor.finding import NotChecked, Report, examine
from ops.doctor.reading import cloud
from ops.doctor.reading.configuration import read_configuration
from ops.doctor.reading.ingest import read_ingest
from ops.doctor.reading.slack import read_slack
from ops.doctor.reading.webhooks import no_long_wait, read_app_hook, read_names, read_webhooks
from tests.clients.github.app_rig import AppRig
from tests.support.messages import an_issue
from tests.support.slack_clients import CHANNEL, CHANNELS, FOREIGN, HIDDEN, OLD, SECRET

EVENTS = ("issues", "issue_comment", "repository")
URL, OTHER_URL = "https://ingest.example/", "https://europe-west1-acme.cloudfunctions.net/ingest"
STATUS = """\
=    project acme-issues
=    topic projects/acme-issues/topics/github-events
=    ingest_addresses https://a.run.app/ https://b.run.app/
ok   function ingest                      https://a.run.app  abc
BAD  function notify_slack                is FAILED; ./deploy.sh notify_slack
BAD  schedule reconcile                   is missing; ./deploy.sh reconcile
BAD  function stream_bq                   rolled back to s-1; ./deploy.sh stream_bq serves the newest again
BAD  subscription notify-slack            3 messages wait, the oldest for 901 s; see docs/operations.md
BAD  subscription stream-bq               has other settings; ./deploy.sh setup
BAD  dead letters                         3 messages; see docs/operations.md
?    access stream-bq                     not checked, because mona may not read its policy
=    complete yes
"""


def slugs(report: Report) -> list[str]:
    """Return the slugs of the findings."""
    return [finding.slug for finding in report.findings]


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """Host acme/app, whose webhooks reach an ingest that `answers` every delivery with 202."""
    with GitHubServer() as server:
        server.github.host("acme/app")
        server.github.hooks._send = lambda *_: 202
        yield server


@pytest.fixture
def github(server: GitHubServer) -> Iterator[GitHubClient]:
    """Connect a client that waits for nothing long."""
    settings = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": server.url}
    client = GitHubClient(GitHubSettings.from_environment(settings), no_long_wait)
    yield client
    client.close()


def create(server: GitHubServer, **changes: Any) -> dict[str, Any]:
    """Create a webhook as ./deploy.sh webhook does, with these changes of its config."""
    config = {"url": URL, "content_type": "json", "insecure_ssl": "0", "secret": "s", **changes}
    return server.github.hooks.create("acme/app", {"name": "web", "events": list(EVENTS), "config": config})


def of_webhooks(github: GitHubClient, *, ping: bool = False) -> Report:
    """Return the report about acme/app."""
    found = read_webhooks(github, "acme/app", (URL, OTHER_URL), EVENTS, ping=ping, sleep=lambda _: None)
    return examine(CHECKS, found)


def test_a_healthy_webhook_is_recognized_by_any_address(server: GitHubServer, github: GitHubClient) -> None:
    """A webhook with another address of ingest is healthy; a webhook to somewhere else is left alone."""
    create(server, url="https://ci.example/hook", insecure_ssl="1")
    create(server, url=OTHER_URL.rstrip("/"))
    report = of_webhooks(github)
    assert (report.findings, report.not_checked, report.looked_at) == ((), (), 3)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"content_type": "form"}, ["hook_content_type"]),
        ({"insecure_ssl": "1"}, ["hook_insecure"]),
        ({"url": "https://ingest.example/other"}, ["hook_missing"]),
    ],
    ids=["healthy", "form", "insecure", "elsewhere"],
)
def test_a_webhook_is_read(
    server: GitHubServer, github: GitHubClient, change: dict[str, str], found: list[str]
) -> None:
    """A fault of the webhook's config at GitHub is found."""
    create(server, **change)
    assert slugs(of_webhooks(github)) == found


def test_the_state_of_a_webhook_is_read(server: GitHubServer, github: GitHubClient) -> None:
    """An inactive webhook, missing events and a second webhook are found."""
    hook = create(server)
    server.github.hooks.update("acme/app", hook, {"active": False, "events": ["issues"]})
    create(server, url=OTHER_URL)
    assert slugs(of_webhooks(github)) == ["hook_doubled", "hook_inactive", "hook_events"]


def test_a_ping_shows_another_secret(server: GitHubServer, github: GitHubClient) -> None:
    """With --ping, GitHub sends one signed ping, whose answer 401 is found; without it nothing is sent."""
    create(server)
    server.github.hooks._send = lambda *_: 401
    assert slugs(of_webhooks(github)) == []
    assert server.targets("/pings") == []
    assert slugs(of_webhooks(github, ping=True)) == ["secret_differs"]
    assert len(server.targets("/pings")) == 1


def test_the_clock_is_compared(server: GitHubServer, github: GitHubClient) -> None:
    """A clock of GitHub that differs by over a minute is found."""
    create(server)
    server.github.now = datetime.now(UTC) + timedelta(minutes=5)
    assert slugs(of_webhooks(github)) == ["clock_off"]


@pytest.mark.parametrize(
    ("fault", "fix"),
    [
        ({"status": 401, "message": "Bad credentials"}, "export GITHUB_TOKEN=$(gh auth token)"),
        (
            {"status": 403, "message": "Resource not accessible"},
            "gh auth refresh --scopes admin:repo_hook,admin:org_hook",
        ),
    ],
    ids=["wrong token", "no permission"],
)
def test_what_the_token_may_not_see_is_not_checked(
    server: GitHubServer, github: GitHubClient, fault: dict[str, Any], fix: str
) -> None:
    """A token that is wrong, or may not read webhooks, is no finding: the report says what to do."""
    server.fail_until_cleared(**fault)
    report = of_webhooks(github)
    assert (report.findings, [each.what for each in report.not_checked]) == ((), ["the webhook of acme/app"])
    assert "token" in report.not_checked[0].why
    assert report.not_checked[0].fix == fix


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"drop": True}, "cannot be reached or broke off."),
        ({"status": 429, "headers": {"Retry-After": "600"}}, "GitHub's rate limit is used up until "),
    ],
    ids=["away", "busy"],
)
def test_while_github_is_away_no_token_is_to_blame(
    server: GitHubServer, github: GitHubClient, fault: dict[str, Any], why: str
) -> None:
    """If GitHub is away or busy, the report says so, and to run doctor again; only a limit has an end."""
    server.fail_until_cleared(**fault)
    [found] = of_webhooks(github).not_checked
    assert (why in found.why, found.fix) == (True, "./issuewire doctor")


def test_names_are_compared_with_github(server: GitHubServer, github: GitHubClient) -> None:
    """An unknown account and a renamed repository are found; a repository that is hidden is not checked.

    A wrong token is named once, however many names there are.
    """
    server.github.users.add("mona")
    server.github.repositories["acme/old"] = server.github.host("acme/new")
    logins = [("Mona", "team.toml"), ("octokat", "team.toml")]
    names = [("acme/app", "routes.toml"), ("acme/hidden", "routes.toml"), ("acme/old", "triage.toml")]
    report = examine(CHECKS, read_names(github, logins, names))
    assert slugs(report) == ["login_unknown", "route_outdated"]
    assert report.findings[1].text.startswith("triage.toml names acme/old")
    assert [each.what for each in report.not_checked] == ["the repository acme/hidden"]
    server.fail_until_cleared(status=401, message="Bad credentials")
    report = examine(CHECKS, read_names(github, logins * 9, names))
    assert (report.findings, len(report.not_checked)) == ((), 1)


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """Run a workspace with channels that are closed in Slack's ways."""
    with SlackServer(
        channels=CHANNELS, archived=[OLD], not_member=[FOREIGN, HIDDEN], private=[SECRET, HIDDEN]
    ) as server:
        yield server


def test_scopes_that_are_hidden_are_not_checked(slack: SlackServer) -> None:
    """Without Slack's header the scopes are unknown, and the channels are read all the same."""
    slack.fail_next(1, status=200, body='{"ok": true}')
    report = of_slack(slack, CHANNEL)
    assert (report.findings, report.looked_at) == ((), 1)
    assert [each.what for each in report.not_checked] == ["the token's scopes"]


def of_slack(slack: SlackServer, *channels: str, token: str = "xoxb-local") -> Report:
    """Return the report about Slack."""
    return examine(CHECKS, read_slack(slack.url, token, channels, fix="store it"))


def test_open_channels_are_healthy(slack: SlackServer) -> None:
    """A token with every scope, and channels that the app is in, are healthy; nothing is posted."""
    report = of_slack(slack, CHANNEL, SECRET)
    assert (report.findings, report.not_checked, report.looked_at) == ((), (), 3)
    assert {method for method, _ in slack.requests} == {"auth.test", "conversations.history"}


@pytest.mark.parametrize(
    ("channel", "slug"),
    [
        (FOREIGN, "slack_not_in_channel"),
        (HIDDEN, "slack_channel"),
        ("C0UNKNOWN01", "slack_channel"),
        (OLD, "slack_channel_archived"),
    ],
)
def test_a_closed_channel_is_found(slack: SlackServer, channel: str, slug: str) -> None:
    """A channel that is missing, archived or without the app is found."""
    assert slugs(of_slack(slack, CHANNEL, channel)) == [slug]


def test_a_token_without_a_scope_is_found_once() -> None:
    """A missing scope is one finding, however many channels cannot be read."""
    with SlackServer(channels=CHANNELS, scopes={"chat:write"}) as slack:
        assert slugs(of_slack(slack, CHANNEL, OLD)) == ["slack_scopes"]


def test_the_scope_for_pictures_is_missed_only_if_there_are_pictures(tmp_path: Path) -> None:
    """The scope files:write is missed only if the team file asks for the week's numbers."""
    (tmp_path / "routes.toml").write_text(f'[[route]]\nname = "all"\nchannels = ["{CHANNEL}"]\n')
    scopes = {"chat:write", "channels:history", "groups:history"}
    with SlackServer(channels=CHANNELS, scopes=scopes) as slack:
        for weekly, expected in (("", []), ('weekly = "Mon"', ["slack_scopes"])):
            (tmp_path / "team.toml").write_text(
                f'[digest]\nchannels = {{ "{SECRET}" = ["acme/*"] }}\nat = "09:00"\n{weekly}\n'
            )
            found = read_configuration(tmp_path / "routes.toml", {}, tmp_path)
            assert found.channels == (CHANNEL, SECRET)
            facts = read_slack(
                slack.url,
                "xoxb-local",
                found.channels,
                fix="",
                shows_pictures=found.shows_pictures,
            )
            assert slugs(examine(CHECKS, facts)) == expected


def test_a_refused_token_is_found(slack: SlackServer) -> None:
    """A token that Slack refuses is one finding, and no channel is asked for."""
    assert slugs(of_slack(slack, CHANNEL, token="xoxb-wrong")) == ["slack_token"]
    assert [method for method, _ in slack.requests] == ["auth.test"]


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("https://hooks.slack.com/services/T/B/x", {}),
        ("xoxb-local", {"status": 429}),
        ("xoxb-local", {"status": 503}),
        ("xoxb-local", {"drop": True}),
    ],
    ids=["incoming webhook", "rate limit", "outage", "no answer"],
)
def test_a_slack_that_does_not_say_is_not_checked(
    slack: SlackServer, token: str, fault: dict[str, Any]
) -> None:
    """An incoming webhook, a rate limit and an outage are no finding."""
    if fault:
        slack.fail_until_cleared(**fault)
    report = of_slack(slack, CHANNEL, token=token)
    assert (report.findings, len(report.not_checked)) == ((), 1)


def test_an_ingest_that_is_away_is_found() -> None:
    """A port that no one listens on is a finding, and an address that is none is not checked."""
    assert slugs(examine(CHECKS, read_ingest("http://127.0.0.1:1/"))) == ["ingest_down"]
    [unusable] = read_ingest("ingest")
    assert isinstance(unusable, NotChecked)


def test_the_lines_of_status_become_facts() -> None:
    """Each BAD line of ./deploy.sh status is a finding with its command, and each ? is not checked."""
    found = cloud.parse(STATUS)
    report = examine(CHECKS, found.facts)
    assert found.settings["ingest_addresses"].split() == ["https://a.run.app/", "https://b.run.app/"]
    assert [(each.slug, each.fix) for each in report.findings] == [
        ("function_wrong", "./deploy.sh notify_slack"),
        ("schedule_wrong", "./deploy.sh reconcile"),
        ("function_wrong", "./deploy.sh stream_bq"),
        (
            "messages_wait",
            "gcloud logging read 'resource.labels.service_name=\"notify-slack\" severity>=ERROR' --limit=5",
        ),
        ("subscription_wrong", "./deploy.sh setup"),
        (
            "messages_held",
            "PUBSUB_TOPIC=projects/acme-issues/topics/github-events ./issuewire dead-letters list",
        ),
    ]
    assert [each.why for each in report.not_checked] == ["mona may not read its policy"]


def test_a_status_that_breaks_off_is_not_healthy() -> None:
    """What status printed before it stopped counts, and the reason is named."""
    found = cloud.parse(
        STATUS[: STATUS.index("BAD")], "deploy.sh: no account is logged in; run gcloud auth login\n"
    )
    report = examine(CHECKS, found.facts)
    assert [each.why for each in report.not_checked] == ["no account is logged in; run gcloud auth login"]


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that has gcloud run a line of shell."""

    def install(line: str) -> None:
        program = tmp_path / "gcloud"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


@pytest.mark.processes
@pytest.mark.parametrize(
    ("versions", "value", "found"),
    [
        (r"3", r"secret", []),
        (r"", r"", ["secret_missing"]),
        (r"3", r"secret\n", ["secret_unclean"]),
        (r"3\n10", r"secret", ["secret_versions"]),
    ],
    ids=["healthy", "missing", "newline", "two versions"],
)
def test_the_secret_is_read(
    gcloud: Callable[[str], None], versions: str, value: str, found: list[str]
) -> None:
    """The enabled versions are counted, and the newest one's value is looked at and never shown."""
    gcloud(f"case $* in *list*) printf '{versions}' ;; *access*) printf '{value}' ;; esac")
    secret = cloud.read_secret("acme-issues", "github-webhook-secret", ["acme/app"])
    report = examine(CHECKS, [secret])
    assert slugs(report) == found
    assert "secret\n" not in repr(secret)


@pytest.mark.processes
def test_a_secret_that_may_not_be_read_is_not_checked(gcloud: Callable[[str], None]) -> None:
    """A refusal of gcloud is no finding."""
    gcloud("echo 'ERROR: PERMISSION_DENIED' >&2; exit 1")
    found = cloud.read_secret("acme-issues", "github-webhook-secret", [])
    assert isinstance(found, NotChecked)
    assert found.why == "gcloud: PERMISSION_DENIED"


def test_problems_and_names_of_the_files_are_read(tmp_path: Path) -> None:
    """Problems of all files are found, and what they name is collected."""
    (tmp_path / "routes.toml").write_text(
        '[people]\nMona = "U0123456789"\n'
        '[[route]]\nchannels = ["C1", "C2"]\nrepositories = ["acme/app", "acme/*"]\n'
    )
    (tmp_path / "team.toml").write_text('[team]\nlogins = ["kim"]\naway = ["kim"]\n[bots]\nlogins = ["ci"]\n')
    (tmp_path / "triage.toml").write_text(
        '[[rule]]\nname = "a"\nrepositories = ["acme/web", "a*/b"]\nassign = ["kim", "lee"]\n'
    )
    found = read_configuration(tmp_path / "routes.toml", {}, tmp_path)
    routes, team, triage = (str(tmp_path / f"{name}.toml") for name in ("routes", "team", "triage"))
    assert found.channels == ("C1", "C2")
    assert found.repositories == (("acme/app", routes), ("acme/web", triage))
    assert found.logins == (("mona", routes), ("kim", team), ("ci", team), ("kim", triage), ("lee", triage))
    assert slugs(examine(CHECKS, found.files)) == []

    (tmp_path / "routes.toml").write_text("[[route]]\nchanels = []\n")
    (tmp_path / "team.toml").write_text("[bots")
    (tmp_path / "triage.toml").write_text("[[rules]]")
    wrong = examine(CHECKS, read_configuration(tmp_path / "routes.toml", {}, tmp_path).files)
    assert set(slugs(wrong)) == {"configuration_invalid"}
    assert wrong.findings[-1].text == f"{triage}: line 1: unknown table 'rules', did you mean 'rule'?"
    elsewhere = {"TEAM_FILE": "no-team.toml", "TRIAGE_FILE": "no-triage.toml"}
    missing = read_configuration(tmp_path / "no.toml", elsewhere, tmp_path)
    assert slugs(examine(CHECKS, missing.files)) == ["configuration_invalid"] * 3
    (tmp_path / "triage.toml").unlink()
    without = read_configuration(tmp_path / "routes.toml", {}, tmp_path)
    assert without.files[-1].problems == ()


def test_the_webhook_of_a_github_app_stands_for_those_of_its_repositories(tmp_path: Path) -> None:
    """A repository needs none of its own then, and its webhooks may be hidden; a fault is the App's."""
    rig = AppRig(tmp_path)
    rig.installation.permissions = {"issues": "read"}
    rig.github.hooks._send = lambda *_: 401
    client = rig.client()

    def of_app() -> list[object]:
        return list(read_app_hook(client, (URL,), EVENTS))

    assert of_app() == []
    rig.github.set_app_hook(url="https://ci.example/hook")
    assert of_app() == []
    hidden = list(read_webhooks(client, "acme/app", (URL,), EVENTS, ping=False))
    assert [fact.fix for fact in hidden if isinstance(fact, NotChecked)] == ["./issuewire doctor"]
    rig.github.set_app_hook(url=URL, content_type="form")
    rig.github.emit("acme/app", an_issue().opened())
    assert list(read_webhooks(client, "acme/app", (URL,), EVENTS, ping=False, has_app_hook=True)) == []
    found = examine(CHECKS, of_app()).findings
    assert {finding.slug: finding.fix for finding in found} == {
        "hook_content_type": "./issuewire doctor",
        "secret_differs": "./deploy.sh secrets show",
        "deliveries_failed": "./deploy.sh status",
    }
    assert all("GitHub App" in finding.text for finding in found)
