"""The job of Cloud Scheduler, as deploy.sh makes it with the unmodified gcloud."""

import base64
import json
import subprocess
from pathlib import Path

from tests.deploy.cloud.client import ACCOUNTS, DOMAIN, PROJECT, REGION, require_tool, send
from tests.support.checkout import make_checkout

JOBS = f"https://cloudscheduler.googleapis.com/v1/projects/{PROJECT}/locations/{REGION}/jobs"
JOB = f"projects/{PROJECT}/locations/{REGION}/jobs/reconcile"
URL = "https://reconcile-abc-uc.a.run.app"
PUSH = f"issuewire-push@{DOMAIN}"


def test_gcloud_creates_corrects_and_deletes_the_job(ready, tmp_path: Path) -> None:
    """The unmodified gcloud makes one job, changes it only if it differs, and deletes it."""
    require_tool("gcloud")
    ready.load("gcloud")
    checkout = make_checkout(tmp_path)
    send(ready, "POST", ACCOUNTS, {"accountId": "issuewire-push"})
    ready.state.enabled.add("cloudscheduler.googleapis.com")
    parts = "common settings tables ownership alerts functions schedule destroy"
    script = (
        f"set -Eeuo pipefail; for part in {parts}; do source deploy/$part.sh; done; read_settings; "
        "SCRATCH=$PWD; load_table reconcile; "
        'mutate() { [[ $2 == run ]] || mutate_with_stdin "" "$@"; }; left=(); '
    )

    def bash(command: str) -> None:
        environment = ready.environment | {"PROJECT": PROJECT, "GITHUB_SOURCES": "acme"}
        done = subprocess.run(
            ["bash", "-c", script + command],
            cwd=checkout, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    connect = f"URL={URL}; connect_schedule reconcile; "
    bash(connect)
    job = ready.state.scheduled[JOB]
    assert (job["schedule"], job["timeZone"], job["attemptDeadline"]) == ("7 * * * *", "Etc/UTC", "1800s")
    assert job.get("retryConfig", {}).get("retryCount", 0) == 0
    assert (job["httpTarget"]["uri"], job["httpTarget"]["httpMethod"]) == (f"{URL}/", "POST")
    assert job["httpTarget"]["oidcToken"] == {"serviceAccountEmail": PUSH, "audience": URL}
    job["httpTarget"]["uri"] = "https://elsewhere.example/"
    bash(connect)
    assert ready.state.scheduled[JOB]["httpTarget"]["uri"] == f"{URL}/"
    writes = len(ready.requests.writes())
    bash(f"SCHEDULE='30 9 * * *' ZONE=Europe/Berlin RETRIES=5; {connect} {connect}")
    assert len(ready.requests.writes()) == writes + 1
    job = ready.state.scheduled[JOB]
    assert (job["schedule"], job["timeZone"]) == ("30 9 * * *", "Europe/Berlin")
    pauses = {"minBackoffDuration": "300s", "maxBackoffDuration": "3600s"}
    assert job["retryConfig"] == job["retryConfig"] | {"retryCount": 5, **pauses}
    writes += 1
    bash("COMMAND=destroy; remove job")
    assert len(ready.requests.writes()) == writes + 1
    assert ready.state.scheduled == {}


def test_gcloud_keeps_the_job_that_empties_payloads(ready, tmp_path: Path) -> None:
    """The job sends BigQuery one UPDATE as an account of its own; `keep` removes both, and nothing else."""
    require_tool("gcloud")
    ready.load("gcloud")
    checkout = make_checkout(tmp_path)
    send(ready, "POST", ACCOUNTS, {"accountId": "issuewire-payloads"})
    ready.state.enabled.add("cloudscheduler.googleapis.com")
    parts = "common settings tables ownership access schedule payloads destroy"
    script = (
        f"set -Eeuo pipefail; for part in {parts}; do source deploy/$part.sh; done; read_settings; "
        "SCRATCH=$PWD; mutate() { [[ $1 == bq ]] || mutate_with_stdin '' \"$@\"; }; "
        f"EXISTING[account]='issuewire-payloads@{DOMAIN}|issuewire'; empty_payloads"
    )

    def deploy(days: str) -> int:
        before = len(ready.requests.writes())
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=checkout, env=ready.environment | {"PROJECT": PROJECT, "PAYLOAD_DAYS": days},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return len(ready.requests.writes()) - before

    assert [deploy("90"), deploy("90"), deploy("30")] == [1, 0, 1]
    [job] = ready.state.scheduled.values()
    target = job["httpTarget"]
    assert target["uri"] == f"https://bigquery.googleapis.com/bigquery/v2/projects/{PROJECT}/queries"
    assert target["oauthToken"]["serviceAccountEmail"] == f"issuewire-payloads@{DOMAIN}"
    assert target["headers"]["Content-Type"] == "application/json"
    request = json.loads(base64.b64decode(target["body"]))
    assert request["query"].startswith("UPDATE `github.events` SET payload = NULL WHERE ")
    assert "INTERVAL 30 DAY" in request["query"]
    assert (request["useLegacySql"], request["location"]) == (False, "US")
    assert deploy("keep") == 2
    assert ready.state.scheduled == {}
    assert f"issuewire-payloads@{DOMAIN}" not in ready.state.accounts


def test_a_job_that_cannot_run_is_refused(ready) -> None:
    """A schedule, address, deadline or account that Cloud Scheduler refuses is refused here."""
    ready.state.enabled.add("cloudscheduler.googleapis.com")
    job = {"name": JOB, "schedule": "7 * * * *", "httpTarget": {"uri": f"{URL}/"}, "attemptDeadline": "1800s"}
    token = {"oidcToken": {"serviceAccountEmail": "nobody@example.com"}}
    for change in (
        {"schedule": "hourly"},
        {"httpTarget": {"uri": "reconcile"}},
        {"attemptDeadline": "1801s"},
        {"name": "reconcile"},
        {"httpTarget": {"uri": URL, **token}},
    ):
        assert send(ready, "POST", JOBS, {**job, **change})[0] in {400, 404}
    assert send(ready, "POST", JOBS, job)[0] == 200
    assert send(ready, "POST", JOBS, job)[0] == 409
