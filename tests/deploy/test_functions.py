"""Functions are deployed in a safe order; unchanged ones are skipped, and a rollback is possible."""

import re

import pytest


def test_all_deploys_in_the_safe_order(sandbox):
    """Subscriptions before functions, roles before builds, subscribers with their endpoints before ingest."""
    outcome = sandbox.run("all")
    assert (outcome.status, outcome.out) == (0, "Webhook URL: https://ingest-abc-uc.a.run.app/\n")
    order = [
        *("services enable", "service-accounts create issuewire-build", "topics create github-events"),
        *("topics create github-events-dead", "subscriptions create github-events-dead-hold"),
        *("subscriptions create stream-bq", "secrets create slack-token", "query --use_legacy_sql=false"),
        *("bigquery.dataEditor", "storage.objectViewer", "versions list slack-token"),
        *("functions deploy notify-slack", "run services add-iam-policy-binding notify-slack"),
        *("subscriptions update notify-slack --push-endpoint", "functions deploy ingest"),
    ]
    places = [next(n for n, line in enumerate(sandbox.lines) if text in line) for text in order]
    assert places == sorted(places)
    ingest = places[-1]
    assert next(n for n, line in enumerate(sandbox.lines) if "update stream-bq --push" in line) < ingest
    script = sandbox.find("query --use_legacy_sql")[0].stdin
    assert "`github.events`" in script
    assert "${" not in script


def test_notify_slack_runs_as_one_instance(sandbox):
    """notify_slack runs as one instance, because its rate limits are in memory."""
    sandbox.run("notify_slack")
    (deployed,) = sandbox.find("functions deploy notify-slack")
    for flag in ("--max-instances=1", "--concurrency=8", "--cpu=1", "--timeout=60s"):
        assert f" {flag} " in deployed.line
    assert "@THREADS=8" in deployed.line


@pytest.mark.parametrize("name", ["notify-slack", "stream-bq"])
def test_a_failed_subscriber_leaves_ingest_unchanged(sandbox, name):
    """If a subscriber fails, the other one is finished, ingest is not changed, and the last line says so."""
    sandbox.answer(f"gcloud functions deploy {name} *", "", "ERROR: Build failed\n", status=1)
    outcome = sandbox.run("all")
    assert outcome.status == 1
    assert sandbox.find("functions deploy ingest") == []
    function = name.replace("-", "_")
    assert "ERROR: Build failed" in outcome.err
    assert f"deploy.sh: failed while: function {function}" in outcome.err
    assert outcome.err.splitlines()[-1] == (
        f"deploy.sh: {function} failed (see above); ingest was not changed."
        " Fix the cause and run again: ./deploy.sh all"
    )
    other = {"notify-slack": "stream-bq", "stream-bq": "notify-slack"}[name]
    assert sandbox.find(f"subscriptions update {other} --push-endpoint")
    assert sandbox.find(f"subscriptions update {name} --push-endpoint") == []


def test_a_second_run_builds_nothing(sandbox):
    """A function that is deployed with the same sources and flags is not built; its traffic is checked."""
    sandbox.run("stream_bq")
    deployed = re.search(r"source-sha=(\w{40}) ", sandbox.find("functions deploy")[0].line)
    sandbox.clear()
    sandbox.answer(
        "gcloud functions list *",
        f"stream-bq|issuewire|{deployed[1]}|ACTIVE|https://stream-bq-abc-uc.a.run.app\n",
    )
    outcome = sandbox.run("stream_bq")
    assert "stream_bq is unchanged" in outcome.err
    assert sandbox.find("functions deploy") + sandbox.find("update-traffic") == []
    sandbox.answer(
        "gcloud functions list *",
        f"stream-bq|issuewire|{deployed[1]}|FAILED|https://stream-bq-abc-uc.a.run.app\n",
    )
    sandbox.run("stream_bq")
    assert len(sandbox.find("functions deploy stream-bq")) == 1


