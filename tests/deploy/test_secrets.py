"""The command secrets generates, stores, shows and rotates secrets, which appear nowhere else."""

import json
import re

import pytest

from functions.ingest.webhook_secrets import RELOAD_INTERVAL_SECONDS
from tests.deploy.fake_github import HOOK, answer_as_github, http_answer

SECRET = "0123456789abcdef-good-secret"


def test_the_first_secret_is_generated_and_never_shown(sandbox):
    """`secrets` generates 64 hex digits, passes them to gcloud on stdin, and keeps an existing secret."""
    sandbox.answer("gcloud secrets versions list *", "")
    outcome = sandbox.run("secrets")
    (call,) = sandbox.find("versions add")
    assert call.line == "gcloud secrets versions add github-webhook-secret --data-file=-"
    assert re.fullmatch(r"[0-9a-f]{64}", call.stdin)
    assert call.stdin not in outcome.out + outcome.err + "".join(sandbox.lines)
    assert "./deploy.sh secrets slack <token.txt" in outcome.err
    sandbox.answer("gcloud secrets versions list *", "1\n")
    sandbox.run("secrets")
    assert len(sandbox.find("versions add")) == 1


@pytest.mark.parametrize("command", ["secrets", "secrets rotate acme/app", "ingest", "webhook acme/app"])
def test_a_secret_is_not_replaced_if_its_versions_cannot_be_listed(sandbox, command):
    """If Secret Manager does not answer, nothing is stored: a new secret would make ingest refuse GitHub."""
    answer_as_github(sandbox, 200, hooks=[HOOK])
    sandbox.answer("gcloud secrets versions list *", "", "ERROR: 503\n", status=1)
    outcome = sandbox.run(command, GITHUB_TOKEN="t")
    assert (outcome.status, "ERROR: 503" in outcome.err) == (1, True)
    assert sandbox.find("versions add") + sandbox.find("PATCH") + sandbox.find("functions deploy") == []


