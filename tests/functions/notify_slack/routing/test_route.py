"""A route matches some events, and has reasons why it does not match the others."""

from dataclasses import replace
from typing import Any

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Destination, Routes
from ops.send import accounts, payloads
from pipeline.events import IssueEvent
from tests.functions.notify_slack.routing.support import (
    BOT,
    LATER,
    MONA,
    channels_by,
    channels_of,
    issue_event,
    mismatches,
    one_route,
    only_destination,
    route_toml,
)
from tests.support.messages import an_issue

# Repositories


@pytest.mark.parametrize(
    ("glob", "repository", "matches"),
    [
        ("acme/app", "acme/app", True),
        ("acme/app", "acme/apple", False),
        ("acme/app", "xacme/app", False),
        ("acme/*", "acme/app", True),
        ("acme/*", "acme-labs/app", False),
        ("*/docs", "acme/docs", True),
        ("*", "acme/app", True),
        ("acme/ap?", "acme/app", True),
        ("acme/[ab]*", "acme/app", True),
        ("acme/[!a]*", "acme/app", False),
        ("ACME/App", "acme/aPP", True),
        ("acme.*", "acme/app", False),
        ("acme/a.p", "acme/app", False),
    ],
)
def test_a_glob_matches_owner_and_name(glob: str, repository: str, *, matches: bool) -> None:
    """A glob matches the whole name, ignores case as GitHub does, and is no regular expression."""
    assert bool(channels_by(route_toml([glob], "C1"), repository)) is matches


def test_a_route_without_repositories_matches_all() -> None:
    """The default of `repositories` is every repository."""
    assert channels_by('[[route]]\nchannels = ["C1"]') == ("C1",)


@pytest.mark.parametrize(("glob", "expected"), [("*", ("C1",)), ("acme/*", ())])
def test_a_delivery_without_a_repository_matches_only_a_star(glob: str, expected: tuple[str, ...]) -> None:
    """A delivery without a repository matches only routes for all repositories."""
    assert channels_by(route_toml([glob], "C1"), repository=None) == expected


@pytest.mark.parametrize(
    ("private", "matching"),
    [
        (False, ["any", "never"]),
        (True, ["any", "only"]),
        (None, ["any", "only"]),
        ("false", ["any", "only"]),
        (0, ["any", "only"]),
    ],
)
def test_a_repository_is_public_only_if_the_payload_says_so(private: object, matching: list[str]) -> None:
    """A repository counts as private unless the payload says that it is public."""
    payload = {"action": "opened", "repository": {"full_name": "acme/app", "private": private}}
    if private is None:
        payload = {"action": "opened"}
    event = issue_event(payloads.Event(name="issues", payload=payload))
    words = ("any", "only", "never")
    assert [word for word in words if channels_of(one_route(f'private = "{word}"'), event)] == matching
    excluding = next(word for word in words if word not in matching)
    assert [key for key, _ in mismatches(one_route(f'private = "{excluding}"'), event)] == ["private"]


# Authors


@pytest.mark.parametrize(
    ("pattern", "login", "muted"),
    [
        ("*[bot]", "dependabot[bot]", True),
        ("*[bot]", "Dependabot[BOT]", True),
        ("*[bot]", "[bot]", True),
        ("*[bot]", "bob", False),
        ("*[bot]", "robot", False),
        ("*[bot]", "dependabot", False),
        ("dependabot[bot]", "dependabot[bot]", True),
        ("dependabot[bot]", "dependabotb", False),
        ("OctoCat", "octocat", True),
        ("octocat", "octocats", False),
        ("octo?at", "octocat", True),
        ("octo?at", "octoat", False),
        ("acme-*", "acme-sync", True),
        ("acme-*", "not-acme-sync", False),
        ("[!a]", "b", False),
        ("[!a]b", "xb", False),
    ],
)
def test_an_author_pattern_has_two_wildcards(
    pattern: str,
    login: str,
    *,
    muted: bool,
) -> None:
    """Only * and ? are wildcards in an author pattern: *[bot] does not mute bob. Case is ignored."""
    event = issue_event(an_issue(author=accounts.Account(login=login)).opened())
    route = replace(one_route().routes[0], mute_authors=(pattern,))  # the file itself would refuse "[!a]"
    expected = [f"the author {login!r} is muted by {pattern}"] if muted else []
    assert [reason.text for reason in route.match(event).mismatches] == expected