def test_deploying_after_a_rollback_serves_the_newest_revision(sandbox):
    """An unchanged function whose traffic was pinned gets all traffic back on its newest revision."""
    sandbox.run("ingest")
    deployed = re.search(r"source-sha=(\w{40}) ", sandbox.find("functions deploy")[0].line)
    sandbox.answer(
        "gcloud functions list *", f"ingest|issuewire|{deployed[1]}|ACTIVE|https://ingest-abc-uc.a.run.app\n"
    )
    sandbox.answer("gcloud run services describe ingest *", "|100\n")
    assert sandbox.run("ingest").status == 0
    assert "gcloud run services update-traffic ingest --region=us-central1 --to-latest" in sandbox.lines
    assert sandbox.find("functions deploy ingest")[1:] == []


def test_an_interrupted_deployment_becomes_public_on_the_next_run(sandbox):
    """A run can stop between the creation of ingest and its opening: the next run opens it, built or not."""
    sandbox.run("ingest")
    deployed = re.search(r"source-sha=(\w{40}) ", sandbox.find("functions deploy")[0].line)
    sandbox.answer(
        "gcloud functions list *", f"ingest|issuewire|{deployed[1]}|ACTIVE|https://ingest-abc-uc.a.run.app\n"
    )
    sandbox.clear()
    assert sandbox.run("ingest").status == 0
    assert sandbox.find("functions deploy") == []
    [opened] = sandbox.find("run services add-iam-policy-binding ingest")
    assert opened.line.endswith("--member=allUsers --role=roles/run.invoker")


@pytest.mark.parametrize(
    "text",
    [
        "missing permission on the build service account: build@p",
        "Permission denied on secret: projects/1/secrets/slack-token",
        "Permission 'iam.serviceAccounts.actAs' denied on service account x (or it may not exist).",
    ],
)
def test_a_build_is_retried_until_iam_knows_its_roles(sandbox, text):
    """A build that starts before every server knows the new roles is tried again, with a message."""
    sandbox.answer("gcloud functions deploy notify-slack *", "", f"ERROR: {text}\n", status=1, times=1)
    outcome = sandbox.run("notify_slack")
    assert (outcome.status, "waiting for IAM to see the new account or role" in outcome.err) == (0, True)
    assert len(sandbox.find("functions deploy notify-slack")) == 2


def test_a_rollback_serves_the_previous_revision(sandbox):
    """A rollback serves the previous revision, two go back by two, and the oldest has no previous one."""
    sandbox.answer("gcloud run revisions list *", "ingest-3\ningest-2\ningest-1\n")
    for serving, previous in (("ingest-3", "ingest-2"), ("ingest-2", "ingest-1")):
        sandbox.answer("gcloud run services describe *", f"{serving}\n")
        assert sandbox.run("rollback ingest").status == 0
        assert sandbox.lines[-1].endswith(f"--to-revisions={previous}=100")
    sandbox.answer("gcloud run services describe *", "ingest-1\n")
    outcome = sandbox.run("rollback ingest")
    assert (outcome.status, "has no revision before" in outcome.err) == (1, True)


def test_a_binding_is_retried_until_iam_knows_the_account(sandbox):
    """A binding that IAM refuses because the account is new is tried again; any other error ends the run."""
    lag = "ERROR: Service account issuewire-ingest@acme-issues.iam.gserviceaccount.com does not exist.\n"
    sandbox.answer("gcloud pubsub topics add-iam-policy-binding github-events *", "", lag, status=1, times=2)
    outcome = sandbox.run("setup")
    assert outcome.status == 0
    assert outcome.err.count("waiting for IAM to see the new account") == 2
    sandbox.answer(
        "gcloud pubsub topics add-iam-policy-binding *", "", "ERROR: topic does not exist\n", status=1
    )
    outcome = sandbox.run("setup")
    assert (outcome.status, "waiting" in outcome.err) == (1, False)


def test_retries_for_iam_end_with_its_error(sandbox):
    """Retries for IAM end after WAIT_SECONDS with IAM's own error."""
    lag = "ERROR: service account x does not exist.\n"
    sandbox.answer("gcloud pubsub topics add-iam-policy-binding *", "", lag, status=1)
    outcome = sandbox.run("setup", ISSUEWIRE_DEPLOY_WAIT_SECONDS="1", ISSUEWIRE_DEPLOY_RETRY_SECONDS="0.3")
    assert (outcome.status, lag in outcome.err) == (1, True)
