"""The command status prints one line per resource."""

import json
import re

from tests.deploy.fake_github import http_answer


def test_status_is_0_only_without_a_problem(sandbox):
    """Before and after a deployment, the table names each problem and the command that fixes it."""
    sandbox.answer("gcloud functions list *", "", times=1)
    sandbox.answer("curl *timeSeries*", http_answer({}))
    outcome = sandbox.run("status")
    assert outcome.status == 1
    lines = outcome.out.splitlines()
    bad = [line for line in lines if line.startswith("BAD")]
    assert len(bad) == len(lines) - 1  # an unknown number of dead letters is not a problem
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
    tables = ["events", *(file.stem for file in (sandbox.checkout / "sql/views").glob("*.sql"))]
    sandbox.answer("gcloud functions list *", rows)
    sandbox.answer("gcloud run services list *", traffic)
    mark = {"labels": {"app": "issuewire"}}
    sandbox.answer(
        "bq * ls *", json.dumps([{"tableReference": {"tableId": name}, **mark} for name in tables])
    )
    sandbox.answer(
        "bq * ls --datasets *", json.dumps([{"datasetReference": {"datasetId": "github"}, **mark}])
    )
    point = {"timeSeries": [{"points": [{"value": {"int64Value": "0"}}]}]}
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
        ("bq * ls --datasets *", "[]", "missing; ./deploy.sh setup"),
        (
            "gcloud functions list *",
            rows.replace("https://stream-bq-abc", "https://stream-bq-new"),
            "does not push to https://stream-bq-new-uc.a.run.app as issuewire-push@acme-issues.iam",
        ),
    ):
        sandbox.answer(pattern, out, times=1)
        outcome = sandbox.run("status")
        assert (outcome.status, message in outcome.out) == (1, True), outcome.out


def test_status_fails_if_the_cloud_does_not_answer(sandbox):
    """A failed query is reported as such, not as a missing resource."""
    sandbox.answer("gcloud pubsub subscriptions list *", "", "ERROR: 503\n", status=1)
    outcome = sandbox.run("status")
    assert (outcome.status, "ERROR: 503" in outcome.err, "subscription" in outcome.out) == (1, True, False)
