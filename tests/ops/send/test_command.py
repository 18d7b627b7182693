"""ops send signs one delivery as GitHub does, sends it, and prints the outcome."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local.processes import free_port
from local.pubsub.server import PubSubServer
from local.secret_manager.server import SecretManagerServer
from ops import ROOT
from ops.send import target
from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line
from tests.support.framework import function

TOPIC = "projects/local-dev/topics/github-events"
SECRET_NAME = "projects/local-dev/secrets/github-webhook-secret"


def test_the_outcome_for_people(receiver: Receiver) -> None:
    """The outcome is one line on stdout; stderr shows what is sent and where to."""
    result = invoke("--url", receiver.url, "--secret", SECRET)
    assert result.stdout.startswith("202 in ")
    assert result.stdout.endswith(' ms: {"message_id": "1"}\n')
    assert (
        result.stderr
        == f"Sending issues.opened of acme/app#1 ({len(receiver.sent[1]):,} bytes) to {receiver.url} ...\n"
    )


def test_the_outcome_for_scripts(receiver: Receiver) -> None:
    """With --json, stdout is one object with the status, the delivery id and the answer."""
    result = invoke("--url", receiver.url, "--secret", SECRET, "--json", "--delivery-id", "d-77")
    outcome = json.loads(result.stdout)
    assert isinstance(outcome.pop("milliseconds"), int)
    assert outcome == {"status": 202, "delivery_id": "d-77", "answer": '{"message_id": "1"}'}
    assert receiver.sent[0]["x-github-delivery"] == "d-77"


@pytest.mark.parametrize("status", [302, 400, 401, 413, 500, 503])
def test_only_2xx_is_success(receiver: Receiver, status: int) -> None:
    """An answer other than 2xx is printed and ends with status 1; no redirect is followed, as at GitHub."""
    receiver.status, receiver.answer = status, b"sorry\n"
    receiver.headers = {"Location": receiver.url}
    result = invoke("--url", receiver.url, "--secret", SECRET)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{status} in ")
    assert result.stdout.endswith(" ms: sorry\n")
    assert len(receiver.requests) == 1


def test_a_url_that_does_not_listen() -> None:
    """A URL where nothing listens is reported in one line."""
    url = f"http://127.0.0.1:{free_port()}/"
    result = invoke("--url", url, "--secret", SECRET)
    assert last_line(result, 1) == f"Error: {url} cannot be reached; is it running?"
    assert result.stdout == ""


def test_an_ingest_that_does_not_answer(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ingest that does not answer in time is reported in one line."""
    monkeypatch.setattr(target, "TIMEOUT_SECONDS", 0.2)
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
    """A malformed URL is reported in one line."""
    line = last_line(invoke("--url", url, "--secret", SECRET), 1)
    assert line.startswith(f"Error: {url} cannot be ")


@pytest.mark.parametrize("option", ["--delivery-id", "--event"])
@pytest.mark.parametrize("value", ["a\nb", "\u6f22", " a"], ids=["newline", "cjk", "blank"])
def test_a_header_that_cannot_be_sent(receiver: Receiver, option: str, value: str) -> None:
    """A value that no header can contain is reported in one line, and nothing is sent."""
    result = invoke(
        "-", "--url", receiver.url, "--secret", SECRET, "--event", "push", option, value, stdin=b"{}"
    )
    assert last_line(result, 1).startswith(f"Error: {receiver.url} cannot be used: ")
    assert receiver.requests == []


def test_ctrl_c_leaves_no_traceback() -> None:
    """Ctrl-C ends the command at once, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        arguments = [sys.executable, "-m", "ops", "send", "--url", url, "--event", "ping"]
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "ISSUEWIRE_WEBHOOK_SECRET": SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            connection, _ = silent.accept()
            with connection:
                connection.recv(65_536)
                time.sleep(0.2)  # then it waits for the answer
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait(30)
    assert process.returncode == 1
    assert output == ""
    assert errors.endswith("\nAborted!\n")
    assert "Traceback" not in errors


def test_the_real_ingest(tmp_path: Path) -> None:
    """Ingest accepts what `send` sends, and answers a wrong secret with 401, which ends with status 1."""
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
    """Create the topic in the Pub/Sub stand-in."""
    with grpc.insecure_channel(host) as channel:
        PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(
            name=TOPIC, timeout=10
        )
