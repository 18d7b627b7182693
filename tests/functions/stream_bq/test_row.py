"""A row has the contract's columns for every kind of delivery, in a form that BigQuery accepts."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.stream_bq.row import Row, to_row
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.hostile import ANY_JSON, ANY_TEXT, AWKWARD, mutated, nested, paths, shapes
from tests.support.messages import NOON, an_issue
from tests.support.warehouse import COLUMNS, Warehouse

LATER = NOON + timedelta(hours=1)
RECEIVED = NOON + timedelta(hours=2)
INSERTED = NOON + timedelta(hours=3)
MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="triage[bot]", type="Bot")
OTHER = accounts.Repository(full_name="other/site")

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def row_of(
    payload: Any,
    event: str = "issues",
    delivery_id: str = "d-1",
    *,
    store_payload: bool = True,
    hook_id: int | None = None,
) -> Row:
    """Return the row that stream_bq makes of a payload."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    delivery = Delivery(
        delivery_id=delivery_id, event=event, body=body, received_at=RECEIVED, hook_id=hook_id
    )
    return to_row(IssueEvent.from_delivery(delivery), INSERTED, store_payload=store_payload)


def row_of_made(made: payloads.Event, delivery_id: str = "d-1") -> Row:
    """Return the row of what GitHub would deliver."""
    return row_of(made.payload, made.name, delivery_id)


def text_of(moment: datetime) -> str:
    """Return a time as it is in a row."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def depth(value: Any) -> int:
    """Return how deep a JSON value is nested."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(depth, children), default=0)


def scalars(value: Any) -> Iterator[Any]:
    """Yield every key and value of a JSON value."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from scalars(item)
    else:
        yield value


def refuse_constant(name: str) -> None:
    """Fail on a constant that JSON does not have."""
    raise AssertionError(name)


def check_text(text: Any) -> None:
    """Fail unless BigQuery's STRING accepts it."""
    assert isinstance(text, str)
    assert "\0" not in text
    text.encode()


def check_json(text: Any) -> None:
    """Fail unless BigQuery's JSON accepts it."""
    check_text(text)
    value = json.loads(text, parse_constant=refuse_constant)
    assert depth(value) <= 500
    for scalar in scalars(value):
        if isinstance(scalar, str):
            check_text(scalar)
        elif isinstance(scalar, int):
            assert -(2**63) <= scalar < 2**64
        elif isinstance(scalar, float):
            assert abs(scalar) < float("inf")


def check_value(value: Any, kind: str) -> None:
    """Fail unless a column of this type accepts the value."""
    match kind:
        case "STRING":
            check_text(value)
        case "INT64":
            assert type(value) is int
            assert -(2**63) <= value < 2**63
        case "BOOL":
            assert type(value) is bool
        case "TIMESTAMP":
            assert RFC_3339.fullmatch(value)
            datetime.fromisoformat(value)
        case "JSON":
            check_json(value)


def check(row: Row) -> None:
    """Fail unless BigQuery accepts the row by its documented rules."""
    assert set(row.columns) == set(COLUMNS)
    for name, column in COLUMNS.items():
        kind, _, mode = column.partition(" ")
        value = row.columns[name]
        if mode == "REPEATED":
            assert type(value) is list
            for item in value:
                check_value(item, kind)
        elif value is None:
            assert mode != "REQUIRED", name
        else:
            check_value(value, kind)
    request = {"rows": [{"json": row.columns, "insertId": row.columns["delivery_id"]}]}
    assert len(json.dumps(request)) < 10_000_000
    assert (row.payload_omitted is None) or row.columns["payload"] is None


