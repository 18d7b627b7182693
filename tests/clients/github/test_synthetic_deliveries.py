"""ops.history: the REST API's present and past, told as the webhook would have told it."""

import copy
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.github.issue_history import IssueHistory
from clients.github.synthetic_deliveries import deliveries
from functions.stream_bq.row import to_row
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.errors import Malformed
from pipeline.events import IssueEvent
from tests.ops.backfill.github_server import Hosted
from tests.support.messages import NOON, an_issue
from tests.support.warehouse import Warehouse

RUN = datetime(2026, 11, 1, tzinfo=UTC)
MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="triage[bot]", type="Bot")
AUTHOR = accounts.Account(login="octavia")
PEOPLE = (MONA, BOT, AUTHOR)
OWN = {"delivery_id", "received_at", "inserted_at", "source", "payload", "payload_bytes"}


def after(**delta: float) -> datetime:
    """Return a moment after NOON."""
    return NOON + timedelta(**delta)


def hosted(*events: payloads.Event) -> Hosted:
    """Return what GitHub keeps of these."""
    kept = Hosted(repository=accounts.Repository(full_name="acme/app"))
    for event in events:
        kept.observe(event)
    return kept


def past(kept: Hosted, number: int = 7, read_at: datetime = RUN, **changes: Any) -> IssueHistory:
    """Return the past of one issue; `changes` are of the issue as it is now."""
    return IssueHistory(
        issue=kept.issues[number] | changes,
        comments=[each for each in kept.comments if each["issue_url"].endswith(f"/{number}")],
        events=[each for each in kept.events if each["number"] == number],
        read_at=read_at,
    )


def told(kept: Hosted, what: IssueHistory | None = None, **options: Any) -> list[Delivery]:
    """Return the rebuilt deliveries."""
    repository = kept.repository.as_json()
    return list(deliveries(repository, what or past(kept), options.pop("received_at", RUN), **options))


def names(rebuilt: Sequence[Delivery]) -> list[str]:
    """Return event and action of each."""
    return [f"{each.event}.{each.action}" for each in rebuilt]


def bodies(rebuilt: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Return the JSON of each."""
    return [json.loads(each.body) for each in rebuilt]


def row(delivery: Delivery) -> dict[str, Any]:
    """Return the row that stream_bq stores."""
    event = IssueEvent.from_delivery(delivery)
    return to_row(event, RUN, store_payload=True).columns


def live(events: Sequence[payloads.Event]) -> list[dict[str, Any]]:
    """Return the rows that the webhook itself would have given."""
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


def shared(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns that do not tell how a delivery came."""
    return [{name: value for name, value in each.items() if name not in OWN} for each in rows]


def a_life() -> list[payloads.Event]:
    """Return the deliveries of an issue that has seen much."""
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


def test_a_life_is_told_as_the_webhook_told_it() -> None:
    """Every column that does not say how a delivery came is that of the live deliveries, row by row."""
    events = a_life()
    rebuilt = [row(each) for each in told(hosted(*events))]
    assert shared(rebuilt) == shared(live(events))
    assert {each["source"] for each in rebuilt} == {"backfill"}
    assert [each["event_at"] for each in rebuilt] == sorted(each["event_at"] for each in rebuilt)


Deed = Callable[[payloads.Issue, datetime], payloads.Event]


@st.composite
def lives(draw: st.DrawFn) -> list[payloads.Event]:
    """Draw an issue's life, no two things in the same second."""
    issue, at = an_issue(author=draw(st.sampled_from([AUTHOR, BOT, None]))), NOON
    events = [issue.opened()]
    for place, (deed, by, seconds) in enumerate(
        draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["comment", "label", "assign", "turn"]),
                    st.sampled_from(PEOPLE),
                    st.integers(1, 40 * 86_400),
                ),
                max_size=12,
            )
        )
    ):
        at += timedelta(seconds=seconds)
        if deed == "comment":
            events.append(issue.commented(by, at, "x"))
        elif deed == "label":
            events.append(issue.labeled(by, at, f"label {place}"))
        elif deed == "assign":
            events.append(issue.assigned(by, at, accounts.Account(login=f"person-{place}")))
        elif issue.state == "open":
            events.append(issue.closed(by, at, "completed"))
        else:
            events.append(issue.reopened(by, at))
    return events


