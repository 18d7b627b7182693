"""The webhook's secrets are read in all enabled versions, kept for minutes, and reloaded rarely."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import (
    DeadlineExceeded,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
)
from google.auth.exceptions import RefreshError

from functions.ingest.webhook_secrets import WebhookSecrets, official_access
from local.processes import free_port
from local.secret_manager.server import SecretManagerServer
from pipeline.errors import Unavailable
from tests.support.loop import run

SECRET = "projects/p/secrets/webhook"


class Versions:
    """Secret Manager's versions, from 1, and the clock. An error in place of a version is raised."""

    def __init__(self, *payloads: bytes | Exception) -> None:
        self.payloads = list(payloads)
        self.calls: list[str] = []
        self.now = 1000.0

    async def access(self, version: str, seconds: float) -> tuple[str, bytes]:
        """Answer as the call of `official_access` does."""
        assert 0 < seconds <= 2.5
        await asyncio.sleep(0.01)
        name = version.removeprefix(f"{SECRET}/versions/")
        self.calls.append(name)
        number = len(self.payloads) if name == "latest" else int(name)
        payload = self.payloads[number - 1]
        if isinstance(payload, Exception):
            raise payload
        return f"projects/123/secrets/webhook/versions/{number}", payload

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def secrets(self) -> WebhookSecrets:
        """Return the secrets under test."""
        return WebhookSecrets(SECRET, self.access, clock=self.clock)


def disabled(number: int) -> FailedPrecondition:
    """Return Secret Manager's error for a disabled version, which names the project by its number."""
    return FailedPrecondition(
        f"Secret Version [projects/123/secrets/webhook/versions/{number}] is in DISABLED state."
    )


@pytest.mark.parametrize(
    ("payloads", "accepted"),
    [
        ([b"1"], [b"1"]),
        ([b"1", b"2"], [b"2", b"1"]),
        ([b"1", b"2", b"3"], [b"3", b"2", b"1"]),
        ([b"1", b"2", b"3", b"4"], [b"4", b"3", b"2"]),
        ([b"1", b"2", disabled(3)], [b"2", b"1"]),
        ([b"1", NotFound("destroyed"), b"3"], [b"3", b"1"]),
        ([disabled(1), disabled(2), b"3"], [b"3"]),
        ([b"1", b" \n", b"3"], [b"3", b"1"]),
        ([b"1", b""], [b"1"]),
    ],
)
def test_the_latest_versions_are_valid(payloads: list[bytes | Exception], accepted: list[bytes]) -> None:
    """The latest three versions are valid, newest first; disabled, destroyed and blank ones are skipped."""
    assert list(run(Versions(*payloads).secrets().current())) == accepted


@pytest.mark.parametrize(
    "payloads", [[b""], [b"\n"], [b" \t\r\n"], [b"", b""], [disabled(1)], [b"", disabled(2)]]
)
def test_without_a_usable_secret_nothing_is_accepted(payloads: list[bytes | Exception]) -> None:
    """If no version has a usable secret, no delivery is accepted, and the next request reads again."""
    versions = Versions(*payloads)
    secrets = versions.secrets()
    for attempt in (secrets.current, secrets.reload):
        with pytest.raises(Unavailable) as refused:
            run(attempt())
        assert refused.value.reason == "secret_blank"
    versions.now += 1
    versions.payloads.append(b"good")
    assert b"good" in run(secrets.current())


@pytest.mark.parametrize(
    "error",
    [
        NotFound("no secret"),
        PermissionDenied("no role"),
        ServiceUnavailable("down"),
        DeadlineExceeded("slow"),
        RetryError("slow", cause=None),
        RefreshError("no token"),
        FailedPrecondition("not about a version"),
    ],
)
def test_a_failure_is_not_kept(error: Exception) -> None:
    """After any failure the error names the secret that cannot be read, and a later call reads it again."""
    versions = Versions(error)
    secrets = versions.secrets()
    with pytest.raises(Unavailable, match=SECRET) as refused:
        run(secrets.current())
    assert refused.value.reason == "secret_unreachable"
    assert refused.value.__cause__ is error
    versions.now += 1
    versions.payloads = [b"good"]
    assert run(secrets.current()) == (b"good",)


def test_an_incomplete_list_is_not_kept() -> None:
    """If an older version cannot be read for another reason than its state, nothing is kept."""
    versions = Versions(ServiceUnavailable("down"), b"2")
    with pytest.raises(Unavailable):
        run(versions.secrets().current())


def test_secrets_are_kept_for_five_minutes() -> None:
    """The secrets are read once in five minutes."""
    versions = Versions(b"old")
    secrets = versions.secrets()
    assert run(secrets.current()) == (b"old",)
    versions.payloads = [b"new"]
    versions.now += 299.9
    assert run(secrets.current()) == (b"old",)
    assert versions.calls == ["latest"]
    versions.now += 0.1
    assert run(secrets.current()) == (b"new",)


def test_expired_secrets_are_not_used() -> None:
    """If Secret Manager cannot be reached after five minutes, no delivery is accepted."""
    versions = Versions(b"old")
    secrets = versions.secrets()
    run(secrets.current())
    versions.payloads = [ServiceUnavailable("down")]
    versions.now += 300
    with pytest.raises(Unavailable):
        run(secrets.current())


def test_one_reload_in_half_a_minute() -> None:
    """Wrong signatures, however many, cause at most one read in 30 seconds."""
    versions = Versions(b"a")
    secrets = versions.secrets()
    run(secrets.current())
    for _ in range(100):
        assert run(secrets.reload()) == (b"a",)
        versions.now += 0.25
    assert versions.calls == ["latest"] * 2
    versions.now += 5
    versions.payloads.append(b"b")
    assert run(secrets.reload()) == (b"b", b"a")
    assert run(secrets.current()) == (b"b", b"a")


