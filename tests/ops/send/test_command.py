"""ops send: one delivery, signed as GitHub would, and what came of it."""

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.processes import free_port
from local.pubsub.server import PubSubServer
from local.secret_manager_server import SecretManagerServer
from ops.__main__ import ops
from ops.send import command as send_module
from ops.send import payloads as github
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.framework import function
from tests.support.warehouse import ROOT

SECRET = "s3same-\u00fc"
TOPIC = "projects/local-dev/topics/github-events"
SECRET_NAME = "projects/local-dev/secrets/github-webhook-secret"


@dataclass(slots=True)
class Receiver:
    """An ingest that keeps what it gets and answers as it is told."""

    status: int = 202
    answer: bytes = b'{"message_id": "1"}\n'
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def sent(self) -> tuple[dict[str, str], bytes]:
        """Return headers and body of the only request."""
        [request] = self.requests
        return request


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listen as ingest does."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            received.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if received.silent:
                received.released.wait(30)
                return
            self.send_response(received.status)
            for name, value in received.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(received.answer)))
            self.end_headers()
            self.wfile.write(received.answer)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

        do_GET = do_POST = handle_one  # noqa: N815 - http.server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield received
    received.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with no setting of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISSUEWIRE_WEBHOOK_SECRET", raising=False)


def invoke(*arguments: str, stdin: bytes | None = None, **environment: str) -> Result:
    """Run the command in this process; the secret is never in what it says."""
    runner = CliRunner(env=environment)
    result = runner.invoke(ops, ["send", *arguments], input=stdin, prog_name="python -m ops")
    assert SECRET not in result.output
    assert isinstance(result.exception, SystemExit | None)
    return result


def last_line(result: Result, status: int) -> str:
    """Return the last line that a failed command says."""
    assert result.exit_code == status
    return result.stderr.strip().splitlines()[-1]


def signature(body: bytes, secret: bytes = SECRET.encode()) -> str:
    """Return GitHub's signature, computed apart from the product."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def read(headers: dict[str, str], body: bytes) -> IssueEvent:
    """Read what was sent as a subscriber would."""
    delivery = Delivery(
        delivery_id=headers["x-github-delivery"],
        event=headers["x-github-event"],
        body=body,
        received_at=datetime.now(UTC),
    )
    return IssueEvent.from_delivery(delivery)


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("issues", "opened"),
        ("issues", "closed"),
        ("issues", "reopened"),
        ("issues", "labeled"),
        ("issues", "assigned"),
        ("issue_comment", "created"),
    ],
)
def test_made_up_events(receiver: Receiver, event: str, action: str) -> None:
    """Each event that can be made up arrives signed, in GitHub's shape, with what the options say."""
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
    assert (found.issue.number, found.issue.title, found.issue.body) == (9, "Export \u00fc", "Why?")
    assert found.issue.state == ("closed" if action == "closed" else "open")
    assert (found.comment is not None) == (event == "issue_comment")
    if event == "issue_comment":
        assert json.loads(body)["comment"]["body"] == "Why?"


