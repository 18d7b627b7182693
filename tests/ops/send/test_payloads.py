"""The built payloads have the shapes that GitHub documents."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.send import accounts, payloads
from tests.support.hostile import shapes
from tests.support.messages import NOON, an_issue

LATER = NOON + timedelta(hours=1)
MONA = accounts.Account(login="mona")
OTHER = accounts.Repository(full_name="other/site", private=True)

# What GitHub's documentation and its published examples show for each object.
ACCOUNT = {"login", "id", "node_id", "avatar_url", "gravatar_id", "url", "html_url", "type", "site_admin"}
ISSUE = {
    *(
        "url",
        "repository_url",
        "labels_url",
        "comments_url",
        "events_url",
        "html_url",
        "id",
        "node_id",
        "number",
    ),
    *("title", "user", "labels", "state", "locked", "assignee", "assignees", "milestone", "comments"),
    *(
        "created_at",
        "updated_at",
        "closed_at",
        "author_association",
        "active_lock_reason",
        "body",
        "reactions",
    ),
    *("timeline_url", "performed_via_github_app", "state_reason"),
}
COMMENT = {
    *("url", "html_url", "issue_url", "id", "node_id", "user", "created_at", "updated_at"),
    *("author_association", "body", "reactions", "performed_via_github_app"),
}
LABEL = {"id", "node_id", "url", "name", "color", "default", "description"}
ORGANIZATION = {"login", "id", "node_id", "url", "avatar_url", "description"}
REPOSITORY = {
    *("id", "node_id", "name", "full_name", "private", "owner", "html_url", "description", "fork", "url"),
    *("issues_url", "created_at", "updated_at", "pushed_at", "language", "has_issues", "open_issues_count"),
    *("archived", "visibility", "topics", "default_branch"),
}
PULL_REQUEST = {"url", "html_url", "diff_url", "patch_url", "merged_at"}
HOOK = {"type", "id", "name", "active", "events", "config", "url"}

TOP = {
    "opened": {"action", "issue", "repository", "organization", "sender"},
    "labeled": {"action", "issue", "label", "repository", "organization", "sender"},
    "typed": {"action", "issue", "label", "repository", "organization", "sender"},
    "assigned": {"action", "issue", "assignee", "repository", "organization", "sender"},
    "commented": {"action", "issue", "comment", "repository", "organization", "sender"},
    "closed": {"action", "issue", "repository", "organization", "sender"},
    "pull-request": {"action", "issue", "comment", "repository", "organization", "sender"},
    "transferred": {"action", "issue", "changes", "repository", "organization", "sender"},
    "came-by-transfer": {"action", "issue", "changes", "repository", "organization", "sender"},
    "ping": {"zen", "hook_id", "hook", "repository", "sender"},
}
OBJECTS = {
    **dict.fromkeys(("user", "sender", "owner", "assignee", "assignees"), ACCOUNT),
    **dict.fromkeys(("issue", "new_issue", "old_issue"), ISSUE),
    **dict.fromkeys(("repository", "new_repository", "old_repository"), REPOSITORY),
    **dict.fromkeys(("label", "labels"), LABEL),
    "comment": COMMENT,
    "organization": ORGANIZATION,
    "pull_request": PULL_REQUEST,
    "hook": HOOK,
}


def objects(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object inside a payload with the name that it goes by."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item, name)
    elif isinstance(value, dict):
        yield name, value
        for key, item in value.items():
            yield from objects(item, key)


@pytest.mark.parametrize("name", shapes())
def test_payloads_have_github_s_shapes(name: str) -> None:
    """Each payload has the documented parts, and each object in it the fields that a reader may rely on."""
    made = shapes()[name]
    assert set(made.payload) == TOP[name]
    for kind, found in objects(made.payload):
        assert OBJECTS.get(kind, set()) <= set(found), kind
    assert json.loads(json.dumps(made.payload)) == made.payload


def test_every_object_is_checked() -> None:
    """Every object of the list above is in some payload."""
    seen = {kind for made in shapes().values() for kind, _ in objects(made.payload)}
    assert OBJECTS.keys() <= seen


@pytest.mark.parametrize("name", shapes())
def test_times_are_in_whole_seconds(name: str) -> None:
    """GitHub writes times in UTC, in whole seconds, with a Z."""
    for _, found in objects(shapes()[name].payload):
        for key, value in found.items():
            if key.endswith("_at") and value is not None:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), key


def test_payloads_are_reproducible() -> None:
    """Ids are derived from names: the same event has the same bytes, and another seed another GUID."""
    first, second = (json.dumps(an_issue(labels=["bug"]).opened().payload) for _ in range(2))
    assert first == second
    assert payloads.delivery_id("a") == payloads.delivery_id("a") != payloads.delivery_id("b")


def test_later_payloads_show_earlier_changes() -> None:
    """Every change shows in all later payloads; a reopened issue keeps closed_at, as at GitHub."""
    issue = an_issue()
    assert issue.opened().payload["issue"]["state_reason"] is None
    labeled = issue.labeled(MONA, LATER, "good first issue").payload
    assert labeled["label"] == labeled["issue"]["labels"][0]
    assert labeled["label"]["url"].endswith("/labels/good%20first%20issue")
    assigned = issue.assigned(MONA, LATER, MONA).payload
    assert assigned["assignee"] == assigned["issue"]["assignee"] == assigned["issue"]["assignees"][0]
    commented = issue.commented(MONA, LATER + timedelta(hours=1), "hi").payload
    assert (commented["issue"]["comments"], issue.as_json()["comments"]) == (0, 1)
    assert commented["issue"]["updated_at"] == commented["comment"]["created_at"]
    closed = issue.closed(MONA, LATER + timedelta(hours=2), "not_planned").payload["issue"]
    assert (closed["state"], closed["state_reason"]) == ("closed", "not_planned")
    assert closed["closed_at"] == closed["updated_at"]
    reopened = issue.reopened(MONA, LATER + timedelta(hours=3)).payload["issue"]
    assert (reopened["state"], reopened["state_reason"]) == ("open", "reopened")
    assert reopened["closed_at"] == closed["closed_at"]
    assert [label["name"] for label in reopened["labels"]] == ["good first issue"]


def test_a_comment_has_its_author() -> None:
    """The issue's author comments as NONE, others as MEMBER; a deleted account is null, sent by ghost."""
    issue = an_issue()
    author = issue.author
    assert issue.commented(author, LATER, "x").payload["comment"]["author_association"] == "NONE"
    assert issue.commented(MONA, LATER, "x").payload["comment"]["author_association"] == "MEMBER"
    ghost = issue.commented(None, LATER, "x").payload
    assert (ghost["comment"]["user"], ghost["sender"]["login"]) == (None, "ghost")
    ids = {issue.commented(MONA, LATER, "x").payload["comment"]["id"] for _ in range(3)}
    assert len(ids) == 3


