"""A local Secret Manager: AccessSecretVersion over plaintext gRPC, in this process, in memory.

It does not imitate any other call (UNIMPLEMENTED), permissions, version aliases or regional secrets.
"""

import re
import threading

import google_crc32c
import grpc
from google.cloud.secretmanager_v1 import types

from local.grpc_server import GrpcServer, Refused, unary

_SECRET = re.compile(r"projects/[^/]+/secrets/[A-Za-z0-9_-]{1,255}")
_VERSION = re.compile(rf"({_SECRET.pattern})/versions/(latest|[1-9][0-9]*)")


class SecretManagerServer(GrpcServer):
    """The stand-in on one port; safe for many threads."""

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._payloads: dict[str, list[bytes]] = {}
        self._states: dict[tuple[str, int], str] = {}
        self._failure: grpc.StatusCode | None = None
        self.calls: list[str] = []
        access = unary(
            self._access, types.AccessSecretVersionRequest, types.AccessSecretVersionResponse.serialize
        )
        services = {"google.cloud.secretmanager.v1.SecretManagerService": {"AccessSecretVersion": access}}
        super().__init__("secret-manager", port, services, threads=4)

    def add_version(self, secret: str, payload: bytes) -> int:
        """Add an enabled version to projects/P/secrets/S, a new secret or not; return its number, from 1."""
        if not _SECRET.fullmatch(secret):
            raise ValueError(f"not of the form projects/P/secrets/S: {secret!r}")
        with self._lock:
            payloads = self._payloads.setdefault(secret, [])
            payloads.append(payload)
            self._states[secret, len(payloads)] = "ENABLED"
            return len(payloads)

    def disable(self, secret: str, version: int) -> None:
        """Disable a version. KeyError: it does not exist. ValueError: it is destroyed."""
        self._move(secret, version, "DISABLED")

    def enable(self, secret: str, version: int) -> None:
        """Enable a version again; raises as `disable`."""
        self._move(secret, version, "ENABLED")

    def destroy(self, secret: str, version: int) -> None:
        """Destroy a version for good; raises as `disable`."""
        self._move(secret, version, "DESTROYED")

    def fail_with(self, code: grpc.StatusCode | None) -> None:
        """Answer every call with this code from now on; None: succeed again."""
        with self._lock:
            self._failure = code

    def _move(self, secret: str, version: int, state: str) -> None:
        with self._lock:
            if self._states[secret, version] == "DESTROYED":
                raise ValueError(f"{secret}/versions/{version} is destroyed")
            self._states[secret, version] = state

    def _access(self, request: types.AccessSecretVersionRequest) -> types.AccessSecretVersionResponse:
        with self._lock:
            self.calls.append(request.name)
            if self._failure is not None:
                raise Refused(self._failure, "the stand-in is set to fail")
            parsed = _VERSION.fullmatch(request.name)
            if parsed is None:
                detail = (
                    f"The provided Secret Version ID [{request.name}] does not match the expected format "
                )
                raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"{detail}[projects/*/secrets/*/versions/*]")
            secret, number = parsed.groups()
            payloads = self._payloads.get(secret)
            if not payloads:
                raise Refused(grpc.StatusCode.NOT_FOUND, f"Secret [{secret}] not found or has no versions.")
            version = len(payloads) if number == "latest" else int(number)
            name = f"{secret}/versions/{version}"
            if version > len(payloads):
                raise Refused(grpc.StatusCode.NOT_FOUND, f"Secret Version [{name}] not found.")
            state = self._states[secret, version]
            if state != "ENABLED":
                detail = f"Secret Version [{name}] is in {state} state."
                raise Refused(grpc.StatusCode.FAILED_PRECONDITION, detail)
            data = payloads[version - 1]
        payload = types.SecretPayload(data=data, data_crc32c=google_crc32c.value(data))
        return types.AccessSecretVersionResponse(name=name, payload=payload)
