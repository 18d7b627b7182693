"""A function that Cloud Scheduler calls: left out until it is wanted, and called by one job."""

import json

import pytest

from tests.deploy.cloud.client import DOMAIN, PROJECT, REGION, account
from tests.deploy.fake_github import http_answer

URL = "https://reconcile-abc-uc.a.run.app"
PUSH = f"issuewire-push@{DOMAIN}"
SOURCES = {"GITHUB_SOURCES": "acme/app,acme"}
ADDRESSES = (
    "https://ingest-abc-uc.a.run.app/",
    f"https://ingest-123456789012.{REGION}.run.app/",
    f"https://{REGION}-{PROJECT}.cloudfunctions.net/ingest",
)
RIGHT = f"reconcile|Issuewire reconcile|ENABLED|7 * * * *|Etc/UTC|1800s|0|{URL}/|{PUSH}|{URL}\n"


def test_reconcile_is_left_out_until_it_has_sources(sandbox):
    """Without GITHUB_SOURCES nothing of reconcile is created, and its own command says what is missing."""
    assert sandbox.run("all").status == 0
    assert (
        sandbox.find("issuewire-reconcile") + sandbox.find("scheduler") + sandbox.find("github-token") == []
    )
    outcome = sandbox.run("reconcile")
    assert outcome.status == 1
    assert "reconcile is left out without GITHUB_SOURCES; set it in deploy.env" in outcome.err


def test_reconcile_is_deployed_with_the_least_that_it_needs(sandbox):
    """Its account may publish, read the hold, read events, write its ledger, query, and read its secret."""
    outcome = sandbox.run("reconcile", **SOURCES)
    assert outcome.status == 0, outcome.err
    member = account("issuewire-reconcile")
    granted = [call.line for call in sandbox.find(f"--member={member}")]
    assert sorted(line.split(" add-iam-policy-binding ")[1] for line in granted) == sorted(
        [
            f"github-events --member={member} --role=roles/pubsub.publisher",
            f"github-events-dead-hold --member={member} --role=roles/pubsub.subscriber",
            f"--member={member} --role=roles/bigquery.dataViewer {PROJECT}:github.events",
            f"--member={member} --role=roles/bigquery.dataEditor {PROJECT}:github.delivery_ledger",
            f"{PROJECT} --member={member} --role=roles/bigquery.jobUser --condition=None",
            f"github-token --member={member} --role=roles/secretmanager.secretAccessor",
        ]
    )
    (deployed,) = sandbox.find("gcloud functions deploy")
    for text in (
        f"--service-account=issuewire-reconcile@{DOMAIN}",
        "--no-allow-unauthenticated",
        "--max-instances=1",
        "GITHUB_SOURCES=acme/app,acme@",
        f"INGEST_URL={','.join(ADDRESSES)}@",
        "/etc/issuewire/github-token=github-token:latest",
    ):
        assert text in deployed.line
    (job,) = sandbox.find("gcloud scheduler jobs create")
    assert f"--uri={URL}/" in job.line
    assert sandbox.find("services enable")[0].line.endswith("cloudscheduler.googleapis.com")


def test_a_github_app_has_its_key_instead_of_the_token(sandbox):
    """With GITHUB_APP_ID its account may read the key and no token; the key is mounted as a file."""
    outcome = sandbox.run("reconcile", **SOURCES, GITHUB_APP_ID="12345")
    assert outcome.status == 0, outcome.err
    member = account("issuewire-reconcile")
    (granted,) = sandbox.find(f"--member={member} --role=roles/secretmanager.secretAccessor")
    assert "add-iam-policy-binding github-app-key " in granted.line
    (deployed,) = sandbox.find("gcloud functions deploy")
    file = "/etc/issuewire/github-app-key"
    for text in (
        f"@GITHUB_APP_ID=12345@GITHUB_APP_KEY_FILE={file}@",
        f"--set-secrets={file}=github-app-key:latest",
    ):
        assert text in deployed.line
    assert sandbox.find("github-token") == sandbox.find("GITHUB_TOKEN") == []


def test_all_deploys_reconcile_after_ingest(sandbox):
    """A webhook is known by the address of ingest, so ingest comes first; a job that is right stays."""
    sandbox.answer("gcloud scheduler jobs list *", RIGHT)
    assert sandbox.run("all", **SOURCES).status == 0
    deployed = [call.line.split()[3] for call in sandbox.find("gcloud functions deploy")]
    assert deployed[-2:] == ["ingest", "reconcile"]
    assert sandbox.find("scheduler jobs create") + sandbox.find("scheduler jobs update") == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (RIGHT, ""),
        ("", "missing, so nothing calls it; ./deploy.sh reconcile"),
        (RIGHT.replace("ENABLED", "PAUSED"), "is paused; gcloud scheduler jobs resume reconcile"),
        (RIGHT.replace("7 *", "8 *"), "has other settings; ./deploy.sh reconcile"),
        (
            RIGHT.replace("Issuewire reconcile", "Their job"),
            "is not ours; ./deploy.sh reconcile says what to do",
        ),
    ],
)
def test_status_shows_the_schedule(sandbox, row, problem):
    """`status` has a line for the job, which says what is wrong with it."""
    sandbox.answer("gcloud scheduler jobs list *", row)
    sandbox.answer("curl *", http_answer({}))
    sandbox.answer("bq * ls *", "[]")
    (line,) = [line for line in sandbox.run("status", **SOURCES).out.splitlines() if " schedule " in line]
    assert line.startswith("BAD " if problem else "ok ")
    assert problem in line


def test_a_job_of_others_stops_the_deployment(sandbox):
    """A job of that name whose description is not ours is neither changed nor deleted."""
    sandbox.answer("gcloud scheduler jobs list *", RIGHT.replace("Issuewire reconcile", "Their job"))
    outcome = sandbox.run("reconcile", **SOURCES)
    assert (outcome.status, "    job reconcile\n" in outcome.err) == (1, True)
    assert sandbox.find("create") == []
    sandbox.answer("curl *", http_answer({}))
    assert "job reconcile," in sandbox.run("destroy --yes").err
    assert sandbox.find("scheduler jobs delete") == []


def test_alerts_are_those_of_the_functions_that_are_used(sandbox):
    """The alerts of reconcile exist only with reconcile, and name its service."""
    sandbox.answer("curl *", http_answer({}))
    sandbox.run("alerts")
    without = len(sandbox.find("POST"))
    sandbox.clear()
    assert sandbox.run("alerts", **SOURCES).status == 0
    bodies = [json.loads(call.stdin) for call in sandbox.find("POST")]
    assert len(bodies) == without + 2
    filters = [
        str(next(iter(body["conditions"][0].values()), "")) + str(body["conditions"]) for body in bodies
    ]
    assert sum('"reconcile"' in text for text in filters) == 2