def test_bots_are_muted_unless_the_file_says_otherwise() -> None:
    """Bots are muted by default; a route's own list replaces the default."""
    event = issue_event(an_issue(author=BOT).opened())
    reason = ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]")
    assert mismatches(one_route(), event) == [reason]
    assert mismatches(one_route("mute_authors = []"), event) == []
    assert mismatches(one_route('mute_authors = ["octocat"]'), event) == []


def test_a_muted_sender_updates_the_card_without_a_reply() -> None:
    """An event of a muted sender updates the card and has no reply."""
    issue = an_issue()
    for event in (
        issue.commented(BOT, LATER, "Thanks!"),
        issue.closed(BOT, LATER),
        issue.reopened(BOT, LATER),
    ):
        [match] = one_route().explain(issue_event(event))
        assert (match.matches, match.muted_because) == (
            True,
            "the sender 'dependabot[bot]' is muted by *[bot]",
        )
        destination = only_destination(one_route(), issue_event(event))
        assert (destination.replies, destination.final_update) == (False, False)
    [match] = one_route().explain(issue_event(issue.closed(MONA, LATER)))
    assert match.muted_because is None
    assert only_destination(one_route(), issue_event(issue.closed(MONA, LATER))).replies


def test_a_muted_authors_issue_has_no_card() -> None:
    """An issue of a muted author has no card, even if another account closes it."""
    assert mismatches(one_route(), issue_event(an_issue(author=BOT).closed(MONA, LATER))) == [
        ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]")
    ]


def test_an_issue_that_a_bot_transferred_belongs_to_its_author() -> None:
    """An issue that a bot transferred is not muted, because the bot is not its author."""
    payload = {**an_issue().opened().payload, "sender": BOT.as_json()}
    assert mismatches(one_route(), issue_event(payloads.Event(name="issues", payload=payload))) == []


def test_a_deleted_account_is_never_muted() -> None:
    """A deleted account is never muted: an issue without author and an event without sender match."""
    route = replace(one_route().routes[0], mute_authors=("*",))  # the file itself would refuse it
    payload = {**an_issue(author=None).closed(MONA, LATER).payload, "sender": None}
    assert route.match(issue_event(an_issue(author=None).opened())).matches
    match = route.match(issue_event(payloads.Event(name="issues", payload=payload)))
    assert (match.matches, match.muted_because) == (True, None)


# Events


def test_a_route_matches_the_events_that_it_names() -> None:
    """A route without `events` matches all events, including those that GitHub may add."""
    issue = an_issue()
    events = [
        issue_event(issue.opened()),
        issue_event(issue.closed(MONA, LATER)),
        issue_event(issue.commented(MONA, LATER, "x")),
        issue_event(payloads.Event(name="issues", payload={**issue.opened().payload, "action": "some_day"})),
    ]
    chosen = one_route('events = ["issues.opened", "issue_comment.created"]')
    assert [channels_of(chosen, event) for event in events] == [("C1",), (), ("C1",), ()]
    assert [channels_of(one_route(), event) for event in events] == [("C1",)] * 4
    assert mismatches(chosen, events[1]) == [
        ("events", "'issues.closed' is not one of issues.opened, issue_comment.created")
    ]


def test_a_label_of_the_route_needs_no_entry_in_events() -> None:
    """A route for opened bugs also matches an issue that becomes a bug, but no other label's event."""
    routes, issue = one_route('labels_any = ["bug"]\nevents = ["issues.opened"]'), an_issue()
    assert routes.destinations(issue_event(issue.labeled(MONA, LATER, "docs"))) == ()
    assert routes.destinations(issue_event(issue.labeled(MONA, LATER, "Bug"))) == (Destination(channel="C1"),)
    assert routes.destinations(issue_event(issue.labeled(MONA, LATER, "p1"))) == ()
    assert only_destination(routes, issue_event(issue.unlabeled(MONA, LATER, "Bug"))).final_update


# Labels


