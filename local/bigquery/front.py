"""A door before the local BigQuery: it passes requests on, unless a fault says that BigQuery refuses them."""

import http.client
import json
import re
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from local import faults
from local.stand_in import StandIn

SECONDS = 60.0
_OF_THIS_CONNECTION = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(faults.Fault):
    """One way to fail a request; `target` only those whose path matches this regular expression somewhere."""

    target: str = ""

    def applies_to(self, request: str) -> bool:
        """Return whether a request to this path fails in this way."""
        return re.search(self.target, request) is not None


class BigQueryFront(StandIn):
    """The door on one port; `behind` is the port of the local BigQuery."""

    fault_type = Fault

    def __init__(self, behind: int, port: int = 0) -> None:
        super().__init__(port)
        self._behind = behind

    @property
    def url(self) -> str:
        """Return the value for BIGQUERY_EMULATOR_HOST."""
        return self.origin

    def create_app(self) -> Any:
        """Return the WSGI application."""

        @Request.application
        def app(request: Request) -> Response:
            body = request.get_data()
            with self._lock:
                fault = self._take_fault(request.path)
            return faults.answer(
                fault, carry_out=lambda: self._pass_on(request, body), fail=_fail, wait=self.wait
            )

        return app

    def _pass_on(self, request: Request, body: bytes) -> Response:
        headers = {name: value for name, value in request.headers.items() if _is_passed_on(name)}
        connection = http.client.HTTPConnection("127.0.0.1", self._behind, timeout=SECONDS)
        try:
            connection.request(request.method, request.full_path.removesuffix("?"), body, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if _is_passed_on(name)]
            return Response(answer.read(), answer.status, kept)
        finally:
            connection.close()


def _is_passed_on(header: str) -> bool:
    return header.lower() not in _OF_THIS_CONNECTION


def _fail(fault: Fault) -> Response:
    reason = "accessDenied" if fault.status == http.client.FORBIDDEN else "backendError"
    errors = [{"reason": reason, "message": "fault", "domain": "global"}]
    error = {"code": fault.status, "message": "fault", "errors": errors}
    body = json.dumps({"error": error}) if fault.body is None else fault.body
    return Response(body, fault.status, fault.headers, content_type="application/json")
