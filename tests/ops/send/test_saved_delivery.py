"""ops send FILE sends a payload as GitHub shows it, or a sample with its headers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line, signature

AWKWARD = b'{ "issue" : {"title": "\xc3\xbc \\u00fc"},\r\n\t"n": 1.0e2 }\n'


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_file_is_sent_byte_for_byte(receiver: Receiver, tmp_path: Path, source: str) -> None:
    """A payload in a file or on stdin is sent and signed byte for byte."""
    (tmp_path / "p.json").write_bytes(AWKWARD)
    name, stdin = ("p.json", None) if source == "file" else ("-", AWKWARD)
    assert invoke(name, "--url", receiver.url, "--secret", SECRET, stdin=stdin).exit_code == 0
    headers, body = receiver.sent
    assert body == AWKWARD
    assert headers["x-hub-signature-256"] == signature(AWKWARD)
    assert headers["x-github-event"] == "issues"


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ({"zen": "x", "hook_id": 1}, "ping"),
        ({"issue": {}, "action": "opened"}, "issues"),
        ({"issue": {}, "comment": {}, "action": "created"}, "issue_comment"),
    ],
    ids=["ping", "issues", "issue_comment"],
)
def test_the_event_is_derived_from_the_payload(
    receiver: Receiver, payload: dict[str, Any], event: str
) -> None:
    """The event is derived from the keys of the payload."""
    body = json.dumps(payload).encode()
    assert invoke("-", "--url", receiver.url, "--secret", SECRET, stdin=body).exit_code == 0
    assert receiver.sent[0]["x-github-event"] == event


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b"{", b"[" * 200_000, b'{"ref": "x"}'],
    ids=lambda body: repr(body[:8]),
)
def test_an_unknown_payload_needs_the_event(receiver: Receiver, body: bytes) -> None:
    """If the event cannot be derived, --event is required; with it, any bytes are sent."""
    result = invoke("-", "--url", receiver.url, "--secret", SECRET, stdin=body)
    line = last_line(result, 2)
    assert line.startswith("Error: the payload does not show its event")
    assert "give --event" in line
    assert receiver.requests == []
    assert (
        invoke("-", "--url", receiver.url, "--secret", SECRET, "--event", "push", stdin=body).exit_code == 0
    )
    assert receiver.sent[1] == body
    assert receiver.sent[0]["x-github-event"] == "push"


def test_a_file_is_sent_as_it_is(receiver: Receiver, tmp_path: Path) -> None:
    """Options that describe an event are refused beside a file, which they could not change."""
    (tmp_path / "p.json").write_text("{}")
    result = invoke("p.json", "--number", "7", "--url", receiver.url, "--secret", SECRET)
    assert last_line(result, 2) == "Error: FILE is sent as it is; leave out --number"
    assert receiver.requests == []


def test_a_missing_file(receiver: Receiver) -> None:
    """A missing file is reported in one line."""
    result = invoke("absent.json", "--url", receiver.url, "--secret", SECRET)
    assert last_line(result, 1) == "Error: absent.json cannot be read: No such file or directory"


def test_a_sample_is_sent_as_its_headers_say(receiver: Receiver, tmp_path: Path) -> None:
    """A sample's body is sent as compact JSON with the event of its headers; --event wins over them."""
    sample = {"headers": {"X-GitHub-Event": "push", "X-GitHub-Delivery": "old"}, "body": {"ref": "\u00fc"}}
    (tmp_path / "sample.json").write_text(json.dumps(sample, indent=2))
    assert invoke("sample.json", "--url", receiver.url, "--secret", SECRET).exit_code == 0
    assert invoke("sample.json", "--url", receiver.url, "--secret", SECRET, "--event", "star").exit_code == 0
    (first, body), (second, _) = receiver.requests
    assert body == '{"ref":"\u00fc"}'.encode()
    assert (first["x-github-event"], second["x-github-event"]) == ("push", "star")
    assert "old" not in {first["x-github-delivery"], second["x-github-delivery"]}


@pytest.mark.parametrize(
    "almost",
    [
        {"headers": {"X-GitHub-Event": "push"}, "body": {}, "issue": {}},
        {"headers": {}, "body": {}, "issue": {}},
        {"headers": {"X-GitHub-Event": "push"}, "body": "text", "issue": {}},
    ],
)
def test_another_object_is_a_payload(receiver: Receiver, almost: dict[str, Any]) -> None:
    """Only an object with just headers and body is a sample; any other file is sent byte for byte."""
    content = json.dumps(almost).encode()
    assert invoke("-", "--url", receiver.url, "--secret", SECRET, stdin=content).exit_code == 0
    headers, body = receiver.sent
    assert (headers["x-github-event"], body) == ("issues", content)