@pytest.mark.parametrize(
    ("line", "labels", "matches"),
    [
        ('labels_any = ["bug", "crash"]', ["Crash"], True),
        ('labels_any = ["bug", "crash"]', ["docs"], False),
        ('labels_any = ["bug"]', [], False),
        ('labels_any = ["bug"]', ["bugs"], False),
        ('labels_any = ["bug*"]', ["bugs"], False),
        ('labels_all = ["bug", "P1"]', ["p1", "BUG", "docs"], True),
        ('labels_all = ["bug", "P1"]', ["bug"], False),
        ('labels_none = ["wontfix"]', [], True),
        ('labels_none = ["wontfix", "stale"]', ["bug", "Stale"], False),
        ('labels_any = ["bug"]\nlabels_none = ["stale"]', ["bug", "stale"], False),
        ('labels_any = ["bug"]\nlabels_all = ["p1"]\nlabels_none = ["stale"]', ["bug", "p1"], True),
    ],
)
def test_a_route_requires_labels_and_excludes_others(line: str, labels: list[str], *, matches: bool) -> None:
    """The lists of any, all and no labels apply together; a label matches as a whole, in any case."""
    assert bool(channels_of(one_route(line), issue_event(an_issue(labels=labels).opened()))) is matches


def test_a_later_label_starts_a_card_and_its_removal_ends_it() -> None:
    """An issue has a card from the event that sets the label; its removal is the card's final update."""
    routes, issue = one_route('labels_any = ["bug"]'), an_issue()
    assert routes.destinations(issue_event(issue.opened())) == ()
    assert routes.destinations(issue_event(issue.labeled(MONA, LATER, "docs"))) == ()
    assert routes.destinations(issue_event(issue.labeled(MONA, LATER, "Bug"))) == (Destination(channel="C1"),)
    assert routes.destinations(issue_event(issue.commented(MONA, LATER, "x"))) == (Destination(channel="C1"),)
    assert routes.destinations(issue_event(issue.unlabeled(MONA, LATER, "docs"))) == (
        Destination(channel="C1"),
    )
    assert routes.destinations(issue_event(issue.unlabeled(MONA, LATER, "Bug"))) == (
        Destination(channel="C1", final_update=True, makes_card=False),
    )
    for event in (
        issue.commented(MONA, LATER, "x"),
        issue.closed(MONA, LATER),
        issue.labeled(MONA, LATER, "docs"),
        issue.unlabeled(MONA, LATER, "docs"),
    ):
        assert routes.destinations(issue_event(event)) == ()


def test_an_excluded_label_ends_a_card_and_its_removal_resumes_it() -> None:
    """An excluded label ends a card, and its removal resumes it."""
    routes, issue = one_route('labels_none = ["wontfix"]'), an_issue()
    assert only_destination(routes, issue_event(issue.labeled(MONA, LATER, "WontFix"))).final_update
    assert routes.destinations(issue_event(issue.closed(MONA, LATER))) == ()
    assert not only_destination(routes, issue_event(issue.unlabeled(MONA, LATER, "WontFix"))).final_update


def test_simultaneous_label_changes_end_the_card() -> None:
    """If several labels change at once, each event shows all changes, and the card has its final update."""
    routes = one_route('labels_all = ["bug", "p1"]\nlabels_none = ["wontfix"]')
    issue = an_issue(labels=["bug", "p1"])
    issue.unlabeled(MONA, LATER, "p1")
    issue.labeled(MONA, LATER, "wontfix")
    assert only_destination(routes, issue_event(issue.unlabeled(MONA, LATER, "bug"))).final_update


def test_an_issue_that_never_matched_has_no_final_update() -> None:
    """An issue of a muted author never had a card, so it has no final update."""
    event = issue_event(an_issue(author=BOT, labels=["bug"]).unlabeled(MONA, LATER, "bug"))
    assert one_route('labels_any = ["bug"]').destinations(event) == ()


def unlabeled_without_label(event: str = "unlabeled", **issue: Any) -> IssueEvent:
    """Return the event of a label that was deleted from its repository."""
    payload = {**an_issue(**issue).opened().payload, "action": event, "label": None}
    return issue_event(payloads.Event(name="issues", payload=payload))


@pytest.mark.parametrize("line", ['labels_any = ["urgent"]', 'labels_all = ["bug", "urgent"]'])
@pytest.mark.parametrize("events", ["", '\nevents = ["issues.opened"]'])
def test_a_label_that_was_deleted_ends_the_card(line: str, events: str) -> None:
    """GitHub does not name a label that was deleted from the repository; a card that lacks one ends."""
    routes = one_route(line + events)
    assert only_destination(routes, unlabeled_without_label(labels=["bug"])).final_update
    kept = unlabeled_without_label(labels=["bug", "urgent"])
    assert channels_of(routes, kept) == (() if events else ("C1",))


