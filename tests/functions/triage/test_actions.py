"""What is missing is done by additive calls and read back; what a person took back is left alone."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from functions.triage.marker import rules_in, with_marker
from functions.triage.rules import Rule
from local.github.github_app import LOGIN
from ops.send.accounts import Account
from pipeline.errors import Busy, Unavailable
from tests.functions.triage.rig import Rig

ALL_FOUR = Rule(
    name="all four", add_labels=("triage", "parser"), assign=("mona",), comment="Thanks!", close="not_planned"
)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Return GitHub, and triage with one rule that does everything to a new issue."""
    return Rig(tmp_path, ALL_FOUR)


def transfer(rig: Rig) -> None:
    """Let somebody move the issue to another repository, where the App is installed, too."""
    rig.github.host("acme/other")
    rig.github.transfer("acme/app", 1, "acme/other", Account.named("mona"))


# What is done


def test_everything_is_done_in_order_by_four_additive_calls(rig: Rig) -> None:
    """All labels take one request; no request replaces a set, and the close changes state and reason only."""
    assert rig.results(rig.opens(label="mine")) == ["done"] * 5
    assert rig.labels() == ["mine", "triage", "parser"]
    assert rig.assignees() == ["mona"]
    assert (rig.issue()["state"], rig.issue()["state_reason"]) == ("closed", "not_planned")
    assert rig.writes() == ["POST labels", "POST assignees", "POST comments", "PATCH 1"]


def test_the_comment_is_the_text_of_the_rule(rig: Rig) -> None:
    """Nothing of the issue is in it; a hidden line names rule and delivery."""
    event = rig.opens(title="@everyone <!-- --> <b>", body="@mona " * 50_000)
    rig.deliver(event)
    assert rig.own_comments() == [with_marker("Thanks!", "all four", event.delivery_id)]


def test_a_repeated_delivery_does_nothing_again(rig: Rig) -> None:
    """All that was done is found at GitHub, also by a new process; a log says whose it is."""
    event = rig.opens()
    rig.deliver(event)
    written = len(rig.writes())
    for _ in range(2):
        assert rig.results(event) == ["present done_before"] * 5
        rig.restart()
    assert len(rig.writes()) == written


def test_only_what_is_missing_is_done(rig: Rig) -> None:
    """A label and an assignee that somebody gave count, whatever their case."""
    event = rig.opens()
    rig.does("mona", "labeled", label="PARSER")
    rig.does("mona", "assigned", assignee="mona")
    results = {each.action.value: each.result for each in rig.deliver(event)}
    assert results.items() >= {"triage": "done", "parser": "present", "mona": "present"}.items()
    assert rig.labels() == ["PARSER", "triage"]


def test_a_dry_run_changes_nothing(rig: Rig) -> None:
    """What would be done is known from the issue as it is."""
    event = rig.opens(label="parser")
    assert rig.results(event, dry_run=True) == ["would", "present", "would", "would", "would"]
    assert rig.writes() == []


def test_a_rule_in_dry_run_changes_nothing_while_the_others_act(tmp_path: Path) -> None:
    """One rule can be tried beside the others."""
    rig = Rig(tmp_path, Rule(name="a", add_labels=("a",), dry_run=True), Rule(name="b", add_labels=("b",)))
    assert rig.results(rig.opens()) == ["would", "done"]
    assert rig.labels() == ["b"]


# What people did


def test_a_label_that_a_person_took_off_is_not_put_back(rig: Rig) -> None:
    """Neither the same delivery nor a later event restores it."""
    event = rig.opens()
    rig.deliver(event)
    rig.does("mona", "unlabeled", label="parser")
    assert "removed label_removed" in rig.results(event)
    assert "removed label_removed" in rig.results(rig.does("octavia", "reopened"))
    assert rig.labels() == ["triage"]


def test_an_assignee_whom_a_person_took_off_is_not_put_back(rig: Rig) -> None:
    """GitHub names the assignee as the actor of the event; who did it is the assigner."""
    event = rig.opens()
    rig.deliver(event)
    rig.does("kim", "unassigned", assignee="mona")
    assert "removed assignee_removed" in rig.results(event)
    assert rig.assignees() == []


