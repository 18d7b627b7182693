"""Which rules match an event, and what they intend together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.triage.rules import Rule, decide
from ops.send import accounts, payloads
from pipeline.events import IssueEvent
from pipeline.team import Team
from tests.functions.triage.support import (
    BOT,
    MINUTE,
    MONA,
    OCTAVIA,
    OWN,
    actions,
    decided,
    issue_event,
    opened,
)
from tests.support.messages import NOON, an_issue

ASK = Rule(name="ask", comment="Which version?")


def rule(**changes: Any) -> Rule:
    """Return a rule that sets the label `x`."""
    return Rule(**{"name": "one", "add_labels": ("x",), **changes})


def why_not(event: IssueEvent, **changes: Any) -> str | None:
    """Return why the rule with these changes does not match, None if it does."""
    found = decided(event, rule(**changes))
    assert found.ignored is None
    assert set(found.matched) ^ set(found.unmatched) == {"one"}
    return found.unmatched.get("one")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"repositories": ("beta/*", "ACME/*")}, None),
        ({"repositories": ("acme",)}, "'acme/app' matches none of acme"),
        ({"events": ("issues.closed",)}, "'issues.opened' is not issues.closed"),
        ({"labels_any": ("bug", "Crash")}, None),
        ({"labels_any": ("bug",)}, "the issue has none of the labels 'bug'"),
        ({"labels_all": ("CRASH", "p1")}, None),
        ({"labels_all": ("crash", "p2")}, "the issue lacks 'p2'"),
        ({"labels_none": ("p1",)}, "the issue has 'p1'"),
        ({"labels_none": ("p2",)}, None),
        (
            {"repositories": ("b/*",), "author": "team"},
            "'acme/app' matches none of b/*; the author 'octavia' is not of the team",
        ),
    ],
)
def test_every_condition_has_to_be_met(changes: dict[str, Any], why: str | None) -> None:
    """A rule matches if all of its keys do; otherwise every key that does not is named."""
    assert why_not(opened(labels=["crash", "P1"]), **changes) == why


def test_a_rule_is_for_opened_and_reopened_issues_unless_it_says_otherwise() -> None:
    """Without `events` a rule hears of openings and reopenings, of no other event."""
    issue = an_issue()
    assert why_not(issue_event(issue.opened())) is None
    assert why_not(issue_event(issue.closed(MONA, NOON))) is not None
    assert why_not(issue_event(issue.reopened(MONA, NOON))) is None
    assert why_not(issue_event(issue.commented(OCTAVIA, NOON, "x"))) is not None


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        (("parser",), True),
        (("STRASSE",), True),
        (("weiß",), True),
        (("lexer", "syntax error"), True),
        (("p.rser",), False),
        ((".*",), False),
        (("fails the",), False),
    ],
)
def test_words_are_taken_as_they_are_in_any_case(words: tuple[str, ...], matches: bool) -> None:  # noqa: FBT001
    """A word is looked for in title and text, each by itself; it is no pattern."""
    event = opened(title="PARSER fails", body="the Syntax  Error, a syntax error on every Straße, WEISS")
    assert (why_not(event, words_any=words) is None) is matches


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_word_may_be_a_form_s_field_with_its_answer(end: str) -> None:
    """A word may have several lines, which end in the text as GitHub's forms or its editor end them."""
    event = opened(body=f"### Version{end}{end}2.1{end}{end}### Component{end}{end}Parser")
    assert why_not(event, words_any=("### component\n\nparser",)) is None
    assert why_not(event, words_any=("### Component\r\n\r\nParser",)) is None
    assert why_not(event, words_any=("### Version\n\nParser",)) is not None


def test_a_word_that_is_missing_is_named() -> None:
    """The reason names the words, and where they were looked for."""
    assert why_not(opened(body=None), words_any=("q", "b's")) == "title and text have none of 'q', \"b's\""
    said = issue_event(an_issue(title="a").commented(MONA, NOON, "no"))
    assert why_not(said, words_any=("a",), events=("issue_comment.created",)) == "the comment has none of 'a'"


def test_a_comment_is_judged_by_its_own_author_and_text() -> None:
    """Author and words of issue_comment.created are the comment's; labels are the issue's."""
    said = issue_event(an_issue(author=MONA, labels=["bug"]).commented(OCTAVIA, NOON, "still fails"))
    both = replace(said, event="issues", action="opened")
    assert why_not(both, author="team", words_any=("export",)) is None  # only of a comment's own event
    of_comment = {"events": ("issue_comment.created",), "labels_any": ("bug",)}
    assert why_not(said, **of_comment, author="outsider", words_any=("STILL",)) is None
    assert why_not(said, **of_comment, author="team") == "the author 'octavia' is not of the team"


