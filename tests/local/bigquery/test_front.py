"""The door before the local BigQuery passes requests on, or fails them as a fault says."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from local.bigquery.front import BigQueryFront
from local.http_server import HttpServer

SECONDS = 10.0


@pytest.fixture
def reached() -> list[str]:
    """Return what reaches BigQuery: method, target and body of each request."""
    return []


@pytest.fixture
def front(reached: list[str]) -> Iterator[BigQueryFront]:
    """Yield the door before a server that answers 201 with a header of its own."""

    @Request.application
    def bigquery(request: Request) -> Response:
        reached.append(f"{request.method} {request.full_path} {request.get_data(as_text=True)}")
        return Response(b"stored", 201, {"X-Its-Own": request.headers.get("X-Ours", "")})

    server = HttpServer(0, bigquery)
    with BigQueryFront(server.port) as door:
        yield door
    server.close()


def post(
    front: BigQueryFront, path: str = "/tables/t/insertAll?alt=json", **options: Any
) -> requests.Response:
    """Post rows through the door."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            front.url + path, data="rows", headers={"X-Ours": "x"}, timeout=SECONDS, **options
        )


def test_a_request_passes(front: BigQueryFront, reached: list[str]) -> None:
    """Target, headers and body reach BigQuery, and its answer comes back."""
    answer = post(front)
    assert (answer.status_code, answer.text, answer.headers["X-Its-Own"]) == (201, "stored", "x")
    assert reached == ["POST /tables/t/insertAll?alt=json rows"]


@pytest.mark.parametrize(("status", "reason"), [(403, "accessDenied"), (503, "backendError")])
def test_a_refusal(front: BigQueryFront, reached: list[str], status: int, reason: str) -> None:
    """A fault answers in BigQuery's form for the paths that it names, until it is cleared."""
    front.fail_until_cleared(status=status, target="insertAll")
    answer = post(front)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (status, reason)
    assert reached == []
    assert post(front, "/queries").status_code == 201
    front.clear_faults()
    assert post(front).status_code == 201


def test_a_lost_answer(front: BigQueryFront, reached: list[str]) -> None:
    """A fault after the request stores the rows, and closes the connection without an answer."""
    front.fail_next(drop=True, after=True)
    with pytest.raises(requests.ConnectionError):
        post(front)
    assert len(reached) == 1
