"""reconcile under test: GitHub in this process, a clock that only waiting moves, a warehouse in memory."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from werkzeug.test import Client

from clients.github.client import GitHubClient
from clients.github.webhooks import Webhooks
from clients.pubsub.held_messages import HeldMessage
from functions.reconcile.ledger import Ledger
from functions.reconcile.missed import KnownIssue
from functions.reconcile.plan import LedgerRow, Past, midnight
from functions.reconcile.report import Report
from functions.reconcile.run import Neighbours, Run
from functions.reconcile.settings import Settings
from functions.reconcile.time_limit import TimeLimit
from local.github.server import TOKEN, GitHubServer
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from tests.support.messages import push

INGEST = "https://ingest-abc-uc.a.run.app/"
API = "https://api.github.com"
START = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
ENVIRONMENT = {
    "PUBSUB_TOPIC": "projects/p/topics/github-events",
    "BIGQUERY_DATASET": "p.github",
    "GITHUB_API_URL": API,
    "GITHUB_TOKEN": TOKEN,
    "GITHUB_SOURCES": "acme/app",
    "INGEST_URL": INGEST,
}


class Clock:
    """A clock that moves only when somebody waits or a test says so; GitHub's is the same."""

    def __init__(self, moved: Callable[[datetime], None]) -> None:
        self.now = START
        self._moved = moved
        self.advance(0)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=seconds)
        self._moved(self.now)