@pytest.mark.parametrize(
    ("login", "kind", "association", "sides"),
    [
        ("mona", "User", "NONE", {"team"}),
        ("KIM", "User", "NONE", {"team"}),
        ("octavia", "User", "OWNER", {"outsider"}),
        ("octavia", "User", "CONTRIBUTOR", {"outsider"}),
        ("octavia", "User", "NONE", {"outsider", "first-time"}),
        ("octavia", "User", "FIRST_TIMER", {"outsider", "first-time"}),
        ("octavia", "User", "FIRST_TIME_CONTRIBUTOR", {"outsider", "first-time"}),
        ("octavia", "User", "MANNEQUIN", {"outsider"}),
        ("x[bot]", "User", "NONE", {"bot"}),
        ("Copilot", "Bot", "NONE", {"bot"}),
        ("K8s-CI-Robot", "User", "FIRST_TIMER", {"bot"}),
    ],
)
def test_everyone_is_of_the_team_an_outsider_or_a_bot(
    login: str, kind: str, association: str, sides: set[str]
) -> None:
    """With a list the team are those on it; a newcomer is an outsider whom GitHub calls one."""
    event = opened(association, author=accounts.Account(login=login, type=kind))
    found = {
        side for side in ("outsider", "team", "bot", "first-time") if why_not(event, author=side) is None
    }
    assert found == sides


def test_without_a_list_the_association_tells_the_team() -> None:
    """Without [team] logins, owners, members and collaborators are the team; bots are not."""
    rules = [rule(name=side, author=side) for side in ("outsider", "team", "bot")]
    for association in ("OWNER", "MEMBER", "COLLABORATOR"):
        assert decided(opened(association), *rules, team=Team()).matched == ("team",)
        assert decided(opened(association, author=BOT), *rules, team=Team()).matched == ("bot",)
    assert decided(opened("CONTRIBUTOR"), *rules, team=Team()).matched == ("outsider",)


def test_an_author_can_be_one_of_a_list() -> None:
    """Logins are compared in any case, and a deleted account is no one."""
    assert why_not(opened(), author=("Octavia",)) is None
    assert why_not(opened(author=accounts.Account(login="OctaVia")), author=("octavia",)) is None
    assert why_not(opened(), author=("octa", "mona")) == "the author 'octavia' is not one of octa, mona"
    assert why_not(opened(author=None), author=("octavia",)) == "the author None is not octavia"
    assert why_not(opened(author=None), author="outsider") is None


def test_a_label_triggers_only_the_rules_that_require_it() -> None:
    """After `labeled`, a rule that requires labels matches only if the new one is among them."""
    issue = an_issue()
    bug = issue_event(issue.labeled(MONA, NOON, "Bug"))
    other = issue_event(issue.labeled(MONA, NOON, "p1"))
    unknown = replace(other, label=None)
    on_label = {"events": ("issues.labeled",)}
    for required in ({"labels_any": ("bug", "p2")}, {"labels_all": ("bug",)}):
        assert why_not(bug, **on_label, **required) is None
        assert why_not(other, **on_label, **required) is not None
        assert why_not(unknown, **on_label, **required) is not None
    assert (
        why_not(other, **on_label, labels_any=("bug", "p2"))
        == "the label 'p1' of the event is not one of 'bug', 'p2'"
    )
    assert (
        why_not(other, labels_all=("p1", "bug"))
        == "'issues.labeled' is not one of issues.opened, issues.reopened"
    )
    assert why_not(other, labels_all=("bug",)) == why_not(other)
    assert why_not(other, **on_label) is None
    assert why_not(other, **on_label, labels_none=("p2",)) is None


def test_the_removal_of_a_label_triggers_only_the_rules_that_exclude_it() -> None:
    """After `unlabeled`, a rule that excludes labels matches only if the removed one is among them."""
    issue = an_issue(labels=["needs-info", "p1", "bug"])
    other = issue_event(issue.unlabeled(MONA, NOON, "p1"))
    waited = issue_event(issue.unlabeled(MONA, NOON, "needs-info"))
    on_removal = {"events": ("issues.unlabeled",), "labels_any": ("bug",), "labels_none": ("Needs-Info", "x")}
    assert why_not(waited, **on_removal) is None
    assert why_not(replace(other, issue=waited.issue), **on_removal) is not None
    assert why_not(other, events=("issues.unlabeled",), labels_any=("bug",)) is None


def ignored(event: IssueEvent, **changes: Any) -> str | None:
    """Return the reason why the event triggers nothing."""
    found = decided(event, rule(), **changes)
    assert found.ignored is None or not (found.actions or found.matched or found.unmatched)
    return found.ignored and found.ignored.reason