def test_an_opened_issue_fills_the_columns() -> None:
    """Every column of an opened issue is GitHub's value; times are RFC 3339 in UTC, lists are never null."""
    payload = an_issue(labels=["bug", "ui"], assignees=[MONA], body="It fails.", comments=3).opened().payload
    payload["issue"] |= {
        "milestone": {"title": "v1"},
        "type": {"name": "Bug"},
        "status": {"name": "In review", "category": "in_progress"},
        "performed_via_github_app": {"slug": "linear"},
    }
    row = row_of(payload, hook_id=5)
    check(row)
    assert json.loads(row.columns["payload"]) == payload
    assert row.payload_omitted is None
    assert row.columns | {"payload": None} == {
        **dict.fromkeys(COLUMNS),
        "delivery_id": "d-1",
        "event": "issues",
        "action": "opened",
        "event_at": text_of(NOON),
        "received_at": text_of(RECEIVED),
        "inserted_at": text_of(INSERTED),
        "source": "webhook",
        "repository_id": accounts.number_for("acme/app"),
        "repository": "acme/app",
        "organization": "acme",
        "sender": "octavia",
        "sender_type": "User",
        "issue_id": accounts.number_for("acme/app#7"),
        "issue_number": 7,
        "issue_title": "Export fails",
        "issue_url": "https://github.com/acme/app/issues/7",
        "issue_state": "open",
        "issue_author": "octavia",
        "issue_author_type": "User",
        "issue_author_association": "NONE",
        "issue_milestone": "v1",
        "issue_labels": ["bug", "ui"],
        "issue_assignees": ["mona"],
        "issue_comments": 3,
        "issue_created_at": text_of(NOON),
        "issue_updated_at": text_of(NOON),
        "is_pull_request": False,
        "payload_bytes": len(json.dumps(payload)),
        "schema_version": 1,
        "hook_id": 5,
        "issue_type": "Bug",
        "issue_status": "In review",
        "issue_status_category": "in_progress",
        "via_app": "linear",
    }


@pytest.mark.parametrize(
    ("of_comment", "of_issue", "expected"),
    [
        ({"slug": "triage"}, {"slug": "linear"}, "triage"),
        (None, {"slug": "linear"}, "linear"),
        ({"slug": 5}, {"name": "no slug"}, None),
    ],
)
def test_the_app_of_a_comment_comes_before_that_of_its_issue(
    of_comment: Any, of_issue: Any, expected: str | None
) -> None:
    """via_app is the app that wrote the comment, else the one that wrote the issue."""
    payload = an_issue().commented(MONA, LATER, "x").payload
    payload["comment"]["performed_via_github_app"] = of_comment
    payload["issue"]["performed_via_github_app"] = of_issue
    assert row_of(payload, "issue_comment").columns["via_app"] == expected


def transferred() -> tuple[payloads.Event, payloads.Event]:
    """Return GitHub's two deliveries about a transfer: of the old and of the new repository."""
    here = an_issue()
    gone, there = here.transferred(MONA, LATER, OTHER, 3)
    return gone, there.opened(old_issue=here.as_json(), old_repository=here.repository.as_json())


def as_action(made: payloads.Event, action: str) -> payloads.Event:
    """Return the event with another action."""
    return payloads.Event(name=made.name, payload=made.payload | {"action": action})


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            an_issue().closed(MONA, LATER, "not_planned"),
            {
                "action": "closed",
                "event_at": text_of(LATER),
                "issue_state": "closed",
                "issue_state_reason": "not_planned",
                "issue_closed_at": text_of(LATER),
                "issue_updated_at": text_of(LATER),
                "issue_created_at": text_of(NOON),
                "sender": "mona",
            },
        ),
        (
            an_issue().commented(BOT, LATER, "Thanks!"),
            {
                "event": "issue_comment",
                "action": "created",
                "event_at": text_of(LATER),
                "is_pull_request": False,
                "issue_comments": 0,
                "comment_id": accounts.number_for("acme/app#7/1"),
                "comment_author": "triage[bot]",
                "comment_author_type": "Bot",
                "comment_author_association": "MEMBER",
                "comment_created_at": text_of(LATER),
                "comment_url": f"https://github.com/acme/app/issues/7#issuecomment-{accounts.number_for('acme/app#7/1')}",
            },
        ),
        (
            an_issue(is_pull_request=True).commented(MONA, LATER, "x"),
            {"is_pull_request": True, "issue_number": 7},
        ),
        (an_issue().labeled(MONA, LATER, "bug"), {"label": "bug", "issue_labels": ["bug"], "assignee": None}),
        (
            as_action(an_issue().labeled(MONA, LATER, "bug"), "unlabeled"),
            {"action": "unlabeled", "label": "bug", "event_at": text_of(LATER)},
        ),
        (
            an_issue().assigned(BOT, LATER, MONA),
            {"assignee": "mona", "label": None, "issue_assignees": ["mona"]},
        ),
        (
            transferred()[0],
            {
                "action": "transferred",
                "event_at": text_of(RECEIVED),
                "transferred_to_repository": "other/site",
                "transferred_to_number": 3,
                "transferred_from_repository": None,
                "transferred_from_number": None,
            },
        ),
        (
            transferred()[1],
            {
                "action": "opened",
                "repository": "other/site",
                "issue_number": 3,
                "event_at": text_of(NOON),
                "transferred_to_repository": None,
                "transferred_to_number": None,
                "transferred_from_repository": "acme/app",
                "transferred_from_number": 7,
            },
        ),
        (
            an_issue(author=None, body=None).commented(None, LATER, "x"),
            {"issue_author": None, "issue_author_type": None, "comment_author": None, "sender": "ghost"},
        ),
        (
            payloads.ping(accounts.Repository(full_name="acme/app"), MONA),
            {"event": "ping", "action": None, "event_at": text_of(RECEIVED), "repository": "acme/app"},
        ),
        (
            payloads.Event(name="push", payload={"ref": "x", "organization": {"login": "acme"}}),
            {
                "event": "push",
                "issue_number": None,
                "issue_labels": [],
                "organization": "acme",
                "comment_id": None,
            },
        ),
        (
            payloads.Event(
                name="of_tomorrow", payload={"action": "thrown", "sender": {"login": "m", "type": "App"}}
            ),
            {"event": "of_tomorrow", "action": "thrown", "sender": "m", "sender_type": "App"},
        ),
    ],
    ids=[
        *("closed", "commented", "pull-request", "labeled", "unlabeled", "assigned", "transferred"),
        *("came-by-transfer", "ghost", "ping", "push", "unknown"),
    ],
)
def test_the_columns_of_each_kind(made: payloads.Event, expected: dict[str, Any]) -> None:
    """Each kind of delivery fills the columns that it is about and leaves the others null."""
    row = row_of_made(made)
    check(row)
    assert {name: row.columns[name] for name in expected} == expected
    assert json.loads(row.columns["payload"]) == made.payload


