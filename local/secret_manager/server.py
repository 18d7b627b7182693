"""A local Secret Manager: AccessSecretVersion over plaintext gRPC, in this process, in memory.

It does not imitate any other call (UNIMPLEMENTED), permissions, version aliases or regional secrets.
"""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import google_crc32c
import grpc
from google.cloud.secretmanager_v1 import types

_SECRET = re.compile(r"projects/[^/]+/secrets/[A-Za-z0-9_-]{1,255}")
_VERSION = re.compile(rf"({_SECRET.pattern})/versions/(latest|[1-9][0-9]*)")


class SecretManagerServer:
    """Listens on the loopback interface; port 0 asks the system for a free one. Safe for many threads."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._payloads: dict[str, list[bytes]] = {}
        self._states: dict[tuple[str, int], str] = {}
        self._failure: grpc.StatusCode | None = None
        self.calls: list[str] = []
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="secret-manager")
        self._server = grpc.server(
            self._executor, handlers=[_handler(self._access)], options=[("grpc.so_reuseport", 0)]
        )

    def start(self) -> str:
        """Listen, and return the host as 127.0.0.1:PORT. OSError: the port is taken."""
        try:
            port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        except RuntimeError as error:
            raise OSError(f"the Secret Manager stand-in cannot listen on 127.0.0.1:{self._port}") from error
        self._server.start()
        return f"127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop; returns once no thread is left."""
        self._server.stop(grace=None).wait()
        self._executor.shutdown(wait=True)

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
        """Disable a version; KeyError: it does not exist. ValueError: it is destroyed."""
        self._move(secret, version, "DISABLED")

    def enable(self, secret: str, version: int) -> None:
        """Enable a version again; KeyError: it does not exist. ValueError: it is destroyed."""
        self._move(secret, version, "ENABLED")

    def destroy(self, secret: str, version: int) -> None:
        """Destroy a version for good; KeyError: it does not exist. ValueError: it is destroyed."""
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

    def _access(
        self, request: types.AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> types.AccessSecretVersionResponse:
        with self._lock:
            self.calls.append(request.name)
            if self._failure is not None:
                context.abort(self._failure, "the stand-in was told to fail")
            parsed = _VERSION.fullmatch(request.name)
            if parsed is None:
                context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"The provided Secret Version ID [{request.name}] does not match the expected format "
                    "[projects/*/secrets/*/versions/*]",
                )
            secret, number = parsed.groups()
            payloads = self._payloads.get(secret)
            if not payloads:
                context.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{secret}] not found or has no versions.")
            version = len(payloads) if number == "latest" else int(number)
            name = f"{secret}/versions/{version}"
            if version > len(payloads):
                context.abort(grpc.StatusCode.NOT_FOUND, f"Secret Version [{name}] not found.")
            state = self._states[secret, version]
            if state != "ENABLED":
                context.abort(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"Secret Version [{name}] is in {state} state.",
                )
            payload = payloads[version - 1]
        return types.AccessSecretVersionResponse(
            name=name,
            payload=types.SecretPayload(data=payload, data_crc32c=google_crc32c.value(payload)),
        )


def _handler(
    access: Callable[
        [types.AccessSecretVersionRequest, grpc.ServicerContext], types.AccessSecretVersionResponse
    ],
) -> grpc.GenericRpcHandler:
    method = grpc.unary_unary_rpc_method_handler(
        access,
        request_deserializer=types.AccessSecretVersionRequest.deserialize,
        response_serializer=types.AccessSecretVersionResponse.serialize,
    )
    return grpc.method_handlers_generic_handler(
        "google.cloud.secretmanager.v1.SecretManagerService", {"AccessSecretVersion": method}
    )
