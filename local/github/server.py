"""The strict stand-in for GitHub's REST API on loopback."""

import json
import re
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from local import faults
from local.github.app import create_app
from local.github.hooks import Send
from local.github.state import GitHub
from local.github.webhook import send
from local.github.write_routes import WITHOUT_EFFECT
from local.stand_in import StandIn
from ops.send.accounts import Account
from ops.send.payload_spec import PayloadSpec
from ops.send.payloads import Event

TOKEN = "ghp_s3cret-of-the-stand-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request: `number` counts from 1, `target` is path and query, names of headers are lower-case."""

    number: int
    method: str
    target: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(faults.Fault):
    """One way to fail a request.

    message: GitHub's sentence in the body. number: only the request with this number.
    method: only requests with this method.
    target: only requests whose path and query match this regular expression somewhere.
    without_effect: answer as if a change was made, and do not make it.
    """

    message: str = "fault"
    number: int | None = None
    method: str | None = None
    target: str = ""
    without_effect: bool = False

    @property
    def has_answer(self) -> bool:
        """Return whether the fault decides on the answer."""
        return self.status is not None or self.without_effect

    def applies_to(self, request: ReceivedRequest) -> bool:
        """Return whether a request fails in this way."""
        return (
            self.number in {None, request.number}
            and self.method in {None, request.method}
            and bool(re.search(self.target, request.target))
        )


class GitHubServer(StandIn):
    """GitHub on one port; `prefix` is the path of the API, such as /api/v3 of GitHub Enterprise Server.

    `send` delivers to a hook. `requests` has every request, also a refused or failed one.
    """

    fault_type = Fault

    def __init__(self, prefix: str = "", port: int = 0, send: Send = send) -> None:
        super().__init__(port)
        self.github = GitHub(TOKEN, send)
        self.requests: list[ReceivedRequest] = []
        self._prefix = prefix

    @property
    def url(self) -> str:
        """Base URL of the API, as GITHUB_API_URL takes it."""
        return self.origin + self._prefix

    def targets(self, pattern: str = "") -> list[str]:
        """Return path and query of the requests that match a regular expression somewhere."""
        return [request.target for request in self.requests if re.search(pattern, request.target)]

    def act(self, spec: PayloadSpec, association: str | None = None) -> tuple[str, Event]:
        """Let an account do what the options describe; see GitHub.act. Any thread may call this."""
        with self._lock:
            return self.github.act(spec, association)

    def store(self, *events: Event) -> None:
        """Store what events change, and deliver nothing. Any thread may call this."""
        with self._lock:
            for event in events:
                self.github.store(event)

    def emit_later(self, full_name: str, event: Event) -> str:
        """Let an event happen; see GitHub.emit_later. Creates the repository. Any thread may call this."""
        with self._lock:
            self.github.host(full_name)
            return self.github.emit_later(full_name, event)

    def transfer(self, repository: str, number: int, to: str, by: Account) -> tuple[list[str], int]:
        """Move an issue; see GitHub.transfer. Any thread may call this."""
        with self._lock:
            return self.github.transfer(repository, number, to, by)

    def stop(self) -> None:
        """Stop as every stand-in does, and end the deliveries."""
        super().stop()
        self.github.hooks.stop()

    def create_app(self) -> Any:
        """Return the WSGI application: the API's routes, one request at a time, under the faults."""
        routes = create_app(self.github, self._prefix)

        @Request.application
        def app(request: Request) -> Response:

            def carry_out() -> Response:
                with self._lock:
                    return Response.from_app(routes, request.environ, buffered=True)

            with self._lock:
                received = ReceivedRequest(
                    number=len(self.requests) + 1,
                    method=request.method,
                    target=request.full_path.removesuffix("?"),
                    headers={name.lower(): value for name, value in request.headers.items()},
                )
                self.requests.append(received)
                fault = self._take_fault(received)
            if fault is not None and fault.without_effect:
                request.environ[WITHOUT_EFFECT] = True
                fault = None
            return faults.answer(fault, carry_out=carry_out, fail=self._fail, wait=self.wait)

        return app

    def _fail(self, fault: Fault) -> Response:
        body = json.dumps({"message": fault.message}) if fault.body is None else fault.body
        headers = {**self.github.headers(), **fault.headers}
        return Response(body, fault.status, headers, content_type="application/json; charset=utf-8")