@pytest.mark.parametrize(
    ("event", "action"),
    [(None, "opened"), ("issues", "opened"), ("issue_comment", "created"), ("ping", None)],
)
def test_defaults(receiver: Receiver, event: str | None, action: str | None) -> None:
    """Without options an issue is opened; each event has a usual action; each delivery a new GUID."""
    for _ in range(2):
        options = [] if event is None else ["--event", event]
        assert invoke("--url", receiver.url, "--secret", SECRET, *options).exit_code == 0
    for headers, body in receiver.requests:
        assert headers["x-github-event"] == (event or "issues")
        assert json.loads(body).get("action") == action
    assert len({uuid.UUID(headers["x-github-delivery"]) for headers, _ in receiver.requests}) == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ["--event", "push"],
            "--event push cannot be made up (known: issues, issue_comment, ping); give a FILE",
        ),
        (
            ["--event", "issue_comment", "--action", "opened"],
            "--action opened cannot be made up for issue_comment (known: created)",
        ),
        (["--event", "ping", "--action", "x"], "--action x cannot be made up for ping (known: none)"),
        (["--repository", "acme"], "--repository is owner/name"),
        (["--repository", "acme/"], "--repository is owner/name"),
        (["--repository", "/"], "--repository is owner/name"),
        (["--repository", "a/b/c"], "--repository is owner/name"),
        (["--number", "0"], "Invalid value for '--number': 0 is not in the range x>=1."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_made_up(receiver: Receiver, options: list[str], complaint: str) -> None:
    """An option that makes no sense is told in one line that names what would, and nothing is sent."""
    result = invoke("--url", receiver.url, "--secret", SECRET, *options)
    assert last_line(result, 2) == f"Error: {complaint}"
    assert receiver.requests == []


AWKWARD = b'{ "issue" : {"title": "\xc3\xbc \\u00fc"},\r\n\t"n": 1.0e2 }\n'


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_file_is_sent_byte_for_byte(receiver: Receiver, tmp_path: Path, source: str) -> None:
    """The bytes of a file, or of stdin, are sent and signed exactly as they are."""
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
def test_the_event_is_guessed(receiver: Receiver, payload: dict[str, Any], event: str) -> None:
    """The event of a payload is told by its shape."""
    body = json.dumps(payload).encode()
    assert invoke("-", "--url", receiver.url, "--secret", SECRET, stdin=body).exit_code == 0
    assert receiver.sent[0]["x-github-event"] == event


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b"{", b"[" * 200_000, b'{"ref": "x"}'],
    ids=lambda body: repr(body[:8]),
)
def test_what_tells_no_event(receiver: Receiver, body: bytes) -> None:
    """A payload that does not tell its event needs --event, and with it is sent, whatever it is."""
    result = invoke("-", "--url", receiver.url, "--secret", SECRET, stdin=body)
    line = last_line(result, 2)
    assert line.startswith("Error: the payload does not tell its event")
    assert "give --event" in line
    assert receiver.requests == []
    assert (
        invoke("-", "--url", receiver.url, "--secret", SECRET, "--event", "push", stdin=body).exit_code == 0
    )
    assert receiver.sent[1] == body
    assert receiver.sent[0]["x-github-event"] == "push"


def test_a_missing_file(receiver: Receiver) -> None:
    """A file that does not exist is told in one line."""
    result = invoke("absent.json", "--url", receiver.url, "--secret", SECRET)
    assert last_line(result, 2).endswith("'absent.json': No such file or directory")


def test_the_outcome_for_people(receiver: Receiver) -> None:
    """The outcome is one line on stdout; what is being done is said on stderr before."""
    result = invoke("--url", receiver.url, "--secret", SECRET)
    assert result.stdout.startswith("202 in ")
    assert result.stdout.endswith(' ms: {"message_id": "1"}\n')
    assert result.stderr == f"Sending issues ({len(receiver.sent[1]):,} bytes) to {receiver.url} ...\n"


def test_the_outcome_for_scripts(receiver: Receiver) -> None:
    """With --json stdout is one object, with the delivery id that was given."""
    result = invoke("--url", receiver.url, "--secret", SECRET, "--json", "--delivery-id", "d-77")
    outcome = json.loads(result.stdout)
    assert isinstance(outcome.pop("milliseconds"), int)
    assert outcome == {"status": 202, "delivery_id": "d-77", "answer": '{"message_id": "1"}'}
    assert receiver.sent[0]["x-github-delivery"] == "d-77"


@pytest.mark.parametrize("status", [302, 400, 401, 413, 500, 503])
def test_only_2xx_is_success(receiver: Receiver, status: int) -> None:
    """Any answer but a 2xx ends with status 1 and is shown; like GitHub, no redirect is followed."""
    receiver.status, receiver.answer = status, b"sorry\n"
    receiver.headers = {"Location": receiver.url}
    result = invoke("--url", receiver.url, "--secret", SECRET)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{status} in ")
    assert result.stdout.endswith(" ms: sorry\n")
    assert len(receiver.requests) == 1


