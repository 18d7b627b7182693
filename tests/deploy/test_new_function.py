"""A function that is added by its folder and its table alone is known to every command."""

import json
import re

import pytest

from tests.deploy.fake_github import http_answer
from tests.deploy.new_function import add_function
from tests.support.checkout import make_checkout, stage, staged_hash


@pytest.fixture(autouse=True)
def log_only(sandbox):
    """Add log_only to the sandbox's checkout."""
    add_function(sandbox.checkout)


def test_a_new_function_is_staged_with_its_sub_package(tmp_path):
    """The staged folder contains the sub-package and the packages of the table."""
    checkout = make_checkout(tmp_path / "other")
    add_function(checkout)
    (checkout / "deploy/functions/log_only.sh").write_text(
        "TRIGGER=push\nPACKAGES=(pipeline clients/extra.py)\n"
    )
    (checkout / "clients/extra.py").write_text("")
    staged = stage(checkout, "log_only", tmp_path / "staged")
    files = {path.relative_to(staged).as_posix() for path in staged.rglob("*.py")}
    assert files == {
        *("main.py", "lines/__init__.py", "clients/__init__.py", "clients/extra.py"),
        *(f"pipeline/{path.name}" for path in (checkout / "pipeline").glob("*.py")),
    }


def test_a_new_function_is_deployed_by_its_name(sandbox):
    """`./deploy.sh log_only` creates account, subscription and roles, and connects the built function."""
    sandbox.answer(
        "gcloud functions list *", "log-only|issuewire|old|ACTIVE|https://log-only-abc-uc.a.run.app\n"
    )
    outcome = sandbox.run("log_only")
    assert outcome.status == 0, outcome.err
    account = "issuewire-log-only@acme-issues.iam.gserviceaccount.com"
    (deployed,) = sandbox.find("functions deploy log-only")
    assert f"--service-account={account}" in deployed.line
    assert "--set-env-vars=^@^LOG_LEVEL=info" in deployed.line
    assert "--no-allow-unauthenticated" in deployed.line
    for text in (
        "iam service-accounts create issuewire-log-only",
        "pubsub subscriptions create log-only --topic=github-events",
        f"--member=serviceAccount:{account} --role=roles/bigquery.jobUser --condition=None",
        "subscriptions add-iam-policy-binding log-only",
        "run services add-iam-policy-binding log-only",
        "subscriptions update log-only --push-endpoint=https://log-only-abc-uc.a.run.app/",
    ):
        assert len(sandbox.find(text)) == 1, text


def test_all_deploys_a_new_subscriber_before_ingest(sandbox):
    """`all` includes the new function, and ingest is still the last."""
    names = ("ingest", "log-only", "notify-slack", "stream-bq")
    rows = [f"{name}|issuewire|old|ACTIVE|https://{name}-abc-uc.a.run.app\n" for name in names]
    sandbox.answer("gcloud functions list *", "".join(rows))
    assert sandbox.run("all").status == 0
    deployed = [call.line.split()[3] for call in sandbox.find("gcloud functions deploy")]
    assert set(deployed) == set(names)
    assert deployed[-1] == "ingest"


def test_status_lists_a_new_function(sandbox, tmp_path):
    """`status` has a line for the function and one for its subscription."""
    expected = staged_hash(sandbox.checkout, "log_only", tmp_path / "staged")
    sandbox.answer(
        "gcloud functions list *", f"log-only|issuewire|{expected}|ACTIVE|https://log-only-abc-uc.a.run.app\n"
    )
    sandbox.answer("gcloud run services list *", "log-only|True|log-only-1\n")
    sandbox.answer("curl *timeSeries*", http_answer({}))
    sandbox.answer("bq * ls *", "[]")
    push = "serviceAccount:issuewire-push@acme-issues.iam.gserviceaccount.com"
    sandbox.answer("gcloud run services get-iam-policy log-only *", f"{push}\n")
    sandbox.run("setup")
    outcome = sandbox.run("status")
    assert re.search(
        rf"^ok +function log_only +https://log-only\S+ +{expected[:8]}$", outcome.out, re.MULTILINE
    )
    assert re.search(
        r"^BAD +subscription log-only +.*no push endpoint; ./deploy.sh log_only$", outcome.out, re.MULTILINE
    )


def test_help_rollback_alerts_and_destroy_know_a_new_function(sandbox):
    """The commands help, rollback, alerts and destroy know a new function from its table."""
    assert "  log_only " in sandbox.run("help").out
    assert "--to-revisions=PREVIOUS=100" in sandbox.run("rollback log_only --dry-run").out
    destroyed = sandbox.run("destroy --data --dry-run").out
    for text in ("functions delete log-only", "subscriptions delete log-only", "delete issuewire-log-only@"):
        assert destroyed.count(text) == 1
    sandbox.answer("curl *GET*", http_answer({}))
    sandbox.answer("curl *--request P*", http_answer({}))
    sandbox.run("alerts")
    bodies = [json.loads(call.stdin) for call in sandbox.find("POST")]
    filters = [list(body["conditions"][0].values())[1]["filter"] for body in bodies]
    assert sum('"log-only", ' in text for text in filters) == 1  # the age of the oldest message
    assert sum('"log-only" OR ' in text for text in filters) == 1  # lines of severity ERROR


def test_the_settings_of_a_new_function_are_read_from_the_file(sandbox):
    """Only its table declares LOG_LEVEL: its value is checked and passed on."""
    (sandbox.checkout / "deploy.env").write_text("LOG_LEVEL=debug\n")
    assert "LOG_LEVEL=debug" in sandbox.run("log_only --dry-run").out
    (sandbox.checkout / "deploy.env").write_text("LOG_LEVEL=loud\n")
    assert "LOG_LEVEL is neither info nor debug" in sandbox.run("log_only --dry-run").err


def test_the_secret_of_a_new_function_is_stored_and_required(sandbox):
    """A secret that only the table names is created, stored by its name, and required before a build."""
    with (sandbox.checkout / "deploy/functions/log_only.sh").open("a") as table:
        table.write("SECRETS=(log-key)\n")
    assert sandbox.run("secrets log-key", stdin="abc\n").status == 0
    assert (
        "gcloud secrets create log-key --replication-policy=automatic --labels=app=issuewire" in sandbox.lines
    )
    (added,) = sandbox.find("versions add log-key")
    assert added.stdin == "abc"
    sandbox.answer("gcloud secrets versions list log-key *", "")
    outcome = sandbox.run("log_only")
    assert outcome.status == 1
    assert "log-key has no version yet; store one: ./deploy.sh secrets log-key <secret.txt" in outcome.err
    reader = "secrets add-iam-policy-binding log-key --member=serviceAccount:issuewire-log-only@"
    assert sandbox.find(reader)
    assert sandbox.find("functions deploy") == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "log_only.sh: TRIGGER is none of http-public, push, schedule"),
        ('TRIGGER=push\nROLES=("roles/x bucket/y")\n', "no role can be granted on 'bucket/y'"),
        ("TRIGGER=push\nPACKAGES=(clients/missing)\n", "there is no folder clients/missing"),
        ("TRIGGER=push\nPACKAGES=(clients/missing.py)\n", "there is no module clients/missing.py"),
    ],
)
def test_a_wrong_table_is_reported(sandbox, table, message):
    """The message about a wrong table names the problem in deploy/functions/log_only.sh."""
    (sandbox.checkout / "deploy/functions/log_only.sh").write_text(table)
    outcome = sandbox.run("log_only --dry-run")
    assert (outcome.status, message in outcome.err) == (1, True), outcome.err
