"""What deploy.sh did not create is not changed: it stops, or adopts what it is told to."""

import re

import pytest

from tests.deploy.fake_github import HOOK, answer_as_github, http_answer

WRITES = r" (create|add|add-iam-policy-binding|deploy|update|delete|enable|update-traffic|query|rm|disable)\b"
ALERT = "Issuewire: ingest answers 5xx"


def written(sandbox):
    """Return the calls that change something."""
    lines = [line for line in sandbox.lines if re.search(WRITES, line) and " --format=" not in line]
    return lines + [
        call.line for call in sandbox.calls if re.search(r"--request (POST|PATCH|DELETE)", call.line)
    ]


def own_by_others(sandbox):
    """Put a function, a secret, a topic, an account and an alert of another team into the project."""
    sandbox.answer("gcloud functions list *", "ingest||old|ACTIVE|https://ingest-abc-uc.a.run.app\n")
    sandbox.answer("gcloud secrets list *", "slack-token|\ngithub-webhook-secret|billing\n")
    sandbox.answer("gcloud pubsub topics list *", "github-events|\n")
    email = "issuewire-build@acme-issues.iam.gserviceaccount.com"
    sandbox.answer("gcloud iam service-accounts list *", f"{email}|Build robot\n")
    answer_as_github(sandbox, 200, hooks=[HOOK])
    policy = {"name": "projects/p/alertPolicies/1", "displayName": ALERT}
    sandbox.answer("curl *GET*/alertPolicies*", http_answer({"alertPolicies": [policy]}))


@pytest.mark.parametrize(
    ("command", "found", "others"),
    [
        (
            "all",
            ["function ingest", "secret slack-token", "topic github-events", "account issuewire-build"],
            [],
        ),
        ("setup", ["topic github-events", "secret github-webhook-secret"], ["function"]),
        ("stream_bq", ["function ingest", "topic github-events"], []),
        ("secrets", ["secret slack-token", "secret github-webhook-secret"], ["function"]),
        ("secrets slack", ["secret slack-token"], ["topic"]),
        ("secrets rotate acme/app", ["secret github-webhook-secret"], ["topic"]),
        ("webhook acme/app", ["secret github-webhook-secret", "function ingest"], []),
        ("rollback ingest", ["function ingest"], ["secret"]),
        ("alerts", [f"alert {ALERT}"], ["secret"]),
    ],
)
def test_what_belongs_to_others_stops_every_command_that_would_change_it(sandbox, command, found, others):
    """All are listed, with how to rename and how to adopt; nothing was changed, not even an API enabled."""
    own_by_others(sandbox)
    outcome = sandbox.run(command, stdin="xoxb-1", GITHUB_TOKEN="t")
    assert (outcome.status, written(sandbox)) == (1, [])
    for line in found:
        assert f"    {line}\n" in outcome.err
    assert not [kind for kind in others if f"    {kind} " in outcome.err]
    assert "set PREFIX, and DATASET for the dataset and its tables, in deploy.env" in outcome.err
    assert re.search(rf"label them: ./deploy.sh --adopt \S.* {command}\n", outcome.err)
    assert outcome.err.endswith("deploy.sh: nothing was changed\n")


def test_a_part_of_what_is_found_cannot_be_adopted_alone(sandbox):
    """Nothing is labelled as long as one resource is neither ours nor adopted."""
    own_by_others(sandbox)
    outcome = sandbox.run("--adopt slack-token,github-events secrets")
    assert (outcome.status, written(sandbox)) == (1, [])
    assert "secret slack-token" not in outcome.err
    assert "secret github-webhook-secret" in outcome.err


def test_adopted_secrets_are_labelled_before_they_are_used(sandbox):
    """`--adopt` puts the label on each named resource, then the command continues."""
    own_by_others(sandbox)
    ours = "slack-token|issuewire\ngithub-webhook-secret|issuewire\n"
    sandbox.answer("gcloud secrets list *", ours)
    sandbox.answer("gcloud secrets list *", "slack-token|\ngithub-webhook-secret|x\n", times=1)
    outcome = sandbox.run("--adopt slack-token --adopt github-webhook-secret secrets slack", stdin="xoxb-1")
    assert outcome.status == 0, outcome.err
    assert written(sandbox) == [
        "gcloud secrets update github-webhook-secret --update-labels=app=issuewire",
        "gcloud secrets update slack-token --update-labels=app=issuewire",
        "gcloud services enable secretmanager.googleapis.com",
        "gcloud secrets versions add slack-token --data-file=-",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--adopt slack-tokens secrets", "--adopt slack-tokens: deploy.sh creates nothing of that name"),
        ("secrets --adopt", "--adopt takes the names of what is adopted"),
        ("--adopt --yes secrets", "--adopt takes the names of what is adopted"),
    ],
)
def test_a_wrong_adoption_stops_before_any_call(sandbox, arguments, message):
    """A mistyped or missing name is reported at once."""
    outcome = sandbox.run(arguments)
    assert (outcome.status, sandbox.calls, message in outcome.err) == (1, [], True)


@pytest.mark.parametrize("prefix", ["team", "team-"])
def test_a_prefix_renames_everything(sandbox, prefix):
    """With PREFIX every resource has another name, so that nothing of others is in the way."""
    own_by_others(sandbox)
    shown = sandbox.run("all --dry-run", PREFIX=prefix).out
    assert (
        re.search(r"(?<![\w/-])(github-events|slack-token|github-webhook-secret|issuewire-\w+@)", shown)
        is None
    )
    for name in (
        *("topics create team-github-events ", "subscriptions create team-notify-slack "),
        *("functions deploy team-ingest ", "secrets create team-slack-token ", "team-stream-bq@acme-issues."),
        *("team-github-events-dead-hold", "acme-issues:team_github.events", "WEBHOOK_SECRET=projects/acme-"),
    ):
        assert name in shown.replace("\\", "")
    outcome = sandbox.run("secrets slack", stdin="xoxb-1", PREFIX=prefix)
    assert outcome.status == 0, outcome.err
    assert sandbox.find("versions add team-slack-token")


@pytest.mark.parametrize("prefix", ["issuewire", "issuewire-", "google", "Team", "a" * 19, "-a"])
def test_a_prefix_that_google_or_we_use_is_refused(sandbox, prefix):
    """Names of more than 30 characters, and names that are taken, are refused before any call."""
    outcome = sandbox.run("all", PREFIX=prefix)
    assert (outcome.status, sandbox.calls, "PREFIX " in outcome.err) == (1, [], True)


def test_an_adopted_function_is_labelled_by_its_deployment(sandbox):
    """A function that is unchanged but has no label is deployed once more, with the label."""
    sandbox.run("stream_bq")
    (first,) = sandbox.find("functions deploy")
    built = re.search(r"source-sha=(\w{40}) ", first.line)[1]
    assert "--update-labels=app=issuewire,source-sha=" in first.line
    url = "https://stream-bq-abc-uc.a.run.app"
    sandbox.answer("gcloud functions list *", f"stream-bq||{built}|ACTIVE|{url}\n")
    sandbox.clear()
    outcome = sandbox.run("stream_bq --adopt stream-bq")
    assert (outcome.status, len(sandbox.find("functions deploy stream-bq"))) == (0, 1), outcome.err