# Bots

COPILOT = accounts.Account(login="Copilot", type="Bot")
CI = accounts.Account(login="k8s-CI-robot")


def for_bots(line: str = "") -> Routes:
    """Return a route that knows an account of type User that is a bot."""
    return replace(one_route(line), bots=("k8s-ci-robot",))


@pytest.mark.parametrize("bot", [BOT, COPILOT, CI])
def test_every_bot_is_muted_by_default(bot: accounts.Account) -> None:
    """The pattern *[bot] means every bot: by its login, by GitHub's type, and by the team's file."""
    routes = for_bots()
    assert routes.destinations(issue_event(an_issue(author=bot).opened())) == ()
    said = only_destination(routes, issue_event(an_issue().commented(bot, LATER, "x")))
    assert (said.makes_card, said.replies) == (False, False)


@pytest.mark.parametrize("line", ["mute_authors = []", 'mute_authors = ["octavia?", "*-bot"]'])
@pytest.mark.parametrize("bot", [BOT, COPILOT, CI])
def test_another_pattern_says_nothing_about_bots(line: str, bot: accounts.Account) -> None:
    """Only *[bot] looks at what an account is; any other pattern is about logins."""
    assert only_destination(for_bots(line), issue_event(an_issue(author=bot).opened())).makes_card


def test_an_account_of_type_bot_without_a_login_is_muted() -> None:
    """A sender without a login is muted if its type is Bot, and not as a deleted account."""
    for sender, makes_card in (({"type": "Bot"}, False), (None, True), ({"login": None}, True)):
        payload = {**an_issue().opened().payload, "sender": sender}
        event = issue_event(payloads.Event(name="issues", payload=payload))
        assert only_destination(one_route(), event).makes_card is makes_card


@pytest.mark.parametrize(
    ("line", "event", "makes_card"),
    [
        ("", an_issue().labeled(BOT, LATER, "stale"), False),
        ("", an_issue().commented(BOT, LATER, "x"), False),
        ("", an_issue().closed(BOT, LATER), False),
        ("", an_issue().opened(), True),
        ('labels_any = ["stale"]', an_issue().labeled(BOT, LATER, "stale"), True),
        ('labels_all = ["stale"]', an_issue().labeled(BOT, LATER, "Stale"), True),
        ('labels_any = ["stale"]', an_issue(labels=["stale"]).labeled(BOT, LATER, "bug"), False),
        ('labels_none = ["stale"]', an_issue(labels=["stale"]).unlabeled(BOT, LATER, "stale"), True),
        ('labels_none = ["stale"]', an_issue(labels=["bug"]).unlabeled(BOT, LATER, "bug"), False),
    ],
)
def test_a_muted_sender_makes_no_card_but_by_a_label(
    line: str, event: payloads.Event, *, makes_card: bool
) -> None:
    """What a muted account does to an old issue makes no card, unless its label brings the issue in."""
    destination = only_destination(one_route(line), issue_event(event))
    assert destination.makes_card is makes_card


def test_one_route_that_hears_the_sender_makes_the_card() -> None:
    """In a channel with two routes, the card is made if one of them does not mute the sender."""
    routes = routes_file.parse(
        '[[route]]\nchannels = ["C1"]\n[[route]]\nchannels = ["C1"]\nmute_authors = []\n'
    )
    assert only_destination(routes, issue_event(an_issue().closed(BOT, LATER))).makes_card


# Whom an event calls


@pytest.mark.parametrize(
    ("line", "event", "called"),
    [
        ("", an_issue().opened(), True),
        ("", an_issue().labeled(MONA, LATER, "urgent"), False),
        ("", an_issue().commented(MONA, LATER, "x"), False),
        ('labels_any = ["Urgent"]', an_issue().labeled(MONA, LATER, "urgent"), True),
        ('labels_all = ["urgent"]', an_issue().labeled(MONA, LATER, "urgent"), True),
        ('labels_any = ["urgent"]', an_issue(labels=["urgent"]).labeled(MONA, LATER, "bug"), False),
        ('labels_any = ["urgent"]', an_issue(labels=["urgent"]).closed(MONA, LATER), False),
        ('labels_none = ["wontfix"]', an_issue(labels=["wontfix"]).unlabeled(MONA, LATER, "wontfix"), True),
        ('labels_any = ["urgent"]\nevents = ["issues.closed"]',
         an_issue().labeled(MONA, LATER, "urgent"), True),
    ],
)  # fmt: skip
def test_people_hear_of_a_new_issue_and_of_one_that_a_label_brings(
    line: str, event: payloads.Event, *, called: bool
) -> None:
    """A route's people are mentioned on `opened`, and by a label that brings the issue into the route."""
    routes = one_route(f'mention = ["U1"]\n{line}')
    assert only_destination(routes, issue_event(event)).mention == (("U1",) if called else ())


