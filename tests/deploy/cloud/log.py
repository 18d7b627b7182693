"""The requests in the order in which they came."""

import re

from tests.deploy.cloud.messages import Request

__all__ = ["Log"]

# POST calls that only read.
_READS = re.compile(r":(getIamPolicy|testIamPermissions|generateUploadUrl|pull)$")


class Log(list[Request]):
    """A list of requests with filters that give shorter ones."""

    def of(self, method: str = "", host: str = "", path: str = "") -> "Log":
        """Keep those with this method, this host, and a path in which the expression is found."""
        return Log(
            request
            for request in self
            if method in ("", request.method) and host in ("", request.host) and re.search(path, request.path)
        )

    def writes(self) -> "Log":
        """Keep those that ask to change something."""
        return Log(
            request
            for request in self
            if request.method not in ("GET", "HEAD") and not _READS.search(request.path)
        )

    def lines(self) -> list[str]:
        """Give each in one line: method, host and path."""
        return [request.line for request in self]
