"""Routes: who hears what, and why the others do not."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack import routes_file
from functions.notify_slack.routes import Routes
from local import github
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

MONA = github.Person(login="mona")
BOT = github.Person(login="dependabot[bot]", type="Bot")
LATER = NOON + timedelta(hours=1)
ALL = "issues.opened, issues.closed, issues.reopened"


def read(event: github.Event) -> IssueEvent:
    """Return the event as it arrives: through JSON bytes."""
    body = json.dumps(event.payload).encode()
    return IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event=event.name, body=body, received_at=NOON)
    )


def event_in(repository: str | None) -> IssueEvent:
    """Return an event of the repository."""
    named = {} if repository is None else {"repository": {"full_name": repository}}
    return read(github.Event(name="issues", payload={"action": "opened", **named}))


def channels(text: str, repository: str | None = "acme/app") -> tuple[str, ...]:
    """Return who hears the repository by this file."""
    return routes_file.parse(text).channels(event_in(repository))


def route(globs: list[str], *heard: str) -> str:
    """Return one route as TOML."""
    return f"[[route]]\nchannels = {list(heard)}\nrepositories = {globs}\n"


def one(line: str = "") -> Routes:
    """Return a file of one route to C1 with one more line."""
    return routes_file.parse(f'[[route]]\nname = "one"\nchannels = ["C1"]\n{line}\n')


def why_not(routes: Routes, event: IssueEvent) -> list[tuple[str, str]]:
    """Return why the only route does not hear the event; the channels always agree with it."""
    [verdict] = routes.explain(event)
    assert verdict.matches is (routes.channels(event) == ("C1",))
    return [(reason.key, reason.text) for reason in verdict.why_not]


@pytest.mark.parametrize(
    ("glob", "repository", "heard"),
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
def test_globs_over_owner_and_name(glob: str, repository: str, heard: bool) -> None:  # noqa: FBT001 - a table
    """A glob is about the whole name, knows no case, as GitHub's names know none, and is no regex."""
    assert bool(channels(route([glob], "C1"), repository)) is heard


def test_a_route_without_globs_hears_all() -> None:
    """`repositories` left out means every repository."""
    assert channels('[[route]]\nchannels = ["C1"]') == ("C1",)


@pytest.mark.parametrize(("glob", "heard"), [("*", ("C1",)), ("acme/*", ())])
def test_a_delivery_without_a_repository_is_heard_by_the_star_alone(
    glob: str, heard: tuple[str, ...]
) -> None:
    """Nothing is lost for want of a name."""
    assert channels(route([glob], "C1"), repository=None) == heard


def test_several_routes_each_channel_once_in_the_order_of_the_file() -> None:
    """An issue that matches several routes is posted once per channel."""
    text = route(["acme/*"], "C2", "C1", "C2") + route(["beta/*"], "C9") + route(["*"], "C1", "C3")
    assert channels(text) == ("C2", "C1", "C3")


def test_nobody_hears_what_no_route_names() -> None:
    """A repository outside of all routes is silent, and no error."""
    assert channels(route(["acme/*"], "C1"), "beta/app") == ()


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
def test_in_an_author_pattern_only_the_star_and_the_question_mark_are_wild(
    pattern: str,
    login: str,
    muted: bool,  # noqa: FBT001 - a table
) -> None:
    """Brackets are literal: what mutes every bot must not mute bob. Logins know no case."""
    event = read(an_issue(author=github.Person(login=login)).opened())
    route = replace(one().routes[0], mute_authors=(pattern,))  # the file itself would refuse "[!a]"
    expected = [f"the author {login!r} is muted by {pattern}"] if muted else []
    assert [reason.text for reason in route.why_not(event)] == expected


def test_bots_are_muted_unless_the_file_says_otherwise() -> None:
    """The default is the file's, then ours; a route's own list replaces both."""
    event = read(an_issue(author=BOT).opened())
    said = ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]")
    assert why_not(one(), event) == [said]
    assert why_not(one("mute_authors = []"), event) == []
    assert why_not(one('mute_authors = ["octocat"]'), event) == []


def test_what_a_muted_account_does_to_a_persons_issue_is_silent() -> None:
    """A message is about an event: a bot's closing or reopening is muted, its author's own closing is not."""
    issue = an_issue()
    assert why_not(one(), read(issue.closed(BOT, LATER))) == [
        ("mute_authors", "the sender 'dependabot[bot]' is muted by *[bot]")
    ]
    assert why_not(one(), read(issue.reopened(BOT, LATER))) == [
        ("mute_authors", "the sender 'dependabot[bot]' is muted by *[bot]")
    ]
    assert why_not(one(), read(issue.closed(MONA, LATER))) == []


def test_a_muted_authors_issue_stays_silent_whoever_closes_it() -> None:
    """What was never announced is not announced as done."""
    assert why_not(one(), read(an_issue(author=BOT).closed(MONA, LATER))) == [
        ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]")
    ]


def test_an_issue_that_a_bot_moved_here_is_its_authors() -> None:
    """By transfer an issue is opened by whoever moves it; its author is who counts."""
    payload = {**an_issue().opened().payload, "sender": BOT.as_json()}
    assert why_not(one(), read(github.Event(name="issues", payload=payload))) == []


