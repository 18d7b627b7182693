"""The Secret Manager stand-in, through the official client."""

from collections.abc import Iterator

import google_crc32c
import grpc
import pytest
from google.api_core import exceptions
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)
from google.cloud.secretmanager_v1.types import AccessSecretVersionResponse

from local.secret_manager.server import SecretManagerServer

SECRET = "projects/local-dev/secrets/webhook-secret"


class Client:
    """The official client, on a plaintext channel."""

    def __init__(self, host: str) -> None:
        self._channel = grpc.insecure_channel(host)
        self.official = SecretManagerServiceClient(
            transport=SecretManagerServiceGrpcTransport(channel=self._channel)
        )

    def access(self, version: str) -> AccessSecretVersionResponse:
        """Access a version of the secret."""
        return self.official.access_secret_version(
            name=f"{SECRET}/versions/{version}", timeout=10, retry=None
        )

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


@pytest.fixture
def server() -> Iterator[SecretManagerServer]:
    """Return a stand-in that is not started."""
    server = SecretManagerServer()
    yield server
    server.stop()


@pytest.fixture
def client(server: SecretManagerServer) -> Iterator[Client]:
    """Start the stand-in and yield a client of it."""
    client = Client(server.start())
    yield client
    client.close()


def test_latest_is_the_newest(server: SecretManagerServer, client: Client) -> None:
    """`latest` returns the newest version by its number, with the payload's exact bytes and checksum."""
    payload = bytes(range(256))
    assert server.add_version(SECRET, b"old") == 1
    assert server.add_version(SECRET, payload) == 2
    answer = client.access("latest")
    assert answer.name == f"{SECRET}/versions/2"
    assert answer.payload.data == payload
    assert answer.payload.data_crc32c == google_crc32c.value(payload)
    assert client.access("1").payload.data == b"old"


def test_ten_versions(server: SecretManagerServer, client: Client) -> None:
    """Versions are ordered by number and not by letter."""
    for number in range(1, 11):
        server.add_version(SECRET, str(number).encode())
    assert client.access("latest").payload.data == b"10"


def test_disabled_and_enabled_again(server: SecretManagerServer, client: Client) -> None:
    """A disabled version is refused with the service's message, also as `latest`; others still answer."""
    server.add_version(SECRET, b"old")
    server.add_version(SECRET, b"new")
    server.disable(SECRET, 2)
    for version in ("2", "latest"):
        with pytest.raises(exceptions.FailedPrecondition) as refused:
            client.access(version)
        assert refused.value.message == f"Secret Version [{SECRET}/versions/2] is in DISABLED state."
    assert client.access("1").payload.data == b"old"
    server.enable(SECRET, 2)
    assert client.access("latest").payload.data == b"new"


def test_destroyed_for_good(server: SecretManagerServer, client: Client) -> None:
    """A destroyed version is refused and cannot be enabled; its number is not used again."""
    server.add_version(SECRET, b"gone")
    server.destroy(SECRET, 1)
    with pytest.raises(exceptions.FailedPrecondition) as refused:
        client.access("latest")
    assert refused.value.message == f"Secret Version [{SECRET}/versions/1] is in DESTROYED state."
    with pytest.raises(ValueError, match="is destroyed"):
        server.enable(SECRET, 1)
    assert server.add_version(SECRET, b"next") == 2


def test_missing(server: SecretManagerServer, client: Client) -> None:
    """A missing secret and a missing version are NOT_FOUND."""
    with pytest.raises(exceptions.NotFound, match="not found or has no versions"):
        client.access("latest")
    server.add_version(SECRET, b"one")
    with pytest.raises(exceptions.NotFound, match=r"versions/2\] not found"):
        client.access("2")
    with pytest.raises(KeyError):
        server.disable(SECRET, 2)


@pytest.mark.parametrize("version", ["0", "newest", "1/more", ""])
def test_malformed(server: SecretManagerServer, client: Client, version: str) -> None:
    """A malformed name is INVALID_ARGUMENT for a client, and a ValueError when adding a version."""
    server.add_version(SECRET, b"one")
    with pytest.raises(exceptions.InvalidArgument):
        client.access(version)
    with pytest.raises(ValueError, match="projects/P/secrets/S"):
        server.add_version(f"{SECRET}/versions/{version}", b"one")


def test_scripted_failure(server: SecretManagerServer, client: Client) -> None:
    """Every call fails with the status code that is set, until it is cleared."""
    server.add_version(SECRET, b"one")
    server.fail_with(grpc.StatusCode.PERMISSION_DENIED)
    with pytest.raises(exceptions.PermissionDenied):
        client.access("latest")
    server.fail_with(None)
    assert client.access("latest").payload.data == b"one"


def test_calls_are_recorded(server: SecretManagerServer, client: Client) -> None:
    """Every requested name is recorded in order, whether it is found or not."""
    server.add_version(SECRET, b"one")
    client.access("latest")
    with pytest.raises(exceptions.NotFound):
        client.access("2")
    assert server.calls == [f"{SECRET}/versions/latest", f"{SECRET}/versions/2"]


def test_other_calls_are_refused(client: Client) -> None:
    """A call that the stand-in does not imitate is UNIMPLEMENTED."""
    with pytest.raises(exceptions.MethodNotImplemented):
        client.official.get_secret(name=SECRET, timeout=10, retry=None)


def test_taken_port(server: SecretManagerServer) -> None:
    """A port in use is refused, and the error has its number."""
    port = server.start().rpartition(":")[2]
    second = SecretManagerServer(int(port))
    with pytest.raises(OSError, match=port):
        second.start()
    second.stop()
