"""The command status prints one line per resource."""

import json
import re

import pytest

from ops.doctor.checks import CHECKS
from ops.doctor.finding import NotChecked, examine
from ops.doctor.reading.cloud import parse
from tests.deploy.fake_github import HOOK, answer_as_github, http_answer


def test_status_is_0_only_without_a_problem(sandbox):
    """Before and after a deployment, the table names each problem and the command that fixes it."""
    sandbox.answer("gcloud functions list *", "", times=1)
    sandbox.answer("curl *timeSeries*", http_answer({}))
    outcome = sandbox.run("status")
    assert outcome.status == 1
    lines = outcome.out.splitlines()
    bad = [line for line in lines if line.startswith("BAD")]
    # The number of dead letters is unknown, and the secret is not a bot token: neither is a problem.
    assert len(bad) == len(lines) - 2
    assert all("./deploy.sh " in line for line in bad)

    sandbox.run("all")
    hashes = {
        name: re.search(r"source-sha=(\w+)", sandbox.find(f"functions deploy {name} ")[0].line)[1]
        for name in ("ingest", "notify-slack", "stream-bq")
    }
    rows = "".join(
        f"{name}|issuewire|{hash_}|ACTIVE|https://{name}-abc-uc.a.run.app\n" for name, hash_ in hashes.items()
    )
    traffic = "".join(f"{name}|True|{name}-1\n" for name in hashes)
    tables = [file.stem for file in (sandbox.checkout / "sql").rglob("*.sql")]
    sandbox.answer("gcloud functions list *", rows)
    sandbox.answer("gcloud run services list *", traffic)
    mark = {"labels": {"app": "issuewire"}}
    sandbox.answer(
        "bq * ls *", json.dumps([{"tableReference": {"tableId": name}, **mark} for name in tables])
    )
    sandbox.answer(
        "bq * ls --datasets *", json.dumps([{"datasetReference": {"datasetId": "github"}, **mark}])
    )
    labels = {"labels": {"subscription_id": "github-events-dead-hold"}}
    point = {"timeSeries": [{"resource": labels, "points": [{"value": {"int64Value": "0"}}]}]}
    push = "serviceAccount:issuewire-push@acme-issues.iam.gserviceaccount.com"
    sandbox.answer("gcloud run services get-iam-policy *", f"{push}\n")
    sandbox.answer("gcloud run services get-iam-policy ingest *", "allUsers\n")
    agent = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com\n"
    sandbox.answer("gcloud pubsub * get-iam-policy *", agent)
    sandbox.answer("curl *timeSeries*", http_answer(point))
    outcome = sandbox.run("status")
    assert (outcome.status, "BAD" in outcome.out) == (0, False), outcome.out

    for pattern, out, message in (
        ("gcloud functions list *", rows.replace("ACTIVE", "FAILED", 1), "is FAILED"),
        ("gcloud functions list *", rows.replace(hashes["ingest"], ""), "differs from this checkout (, here"),
        (
            "gcloud run services list *",
            traffic.replace("True|ingest-1", "|ingest-0"),
            "rolled back to ingest-0",
        ),
        ("curl *timeSeries*", http_answer(point).replace('"0"', '"3"'), "3 messages; see docs/operations.md"),
        (
            "gcloud run services get-iam-policy ingest *",
            "",
            "GitHub may not call it (403); ./deploy.sh ingest",
        ),
        (
            "gcloud run services get-iam-policy stream-bq *",
            f"allUsers\n{push}\n",
            "anyone may call it; gcloud run",
        ),
        ("bq * ls --datasets *", "[]", "missing; ./deploy.sh setup"),
        (
            "gcloud pubsub subscriptions get-iam-policy stream-bq *",
            "",
            "does not give Pub/Sub's account roles/pubsub.subscriber, so messages are not held; ",
        ),
        (
            "gcloud functions list *",
            rows.replace("https://stream-bq-abc", "https://stream-bq-new"),
            "does not push to https://stream-bq-new-uc.a.run.app as issuewire-push@acme-issues.iam",
        ),
    ):
        sandbox.answer(pattern, out, times=1)
        outcome = sandbox.run("status")
        assert (outcome.status, message in outcome.out) == (1, True), outcome.out


