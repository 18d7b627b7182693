"""The deliveries rebuilt from the REST API give the rows and numbers of the webhook's own deliveries."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clients.github.synthetic_deliveries import deliveries
from ops.send import accounts, payloads
from tests.clients.github.histories import (
    AUTHOR,
    BOT,
    MONA,
    RUN,
    after,
    an_eventful_issue,
    comparable,
    history_of,
    hosted,
    names,
    rebuild,
    row,
    text_after,
    webhook_rows,
)
from tests.support.messages import NOON, an_issue
from tests.support.warehouse import ISSUES, Warehouse


def test_rebuilt_rows_equal_the_webhook_s() -> None:
    """Every column equals that of the webhook's delivery, except those that say how the delivery came."""
    events = an_eventful_issue()
    rebuilt = [row(each) for each in rebuild(hosted(*events))]
    assert comparable(rebuilt) == comparable(webhook_rows(events))
    assert {each["source"] for each in rebuilt} == {"backfill"}
    assert [each["event_at"] for each in rebuilt] == sorted(each["event_at"] for each in rebuilt)


@st.composite
def issue_lives(draw: st.DrawFn) -> list[payloads.Event]:
    """Draw the events of an issue, no two in the same second."""
    issue, at = an_issue(author=draw(st.sampled_from([AUTHOR, BOT, None]))), NOON
    events = [issue.opened()]
    for place, (kind, by, seconds) in enumerate(
        draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["comment", "label", "assign", "close or reopen"]),
                    st.sampled_from([MONA, BOT, AUTHOR]),
                    st.integers(1, 40 * 86_400),
                ),
                max_size=12,
            )
        )
    ):
        at += timedelta(seconds=seconds)
        if kind == "comment":
            events.append(issue.commented(by, at, "x"))
        elif kind == "label":
            events.append(issue.labeled(by, at, f"label {place}"))
        elif kind == "assign":
            events.append(issue.assigned(by, at, accounts.Account(login=f"person-{place}")))
        elif issue.state == "open":
            events.append(issue.closed(by, at, "completed"))
        else:
            events.append(issue.reopened(by, at))
    return events


@settings(max_examples=60, deadline=None)
@given(issue_lives(), st.randoms(use_true_random=False))
def test_rebuilt_rows_of_any_issue_equal_the_webhook_s(events: list[payloads.Event], random: Any) -> None:
    """The rows equal the webhook's for any events, in any order in which GitHub lists them."""
    repository = hosted(*events)
    random.shuffle(repository.comments)
    random.shuffle(repository.events)
    history = history_of(repository, read_at=datetime(2030, 1, 1, tzinfo=UTC))
    assert comparable([row(each) for each in rebuild(repository, history)]) == comparable(
        webhook_rows(events)
    )


def test_the_views_give_the_same_numbers(warehouse: Warehouse) -> None:
    """The views show the same for a backfilled history, partly stored twice, as for the webhook's."""
    other = an_issue(number=8, title="Import fails", created_at=after(days=1))
    others = [
        other.opened(),
        other.commented(MONA, after(days=1, minutes=30), "Looking."),
        other.closed(MONA, after(days=9)),
    ]
    quiet = [an_issue(number=9, created_at=after(days=20)).opened()]
    events = [*an_eventful_issue(), *others, *quiet]
    repository = hosted(*events, name="acme/mirror")
    rebuilt = [
        row(each) for number in (7, 8, 9) for each in rebuild(repository, history_of(repository, number))
    ]
    dataset = warehouse.dataset(
        [*ISSUES, "issues_weekly", "reopen_rate", "time_to_close", "time_to_first_response"]
    )
    warehouse.insert(dataset, [*webhook_rows(events), *rebuilt, *rebuilt[:5]])

    def pairs(view: str, columns: str = "*", order: str = "repository") -> list[list[dict[str, Any]]]:
        question = f"SELECT repository, {columns} FROM `${{DATASET}}.{view}` ORDER BY {order}"
        rows = warehouse.query(question, dataset)
        return [
            [{**each, "repository": None} for each in rows if each["repository"] == name]
            for name in ("acme/app", "acme/mirror")
        ]

    for view, columns, order in (
        ("time_to_close", "n, p50_hours, p90_hours", "repository"),
        ("time_to_first_response", "n, p50_hours, answered_within_24h, unanswered", "repository"),
        ("reopen_rate", "closed_issues, reopened_issues", "repository"),
        ("issues_weekly", "week, opened, closed, reopened, backlog, p50_hours_to_close", "week"),
    ):
        webhook, rebuilt_view = pairs(view, columns, order)
        assert webhook == rebuilt_view != [], view
    stable = "issue_number, state, opened_at, first_response_at, first_closed_at, closed_at, reopen_count"
    webhook, issues = pairs("issues", stable, "issue_number")
    assert webhook == issues
    assert [(each["state"], each["reopen_count"]) for each in issues] == [
        ("closed", 1),
        ("closed", 0),
        ("open", 0),
    ]
    assert issues[0]["first_response_at"] == after(hours=5)
    assert issues[0]["closed_at"] == after(days=50)