def test_a_comment_that_a_person_deleted_is_not_posted_again(rig: Rig) -> None:
    """GitHub tells that a comment was deleted, not which one: then the issue gets no comment of a rule."""
    event = rig.opens()
    rig.deliver(event)
    rig.does("mona", "deleted", event="issue_comment")
    assert "removed comment_deleted" in rig.results(event)
    assert "removed comment_deleted" in rig.results(rig.does("octavia", "reopened"))
    assert rig.own_comments() == []


def test_a_comment_that_a_person_edited_is_not_posted_again(rig: Rig) -> None:
    """A person who may edit our comment can remove the hidden line; the comment still is ours."""
    event = rig.opens()
    rig.deliver(event)
    rig.does("mona", "edited", event="issue_comment", body="Better words.")
    rig.github.repository("acme/app").comments[-1]["user"]["login"] = LOGIN
    assert "present comment_edited" in rig.results(event)
    assert rig.own_comments() == ["Better words."]


def test_an_issue_that_a_person_reopened_is_not_closed_again(rig: Rig) -> None:
    """Neither the same delivery closes it, nor the event of the reopening, which the rule matches."""
    event = rig.opens()
    rig.deliver(event)
    reopened = rig.does("octavia", "reopened")
    assert rig.results(event)[-1] == "removed issue_reopened"
    assert rig.results(reopened)[-1] == "removed issue_reopened"
    assert rig.issue()["state"] == "open"


def test_a_rule_may_close_what_is_reopened(tmp_path: Path) -> None:
    """The reopening that triggers the rule is not taken for a person's answer to our close."""
    rig = Rig(tmp_path, Rule(name="no", events=("issues.reopened",), close="completed"))
    rig.opens()
    rig.does("octavia", "closed")
    assert rig.results(rig.does("octavia", "reopened")) == ["done"]


@pytest.mark.parametrize(
    ("login", "change", "reason"),
    [
        ("octavia", {"action": "edited", "title": "More"}, "title_changed"),
        ("octavia", {"action": "edited", "body": "More"}, "text_changed"),
        ("mona", {"action": "labeled", "label": "bug"}, "labels_changed"),
        ("mona", {"action": "unlabeled", "label": "mine"}, "labels_changed"),
        ("mona", {"action": "assigned", "assignee": "kim"}, "assignees_changed"),
        ("octavia", {"action": "created", "event": "issue_comment"}, "comments_changed"),
    ],
)
def test_an_issue_that_is_not_as_the_rule_saw_it_stays_open(
    rig: Rig, login: str, change: dict[str, Any], reason: str
) -> None:
    """Whatever somebody changed since the event, the close is left to people; the rest is done."""
    event = rig.opens(label="mine")
    rig.does(login, **change)
    assert rig.results(event) == ["done", "done", "done", "done", f"changed {reason}"]
    assert rig.issue()["state"] == "open"


def test_a_change_while_we_act_is_seen_before_the_close(rig: Rig) -> None:
    """After our other writes, the issue is read again before it is closed."""
    event = rig.opens()

    def comment_first(request: Any) -> bool:
        if request.method == "POST" and request.url.endswith("/comments"):
            rig.wire.before = lambda _: True
            rig.does("octavia", "created", event="issue_comment", body="Wait!")
        return True

    rig.wire.before = comment_first
    assert rig.results(event)[-1] == "changed comments_changed"


@pytest.mark.parametrize(
    ("change", "reading", "result"),
    [
        ({"action": "unlabeled", "label": "parser"}, "/issues/1$", "removed label_removed"),
        ({"action": "unassigned", "assignee": "mona"}, "/issues/1$", "removed assignee_removed"),
        ({"action": "deleted", "event": "issue_comment"}, "/events", "present done_before"),
        ({"action": "reopened"}, "/issues/1$", "removed issue_reopened"),
    ],
)
def test_what_a_person_takes_off_while_we_read_is_not_put_back(
    rig: Rig, change: dict[str, Any], reading: str, result: str
) -> None:
    """The parts of an issue are read in an order in which a change between two of them is seen."""
    event = rig.opens()
    rig.deliver(event)
    written = len(rig.writes())

    def change_first(request: Any) -> bool:
        if re.search(reading, str(request.url).partition("?")[0]):
            rig.wire.before = lambda _: True
            rig.does("kim", **change)
        return True

    rig.wire.before = change_first
    assert result in rig.results(event)
    assert len(rig.writes()) == written


