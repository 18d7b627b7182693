"""The command destroy asks for confirmation, and removes only what exists."""

import re

import pytest

from tests.deploy.fake_github import http_answer


def test_destroy_asks_and_removes_only_what_exists(sandbox):
    """Without --yes and without a terminal nothing is removed; secrets and data are kept without --data."""
    outcome = sandbox.run("destroy")
    assert (outcome.status, sandbox.calls, "pass --yes" in outcome.err) == (1, [], True)
    sandbox.answer("gcloud functions list *", "ingest|x|ACTIVE|u\n")
    sandbox.answer("gcloud pubsub subscriptions list *", "notify-slack\nsomebody-elses\n")
    sandbox.answer("gcloud pubsub topics list *", "github-events\n")
    sandbox.answer("gcloud secrets list *", "slack-token\n")
    sandbox.answer("curl *GET*", http_answer({}))
    sandbox.answer(
        "gcloud iam service-accounts list *", "issuewire-push@acme-issues.iam.gserviceaccount.com\n"
    )
    builder = "serviceAccount:issuewire-build@acme-issues.iam.gserviceaccount.com"
    sandbox.answer("gcloud projects get-iam-policy *", f"roles/logging.logWriter|{builder}|\n")
    assert sandbox.run("destroy --yes").status == 0
    removed = [line for line in sandbox.lines if re.search(r" (delete|remove-iam-policy-binding|rm) ", line)]
    assert [" ".join(line.split()[1:5]) for line in removed] == [
        "functions delete ingest --gen2",
        "pubsub subscriptions delete notify-slack",
        "pubsub topics delete github-events",
        f"projects remove-iam-policy-binding acme-issues --member={builder}",
        "iam service-accounts delete issuewire-push@acme-issues.iam.gserviceaccount.com",
    ]
    sandbox.run("destroy --yes --data")
    assert sandbox.lines[-2:] == [
        "gcloud secrets delete slack-token",
        "bq --project_id=acme-issues rm --recursive --force --dataset acme-issues:github",
    ]


@pytest.mark.parametrize("call", ["functions list", "pubsub subscriptions list", "iam service-accounts list"])
def test_destroy_stops_at_a_failed_query(sandbox, call):
    """If a list fails, destroy stops there instead of skipping what it lists."""
    sandbox.answer("curl *GET*", http_answer({}))
    sandbox.answer(f"gcloud {call} *", "", "ERROR: 503\n", status=1)
    outcome = sandbox.run("destroy --yes")
    assert (outcome.status, "ERROR: 503" in outcome.err) == (1, True)
    assert call in sandbox.lines[-1]
