"""Histories of issues: what the webhook delivers, and what is rebuilt from the REST API afterwards."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.github.issue_history import IssueHistory
from clients.github.synthetic_deliveries import deliveries
from functions.stream_bq.row import to_row
from local.github.repository import HostedRepository
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

RUN = datetime(2026, 11, 1, tzinfo=UTC)
MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="triage[bot]", type="Bot")
AUTHOR = accounts.Account(login="octavia")
# The columns that differ between a delivery of the webhook and the same one rebuilt.
OWN_COLUMNS = {"delivery_id", "received_at", "inserted_at", "source", "payload", "payload_bytes"}


def after(**delta: float) -> datetime:
    """Return a time after NOON."""
    return NOON + timedelta(**delta)


def text_after(**delta: float) -> str:
    """Return a time after NOON as GitHub writes it."""
    return payloads.time_text(after(**delta))


def hosted(*events: payloads.Event, name: str = "acme/app") -> HostedRepository:
    """Return what GitHub stores of these events."""
    repository = HostedRepository(repository=accounts.Repository(full_name=name))
    for event in events:
        repository.record(event)
    return repository


def history_of(
    repository: HostedRepository, number: int = 7, read_at: datetime = RUN, **changes: Any
) -> IssueHistory:
    """Return the history of one issue; `changes` are fields of the issue as it is now."""
    return IssueHistory(
        issue=repository.issues[number] | changes,
        comments=repository.comments_of(number, ""),
        events=repository.events_of(number),
        read_at=read_at,
    )


def rebuild(
    repository: HostedRepository, history: IssueHistory | None = None, **options: Any
) -> list[Delivery]:
    """Return the deliveries that are built from a history, by default that of issue 7."""
    received_at = options.pop("received_at", RUN)
    history = history or history_of(repository)
    return list(deliveries(repository.repository.as_json(), history, received_at, **options))


def names(rebuilt: Sequence[Delivery]) -> list[str]:
    """Return event and action of each delivery."""
    return [f"{each.event}.{each.action}" for each in rebuilt]


def bodies(rebuilt: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Return the payload of each delivery."""
    return [json.loads(each.body) for each in rebuilt]


def row(delivery: Delivery) -> dict[str, Any]:
    """Return the row that stream_bq stores."""
    event = IssueEvent.from_delivery(delivery)
    return to_row(event, RUN, store_payload=True).columns


def webhook_rows(events: Sequence[payloads.Event]) -> list[dict[str, Any]]:
    """Return the rows of the webhook's own deliveries."""
    return [
        row(
            Delivery(
                delivery_id=payloads.delivery_id(f"{place}"),
                event=event.name,
                action=event.payload["action"],
                repository="acme/app",
                body=json.dumps(event.payload).encode(),
                received_at=NOON + timedelta(seconds=place),
            )
        )
        for place, event in enumerate(events)
    ]


def comparable(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns that are equal for a delivery of the webhook and the same one rebuilt."""
    return [{name: value for name, value in each.items() if name not in OWN_COLUMNS} for each in rows]


def an_eventful_issue() -> list[payloads.Event]:
    """Return the deliveries of an issue with many changes."""
    issue = an_issue(body="It is empty.")
    return [
        issue.opened(),
        issue.commented(BOT, after(minutes=1), "Thank you"),
        issue.labeled(BOT, after(minutes=2), "bug"),
        issue.commented(AUTHOR, after(hours=1), "Anybody?"),
        issue.commented(MONA, after(hours=5), "I can see it."),
        issue.assigned(MONA, after(hours=6), AUTHOR),
        issue.closed(MONA, after(days=2), "not_planned"),
        issue.commented(None, after(days=3), "It is back."),
        issue.reopened(AUTHOR, after(days=40)),
        issue.labeled(MONA, after(days=41), "regression"),
        issue.closed(MONA, after(days=50)),
    ]
