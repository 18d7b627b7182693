"""An event has typed values where the payload has them, and None where it does not."""

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.errors import Malformed
from pipeline.events import Comment, Issue, IssueEvent, IssueRef, parse_payload
from tests.support.hostile import ANY_JSON, mutated, paths, shapes
from tests.support.messages import NOON, an_issue

LATER = NOON + timedelta(hours=1)
RECEIVED = NOON + timedelta(days=1)
MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="triage[bot]", type="Bot")
OTHER = accounts.Repository(full_name="other/site")


def read(payload: Any, event: str = "issues", **changes: Any) -> IssueEvent:
    """Read a payload as stream_bq and notify_slack do."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    fields: dict[str, Any] = {"delivery_id": "d-1", "event": event, "body": body, "received_at": RECEIVED}
    return IssueEvent.from_delivery(Delivery(**fields | changes))


def read_built(made: payloads.Event) -> IssueEvent:
    """Read what GitHub would deliver."""
    return read(made.payload, made.name)


def test_an_opened_issue_is_read_whole() -> None:
    """Every field of an issue is read with its type."""
    payload = (
        an_issue(labels=["bug", "ui"], assignees=[MONA, BOT], body="It fails.", comments=3).opened().payload
    )
    payload["issue"] |= {
        "milestone": {"title": "v1", "number": 4},
        "type": {"id": 1, "name": "Bug", "color": "red", "is_enabled": True},
        "status": {"id": 2, "name": "In review", "category": "in_progress"},
        "performed_via_github_app": {"id": 3, "slug": "linear", "name": "Linear"},
    }
    event = read(payload, source="reconcile", hook_id=5)
    assert event == IssueEvent(
        delivery_id="d-1",
        event="issues",
        action="opened",
        event_at=NOON,
        received_at=RECEIVED,
        source="reconcile",
        hook_id=5,
        repository_id=accounts.number_for("acme/app"),
        repository="acme/app",
        organization="acme",
        sender="octavia",
        sender_type="User",
        issue=Issue(
            id=accounts.number_for("acme/app#7"),
            number=7,
            title="Export fails",
            body="It fails.",
            url="https://github.com/acme/app/issues/7",
            state="open",
            state_reason=None,
            author="octavia",
            author_type="User",
            author_association="NONE",
            milestone="v1",
            type="Bug",
            status="In review",
            status_category="in_progress",
            via_app="linear",
            labels=("bug", "ui"),
            assignees=("mona", "triage[bot]"),
            comments=3,
            created_at=NOON,
            updated_at=NOON,
            closed_at=None,
        ),
        is_pull_request=False,
        label=None,
        assignee=None,
        comment=None,
        transferred_to=None,
        transferred_from=None,
        payload=payload,
        payload_bytes=len(json.dumps(payload)),
    )


def test_a_closed_and_a_reopened_issue() -> None:
    """The state and its reason are GitHub's; closed_at may be set on an issue that is open again."""
    issue = an_issue()
    closed = read_built(issue.closed(MONA, LATER, "not_planned"))
    assert closed.issue is not None
    assert (closed.issue.state, closed.issue.state_reason) == ("closed", "not_planned")
    assert (closed.issue.closed_at, closed.sender) == (LATER, "mona")
    reopened = read_built(issue.reopened(BOT, LATER + timedelta(hours=1)))
    assert reopened.issue is not None
    assert (reopened.issue.state, reopened.issue.state_reason) == ("open", "reopened")
    assert (reopened.issue.closed_at, reopened.sender_type) == (LATER, "Bot")


def test_a_comment_is_read_whole() -> None:
    """Every field of a comment is read, and whether it is on an issue or on a pull request."""
    event = read_built(an_issue().commented(BOT, LATER, "Thanks!"))
    number = accounts.number_for("acme/app#7/1")
    assert event.comment == Comment(
        id=number,
        author="triage[bot]",
        author_type="Bot",
        author_association="MEMBER",
        body="Thanks!",
        via_app=None,
        created_at=LATER,
        updated_at=LATER,
        url=f"https://github.com/acme/app/issues/7#issuecomment-{number}",
    )
    assert event.is_pull_request is False


def test_a_comment_on_a_pull_request() -> None:
    """A comment on a pull request arrives as issue_comment and is recognised."""
    event = read_built(an_issue(is_pull_request=True).commented(MONA, LATER, "Looks good"))
    assert event.is_pull_request is True
    assert event.issue is not None
    assert event.issue.url == "https://github.com/acme/app/pull/7"


def test_deleted_accounts_have_no_name() -> None:
    """GitHub writes null for a deleted account, which is read as None."""
    event = read_built(an_issue(author=None, body=None).commented(None, LATER, "Still broken"))
    assert event.issue is not None
    assert event.comment is not None
    assert (event.issue.author, event.issue.author_type, event.issue.body) == (None, None, None)
    assert (event.comment.author, event.comment.author_type, event.sender) == (None, None, "ghost")