def test_the_payload_can_be_left_out() -> None:
    """With STORE_PAYLOAD=false the payload is null, without a reason to warn of."""
    row = row_of({"a": 1}, store_payload=False)
    check(row)
    assert (row.columns["payload"], row.payload_omitted, row.columns["payload_bytes"]) == (None, None, 8)


def quotes(count: int) -> bytes:
    """Return a payload of quotes: each grows to two bytes as JSON text, and to four in the request."""
    return json.dumps({"t": '"' * count, "repository": {"id": 5}}).encode()


def cjk(count: int) -> bytes:
    """Return a payload of Chinese text: three bytes a character, six in the request."""
    return json.dumps({"t": "\u6f22" * count, "repository": {"id": 5}}, ensure_ascii=False).encode()


def deep(levels: int) -> bytes:
    """Return a payload of this depth, the object itself counted."""
    return json.dumps({"t": nested(levels - 1), "repository": {"id": 5}}).encode()


def wide(count: int) -> bytes:
    """Return a payload whose columns alone are too large for a request."""
    people = [{"login": "\U0001f600" * 3000} for _ in range(count)]
    labels = [{"name": "\U0001f600" * 3000} for _ in range(count)]
    issue = {"labels": labels, "assignees": people, "title": "\0" * 500_000}
    return json.dumps({"issue": issue, "repository": {"id": 5}}, ensure_ascii=False).encode()


LEFT_OUT = [
    pytest.param(
        b'{"repository": {"id": 5}, "t": "' + b"x" * 8_000_000 + b'"}', "payload_too_large", id="8-MB"
    ),
    pytest.param(quotes(2_500_000), "payload_too_large", id="quotes"),
    pytest.param(cjk(2_000_000), "payload_too_large", id="cjk"),
    pytest.param(wide(900), "payload_too_large", id="20-MB-of-labels"),
    pytest.param(deep(501), "payload_too_deep", id="501-levels"),
    pytest.param(deep(3000), "payload_too_deep", id="3000-levels"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("body", "reason"), LEFT_OUT)
def test_a_payload_that_bigquery_would_refuse_is_left_out(body: bytes, reason: str) -> None:
    """A payload over BigQuery's limits is null with a reason; the row keeps everything else, and fits."""
    row = row_of(body)
    check(row)
    assert (row.columns["payload"], row.payload_omitted) == (None, reason)
    assert (row.columns["repository_id"], row.columns["payload_bytes"]) == (5, len(body))


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"t": "' + b"x" * 7_900_000 + b'"}', id="just-under-8-MB"),
        pytest.param(quotes(2_200_000), id="quotes"),
        pytest.param(cjk(1_400_000), id="cjk"),
        pytest.param(deep(500), id="500-levels"),
    ],
)
def test_a_payload_within_the_limits_is_kept(body: bytes) -> None:
    """A payload just within BigQuery's limits is stored whole."""
    row = row_of(body)
    check(row)
    assert row.payload_omitted is None
    assert json.loads(row.columns["payload"]) == json.loads(body)


