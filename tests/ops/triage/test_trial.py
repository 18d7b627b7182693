"""The rules are tried on past events, and each effect counts once."""

from dataclasses import replace
from datetime import timedelta

from functions.triage.rules import Rule
from ops.triage.summary import line, lines, notes, outcome
from ops.triage.trial import StoredEvent, Trial
from ops.triage.wording import shortened, summary
from pipeline.accounts import Accounts
from pipeline.events import IssueEvent
from tests.functions.triage.support import MONA, OCTAVIA, OWN, issue_event, opened
from tests.support.messages import NOON, an_issue

TURNS = Rule(
    name="turns", events=("issues.opened", "issues.labeled"), add_labels=("bug",), assign=("mona", "kim")
)
WELCOME = Rule(name="welcome", author="outsider", comment="Hi", dry_run=True)
CLOSE = Rule(name="close", events=("issues.reopened",), close="not_planned")
RULES = (TURNS, WELCOME, CLOSE)


def trial(*rules: Rule, own_login: str | None = None) -> Trial:
    """Return a trial of the rules."""
    return Trial(rules=rules or RULES, team=Accounts(away=("kim",)), own_login=own_login)


def done(of: Trial, *events: IssueEvent) -> list[list[str]]:
    """Return what each event would have changed."""
    tried = [of.add(StoredEvent(event=event, with_payload=True)) for event in events]
    return [[f"{action.rule} {action.what} {action.value}" for action in each.effects] for each in tried]


def test_an_event_is_taken_as_if_it_had_come_when_it_happened() -> None:
    """Its age does not matter."""
    old = replace(opened(), received_at=NOON - timedelta(days=900))
    assert done(trial(WELCOME), old) == [["welcome comment Hi"]]


def test_what_the_issue_has_or_got_before_is_not_done_again() -> None:
    """A label, an assignee and a comment count once for each issue; a close counts each time."""
    issue = an_issue(labels=["Bug"])
    first, second = an_issue(number=8, author=OCTAVIA), an_issue(number=9)
    of = trial()
    assert done(
        of,
        issue_event(issue.opened()),
        issue_event(issue.assigned(MONA, NOON, MONA)),
        issue_event(first.opened()),
        issue_event(first.labeled(MONA, NOON, "p1")),
        issue_event(first.reopened(MONA, NOON), delivery_id="a"),
        issue_event(first.reopened(MONA, NOON), delivery_id="b"),
        issue_event(second.opened()),
    ) == [
        ["turns assign mona", "welcome comment Hi"],
        [],
        ["turns add_label bug", "turns assign mona", "welcome comment Hi"],
        [],
        ["close close not_planned"],
        ["close close not_planned"],
        ["turns add_label bug", "turns assign mona", "welcome comment Hi"],
    ]
    assert len(of.issues) == 3


def test_once_is_once_for_a_rule_s_comment_and_for_a_label() -> None:
    """Two rules may say the same; a label is one in any case; and what is only tried leaves it to be done."""
    issue = an_issue()
    events = (issue_event(issue.opened()), issue_event(issue.reopened(MONA, NOON)))
    late = ("issues.reopened",)
    first = Rule(name="a", events=("issues.opened",), add_labels=("Bug",), comment="Hi")
    assert done(trial(first, Rule(name="b", events=late, add_labels=("bug",), comment="Hi")), *events) == [
        ["a add_label Bug", "a comment Hi"],
        ["b comment Hi"],
    ]
    tried = replace(first, dry_run=True, comment=None)
    assert done(trial(tried, Rule(name="b", events=late, add_labels=("bug",))), *events) == [
        ["a add_label Bug"],
        ["b add_label bug"],
    ]


def test_the_same_number_in_another_repository_is_another_issue() -> None:
    """Issues are told apart by the repository's id, which a rename keeps."""
    event = opened()
    renamed, other = replace(event, repository="acme/new"), replace(event, repository_id=1)
    assert [len(each) for each in done(trial(TURNS), event, renamed, other)] == [2, 0, 2]


def test_what_our_own_app_did_is_left_out_if_its_login_is_known() -> None:
    """Without the login it counts as done by anyone."""
    event = replace(opened(), sender=OWN)
    assert [len(done(trial(TURNS, own_login=login), event)[0]) for login in (OWN, None)] == [0, 2]


def test_the_numbers_of_each_rule_are_summed_up() -> None:
    """The sum names what triggers nothing, and each rule has a line, also one that never matches."""
    of = trial()
    left = issue_event(an_issue().deleted(MONA, NOON))
    tried = [
        of.add(StoredEvent(event=event, with_payload=True)) for event in (opened(), left, opened(number=8))
    ]
    assert line(tried[0]) == (
        "2026-01-05 12:00  acme/app#7 issues.opened: turns adds 'bug', assigns mona; welcome comments 'Hi'"
    )
    assert list(lines(of)) == [
        "3 events that the rules name, 1 without effect (issue_left 1); 2 issues would have changed.",
        "  turns    2 events match: 2 labels, 2 assignees",
        "  welcome  2 events match: 2 comments (dry run)",
        "  close    no event matches",
    ]
    assert list(lines(trial(CLOSE))) == [
        "0 events that the rules name; 0 issues would have changed.",
        "  close  no event matches",
    ]
    assert list(notes(of)) == []
    found = outcome(of, tried[:1])
    assert found["rules"][0] == {
        "name": "turns",
        "dry_run": False,
        "matches": 2,
        "add_label": 2,
        "assign": 2,
        "comment": 0,
        "close": 0,
    }
    assert found["decisions"][0]["actions"][0] == {
        "rule": "turns",
        "what": "add_label",
        "value": "bug",
        "dry_run": False,
    }


def test_what_the_numbers_leave_out_is_said() -> None:
    """Missing payloads and the limit are one line each."""
    of = trial(Rule(name="words", words_any=("x",), close="completed"), TURNS)
    of.add(StoredEvent(event=issue_event(an_issue().labeled(MONA, NOON, "x")), with_payload=False))
    assert list(notes(of)) == []
    of.add(StoredEvent(event=opened(), with_payload=False))
    of.is_cut = True
    assert list(notes(of)) == [
        "there are more events than the first 2; raise --limit, or narrow the time",
        "1 event has no payload in BigQuery (STORE_PAYLOAD, PAYLOAD_DAYS), so words_any saw the title alone",
    ]


def test_a_long_comment_is_shown_by_its_beginning() -> None:
    """A comment is one line in quotes, cut after some words."""
    assert shortened("Hi\n\nthere") == "'Hi there'"
    assert shortened("x" * 61) == f"'{'x' * 60}...' (61 characters)"


def test_every_key_of_a_rule_is_in_its_summary() -> None:
    """No condition and no action is left out."""
    rule = Rule(
        name="all",
        repositories=("a/*", "b/*"),
        events=("issues.edited",),
        labels_any=("x", "y"),
        labels_all=("z",),
        labels_none=("w",),
        words_any=("parser",),
        author=("mona", "kim"),
        add_labels=("l",),
        assign=("lee",),
        comment="Hi",
        close="duplicate",
        dry_run=True,
    )
    assert summary(rule) == (
        "all: repositories a/*, b/*; events issues.edited; labels_any 'x', 'y'; labels_all 'z'; "
        "labels_none 'w'; words_any 'parser'; author mona, kim -> adds 'l'; assigns lee; comments 'Hi'; "
        "closes as duplicate (dry run)"
    )