def test_no_one_hears_of_a_closed_issue() -> None:
    """An issue that arrives closed, or that a label brings in after its close, mentions no one."""
    routes, issue = one_route('mention = ["U1"]\nlabels_any = ["urgent"]'), an_issue(labels=["urgent"])
    issue.state = "closed"
    assert only_destination(routes, issue_event(issue.opened())).mention == ()
    assert only_destination(routes, issue_event(issue.labeled(MONA, LATER, "urgent"))).mention == ()


# Corrections


def correction(action: str, *, about_comment: bool = False, **issue: Any) -> IssueEvent:
    """Return an event that edits or deletes."""
    event = an_issue(**issue).commented(MONA, LATER, "x") if about_comment else an_issue(**issue).opened()
    return issue_event(payloads.Event(name=event.name, payload={**event.payload, "action": action}))


@pytest.mark.parametrize("about_comment", [False, True])
@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_an_edit_and_a_deletion_reach_a_card_whatever_the_events_are(
    action: str, *, about_comment: bool
) -> None:
    """What a card or a reply shows is changed and taken back, also in a route without these events."""
    routes = one_route('events = ["issues.opened", "issue_comment.created"]')
    event = correction(action, about_comment=about_comment)
    assert routes.destinations(event) == (Destination(channel="C1", makes_card=False),)


def test_an_edit_reaches_the_card_of_an_issue_that_left_the_route() -> None:
    """The words of an issue that left a route by its labels are changed too, and make no card."""
    event = correction("edited", about_comment=True)
    left = Destination(channel="C1", final_update=True, makes_card=False)
    assert one_route('labels_any = ["bug"]').destinations(event) == (left,)
    assert one_route().destinations(event) == (Destination(channel="C1"),)


@pytest.mark.parametrize(
    "line", ['repositories = ["beta/*"]', 'private = "only"', 'mute_authors = ["octavia"]']
)
def test_an_edit_reaches_no_route_that_never_showed_the_issue(line: str) -> None:
    """A route for other repositories or authors has no card of the issue."""
    assert one_route(line).destinations(correction("edited", about_comment=True)) == ()


def test_a_deletion_makes_no_card() -> None:
    """A deleted issue only updates the card that is there."""
    assert one_route().destinations(correction("deleted")) == (Destination(channel="C1", makes_card=False),)


def test_only_a_deletion_passes_a_repository_that_became_private() -> None:
    """The card of an issue that was public loses its words with the issue; private words never reach it."""
    routes = one_route('private = "never"\nlabels_any = ["bug"]')
    private = accounts.Repository(full_name="acme/app", private=True)
    gone = Destination(channel="C1", final_update=True, makes_card=False)
    assert routes.destinations(correction("deleted", repository=private)) == (gone,)
    for event in (
        correction("edited", repository=private),
        correction("deleted", repository=private, about_comment=True),
    ):
        assert routes.destinations(event) == ()


# All conditions


def test_every_mismatch_is_reported() -> None:
    """Every reason why a route does not match is reported."""
    routes = one_route(
        'repositories = ["beta/*"]\nevents = ["issues.opened"]\nprivate = "only"\n'
        'labels_any = ["bug", "crash"]\nlabels_all = ["P1", "triaged"]\nlabels_none = ["wontfix", "stale"]'
    )
    issue = an_issue(author=BOT, labels=["p1", "Stale"])
    assert mismatches(routes, issue_event(issue.closed(BOT, LATER))) == [
        ("repositories", "'acme/app' matches none of beta/*"),
        ("events", "'issues.closed' is not one of issues.opened"),
        ("private", "the repository is public, and the route takes private ones only"),
        ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]"),
        ("labels_any", "the issue has none of the labels 'bug', 'crash'"),
        ("labels_all", "the issue lacks 'triaged'"),
        ("labels_none", "the issue has 'stale'"),
    ]
