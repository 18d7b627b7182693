"""Inputs that the operator's commands once refused, each with its right answer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from local.github.server import TOKEN, GitHubServer
from ops.__main__ import ops
from ops.backfill import run as backfill
from ops.send import accounts, memory
from tests.ops.send.receiver import Receiver, listening
from tests.support.messages import NOON, an_issue

DATA = Path(__file__).parent / "data"
PAYLOAD = DATA / "payload-with-bom.json"
MONA = accounts.Account(login="mona")


@pytest.fixture
def ingest() -> Iterator[Receiver]:
    """Run an ingest that records its requests."""
    with listening() as receiver:
        yield receiver


def invoke(*arguments: str, **environment: str) -> Result:
    """Run a command in the test's process."""
    return CliRunner(env=environment).invoke(ops, arguments, prog_name="issuewire")


def test_payload_with_bom_is_sent_without_it(
    ingest: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Send reads a payload that Windows has saved, and sends it as GitHub does."""
    monkeypatch.setattr(memory, "FOLDER", tmp_path)
    result = invoke("send", str(PAYLOAD), "--url", ingest.url, "--secret", "s")
    assert result.exit_code == 0
    headers, body = ingest.sent
    assert headers["x-github-event"] == "issues"
    assert body == PAYLOAD.read_bytes().removeprefix(b"\xef\xbb\xbf")
    assert json.loads(body)["action"] == "opened"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_payload_with_bom_is_explained(tmp_path: Path, encoding: str) -> None:
    """The explanation of the routes reads a payload in each encoding that PowerShell writes with a mark."""
    payload = tmp_path / "payload.json"
    payload.write_text(PAYLOAD.read_text("utf-8-sig"), encoding)
    result = invoke("routes", "explain", str(payload))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Card in C0123456789: compact." in result.stdout


def test_routes_refuse_new_actions_no_more(tmp_path: Path) -> None:
    """A route may name an action that GitHub has added: the check warns, and the route matches the event."""
    routes = DATA / "routes-refuse-new-actions.toml"
    checked = invoke("routes", "check", "--file", str(routes))
    assert checked.exit_code == 0
    assert "events issues.opened, issues.field_added;" in checked.stdout.splitlines()[0]
    assert checked.stderr == (
        f"Warning: {routes}: route 'x': events: 'issues.field_added' is new to Issuewire; it matches if"
        " GitHub sends it\n"
    )
    payload = tmp_path / "payload.json"
    payload.write_text(json.dumps(an_issue().opened().payload | {"action": "field_added"}))
    explained = invoke("routes", "explain", str(payload), "--file", str(routes))
    assert explained.stdout.splitlines()[0] == "matches   x -> C0123456789"


def test_backfill_pagination_wording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of events that GitHub ends with its newer sentence is completed issue by issue."""
    monkeypatch.setattr(backfill, "STATE", tmp_path)
    with GitHubServer() as server:
        hosted, issue = server.github.host("acme/app"), an_issue()
        for event in (issue.opened(), issue.closed(MONA, NOON)):
            hosted.record(event)
        server.fail_until_cleared(
            status=422,
            message="Pagination with the page parameter is not supported for large datasets",
            target="/issues/events",
        )
        environment = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN}
        result = invoke("backfill", "acme/app", "--dry-run", "--json", **environment)
    assert (result.exit_code, json.loads(result.stdout)["deliveries"]) == (
        0,
        {"issues.closed": 1, "issues.opened": 1},
    )