def test_a_deleted_account_is_muted_by_nothing() -> None:
    """An issue without an author, or an event without a sender, is heard."""
    route = replace(one().routes[0], mute_authors=("*",))  # the file itself would refuse it
    payload = {**an_issue(author=None).closed(MONA, LATER).payload, "sender": None}
    assert route.why_not(read(an_issue(author=None).opened())) == ()
    assert route.why_not(read(github.Event(name="issues", payload=payload))) == ()


# Events, and private repositories


def test_a_route_hears_the_events_it_names() -> None:
    """Named, only those; left out, all that make a card."""
    issue = an_issue()
    events = [read(issue.opened()), read(issue.closed(MONA, LATER)), read(issue.reopened(MONA, LATER))]
    chosen = one('events = ["issues.opened", "issues.reopened"]')
    assert [chosen.channels(event) for event in events] == [("C1",), (), ("C1",)]
    assert [one().channels(event) for event in events] == [("C1",)] * 3
    assert why_not(chosen, events[1]) == [
        ("events", "'issues.closed' is none of issues.opened, issues.reopened")
    ]


def test_an_event_that_makes_no_card_matches_no_route() -> None:
    """A comment is not an issue's event, whatever its action."""
    assert why_not(one(), read(an_issue().commented(MONA, LATER, "opened"))) == [
        ("events", f"'issue_comment.created' is none of {ALL}")
    ]


@pytest.mark.parametrize(
    ("private", "heard"),
    [
        (False, ["any", "never"]),
        (True, ["any", "only"]),
        (None, ["any", "only"]),
        ("false", ["any", "only"]),
        (0, ["any", "only"]),
    ],
)
def test_a_repository_is_public_only_when_it_says_so(private: object, heard: list[str]) -> None:
    """Nothing of a private repository leaks, also when a payload does not say which it is."""
    payload = {"action": "opened", "repository": {"full_name": "acme/app", "private": private}}
    if private is None:
        payload = {"action": "opened"}
    event = read(github.Event(name="issues", payload=payload))
    words = ("any", "only", "never")
    assert [word for word in words if one(f'private = "{word}"').channels(event)] == heard
    silent = next(word for word in words if word not in heard)
    assert [key for key, _ in why_not(one(f'private = "{silent}"'), event)] == ["private"]


# Explanations


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["acme/app", "x[bot]"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["login", "full_name", "private", "user"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@given(
    payload=st.fixed_dictionaries(
        {"action": st.sampled_from(["opened", "closed", "labeled", None, 1])},
        optional={"issue": anything, "sender": anything, "repository": anything},
    ),
    event=st.sampled_from(["issues", "issue_comment", "ping"]),
)
@settings(deadline=None)
def test_whatever_a_payload_holds_each_route_has_a_verdict(payload: dict[str, Any], event: str) -> None:
    """No payload is an error, the channels are those of the matching routes, and silence has its line."""
    routes = routes_file.parse(
        '[[route]]\nchannels = ["C1"]\nprivate = "never"\n'
        '[[route]]\nchannels = ["C2"]\nrepositories = ["acme/*"]\nmute_authors = []\n'
    )
    read_event = read(github.Event(name=event, payload=payload))
    verdicts = routes.explain(read_event)
    assert len(verdicts) == 2
    assert routes.channels(read_event) == tuple(
        channel for verdict in verdicts if not verdict.why_not for channel in verdict.route.channels
    )
    assert routes.silence(read_event).splitlines() == [routes.silence(read_event)]


def test_every_reason_is_told() -> None:
    """Whoever mends one does not find the next only afterwards."""
    routes = one('repositories = ["beta/*"]\nevents = ["issues.opened"]\nprivate = "only"')
    assert why_not(routes, read(an_issue(author=BOT).closed(BOT, LATER))) == [
        ("repositories", "'acme/app' matches none of beta/*"),
        ("events", "'issues.closed' is none of issues.opened"),
        ("private", "the repository is public, and the route hears private ones only"),
        ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]"),
        ("mute_authors", "the sender 'dependabot[bot]' is muted by *[bot]"),
    ]


def test_routes_are_explained_one_by_one_in_the_order_of_the_file() -> None:
    """Each has its own verdict, and a muted one does not silence another."""
    routes = routes_file.parse(
        '[[route]]\nname = "people"\nchannels = ["C1"]\n'
        '[[route]]\nname = "bots"\nchannels = ["C2"]\nmute_authors = []\n'
    )
    event = read(an_issue(author=BOT).opened())
    assert [(verdict.route.name, verdict.matches) for verdict in routes.explain(event)] == [
        ("people", False),
        ("bots", True),
    ]
    assert routes.channels(event) == ("C2",)


def test_silence_is_told_by_the_routes_of_the_repository() -> None:
    """Of many routes, those that name another repository have nothing to say, unless there are no others."""
    routes = routes_file.parse(
        '[[route]]\nname = "ours"\nchannels = ["C1"]\nrepositories = ["acme/*"]\n'
        '[[route]]\nname = "theirs"\nchannels = ["C2"]\nrepositories = ["beta/*"]\n'
    )
    assert routes.silence(read(an_issue(author=BOT).opened())) == (
        "ours: the author 'dependabot[bot]' is muted by *[bot]"
    )
    elsewhere = an_issue(repository=github.Repository(full_name="gamma/app"))
    assert routes.silence(read(elsewhere.opened())) == "no route names the repository"
