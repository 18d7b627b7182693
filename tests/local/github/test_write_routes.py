"""The GitHub stand-in changes issues as GitHub does, and delivers each change to the hooks."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from local.github.github_app import LOGIN
from local.github.server import TOKEN, GitHubServer
from local.github.write_limits import SENTENCE, WriteLimits
from ops.send.payload_spec import PayloadSpec
from tests.support.messages import an_issue

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ISSUE = "/repos/acme/app/issues/7"
WRITES = (
    ("POST", "/labels", {"labels": ["bug"]}),
    ("POST", "/assignees", {"assignees": ["mona"]}),
    ("POST", "/comments", {"body": "Thanks!"}),
    ("PATCH", "", {"state": "closed"}),
)


class Rig:
    """A GitHub at noon with the issue 7 of acme/app, the App on acme, and its hook; nothing is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str, str, dict[str, Any]]] = []
        self.server = GitHubServer(send=self.send)
        self.github = self.server.github
        self.github.now = NOON
        self.hosted = self.github.host("acme/app")
        self.hosted.record(an_issue(created_at=NOON - timedelta(days=1)).opened())
        self.github.set_app_hook(url="https://ingest.example/")
        self.token = self.install(issues="write")
        self._client = Client(self.server.create_app())

    def install(self, **permissions: str) -> str:
        """Install the App in place of what it was; return a token."""
        self.github.app.installations.clear()
        installation = self.github.app.install("acme", permissions=permissions)
        return str(self.github.app.create_token(installation.id)["token"])

    def send(self, hook: dict[str, Any], event: str, guid: str, payload: dict[str, Any]) -> int:
        """Take a delivery."""
        self.sent.append((hook["id"], event, guid, payload))
        return 202

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> TestResponse:
        """Send one request for the issue."""
        headers = {"Authorization": f"Bearer {token or self.token}", "User-Agent": "test"}
        return self._client.open(ISSUE + path, method=method, json=body, headers=headers)

    def delivered(self) -> list[tuple[str, str]]:
        """Return the events that were sent, each with who did it, in any order."""
        self.github.hooks.wait()
        return sorted(
            (f"{event}.{payload['action']}", payload["sender"]["login"]) for _, event, _, payload in self.sent
        )

    def history(self) -> list[tuple[str, str]]:
        """Return the issue's events after its opening, each with who did it."""
        events = self.ask("GET", "/events").get_json()[1:]
        return [(each["event"], each.get("assigner", each["actor"])["login"]) for each in events]


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Return a GitHub without a port."""
    made = Rig()
    yield made
    made.server.stop()


def test_labels_are_added(rig: Rig) -> None:
    """What the issue lacks is added and delivered, once each; a repository's own label keeps its case."""
    rig.github.act(PayloadSpec(repository="acme/app", number=8, label="Bug"))
    answer = rig.ask("POST", "/labels", {"labels": ["bug", "new", "new"]})
    assert (answer.status_code, [label["name"] for label in answer.get_json()]) == (200, ["Bug", "new"])
    assert rig.ask("POST", "/labels", {"labels": ["NEW"]}).status_code == 200
    assert rig.delivered() == [("issues.labeled", LOGIN)] * 2 + [("issues.opened", "octocat")]
    assert rig.history() == [("labeled", LOGIN)] * 2


def test_assignees_that_cannot_be_assigned_are_dropped(rig: Rig) -> None:
    """As at GitHub, the answer is a success that lacks them."""
    rig.github.assignable = {"mona"}
    answer = rig.ask("POST", "/assignees", {"assignees": ["mona", "stranger"]})
    assert answer.status_code == 201
    assert [person["login"] for person in answer.get_json()["assignees"]] == ["mona"]
    assert rig.delivered() == [("issues.assigned", LOGIN)]
    assert rig.history() == [("assigned", LOGIN)]


def test_a_comment_is_the_bot_s(rig: Rig) -> None:
    """A comment by the App is a bot's and names the App; the issue counts it after its delivery."""
    answer = rig.ask("POST", "/comments", {"body": "Thanks!"})
    assert (answer.status_code, answer.get_json()["user"]["type"]) == (201, "Bot")
    assert answer.get_json()["performed_via_github_app"]["slug"] == "issuewire"
    assert answer.get_json()["author_association"] == "NONE"
    assert rig.delivered() == [("issue_comment.created", LOGIN)]
    assert rig.sent[0][3]["issue"]["comments"] == 0
    assert rig.ask("GET", "").get_json()["comments"] == 1
    assert rig.ask("GET", "/comments").get_json() == [answer.get_json()]