def test_an_old_comment_of_ours_and_of_others_does_not_stop_a_close(tmp_path: Path) -> None:
    """What was said before the event was there when the rule saw the issue."""
    welcome = Rule(name="welcome", comment="Hello!")
    rig = Rig(tmp_path, welcome, Rule(name="close", events=("issues.labeled",), close="completed"))
    rig.deliver(rig.opens())
    rig.does("octavia", "created", event="issue_comment", body="Hello, too!")
    assert rig.results(rig.does("mona", "labeled", label="done")) == ["done"]


def test_a_rule_may_close_after_a_comment(tmp_path: Path) -> None:
    """The comment that triggers the rule is part of what the rule saw."""
    rig = Rig(tmp_path, Rule(name="thanks", events=("issue_comment.created",), close="completed"))
    rig.opens()
    event = rig.does("octavia", "created", event="issue_comment", body="It works now.")
    assert rig.results(event) == ["done"]


# Comments


def test_a_rule_comments_once_per_issue(tmp_path: Path) -> None:
    """A later event, and the second net's delivery of the same one, find the comment of the rule."""
    rig = Rig(tmp_path, Rule(name="welcome", comment="Hello!"))
    rig.deliver(rig.opens())
    rig.does("octavia", "closed")
    assert rig.results(rig.does("octavia", "reopened")) == ["present done_before"]
    assert len(rig.own_comments()) == 1


def test_a_forged_marker_does_not_count(rig: Rig) -> None:
    """The hidden line counts in our own comments only, by our exact login."""
    event = rig.opens(body=with_marker("x", "all four", "d"))
    for login in ("octavia", "issuewire", "issuewire-fake[bot]", "Issuewire[bot]"):
        rig.does(
            login, "created", event="issue_comment", body=with_marker("x", "all four", event.delivery_id)
        )
    assert rig.results(event)[3] == "done"
    assert [rules_in(body) for body in rig.own_comments()] == [{"all four"}]


def test_our_comment_is_found_on_any_page(tmp_path: Path) -> None:
    """All pages of the comments are read."""
    rig = Rig(tmp_path, Rule(name="welcome", comment="Hello!"))
    event = rig.opens()
    rig.deliver(event)
    hosted = rig.github.repository("acme/app")
    ours = hosted.comments.pop()
    other = {**ours, "user": {"login": "octavia"}}
    hosted.comments += [{**other, "id": number} for number in range(205)]
    hosted.comments.append(ours)
    assert rig.results(event) == ["present done_before"]
    assert any("page=3" in target for target in rig.server.targets("/comments"))


def test_reading_is_bounded_in_time(tmp_path: Path) -> None:
    """If GitHub lists pages for longer than a delivery may take, the delivery is repeated."""
    rig = Rig(tmp_path, Rule(name="welcome", comment="Hello!"))
    event = rig.opens()
    rig.wire._seconds = 15.0
    with pytest.raises(Unavailable) as caught:
        rig.deliver(event)
    assert caught.value.reason == "github_slow"


# The limit of actions a day


def test_an_issue_gets_ten_actions_a_day(tmp_path: Path) -> None:
    """The limit is counted from GitHub's history, so that no restart resets it; the next day it is free."""
    labels = Rule(name="labels", add_labels=tuple(f"l{number}" for number in range(8)))
    more = Rule(
        name="more",
        events=("issues.reopened",),
        add_labels=("m1", "m2"),
        assign=("mona",),
        comment="Hello again!",
    )
    rig = Rig(tmp_path, labels, more)
    assert set(rig.results(rig.opens())) == {"done"}
    rig.does("octavia", "closed")
    reopened = rig.does("octavia", "reopened")
    rig.restart()
    assert rig.results(reopened)[8:] == ["done", "done", "limit too_many_actions", "limit too_many_actions"]
    rig.advance(24 * 3600)
    rig.does("octavia", "closed")
    assert rig.results(rig.does("octavia", "reopened"))[10:] == ["done", "done"]


def test_two_bots_that_answer_each_other_stop(tmp_path: Path) -> None:
    """Another bot that takes back what we do ends it, and one that asks for more meets the limit."""
    rules = [
        Rule(name=f"r{n}", events=("issues.labeled",), labels_any=(f"l{n}",), add_labels=(f"m{n}",))
        for n in range(20)
    ]
    rig = Rig(tmp_path, *rules)
    rig.opens()
    for number in range(20):
        rig.deliver(rig.does("other[bot]", "labeled", label=f"l{number}"))
    assert sum(label.startswith("m") for label in rig.labels()) == 10