class InProcess(BaseAdapter):
    """Sends requests to a WSGI application without a socket; each one takes some time of the clock."""

    def __init__(self, app: Any, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._client = Client(app)
        self._clock = clock
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Return the application's answer; one that it does not give is a lost connection."""
        self._clock.advance(self._seconds)
        url = urlsplit(str(request.url))
        try:
            answer = self._client.open(
                path=url.path,
                query_string=url.query,
                method=request.method,
                headers=dict(request.headers),
                data=request.body,
                base_url=API,
            )
        except ConnectionAbortedError as error:
            raise requests.ConnectionError from error
        response = requests.Response()
        response.request = request
        response.status_code = answer.status_code
        response.reason = answer.status.partition(" ")[2]
        response.headers.update(answer.headers)
        response.url = str(request.url)
        response.raw = HTTPResponse(body=answer.get_data(), preload_content=False)
        response._content = answer.get_data()
        return response

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Warehouse:
    """What the ledger reads and writes, in memory; `is_away` makes every call fail."""

    events: dict[str, Delivery] = field(default_factory=dict)
    inserted_at: dict[str, datetime] = field(default_factory=dict)
    rows: list[LedgerRow] = field(default_factory=list)
    is_away: bool = False

    def insert(self, delivery: Delivery, at: datetime) -> None:
        """Store a delivery, the first copy only."""
        self.events.setdefault(delivery.delivery_id, delivery)
        self.inserted_at.setdefault(delivery.delivery_id, at)

    def past(self, horizon: datetime) -> Past:
        """Return what the ledger proves."""
        self._check()
        last: dict[Any, LedgerRow] = {}
        for row in sorted(self.rows, key=lambda row: row.run_at):
            if row.window_end > horizon:
                last[row.source, row.hook_id, midnight(row.window_start)] = row
        open_since = [row.window_start for row in last.values() if row.expected > row.stored + row.refused]
        ended = [row.window_end for row in self.rows]
        return Past(ended_at=max(ended, default=None), open_since=min(open_since, default=None))

    def stored(self, ids: Collection[str], _since: datetime) -> frozenset[str]:
        """Return which deliveries are stored."""
        self._check()
        return frozenset(each for each in ids if each in self.events)

    def stored_until(self, inserted_by: datetime) -> datetime | None:
        """Return when the latest of the deliveries stored until `inserted_by` was received."""
        found = [
            event.received_at
            for guid, event in self.events.items()
            if event.source == "webhook" and self.inserted_at[guid] <= inserted_by
        ]
        return max(found, default=None)

    def issues(self, repository_id: int, numbers: Collection[int], _since: datetime) -> dict[int, KnownIssue]:
        """Return the latest state of the issues."""
        self._check()
        latest: dict[int, IssueEvent] = {}
        for event in map(IssueEvent.from_delivery, self.events.values()):
            issue = event.issue
            if issue and issue.number in numbers and event.repository_id == repository_id:
                before = latest.get(issue.number)
                if before is None or before.issue.updated_at <= issue.updated_at:
                    latest[issue.number] = event
        return {
            number: KnownIssue(
                updated_at=event.issue.updated_at,
                state=event.issue.state,
                title=event.issue.title,
                labels=frozenset(event.issue.labels),
                assignees=frozenset(event.issue.assignees),
            )
            for number, event in latest.items()
        }

    def write(self, rows: Sequence[LedgerRow]) -> None:
        """Store the rows."""
        self._check()
        self.rows += rows

    def _check(self) -> None:
        if self.is_away:
            raise Unavailable("bigquery_failed", "BigQuery did not answer.")


class Topic:
    """Takes what is published, and hands it to the warehouse."""

    def __init__(self, deliver: Callable[[Delivery], None]) -> None:
        self._deliver = deliver
        self._added: list[Delivery] = []
        self.published: list[Delivery] = []

    def add(self, delivery: Delivery) -> None:
        """Take a delivery."""
        self._added.append(delivery)

    def flush(self) -> None:
        """Publish what was added."""
        for delivery in self._added:
            self.published.append(delivery)
            self._deliver(delivery)
        self._added.clear()


class Hold:
    """The hold: messages, and those that were driven again. `is_away` makes a reading fail.

    `deliver` gets what is driven again, with the subscription that had given up.
    """

    def __init__(self, deliver: Callable[[Delivery, str | None], None]) -> None:
        self.messages: list[HeldMessage] = []
        self.driven: list[HeldMessage] = []
        self.is_away = False
        self.deliver = deliver
        self._read = 0

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        """Open it."""
        self._read = 0
        yield self

    def add(self, delivery: Delivery, gave_up: str, held_at: datetime) -> None:
        """Hold a delivery."""
        data, attributes = delivery.to_message()
        source = {"CloudPubSubDeadLetterSourceSubscription": gave_up}
        message_id = f"{len(self.messages)}-{delivery.delivery_id}"
        self.messages.append(
            HeldMessage(
                message_id=message_id, held_at=held_at, data=data, attributes={**attributes, **source}
            )
        )

    def pull(self, limit: int) -> list[HeldMessage]:
        """Return the next messages."""
        if self.is_away:
            raise Unavailable("subscription_failed", "The hold did not answer.")
        found = self.messages[self._read : self._read + limit]
        self._read += len(found)
        return found

    def redrive(self, messages: Sequence[HeldMessage]) -> None:
        """Publish messages again."""
        for message in messages:
            self.driven.append(message)
            self.messages.remove(message)
            self._read -= 1
            delivery = Delivery.from_push(push(message.data, message.redriven_attributes()))
            self.deliver(delivery, message.gave_up)


class Rig:
    """GitHub with acme/app, a webhook that points to ingest, and everything behind it.

    `status_of` is what ingest answers to an attempt: event, guid and number of the attempt, from 1.
    `is_storing` false: what ingest accepts is not stored until `store`.
    """

    def __init__(self, request_seconds: float = 0.3) -> None:
        self.server = GitHubServer()
        self.github = self.server.github
        self.github.hooks._send = self._ingest
        self.github.reset_at = START.timestamp() + 10**9
        self.github.remaining = 10**9
        self.clock = Clock(lambda now: setattr(self.github, "now", now))
        self.app = InProcess(self.server.create_app(), self.clock, request_seconds)
        self.warehouse = Warehouse()
        self.topic = Topic(self._store)
        self.hold = Hold(lambda delivery, gave_up: gave_up == "stream-bq" and self._store(delivery))
        self.status_of: Callable[[str, str, int], int] = lambda _event, _guid, _number: 202
        self.is_storing = True
        self.accepted: list[Delivery] = []
        self._attempts: dict[str, int] = {}
        self.host = self.github.host("acme/app")

    def hook(self, place: str = "acme/app", url: str = INGEST, **more: Any) -> dict[str, Any]:
        """Create a webhook."""
        events = ["issues", "issue_comment"]
        body = {"name": "web", "config": {"url": url, "content_type": "json"}, "events": events, **more}
        return self.github.hooks.create(place, body)

    def run(self, seconds: float = 1500, **environment: str) -> Report:
        """Make one run."""
        settings = Settings.from_environment({**ENVIRONMENT, **environment})
        ends_at = self.clock.now + timedelta(seconds=seconds)
        limit = TimeLimit(ends_at, lambda: self.clock.now, self.clock.advance)
        client = GitHubClient(
            settings.github, limit.check, sleep=self.clock.advance, clock=lambda: self.clock.now
        )
        client._session.mount(API, self.app)
        ledger: Ledger = self.warehouse  # type: ignore[assignment]
        neighbours = Neighbours(
            github=client,
            webhooks=Webhooks(client),
            ledger=ledger,
            publisher=lambda: self.topic,
            hold=self.hold,
        )
        return Run(neighbours, settings, self.clock.now, limit).run()

    def asked(self) -> list[str]:
        """Return the GUIDs of all requests for a redelivery."""
        return [guid for _, guid in self.github.hooks.asked]

    def store(self) -> None:
        """Store what ingest accepted while storing stood still."""
        self.is_storing = True
        for delivery in self.accepted:
            self._store(delivery)
        self.accepted.clear()

    def _ingest(self, _hook: Any, event: str, guid: str, payload: Any) -> int:
        number = self._attempts[guid] = self._attempts.get(guid, 0) + 1
        status = 200 if event == "ping" else self.status_of(event, guid, number)
        if status == 202:
            delivery = Delivery(
                delivery_id=guid, event=event, body=json.dumps(payload).encode(), received_at=self.clock.now
            )
            if self.is_storing:
                self._store(delivery)
            else:
                self.accepted.append(delivery)
        return status

    def _store(self, delivery: Delivery) -> None:
        self.warehouse.insert(delivery, self.clock.now)