def endpoints(tmp_path: Path, content: object) -> None:
    """Write what a running make serve has written."""
    (tmp_path / ".local").mkdir()
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    (tmp_path / ".local" / "endpoints.json").write_bytes(text)


def test_the_running_stack_is_the_default(receiver: Receiver, tmp_path: Path) -> None:
    """While make serve runs, nothing need be said: its URL and its secret are taken."""
    endpoints(tmp_path, {"ingest_url": receiver.url, "webhook_secret": SECRET, "pids": {"local": 1}})
    assert invoke().exit_code == 0
    assert invoke("--url", receiver.url.rstrip("/")).exit_code == 0
    assert invoke("--secret", "other").exit_code == 0
    first, second, third = receiver.requests
    assert first[0]["x-hub-signature-256"] == signature(first[1])
    assert second[0]["x-hub-signature-256"] == signature(second[1])
    assert third[0]["x-hub-signature-256"] == signature(third[1], b"other")


def test_the_stack_s_secret_signs_for_the_stack_only(receiver: Receiver, tmp_path: Path) -> None:
    """The local secret is not used for another URL; that one's own must be given."""
    endpoints(tmp_path, {"ingest_url": "http://127.0.0.1:1/", "webhook_secret": SECRET})
    assert (
        last_line(invoke("--url", receiver.url), 2) == "Error: give the webhook's secret with --secret-file"
    )
    assert receiver.requests == []


@pytest.mark.parametrize(
    "content",
    [None, b"", b"[]", b"{}", b"\xff", b"[" * 200_000, {"ingest_url": 5}, {"webhook_secret": "x"}],
    ids=["absent", "empty", "list", "object", "bytes", "deep", "wrong-type", "no-url"],
)
def test_without_a_running_stack(tmp_path: Path, content: object) -> None:
    """Without a running stack, or with a broken note of one, the command says what to give or to start."""
    if content is not None:
        endpoints(tmp_path, content)
    expected = "Error: give --url, or start make serve in another terminal"
    assert last_line(invoke(), 2) == expected
    assert last_line(invoke("--secret", SECRET), 2) == expected


@pytest.mark.parametrize("give", ["none", "blank-file", "blank"])
def test_a_missing_secret(receiver: Receiver, tmp_path: Path, give: str) -> None:
    """A URL without a secret, or with a blank one, is told, and nothing is sent."""
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
    """A secret's file is read as ingest reads Secret Manager: any bytes, but for the newline at its end."""
    (tmp_path / "secret").write_bytes(content)
    assert invoke("--url", receiver.url, "--secret-file", "secret").exit_code == 0
    assert invoke("--url", receiver.url, "--secret-file", "-", stdin=content).exit_code == 0
    for headers, body in receiver.requests:
        assert headers["x-hub-signature-256"] == signature(body, key)


def test_a_secret_from_the_environment(receiver: Receiver) -> None:
    """ISSUEWIRE_WEBHOOK_SECRET keeps the secret out of the command line."""
    assert invoke("--url", receiver.url, ISSUEWIRE_WEBHOOK_SECRET=SECRET).exit_code == 0
    headers, body = receiver.sent
    assert headers["x-hub-signature-256"] == signature(body)


def test_nobody_listens() -> None:
    """A URL where nobody listens is told in one line."""
    url = f"http://127.0.0.1:{free_port()}/"
    result = invoke("--url", url, "--secret", SECRET)
    assert last_line(result, 1) == f"Error: {url} cannot be reached; is it running?"
    assert result.stdout == ""