@settings(max_examples=60, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_any_life_is_told_as_the_webhook_told_it(events: list[payloads.Event], random: Any) -> None:
    """Whatever happened, and in whatever order GitHub lists it, the rows are those of the live deliveries."""
    kept = hosted(*events)
    random.shuffle(kept.comments)
    random.shuffle(kept.events)
    what = past(kept, read_at=datetime(2030, 1, 1, tzinfo=UTC))
    assert shared([row(each) for each in told(kept, what)]) == shared(live(events))


def test_the_views_give_the_same_numbers(warehouse: Warehouse) -> None:
    """The views say of a backfilled history, some of it twice, what they say of the live one."""
    other = an_issue(number=8, title="Import fails", created_at=after(days=1))
    others = [
        other.opened(),
        other.commented(MONA, after(days=1, minutes=30), "Looking."),
        other.closed(MONA, after(days=9)),
    ]
    quiet = [an_issue(number=9, created_at=after(days=20)).opened()]
    events = [*a_life(), *others, *quiet]
    kept = hosted(*events)
    kept.repository = accounts.Repository(full_name="acme/mirror")
    rebuilt = [row(each) for number in (7, 8, 9) for each in told(kept, past(kept, number))]
    dataset = warehouse.dataset()
    warehouse.insert(dataset, [*live(events), *rebuilt, *rebuilt[:5]])

    def pairs(view: str, columns: str = "*", order: str = "repository") -> list[list[dict[str, Any]]]:
        question = f"SELECT repository, {columns} FROM `${{DATASET}}.{view}` ORDER BY {order}"
        rows = warehouse.query(question, dataset)
        return [
            [
                {**each, "repository": None, "repository_id": None}
                for each in rows
                if each["repository"] == name
            ]
            for name in ("acme/app", "acme/mirror")
        ]

    for view, columns, order in (
        ("time_to_close", "n, p50_hours, p90_hours", "repository"),
        ("time_to_first_response", "n, p50_hours, answered_within_24h, unanswered", "repository"),
        ("reopen_rate", "closed_issues, reopened_issues", "repository"),
        ("issues_weekly", "week, opened, closed, reopened, backlog, p50_hours_to_close", "week"),
    ):
        was, now = pairs(view, columns, order)
        assert was == now, view
        assert was
    stable = "issue_number, state, opened_at, first_response_at, first_closed_at, closed_at, reopen_count"
    was, now = pairs("issues", stable, "issue_number")
    assert was == now
    assert [(each["state"], each["reopen_count"]) for each in now] == [
        ("closed", 1),
        ("closed", 0),
        ("open", 0),
    ]
    assert now[0]["first_response_at"] == after(hours=5)
    assert now[0]["closed_at"] == after(days=50)


def test_what_was_given_with_the_issue_was_there_when_it_was_opened() -> None:
    """Labels that GitHub lists as events of the issue's first second are on the opened issue."""
    kept = hosted(an_issue(labels=["bug", "ui"]).opened())
    rebuilt = told(kept)
    assert names(rebuilt) == ["issues.opened", "issues.labeled", "issues.labeled"]
    assert row(rebuilt[0])["issue_labels"] == ["bug", "ui"]


def test_the_past_is_undone_from_the_present() -> None:
    """Each snapshot has the title, labels, assignees, milestone and lock of its moment."""
    issue = an_issue()
    kept = hosted(issue.opened(), issue.labeled(MONA, after(hours=1), "bug"))
    by, milestone = MONA.as_json(), {"title": "1.0"}
    given = {"assignee": by, "assigner": BOT.as_json()}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("renamed", {"rename": {"from": "Export fails", "to": "Export is empty"}}),
        ("unlabeled", {"label": {"name": "bug", "color": "d73a4a"}}),
        ("milestoned", {"milestone": milestone}),
        ("assigned", given),
        ("unassigned", given),
        ("locked", {"lock_reason": "spam"}),
        ("demilestoned", {"milestone": milestone}),
        ("unlocked", {}),
    ]
    for hour, (kind, extra) in enumerate(changes, 2):
        kept.add_event(7, kind, by, payloads.time_text(after(hours=hour)), **extra)
    rebuilt = bodies(told(kept, past(kept, title="Export is empty", labels=[{"name": "ui"}])))
    assert [each["action"] for each in rebuilt][2:] == [
        *("edited", "unlabeled", "milestoned", "assigned", "unassigned", "locked", "demilestoned", "unlocked")
    ]
    assert [each["issue"]["title"] for each in rebuilt] == ["Export fails"] * 2 + ["Export is empty"] * 8
    labels = [[label["name"] for label in each["issue"]["labels"]] for each in rebuilt]
    assert labels == [["ui"], *[["ui", "bug"]] * 2, *[["ui"]] * 7]
    assert [bool(each["issue"]["milestone"]) for each in rebuilt] == [False] * 4 + [True] * 4 + [False] * 2
    assert [len(each["issue"]["assignees"]) for each in rebuilt] == [0] * 5 + [1] + [0] * 4
    assert [each["issue"]["locked"] for each in rebuilt] == [False] * 7 + [True] * 2 + [False]
    assert rebuilt[2]["changes"] == {"title": {"from": "Export fails"}}
    assert rebuilt[5]["sender"]["login"] == BOT.login
    assert rebuilt[5]["assignee"]["login"] == MONA.login


