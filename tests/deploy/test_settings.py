"""deploy.sh reads its settings from the environment and deploy.env."""

import re
import subprocess
import sys

import pytest

from tests.support.checkout import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PROJECT=acme-issues\n", []),
        ("\ufeffPROJECT=acme-issues\r\nREGION=europe-west1\r\n\r\n", ["--region=europe-west1"]),
        ("  # a comment\n\n PROJECT=acme-issues \nDATASET='issues'\n", ["acme-issues.issues.events"]),
        ('PROJECT="acme-issues"\nEVENTS=issues,issue_comment', ["@EVENTS=issues,issue_comment"]),
        ("PROJECT=acme-issues\nDOCS_URL=https://example.com/?a=b=\n", []),
    ],
)
def test_the_settings_file_is_read(sandbox, text, expected):
    """Comments, empty lines, spaces, quotes, a byte order mark and Windows line ends are accepted."""
    (sandbox.checkout / "deploy.env").write_text(text)
    environment = sandbox.environment
    del environment["PROJECT"]
    outcome = subprocess.run(
        [sandbox.checkout / "deploy.sh", "--dry-run", "all"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "projects/acme-issues/topics/github-events" in outcome.stdout
    for word in expected:
        assert word in outcome.stdout.replace("\\", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PROJECT = x\n", "deploy.env, line 1: write NAME=value, without spaces"),
        ("\nexport PROJECT=x\n", "deploy.env, line 2: write NAME=value"),
        ("xoxb-private\n", "deploy.env, line 1: write NAME=value"),
        ("SLACK_TOKEN=xoxb-private\n", "deploy.env, line 1: there is no setting 'SLACK_TOKEN'"),
        ("REGION=a\nREGION=b\n", "deploy.env, line 2: REGION is set twice"),
        ('REGION="us-central1\n', "the quotes around the value of REGION do not match"),
        ("REGION=us central\n", "REGION is not a region such as europe-west1"),
        ("REGION=$(touch bad)\n", "REGION is not a region"),
        ("GITHUB_API_URL=http://github.example.com\n", "GITHUB_API_URL is not an https URL"),
        ("GITHUB_URL=https://a@b\n", "GITHUB_URL is not a URL"),
        ("EVENTS=issues, pull_request\n", "EVENTS is not a comma-separated list"),
        ("EVENTS=issues,issue_coment\n", "EVENTS contains a name that is no event of GitHub"),
        (
            "WEBHOOK_EVENTS=issue\n",
            "WEBHOOK_EVENTS contains a name that is no event of GitHub: the events of issues are issues and",
        ),
        ("ROUTES_FILE=missing.toml\n", "ROUTES_FILE names no readable file"),
        ("ALERT_CHANNELS=me@example.com\n", "ALERT_CHANNELS is not a comma-separated list"),
    ],
)
def test_a_wrong_setting_is_reported_before_any_call(sandbox, text, message):
    """The file is not executed; a problem is named by line or by setting, never by value."""
    (sandbox.checkout / "deploy.env").write_text(text)
    outcome = sandbox.run("all")
    assert (outcome.status, sandbox.calls) == (1, [])
    assert message in outcome.err
    assert "private" not in outcome.err
    assert not (sandbox.checkout / "bad").exists()


@pytest.mark.parametrize("project", ["My_Team", "My Team", "MyTeam", "team"])
def test_a_projects_name_is_refused_with_the_reason(sandbox, project):
    """The project's display name is a common mistake for its id; the message says where to find the id."""
    outcome = sandbox.run("all", PROJECT=project)
    assert (outcome.status, sandbox.calls) == (1, [])
    assert "6 to 30 of a-z, 0-9 and -, as gcloud projects list shows it; it is not the name" in outcome.err


ROUTES = '# C0123456789\n[[route]]\nchannels = ["C1234567890", "C0123456789"] # mine\n'


def test_the_channel_of_the_example_is_refused(sandbox):
    """The example's channel exists in no workspace, so every card would fail."""
    (sandbox.checkout / "config" / "routes.toml").write_text(ROUTES)
    outcome = sandbox.run("all")
    assert (outcome.status, sandbox.calls) == (1, [])
    assert "line 3: C0123456789 is the channel of the example; write the id of your channel" in outcome.err


def test_an_older_python_finds_the_channel_of_the_example(tmp_path):
    """Without Python 3.13 the routes cannot be read, and this mistake is still found."""
    (tmp_path / "routes.toml").write_text(ROUTES)
    script = (
        f"import runpy, sys; sys.version_info = (3, 9); sys.argv = ['x', '{tmp_path}/routes.toml'];"
        f" runpy.run_path('{ROOT}/deploy/check_routes.py')"
    )
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert "line 3: C0123456789 is the channel of the example" in outcome.stderr
    assert "that needs Python 3.13" in outcome.stderr


def test_all_wrong_settings_are_reported_together(sandbox):
    """All wrong settings are reported in one run; the environment wins over the file."""
    (sandbox.checkout / "deploy.env").write_text("PROJECT=acme-issues\nSTORE_PAYLOAD=true\n")
    outcome = sandbox.run("all", PROJECT="", STORE_PAYLOAD="maybe", INGEST_MIN_INSTANCES="-1", DATASET="a-b")
    assert outcome.status == 1
    assert [line.split()[1] for line in outcome.err.splitlines()] == [
        *("PROJECT", "DATASET", "INGEST_MIN_INSTANCES", "STORE_PAYLOAD", "set"),
    ]


@pytest.mark.parametrize("command", ["all", "notify_slack"])
def test_wrong_routes_are_reported_before_any_call(sandbox, command):
    """Wrong routes are reported with their lines before any call, because every event would be refused."""
    routes = sandbox.checkout / "config" / "routes.toml"
    routes.write_text('[[route]]\nchannels = ["C0123456789"]\nlabel = ["bug"]\nformat = "ful"\n')
    outcome = sandbox.run(command)
    assert (outcome.status, sandbox.calls) == (1, [])
    assert "line 3: route 1: unknown key 'label', did you mean 'labels_any'?" in outcome.err
    assert "line 4: route 1: format must be one of compact, full" in outcome.err
    assert "config/routes.toml is wrong (see above); nothing was changed" in outcome.err
    assert "Traceback" not in outcome.err


def test_the_example_names_every_setting(sandbox):
    """The file deploy.env.example has each setting with its default, and is itself a valid deploy.env."""
    example = (ROOT / "deploy.env.example").read_text()
    tables = sorted((ROOT / "deploy/functions").glob("*.sh"))
    declared = "".join(file.read_text() for file in (ROOT / "deploy/settings.sh", *tables))
    settings = re.findall(r"^ *setting ([A-Z_]+) ", declared, re.MULTILINE)
    assert set(settings) == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    plain = sandbox.run("all --dry-run").out
    (sandbox.checkout / "deploy.env").write_text(re.sub(r"^#(?=[A-Z_]+=)", "", example, flags=re.MULTILINE))
    full = sandbox.run("all --dry-run").out
    scratch = re.compile(r"--source=\S+")
    assert scratch.sub("", full) == scratch.sub("", plain)


def test_a_project_of_a_domain_has_other_account_names(sandbox):
    """The accounts of example.com:acme-issues are at acme-issues.example.com.iam.gserviceaccount.com."""
    outcome = sandbox.run("stream_bq --dry-run", PROJECT="example.com:acme-issues")
    assert "issuewire-push@acme-issues.example.com.iam.gserviceaccount.com" in outcome.out
    assert "@example.com:" not in outcome.out
