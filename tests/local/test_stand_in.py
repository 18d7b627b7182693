"""A stand-in fails the requests that its faults apply to, and keeps its port."""

from dataclasses import dataclass
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from local import faults
from local.stand_in import StandIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(faults.Fault):
    """A fault of the requests with one path."""

    path: str

    def applies_to(self, request: Request) -> bool:
        """Return whether the request has the path."""
        return request.path == self.path


class Service(StandIn):
    """A service that answers `ok`."""

    fault_type = Fault

    @property
    def url(self) -> str:
        """Return the base URL."""
        return self.origin

    def create_app(self) -> Any:
        """Return the WSGI application."""

        @Request.application
        def app(request: Request) -> Response:
            return faults.answer(
                self._take_fault(request),
                carry_out=lambda: Response("ok"),
                fail=lambda fault: Response("failed", fault.status),
                wait=self.wait,
            )

        return app


def statuses(service: Service, *paths: str) -> list[int]:
    """Return the status of one request to each path."""
    return [requests.get(service.url + path, timeout=30).status_code for path in paths]


def test_a_queued_fault_is_used_once() -> None:
    """Each queued fault is for one matching request, in the order in which they were added."""
    with Service(0) as service:
        service.fail_next(2, path="/a", status=500)
        service.fail_next(path="/a", status=502)
        assert statuses(service, "/a", "/b", "/a", "/a", "/a") == [500, 200, 500, 502, 200]


def test_an_outage_lasts_until_it_is_cleared() -> None:
    """An outage fails every matching request that the queue leaves."""
    with Service(0) as service:
        service.fail_until_cleared(path="/a", status=503)
        service.fail_next(path="/a", status=500)
        assert statuses(service, "/a", "/a", "/b", "/a") == [500, 503, 200, 503]
        service.clear_faults()
        assert statuses(service, "/a") == [200]


def test_a_stop_ends_a_hanging_request() -> None:
    """A request that hangs is closed by the stop, long before its time is over."""
    with Service(0) as service:
        service.fail_next(path="/a", hang=600.0)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{service.url}/a", timeout=(5, 0.05))
    assert service._server is None


def test_a_restart_keeps_the_port() -> None:
    """A stand-in has no port before its first start, and keeps it over a restart."""
    service = Service(0)
    with pytest.raises(RuntimeError, match="no port"):
        _ = service.url
    url = service.start()
    with pytest.raises(RuntimeError, match="already running"):
        service.start()
    service.stop()
    with service:
        assert service.url == url
        assert statuses(service, "/a") == [200]
