"""Deliveries of every kind, and the rows that stream_bq stores of them."""

import json
from datetime import datetime, timedelta
from typing import Any, Self

from functions.stream_bq.row import to_row
from ops.send import accounts, payloads
from pipeline.delivery import Delivery, Source
from pipeline.events import IssueEvent
from tests.support.messages import NOON

SECOND = timedelta(seconds=1)


class Subject(payloads.Issue):
    """An issue with every kind of event."""

    def changed(self, action: str, by: accounts.Account | None, at: datetime, **extra: Any) -> payloads.Event:
        """Return another event `issues`: edited, unlabeled, locked, ..."""
        return self._issues(action, by, at, **extra)

    def comment_changed(
        self, action: str, comment: payloads.Event, by: accounts.Account | None, at: datetime
    ) -> payloads.Event:
        """Return the edit or deletion of a comment; like GitHub, a deletion changes no time."""
        new = comment.payload["comment"]
        if action == "edited":
            self.updated_at = at
            new = {**new, "updated_at": payloads.time_text(at)}
        return payloads.Event(name="issue_comment", payload=self._payload(action, by, comment=new))

    def status_changed(
        self, by: accounts.Account | None, at: datetime, state: str | None = None
    ) -> payloads.Event:
        """Return a change of status, which may be a change of state too."""
        if state == "closed":
            self.state_reason, self.closed_at = "completed", at
        self.state = state or self.state
        return self._issues("status_changed", by, at)

    def closed_again(self, by: accounts.Account | None, at: datetime, reason: str | None) -> payloads.Event:
        """Return the `closed` of another reason: closed_at stays."""
        self.state_reason = reason
        return self._issues("closed", by, at)

    def moved(
        self, by: accounts.Account | None, at: datetime, to: accounts.Repository, number: int
    ) -> tuple[payloads.Event, payloads.Event, Self]:
        """Transfer the issue; return the event here, the event there, and the issue there.

        Like GitHub, change no time of the issue here, and keep the labels.
        """
        there = type(self)(
            repository=to,
            number=number,
            title=self.title,
            author=self.author,
            created_at=self.created_at,
            state=self.state,
            state_reason=self.state_reason,
            labels=list(self.labels),
            comments=self.comments,
            updated_at=at,
            closed_at=self.closed_at,
        )
        changes = {"new_issue": there.as_json(), "new_repository": to.as_json()}
        leaves = self.changed("transferred", by, self.updated_at or self.created_at, changes=changes)
        arrives = there.opened(old_issue=self.as_json(), old_repository=self.repository.as_json())
        return leaves, arrives, there


def other_event(
    name: str, repository: accounts.Repository, by: accounts.Account, action: str | None = None
) -> payloads.Event:
    """Return an event that is about no issue: push, star, repository, ..."""
    payload = {"ref": "refs/heads/main"} if action is None else {"action": action}
    return payloads.Event(
        name=name, payload={**payload, "repository": repository.as_json(), "sender": by.as_json()}
    )


def row(
    event: payloads.Event,
    delivery_id: str,
    received_at: datetime,
    *,
    inserted_at: datetime | None = None,
    source: Source = "webhook",
    name: str | None = None,
) -> dict[str, Any]:
    """Return the row that stream_bq stores; `name` is the repository's name if it was renamed."""
    payload = event.payload
    if name is not None:
        payload = {**payload, "repository": {**payload["repository"], "full_name": name}}
    body = json.dumps(payload).encode()
    delivery = Delivery(
        delivery_id=delivery_id, event=event.name, body=body, received_at=received_at, source=source
    )
    stored_at = inserted_at or received_at + SECOND
    return to_row(IssueEvent.from_delivery(delivery), stored_at, store_payload=False).columns


def a_row(**columns: Any) -> dict[str, Any]:
    """Return the row of a push, with some columns replaced."""
    delivery = Delivery(delivery_id="d-1", event="push", body=b"{}", received_at=NOON)
    row = to_row(IssueEvent.from_delivery(delivery), NOON, store_payload=True)
    return row.columns | columns