# What GitHub refuses, or does not do


@pytest.mark.parametrize(
    ("fault", "results"),
    [
        ({"status": 404}, ["refused not_found"]),
        ({"status": 410}, ["refused not_found"]),
        ({"status": 403, "message": "Resource not accessible by integration"}, ["refused github_refused"]),
        ({"status": 422, "message": "Validation Failed"}, ["refused github_refused"]),
    ],
)
def test_what_a_retry_cannot_change_is_acknowledged(
    rig: Rig, fault: dict[str, Any], results: list[str]
) -> None:
    """The refused action has a row with the reason, and the others are done."""
    event = rig.opens()
    rig.server.fail_next(method="POST", target="/assignees", **fault)
    assert rig.results(event) == ["done", "done", *results, "done", "done"]
    assert rig.assignees() == []


def test_an_issue_that_is_gone_is_acknowledged(rig: Rig) -> None:
    """A deleted issue (410) gets nothing, and no retry."""
    event = rig.opens()
    rig.does("mona", "deleted")
    assert rig.results(event) == ["refused not_found"] * 5


def test_an_issue_that_was_transferred_gets_nothing(rig: Rig) -> None:
    """GitHub redirects to the issue in its new repository, for which the rule was not meant."""
    event = rig.opens()
    transfer(rig)
    assert rig.results(event) == ["refused moved_away"] * 5
    assert rig.writes() == []


def test_an_issue_that_has_become_a_pull_request_gets_nothing(rig: Rig) -> None:
    """GitHub can attach a branch to an issue, which keeps its number; no rule is about pull requests."""
    event = rig.opens()
    rig.issue()["pull_request"] = {"url": "https://api.github.com/repos/acme/app/pulls/1"}
    assert rig.results(event) == ["refused pull_request"] * 5
    assert rig.writes() == []


def test_an_issue_in_the_place_of_a_transferred_one_gets_nothing(rig: Rig) -> None:
    """An issue is known by its id; GitHub gives a transferred one another."""
    event = rig.opens()
    hosted = rig.github.repository("acme/app")
    hosted.issues[1] = {**hosted.issues[1], "id": 12}
    assert rig.results(event) == ["refused issue_moved"] * 5
    assert rig.writes() == []


@pytest.mark.parametrize(
    ("write", "done"),
    [("POST .*/labels", 0), ("POST .*/assignees", 2), ("POST .*/comments", 3), ("PATCH .*", 4)],
)
def test_an_issue_that_is_transferred_while_we_act_gets_nothing_more(rig: Rig, write: str, done: int) -> None:
    """A write is not sent to where GitHub redirects it: the issue stays open in its new repository."""
    event = rig.opens()

    def transfer_first(request: Any) -> bool:
        if re.fullmatch(write, f"{request.method} {request.url}"):
            rig.wire.before = lambda _: True
            transfer(rig)
        return True

    rig.wire.before = transfer_first
    results = rig.results(event)
    assert (results[:done], set(results[done:])) == (["done"] * done, {"refused moved_away"})
    assert rig.github.repository("acme/other").issues[1]["state"] == "open"


def test_an_issue_of_a_renamed_repository_gets_its_actions(rig: Rig) -> None:
    """An event has the name of its time; GitHub redirects what is read, and the issue has the new name."""
    event = replace(rig.opens(), repository="acme/old")
    rig.github.old_names["acme/old"] = "acme/app"
    assert rig.results(event) == ["done"] * 5
    assert rig.issue()["state"] == "closed"


def test_an_app_that_is_not_installed_is_acknowledged(rig: Rig) -> None:
    """The account's owner decides where the App acts; the sentence says what to do."""
    event = rig.opens()
    rig.github.app.installations.clear()
    [first, *_] = rig.deliver(event)
    assert (first.result, first.reason) == ("refused", "app_not_installed")
    assert "is not installed on acme/app; install it from its page at GitHub" in first.detail


def test_an_app_that_is_installed_again_acts(rig: Rig) -> None:
    """An installation that was removed is forgotten: a new one is found without a restart."""
    rig.deliver(rig.opens())
    rig.github.app.installations.clear()
    rig.github.app.tokens.clear()
    assert rig.results(rig.opens())[0] == "refused app_not_installed"
    rig.github.app.install("other")
    rig.github.app.install("acme", permissions={"issues": "write"})
    assert rig.results(rig.opens())[0] == "done"


