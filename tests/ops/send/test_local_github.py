"""ops send changes the issue at the GitHub of the running stack before it delivers the event."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.github.server import TOKEN, GitHubServer
from ops import local_stack
from ops.send.payload_spec import PayloadSpec
from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line, read
from tests.support.endpoints import write_endpoints
from tests.support.messages import an_issue


@pytest.fixture
def github(receiver: Receiver) -> Iterator[GitHubServer]:
    """Run a GitHub, and the endpoints of a stack with it."""
    with GitHubServer() as server:
        write_endpoints(
            local_stack.ENDPOINTS,
            ingest_url=receiver.url,
            webhook_secret=SECRET,
            github_url=server.url,
            github_token=TOKEN,
        )
        yield server


def test_an_event_continues_the_issue_at_github(github: GitHubServer, receiver: Receiver) -> None:
    """The issue changes at GitHub, and the next delivery has what others did there meanwhile."""
    assert invoke("--title", "Export fails", "--number", "7").exit_code == 0
    github.act(PayloadSpec(action="labeled", number=7, label="bug", author="issuewire[bot]"))
    result = invoke("--event", "issue_comment", "--body", "Yes.", "--number", "7")
    assert "Sending issue_comment.created of acme/app#7" in result.stderr
    found = read(*receiver.requests[-1])
    assert found.issue is not None
    assert (found.issue.title, list(found.issue.labels)) == ("Export fails", ["bug"])
    hosted = github.github.repository("acme/app")
    assert (hosted.issues[7]["comments"], hosted.comments[0]["body"]) == (1, "Yes.")
    assert not Path(".local/sent").exists()


def test_github_changes_also_if_ingest_refuses(github: GitHubServer, receiver: Receiver) -> None:
    """As at GitHub: a delivery that fails takes nothing back."""
    receiver.status = 503
    assert invoke("--number", "7").exit_code == 1
    assert 7 in github.github.repository("acme/app").issues


def test_a_file_is_stored_as_it_is(github: GitHubServer, receiver: Receiver) -> None:
    """The payload of a file is what GitHub has from then on; a deletion removes the issue."""
    payload = an_issue().opened().payload
    Path("payload.json").write_text(json.dumps(payload))
    assert invoke("payload.json").exit_code == 0
    assert github.github.repository("acme/app").issues[7]["title"] == payload["issue"]["title"]
    assert invoke("--action", "deleted", "--number", "7").exit_code == 0
    assert github.github.repository("acme/app").gone == {7: None}
    assert len(receiver.requests) == 2


def test_what_github_cannot_store_is_sent(github: GitHubServer, receiver: Receiver) -> None:
    """A file that lacks what GitHub always has is sent all the same, and said not to be kept."""
    payload = an_issue().opened().payload
    del payload["issue"]["updated_at"]
    payload["issue"]["labels"] = "none"
    Path("payload.json").write_text(json.dumps(payload))
    result = invoke("payload.json")
    assert "does not keep it: the payload has no issue.updated_at, no issue.labels as" in result.stderr
    assert len(receiver.requests) == 1
    assert github.github.repositories == {}


def test_an_impossible_event_is_refused(github: GitHubServer, receiver: Receiver) -> None:
    """The options are held to the issue that GitHub has, and nothing changes."""
    result = invoke("--action", "unlabeled", "--number", "7")
    assert last_line(result, 2).startswith("Error: acme/app#7 does not have the label 'bug'")
    assert (receiver.requests, github.github.repositories) == ([], {})


def test_print_changes_nothing(github: GitHubServer) -> None:
    """It shows the next event of GitHub's issue."""
    invoke("--number", "7", "--title", "Export fails")
    printed = invoke("--number", "7", "--action", "closed", "--print", "--json")
    assert json.loads(printed.stdout)["body"]["issue"]["title"] == "Export fails"
    assert github.github.repository("acme/app").issues[7]["state"] == "open"


def test_a_forged_delivery_is_not_github_s(github: GitHubServer, receiver: Receiver) -> None:
    """What another secret signs changes nothing there."""
    assert invoke("--url", receiver.url, "--secret", "a guess", "--number", "7").exit_code == 0
    assert github.github.repositories == {}


def test_a_github_that_is_away_is_named(github: GitHubServer, receiver: Receiver) -> None:
    """Then nothing is sent."""
    url = github.url
    github.stop()
    result = invoke("--number", "7")
    assert last_line(result, 1) == f"Error: {url} cannot be reached; is it running?"
    assert receiver.requests == []