def test_an_issue_that_came_by_transfer_arrives_when_it_did() -> None:
    """It arrives at the moment of its transfer, with its comments, without what happened elsewhere."""
    old = an_issue(repository=accounts.Repository(full_name="acme/old"), number=3)
    _, there = old.transferred(MONA, after(days=5), accounts.Repository(full_name="acme/app"), 7)
    kept = hosted(
        there.opened(old_issue=old.as_json(), old_repository=old.repository.as_json()),
        there.labeled(MONA, after(days=6), "bug"),
    )
    kept.add_event(7, "labeled", MONA.as_json(), payloads.time_text(after(days=1)), label={"name": "old"})
    comment = there.commented(MONA, after(days=8), "Here.").payload["comment"]
    kept.comments += [comment, comment | {"id": 1, "created_at": payloads.time_text(after(days=2))}]
    rebuilt = told(kept)
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
    assert told(kept, until=after(days=4)) == []


def test_a_close_that_github_does_not_list_is_told() -> None:
    """An imported issue is closed without an event: it is closed at its closed_at, always by the same id."""
    kept = hosted(an_issue().opened())
    closed = payloads.time_text(after(days=3))
    what = past(kept, state="closed", state_reason="completed", closed_at=closed, closed_by=MONA.as_json())
    rebuilt = told(kept, what)
    assert names(rebuilt) == ["issues.opened", "issues.closed"]
    assert row(rebuilt[1])["event_at"] == "2026-01-08T12:00:00.000000Z"
    assert (row(rebuilt[1])["issue_state_reason"], row(rebuilt[1])["sender"]) == ("completed", "mona")
    assert "closed_by" not in bodies(rebuilt)[1]["issue"]
    touched = past(kept, **{**what.issue, "updated_at": payloads.time_text(after(days=9))})
    assert [each.delivery_id for each in told(kept, touched)] == [each.delivery_id for each in rebuilt]


def test_a_reopening_that_github_does_not_list_is_told_once() -> None:
    """An open issue whose last event is a close was reopened; each reading gives the same id."""
    issue = an_issue()
    kept = hosted(issue.opened(), issue.closed(MONA, after(days=1)))
    first = told(kept, past(kept, state="open", updated_at=payloads.time_text(after(days=2))))
    second = told(kept, past(kept, state="open", updated_at=payloads.time_text(after(days=5))))
    assert names(first) == ["issues.opened", "issues.closed", "issues.reopened"]
    assert [each.delivery_id for each in first] == [each.delivery_id for each in second]
    lagging = past(kept, state="open", updated_at=payloads.time_text(NOON))
    assert names(told(kept, lagging)) == ["issues.opened", "issues.closed"]


