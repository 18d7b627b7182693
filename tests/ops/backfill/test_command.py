"""The backfill command checks its options, shows its progress, and reports errors in one line."""

import json
import os
import pty
import re
import signal
from pathlib import Path

import pytest

from clients.github import client
from local.github.repository import HostedRepository
from local.github.server import GitHubServer
from tests.ops.backfill.rig import (
    SECONDS,
    PubSub,
    environment,
    error_line,
    fill,
    ids,
    invoke,
    start,
    wait_for,
)


def test_a_terminal_shows_a_bar_with_an_estimate(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """On a terminal each stage has a bar with its share, its estimate and its count, and ends with a line."""
    fill(hosted, 300)
    parent, child = pty.openpty()
    # Slow enough for an estimate: click makes one after a second.
    server.fail_until_cleared(target="/issues/comments", hang=0.3, after=True)
    process = start(environment(server, pubsub), stderr=child)
    os.close(child)
    output = b""
    while True:
        try:
            part = os.read(parent, 65_536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.close(parent)
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    text = output.decode()
    assert re.search(r"Reading issues  \[#+-* *\] +\d+%.*\d+ with pull requests", text)
    assert re.search(r"Reading comments  \[.*\] +\d+%  \d\d:\d\d:\d\d", text), text
    assert "Publishing: " in text
    assert out.startswith("acme/app: 300 issues, ")


def test_without_a_terminal_each_stage_is_a_line(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """A log has no bar but a line for each stage; standard output has the outcome alone."""
    delivered = fill(hosted, 120)
    result = invoke(environment(server, pubsub))
    assert result.stderr.splitlines() == [
        "Reading issues: 132 with pull requests",
        "Reading comments: 252 with those on pull requests",
        f"Reading events: {len(hosted.events)} with those of pull requests",
        *[text for text in result.stderr.splitlines() if text.startswith("Reading what the lists left out")],
        f"Publishing: {delivered.total()} deliveries",
    ]
    assert result.stdout.startswith(f"acme/app: 120 issues, {delivered.total()} deliveries published in ")


def test_a_long_stage_reports_its_share(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal a stage that takes long prints how far it is."""
    fill(hosted, 150)
    monkeypatch.setattr("ops.progress.LINE_SECONDS", 0.0)
    result = invoke(environment(server, pubsub))
    assert re.search(r"Reading issues \(\d+%\): 100 with pull requests", result.stderr)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"GITHUB_TOKEN": "wrong"}, "GitHub refuses the token (401)"),
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN_FILE or GITHUB_TOKEN is not set"),
        ({"PUBSUB_TOPIC": ""}, "PUBSUB_TOPIC is not set (expected projects/P/topics/T)"),
        ({"PUBSUB_TOPIC": "projects/local-dev/topics/absent"}, "topics/absent does not exist"),
        (
            {"GITHUB_API_URL": "http://127.0.0.1:1"},
            "GitHub gives no answer: http://127.0.0.1:1/repos/acme/app",
        ),
        ({"GITHUB_API_URL": "nonsense"}, "GITHUB_API_URL is not an http or https URL"),
    ],
    ids=["wrong token", "no token", "no topic", "topic missing", "GitHub away", "no URL"],
)
def test_a_mistake_is_one_line(  # noqa: PLR0917 - fixtures are arguments
    server: GitHubServer,
    pubsub: PubSub,
    hosted: HostedRepository,
    state: Path,
    changes: dict[str, str],
    sentence: str,
) -> None:
    """Each mistake is one clear line; nothing is published and no store is left."""
    fill(hosted, 3)
    result = invoke(environment(server, pubsub, **changes))
    assert sentence in error_line(result)
    assert len(result.stderr.strip().splitlines()) <= client.TRIES, "one line for each wait, then the error"
    assert (result.stdout, pubsub.pull(), [*state.glob("*")]) == ("", [], [])


def test_an_unknown_repository_is_one_line(server: GitHubServer, pubsub: PubSub, state: Path) -> None:
    """An unknown repository leaves no store behind."""
    result = invoke(environment(server, pubsub), name="acme/absent")
    assert error_line(result) == (
        "Error: acme/absent does not exist at GitHub, or the token may not read it."
    )
    assert [*state.glob("*")] == []


@pytest.mark.parametrize("name", ["acme", "acme/app/issues", "../app", "acme/a?b", "acme/.."])
def test_a_malformed_name_is_not_asked_for(server: GitHubServer, pubsub: PubSub, name: str) -> None:
    """A name that is not owner/name is refused before any request."""
    assert invoke(environment(server, pubsub), name=name).exit_code == 2
    assert server.requests == []


def test_a_malformed_date_is_refused(server: GitHubServer, pubsub: PubSub) -> None:
    """A date that is not one is refused before any request, with an example."""
    result = invoke(environment(server, pubsub), "--until", "yesterday")
    assert (result.exit_code, "'yesterday' is not a date such as 2026-01-31" in result.stderr) == (2, True)
    assert server.requests == []


def test_ctrl_c_says_how_to_continue(server: GitHubServer, pubsub: PubSub, hosted: HostedRepository) -> None:
    """An interrupt ends the run with a sentence and status 130; the same command continues."""
    delivered = fill(hosted, 110)
    env = environment(server, pubsub)
    server.fail_until_cleared(target="/events", hang=30)
    process = start(env)
    wait_for(lambda: server.targets("/events"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == (
        "Stopped. Run the same command again to continue, or with --restart to begin again."
    )
    assert "Traceback" not in err
    server.clear_faults()
    assert invoke(env).exit_code == 0
    assert len(ids(pubsub.pull())) == delivered.total()


def test_a_dry_run_publishes_nothing(server: GitHubServer, pubsub: PubSub, hosted: HostedRepository) -> None:
    """A dry run counts and needs no topic; the run after it publishes what it has read."""
    delivered = fill(hosted, 60)
    env = environment(server, pubsub)
    dry = invoke({**env, "PUBSUB_TOPIC": ""}, "--dry-run", "--json")
    outcome = json.loads(dry.stdout)
    assert (outcome["deliveries"], outcome["published"]) == (dict(sorted(delivered.items())), 0)
    assert outcome["dry_run"] is True
    assert pubsub.pull() == []
    asked = len(server.requests)
    assert invoke(env).exit_code == 0
    assert (len(pubsub.pull()), len(server.requests)) == (delivered.total(), asked + 1)


def test_a_dry_run_says_how_to_publish(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """A dry run says that nothing was published."""
    fill(hosted, 2)
    output = invoke(environment(server, pubsub), "--dry-run").stdout
    assert "deliveries would be published in" in output
    assert output.endswith("Run without --dry-run to publish them.\n")


@pytest.mark.usefixtures("hosted")
def test_a_repository_without_issues_is_no_error(server: GitHubServer, pubsub: PubSub) -> None:
    """An empty history is published as such."""
    result = invoke(environment(server, pubsub))
    assert result.exit_code == 0
    assert result.stdout.startswith("acme/app: 0 issues, 0 deliveries published in ")
