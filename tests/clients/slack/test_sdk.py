"""Slack's own SDK sends each call once; every answer that does not confirm it is an error."""

import socket
import ssl
from typing import Any

import pytest

from clients.slack import rate_limit
from clients.slack.client import Slack
from clients.slack.webhook import IncomingWebhook
from local.processes import free_port
from tests.clients.slack.support import ALWAYS, CHANNEL, TOKEN, Recorder, a_message, error_of

UNCONFIRMED: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503, "body": "<html>xyz</html>"},
    {"status": 502, "body": ""},
    {"status": 200, "body": "<html>a captive portal</html>"},
    {"status": 200, "body": ""},
    {"status": 200, "body": "[]"},
    {"status": 200, "body": '["ok"]'},
    {"status": 200, "body": '"ok"'},
    {"status": 200, "body": "null"},
    {"status": 200, "body": "{}"},
    {"status": 200, "body": '{"ok": tru'},
    {"status": 200, "body": '{"ok":' + "[" * 2000},
    {"status": 404, "body": "not here"},
    {"drop": True},
    {"drop": True, "after": True},
    {"hang": 30.0},
    {"hang": 30.0, "after": True},
    {"half": True, "after": True},
    {"half": True, "status": 500},
]


@pytest.mark.parametrize("fault", UNCONFIRMED, ids=str)
def test_a_post_without_a_confirmation_is_raised_and_never_sent_again(
    server: Recorder, client: Slack, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """A post without a confirmation is sent once and is an error, because it may have succeeded."""
    monkeypatch.setattr(rate_limit, "TIMEOUT_SECONDS", 0.3 if "hang" in fault else 5)
    server.fail_next(1, **fault)
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason.startswith("slack_")
    assert len(server.requests) == 1
    assert len(server.messages) == (1 if fault.get("after") else 0)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=latin-1",
        "text/html; charset=ascii",
        "text/html; charset=nonsense",
        "application/gzip",
    ],
)
def test_an_answer_that_cannot_be_decoded_is_raised(
    client: Slack, server: Recorder, content_type: str
) -> None:
    """An answer in an unknown charset, or of bytes that are not text, is an error."""
    server.fail_next(1, status=200, body="\u00ff\u00fe nonsense", headers={"Content-Type": content_type})
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason.startswith("slack_")
    assert len(server.requests) == 1


def test_a_refused_connection_is_raised() -> None:
    """A refused connection is an error with the reason slack_unreachable."""
    client = Slack(lambda: TOKEN, f"http://127.0.0.1:{free_port()}/api/")
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_unreachable"


def test_a_name_that_does_not_resolve_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is an error."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    client = Slack(lambda: TOKEN, "https://slack.example/api/")
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_unreachable"


def test_a_failed_tls_handshake_is_raised(server: Recorder) -> None:
    """A failed TLS handshake is an error, and nothing is sent."""
    client = Slack(lambda: TOKEN, server.url.replace("http:", "https:"))
    error = error_of(lambda: client.post(CHANNEL, a_message()))
    assert error.reason == "slack_unreachable"
    assert isinstance(getattr(error.__cause__, "reason", None), ssl.SSLError)
    assert server.requests == []


@pytest.mark.parametrize("end", ["", "/"])
def test_the_api_url_may_end_with_or_without_a_slash(server: Recorder, end: str) -> None:
    """SLACK_API_URL may end with or without a slash."""
    Slack(lambda: TOKEN, server.url.rstrip("/") + end).post(CHANNEL, a_message())
    assert len(server.messages) == 1


def test_methods_that_read_send_a_form(server: Recorder, client: Slack) -> None:
    """Methods that read send a form, because Slack promises to accept JSON only for writing."""
    parent = client.post(CHANNEL, a_message())
    list(client.history(CHANNEL, ALWAYS, 1))
    list(client.replies(CHANNEL, parent, ALWAYS, 1))
    assert [arguments["limit"] for _, arguments in server.requests[1:]] == ["999", "999"]


# Proxies


def test_the_environments_proxy_is_used(server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posts go through the proxy that the environment names."""
    monkeypatch.setenv("http_proxy", server.console_url)
    Slack(lambda: TOKEN, "http://slack.example/api/").post(CHANNEL, a_message())
    IncomingWebhook(
        lambda: f"http://slack.example/services/T0LOCAL00/{CHANNEL}/localwebhooksecret000000"
    ).post(a_message())
    assert [message.via for message in server.messages] == ["api", "webhook"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY"])
def test_no_proxy_is_honoured_and_each_proxy_serves_its_own_scheme(
    server: Recorder,
    client: Slack,
    webhook: IncomingWebhook,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    """A host in NO_PROXY is reached directly, and a proxy for HTTPS is not used for HTTP."""
    monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    if variable == "HTTP_PROXY":
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client.post(CHANNEL, a_message())
    webhook.post(a_message())
    assert len(server.messages) == 2


def test_a_proxy_that_is_down_is_raised(
    server: Recorder, client: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that is down is an error; it is never bypassed."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert error_of(lambda: client.post(CHANNEL, a_message())).reason == "slack_unreachable"
    assert server.requests == []
