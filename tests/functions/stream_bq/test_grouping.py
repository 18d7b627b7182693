"""Rows that are inserted together keep their own outcomes, whatever BigQuery answers to the request."""

import asyncio
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from functions.stream_bq import table as table_module
from functions.stream_bq.row import Row
from functions.stream_bq.table import Table
from pipeline.errors import Unavailable
from pipeline.group_commit import Limits

NOW = datetime.now(UTC)
LIMITS = Limits(sends=2, group_items=4, group_bytes=1500, waiting_bytes=8000, enough=1)
PHASES = [phase for phase in Phase if phase is not Phase.explain]
ENVELOPE_BYTES = 100  # of one row, and of the whole request


@dataclass(kw_only=True)
class BigQuery(BaseAdapter):
    """Answers the official client's requests in this process.

    A row's `action` says what BigQuery makes of it: `bad` is refused alone, and a whole request for `poison`.
    """

    answers: Sequence[str] = ("ok",)  # to the requests in turn: ok, down, silent
    seconds: float = 0.0
    groups: list[list[int]] = field(default_factory=list)
    outcomes: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    in_flight: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def send(self, request: Any, *_: Any, **options: Any) -> requests.Response:
        """Answer one insertAll."""
        assert "/tables/events/insertAll?" in request.url
        assert 0 < options["timeout"] <= table_module.TIMEOUT_SECONDS
        body = json.loads(request.body)
        assert body["skipInvalidRows"] is True
        numbers = [row["json"]["issue_number"] for row in body["rows"]]
        assert [row["insertId"] for row in body["rows"]] == [
            row["json"]["delivery_id"] for row in body["rows"]
        ]
        assert len(numbers) <= LIMITS.group_items
        assert len(numbers) == 1 or len(request.body) <= LIMITS.group_bytes + ENVELOPE_BYTES * (
            len(numbers) + 1
        )
        with self.lock:
            answer = self.answers[len(self.groups) % len(self.answers)]
            self.groups.append(numbers)
            self.in_flight += 1
            assert self.in_flight <= LIMITS.sends
        time.sleep(self.seconds)
        with self.lock:
            self.in_flight -= 1
        actions = [row["json"]["action"] for row in body["rows"]]
        if answer == "silent":
            self._note(numbers, ["bigquery_failed"] * len(numbers))
            raise requests.ReadTimeout
        if answer == "down" or "poison" in actions:
            self._note(numbers, ["bigquery_failed"] * len(numbers))
            return reply(request, 503 if answer == "down" else 400, {"error": {"message": "sesame"}})
        self._note(numbers, ["row_refused" if action == "bad" else "stored" for action in actions])
        errors = [{"reason": "invalid", "location": f"column_{number}"} for number in numbers]
        refused = [
            {"index": index, "errors": [errors[index]]}
            for index, action in enumerate(actions)
            if action == "bad"
        ]
        return reply(request, 200, {"insertErrors": refused} if refused else {})

    def close(self) -> None:
        """Nothing is open."""

    def _note(self, numbers: list[int], outcomes: list[str]) -> None:
        with self.lock:
            for number, outcome in zip(numbers, outcomes, strict=True):
                self.outcomes[number].append(outcome)


def reply(request: Any, status: int, content: dict[str, Any]) -> requests.Response:
    """Return an answer as the client sees it."""
    response = requests.Response()
    response.request = request
    response.status_code = status
    response.headers["Content-Type"] = "application/json"
    response._content = json.dumps(content).encode()
    return response


def table_at(service: BigQuery) -> Table:
    """Return a table whose official client talks to the service, and does not retry."""
    session = AuthorizedSession(AnonymousCredentials())
    session.mount("https://", service)
    client = bigquery.Client(project="p", credentials=AnonymousCredentials(), _http=session)
    table = Table("p.d.events")
    table._client = lambda: client
    table._retry = None  # type: ignore[assignment]
    return table


def row(number: int, action: str = "good", delivery_id: str = "", size: int = 1) -> Row:
    """Return a small row; its number is its own, its delivery id may be that of another one."""
    columns = {
        "delivery_id": delivery_id or f"d-{number}",
        "issue_number": number,
        "action": action,
        "payload": "x" * size,
    }
    return Row(columns=columns, event_at=NOW, size=len(json.dumps(columns)), payload_omitted=None)


