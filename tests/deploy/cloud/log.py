"""The requests in their order."""

import re

from tests.deploy.cloud.messages import Request

__all__ = ["Log"]

# POST calls that only read.
_READS = re.compile(r":(getIamPolicy|testIamPermissions|generateUploadUrl|pull)$")


class Log(list[Request]):
    """A list of requests with filters."""

    def of(self, method: str = "", host: str = "", path: str = "") -> "Log":
        """Return those with this method, this host, and a path that contains a match of the expression."""
        return Log(
            request
            for request in self
            if method in ("", request.method) and host in ("", request.host) and re.search(path, request.path)
        )

    def writes(self) -> "Log":
        """Return those that would change something."""
        return Log(
            request
            for request in self
            if request.method not in ("GET", "HEAD") and not _READS.search(request.path)
        )

    def lines(self) -> list[str]:
        """Return each in one line: method, host and path."""
        return [request.line for request in self]
