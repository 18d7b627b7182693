"""ops send --print writes a delivery instead of sending it."""

import json
import subprocess
from pathlib import Path

import pytest

from ops import local_stack
from ops.send import memory
from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line, read, signature
from tests.support.endpoints import write_endpoints


@pytest.fixture(autouse=True)
def stack(receiver: Receiver) -> None:
    """Let a stack run."""
    write_endpoints(local_stack.ENDPOINTS, ingest_url=receiver.url, webhook_secret=SECRET)


def test_the_delivery_is_printed_and_not_sent(receiver: Receiver) -> None:
    """Headers, an empty line and the exact body go to stdout, signed; nothing is sent."""
    result = invoke("--print", "--title", "One", "--delivery-id", "d-1")
    assert result.exit_code == 0
    headers, _, body = result.stdout_bytes.partition(b"\n\n")
    assert headers.decode().splitlines() == [
        "Content-Type: application/json",
        "User-Agent: GitHub-Hookshot/issuewire",
        "X-GitHub-Event: issues",
        "X-GitHub-Delivery: d-1",
        f"X-Hub-Signature-256: {signature(body)}",
    ]
    assert json.loads(body)["issue"]["title"] == "One"
    assert result.stderr == "Printed issues.opened of acme/app#1; nothing was sent.\n"
    assert receiver.requests == []


def test_curl_sends_what_was_printed(receiver: Receiver) -> None:
    """The two commands of --help give curl the headers and the exact body."""
    Path("delivery").write_bytes(invoke("--print", "--body", "A\n\nB").stdout_bytes)
    [line] = [line for line in invoke("--help").stdout.splitlines() if line.strip().startswith("curl ")]
    command = line.replace(" URL", f" --silent --max-time 20 {receiver.url}")
    subprocess.run(["bash", "-c", command], check=True, timeout=30)
    headers, body = receiver.sent
    assert headers["x-hub-signature-256"] == signature(body)
    assert headers["x-github-event"] == "issues"
    issue = read(headers, body).issue
    assert issue is not None
    assert issue.body == "A\n\nB"


def test_printing_reads_the_memory_and_changes_nothing(receiver: Receiver) -> None:
    """A printed event continues the issue that was sent, and the next one does as if it had not been."""
    invoke("--title", "One")
    before = {path: path.read_bytes() for path in memory.FOLDER.rglob("*.json")}
    printed = invoke("--print", "--event", "issue_comment").stdout_bytes.partition(b"\n\n")[2]
    assert json.loads(printed)["issue"]["title"] == "One"
    assert {path: path.read_bytes() for path in memory.FOLDER.rglob("*.json")} == before
    assert len(receiver.requests) == 1


def test_a_printed_sample_is_read_again(receiver: Receiver) -> None:
    """With --json, a sample is printed: a file that `send` sends with the same event and payload."""
    printed = invoke("--print", "--json", "--event", "issue_comment", "--body", "\u00fc")
    sample = json.loads(printed.stdout)
    assert sample["headers"]["X-GitHub-Event"] == "issue_comment"
    assert "X-Hub-Signature-256" not in sample["headers"]
    assert invoke("-", stdin=printed.stdout_bytes).exit_code == 0
    headers, body = receiver.sent
    assert (headers["x-github-event"], json.loads(body)) == ("issue_comment", sample["body"])
    assert headers["x-hub-signature-256"] == signature(body)


def test_a_file_is_printed_byte_for_byte() -> None:
    """A file is printed as it is; one that is no JSON object has no JSON form."""
    result = invoke("-", "--print", "--event", "push", stdin=b"\xff\n")
    assert result.stdout_bytes.partition(b"\n\n")[2] == b"\xff\n"
    refused = invoke("-", "--print", "--json", "--event", "push", stdin=b"\xff\n")
    assert last_line(refused, 2) == "Error: --json needs a JSON object: The body is not JSON."


def test_without_a_secret_nothing_is_signed() -> None:
    """Without a stack and a secret the delivery has no signature, which stderr says; a URL is not needed."""
    local_stack.ENDPOINTS.unlink()
    result = invoke("--print")
    assert "X-Hub-Signature-256" not in result.stdout
    assert result.stderr == "Printed issues.opened of acme/app#1, not signed; nothing was sent.\n"
    headers, _, body = invoke("--print", "--secret", "key").stdout_bytes.partition(b"\n\n")
    assert headers.decode().endswith(f"X-Hub-Signature-256: {signature(body, b'key')}")