@pytest.mark.parametrize(
    ("action", "label"),
    [("labeled", "bug"), ("unlabeled", "bug"), ("opened", None), ("edited", None)],
)
def test_a_label_counts_for_its_actions_only(action: str, label: str | None) -> None:
    """`label` is set for the actions labeled and unlabeled alone."""
    payload = an_issue().labeled(MONA, LATER, "bug").payload | {"action": action}
    assert read(payload).label == label


@pytest.mark.parametrize(
    ("action", "assignee"),
    [("assigned", "mona"), ("unassigned", "mona"), ("opened", None), ("labeled", None)],
)
def test_an_assignee_counts_for_its_actions_only(action: str, assignee: str | None) -> None:
    """`assignee` is set for the actions assigned and unassigned alone."""
    payload = an_issue().assigned(BOT, LATER, MONA).payload | {"action": action}
    assert read(payload).assignee == assignee


def test_a_transfer_names_both_ends() -> None:
    """A transfer names the new issue in the old repository, and the old issue in the new one's `opened`."""
    here = an_issue()
    gone, there = here.transferred(MONA, LATER, OTHER, 3)
    came = there.opened(old_issue=here.as_json(), old_repository=here.repository.as_json())
    assert read_built(gone).transferred_to == IssueRef(repository="other/site", number=3)
    assert read_built(gone).transferred_from is None
    assert read_built(came).transferred_from == IssueRef(repository="acme/app", number=7)
    assert read_built(came).transferred_to is None


@pytest.mark.parametrize(
    ("event", "action", "expected"),
    [
        ("issues", "opened", "issue.created_at"),
        ("issues", "closed", "issue.closed_at"),
        ("issues", "reopened", "issue.updated_at"),
        ("issues", "edited", "issue.updated_at"),
        ("issues", "of_tomorrow", "issue.updated_at"),
        ("issues", None, "issue.updated_at"),
        ("issue_comment", "created", "comment.created_at"),
        ("issue_comment", "edited", "comment.updated_at"),
        ("issue_comment", "pinned", "issue.updated_at"),
        ("issue_of_tomorrow", "opened", "issue.updated_at"),
    ],
)
def test_when_it_happened(event: str, action: str | None, expected: str) -> None:
    """event_at is the time at GitHub that the contract names for the event and its action."""
    times = {
        "issue": {
            "created_at": "2026-01-05T01:00:00Z",
            "updated_at": "2026-01-05T02:00:00Z",
            "closed_at": "2026-01-05T03:00:00Z",
        },
        "comment": {"created_at": "2026-01-05T04:00:00Z", "updated_at": "2026-01-05T05:00:00Z"},
    }
    payload: dict[str, Any] = copy.deepcopy(times) | {"action": action}
    if event != "issue_comment":
        del payload["comment"]
    about, name = expected.split(".")
    assert read(payload, event).event_at == datetime.fromisoformat(times[about][name])


@pytest.mark.parametrize(
    ("event", "action"),
    [("issues", "deleted"), ("issues", "transferred"), ("issue_comment", "deleted")],
)
def test_what_leaves_no_time_happened_when_it_was_received(event: str, action: str) -> None:
    """GitHub dates no deletion and no transfer: its receipt does; the last change if it is backfilled."""
    payload = {
        "action": action,
        "issue": {"created_at": "2026-01-05T01:00:00Z", "updated_at": "2026-01-05T02:00:00Z"},
        "comment": {"created_at": "2026-01-05T01:00:00Z", "updated_at": "2026-01-05T01:00:00Z"},
    }
    assert read(payload, event).event_at == RECEIVED
    assert read(payload, event, source="replay").event_at == RECEIVED
    backfilled = read(payload, event, source="backfill")
    assert backfilled.event_at == datetime(2026, 1, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("ping", payloads.ping(accounts.Repository(full_name="acme/app"), MONA).payload),
        ("push", {"ref": "refs/heads/main", "commits": []}),
        ("repository", {"action": "deleted", "repository": {"id": 5, "updated_at": "2026-01-05T04:00:00Z"}}),
        ("star", {"action": "created", "issue": None}),
        ("issues", {"action": "opened", "issue": {}}),
        ("issues", {"action": "opened", "issue": {"created_at": "yesterday", "updated_at": 1700000000}}),
        ("issue_comment", {"action": "created", "comment": {"created_at": "2026-01-05T04:00:00Z"}}),
    ],
    ids=["ping", "push", "repository", "star", "empty-issue", "times-that-are-none", "comment-without-issue"],
)
def test_an_event_without_a_time_has_that_of_its_receipt(event: str, payload: dict[str, Any]) -> None:
    """Without an issue, or without a time in it, event_at is the time of receipt."""
    assert read(payload, event).event_at == RECEIVED


