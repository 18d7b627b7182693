"""digest is deployed once the team's file has [digest], which says when it is called."""

import pytest

from metrics.waiting import WAITING
from metrics.week_review import DURATIONS, NAMED_WEEKS
from tests.deploy.cloud.client import DOMAIN, PROJECT, account
from tests.support.checkout import FUNCTIONS, make_checkout, read_table, run_bash

TEAM = """
[hours]
zone = "Europe/Berlin"
[digest]
channels = { "C0ROUTED001" = ["acme/*"] }
at = "09:30"
"""
MEMBER = account("issuewire-digest")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Copy what deploy.sh reads."""
    return make_checkout(tmp_path_factory.mktemp("digest"))


def write_team(sandbox, text=TEAM):
    """Write the team's file."""
    (sandbox.checkout / "config/team.toml").write_text(text)


def test_digest_is_left_out_until_the_team_s_file_has_it(sandbox):
    """Without [digest] it is none of the functions, and its own command says what is missing."""
    write_team(sandbox, '[team]\nlogins = ["mona"]\n')
    used = run_bash(sandbox.checkout, 'echo "${FUNCTIONS[@]}"')
    assert used.split() == [name for name in FUNCTIONS if name not in {"digest", "triage"}]
    outcome = sandbox.run("digest")
    assert (outcome.status, sandbox.find("gcloud")) == (1, [])
    assert "digest is left out without [digest] in config/team.toml" in outcome.err


def test_digest_is_deployed_with_the_least_that_it_needs(sandbox):
    """Its account may read what its queries read, query, and read its secret; it is called at its time."""
    write_team(sandbox)
    outcome = sandbox.run("digest")
    assert outcome.status == 0, outcome.err
    granted = [call.line.split("--role=")[1] for call in sandbox.find(f"--member={MEMBER}")]
    others = [line for line in granted if not line.startswith("roles/bigquery.dataViewer ")]
    assert others == ["roles/secretmanager.secretAccessor", "roles/bigquery.jobUser --condition=None"]
    (deployed,) = sandbox.find("gcloud functions deploy")
    for text in (
        f"--service-account=issuewire-digest@{DOMAIN}",
        "--no-allow-unauthenticated",
        f"BIGQUERY_DATASET={PROJECT}.github@",
        "--set-secrets=/etc/issuewire/slack-token=slack-token:latest",
    ):
        assert text in deployed.line
    assert "GITHUB_TOKEN" not in deployed.line
    (job,) = sandbox.find("gcloud scheduler jobs create")
    for text in ("--schedule=30 9 * * *", "--time-zone=Europe/Berlin", "--max-retry-attempts=5"):
        assert text in job.line


def test_with_the_token_of_reconcile_issues_are_asked_for_again(checkout):
    """With GITHUB_SOURCES its account may read GitHub's token too, mounted in a folder of its own."""
    file = "/etc/issuewire-github/github-token"
    assert f"GITHUB_TOKEN_FILE={file}" in read_table(checkout, "digest", "ENVIRONMENT")
    assert read_table(checkout, "digest", "SECRETS") == ["slack-token", "github-token"]
    assert read_table(checkout, "digest", "FLAGS")[-1].endswith(f",{file}=github-token:latest")


def test_with_the_app_of_reconcile_its_account_may_read_the_key(sandbox):
    """With GITHUB_APP_ID the key takes the token's place."""
    write_team(sandbox)
    outcome = sandbox.run("digest", GITHUB_SOURCES="acme/app", GITHUB_APP_ID="12345")
    assert outcome.status == 0, outcome.err
    (deployed,) = sandbox.find("gcloud functions deploy")
    assert ",/etc/issuewire-github/github-app-key=github-app-key:latest" in deployed.line
    granted = [call.line for call in sandbox.find(f"--member={MEMBER} --role=roles/secretmanager")]
    assert [line.split("binding ")[1].split()[0] for line in granted] == ["slack-token", "github-app-key"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TEAM.replace("09:30", "25:00"), "config/team.toml is wrong (see above)"),
        (TEAM.replace("C0ROUTED001", "C0123456789"), "C0123456789 is the channel of the example"),
    ],
)
def test_a_wrong_file_changes_nothing(sandbox, text, problem):
    """A file that the function would refuse, or with the example's channel, stops before any change."""
    write_team(sandbox, text)
    outcome = sandbox.run("digest")
    assert (outcome.status, problem in outcome.err) == (1, True)
    assert sandbox.find("gcloud") == []


def test_its_account_may_read_every_table_behind_its_queries(checkout):
    """The roles name the views of every query, and what these views read."""
    roles = read_table(checkout, "digest", "ROLES")
    tables = {role.partition(" table/")[2] for role in roles}
    for query in (WAITING, NAMED_WEEKS, DURATIONS):
        assert query.sql.partition("`${DATASET}.")[2].partition("`")[0] in tables
    assert {"events", "issue_events"} <= tables
    assert "delivery_ledger" not in tables
