"""The command destroy asks for confirmation, and removes only what exists."""

import json
import re

import pytest

from tests.deploy.fake_github import http_answer


def test_destroy_asks_and_removes_only_what_exists(sandbox):
    """Without --yes and without a terminal nothing is removed; secrets and data are kept without --data."""
    outcome = sandbox.run("destroy")
    assert (outcome.status, sandbox.calls, "pass --yes" in outcome.err) == (1, [], True)
    sandbox.answer("gcloud functions list *", "ingest|issuewire|x|ACTIVE|u\nstream-bq||x|ACTIVE|u\n")
    sandbox.answer(
        "gcloud pubsub subscriptions list *", "notify-slack|issuewire|\nsomebody-elses|issuewire|\n"
    )
    sandbox.answer("gcloud pubsub topics list *", "github-events|issuewire\ngithub-events-dead|\n")
    sandbox.answer("gcloud secrets list *", "slack-token|issuewire\n")
    sandbox.answer("curl *GET*", http_answer({}))
    sandbox.answer(
        "gcloud iam service-accounts list *",
        "issuewire-build@acme-issues.iam.gserviceaccount.com|Issuewire build\n"
        "issuewire-push@acme-issues.iam.gserviceaccount.com|\n",
    )
    builder = "serviceAccount:issuewire-build@acme-issues.iam.gserviceaccount.com"
    sandbox.answer("gcloud projects get-iam-policy *", f"roles/logging.logWriter|{builder}|\n")
    outcome = sandbox.run("destroy --yes")
    assert outcome.status == 0, outcome.err
    assert (
        "label app=issuewire: function stream-bq, topic github-events-dead, account issuewire-push"
        in outcome.err
    )
    removed = [line for line in sandbox.lines if re.search(r" (delete|remove-iam-policy-binding|rm) ", line)]
    assert [" ".join(line.split()[1:5]) for line in removed] == [
        "functions delete ingest --gen2",
        "pubsub subscriptions delete notify-slack",
        "pubsub topics delete github-events",
        f"projects remove-iam-policy-binding acme-issues --member={builder}",
        "iam service-accounts delete issuewire-build@acme-issues.iam.gserviceaccount.com",
    ]


@pytest.mark.parametrize("others", [[], ["issues_copy"]])
def test_the_dataset_is_removed_only_when_nothing_else_is_in_it(sandbox, others):
    """`--data` removes our secrets, table and views; a table of others stays, and the dataset with it."""
    sandbox.answer("curl *", http_answer({}))
    sandbox.answer("gcloud functions list *")
    sandbox.answer("gcloud secrets list *", "slack-token|\ngithub-webhook-secret|issuewire\n")
    mark = {"labels": {"app": "issuewire"}}
    dataset = [{"datasetReference": {"datasetId": "github"}, **mark}]
    foreign = [{"tableReference": {"tableId": name}} for name in ("reopen_rate", *others)]
    ours = [{"tableReference": {"tableId": name}, **mark} for name in ("events", "issues", "backup_of_2025")]
    sandbox.answer("bq * ls --datasets *", json.dumps(dataset))
    sandbox.answer("bq * ls --max_results*", json.dumps(foreign if others else []))
    sandbox.answer("bq * ls --max_results*", json.dumps(foreign + ours), times=1)
    outcome = sandbox.run("destroy --yes --data")
    assert outcome.status == 0, outcome.err
    removed = [line for line in sandbox.lines if re.search(r" (delete|rm|DELETE) ", line)]
    tables = "https://bigquery.googleapis.com/bigquery/v2/projects/acme-issues/datasets/github/tables"
    assert [" ".join(re.sub(r"curl .* (DELETE) .* ", r"curl \1 ", line).split()) for line in removed] == [
        "gcloud secrets delete github-webhook-secret",
        *(f"curl DELETE {tables}/{name}" for name in ("events", "issues")),
        *([] if others else ["bq --project_id=acme-issues rm --force --dataset acme-issues:github"]),
    ]
    assert ("Kept: the dataset github, because it holds reopen_rate, issues_copy." in outcome.err) is bool(
        others
    )
    assert "app=issuewire: secret slack-token, table github.reopen_rate," in outcome.err


@pytest.mark.parametrize("call", ["functions list", "pubsub subscriptions list", "iam service-accounts list"])
def test_destroy_stops_at_a_failed_query(sandbox, call):
    """If a list fails, destroy stops there instead of skipping what it lists."""
    sandbox.answer("curl *GET*", http_answer({}))
    sandbox.answer(f"gcloud {call} *", "", "ERROR: 503\n", status=1)
    outcome = sandbox.run("destroy --yes")
    assert (outcome.status, "ERROR: 503" in outcome.err) == (1, True)
    assert call in sandbox.lines[-1]