def test_a_transferred_issue_arrives_with_its_comments() -> None:
    """A transferred issue arrives at its transfer, with its comments and without its earlier events."""
    old = an_issue(repository=accounts.Repository(full_name="acme/old"), number=3)
    _, moved = old.transferred(MONA, after(days=5), accounts.Repository(full_name="acme/app"), 7)
    repository = hosted(
        moved.opened(old_issue=old.as_json(), old_repository=old.repository.as_json()),
        moved.labeled(MONA, after(days=6), "bug"),
    )
    repository.add_event(7, "labeled", MONA.as_json(), text_after(days=1), label={"name": "old"})
    comment = moved.commented(MONA, after(days=8), "Here.").payload["comment"]
    repository.comments += [comment, comment | {"id": 1, "created_at": text_after(days=2)}]
    rebuilt = rebuild(repository)
    assert names(rebuilt) == [
        "issues.opened",
        "issue_comment.created",
        "issues.labeled",
        "issue_comment.created",
    ]
    opened, early, *_ = [row(each) for each in rebuilt]
    assert opened["event_at"] == "2026-01-05T12:00:00.000000Z"
    assert opened["issue_updated_at"] == early["issue_updated_at"] == "2026-01-10T12:00:00.000000Z"
    assert opened["transferred_from_repository"] == "unknown"
    assert early["comment_created_at"] == early["event_at"] == "2026-01-07T12:00:00.000000Z"
    assert rebuild(repository, until=after(days=4)) == []


def test_events_from_until_on_are_left_to_the_webhook() -> None:
    """Events at or after `until` are left out, and the others are unchanged."""
    repository = hosted(*an_eventful_issue())
    early = rebuild(repository, until=after(days=40))
    assert early == rebuild(repository)[: len(early)]
    assert names(early)[-1] == "issue_comment.created"


def test_delivery_ids_are_stable() -> None:
    """A later run gives the same ids for the same events; no two events share an id."""
    events = an_eventful_issue()
    first, second = (
        rebuild(hosted(*events[:5])),
        rebuild(hosted(*events), received_at=RUN + timedelta(days=9)),
    )
    ids = [each.delivery_id for each in second]
    assert [each.delivery_id for each in first] == ids[:5]
    assert len(set(ids)) == len(ids)
    other = rebuild(hosted(*events, name="acme/other"))
    assert not {each.delivery_id for each in other} & set(ids)


def test_deleted_accounts_are_ghosts() -> None:
    """A deleted account has no login as an author and is `ghost` as a sender."""
    issue = an_issue(author=None)
    repository = hosted(issue.opened(), issue.commented(None, after(hours=1), "x"))
    rows = [row(each) for each in rebuild(repository)]
    assert [(each["issue_author"], each["sender"]) for each in rows] == [(None, "ghost")] * 2
    assert rows[1]["comment_author"] is None


def test_a_payload_has_no_field_that_webhooks_lack() -> None:
    """Fields that only the REST API has, such as a clone token, are not published."""
    repository = hosted(an_issue().opened())
    described = repository.repository.as_json() | {
        "temp_clone_token": "secret",
        "permissions": {"admin": True},
    }
    [delivery] = deliveries(described, history_of(repository), RUN)
    assert b"secret" not in delivery.body
    assert b"permissions" not in delivery.body
    assert json.loads(delivery.body)["organization"]["login"] == "acme"
    assert (delivery.repository, delivery.event, delivery.action) == ("acme/app", "issues", "opened")