async def outcome(table: Table, inserted: Row, after: float = 0.0) -> tuple[str, str]:
    """Insert the row, and return the outcome's reason and text."""
    await asyncio.sleep(after)
    try:
        await table.insert(inserted)
    except Unavailable as error:
        return error.reason, str(error)
    return "stored", ""


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bound the groups so that a few rows make several of them."""
    monkeypatch.setattr(table_module, "STREAM_LIMITS", LIMITS)
    return


ROWS = st.lists(
    st.tuples(
        st.sampled_from(("good", "good", "good", "bad", "poison")),
        st.sampled_from(("", "", "", "same", "other")),  # the delivery id
        st.integers(1, 900),
        st.sampled_from((0.0, 0.0, 0.001, 0.004)),
    ),
    min_size=1,
    max_size=25,
)
ANSWERS = st.just(["ok"]) | st.lists(st.sampled_from(("ok", "ok", "down", "silent")), min_size=1, max_size=6)


@settings(
    max_examples=60,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS, answers=ANSWERS, seconds=st.sampled_from((0.0, 0.002)))
def test_each_row_gets_its_own_outcome(rows: list[Any], answers: list[str], seconds: float) -> None:
    """A row is confirmed only if BigQuery stored it, and fails only if it, or its request, was refused."""
    service = BigQuery(answers=answers, seconds=seconds)
    table = table_at(service)

    async def main() -> list[tuple[str, str]]:
        return await asyncio.gather(
            *(
                outcome(table, row(number, action, delivery_id, size), after)
                for number, (action, delivery_id, size, after) in enumerate(rows)
            )
        )

    for number, (reason, text) in enumerate(asyncio.run(main())):
        assert "sesame" not in text
        if reason == "overloaded":
            assert service.outcomes[number] == []
            continue
        assert service.outcomes[number][-1] == reason
        assert set(service.outcomes[number][:-1]) <= {"bigquery_failed"}
        if reason == "row_refused":
            assert text.endswith(f"invalid at column_{number}.")
        if rows[number][0] == "poison":
            assert reason == "bigquery_failed"
        elif answers == ["ok"]:
            assert reason == ("row_refused" if rows[number][0] == "bad" else "stored")


def test_a_lone_row_is_one_request_and_waiting_rows_go_together() -> None:
    """A lone row leaves at once; rows that come while enough inserts are in flight leave together."""
    service = BigQuery(seconds=0.05)
    table = table_at(service)

    async def main() -> None:
        await asyncio.gather(*(outcome(table, row(number)) for number in range(6)))

    asyncio.run(main())
    assert sorted(service.groups) == [[0], [1], [2, 3, 4, 5]]


def test_more_rows_than_fit_into_memory_are_refused_at_once() -> None:
    """If too much waits, a row fails as `overloaded`, and Pub/Sub delivers its message again."""
    service = BigQuery(seconds=0.05)
    table = table_at(service)

    async def main() -> list[tuple[str, str]]:
        return await asyncio.gather(*(outcome(table, row(number, size=900)) for number in range(15)))

    reasons = [reason for reason, _ in asyncio.run(main())]
    assert set(reasons) == {"stored", "overloaded"}
    assert reasons == sorted(reasons, reverse=True)


def test_a_row_is_answered_in_time_if_bigquery_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that BigQuery has not confirmed in time fails, also while it waits, and then it is not sent."""
    monkeypatch.setattr(table_module, "STREAM_SECONDS", 0.05)
    service = BigQuery(seconds=0.5)
    table = table_at(service)

    async def main() -> list[tuple[str, str]]:
        return await asyncio.gather(*(outcome(table, row(number)) for number in range(3)))

    assert {reason for reason, _ in asyncio.run(main())} == {"bigquery_failed"}
    assert {number for group in service.groups for number in group} <= {0, 1}


def test_the_client_is_built_once_and_not_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials may come over the network, so the client is built on a thread, with the first row."""
    built: list[threading.Thread] = []
    client = table_at(BigQuery())._client()

    def connect(project: str) -> bigquery.Client:
        assert project == "p"
        built.append(threading.current_thread())
        return client

    monkeypatch.setattr(table_module, "connect", connect)
    table = Table("p.d.events")
    assert built == []

    async def main() -> list[tuple[str, str]]:
        return await asyncio.gather(*(outcome(table, row(number)) for number in range(9)))

    assert {reason for reason, _ in asyncio.run(main())} == {"stored"}
    assert len(built) == 1
    assert built[0] is not threading.main_thread()
