"""Requests, answers and errors between a client and the stand-in."""

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "ApiError", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; `query` has the last value of each name, `lists` has all of them."""

    method: str
    host: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    content: bytes = b""

    @property
    def body(self) -> Any:
        """The content as JSON: {} if it is empty, the bytes if it is not JSON."""
        if not self.content:
            return {}
        try:
            return json.loads(self.content)
        except ValueError:
            return self.content

    @property
    def line(self) -> str:
        """The request in one line, for messages."""
        return f"{self.method} {self.host}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body; a body that is not bytes is sent as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes that are sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ApiError(Exception):
    """An error of an API.

    status: HTTP; reason: Google's status such as NOT_FOUND, or the reason of BigQuery;
    details: Google's list of typed details, GitHub's list of errors.
    """

    def __init__(
        self, status: int, message: str, reason: str = "", details: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason or _REASONS.get(status, "UNKNOWN")
        self.details = details or []


_REASONS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
