"""The issues of GitHub are read whole, and changed by additive requests."""

from datetime import timedelta
from pathlib import Path

import pytest

from clients.github.issue_actions import IssueActions
from clients.github.past_event import read_past_event
from clients.github.responses import Forbidden, Invalid, NotFound
from ops.send.payload_spec import PayloadSpec
from pipeline.errors import Unavailable
from tests.clients.github.app_rig import NOON, AppRig

NAME = "acme/app"


@pytest.fixture
def rig(tmp_path: Path) -> AppRig:
    """Return GitHub with acme/app#1, where the App may write issues."""
    rig = AppRig(tmp_path)
    rig.installation.permissions = {"issues": "write"}
    rig.github.act(PayloadSpec(number=1, author="octavia", label="mine"))
    return rig


@pytest.fixture
def issues(rig: AppRig) -> IssueActions:
    """Return the issues as the App sees them."""
    return IssueActions(rig.client(), lambda: None)


def test_the_apps_login_is_asked_for_once(rig: AppRig, issues: IssueActions) -> None:
    """It is the App's slug and [bot], as GitHub shows the author of its comments."""
    assert [issues.own_login() for _ in range(2)] == ["issuewire[bot]"] * 2
    assert rig.server.targets("^/app$") == ["/app"]
    assert issues.add_comment(NAME, 1, "Hello!").author == issues.own_login()


def test_writes_add_and_return_what_the_issue_then_has(rig: AppRig, issues: IssueActions) -> None:
    """Labels and assignees that were there stay."""
    assert issues.add_labels(NAME, 1, ["a", "b"]) == ("mine", "a", "b")
    assert issues.add_assignee(NAME, 1, "mona") == ("mona",)
    assert issues.add_assignee(NAME, 1, "kim") == ("mona", "kim")
    closed = issues.close(NAME, 1, "duplicate")
    assert (closed.state, closed.state_reason) == ("closed", "duplicate")
    assert issues.issue(NAME, 1)[0] == closed
    methods = {each.method for each in rig.server.requests if "/issues/1" in each.target}
    assert methods == {"GET", "POST", "PATCH"}


def test_the_history_says_who_did_what(rig: AppRig, issues: IssueActions) -> None:
    """Of an assignment GitHub's `actor` is the assignee, and `assigner` who did it."""
    for action, more in (("unlabeled", {"label": "mine"}), ("assigned", {"assignee": "mona"})):
        rig.github.act(PayloadSpec(number=1, action=action, author="kim", **more))
    issues.add_labels(NAME, 1, ["a"])
    found = [(each.kind, each.by, each.subject) for each in issues.events(NAME, 1)]
    assert found[-3:] == [
        ("unlabeled", "kim", "mine"),
        ("assigned", "kim", "mona"),
        ("labeled", "issuewire[bot]", "a"),
    ]


def test_an_event_of_a_deleted_account_has_no_name() -> None:
    """GitHub shows null for it; so does an event whose fields are missing."""
    assert read_past_event({"event": "unlabeled", "actor": None, "label": {"name": "a"}}).by == ""
    assert read_past_event({}).kind == ""


def test_comments_are_read_since_a_time_or_whole(rig: AppRig, issues: IssueActions) -> None:
    """Every page is read; the time limit is asked before each."""
    for number in range(150):
        rig.advance(2)
        rig.github.act(PayloadSpec(event="issue_comment", number=1, body=str(number)))
    assert [each.body for each in issues.comments(NAME, 1)] == [str(number) for number in range(150)]
    since = NOON + timedelta(seconds=2 * 101)
    assert next(each.body for each in issues.comments(NAME, 1, since)) == "100"
    asked: list[int] = []
    IssueActions(rig.client(), lambda: asked.append(1)).comments(NAME, 1)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 403, "message": "Resource not accessible by integration"}, Forbidden),
        ({"status": 404, "message": "Not Found"}, NotFound),
        ({"status": 410, "message": "This issue was deleted"}, NotFound),
        ({"status": 422, "message": "Validation Failed"}, Invalid),
    ],
)
def test_a_refusal_has_its_kind(
    rig: AppRig, issues: IssueActions, fault: dict[str, object], kind: type[Unavailable]
) -> None:
    """A caller can tell what a retry cannot change."""
    rig.server.fail_next(method="POST", **fault, target="/labels")
    with pytest.raises(kind):
        issues.add_labels(NAME, 1, ["a"])
    assert len(rig.server.targets("/labels")) == 1


def test_a_write_is_sent_once(rig: AppRig, issues: IssueActions) -> None:
    """An answer that was lost may have been a success, so the request is not repeated."""
    rig.server.fail_next(method="POST", target="/comments", status=502, after=True)
    with pytest.raises(Unavailable) as caught:
        issues.add_comment(NAME, 1, "Hello!")
    assert caught.value.reason == "github_down"
    assert [each.body for each in issues.comments(NAME, 1)] == ["Hello!"]


def test_an_app_without_a_slug_is_an_error(rig: AppRig, issues: IssueActions) -> None:
    """An answer that is not GitHub's does not become a login."""
    rig.server.fail_next(target="^/app$", status=200, body="{}")
    with pytest.raises(Unavailable) as caught:
        issues.own_login()
    assert caught.value.reason == "github_odd"


def test_an_installation_that_was_removed_is_forgotten(rig: AppRig) -> None:
    """A new one is found by the next request; until then the error says what to do."""
    client = rig.client()
    issues = IssueActions(client, lambda: None)
    issues.issue(NAME, 1)
    rig.github.app.installations.clear()
    rig.advance(3600)
    with pytest.raises(NotFound) as caught:
        issues.issue(NAME, 1)
    assert (caught.value.reason, "install it from its page" in str(caught.value)) == (
        "app_not_installed",
        True,
    )
    rig.github.app.install("somebody")
    rig.github.app.install("acme")
    assert issues.issue(NAME, 1)[0].number == 1


def test_an_app_that_was_removed_and_installed_again_needs_no_second_try(rig: AppRig) -> None:
    """GitHub gives a new installation another id; it is looked up once the old one is unknown."""
    issues = IssueActions(rig.client(), lambda: None)
    issues.issue(NAME, 1)
    rig.github.app.installations.clear()
    rig.github.app.tokens.clear()
    rig.github.app.install("acme", permissions={"issues": "write"})
    assert issues.add_labels(NAME, 1, ["a"]) == ("mine", "a")