def test_an_issue_is_closed_once(rig: Rig) -> None:
    """A close that changes nothing has no event; another reason has one, and so has a reopening."""
    for body, events in (
        ({"state": "closed", "state_reason": "not_planned"}, 1),
        ({"state": "closed"}, 1),
        ({"state": "closed", "state_reason": "duplicate"}, 2),
        ({"state": "open"}, 3),
        ({"state": "open"}, 3),
    ):
        answer = rig.ask("PATCH", "", body)
        assert answer.status_code == 200
        assert len(rig.delivered()) == events
    assert (answer.get_json()["state"], answer.get_json()["closed_at"]) == ("open", None)
    assert [kind for kind, _ in rig.history()] == ["closed", "closed", "reopened"]


def test_a_person_acts_with_a_person_s_token(rig: Rig) -> None:
    """With a token that is not the App's, its owner is the sender."""
    rig.ask("POST", "/labels", {"labels": ["bug"]}, TOKEN)
    assert rig.delivered() == [("issues.labeled", "octocat")]


def test_the_history_shows_what_people_take_back(rig: Rig) -> None:
    """A removed label, assignee or comment and a new title are in the issue's events with who did it."""
    for method, path, body in WRITES[:3]:
        assert rig.ask(method, path, body).status_code < 300
    for event, change in (
        ("issues", {"action": "unlabeled", "label": "bug"}),
        ("issues", {"action": "unassigned", "assignee": "mona"}),
        ("issue_comment", {"action": "edited", "body": "Hello"}),
        ("issue_comment", {"action": "deleted"}),
        ("issues", {"action": "edited", "title": "Better"}),
    ):
        rig.server.act(
            PayloadSpec(event=event, repository="acme/app", number=7, author="kim", **change)  # type: ignore[arg-type]
        )
    assert rig.history()[2:] == [
        (kind, "kim") for kind in ("unlabeled", "unassigned", "comment_deleted", "renamed")
    ]
    issue = rig.ask("GET", "").get_json()
    assert (issue["labels"], issue["assignees"], issue["comments"], issue["title"]) == ([], [], 0, "Better")
    assert rig.ask("GET", "/comments").get_json() == []


@pytest.mark.parametrize("write", WRITES)
def test_a_change_needs_the_permission(rig: Rig, write: tuple[str, str, Any]) -> None:
    """An installation that may only read issues, or is suspended, or lacks the repository, is refused."""
    for permissions in ({"issues": "read"}, {"metadata": "read"}):
        refused = rig.ask(*write, rig.install(**permissions))
        assert refused.status_code == 403
        assert refused.get_json()["message"] == "Resource not accessible by integration"
    token = rig.install(issues="write")
    rig.github.app.installations[0].repositories = {"acme/other"}
    assert rig.ask(*write, token).status_code == 404
    rig.github.app.installations[0].suspended_at = "2026-03-04T12:00:00Z"
    assert rig.ask(*write, token).get_json()["message"] == "This installation has been suspended"
    assert rig.delivered() == []