def test_a_suspended_installation_is_acknowledged(rig: Rig) -> None:
    """A suspended App must not act; the sentence says where that is undone."""
    event = rig.opens()
    rig.installation.suspended_at = "2026-03-04T00:00:00Z"
    [first, *_] = rig.deliver(event)
    assert (first.result, first.reason) == ("refused", "app_suspended")
    assert "unsuspend the GitHub App" in first.detail


def test_a_missing_permission_is_acknowledged(rig: Rig) -> None:
    """An App that may only read issues has a row that says so for each action."""
    event = rig.opens()
    rig.installation.permissions = {"issues": "read"}
    [first, *_] = rig.deliver(event)
    assert (first.result, first.reason) == ("refused", "github_refused")
    assert "answered 403: Resource not accessible by integration" in first.detail


def test_what_github_accepts_and_does_not_do_is_a_warning(rig: Rig) -> None:
    """GitHub ignores who cannot be assigned; the answer, and the issue that is read again, say so."""
    rig.github.assignable = set()
    assert rig.results(rig.opens())[2] == "not_applied not_applied"


@pytest.mark.parametrize(
    ("method", "target", "places"),
    [
        ("POST", "/labels", {0, 1}),
        ("POST", "/assignees", {2}),
        ("POST", "/comments", {3}),
        ("PATCH", "/issues/1$", {4}),
    ],
)
def test_every_write_is_read_back(rig: Rig, method: str, target: str, places: set[int]) -> None:
    """A write that has no effect, although GitHub answers that it has, is not reported as done."""
    event = rig.opens()
    rig.server.fail_next(method=method, target=target, without_effect=True)
    assert rig.results(event) == [
        "not_applied not_applied" if place in places else "done" for place in range(5)
    ]


def test_an_outage_is_raised_and_the_rest_is_done_by_the_retry(rig: Rig) -> None:
    """What was done before has its outcome; a write is not repeated within a delivery."""
    event = rig.opens()
    rig.server.fail_next(method="POST", target="/comments", status=502)
    with pytest.raises(Unavailable) as caught:
        rig.deliver(event)
    assert caught.value.reason == "github_down"
    assert [each.result for each in rig.outcomes] == ["done"] * 3
    assert rig.results(event) == ["present done_before"] * 3 + ["done", "done"]


def test_a_rate_limit_is_left_to_pubsub_and_obeyed_by_the_next_delivery(rig: Rig) -> None:
    """Until GitHub's time is over, no delivery sends anything."""
    event = rig.opens()
    rig.server.fail_next(
        method="POST",
        target="/labels",
        status=403,
        message="secondary rate limit",
        headers={"Retry-After": "60"},
    )
    for _ in range(3):
        with pytest.raises(Busy) as caught:
            rig.deliver(event)
        assert caught.value.reason == "rate_limited"
        asked = len(rig.server.requests)
        rig.advance(10)
    assert len(rig.server.requests) == asked
    rig.advance(60)
    assert set(rig.results(event)) == {"done"}


def test_a_rate_limit_of_hours_is_no_error_to_an_operator(rig: Rig) -> None:
    """It is a WARNING, as every other limit; the line says until when, and no one has to do anything."""
    event = rig.opens()
    rig.server.fail_next(method="POST", target="/labels", status=429, headers={"Retry-After": "7200"})
    with pytest.raises(Busy, match="used up until 2026-03-04 14:00 UTC; try again then"):
        rig.deliver(event)


def test_a_write_that_may_be_sent_again_at_once_waits_for_its_second(rig: Rig) -> None:
    """GitHub's `Retry-After: 0` does not lift its rule of a second between two writes."""
    event = rig.opens()
    for _ in range(5):
        rig.server.fail_next(method="POST", target="/labels", status=429, headers={"Retry-After": "0"})
    began = rig.now
    rig.deliver(event)
    assert len([write for write in rig.writes() if write == "POST labels"]) == 6
    assert (rig.now - began).total_seconds() >= 5 + 4


def test_writes_are_a_second_apart(rig: Rig) -> None:
    """GitHub asks for a second between writes, also between two deliveries."""
    moments: list[float] = []

    def note(request: Any) -> bool:
        if request.method != "GET" and "/issues/" in request.url:
            moments.append(rig.now.timestamp())
        return True

    events = [rig.opens(), rig.opens()]
    rig.wire.before = note
    for event in events:
        rig.deliver(event)
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 1.0
