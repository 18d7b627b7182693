"""The webhook's secrets: which versions count, how long they are kept, and how often they are read."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident

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
from tests.functions.ingest.world import wait_for

SECRET = "projects/p/secrets/webhook"


class Versions:
    """Secret Manager's versions, from 1; an error in a version's place is raised. It is also the clock."""

    def __init__(self, *payloads: bytes | Exception) -> None:
        self.payloads = list(payloads)
        self.calls: list[str] = []
        self.now = 1000.0
        self.asking: set[int] = set()
        self.wait_for_askers = 0

    def access(self, version: str, timeout: float) -> tuple[str, bytes]:
        """Answer as `official_access` does."""
        assert 0 < timeout <= 2.5
        wait_for(lambda: len(self.asking) >= self.wait_for_askers)
        name = version.removeprefix(f"{SECRET}/versions/")
        self.calls.append(name)
        number = len(self.payloads) if name == "latest" else int(name)
        payload = self.payloads[number - 1]
        if isinstance(payload, Exception):
            raise payload
        return f"projects/123/secrets/webhook/versions/{number}", payload

    def clock(self) -> float:
        """Return the time, and note who asked."""
        self.asking.add(get_ident())
        return self.now

    def secrets(self) -> WebhookSecrets:
        """Return the secrets under test."""
        return WebhookSecrets(SECRET, self.access, clock=self.clock)


def disabled(number: int) -> FailedPrecondition:
    """Return what Secret Manager says of a disabled version; it names the project by its number."""
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
def test_which_versions_count(payloads: list[bytes | Exception], accepted: list[bytes]) -> None:
    """The latest three versions sign, newest first; disabled, destroyed and blank ones are passed over."""
    assert list(Versions(*payloads).secrets().current()) == accepted


@pytest.mark.parametrize(
    "payloads", [[b""], [b"\n"], [b" \t\r\n"], [b"", b""], [disabled(1)], [b"", disabled(2)]]
)
def test_no_usable_secret(payloads: list[bytes | Exception]) -> None:
    """When no version holds a usable secret, nobody is let in, and the next request looks again."""
    versions = Versions(*payloads)
    secrets = versions.secrets()
    for attempt in (secrets.current, secrets.reload):
        with pytest.raises(Unavailable) as refused:
            attempt()
        assert refused.value.reason == "secret_blank"
    versions.now += 1
    versions.payloads.append(b"good")
    assert b"good" in secrets.current()


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
def test_secret_manager_fails(error: Exception) -> None:
    """Whatever Secret Manager answers, the error says what cannot be read, and a later call reads again."""
    versions = Versions(error)
    secrets = versions.secrets()
    with pytest.raises(Unavailable, match=SECRET) as refused:
        secrets.current()
    assert refused.value.reason == "secret_unreachable"
    assert refused.value.__cause__ is error
    versions.now += 1
    versions.payloads = [b"good"]
    assert secrets.current() == (b"good",)


def test_an_older_version_fails() -> None:
    """When an older version cannot be read for another reason than its state, no half list is kept."""
    versions = Versions(ServiceUnavailable("down"), b"2")
    with pytest.raises(Unavailable):
        versions.secrets().current()


def test_five_minutes() -> None:
    """The secrets are read once in five minutes."""
    versions = Versions(b"old")
    secrets = versions.secrets()
    assert secrets.current() == (b"old",)
    versions.payloads = [b"new"]
    versions.now += 299.9
    assert secrets.current() == (b"old",)
    assert versions.calls == ["latest"]
    versions.now += 0.1
    assert secrets.current() == (b"new",)


def test_expired_and_unreachable() -> None:
    """After five minutes an unreachable Secret Manager closes the door; there is no older copy."""
    versions = Versions(b"old")
    secrets = versions.secrets()
    secrets.current()
    versions.payloads = [ServiceUnavailable("down")]
    versions.now += 300
    with pytest.raises(Unavailable):
        secrets.current()


def test_one_forced_refresh_in_half_a_minute() -> None:
    """However many wrong signatures come, they force one read in 30 seconds."""
    versions = Versions(b"a")
    secrets = versions.secrets()
    secrets.current()
    for _ in range(100):
        assert secrets.reload() == (b"a",)
        versions.now += 0.25
    assert versions.calls == ["latest"] * 2
    versions.now += 5
    versions.payloads.append(b"b")
    assert secrets.reload() == (b"b", b"a")
    assert secrets.current() == (b"b", b"a")


def test_a_failed_refresh() -> None:
    """A refresh that fails is an error and costs its half minute; the secrets known are kept meanwhile."""
    versions = Versions(b"a")
    secrets = versions.secrets()
    secrets.current()
    versions.payloads = [ServiceUnavailable("down")]
    with pytest.raises(Unavailable):
        secrets.reload()
    assert secrets.reload() == secrets.current() == (b"a",)
    assert versions.calls == ["latest"] * 2


@pytest.mark.parametrize(
    ("payload", "value"), [(b"s\n", b"s"), (b"s\r\n", b"s"), (b"s\n\n", b"s\n"), (b" s \n", b" s ")]
)
def test_a_newline_at_the_end(payload: bytes, value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """One newline at the end is stripped, with one warning, which names the version."""
    versions = Versions(payload)
    secrets = versions.secrets()
    for _ in range(3):
        assert secrets.current() == (value,)
        versions.now += 300
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "secrets/webhook/versions/1 ends in a newline" in caplog.text


@pytest.mark.parametrize("payload", [b"s", b"s ", b"\ns", b"s\r", b"s\x00"])
def test_other_white_space(payload: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Everything but the one newline belongs to the secret."""
    assert Versions(payload).secrets().current() == (payload,)
    assert caplog.records == []


