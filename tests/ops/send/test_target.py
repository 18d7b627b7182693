"""ops send chooses the URL of a delivery and the secret that signs it."""

from pathlib import Path

import pytest

from ops import local_stack
from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line, signature
from tests.support.endpoints import write_endpoints


def test_the_running_stack_is_the_default(receiver: Receiver) -> None:
    """While make serve runs, its URL and its secret are the defaults."""
    write_endpoints(local_stack.ENDPOINTS, ingest_url=receiver.url, webhook_secret=SECRET)
    assert invoke().exit_code == 0
    assert invoke("--url", receiver.url.rstrip("/")).exit_code == 0
    assert invoke("--secret", "other").exit_code == 0
    first, second, third = receiver.requests
    assert first[0]["x-hub-signature-256"] == signature(first[1])
    assert second[0]["x-hub-signature-256"] == signature(second[1])
    assert third[0]["x-hub-signature-256"] == signature(third[1], b"other")


def test_the_stack_s_secret_signs_for_the_stack_only(receiver: Receiver) -> None:
    """The local secret is not used for another URL; such a URL needs its own secret."""
    write_endpoints(local_stack.ENDPOINTS, webhook_secret=SECRET)
    assert (
        last_line(invoke("--url", receiver.url), 2) == "Error: give the webhook's secret with --secret-file"
    )
    assert receiver.requests == []


def test_without_a_running_stack() -> None:
    """If no stack runs, the error names --url and make serve."""
    expected = "Error: give --url, or start make serve in another terminal"
    assert last_line(invoke(), 2) == expected
    assert last_line(invoke("--secret", SECRET), 2) == expected


@pytest.mark.parametrize("give", ["none", "blank-file", "blank"])
def test_a_missing_secret(receiver: Receiver, tmp_path: Path, give: str) -> None:
    """A URL with no secret or a blank one is refused, and nothing is sent."""
    (tmp_path / "secret").write_bytes(b"\n")
    options = {"none": [], "blank-file": ["--secret-file", "secret"], "blank": ["--secret", ""]}[give]
    result = invoke("--url", receiver.url, *options)
    assert last_line(result, 2) == "Error: give the webhook's secret with --secret-file"
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (SECRET.encode(), SECRET.encode()),
        (SECRET.encode() + b"\n", SECRET.encode()),
        (SECRET.encode() + b"\r\n", SECRET.encode()),
        (b" k \n\n", b" k \n"),
        (b"\xff\xfe", b"\xff\xfe"),
    ],
    ids=["plain", "newline", "crlf", "blanks", "bytes"],
)
def test_a_secret_from_a_file(receiver: Receiver, tmp_path: Path, content: bytes, key: bytes) -> None:
    """A secret in a file may be any bytes; a newline at its end is removed, as ingest does."""
    (tmp_path / "secret").write_bytes(content)
    assert invoke("--url", receiver.url, "--secret-file", "secret").exit_code == 0
    assert invoke("--url", receiver.url, "--secret-file", "-", stdin=content).exit_code == 0
    for headers, body in receiver.requests:
        assert headers["x-hub-signature-256"] == signature(body, key)


def test_a_secret_from_the_environment(receiver: Receiver) -> None:
    """The secret may be in ISSUEWIRE_WEBHOOK_SECRET instead of on the command line."""
    assert invoke("--url", receiver.url, ISSUEWIRE_WEBHOOK_SECRET=SECRET).exit_code == 0
    headers, body = receiver.sent
    assert headers["x-hub-signature-256"] == signature(body)