def test_status_of_the_cloud_alone_is_what_doctor_reads(sandbox):
    """With --cloud, status prints our settings and asks neither GitHub nor Slack; a refusal is unknown."""
    sandbox.answer("curl *timeSeries*", http_answer({}))
    sandbox.answer("gcloud pubsub * get-iam-policy *", "", "ERROR: PERMISSION_DENIED\n", status=1)
    sandbox.answer("gcloud functions list *", "ingest|issuewire|1|ACTIVE|https://ingest-abc-uc.a.run.app\n")
    found = parse(sandbox.run("status --cloud").out)
    assert found.settings["ingest_addresses"].split() == [
        "https://ingest-abc-uc.a.run.app/",
        "https://ingest-123456789012.us-central1.run.app/",
        "https://us-central1-acme-issues.cloudfunctions.net/ingest",
    ]
    assert (found.settings["project"], found.settings["slack_secret"]) == ("acme-issues", "slack-token")
    assert found.settings["team_file"] == "config/team.toml"
    assert found.settings["triage_file"] == "config/triage.toml"
    assert "run_reconcile" not in found.settings
    unknown = {fact.what: fact.why for fact in found.facts if isinstance(fact, NotChecked)}
    assert unknown.keys() == {"access github-events-dead", "access notify-slack", "access stream-bq"}
    assert all("may not read its policy" in why for why in unknown.values())
    fixes = {finding.slug: finding.fix for finding in examine(CHECKS, found.facts).findings}
    assert fixes == {"function_wrong": "./deploy.sh stream_bq", "subscription_wrong": "./deploy.sh setup"}
    assert not [line for line in sandbox.lines if "slack.com" in line or "github.com" in line]


def test_doctor_learns_how_reconcile_is_run(sandbox):
    """Where reconcile is used, status --cloud prints its sources and the command that runs it."""
    sandbox.answer("gcloud pubsub subscriptions list *", "", "ERROR: 503\n", status=1)
    outcome = sandbox.run("status --cloud", GITHUB_SOURCES="acme/app,acme", PREFIX="team")
    found = parse(outcome.out, outcome.err)
    assert found.settings["github_sources"] == "acme/app,acme"
    assert (
        found.settings["run_reconcile"] == "gcloud scheduler jobs run team-reconcile --location=us-central1"
    )
    assert [fact.what for fact in found.facts if isinstance(fact, NotChecked)] == ["the cloud"]


def test_status_fails_if_the_cloud_does_not_answer(sandbox):
    """A failed query is reported as such, not as a missing resource."""
    sandbox.answer("gcloud pubsub subscriptions list *", "", "ERROR: 503\n", status=1)
    outcome = sandbox.run("status")
    assert (outcome.status, "ERROR: 503" in outcome.err, "subscription" in outcome.out) == (1, True, False)


def test_status_names_the_webhooks_that_were_created_here(sandbox):
    """Without a name, status reads the hooks that `webhook` created; without a token it says so."""
    answer_as_github(sandbox, 200, hooks=[HOOK | {"active": True, "events": ["issues"]}])
    sandbox.answer("curl *timeSeries*", http_answer({}))
    assert "?    webhook                              not checked; name them" in sandbox.run("status").out
    assert sandbox.run("webhook acme/app", GITHUB_TOKEN="t").status == 0
    assert sandbox.run("webhook acme/app", GITHUB_TOKEN="t").status == 0
    lines = [line for line in sandbox.run("status", GITHUB_TOKEN="t").out.splitlines() if "webhook" in line]
    assert len(lines) == 1
    assert re.match(
        r"BAD  webhook acme/app +does not deliver issue_comment, repository; ./deploy.sh webh", lines[0]
    )
    assert "not checked, because there is no GitHub token" in sandbox.run("status acme/other").out
    outcome = sandbox.run("status a/b/c")
    assert (outcome.status, "'a/b/c' is neither" in outcome.err) == (1, True)


@pytest.mark.parametrize(
    ("token", "answers", "expected"),
    [
        ("xoxb-1", ['{"ok": true}', '{"ok": true}'], ["ok   Slack token", "ok   Slack channel C0ROUTED001"]),
        ("xoxb-1", ['{"ok": false, "error": "token_revoked"}'], ["BAD  Slack token"]),
        (
            "xoxb-1",
            ['{"ok": true}', '{"ok": false, "error": "not_in_channel"}'],
            ["ok   Slack token", "BAD  Slack channel C0ROUTED001"],
        ),
        ("https://hooks.slack.com/services/1", [], ["?    Slack token"]),
    ],
)
def test_status_asks_slack_about_token_and_channels(sandbox, token, answers, expected):
    """The token is tried, and each routed channel is read; the token is in no argument and no output."""
    sandbox.answer("curl *timeSeries*", http_answer({}))
    sandbox.answer("gcloud secrets versions access *", token)
    for call, answer in zip(("auth.test", "conversations.history*C0ROUTED001"), answers, strict=False):
        sandbox.answer(f"curl *slack.com/api/{call}", f"{answer}\n200")
    outcome = sandbox.run("status")
    lines = [line for line in outcome.out.splitlines() if " Slack " in line]
    assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
    assert token not in outcome.out + outcome.err + "".join(sandbox.lines)