def test_only_new_events_trigger() -> None:
    """What reconcile found counts as new for an hour; replays and history never trigger."""
    event = opened()
    sources = ("webhook", "reconcile", "replay", "backfill")
    assert [ignored(replace(event, source=source)) for source in sources] == [
        None,
        None,
        "not_live",
        "not_live",
    ]
    hour = timedelta(hours=1)
    assert ignored(event, now=NOON + hour) == "too_old"
    assert ignored(event, now=NOON + hour - timedelta(microseconds=1)) is None
    assert ignored(event, now=NOON - hour) is None


def test_our_own_events_never_trigger() -> None:
    """The App's login counts exactly, in any case; without one every sender triggers."""
    by = {
        login: replace(opened(), sender=login) for login in ("issuewire[bot]", "IssueWire[Bot]", "issuewire")
    }
    assert [ignored(event) for event in by.values()] == ["own_action", "own_action", None]
    assert ignored(by["issuewire[bot]"], own_login="IssueWire[bot]") == "own_action"
    assert [ignored(event, own_login=None) for event in by.values()] == [None, None, None]
    assert ignored(replace(opened(), sender=None)) is None
    assert ignored(replace(opened(), sender=None), own_login="") is None
    assert ignored(replace(opened(), sender=f"{OWN}x")) is None


def test_what_is_no_issue_any_more_triggers_nothing() -> None:
    """Pull requests, departures and other events have no actions, whatever the rules are."""
    issue = an_issue()
    on_pull_request = an_issue(is_pull_request=True).commented(OCTAVIA, NOON, "x")
    left, _ = issue.transferred(MONA, NOON, accounts.Repository(full_name="acme/web"), 3)
    push = payloads.Event(name="push", payload={"repository": {"full_name": "acme/app"}})
    related = payloads.Event(name="sub_issues", payload=issue.opened().payload)
    assert [
        ignored(issue_event(made))
        for made in (on_pull_request, left, issue.deleted(MONA, NOON), push, related)
    ] == [
        "pull_request",
        "issue_left",
        "issue_left",
        "not_an_issue",
        "not_an_issue",
    ]


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("issues", {"action": "opened", "issue": {"id": 1}, "repository": {"full_name": "acme/app"}}),
        ("issues", {"action": "opened", "issue": {"number": 1}}),
        ("issues", {"action": "opened", "issue": {"number": 1}, "repository": {"full_name": "../.."}}),
        ("issue_comment", {"action": "created", "issue": {"number": 1}, "repository": {"full_name": "a/b"}}),
    ],
)
def test_an_event_that_does_not_name_its_issue_triggers_nothing(name: str, payload: dict[str, Any]) -> None:
    """Without number, repository or comment there is nothing to act on."""
    assert ignored(issue_event(payloads.Event(name=name, payload=payload))) == "incomplete"


def test_what_matches_adds_up() -> None:
    """Labels of all rules are set, each once; the first rule's assignee, comment and close count."""
    first = rule(name="first", add_labels=("Bug", "bug", "x"), assign=("lee",))
    second = rule(name="second", add_labels=("BUG", "y"), assign=("ann",), comment="Hi", close="completed")
    third = rule(name="third", add_labels=(), comment="Hello", close="duplicate")
    assert actions(opened(), first, second, third) == [
        ("first", "add_label", "Bug"),
        ("first", "add_label", "x"),
        ("second", "add_label", "y"),
        ("first", "assign", "lee"),
        ("second", "comment", "Hi"),
        ("second", "close", "completed"),
    ]
    assert decided(opened(), first, ASK, rule(name="b", author="bot")).matched == ("first", "ask")


def test_a_closed_issue_is_not_closed() -> None:
    """A close of a closed issue is no action; a comment is."""
    closed = issue_event(an_issue().closed(MONA, NOON))
    late = Rule(name="late", events=("issues.closed",), comment="Bye", close="completed")
    assert actions(closed, late) == [("late", "comment", "Bye")]


@pytest.mark.parametrize(
    ("number", "away", "login"),
    [
        (6, (), "Mona"),
        (7, (), "kim"),
        (8, (), "lee"),
        (9, (), "Mona"),
        (7, ("kim",), "lee"),
        (8, ("mona",), "kim"),
    ],
)
def test_the_number_chooses_the_assignee(number: int, away: tuple[str, ...], login: str) -> None:
    """The assignee is the login at the number modulo the count of those who are not away."""
    turns = rule(add_labels=(), assign=("Mona", "kim", "lee"))
    assert actions(opened(number=number), turns, team=Team(away=away)) == [("one", "assign", login)]


def test_no_one_is_assigned_if_all_are_away() -> None:
    """A rule whose people are all away still does the rest, and leaves the turn to the next rule."""
    away = rule(assign=("Kim",))
    assert actions(opened(), away) == [("one", "add_label", "x")]
    assert actions(opened(), away, Rule(name="next", assign=("mona",)))[1:] == [("next", "assign", "mona")]