@pytest.mark.parametrize("write", WRITES)
def test_an_issue_that_is_gone_is_not_changed(rig: Rig, write: tuple[str, str, Any]) -> None:
    """A deleted issue is 410, a transferred one is 301 to where it is now, an unknown one 404."""
    issue = an_issue(created_at=NOON)
    to = rig.github.host("acme/new").repository
    moved, _ = issue.transferred(issue.repository.owner, NOON, to=to, number=3)
    rig.hosted.record(moved)
    answer = rig.ask(*write)
    assert (answer.status_code, answer.headers["Location"]) == (
        301,
        f"http://localhost/repositories/{to.id}/issues/3",
    )
    rig.hosted.record(an_issue(created_at=NOON).deleted(issue.repository.owner, NOON))
    for refused in (rig.ask(*write), rig.ask("GET", "")):
        assert (refused.status_code, refused.get_json()["message"]) == (410, "This issue was deleted")
    rig.hosted.gone.clear()
    assert rig.ask(*write).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/labels", ["bug"]),
        ("POST", "/labels", {"labels": []}),
        ("POST", "/labels", {"labels": ["x" * 51]}),
        ("POST", "/labels", {"labels": ["bug"], "color": "red"}),
        ("POST", "/labels?force=1", {"labels": ["bug"]}),
        ("POST", "/assignees", {"assignees": "mona"}),
        ("POST", "/comments", {"body": " "}),
        ("POST", "/comments", {"body": "x" * 65_537}),
        ("PATCH", "", {"title": "Another"}),
        ("PATCH", "", {"labels": ["bug"]}),
        ("PATCH", "", {"state": "closed", "state_reason": "reopened"}),
        ("PATCH", "", {"state": "deleted"}),
        ("PATCH", "", {}),
    ],
)
def test_what_is_not_imitated_is_refused(rig: Rig, method: str, path: str, body: Any) -> None:
    """A body that GitHub refuses, or that the stand-in does not carry out, changes nothing."""
    assert rig.ask(method, path, body).status_code in {400, 422}
    assert (rig.delivered(), rig.history()) == ([], [])


def test_a_locked_issue_takes_no_comment(rig: Rig) -> None:
    """Its conversation is closed to the App."""
    rig.hosted.issues[7]["locked"] = True
    assert rig.ask("POST", "/comments", {"body": "Thanks!"}).status_code == 403


def test_a_pull_request_is_not_changed(rig: Rig) -> None:
    """Its webhooks are others, so that a change would not be delivered as GitHub does; a comment is."""
    rig.hosted.issues[7]["pull_request"] = {}
    answers = [rig.ask(*write).status_code for write in WRITES]
    assert answers == [422, 422, 201, 422]


@pytest.mark.parametrize("status", [403, 429])
def test_too_many_changes_are_refused(rig: Rig, status: int) -> None:
    """GitHub takes so many changes a minute and an hour, and says when it takes the next one."""
    rig.github.write_limits = WriteLimits(per_minute=2, per_hour=3, status=status)
    assert [rig.ask(*write).status_code for write in WRITES[:2]] == [200, 201]
    refused = rig.ask(*WRITES[2])
    assert (refused.status_code, refused.get_json()["message"]) == (status, SENTENCE)
    assert refused.headers["Retry-After"] == "60"
    assert rig.ask("GET", "").status_code == 200
    rig.github.now = NOON + timedelta(seconds=60)
    assert rig.ask(*WRITES[2]).status_code == 201
    rig.github.now = NOON + timedelta(minutes=2)
    assert rig.ask(*WRITES[3]).headers["Retry-After"] == "3480"


@pytest.mark.parametrize("write", WRITES)
def test_github_may_accept_without_applying(rig: Rig, write: tuple[str, str, Any]) -> None:
    """A fault lets a change succeed without effect, for one method and path; the next one has its effect."""
    rig.server.fail_next(without_effect=True, method=write[0], target=f"/issues/7{write[1]}$")
    before = rig.ask("GET", "").get_json()
    assert rig.ask(*write).status_code in {200, 201}
    assert (rig.ask("GET", "").get_json(), rig.delivered()) == (before, [])
    assert rig.ask(*write).status_code in {200, 201}
    assert len(rig.delivered()) == 1


def test_all_hooks_hear_of_a_change_under_one_guid(rig: Rig) -> None:
    """The App's hook and a repository's hear of it under the same GUID."""
    config = {"url": "https://ingest.example/", "content_type": "json"}
    hook = rig.github.hooks.create("acme/app", {"events": ["issues"], "config": config})
    rig.sent.clear()
    guid, _ = rig.server.act(
        PayloadSpec(repository="acme/app", number=7, action="closed", reason="duplicate")
    )
    rig.github.hooks.wait()
    assert {(number, found) for number, _, found, _ in rig.sent} == {(99, guid), (hook["id"], guid)}
    assert rig.sent[0][3]["issue"]["state_reason"] == "duplicate"


def test_a_stop_ends_the_deliveries(rig: Rig) -> None:
    """After it no thread delivers; a later change is delivered again."""
    rig.ask(*WRITES[0])
    rig.server.stop()
    assert not [each for each in threading.enumerate() if each.name.startswith("github-hooks")]
    rig.ask(*WRITES[1])
    assert ("issues.assigned", LOGIN) in rig.delivered()