def test_a_value_that_bigquery_refuses_is_replaced() -> None:
    """NUL and lone surrogates become the replacement character, NaN null, and numbers beyond 64 bits text."""
    payload = {
        "k\0": "a\0b",
        "s": "\ud800",
        "n": float("nan"),
        "i": 2**64,
        "u": 2**64 - 1,
        "f": 1e300,
        "b": True,
    }
    row = row_of(payload | {"action": "o\0\udfff"})
    check(row)
    assert row.columns["action"] == "o\ufffd\ufffd"
    assert json.loads(row.columns["payload"]) == {
        "k\ufffd": "a\ufffdb",
        "s": "\ufffd",
        "n": None,
        "i": "18446744073709551616",
        "u": 2**64 - 1,
        "f": 1e300,
        "b": True,
        "action": "o\ufffd\ufffd",
    }


def test_long_texts_and_lists_are_cut() -> None:
    """A text is cut at 1,024 characters and a list at 200 entries, both more than GitHub allows."""
    issue = {"title": "t" * 5000, "labels": [{"name": "n" * 2000}] * 999}
    row = row_of({"issue": issue})
    check(row)
    assert row.columns["issue_title"] == "t" * 1024
    assert row.columns["issue_labels"] == ["n" * 1024] * 200


READ_NAMES = {
    *("issue", "comment", "changes", "repository", "organization", "sender", "label", "assignee", "user"),
    *("new_issue", "new_repository", "old_issue", "old_repository", "labels", "assignees", "milestone"),
    *("status", "category", "performed_via_github_app", "slug"),
    *("action", "id", "number", "title", "body", "html_url", "state", "state_reason", "author_association"),
    *(
        "login",
        "type",
        "full_name",
        "name",
        "comments",
        "created_at",
        "updated_at",
        "closed_at",
        "pull_request",
    ),
}
READ_PLACES = sorted(
    {
        path
        for shape in shapes().values()
        for path in paths(shape.payload)
        if all(isinstance(name, int) or name in READ_NAMES for name in path) and len(path) <= 4
    },
    key=repr,
)


@pytest.mark.slow
@pytest.mark.parametrize("value", [*AWKWARD, nested(20), "x" * 2_000], ids=lambda value: repr(value)[:24])
def test_any_field_may_have_any_value(value: Any) -> None:
    """A field of the wrong type or with a hostile value makes a row that BigQuery accepts."""
    for path in READ_PLACES:
        payload: Any = value
        for name in reversed(path):
            payload = {name: payload} if isinstance(name, str) else [payload]
        check(row_of({"action": "labeled", **payload}))


@given(mutated(), ANY_TEXT)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_any_mutated_delivery_makes_a_valid_row(made: payloads.Event, delivery_id: str) -> None:
    """The row of any mutated delivery obeys BigQuery's rules."""
    check(row_of_made(made, delivery_id or "d-1"))


@given(st.dictionaries(ANY_TEXT | st.sampled_from(["issue", "comment", "changes"]), ANY_JSON, max_size=6))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_any_object_makes_a_valid_row(payload: dict[str, Any]) -> None:
    """Any JSON object makes a row that obeys BigQuery's rules."""
    check(row_of(payload))


def drawn(count: int) -> list[payloads.Event]:
    """Return this many mutated deliveries, the same ones every time."""
    found: list[payloads.Event] = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(mutated())
    def collect(made: payloads.Event) -> None:
        found.append(made)

    collect()
    return found


def test_the_engine_stores_them(warehouse: Warehouse) -> None:
    """A real engine stores the rows of each kind, of hostile payloads, and of payloads over the limits."""
    dataset = warehouse.dataset(views=())
    made = [
        row_of_made(event, f"d-{number}") for number, event in enumerate([*shapes().values(), *drawn(30)])
    ]
    limits = [row_of(case.values[0], delivery_id=f"l-{case.id}") for case in LEFT_OUT]
    edges = [row_of({"t": value, "issue": {"created_at": value}}) for value in AWKWARD]
    rows = [*made, *limits, *edges, row_of(deep(500))]
    warehouse.insert(dataset, [row.columns for row in rows])
    stored = warehouse.query(
        "SELECT COUNT(*) AS n, COUNT(payload) AS payloads FROM `${DATASET}.events`", dataset
    )
    assert stored == [{"n": len(rows), "payloads": len(rows) - len(limits)}]
