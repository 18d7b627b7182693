"""The webhook's secrets from Secret Manager: the latest version and up to two before it.

Versions are read one by one and not listed, which needs no permission but versions.access. The module is not
called `secrets`: the function's folder is on the path, so it would shadow Python's own module.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.api_core.exceptions import (
    FailedPrecondition,
    GoogleAPICallError,
    NotFound,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
)
from google.api_core.retry import AsyncRetry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
)

from clients.pubsub.grpc_channel import open_transport
from pipeline.errors import Unavailable
from pipeline.logs import log

KEEP_SECONDS = 300.0
RELOAD_INTERVAL_SECONDS = 30.0  # at most one reload in this time, however many requests ask for one
READ_SECONDS = 2.5  # for all versions together
OLDER_VERSIONS = 2

FAILURES = (GoogleAPICallError, RetryError, GoogleAuthError, grpc.RpcError)
Access = Callable[[str, float], Awaitable[tuple[str, bytes]]]

_VERSION = re.compile(r"versions/(\d+)")


class WebhookSecrets:
    """The secrets that are valid now, kept for five minutes. A failure to read them is Unavailable."""

    def __init__(self, secret: str, access: Access, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = secret
        self._access = access
        self._clock = clock
        self._lock = asyncio.Lock()
        self._values: tuple[bytes, ...] = ()
        self._expires = float("-inf")
        self._reloaded_at = float("-inf")
        self._failed_at = float("-inf")
        self._warned: set[str] = set()

    async def current(self) -> tuple[bytes, ...]:
        """Return the secrets, newest first. Reads them if they are older than five minutes."""
        asked_at = self._clock()
        if asked_at < self._expires:
            return self._values
        async with self._lock:
            if self._clock() < self._expires:
                return self._values
            if self._failed_at >= asked_at:  # another request tried and failed while this one waited
                raise Unavailable("secret_unreachable", "Secret Manager has just failed.")
            return await self._read()

    async def reload(self) -> tuple[bytes, ...]:
        """Return the secrets, read again unless there was a reload within the last half minute.

        This finds a secret that was rotated a moment ago, and forged requests cannot cause many calls.
        """
        async with self._lock:
            if self._clock() < self._reloaded_at + RELOAD_INTERVAL_SECONDS:
                return self._values
            self._reloaded_at = self._clock()
            return await self._read()

    async def _read(self) -> tuple[bytes, ...]:
        deadline = self._clock() + READ_SECONDS
        try:
            values = await self._read_versions(
                lambda version: self._access(version, max(deadline - self._clock(), 0.1))
            )
        except FAILURES as error:
            self._failed_at = self._clock()
            raise Unavailable(
                "secret_unreachable", f"{self._secret} cannot be read: {type(error).__name__}."
            ) from error
        if not values:
            self._failed_at = self._clock()
            raise Unavailable("secret_blank", f"{self._secret} holds no usable secret; add a version.")
        self._values, self._expires = values, self._clock() + KEEP_SECONDS
        return values

    async def _read_versions(
        self, access: Callable[[str], Awaitable[tuple[str, bytes]]]
    ) -> tuple[bytes, ...]:
        """Read `latest`, then the numbers below it at once. A disabled or destroyed version is skipped."""
        found: list[bytes] = []
        try:
            name, payload = await access(f"{self._secret}/versions/latest")
            newest = _number(name)
            found.append(self._clean(name, payload))
        except FailedPrecondition as error:  # its message names the version that is disabled
            newest = _number(str(error))
            if newest is None:
                raise
        older = range((newest or 0) - 1, max((newest or 0) - 1 - OLDER_VERSIONS, 0), -1)
        reads = [access(f"{self._secret}/versions/{number}") for number in older]
        for outcome in await asyncio.gather(*reads, return_exceptions=True):
            if isinstance(outcome, tuple):
                found.append(self._clean(*outcome))
            elif not isinstance(outcome, FailedPrecondition | NotFound):
                raise outcome
        return tuple(value for value in found if value)

    def _clean(self, name: str, payload: bytes) -> bytes:
        """Remove one trailing newline, which `echo` adds. With a blank secret anyone could sign."""
        value = payload.removesuffix(b"\n").removesuffix(b"\r") if payload.endswith(b"\n") else payload
        usable = value if value.strip() else b""
        if usable != payload and name not in self._warned:
            self._warned.add(name)
            fault = "ends in a newline, which is ignored" if usable else "is blank and is not used"
            log.warning("%s %s; store it with printf", name, fault, extra={"reason": "secret_unclean"})
        return usable


async def official_access(endpoint: str | None) -> Access:
    """Return the official client's call that reads one version; `endpoint` host:port is a plaintext stand-in.

    Raises Unavailable if there are no credentials.
    """
    try:
        transport = await open_transport(SecretManagerServiceGrpcAsyncIOTransport, endpoint)
    except GoogleAuthError as error:
        raise Unavailable("credentials_missing", "There are no credentials for Secret Manager.") from error
    client = SecretManagerServiceAsyncClient(transport=transport)
    transient = if_exception_type(ResourceExhausted, ServiceUnavailable)

    async def access(version: str, seconds: float) -> tuple[str, bytes]:
        retry = AsyncRetry(predicate=transient, initial=0.1, maximum=0.5, multiplier=2.0, timeout=seconds)
        answer = await client.access_secret_version(name=version, retry=retry, timeout=seconds)
        return answer.name, answer.payload.data

    return access


def _number(text: str) -> int | None:
    match = _VERSION.search(text)
    return int(match[1]) if match else None
