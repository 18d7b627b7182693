"""The command app stores the id, key and webhook secret of a new GitHub App, and shows no secret."""

import json

import pytest

from tests.deploy.manifest_github import APP
from tests.support.checkout import run_bash

SECRETS = (APP["webhook_secret"], "MIIE")
LISTED = "github-webhook-secret|issuewire|\ngithub-app-key|issuewire|{}\n"


@pytest.fixture(autouse=True)
def helper(sandbox):
    """Replace the page by an answer of GitHub; the program's arguments are in a file."""
    program = "import sys, pathlib\n"
    program += f"pathlib.Path('arguments').write_text(repr(sys.argv[1:]))\nprint({json.dumps(APP)!r})\n"
    (sandbox.checkout / "deploy/github_app.py").write_text(program)


def store_app(sandbox, app_id: str = "12345") -> None:
    """Let Secret Manager list an App's key with its id."""
    sandbox.answer("gcloud secrets list *", LISTED.format(app_id))


def test_an_app_is_stored_without_showing_it(sandbox):
    """The webhook's secret is a further version; key and id follow; the end says what to do."""
    # GitHub refuses a manifest with an event that the permissions do not cover.
    outcome = sandbox.run("app acme", WEBHOOK_EVENTS="pull_request,issues,issue_comment,repository")
    assert outcome.status == 0, outcome.err
    stored = {call.line.split()[4]: call.stdin for call in sandbox.find("secrets versions add")}
    assert stored == {"github-webhook-secret": APP["webhook_secret"], "github-app-key": APP["pem"].strip()}
    assert sandbox.find("disable") == []
    assert sandbox.lines[-1] == "gcloud secrets update github-app-key --update-labels=github-app-id=12345"
    assert outcome.err.endswith(
        "The GitHub App 'Issuewire acme' has the App ID 12345. Next:\n"
        "  1. Install it: https://github.com/apps/issuewire-acme/installations/new\n"
        "  2. Deploy what uses it: ./deploy.sh all\n"
    )
    steps = outcome.err
    assert steps.find("note the App's id") < steps.find("wait 0 s, so that ingest") < steps.find("Install it")
    assert [text for text in SECRETS if text in outcome.out + outcome.err + "".join(sandbox.lines)] == []
    given = (sandbox.checkout / "arguments").read_text()
    for text in (
        "'--organization', 'acme'",
        "'--webhook-url', 'https://ingest-abc-uc.a.run.app/'",
        "'--name', 'Issuewire acme-issues'",
        "'--events', 'issues,issue_comment,repository'",
    ):
        assert text in given


def test_a_secret_is_asked_for_only_after_all_that_can_be_checked(sandbox):
    """Without ingest there is no address for the webhook, and nothing is created at GitHub."""
    sandbox.answer("gcloud functions list *", "")
    outcome = sandbox.run("app")
    assert (outcome.status, "ingest is not deployed yet: ./deploy.sh all" in outcome.err) == (1, True)
    assert not (sandbox.checkout / "arguments").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("app acme/app", "app takes the name of an organisation"),
        ("app acme other", "app takes the name of an organisation"),
        ("app --again", "app takes the name of an organisation"),
    ],
)
def test_a_wrong_argument_is_refused(sandbox, arguments, message):
    """A repository, a second name and an unknown option stop before any call."""
    outcome = sandbox.run(arguments)
    assert (outcome.status, message in outcome.err, sandbox.calls) == (1, True, [])


def test_a_second_app_needs_replace(sandbox):
    """An App that is stored is kept until --replace."""
    store_app(sandbox)
    outcome = sandbox.run("app")
    assert outcome.status == 1
    assert (
        "there is a GitHub App already, with the App ID 12345; to put another in its place: " in outcome.err
    )
    assert not (sandbox.checkout / "arguments").exists()


