"""ops send without a file builds the event from its options."""

import json
import uuid

import pytest

from ops.send import accounts
from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line, read, signature


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("issues", "opened"),
        ("issues", "edited"),
        ("issues", "closed"),
        ("issues", "reopened"),
        ("issues", "labeled"),
        ("issues", "assigned"),
        ("issues", "deleted"),
        ("issue_comment", "created"),
    ],
)
def test_the_options_describe_the_event(receiver: Receiver, event: str, action: str) -> None:
    """Each event arrives signed, in GitHub's format, with the values of the options."""
    options = [
        "--title",
        "Export \u00fc",
        "--body",
        "Why?",
        "--repository",
        "o/r",
        "--number",
        "9",
        "--author",
        "mona",
    ]
    result = invoke("--url", receiver.url, "--secret", SECRET, "--event", event, "--action", action, *options)
    assert result.exit_code == 0
    headers, body = receiver.sent
    assert headers["x-hub-signature-256"] == signature(body)
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("GitHub-Hookshot/")
    found = read(headers, body)
    assert (found.event, found.action, found.repository, found.sender) == (event, action, "o/r", "mona")
    assert found.issue is not None
    about_issue = event == "issues"
    assert (found.issue.number, found.issue.title) == (9, "Export \u00fc")
    assert found.issue.body == ("Why?" if about_issue else "Sent by issuewire send.")
    assert found.issue.author == ("mona" if action == "opened" else "octocat")
    assert found.issue.state == ("closed" if action == "closed" else "open")
    assert (found.comment is not None) == (event == "issue_comment")
    if event == "issue_comment":
        assert json.loads(body)["comment"]["body"] == "Why?"


def test_a_deleted_repository_is_about_no_issue(receiver: Receiver) -> None:
    """`--event repository` sends that the repository was deleted, as an organisation's hook does."""
    result = invoke(
        *("--url", receiver.url, "--secret", SECRET, "--event", "repository", "--repository", "o/r"),
        *("--author", "mona"),
    )
    assert result.exit_code == 0
    found = read(*receiver.sent)
    assert (found.event, found.action, found.repository, found.sender) == (
        "repository",
        "deleted",
        "o/r",
        "mona",
    )
    assert (found.issue, found.repository_id) == (None, accounts.number_for("o/r"))


@pytest.mark.parametrize(
    ("event", "action"),
    [
        (None, "opened"),
        ("issues", "opened"),
        ("issue_comment", "created"),
        ("repository", "deleted"),
        ("ping", None),
    ],
)
def test_each_event_has_a_default_action(receiver: Receiver, event: str | None, action: str | None) -> None:
    """The default event is an opened issue; each event has a default action, and each delivery a new GUID."""
    for _ in range(2):
        options = [] if event is None else ["--event", event]
        assert invoke("--url", receiver.url, "--secret", SECRET, *options).exit_code == 0
    for headers, body in receiver.requests:
        assert headers["x-github-event"] == (event or "issues")
        assert json.loads(body).get("action") == action
    assert len({uuid.UUID(headers["x-github-delivery"]) for headers, _ in receiver.requests}) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--event", "push"],
            "--event push cannot be built (known: issues, issue_comment, repository, ping); give a FILE",
        ),
        (
            ["--event", "issue_comment", "--action", "opened"],
            "--action opened cannot be built for issue_comment (known: created, edited, deleted)",
        ),
        (["--event", "ping", "--action", "x"], "--action x cannot be built for ping (known: none)"),
        (["--action", "edited"], "--action edited needs --title or --body"),
        (
            ["--action", "closed", "--reason", "bored"],
            "--reason is for --action closed, and one of completed, not_planned, duplicate",
        ),
        (
            ["--label", "x", "--action", "closed"],
            "--label is for the actions opened, labeled, unlabeled of issues",
        ),
        (["--assignee", "x"], "--assignee is for the actions assigned, unassigned of issues"),
        (
            ["--action", "unlabeled"],
            "acme/app#1 does not have the label 'bug' (it has none); give --label",
        ),
        (["--action", "unassigned"], "acme/app#1 is not assigned to octocat; give --assignee"),
        (
            ["--event", "issue_comment", "--action", "edited"],
            "acme/app#1 has no comment that was sent; send one: --event issue_comment",
        ),
        (["--repository", "acme"], "--repository is not of the form owner/name"),
        (["--repository", "acme/"], "--repository is not of the form owner/name"),
        (["--repository", "/"], "--repository is not of the form owner/name"),
        (["--repository", "a/b/c"], "--repository is not of the form owner/name"),
        (["--number", str(2**63)], "--number is larger than any number of GitHub's"),
        (["--number", "0"], "Invalid value for '--number': 0 is not in the range x>=1."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_impossible_option_is_refused(receiver: Receiver, options: list[str], message: str) -> None:
    """An impossible option is refused in one line that names the possible ones, and nothing is sent."""
    result = invoke("--url", receiver.url, "--secret", SECRET, *options)
    assert last_line(result, 2) == f"Error: {message}"
    assert receiver.requests == []


def test_a_close_has_a_reason(receiver: Receiver) -> None:
    """`--reason` says why an issue is closed; without it, it is completed."""
    for options, reason in (((), "completed"), (("--reason", "not_planned"), "not_planned")):
        invoke("--url", receiver.url, "--secret", SECRET, "--action", "closed", *options)
        found = read(*receiver.requests[-1]).issue
        assert found is not None
        assert found.state_reason == reason


def test_the_same_issue_has_the_same_ids(receiver: Receiver) -> None:
    """An issue that is sent twice has the same ids."""
    for action in ("opened", "closed"):
        invoke("--url", receiver.url, "--secret", SECRET, "--action", action)
    ids = {json.loads(body)["issue"]["id"] for _, body in receiver.requests}
    assert ids == {accounts.number_for("acme/app#1")}