def test_a_failed_reload_keeps_the_secrets() -> None:
    """A reload that fails is an error, and the next one waits half a minute; the known secrets stay valid."""
    versions = Versions(b"a")
    secrets = versions.secrets()
    run(secrets.current())
    versions.payloads = [ServiceUnavailable("down")]
    with pytest.raises(Unavailable):
        run(secrets.reload())
    assert run(secrets.reload()) == run(secrets.current()) == (b"a",)
    assert versions.calls == ["latest"] * 2


@pytest.mark.parametrize(
    ("payload", "value"), [(b"s\n", b"s"), (b"s\r\n", b"s"), (b"s\n\n", b"s\n"), (b" s \n", b" s ")]
)
def test_one_newline_at_the_end_is_removed(
    payload: bytes, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One newline at the end is removed, with one warning that names the version."""
    versions = Versions(payload)
    secrets = versions.secrets()
    for _ in range(3):
        assert run(secrets.current()) == (value,)
        versions.now += 300
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "secrets/webhook/versions/1 ends in a newline" in caplog.text


@pytest.mark.parametrize("payload", [b"s", b"s ", b"\ns", b"s\r", b"s\x00"])
def test_other_white_space_is_kept(payload: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Everything but one newline at the end is part of the secret."""
    assert run(Versions(payload).secrets().current()) == (payload,)
    assert caplog.records == []


def test_warnings_do_not_show_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    """No log line contains the secret."""
    versions = Versions(b"hunter2\n")
    run(versions.secrets().current())
    assert caplog.records
    assert "hunter2" not in caplog.text


def at_once(count: int, call: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Call `count` times at the same time, and return the results and errors."""

    async def gather() -> list[Any]:
        return await asyncio.gather(*(call() for _ in range(count)), return_exceptions=True)

    return run(gather())


def test_many_requests_share_one_read() -> None:
    """Requests that arrive while the secrets are being read wait for that read."""
    versions = Versions(b"a", b"b")
    assert at_once(32, versions.secrets().current) == [(b"b", b"a")] * 32
    assert versions.calls == ["latest", "1"]


def test_many_requests_share_one_failure() -> None:
    """Requests that arrive during a read that fails share its failure and do not try again."""
    versions = Versions(ServiceUnavailable("down"))
    outcomes = at_once(32, versions.secrets().current)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert versions.calls == ["latest"]


def test_many_wrong_signatures_cause_one_read() -> None:
    """Wrong signatures that arrive at the same time cause one read."""
    versions = Versions(b"a")
    secrets = versions.secrets()
    run(secrets.current())
    assert at_once(32, secrets.reload) == [(b"a",)] * 32
    assert versions.calls == ["latest"] * 2


@pytest.fixture
def secret_manager() -> Iterator[SecretManagerServer]:
    """Return a Secret Manager that is not started."""
    server = SecretManagerServer()
    yield server
    server.stop()


def test_the_official_client_reads_each_version(secret_manager: SecretManagerServer) -> None:
    """The official client reads the versions, one call for each."""
    host = secret_manager.start()
    for payload in (b"1", b"2", b"3", b"4"):
        secret_manager.add_version(SECRET, payload)
    secret_manager.destroy(SECRET, 2)
    secret_manager.disable(SECRET, 4)
    assert run(WebhookSecrets(SECRET, run(official_access(host))).current()) == (b"3",)
    first, *older = secret_manager.calls
    assert first == f"{SECRET}/versions/latest"
    assert sorted(older) == [f"{SECRET}/versions/{number}" for number in (2, 3)]


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN]
)
def test_an_error_of_the_service_is_unavailable(
    secret_manager: SecretManagerServer, code: grpc.StatusCode
) -> None:
    """An error of the service is Unavailable until the service answers."""
    host = secret_manager.start()
    secret_manager.add_version(SECRET, b"1")
    secret_manager.fail_with(code)
    secrets = WebhookSecrets(SECRET, run(official_access(host)))
    with pytest.raises(Unavailable):
        run(secrets.current())
    secret_manager.fail_with(None)
    assert run(secrets.current()) == (b"1",)


def test_a_short_outage_is_waited_for(secret_manager: SecretManagerServer) -> None:
    """If Secret Manager recovers within the time for a read, the read succeeds."""
    host = secret_manager.start()
    secret_manager.add_version(SECRET, b"1")
    secret_manager.fail_with(grpc.StatusCode.UNAVAILABLE)
    secrets = WebhookSecrets(SECRET, run(official_access(host)))

    async def read() -> tuple[bytes, ...]:
        reading = asyncio.create_task(secrets.current())
        while not secret_manager.calls:
            assert not reading.done()
            await asyncio.sleep(0.005)
        secret_manager.fail_with(None)
        return await reading

    assert run(read()) == (b"1",)


def test_nothing_listens() -> None:
    """If nothing listens at the address, the read ends within its time."""
    access = run(official_access(f"127.0.0.1:{free_port()}"))
    with pytest.raises((ServiceUnavailable, RetryError, DeadlineExceeded)):
        run(access(f"{SECRET}/versions/latest", 0.3))


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the secrets are Unavailable, and the function does not crash."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    with pytest.raises(Unavailable) as refused:
        run(official_access(None))
    assert refused.value.reason == "credentials_missing"
    assert "/nowhere" not in str(refused.value)
