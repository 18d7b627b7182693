"""The job of Cloud Scheduler, as deploy.sh makes it with the unmodified gcloud."""

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
    assert (job["httpTarget"]["uri"], job["httpTarget"]["httpMethod"]) == (f"{URL}/", "POST")
    assert job["httpTarget"]["oidcToken"] == {"serviceAccountEmail": PUSH, "audience": URL}
    job["httpTarget"]["uri"] = "https://elsewhere.example/"
    bash(connect)
    assert ready.state.scheduled[JOB]["httpTarget"]["uri"] == f"{URL}/"
    writes = len(ready.requests.writes())
    bash(f"{connect} COMMAND=destroy; remove job")
    assert len(ready.requests.writes()) == writes + 1
    assert ready.state.scheduled == {}


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