def test_a_rule_in_dry_run_takes_nothing_from_the_others() -> None:
    """Its actions are marked, and the rules that act do what they would do without it."""
    trial = rule(name="trial", add_labels=("x", "y"), comment="Hi", dry_run=True)
    acting = rule(add_labels=("x",), comment="Hello")
    found = decided(opened(), trial, acting).actions
    assert [(action.rule, action.value, action.dry_run) for action in found] == [
        ("trial", "x", True),
        ("trial", "y", True),
        ("one", "x", False),
        ("trial", "Hi", True),
        ("one", "Hello", False),
    ]
    assert actions(opened(), trial, replace(trial, name="second")) == [
        ("trial", "add_label", "x"),
        ("trial", "add_label", "y"),
        ("trial", "comment", "Hi"),
    ]
    found = decided(opened(), acting, trial).actions
    assert [(action.rule, action.value) for action in found] == [
        ("one", "x"),
        ("trial", "y"),
        ("one", "Hello"),
    ]


@pytest.mark.parametrize(
    "text", ["\ud800", "\0", "<!-- issuewire rule=one delivery=x -->", "@everyone \u202e", ""]
)
def test_hostile_text_changes_nothing(text: str) -> None:
    """Titles, texts, labels and logins of any form break nothing, and only words of the rules count."""
    event = opened(title="title", body="text", labels=["label"], author=accounts.Account(login="login"))
    assert event.issue is not None
    hostile = replace(event.issue, title=text, body=text * 3, labels=(text,), author=f"{text}x")
    event = replace(event, issue=hostile)
    every = {"words_any": ("parser",), "labels_any": ("bug",), "author": ("mona",)}
    reason = why_not(event, **every)
    assert reason is not None
    assert reason.isprintable()
    assert actions(event, rule(words_any=("parser",)), ASK) == [("ask", "comment", "Which version?")]


NAMES = st.sampled_from(["a", "B", "b", "c"])
LOGINS = st.lists(st.sampled_from(["mona", "Kim", "lee", "ann"]), max_size=4).map(tuple)
RULES = st.lists(
    st.builds(
        Rule,
        name=st.just(""),
        labels_any=st.lists(NAMES, max_size=2).map(tuple),
        labels_none=st.lists(NAMES, max_size=1).map(tuple),
        author=st.sampled_from([None, "outsider", "team", "first-time"]),
        add_labels=st.lists(NAMES, max_size=3).map(tuple),
        assign=LOGINS,
        comment=st.sampled_from([None, "Hi", "Hello"]),
        close=st.sampled_from([None, "completed", "duplicate"]),
        dry_run=st.booleans(),
    ),
    max_size=4,
).map(lambda rules: tuple(replace(each, name=str(number)) for number, each in enumerate(rules)))
OPENED = opened(labels=["a", "c"])


@settings(max_examples=60, deadline=None)
@given(rules=RULES, away=LOGINS, number=st.integers(1, 9), data=st.data())
def test_decisions_follow_the_contract(
    rules: tuple[Rule, ...], away: tuple[str, ...], number: int, data: st.DataObject
) -> None:
    """Labels add up in any order of the rules; of the rest, at most one is done, and never by who is away."""
    assert OPENED.issue is not None
    event = replace(OPENED, issue=replace(OPENED.issue, number=number))
    team = Team(away=tuple(login.lower() for login in away))

    def decision(of: tuple[Rule, ...]) -> dict[str, list[str]]:
        found = decide(event, of, team, now=NOON + MINUTE, own_login=OWN)
        assert {*found.matched, *found.unmatched} == {each.name for each in of}
        values: dict[str, list[str]] = {"add_label": [], "assign": [], "comment": [], "close": []}
        for action in found.actions:
            assert action.rule in found.matched
            if not action.dry_run:
                values[action.what].append(action.value)
        return values

    found = decision(rules)
    shuffled = decision(tuple(data.draw(st.permutations(rules))))
    lowered = [label.lower() for label in found["add_label"]]
    assert len(lowered) == len(set(lowered))
    assert set(lowered) == {label.lower() for label in shuffled["add_label"]}
    matching = [
        each for each in rules if not each.dry_run and decision((each,)) and _matches(event, each, team)
    ]
    assert set(lowered) == {label.lower() for each in matching for label in each.add_labels}
    assert found["comment"] == [each.comment for each in matching if each.comment][:1]
    assert found["close"] == [each.close for each in matching if each.close][:1]
    present = [[login for login in each.assign if login.lower() not in team.away] for each in matching]
    assert found["assign"] == [logins[number % len(logins)] for logins in present if logins][:1]


def _matches(event: IssueEvent, one: Rule, team: Team) -> bool:
    return bool(decide(event, [one], team, now=NOON + MINUTE, own_login=OWN).matched)
