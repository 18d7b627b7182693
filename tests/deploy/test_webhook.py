"""The command webhook creates GitHub's hook, pings it, and reports errors."""

import json

import pytest

from tests.deploy.fake_github import HOOK, answer_as_github, http_answer


def test_a_webhook_is_created_once_and_then_updated(sandbox):
    """A first run posts the hook, a second patches it; both wait for a ping."""
    answer_as_github(sandbox, 200)
    sandbox.answer("gcloud secrets versions list *", "3\n2\n")
    outcome = sandbox.run("webhook acme/app", GITHUB_TOKEN="github-private")
    assert (outcome.status, "its ping was accepted" in outcome.err) == (0, True)
    (made,) = [call for call in sandbox.calls if call.line.endswith("/hooks") and "POST" in call.line]
    assert json.loads(made.stdin) == {
        "name": "web",
        "active": True,
        "events": ["issues", "issue_comment", "repository"],
        "config": {**HOOK["config"], "content_type": "json", "insecure_ssl": "0", "secret": "canned-value"},
    }
    assert sandbox.find("versions access 3")
    answer_as_github(sandbox, 200, hooks=[{"id": 6, "config": {}}, HOOK])
    sandbox.clear()
    assert sandbox.run("webhook acme", GITHUB_TOKEN="github-private").status == 0
    assert sandbox.find("PATCH")[0].line.endswith("https://api.github.com/orgs/acme/hooks/7")
    assert "github-private" not in outcome.err + outcome.out + "".join(sandbox.lines)


@pytest.mark.parametrize(
    "url",
    [
        "https://ingest-abc-uc.a.run.app",
        "https://ingest-123456789012.us-central1.run.app/",
        "https://us-central1-acme-issues.cloudfunctions.net/ingest",
    ],
)
def test_a_hook_at_another_address_of_the_function_is_ours(sandbox, url):
    """A function has three addresses; a hook at any of them is updated, and no second one is created."""
    answer_as_github(sandbox, 200, hooks=[{"id": 7, "config": {"url": url}}])
    outcome = sandbox.run("webhook acme/app", GITHUB_TOKEN="t")
    assert outcome.status == 0, outcome.err
    assert [call for call in sandbox.find("POST") if call.line.endswith("/hooks")] == []
    (patched,) = sandbox.find("PATCH")
    assert json.loads(patched.stdin)["config"]["url"] == "https://ingest-abc-uc.a.run.app/"
    assert sandbox.run("secrets rotate --finish acme/app", GITHUB_TOKEN="t").status == 0


def test_of_two_hooks_the_one_at_our_address_is_updated(sandbox):
    """GitHub refuses a second hook with the same URL, so the one that has it already is changed."""
    other = {"id": 6, "config": {"url": "https://us-central1-acme-issues.cloudfunctions.net/ingest"}}
    answer_as_github(sandbox, 200, hooks=[other, HOOK])
    assert sandbox.run("webhook acme/app", GITHUB_TOKEN="t").status == 0
    assert sandbox.find("PATCH")[0].line.endswith("/hooks/7")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (http_answer({"message": "Bad credentials"}, 401), "GitHub refuses the token (401)"),
        (
            http_answer({"message": "Not Found"}, 404),
            "the name is wrong, or the token may not write its webhooks",
        ),
        (http_answer({"message": "Failed", "errors": [{"message": "url"}]}, 422), "GitHub answers 422"),
        ("<html>\n <b>Bad Gateway</b>\n502", "<html> <b>Bad Gateway</b>"),
        ("<html>\n200", "the answer does not have the documented form (hook-id"),
    ],
)
def test_an_error_of_github_is_reported_in_one_line(sandbox, answer, message):
    """Each error is one line that says what to do; nothing is written after it."""
    sandbox.answer("curl *", answer)
    outcome = sandbox.run("webhook acme/app", GITHUB_TOKEN="t")
    assert (outcome.status, message in outcome.err) == (1, True)
    assert "Traceback" not in outcome.err
    assert sandbox.find("POST") == []


def test_an_unreachable_github_is_reported(sandbox):
    """The message names the address that cannot be reached."""
    sandbox.answer("curl *", "", "curl: (6) Could not resolve host\n", status=6)
    outcome = sandbox.run("webhook acme/app", GITHUB_TOKEN="t")
    assert (outcome.status, "GitHub cannot be reached at https://api.github.com" in outcome.err) == (1, True)


def test_a_missing_ping_is_reported(sandbox):
    """If GitHub delivers no ping within WAIT_SECONDS, the run fails."""
    answer_as_github(sandbox, 200)
    sandbox.answer("curl *GET*/deliveries*", http_answer([]))
    outcome = sandbox.run(
        "webhook acme/app",
        GITHUB_TOKEN="t",
        ISSUEWIRE_DEPLOY_WAIT_SECONDS="1",
        ISSUEWIRE_DEPLOY_RETRY_SECONDS="0.3",
    )
    assert (outcome.status, "has not delivered its ping within 1 s" in outcome.err) == (1, True)


def test_the_token_comes_from_file_environment_or_gh(sandbox, tmp_path):
    """The file wins over the variable; without both, gh is asked for the host of GITHUB_URL."""
    answer_as_github(sandbox, 200)
    file = tmp_path / "token"
    file.write_text("from-file\r\n")
    sandbox.run("webhook acme/app", GITHUB_TOKEN_FILE=str(file), GITHUB_TOKEN="from-variable")
    assert {call.header for call in sandbox.find("curl")} == {"Authorization: Bearer from-file"}
    sandbox.install("gh")
    sandbox.answer("gh auth token *", "from-gh\n")
    sandbox.clear()
    sandbox.run("webhook acme/app", GITHUB_URL="https://github.example.com/")
    assert {call.header for call in sandbox.find("curl")} == {"Authorization: Bearer from-gh"}
    assert sandbox.find("gh auth token --hostname github.example.com")
    sandbox.answer("gh auth token *", "", "not logged in", status=1)
    assert "no GitHub token: set GITHUB_TOKEN_FILE or GITHUB_TOKEN" in sandbox.run("webhook acme/app").err
    file.write_text("two text\n")
    assert "contains spaces" in sandbox.run("webhook acme/app", GITHUB_TOKEN_FILE=str(file)).err
    missing = sandbox.run("webhook acme/app", GITHUB_TOKEN_FILE=str(tmp_path / "missing"))
    assert "GITHUB_TOKEN_FILE names no readable file" in missing.err
