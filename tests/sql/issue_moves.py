"""What happens to an issue of the random lives, one event after another; the outcome notes each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.send import accounts, payloads
from tests.sql.deliveries import Subject
from tests.sql.issue_cast import BOTS, PEOPLE, Cast, association
from tests.sql.issue_outcome import Outcome

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
ISSUES = 9
LABELS = ["bug", "docs", "help wanted"]
REASONS = ["completed", "completed", "not_planned", "duplicate", None, "a word of next year"]


class LivingIssue(Subject):
    """An issue of people who have a place in the repository, or none."""

    written = 0

    def as_json(self) -> dict[str, Any]:
        """Return the issue as payloads show it now."""
        return super().as_json() | {
            "author_association": association(self.author, self.updated_at or self.created_at)
        }

    def commented(
        self, by: accounts.Account | None, at: datetime, text: str, comment_id: int | None = None
    ) -> payloads.Event:
        """Add a comment; like GitHub's, a later one has a larger id."""
        self.written += 1
        of_issue = accounts.number_for(f"{self.repository.full_name}#{self.number}") * 1_000
        event = super().commented(by, at, text, comment_id or of_issue + self.written)
        event.payload["comment"]["author_association"] = association(by, at)
        return event

    def comment_changed(
        self, action: str, comment: payloads.Event, by: accounts.Account | None, at: datetime
    ) -> payloads.Event:
        """Return the edit or deletion of a comment, whose author may have left the team since."""
        event = super().comment_changed(action, comment, by, at)
        new = event.payload["comment"]
        author = next((person for person in [*PEOPLE, *BOTS] if person.as_json() == new["user"]), None)
        changed = {"comment": {**new, "author_association": association(author, at)}}
        return payloads.Event(name=event.name, payload=event.payload | changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One event at its time; `key` is repository id and issue number."""

    at: datetime
    event: payloads.Event
    key: tuple[int, int]


def issue_events(
    rng: random.Random,
    subject: LivingIssue,
    others: list[accounts.Repository],
    cast: Cast,
    outcomes: dict[tuple[int, int], Outcome],
) -> Iterator[TimelineEvent]:
    """Yield what happens to the issue, and note it in `outcomes`, also of the issue that it may become."""
    key = (subject.repository.id, subject.number)
    if subject.is_pull_request:
        for _ in range(3):
            at = some_time(rng)
            yield TimelineEvent(at=at, event=subject.commented(rng.choice(PEOPLE), at, "Nice"), key=key)
        return
    outcome = outcomes[key] = Outcome(
        cast=cast,
        author=subject.author,
        opened_at=subject.created_at,
        is_certain=subject.comments == 0,
    )
    outcome.opened(subject.labels)
    opened = subject.opened()
    if rng.random() < 0.1:
        del opened.payload["issue"]["comments"]
        outcome.is_certain = False
    yield TimelineEvent(at=subject.created_at, event=opened, key=key)
    yield from _later_events(rng, subject, subject.created_at, others, outcomes)


def _later_events(  # noqa: PLR0912, PLR0915 - one branch for each kind of event
    rng: random.Random,
    subject: LivingIssue,
    at: datetime,
    others: list[accounts.Repository],
    outcomes: dict[tuple[int, int], Outcome],
) -> Iterator[TimelineEvent]:
    key = (subject.repository.id, subject.number)
    outcome = outcomes[key]
    people = PEOPLE
    comments: list[payloads.Event] = []
    changed_at: datetime | None = None
    moves = (
        ["comment"] * 7
        + ["close or reopen"] * 5
        + ["label"] * 3
        + ["unlabel"] * 2
        + ["assign", "edit", "lock", "account deleted", "account deleted"]
    )
    moves += [
        "comment edited",
        "comment edited",
        "comment deleted",
        "delete",
        "transfer",
        "became a pull request",
    ]
    moves += ["status", "status", "status and close", "closed again", "imported"]
    for _ in range(rng.randrange(15)):
        at += _pause(rng)
        if at >= END:
            return
        by = rng.choice(PEOPLE)
        event: payloads.Event | None = None
        match rng.choice(moves):
            case "comment":
                writer = rng.choice([*people, *BOTS, subject.author, None])
                outcome.commented(writer, subject.author, at)
                event = subject.commented(writer, at, "Hello")
                if rng.random() < 0.5:  # it may count itself
                    event.payload["issue"]["comments"] += 1
                comments.append(event)
            case "comment edited" if comments:
                event = subject.comment_changed("edited", rng.choice(comments), by, at)
            case "comment deleted" if comments:
                event = subject.comment_changed("deleted", rng.choice(comments), by, at)
                subject.comments = rng.choice([0, max(subject.comments - 1, 0)])
            case "close or reopen":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                event = _close_or_reopen(rng, subject, by, at, outcome)
            case "status":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                if rng.random() < 0.5:
                    _close_or_reopen(rng, subject, by, at, outcome)
                event = subject.status_changed(by, at)
            case "status and close":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                if rng.random() < 0.3:  # the status is delivered as it was before
                    yield TimelineEvent(at=at, event=subject.status_changed(by, at), key=key)
                event = _close_or_reopen(rng, subject, by, at, outcome)
                yield TimelineEvent(at=at, event=subject.status_changed(by, at), key=key)
            case "closed again" if subject.state == "closed":
                outcome.is_certain = outcome.is_certain and changed_at != at
                changed_at = at
                outcome.reason = rng.choice(REASONS)
                event = subject.closed_again(by, at, outcome.reason)
            case "imported":
                outcome.is_certain = False
                event = _imported(rng, subject, by, at)
            case "became a pull request":
                subject.is_pull_request = True
                event = subject.commented(by, at, "Here is the code")
                outcome.state, outcome.left_at = "transferred", at
            case "label":
                was_shown_at = subject.updated_at
                event = subject.labeled(by, at, rng.choice(LABELS))
                outcome.labelled(subject.labels, at, was_shown_at)
            case "unlabel" if subject.labels:
                was_shown_at = subject.updated_at
                event = subject.unlabeled(by, at, rng.choice(subject.labels))
                outcome.labelled(subject.labels, at, was_shown_at)
            case "assign":
                event = subject.assigned(by, at, rng.choice(PEOPLE))
            case "edit":
                subject.title += "!"
                event = subject.changed("edited", by, at, changes={"title": {"from": subject.title[:-1]}})
            case "lock":
                event = subject.changed("locked", by, at)
            case "account deleted" if subject.author in PEOPLE:
                comments = [_with_deleted_author(comment, subject.author) for comment in comments]
                people = [person for person in PEOPLE if person != subject.author]
                subject.author = None
            case "delete":
                event = subject.deleted(by, at)
                outcome.state = "deleted"
            case "transfer":
                number = ISSUES + 1 + len(outcomes)
                to = rng.choice(others)
                there_key = (to.id, number)
                event, arrival, moved = subject.moved(by, at, to, number)
                outcome.state = "transferred"
                outcomes[there_key] = Outcome(
                    cast=outcome.cast,
                    author=subject.author,
                    opened_at=subject.created_at,
                    state=subject.state,
                    is_certain=False,
                )
                yield TimelineEvent(at=at, event=arrival, key=there_key)
                yield from _later_events(rng, moved, at, others, outcomes)
        if event is not None:
            yield TimelineEvent(at=at, event=event, key=key)
        if outcome.state in {"deleted", "transferred"}:
            if rng.random() < 0.3:
                later = at + timedelta(hours=1)
                yield TimelineEvent(at=later, event=subject.commented(by, later, "Too late"), key=key)
            return
    return


def _close_or_reopen(
    rng: random.Random, subject: Subject, by: accounts.Account, at: datetime, outcome: Outcome
) -> payloads.Event:
    if subject.state == "open":
        reason = rng.choice(REASONS)
        outcome.closed(at, reason)
        return subject.closed(by, at, reason)
    outcome.reopened(at)
    event = subject.reopened(by, at)
    if rng.random() < 0.5:  # GitHub's own example keeps closed_at
        subject.closed_at = None
        event = payloads.Event(name="issues", payload=event.payload | {"issue": subject.as_json()})
    return event


def _with_deleted_author(comment: payloads.Event, author: accounts.Account) -> payloads.Event:
    """Return the comment as GitHub shows it after its author's account was deleted."""
    if comment.payload["comment"]["user"] != author.as_json():
        return comment
    return payloads.Event(
        name=comment.name,
        payload={**comment.payload, "comment": {**comment.payload["comment"], "user": None}},
    )


def _imported(rng: random.Random, subject: Subject, by: accounts.Account, at: datetime) -> payloads.Event:
    """Return a close, or a comment, from before the opening, as an import delivers it."""
    before = subject.created_at - timedelta(hours=rng.randrange(1, 400))
    if rng.random() < 0.5:
        event = subject.closed(by, at)
        subject.closed_at = before
        return payloads.Event(name="issues", payload=event.payload | {"issue": subject.as_json()})
    event = subject.commented(by, at, "Long ago")
    written = {**event.payload["comment"], "created_at": payloads.time_text(before)}
    return payloads.Event(name="issue_comment", payload=event.payload | {"comment": written})


def _pause(rng: random.Random) -> timedelta:
    longest = rng.choice([1, 1, 90, 86_400, 86_400, 20 * 86_400, 150 * 86_400])
    return timedelta(seconds=rng.randrange(longest))


def some_time(rng: random.Random) -> datetime:
    """Return a time in the year."""
    return BEGIN + timedelta(seconds=rng.randrange(365 * 86_400))