@pytest.mark.parametrize("missing", ["issue.created_at", "issue.closed_at", "comment.created_at"])
def test_a_missing_time_falls_back(missing: str) -> None:
    """Without the time of its action, a delivery has the time of the issue's last update."""
    issue = an_issue()
    made = {
        "issue.created_at": issue.opened,
        "issue.closed_at": lambda: issue.closed(MONA, LATER),
        "comment.created_at": lambda: issue.commented(MONA, LATER, "x"),
    }[missing]()
    about, name = missing.split(".")
    del made.payload[about][name]
    made.payload["issue"]["updated_at"] = "2026-01-06T00:00:00Z"
    assert read_built(made).event_at == datetime(2026, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("event", ["push", "ping", "unheard_of"])
def test_an_event_without_an_issue_keeps_the_rest(event: str) -> None:
    """An event without an issue has its repository, its sender and its whole payload."""
    payload = {
        "repository": {"id": 5, "full_name": "a/b"},
        "sender": {"login": "mona", "type": "User"},
        "x": [1],
    }
    found = read(payload, event)
    assert (found.issue, found.comment, found.is_pull_request, found.action) == (None, None, None, None)
    assert (found.repository_id, found.repository, found.sender) == (5, "a/b", "mona")
    assert found.payload == payload


def test_numbers_beyond_int64_and_booleans_are_none() -> None:
    """A number that no column can store, or a boolean in place of a number, is read as None."""
    payload = {"issue": {"id": 2**63, "number": True, "comments": 1.5}, "repository": {"id": -(2**63)}}
    event = read(payload)
    assert event.issue is not None
    assert (event.issue.id, event.issue.number, event.issue.comments) == (None, None, None)
    assert event.repository_id == -(2**63)


def test_labels_without_a_name_are_skipped() -> None:
    """One broken label or assignee does not hide the others."""
    payload = {
        "issue": {"labels": [{"name": "bug"}, "ui", {"name": 5}, None, {}, {"name": "b"}], "assignees": {}}
    }
    event = read(payload)
    assert event.issue is not None
    assert (event.issue.labels, event.issue.assignees) == (("bug", "b"), ())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "body_not_json"),
        (b"{", "body_not_json"),
        (b"\xff\xfe{}", "body_not_json"),
        (b'{"a": "\xff"}', "body_not_json"),
        (b"\xef\xbb\xbf{}", "body_not_json"),
        (b"[" * 200_000, "body_not_json"),
        (b'{"n": ' + b"9" * 4301 + b"}", "body_not_json"),
        (b"[]", "body_not_object"),
        (b"null", "body_not_object"),
        (b'"x"', "body_not_object"),
        (b"NaN", "body_not_object"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else value,
)
def test_another_body_than_an_object_is_malformed(body: bytes, reason: str) -> None:
    """A body that is not a JSON object raises Malformed, and the reason says what is wrong with it."""
    with pytest.raises(Malformed) as caught:
        read(body)
    assert caught.value.reason == reason


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_of_python_are_refused_when_strict(constant: str) -> None:
    """NaN and the infinities are refused by ingest; a subscriber reads a message that has them."""
    body = f'{{"x": [{constant}]}}'.encode()
    assert set(parse_payload(body)) == {"x"}
    with pytest.raises(Malformed) as caught:
        parse_payload(body, strict=True)
    assert caught.value.reason == "body_not_json"


@pytest.mark.parametrize("strict", [True, False])
def test_unusual_json_is_read(strict: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Lone surrogates, NUL, huge numbers and repeated keys are JSON; the last of two equal keys counts."""
    body = b'{"a": "\\ud800\\u0000", "n": 123456789012345678901234567890, "e": 1e999, "k": 1, "k": 2}'
    found = parse_payload(body, strict=strict)
    assert found == {"a": "\ud800\0", "n": 123456789012345678901234567890, "e": float("inf"), "k": 2}


@given(mutated())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_any_part_may_be_missing_or_another(made: payloads.Event) -> None:
    """A payload whose parts are missing or are any other JSON value is still read as an event."""
    event = read_built(made)
    assert event.event_at.tzinfo is UTC
    assert event.repository is None or isinstance(event.repository, str)


@given(st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=120, deadline=None, derandomize=True)
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """Any bytes are read as an event or raise Malformed, and no other error."""
    try:
        event = read(body)
    except Malformed as error:
        assert error.reason in {"body_not_json", "body_not_object"}  # noqa: PT017 - both ways are right
    else:
        assert isinstance(event.payload, dict)


@pytest.mark.slow
@pytest.mark.parametrize("shape", shapes().values(), ids=shapes())
def test_each_single_part_may_be_missing(shape: payloads.Event) -> None:
    """A payload without any one of its parts is still read."""
    for path in paths(shape.payload):
        payload = copy.deepcopy(shape.payload)
        parent: Any = payload
        for name in path[:-1]:
            parent = parent[name]
        del parent[path[-1]]
        assert read(payload, shape.name).payload == payload