@pytest.mark.parametrize("given", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n", f"{SECRET}\n\n"])
def test_a_secret_from_stdin_is_stored_without_its_newline(sandbox, given):
    """The secret is stored byte for byte, except for its line end; it appears nowhere else."""
    outcome = sandbox.run("secrets webhook", stdin=given)
    assert (outcome.status, sandbox.find("versions add")[0].stdin) == (0, SECRET)
    steps = outcome.err
    assert steps.find("store a new version") < steps.find("wait 0 s, so that ingest has read the new secret")
    assert SECRET not in outcome.out + outcome.err + "".join(sandbox.lines)


@pytest.mark.parametrize(
    ("command", "given", "message"),
    [
        ("secrets webhook", "", "is empty"),
        ("secrets webhook", " \n", "is empty"),
        ("secrets webhook", "\n\n", "is empty"),
        ("secrets webhook", f"{SECRET}\n{SECRET}\n", "has more than one line"),
        ("secrets webhook", f"\n{SECRET}\n", "has more than one line"),
        ("secrets webhook", f"{SECRET} \n", "begins or ends with a space"),
        ("secrets slack", f"{SECRET}\n", "neither a bot token (xoxb-...) nor an incoming webhook's URL"),
        ("secrets slack", "xoxp-1\n", "neither a bot token"),
    ],
)
def test_an_implausible_secret_is_refused(sandbox, command, given, message):
    """A blank, truncated or mistaken secret is not stored, and not repeated in the message."""
    outcome = sandbox.run(command, stdin=given)
    assert (outcome.status, message in outcome.err, sandbox.calls) == (1, True, [])
    assert SECRET not in outcome.err


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nzb1Y+/0=\n-----END RSA PRIVATE KEY-----"


def test_the_key_of_a_github_app_is_stored_with_its_lines(sandbox):
    """The key may come before GITHUB_APP_ID: its secret is created with our label."""
    sandbox.answer("gcloud secrets list *", "")
    outcome = sandbox.run("secrets github-app-key", stdin=f"{KEY}\n")
    assert outcome.status == 0, outcome.err
    (created,) = sandbox.find("secrets create github-app-key")
    assert "--labels=app=issuewire" in created.line
    (stored,) = sandbox.find("versions add")
    assert (stored.line.split()[4], stored.stdin) == ("github-app-key", KEY)
    assert "Next: set GITHUB_APP_ID in deploy.env" in outcome.err
    assert "MIIE" not in outcome.out + outcome.err + "".join(sandbox.lines)
    for given in ("", "xoxb-1\n", KEY[:60], KEY.replace("RSA PRIVATE", "PUBLIC")):
        sandbox.clear()
        refused = sandbox.run("secrets github-app-key", stdin=given)
        assert (refused.status, sandbox.calls) == (1, [])
        assert "not the private key of a GitHub App" in refused.err


def test_show_prints_the_secret_and_nothing_else(sandbox):
    """Only `secrets show` prints the secret: one line on stdout, of the newest enabled version."""
    sandbox.answer("gcloud secrets versions list *", "3\n2\n")
    outcome = sandbox.run("secrets show")
    assert (outcome.out, outcome.err) == ("canned-value\n", "")
    assert sandbox.lines[-1].startswith("gcloud secrets versions access 3 ")


def test_the_newest_version_has_the_highest_number(sandbox):
    """Secret Manager numbers versions upwards; neither the order of its list nor a time counts."""
    sandbox.answer("gcloud secrets versions list *", "9\n10\n8\n")
    assert sandbox.run("secrets show").status == 0
    assert sandbox.lines[-1].startswith("gcloud secrets versions access 10 ")
    assert "createTime" not in "".join(sandbox.lines)


def test_a_rotation_disables_the_old_secret_last(sandbox):
    """First a new version is stored, then GitHub's webhooks are changed and pinged."""
    answer_as_github(sandbox, 401, 200, hooks=[HOOK])
    sandbox.answer("gcloud secrets versions list *", "2\n1\n")
    sandbox.answer("gcloud secrets versions list *", "1\n", times=1)
    outcome = sandbox.run("secrets rotate acme/app acme/website", GITHUB_TOKEN="github-private")
    assert outcome.status == 0, outcome.err
    order = [
        "versions add",
        "PATCH.*repos/acme/app",
        "acme/app/.*pings",
        "PATCH.*repos/acme/website",
        "disable 1",
    ]
    places = [next(n for n, line in enumerate(sandbox.lines) if re.search(text, line)) for text in order]
    assert places == sorted(places)
    assert "the ping was answered with 401; sending it again" in outcome.err
    everything = outcome.out + outcome.err + "".join(sandbox.lines)
    secret = sandbox.find("versions add")[0].stdin
    assert [word for word in (secret, "github-private", "canned-value") if word in everything] == []
    assert sandbox.find("PATCH")[0].header == "Authorization: Bearer github-private"
    assert json.loads(sandbox.find("PATCH")[0].stdin)["config"]["secret"] == "canned-value"


def test_a_rotation_waits_until_ingest_has_read_the_new_secret(sandbox):
    """The pause before GitHub is changed is longer than the interval of reading, also with --finish."""
    standard = re.search(r"SECRET_READ_SECONDS:-(\d+)", (sandbox.checkout / "deploy/common.sh").read_text())
    assert int(standard[1]) > RELOAD_INTERVAL_SECONDS
    answer_as_github(sandbox, 200, hooks=[HOOK])
    sandbox.answer("gcloud secrets versions list *", "2\n1\n")
    sandbox.answer("gcloud secrets versions list *", "1\n", times=1)
    for command in ("secrets rotate acme/app", "secrets rotate --finish acme/app"):
        steps = sandbox.run(command, GITHUB_TOKEN="t").err
        assert "wait 0 s, so that ingest has read the new secret" in steps
        assert steps.find("store a new version") < steps.find("wait 0 s") < steps.find("disable the old")


def test_a_rotation_whose_ping_is_refused_keeps_the_old_secret(sandbox):
    """If ingest does not accept the new secret in time, both stay enabled; --finish completes it."""
    answer_as_github(sandbox, 401, hooks=[HOOK])
    sandbox.answer("gcloud secrets versions list *", "2\n1\n")
    sandbox.answer("gcloud secrets versions list *", "1\n", times=1)
    outcome = sandbox.run("secrets rotate acme/app", GITHUB_TOKEN="t", ISSUEWIRE_DEPLOY_WAIT_SECONDS="0")
    assert (outcome.status, "GitHub's ping is answered with 401" in outcome.err) == (1, True)
    assert sandbox.find("disable") == []
    sandbox.clear()
    outcome = sandbox.run("secrets rotate acme/app", GITHUB_TOKEN="t")
    assert (outcome.status, sandbox.find("versions add")) == (1, [])
    assert "./deploy.sh secrets rotate --finish acme/app keeps the newest" in outcome.err
    answer_as_github(sandbox, 200, hooks=[HOOK])
    outcome = sandbox.run("secrets rotate --finish acme/app", GITHUB_TOKEN="t")
    assert (outcome.status, sandbox.find("versions add")) == (0, [])
    assert sandbox.lines[-1] == "gcloud secrets versions disable 1 --secret=github-webhook-secret"


def test_a_rotation_checks_github_before_it_stores_a_secret(sandbox):
    """A missing webhook or a refused token is reported before a new secret exists."""
    answer_as_github(sandbox, 200)
    outcome = sandbox.run("secrets rotate acme/app", GITHUB_TOKEN="t")
    assert (outcome.status, "acme/app has no webhook that points here" in outcome.err) == (1, True)
    sandbox.answer("curl *", http_answer({"message": "Bad credentials"}, 401))
    outcome = sandbox.run("secrets rotate acme/app", GITHUB_TOKEN="t")
    assert (outcome.status, "GitHub refuses the token (401)" in outcome.err) == (1, True)
    assert sandbox.find("versions add") == []


def test_no_secret_of_the_environment_is_passed_on(sandbox):
    """A secret in a variable that deploy.sh uses itself reaches no argument and no output."""
    outcome = sandbox.run(
        "all", TOKEN=SECRET, SECRET=SECRET, WEBHOOK_VALUE=SECRET, SLACK_TOKEN=SECRET, GITHUB_TOKEN=SECRET
    )
    assert outcome.status == 0
    assert [call for call in sandbox.calls if SECRET in call.line + call.stdin] == []
    assert SECRET not in outcome.out + outcome.err


def test_a_secret_is_in_no_file(sandbox):
    """While gcloud stores a secret, no temporary file contains it."""
    sandbox.answer_with_script(
        "gcloud secrets versions add *", 'grep -rl "$SECRET" "$TMPDIR" >"$SANDBOX/found" || true'
    )
    assert sandbox.run("secrets webhook", stdin=SECRET, SECRET=SECRET).status == 0
    assert (sandbox.folder / "found").read_text() == ""
