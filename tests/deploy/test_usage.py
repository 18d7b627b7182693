"""The command line of deploy.sh has help, dry runs and preflight checks, and refuses wrong arguments."""

import contextlib
import os
import re
import subprocess
from pathlib import Path

import pytest

SECRET = "0123456789abcdef-good-secret"


COMMANDS = [
    *("all", "setup", "ingest", "notify_slack", "stream_bq", "check", "secrets", "secrets webhook"),
    *("secrets slack", "secrets show", "secrets rotate acme/app", "app acme", "webhook acme/app", "alerts"),
    *("status", "rollback ingest", "destroy", "destroy --data"),
]


def test_help_names_every_command(sandbox):
    """`help`, no argument at all, and --help in any position list all commands, without any setting."""
    shown = sandbox.run("help", PROJECT="")
    assert (shown.status, shown.err) == (0, "")
    assert sandbox.run("", PROJECT="").out == sandbox.run("ingest --help", PROJECT="").out == shown.out
    for command in COMMANDS:
        assert f"  {command.split(maxsplit=1)[0]} " in shown.out
    assert sandbox.calls == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("deploy", "there is no command 'deploy'; see ./deploy.sh help"),
        ("../settings", "there is no command '../settings'"),
        ("'ingest stream_bq'", "there is no command 'ingest stream_bq'"),
        ("ingest now", "'ingest' takes no argument, but got: now"),
        ("all --force", "'all' takes no argument, but got: --force"),
        ("webhook", "webhook takes OWNER/REPO or an organisation"),
        ("webhook https://github.com/acme/app", "is neither OWNER/REPO nor an organisation"),
        ("rollback", "rollback takes one of ingest, notify_slack, stream_bq"),
        ("rollback notify-slack", "rollback takes one of"),
        ("rollback ''", "rollback takes one of"),
        ("secrets rotate acme/app a/b/c", "'a/b/c' is neither"),
        ("secrets slack xoxb-1-private", "a secret is given on stdin"),
        ("secrets 'slack-token github-webhook-secret'", "secrets takes nothing, webhook, slack"),
        ("secrets ''", "secrets takes nothing, webhook, slack"),
        ("destroy --all", "takes no argument"),
    ],
)
def test_a_wrong_argument_stops_before_any_call(sandbox, arguments, message):
    """A wrong argument is reported in one line; nothing has happened, and no secret is repeated."""
    outcome = sandbox.run(arguments, stdin="")
    assert (outcome.status, sandbox.calls) == (1, [])
    assert message in outcome.err
    assert "private" not in outcome.err + outcome.out
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dry_run_calls_nothing(sandbox, command):
    """A dry run needs no tool, secret or answer, makes no call and leaves no file."""
    outcome = sandbox.run(f"{command} --dry-run", GITHUB_TOKEN=SECRET)
    assert (outcome.status, sandbox.calls) == (0, [])
    assert SECRET not in outcome.out + outcome.err
    assert not (sandbox.checkout / ".local").exists()
    if command not in ("check", "status", "secrets show"):
        assert re.match(r"(gcloud|bq|curl) ", outcome.out)


def test_a_dry_run_prints_what_a_first_run_changes(sandbox):
    """The commands that --dry-run prints are those that a run in an empty project makes."""
    shown = sandbox.run("setup --dry-run").out.replace("PROJECT_NUMBER", "123456789012").splitlines()
    sandbox.run("setup")
    written = [
        line for line in sandbox.lines if re.search(r" (create|enable|query|add-iam-policy-binding)\b", line)
    ]
    assert [line.replace("\\", "") for line in shown] == written
    assert len(written) > 20


def test_it_can_be_called_from_any_folder(sandbox, tmp_path):
    """deploy.sh can be called from any folder, with any CDPATH."""
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    outcome = subprocess.run(
        [os.path.relpath(sandbox.checkout / "deploy.sh", elsewhere), "--dry-run", "stream_bq"],
        cwd=elsewhere,
        env=sandbox.environment | {"CDPATH": "/tmp"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "functions deploy stream-bq" in outcome.stdout


def test_a_missing_tool_is_named(sandbox):
    """A tool that is not installed is named in one line."""
    (sandbox.folder / "bin" / "bq").unlink()
    folders = sandbox.environment["PATH"].split(":")
    path = sandbox.folder / "path"
    path.mkdir()
    for folder in reversed(folders):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if program.name not in ("bq", "gh"):
                with contextlib.suppress(FileExistsError):
                    (path / program.name).symlink_to(program)
    outcome = sandbox.run("all", PATH=str(path))
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)
    assert "bq is missing; install it" in outcome.err


@pytest.mark.parametrize(
    ("version", "message"),
    [("470.0.0", "gcloud 470.0.0 is older than 492"), ("", "does not report its version"), ("HEAD", "HEAD")],
)
def test_an_old_gcloud_is_reported(sandbox, version, message):
    """A gcloud that is too old is named before anything is changed."""
    sandbox.answer("gcloud version *", f"{version}\n")
    outcome = sandbox.run("all")
    assert (outcome.status, message in outcome.err, sandbox.find("enable")) == (1, True, [])


@pytest.mark.parametrize(
    ("call", "out", "status", "message"),
    [
        ("gcloud auth list *", "", 0, "no account is logged in; run gcloud auth login"),
        (
            "gcloud projects describe *",
            "",
            1,
            "project acme-issues does not exist, or deployer@example.com may",
        ),
        ("gcloud billing *", "False", 0, "billing is off for acme-issues"),
    ],
)
def test_preflight_checks_run_before_any_change(sandbox, call, out, status, message):
    """Account, project and billing are checked first, by `check` and by every command that deploys."""
    sandbox.answer(call, out, status=status)
    for command in ("check", "ingest"):
        outcome = sandbox.run(command)
        assert (outcome.status, message in outcome.err) == (1, True)
    assert sandbox.find("enable") == []


@pytest.mark.parametrize(
    "command",
    [
        *("secrets", "secrets slack", "secrets show", "secrets rotate acme/app", "status", "alerts"),
        *("webhook acme/app", "rollback ingest", "destroy --yes", "check", "all"),
    ],
)
def test_a_missing_login_is_one_line(sandbox, command):
    """Without a logged-in account every command says so in one line, before any other call of the cloud."""
    sandbox.answer("gcloud *", "", "ERROR: (gcloud) You do not currently have an active account.\n", status=1)
    sandbox.answer("gcloud version *", "528.0.0\n")
    sandbox.answer("gcloud auth list *", "")
    outcome = sandbox.run(command, stdin="xoxb-1", GITHUB_TOKEN="t")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == "deploy.sh: no account is logged in; run gcloud auth login"
    assert "ERROR" not in outcome.err
    assert [line for line in sandbox.lines if not re.match("gcloud (version|auth list)", line)] == []


def test_permission_to_see_the_billing_is_not_needed(sandbox):
    """An account that may deploy need not be allowed to see the billing account."""
    sandbox.answer("gcloud billing *", "", "ERROR: PERMISSION_DENIED", status=1)
    outcome = sandbox.run("check")
    assert (outcome.status, "billing unknown" in outcome.err, "PERMISSION" in outcome.err) == (0, True, False)