def test_warnings_do_not_tell(caplog: pytest.LogCaptureFixture) -> None:
    """No log line and no error holds the secret."""
    versions = Versions(b"hunter2\n")
    versions.secrets().current()
    assert caplog.records
    assert "hunter2" not in caplog.text


def at_once[T](count: int, call: Callable[[], T]) -> list[T | Exception]:
    """Let `count` threads call."""

    def run() -> T | Exception:
        try:
            return call()
        except Unavailable as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(count)]]


def test_many_at_once() -> None:
    """Requests that come while the secrets are being read wait for that one read."""
    versions = Versions(b"a", b"b")
    versions.wait_for_askers = 32
    assert at_once(32, versions.secrets().current) == [(b"b", b"a")] * 32
    assert versions.calls == ["latest", "1"]


def test_many_fail_at_once() -> None:
    """Requests that come while a read is about to fail share its failure, and do not wait for one each."""
    versions = Versions(ServiceUnavailable("down"))
    versions.wait_for_askers = 32
    outcomes = at_once(32, versions.secrets().current)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert versions.calls == ["latest"]


def test_many_wrong_signatures_at_once() -> None:
    """Wrong signatures that come at once force one read."""
    versions = Versions(b"a")
    secrets = versions.secrets()
    secrets.current()
    assert at_once(32, secrets.reload) == [(b"a",)] * 32
    assert versions.calls == ["latest"] * 2


@pytest.fixture
def secret_manager() -> Iterator[SecretManagerServer]:
    """Give a Secret Manager that is not started."""
    server = SecretManagerServer()
    yield server
    server.stop()


def test_through_the_official_client(secret_manager: SecretManagerServer) -> None:
    """The official client reads the versions, with one call for each."""
    host = secret_manager.start()
    for payload in (b"1", b"2", b"3", b"4"):
        secret_manager.add_version(SECRET, payload)
    secret_manager.destroy(SECRET, 2)
    secret_manager.disable(SECRET, 4)
    assert WebhookSecrets(SECRET, official_access(host)).current() == (b"3",)
    names = ["latest", "3", "2"]
    assert secret_manager.calls == [f"{SECRET}/versions/{name}" for name in names]


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN]
)
def test_the_official_client_fails(secret_manager: SecretManagerServer, code: grpc.StatusCode) -> None:
    """An error of the service is Unavailable, and gone once the service answers."""
    host = secret_manager.start()
    secret_manager.add_version(SECRET, b"1")
    secret_manager.fail_with(code)
    secrets = WebhookSecrets(SECRET, official_access(host))
    with pytest.raises(Unavailable):
        secrets.current()
    secret_manager.fail_with(None)
    assert secrets.current() == (b"1",)


def test_a_moment_of_unavailability(secret_manager: SecretManagerServer) -> None:
    """A Secret Manager that starts to answer within the time for a read is waited for."""
    host = secret_manager.start()
    secret_manager.add_version(SECRET, b"1")
    secret_manager.fail_with(grpc.StatusCode.UNAVAILABLE)
    secrets = WebhookSecrets(SECRET, official_access(host))
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(secrets.current)
        while not secret_manager.calls:
            assert not reading.done()
        secret_manager.fail_with(None)
        assert reading.result(timeout=10) == (b"1",)


def test_nothing_listens() -> None:
    """Where nothing listens, the read ends by itself as Unavailable."""
    access = official_access(f"127.0.0.1:{free_port()}")
    with pytest.raises((ServiceUnavailable, RetryError, DeadlineExceeded)):
        access(f"{SECRET}/versions/latest", 0.3)


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the secrets are Unavailable, not a crash."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    with pytest.raises(Unavailable) as refused:
        official_access(None)
    assert refused.value.reason == "credentials_missing"
    assert "/nowhere" not in str(refused.value)