def test_a_fourth_version_of_the_webhook_secret_is_not_stored(sandbox):
    """The ingest function accepts three versions, so one more would end what GitHub still signs with."""
    sandbox.answer("gcloud secrets list *", "github-webhook-secret|issuewire|\n")
    sandbox.answer("gcloud secrets versions list github-webhook-secret *", "3\n2\n1\n")
    outcome = sandbox.run("app")
    assert (outcome.status, "rotate --finish OWNER/REPO... disables the older" in outcome.err) == (1, True)
    assert not (sandbox.checkout / "arguments").exists()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("gcloud secrets versions add github-app-key *", "issuewire-acme/advanced. Fix the cause"),
        ("gcloud secrets update github-app-key *", "set GITHUB_APP_ID=12345 in deploy.env instead"),
    ],
)
def test_what_is_left_at_github_is_said(sandbox, call, message):
    """If Secret Manager fails after GitHub created the App, the message says what is left, and what to do."""
    sandbox.answer(call, "", "ERROR: 403\n", status=1)
    outcome = sandbox.run("app acme")
    assert (outcome.status, message in outcome.err) == (1, True), outcome.err
    assert [text for text in SECRETS if text in outcome.out + outcome.err] == []


def test_a_page_that_ends_without_an_app_changes_nothing(sandbox):
    """If the operator cancels, no version is stored."""
    (sandbox.checkout / "deploy/github_app.py").write_text("import sys\nsys.exit(1)\n")
    outcome = sandbox.run("app")
    assert (outcome.status, outcome.err.splitlines()[-1]) == (1, "deploy.sh: no GitHub App was stored")
    assert sandbox.find("versions add") == []


def test_another_app_takes_its_place(sandbox):
    """With --replace the key is a further version; a setting that names the old App is pointed out."""
    program = sandbox.checkout / "deploy/github_app.py"
    program.write_text(program.read_text().replace(APP["webhook_secret"], ""))
    store_app(sandbox)
    outcome = sandbox.run("app --replace", GITHUB_APP_ID="99", GITHUB_SOURCES="acme/app")
    assert outcome.status == 0, outcome.err
    assert "GITHUB_APP_ID=99 is set and wins: remove it" in outcome.err
    # GitHub gave no secret for its webhook.
    assert "set the one that ./deploy.sh secrets show prints at https://github.com/settings" in outcome.err
    assert [call.line.split()[4] for call in sandbox.find("versions add")] == ["github-app-key"]


def test_later_deployments_find_the_app(sandbox):
    """A function that asks GitHub uses the stored App without a setting; GITHUB_APP_ID wins over its id."""
    script = """
source deploy/ownership.sh; source deploy/app.sh
list_secret() { printf 'github-app-key|issuewire|12345\\n'; }
find_github_app; load_table reconcile; echo "${ENVIRONMENT[@]}" "${FLAGS[@]}" "${ALL_SECRETS[@]}"
"""
    for settings, used in (({}, "12345"), ({"GITHUB_APP_ID": "99"}, "99")):
        shown = run_bash(sandbox.checkout, script, **settings)
        assert f"GITHUB_APP_ID={used} GITHUB_APP_KEY_FILE=/etc/issuewire/github-app-key " in shown
        assert "github-app-key" in shown.split()
        assert "github-token" not in shown


def test_a_rotation_leaves_the_old_secret_until_the_app_has_the_new_one(sandbox):
    """With an App, the old secret is accepted until --finish, and no other webhook need be named."""
    assert "secrets rotate takes every OWNER/REPO" in sandbox.run("secrets rotate").err
    store_app(sandbox)
    sandbox.answer("gcloud secrets versions list *", "2\n1\n")
    sandbox.answer("gcloud secrets versions list *", "1\n", times=1)
    outcome = sandbox.run("secrets rotate")
    assert (outcome.status, sandbox.find("disable")) == (0, []), outcome.err
    assert "then: ./deploy.sh secrets rotate --finish" in outcome.err
    assert sandbox.run("secrets rotate --finish").status == 0
    assert sandbox.lines[-1] == "gcloud secrets versions disable 1 --secret=github-webhook-secret"
