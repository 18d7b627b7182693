"""The GitHub stand-in is as strict with an App as GitHub is."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.test import Client, TestResponse

from local.github.github_app import APP_ID, private_key
from local.github.server import TOKEN, GitHubServer

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def server() -> GitHubServer:
    """Host acme/app and acme/other at noon, without a port."""
    made = GitHubServer()
    made.github.now = NOON
    for name in ("acme/app", "acme/other", "mona/own"):
        made.github.host(name)
    made.github.organizations.add("acme")
    made.__dict__["client"] = Client(made.create_app())
    return made


def ask(server: GitHubServer, token: str, path: str, method: str = "GET") -> TestResponse:
    """Send one request."""
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "test"}
    client: Client = server.__dict__["client"]
    return client.open(path, method=method, headers=headers)


def signed(key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
    """Return a JWT that is right but for these claims; a claim of None is left out."""
    now = int(NOON.timestamp())
    right = {"iss": str(APP_ID), "iat": now - 60, "exp": now + 540}
    given = {name: value for name, value in {**right, **claims}.items() if value is not None}
    return jwt.encode(given, key or private_key(), algorithm=algorithm)


def token_of(server: GitHubServer, account: str = "acme", **more: Any) -> str:
    """Install the App, and return a token of the installation."""
    number = server.github.app.install(account, **more).id
    answer = ask(server, signed(), f"/app/installations/{number}/access_tokens", "POST")
    assert (answer.status_code, answer.get_json()["expires_at"]) == (201, "2026-03-04T13:00:00Z")
    return str(answer.get_json()["token"])


AT = int(NOON.timestamp())
NEEDS_NUMBER = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
ISSUED = "'Issued at' claim ('iat') must be an Integer"
UNREADABLE = "A JSON web token could not be decoded"


@pytest.mark.parametrize(
    ("make", "status", "message"),
    [
        (signed, 200, ""),
        (lambda: signed(iss="7"), 404, "Integration not found"),
        (lambda: signed(exp=AT), 401, NEEDS_NUMBER),
        (lambda: signed(exp=None), 401, NEEDS_NUMBER),
        (lambda: signed(exp=AT + 601), 401, "'Expiration time' claim ('exp') is too far in the future"),
        (lambda: signed(iat=AT + 1), 401, ISSUED),
        (lambda: signed(iat=None), 401, ISSUED),
        (lambda: signed(rsa.generate_private_key(public_exponent=65537, key_size=2048)), 401, UNREADABLE),
        (lambda: signed("k" * 32, "HS256"), 401, UNREADABLE),
        (lambda: TOKEN, 401, UNREADABLE),
    ],
    ids="right,another App,ended,no end,far end,future,no begin,another key,no RSA,a token".split(","),  # noqa: SIM905
)
def test_a_signature_of_the_app_is_checked(
    server: GitHubServer, make: Callable[[], str], status: int, message: str
) -> None:
    """A JWT by another key or with wrong times is refused with GitHub's words."""
    answer = ask(server, make(), "/app")
    assert answer.status_code == status
    assert answer.get_json().get("message", "").startswith(message)


def test_a_token_of_an_installation_ends_after_an_hour(server: GitHubServer) -> None:
    """It reads its account's repositories for an hour, and nothing of the App itself."""
    token = token_of(server)
    assert ask(server, token, "/repos/acme/app").status_code == 200
    assert ask(server, token, "/repos/mona/own").status_code == 404
    for path in ("/app", "/app/hook/deliveries", "/repos/acme/app/installation", "/orgs/acme/installation"):
        assert ask(server, token, path).get_json()["message"] == UNREADABLE
    server.github.now = NOON.replace(hour=13)
    assert ask(server, token, "/repos/acme/app").get_json()["message"] == "Bad credentials"


def test_the_app_itself_reads_no_repository(server: GitHubServer) -> None:
    """A JWT is refused where a token is needed."""
    server.github.app.install("acme")
    assert ask(server, signed(), "/repos/acme/app").status_code == 401


def test_an_installation_has_its_repositories_and_permissions(server: GitHubServer) -> None:
    """Repositories that were not selected do not exist for it; webhooks need a permission of their own."""
    token = token_of(server, repositories={"acme/app"}, permissions={"issues": "read"})
    assert ask(server, token, "/repos/acme/app/issues").status_code == 200
    assert ask(server, token, "/repos/acme/other").status_code == 404
    refused = ask(server, token, "/repos/acme/app/hooks")
    assert (refused.status_code, refused.get_json()["message"]) == (
        403,
        "Resource not accessible by integration",
    )
    assert ask(server, signed(), "/repos/acme/other/installation").status_code == 404
    assert ask(server, signed(), "/repos/acme/app/installation").get_json()["id"] == 1


def test_a_suspended_installation_is_refused(server: GitHubServer) -> None:
    """Neither a new token nor an old one works."""
    token = token_of(server)
    server.github.app.installations[0].suspended_at = "2026-03-04T12:00:00Z"
    for answer in (
        ask(server, token, "/repos/acme/app"),
        ask(server, signed(), "/app/installations/1/access_tokens", "POST"),
    ):
        assert (answer.status_code, answer.get_json()["message"]) == (
            403,
            "This installation has been suspended",
        )


def test_the_app_s_webhook_lists_and_repeats_deliveries(server: GitHubServer) -> None:
    """Without a webhook there is no config; with one, a delivery has one GUID for it and the repository's."""
    assert ask(server, signed(), "/app/hook/config").status_code == 404
    server.github.hooks._send = lambda *_: 202
    server.github.set_app_hook(url="https://ingest.example/")
    server.github.hooks.create("acme/app", {"config": {"url": "https://ingest.example/"}, "events": ["*"]})
    payload = {"action": "opened", "repository": {"id": 7}, "installation": {"id": 1}}
    guid = server.github.hooks.emit(["acme/app", "GitHub App"], "issues", payload)
    assert ask(server, signed(), "/app/hook/config").get_json()["url"] == "https://ingest.example/"
    (listed,) = ask(server, signed(), "/app/hook/deliveries").get_json()
    assert (listed["guid"], listed["repository_id"], listed["installation_id"]) == (guid, 7, 1)
    assert "request" not in listed
    again = ask(server, signed(), f"/app/hook/deliveries/{listed['id']}/attempts", "POST")
    assert again.status_code == 202
    assert [each["redelivery"] for each in ask(server, signed(), "/app/hook/deliveries").get_json()] == [
        True,
        False,
    ]
    assert ask(server, signed(), "/app/hook/deliveries/1/attempts", "POST").status_code == 404