def test_what_happened_after_the_reading_is_left_to_the_webhook() -> None:
    """What is of the second of the reading or later is not told: the issue may not know it yet."""
    issue = an_issue()
    opened = issue.opened()
    kept = hosted(opened, issue.closed(MONA, after(hours=2)), issue.commented(MONA, after(hours=3), "x"))
    kept.issues[7] = opened.payload["issue"]
    assert names(told(kept, past(kept, read_at=after(hours=2)))) == ["issues.opened"]
    assert told(kept, past(kept, read_at=NOON)) == []


def test_what_happened_after_the_reading_does_not_hide_what_was_before() -> None:
    """An imported, closed issue that is reopened while the events are read was closed all the same."""
    kept = hosted(an_issue().opened())
    kept.add_event(7, "reopened", MONA.as_json(), payloads.time_text(after(days=9)))
    closed = {"state": "closed", "closed_at": payloads.time_text(after(days=3))}
    rebuilt = told(kept, past(kept, read_at=after(days=8), **closed))
    assert names(rebuilt) == ["issues.opened", "issues.closed"]


def test_until_leaves_the_rest_to_the_webhook() -> None:
    """What happened at or after `until` is left out, and what is told is told the same."""
    kept = hosted(*a_life())
    early = told(kept, until=after(days=40))
    assert early == told(kept)[: len(early)]
    assert names(early)[-1] == "issue_comment.created"


def test_the_order_within_a_second_is_kept() -> None:
    """Closing with a comment is one second: received_at keeps the comment before the close."""
    issue = an_issue()
    kept = hosted(
        issue.opened(), issue.commented(MONA, after(hours=1), "Done"), issue.closed(MONA, after(hours=1))
    )
    rebuilt = told(kept)
    assert names(rebuilt)[1:] == ["issue_comment.created", "issues.closed"]
    assert [each.received_at for each in rebuilt] == sorted({each.received_at for each in rebuilt})


def test_ids_are_github_s_and_stay() -> None:
    """A later run gives the same ids for what is known, whatever has happened since; no two are the same."""
    events = a_life()
    first, second = told(hosted(*events[:5])), told(hosted(*events), received_at=RUN + timedelta(days=9))
    ids = [each.delivery_id for each in second]
    assert [each.delivery_id for each in first] == ids[:5]
    assert len(set(ids)) == len(ids)
    kept = hosted(*events)
    kept.repository = accounts.Repository(full_name="acme/other")
    assert not {each.delivery_id for each in told(kept)} & set(ids)


def test_deleted_accounts_are_ghosts() -> None:
    """Who is gone has no login as an author, and a sender is always there."""
    issue = an_issue(author=None)
    kept = hosted(issue.opened(), issue.commented(None, after(hours=1), "x"))
    rows = [row(each) for each in told(kept)]
    assert [(each["issue_author"], each["sender"]) for each in rows] == [(None, "ghost")] * 2
    assert rows[1]["comment_author"] is None


def test_the_payload_holds_no_more_than_a_webhook_s() -> None:
    """What only the REST API tells of a repository, such as a clone token, is not published."""
    kept = hosted(an_issue().opened())
    repository = kept.repository.as_json() | {"temp_clone_token": "secret", "permissions": {"admin": True}}
    [delivery] = deliveries(repository, past(kept), RUN)
    assert b"secret" not in delivery.body
    assert b"permissions" not in delivery.body
    assert json.loads(delivery.body)["organization"]["login"] == "acme"
    assert (delivery.repository, delivery.event, delivery.action) == ("acme/app", "issues", "opened")


@pytest.mark.parametrize("broken", [{"created_at": None}, {"created_at": "soon"}, {"id": None}])
def test_an_event_without_time_or_id_is_refused(broken: dict[str, Any]) -> None:
    """What cannot be placed is an error and not a guess."""
    issue = an_issue()
    kept = hosted(issue.opened(), issue.labeled(MONA, after(hours=1), "bug"))
    kept.events[-1] = copy.deepcopy(kept.events[-1]) | broken
    with pytest.raises(Malformed) as caught:
        told(kept)
    assert caught.value.reason == "history_malformed"