def test_nobody_answers(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ingest that stays silent is given up and told in one line."""
    monkeypatch.setattr(send_module, "TIMEOUT_SECONDS", 0.2)
    receiver.silent = True
    result = invoke("--url", receiver.url, "--secret", SECRET)
    assert last_line(result, 1).startswith(f"Error: {receiver.url} gave no answer within ")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ingest",
        "ftp://h/",
        "http://",
        "http://[",
        "http://\u00e9..x/",
        "http://a b/",
        "http://127.0.0.1:99999/",
    ],
)
def test_a_bad_url(url: str) -> None:
    """A URL that is none is told in one line."""
    line = last_line(invoke("--url", url, "--secret", SECRET), 1)
    assert line.startswith(f"Error: {url} cannot be ")


@pytest.mark.parametrize("option", ["--delivery-id", "--event"])
@pytest.mark.parametrize("value", ["a\nb", "\u6f22", " a"], ids=["newline", "cjk", "blank"])
def test_a_header_that_cannot_be_sent(receiver: Receiver, option: str, value: str) -> None:
    """A value that no header can hold is told in one line, and nothing is sent."""
    result = invoke(
        "-", "--url", receiver.url, "--secret", SECRET, "--event", "push", option, value, stdin=b"{}"
    )
    assert last_line(result, 1).startswith(f"Error: {receiver.url} cannot be used: ")
    assert receiver.requests == []


def test_help_reads_well() -> None:
    """The help shows how to use the command and explains every option."""
    result = invoke("--help")
    assert result.exit_code == 0
    assert '    python -m ops send --event issues --action opened --title "Export fails"\n' in result.output
    options = [option for option in send_module.send.params if option.param_type_name == "option"]
    assert options
    assert [option.name for option in options if not getattr(option, "help", None)] == []


def test_every_command_is_listed() -> None:
    """The help of python -m ops lists the commands."""
    result = CliRunner().invoke(ops, ["--help"])
    assert result.exit_code == 0
    assert "send " in result.output
    assert "schema " in result.output


def test_ctrl_c_leaves_no_traceback() -> None:
    """Ctrl-C ends the command at once, with a word instead of a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        command = [sys.executable, "-m", "ops", "send", "--url", url]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "ISSUEWIRE_WEBHOOK_SECRET": SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                process.send_signal(signal.SIGINT)
                output, complaint = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait(30)
    assert process.returncode == 1
    assert output == ""
    assert complaint.endswith("\nAborted!\n")
    assert "Traceback" not in complaint


def test_the_real_ingest(tmp_path: Path) -> None:
    """The real ingest takes what is sent, and refuses a wrong secret with 401, which ends with status 1."""
    pubsub, vault = PubSubServer(), SecretManagerServer()
    environment = {"PUBSUB_EMULATOR_HOST": pubsub.start(), "SECRET_MANAGER_ENDPOINT": vault.start()}
    try:
        vault.add_version(SECRET_NAME, SECRET.encode())
        make_topic(environment["PUBSUB_EMULATOR_HOST"])
        settings = {"PUBSUB_TOPIC": TOPIC, "WEBHOOK_SECRET": SECRET_NAME, "PATH": os.environ["PATH"]}
        source = ROOT / "functions" / "ingest" / "main.py"
        with function("ingest", tmp_path, environment | settings, source) as ingest:
            right = invoke("--url", ingest.url, "--secret", SECRET, "--json", "--delivery-id", "d-1")
            wrong = invoke("--url", ingest.url, "--secret", "sesame", "--json", "--delivery-id", "d-2")
            ping = invoke("--url", ingest.url, "--secret", SECRET, "--json", "--event", "ping")
    finally:
        pubsub.stop()
        vault.stop()
    assert (right.exit_code, json.loads(right.stdout)["status"]) == (0, 202)
    assert json.loads(json.loads(right.stdout)["answer"])["delivery_id"] == "d-1"
    assert (wrong.exit_code, json.loads(wrong.stdout)["status"]) == (1, 401)
    assert (ping.exit_code, json.loads(ping.stdout)["answer"]) == (0, "pong")


def make_topic(host: str) -> None:
    """Make the topic in the Pub/Sub stand-in."""
    with grpc.insecure_channel(host) as channel:
        PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(
            name=TOPIC, timeout=10
        )


def test_ids_are_github_s(receiver: Receiver) -> None:
    """The same issue sent twice is the same issue: its ids are the same."""
    for action in ("opened", "closed"):
        invoke("--url", receiver.url, "--secret", SECRET, "--action", action)
    ids = {json.loads(body)["issue"]["id"] for _, body in receiver.requests}
    assert ids == {github.number_for("acme/app#1")}
