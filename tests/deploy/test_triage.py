"""triage is deployed once its file has a rule: dry by default, and acting only with a GitHub App."""

import pytest

from tests.deploy.cloud.client import DOMAIN, PROJECT, account
from tests.support.checkout import make_checkout, read_table, run_bash

RULE = '# a rule\n[[rule]]\nname = "bug"\nwords_any = ["crash"]\nadd_labels = ["bug"]\n'
MEMBER = account("issuewire-triage")


def write_rules(sandbox, text=RULE):
    """Write the file with the rules."""
    (sandbox.checkout / "config/triage.toml").write_text(text)


def test_triage_is_left_out_until_its_file_has_a_rule(sandbox):
    """The shipped file has only comments: nothing of triage exists, and its command says what is missing."""
    assert "triage" not in run_bash(sandbox.checkout, 'echo "${FUNCTIONS[@]}"').split()
    outcome = sandbox.run("triage")
    assert (outcome.status, sandbox.find("gcloud")) == (1, [])
    assert "triage is left out without a [[rule]] in config/triage.toml" in outcome.err
    # `destroy` removes it in any case.
    assert "functions delete triage" in sandbox.run("destroy --dry-run").out


def test_without_an_app_it_only_reports_and_has_no_secret(sandbox):
    """A dry run needs no GitHub: its account may write its own table and nothing else."""
    write_rules(sandbox)
    outcome = sandbox.run("triage")
    assert outcome.status == 0, outcome.err
    granted = [call.line for call in sandbox.find(f"--member={MEMBER}")]
    (line,) = granted
    assert line.startswith("bq ")
    assert line.endswith(f" --role=roles/bigquery.dataEditor {PROJECT}:github.triage_actions")
    (deployed,) = sandbox.find("gcloud functions deploy")
    for text in (
        f"--service-account=issuewire-triage@{DOMAIN}",
        "--no-allow-unauthenticated",
        f"--set-env-vars=^@^BIGQUERY_DATASET={PROJECT}.github@TRIAGE_MODE=dry-run ",
        "--concurrency=1 --timeout=60s --max-instances=1 --clear-secrets ",
    ):
        assert text in deployed.line
    assert sandbox.find("subscriptions update triage --push-endpoint=https://triage-abc-uc.a.run.app/")


def test_with_an_app_it_has_the_key_and_nothing_else(tmp_path):
    """The App's key is mounted, and no token is, also beside the token of reconcile."""
    checkout = make_checkout(tmp_path)
    assert read_table(checkout, "triage", "SECRETS") == []
    shown = run_bash(
        checkout,
        'load_table triage; echo "${SECRETS[@]}" "${FLAGS[@]}" "${ENVIRONMENT[@]}" "$PROBLEM"',
        GITHUB_APP_ID="12345",
        TRIAGE_MODE="act",
    )
    file = "/etc/issuewire/github-app-key"
    assert shown.startswith("github-app-key --cpu=1 ")
    assert f" --set-secrets={file}=github-app-key:latest " in shown
    assert f" TRIAGE_MODE=act GITHUB_APP_ID=12345 GITHUB_APP_KEY_FILE={file} GITHUB_API_URL=" in shown
    assert "token" not in shown


@pytest.mark.parametrize(
    ("settings", "text", "problem"),
    [
        (
            {"TRIAGE_MODE": "act"},
            RULE,
            "TRIAGE_MODE is act, which needs a GitHub App: ./deploy.sh app creates one",
        ),
        ({}, RULE.replace("words_any", "word_any"), "did you mean 'words_any'?"),
        ({"TRIAGE_MODE": "on"}, RULE, "TRIAGE_MODE is neither dry-run nor act"),
        ({"TRIAGE_FILE": "other.toml"}, RULE, "TRIAGE_FILE names no readable file"),
    ],
)
def test_what_triage_would_refuse_changes_nothing(sandbox, settings, text, problem):
    """A mode without its App, a wrong rule and a wrong setting are reported before any change."""
    write_rules(sandbox, text)
    outcome = sandbox.run("triage", **settings)
    assert (outcome.status, problem in outcome.err) == (1, True), outcome.err
    assert sandbox.find("enable") == []
    assert outcome.err.count(problem) == 1