def test_a_pull_request_is_an_issue_with_a_field() -> None:
    """A comment on a pull request has an issue with the field pull_request and a page under /pull/."""
    pull = an_issue(is_pull_request=True).commented(MONA, LATER, "x").payload["issue"]
    assert pull["html_url"] == pull["pull_request"]["html_url"] == "https://github.com/acme/app/pull/7"
    assert "pull_request" not in an_issue().opened().payload["issue"]


def test_a_transfer_names_the_new_issue() -> None:
    """The event in the old repository contains the issue that is opened in the new one."""
    old, moved = an_issue().transferred(MONA, LATER, OTHER, 3)
    changes = old.payload["changes"]
    opened = moved.opened(old_issue={}, old_repository={}).payload
    assert changes["new_issue"] == opened["issue"]
    assert changes["new_repository"] == opened["repository"]
    assert (opened["repository"]["private"], opened["repository"]["visibility"]) == (True, "private")
    assert opened["issue"]["created_at"] == old.payload["issue"]["created_at"]


def test_titles_and_times() -> None:
    """An event's title is its name and action; a time is written in whole seconds."""
    assert an_issue().opened().title == "issues.opened"
    assert payloads.ping(OTHER, MONA).title == "ping"
    moment = datetime(2026, 1, 5, 12, 0, 0, 999_999, tzinfo=UTC)
    assert payloads.time_text(moment) == "2026-01-05T12:00:00Z"
