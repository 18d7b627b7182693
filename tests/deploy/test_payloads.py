"""PAYLOAD_DAYS: older payloads are emptied every night, by an account that exists for nothing else."""

import base64

import pytest

from tests.deploy.cloud.client import DOMAIN, PROJECT, account
from tests.deploy.fake_github import http_answer

DAYS = {"PAYLOAD_DAYS": "90"}
URL = f"https://bigquery.googleapis.com/bigquery/v2/projects/{PROJECT}/queries"
REQUEST = (
    '{"query": "UPDATE `github.events` SET payload = NULL WHERE payload IS NOT NULL'
    " AND event_at < TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 90 DAY)"
    ' AND inserted_at < TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 2 HOUR)",'
    ' "useLegacySql": false, "location": "US", "timeoutMs": 200000}'
)
BODY = base64.b64encode(REQUEST.encode()).decode()
RIGHT = f"empty-payloads|ENABLED|37 3 * * *|Etc/UTC|{URL}|issuewire-payloads@{DOMAIN}|{BODY}|\n"
KEPT = f"issuewire-payloads@{DOMAIN}|Issuewire payloads\n"


def test_payloads_are_kept_unless_a_number_of_days_is_set(sandbox):
    """Without PAYLOAD_DAYS there is no job and no account, and Cloud Scheduler is not even enabled."""
    assert sandbox.run("setup").status == 0
    assert sandbox.find("scheduler") + sandbox.find("issuewire-payloads") == []
    assert "PAYLOAD_DAYS is neither keep nor a number of days" in sandbox.run("setup", PAYLOAD_DAYS="0").err


def test_the_account_of_the_job_may_change_rows_and_query(sandbox):
    """`setup` creates the job last, after its account and its two roles."""
    outcome = sandbox.run("setup", **DAYS)
    assert outcome.status == 0, outcome.err
    member = account("issuewire-payloads")
    granted = [call.line.split(" add-iam-policy-binding ")[1] for call in sandbox.find(f"--member={member}")]
    assert sorted(granted) == sorted(
        [
            f"--member={member} --role=roles/bigquery.dataEditor {PROJECT}:github.events",
            f"{PROJECT} --member={member} --role=roles/bigquery.jobUser --condition=None",
        ]
    )
    (job,) = sandbox.find("gcloud scheduler jobs create http empty-payloads")
    assert f"--message-body={REQUEST}" in job.line
    assert sandbox.find("services enable")[0].line.endswith("cloudscheduler.googleapis.com")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (RIGHT, ""),
        ("", "missing, so payloads are kept; ./deploy.sh setup"),
        (RIGHT.replace("ENABLED", "PAUSED"), "is paused; gcloud scheduler jobs resume empty-payloads"),
        (RIGHT.replace("37 3", "8 3"), "has other settings; ./deploy.sh setup"),
        (RIGHT.replace(BODY, BODY[:-8]), "has other settings; ./deploy.sh setup"),
        (RIGHT.replace("|\n", "|7\n"), "BigQuery refused its last statement"),
    ],
)
def test_status_shows_the_job(sandbox, row, problem):
    """`status` has a line for the job, which says what is wrong with it."""
    sandbox.answer("gcloud scheduler jobs list *", row)
    sandbox.answer("curl *", http_answer({}))
    sandbox.answer("bq * ls *", "[]")
    (line,) = [line for line in sandbox.run("status", **DAYS).out.splitlines() if " schedule " in line]
    assert line.startswith("BAD " if problem else "ok ")
    assert (problem or "payloads are emptied after 90 days") in line


def test_keep_removes_the_job_and_its_account(sandbox):
    """Without the setting, a job that an earlier `setup` made is removed, with its account."""
    sandbox.answer("gcloud iam service-accounts list *", KEPT)
    sandbox.answer("gcloud scheduler jobs list *", "empty-payloads|Issuewire empties payloads\n")
    assert sandbox.run("setup").status == 0
    assert len(sandbox.find("gcloud scheduler jobs delete empty-payloads")) == 1
    assert len(sandbox.find(f"service-accounts delete issuewire-payloads@{DOMAIN}")) == 1


def test_destroy_removes_it_whatever_the_setting_is(sandbox):
    """`destroy` removes the job and the account of an installation whose PAYLOAD_DAYS is not set any more."""
    sandbox.answer("curl *", http_answer({}))
    sandbox.answer("gcloud iam service-accounts list *", KEPT)
    sandbox.answer("gcloud scheduler jobs list *", "empty-payloads|Issuewire empties payloads\n")
    assert sandbox.run("destroy --yes").status == 0
    assert len(sandbox.find("gcloud scheduler jobs delete empty-payloads")) == 1
    assert len(sandbox.find(f"service-accounts delete issuewire-payloads@{DOMAIN}")) == 1
