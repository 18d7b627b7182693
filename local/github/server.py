"""The strict stand-in for GitHub's REST API on loopback."""

import json
import re
from typing import Any

from werkzeug.wrappers import Request, Response

from local import faults
from local.github.app import create_app
from local.github.faults import Fault, ReceivedRequest
from local.github.state import GitHub
from local.github.webhook import send
from local.stand_in import StandIn

TOKEN = "ghp_s3cret-of-the-stand-in"


class GitHubServer(StandIn):
    """GitHub on one port; `prefix` is the path of the API, such as /api/v3 of GitHub Enterprise Server."""

    fault_type = Fault

    def __init__(self, prefix: str = "", port: int = 0) -> None:
        super().__init__(port)
        self.github = GitHub(TOKEN, send)
        self._prefix = prefix
        self._requests: list[ReceivedRequest] = []

    @property
    def url(self) -> str:
        """Base URL of the API, as GITHUB_API_URL takes it."""
        return self.origin + self._prefix

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Every request, also a refused or failed one."""
        with self._lock:
            return list(self._requests)

    def targets(self, pattern: str = "") -> list[str]:
        """Return path and query of the requests that match a regular expression somewhere."""
        return [request.target for request in self.requests if re.search(pattern, request.target)]

    def create_app(self) -> Any:
        """Return the WSGI application: the API's routes, one request at a time, under the faults."""
        routes = create_app(self.github, self._prefix)

        @Request.application
        def app(request: Request) -> Response:

            def carry_out() -> Response:
                with self._lock:
                    return Response.from_app(routes, request.environ, buffered=True)

            return faults.answer(self._record(request), carry_out=carry_out, fail=self._fail, wait=self.wait)

        return app

    def _record(self, request: Request) -> Any:
        with self._lock:
            received = ReceivedRequest(
                number=len(self._requests) + 1,
                method=request.method,
                target=request.full_path.removesuffix("?"),
                headers={name.lower(): value for name, value in request.headers.items()},
            )
            self._requests.append(received)
            return self._take_fault(received)

    def _fail(self, fault: Fault) -> Response:
        body = json.dumps({"message": fault.message}) if fault.body is None else fault.body
        headers = {**self.github.headers(), **fault.headers}
        return Response(body, fault.status, headers, content_type="application/json; charset=utf-8")
