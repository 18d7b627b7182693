"""Routes: who hears what, and why the others do not."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Destination, Route, Routes
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.support.messages import NOON, an_issue

MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="dependabot[bot]", type="Bot")
OCTAVIA = accounts.Account(login="octavia")
LATER = NOON + timedelta(hours=1)


def read(event: payloads.Event) -> IssueEvent:
    """Return the event as it arrives: through JSON bytes."""
    body = json.dumps(event.payload).encode()
    return IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event=event.name, body=body, received_at=NOON)
    )


def event_in(repository: str | None) -> IssueEvent:
    """Return an event of the repository."""
    named = {} if repository is None else {"repository": {"full_name": repository}}
    return read(payloads.Event(name="issues", payload={"action": "opened", **named}))


def channels(text: str, repository: str | None = "acme/app") -> tuple[str, ...]:
    """Return who hears the repository by this file."""
    return heard(routes_file.parse(text), event_in(repository))


def heard(routes: Routes, event: IssueEvent) -> tuple[str, ...]:
    """Return the channels that show the event."""
    return tuple(
        destination.channel for destination in routes.destinations(event) if not destination.final_update
    )


def the_hearing(routes: Routes, event: IssueEvent) -> Destination:
    """Return how the only channel is told."""
    [destination] = routes.destinations(event)
    return destination


def route(globs: list[str], *ids: str) -> str:
    """Return one route as TOML."""
    return f"[[route]]\nchannels = {list(ids)}\nrepositories = {globs}\n"


def one(line: str = "") -> Routes:
    """Return a file of one route to C1 with one more line."""
    return routes_file.parse(f'[[route]]\nname = "one"\nchannels = ["C1"]\n{line}\n')


def why_not(routes: Routes, event: IssueEvent) -> list[tuple[str, str]]:
    """Return why the only route does not hear the event; the channels always agree with it."""
    [match] = routes.explain(event)
    assert match.matches is (heard(routes, event) == ("C1",))
    return [(reason.key, reason.text) for reason in match.mismatches]


@pytest.mark.parametrize(
    ("glob", "repository", "hears"),
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
def test_globs_over_owner_and_name(glob: str, repository: str, hears: bool) -> None:  # noqa: FBT001 - a table
    """A glob is about the whole name, knows no case, as GitHub's names know none, and is no regex."""
    assert bool(channels(route([glob], "C1"), repository)) is hears


def test_a_route_without_globs_hears_all() -> None:
    """`repositories` left out means every repository."""
    assert channels('[[route]]\nchannels = ["C1"]') == ("C1",)


@pytest.mark.parametrize(("glob", "who"), [("*", ("C1",)), ("acme/*", ())])
def test_a_delivery_without_a_repository_is_heard_by_the_star_alone(glob: str, who: tuple[str, ...]) -> None:
    """Nothing is lost for want of a name."""
    assert channels(route([glob], "C1"), repository=None) == who


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
    event = read(an_issue(author=accounts.Account(login=login)).opened())
    route = replace(one().routes[0], mute_authors=(pattern,))  # the file itself would refuse "[!a]"
    expected = [f"the author {login!r} is muted by {pattern}"] if muted else []
    assert [reason.text for reason in route.match(event).mismatches] == expected


def test_bots_are_muted_unless_the_file_says_otherwise() -> None:
    """The default is the file's, then ours; a route's own list replaces both."""
    event = read(an_issue(author=BOT).opened())
    said = ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]")
    assert why_not(one(), event) == [said]
    assert why_not(one("mute_authors = []"), event) == []
    assert why_not(one('mute_authors = ["octocat"]'), event) == []


def test_what_a_muted_account_does_to_a_persons_issue_changes_its_card_without_a_reply() -> None:
    """The card tells the truth whoever made it so; the thread is for what people do."""
    issue = an_issue()
    for event in (
        issue.commented(BOT, LATER, "Thanks!"),
        issue.closed(BOT, LATER),
        issue.reopened(BOT, LATER),
    ):
        [match] = one().explain(read(event))
        assert (match.matches, match.muted_because) == (
            True,
            "the sender 'dependabot[bot]' is muted by *[bot]",
        )
        destination = the_hearing(one(), read(event))
        assert (destination.replies, destination.final_update) == (False, False)
    [match] = one().explain(read(issue.closed(MONA, LATER)))
    assert match.muted_because is None
    assert the_hearing(one(), read(issue.closed(MONA, LATER))).replies


def test_a_channel_is_quiet_only_when_all_of_its_routes_are() -> None:
    """What one route hears, another one does not silence, in no order."""
    quiet, loud = '[[route]]\nchannels = ["C1"]\n', '[[route]]\nchannels = ["C1"]\nmute_authors = []\n'
    event = read(an_issue().closed(BOT, LATER))
    assert not the_hearing(routes_file.parse(quiet * 2), event).replies
    assert the_hearing(routes_file.parse(quiet + loud), event).replies
    assert the_hearing(routes_file.parse(loud + quiet), event).replies


def test_a_muted_authors_issue_has_no_card_whoever_closes_it() -> None:
    """What was never announced is not announced as done."""
    assert why_not(one(), read(an_issue(author=BOT).closed(MONA, LATER))) == [
        ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]")
    ]


def test_an_issue_that_a_bot_moved_here_is_its_authors() -> None:
    """By transfer an issue is opened by whoever moves it; its author is who counts."""
    payload = {**an_issue().opened().payload, "sender": BOT.as_json()}
    assert why_not(one(), read(payloads.Event(name="issues", payload=payload))) == []


def test_a_deleted_account_is_muted_by_nothing() -> None:
    """An issue without an author, or an event without a sender, is heard."""
    route = replace(one().routes[0], mute_authors=("*",))  # the file itself would refuse it
    payload = {**an_issue(author=None).closed(MONA, LATER).payload, "sender": None}
    assert route.match(read(an_issue(author=None).opened())).matches
    match = route.match(read(payloads.Event(name="issues", payload=payload)))
    assert (match.matches, match.muted_because) == (True, None)


# Events, and private repositories


def test_a_route_hears_the_events_it_names() -> None:
    """Named, only those; left out, all of them, with those that GitHub adds some day."""
    issue = an_issue()
    events = [
        read(issue.opened()),
        read(issue.closed(MONA, LATER)),
        read(issue.commented(MONA, LATER, "x")),
        read(payloads.Event(name="issues", payload={**issue.opened().payload, "action": "some_day"})),
    ]
    chosen = one('events = ["issues.opened", "issue_comment.created"]')
    assert [heard(chosen, event) for event in events] == [("C1",), (), ("C1",), ()]
    assert [heard(one(), event) for event in events] == [("C1",)] * 4
    assert why_not(chosen, events[1]) == [
        ("events", "'issues.closed' is not one of issues.opened, issue_comment.created")
    ]


@pytest.mark.parametrize(
    ("private", "destination"),
    [
        (False, ["any", "never"]),
        (True, ["any", "only"]),
        (None, ["any", "only"]),
        ("false", ["any", "only"]),
        (0, ["any", "only"]),
    ],
)
def test_a_repository_is_public_only_when_it_says_so(private: object, destination: list[str]) -> None:
    """Nothing of a private repository leaks, also when a payload does not say which it is."""
    payload = {"action": "opened", "repository": {"full_name": "acme/app", "private": private}}
    if private is None:
        payload = {"action": "opened"}
    event = read(payloads.Event(name="issues", payload=payload))
    words = ("any", "only", "never")
    assert [word for word in words if heard(one(f'private = "{word}"'), event)] == destination
    silent = next(word for word in words if word not in destination)
    assert [key for key, _ in why_not(one(f'private = "{silent}"'), event)] == ["private"]


# Labels


@pytest.mark.parametrize(
    ("line", "labels", "hears"),
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
def test_a_route_asks_for_labels_and_keeps_others_out(line: str, labels: list[str], hears: bool) -> None:  # noqa: FBT001 - a table
    """Any, all and none hold together; a label is its whole name, in any case."""
    assert bool(heard(one(line), read(an_issue(labels=labels).opened()))) is hears


def test_a_label_that_comes_late_is_heard_and_one_that_goes_says_so_once() -> None:
    """No card before the label is there; the card's last change is that it went; after that, silence."""
    routes, issue = one('labels_any = ["bug"]'), an_issue()
    assert routes.destinations(read(issue.opened())) == ()
    assert routes.destinations(read(issue.labeled(MONA, LATER, "docs"))) == ()
    assert routes.destinations(read(issue.labeled(MONA, LATER, "Bug"))) == (Destination(channel="C1"),)
    assert routes.destinations(read(issue.commented(MONA, LATER, "x"))) == (Destination(channel="C1"),)
    assert routes.destinations(read(issue.unlabeled(MONA, LATER, "docs"))) == (Destination(channel="C1"),)
    assert routes.destinations(read(issue.unlabeled(MONA, LATER, "Bug"))) == (
        Destination(channel="C1", final_update=True),
    )
    for event in (
        issue.commented(MONA, LATER, "x"),
        issue.closed(MONA, LATER),
        issue.labeled(MONA, LATER, "docs"),
        issue.unlabeled(MONA, LATER, "docs"),
    ):
        assert routes.destinations(read(event)) == ()


def test_a_label_that_is_kept_out_ends_a_card_and_its_going_brings_it_back() -> None:
    """`wontfix` takes the issue away, and without it the route hears the issue again."""
    routes, issue = one('labels_none = ["wontfix"]'), an_issue()
    assert the_hearing(routes, read(issue.labeled(MONA, LATER, "WontFix"))).final_update
    assert routes.destinations(read(issue.closed(MONA, LATER))) == ()
    assert not the_hearing(routes, read(issue.unlabeled(MONA, LATER, "WontFix"))).final_update


def test_labels_that_change_at_once_still_end_the_card() -> None:
    """Each of their events shows all of them changed, so none alone takes the issue from in to out."""
    routes = one('labels_all = ["bug", "p1"]\nlabels_none = ["wontfix"]')
    issue = an_issue(labels=["bug", "p1"])
    issue.unlabeled(MONA, LATER, "p1")
    issue.labeled(MONA, LATER, "wontfix")
    assert the_hearing(routes, read(issue.unlabeled(MONA, LATER, "bug"))).final_update


def test_a_route_that_would_not_hear_the_issue_anyway_is_not_left() -> None:
    """An author who is muted: there is no card to end."""
    event = read(an_issue(author=BOT, labels=["bug"]).unlabeled(MONA, LATER, "bug"))
    assert one('labels_any = ["bug"]').destinations(event) == ()


def test_a_label_that_a_route_names_is_heard_whatever_its_events_are() -> None:
    """A route for the opening of bugs hears of what becomes a bug only later; of other labels it does not."""
    routes, issue = one('labels_any = ["bug"]\nevents = ["issues.opened"]'), an_issue()
    assert routes.destinations(read(issue.labeled(MONA, LATER, "docs"))) == ()
    assert routes.destinations(read(issue.labeled(MONA, LATER, "Bug"))) == (Destination(channel="C1"),)
    assert routes.destinations(read(issue.labeled(MONA, LATER, "p1"))) == ()
    assert the_hearing(routes, read(issue.unlabeled(MONA, LATER, "Bug"))).final_update


def test_a_channel_that_another_route_fills_is_not_left() -> None:
    """One route loses the issue, another one of the same channel has it: the card lives on, in its format."""
    routes = routes_file.parse(
        '[[route]]\nchannels = ["C2", "C1"]\nlabels_any = ["bug"]\n'
        '[[route]]\nchannels = ["C1"]\nformat = "full"\n'
    )
    event = read(an_issue(labels=["bug"]).unlabeled(MONA, LATER, "bug"))
    assert routes.destinations(event) == (
        Destination(channel="C2", final_update=True),
        Destination(channel="C1", format="full"),
    )


# People


PEOPLE = '[people]\noctavia = "U1"\nMona = "U2"\nmona-at-work = "U2"\n'


def test_whoever_acts_is_not_mentioned() -> None:
    """Not by the own login, not by another one of the same person, not by the route; case does not matter."""
    routes = routes_file.parse(PEOPLE + '[[route]]\nchannels = ["C1"]\nmention = ["U2", "S1"]\n')
    issue = an_issue()
    destination = the_hearing(routes, read(issue.closed(accounts.Account(login="MONA"), LATER)))
    assert (destination.people, destination.mention) == ({"octavia": "U1"}, ("S1",))
    destination = the_hearing(routes, read(issue.closed(OCTAVIA, LATER)))
    assert (destination.people, destination.mention) == ({"mona": "U2", "mona-at-work": "U2"}, ("U2", "S1"))
    destination = the_hearing(routes, read(issue.closed(BOT, LATER)))
    assert (len(destination.people), destination.mention) == (3, ("U2", "S1"))


def test_a_channel_mentions_whom_its_routes_name_each_once() -> None:
    """Those of a route that does not hear the issue are left in peace."""
    routes = routes_file.parse(
        '[[route]]\nchannels = ["C1", "C2"]\nmention = ["U1", "U2"]\n'
        '[[route]]\nchannels = ["C1"]\nmention = ["S1", "U1"]\nformat = "full"\n'
        '[[route]]\nchannels = ["C1"]\nmention = ["U9"]\nlabels_any = ["bug"]\n'
    )
    assert routes.destinations(read(an_issue().opened())) == (
        Destination(channel="C1", mention=("U1", "U2", "S1")),
        Destination(channel="C2", mention=("U1", "U2")),
    )


# All of it, counted a second time


LABELS = ["bug", "Bug", "crash", "wontfix"]
SOME_LABELS = st.lists(st.sampled_from(LABELS), max_size=3, unique_by=str.lower)
GLOBS = {
    "*": lambda _: True,
    "acme/*": lambda name: name.startswith("acme/"),
    "BETA/app": lambda name: name == "beta/app",
}
MUTES = {
    "*[bot]": lambda login: login.lower().endswith("[bot]"),
    "Mona": lambda login: login.lower() == "mona",
}
USERS = ["U1", "U2", "S1"]
EVENT_NAMES = [
    "issues.opened",
    "issues.closed",
    "issues.labeled",
    "issues.unlabeled",
    "issue_comment.created",
]


def tuples(items: list[str], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Return a strategy for some of the items, each at most once."""
    return st.lists(st.sampled_from(items), min_size=least, max_size=3, unique=True).map(tuple)


some_route = st.builds(
    Route,
    name=st.just("r"),
    channels=tuples(["C1", "C2", "C3"], least=1),
    repositories=tuples(list(GLOBS), least=1),
    labels_any=SOME_LABELS.map(tuple),
    labels_all=SOME_LABELS.map(tuple),
    labels_none=SOME_LABELS.map(tuple),
    events=st.just(()) | tuples(EVENT_NAMES),
    private=st.sampled_from(["any", "only", "never"]),
    mute_authors=tuples(list(MUTES)),
    format=st.sampled_from(["compact", "full"]),
    mention=tuples(USERS),
)
some_people = st.dictionaries(st.sampled_from(["octavia", "mona", "dependabot[bot]"]), st.sampled_from(USERS))
some_person = st.sampled_from([OCTAVIA, MONA, BOT])


@st.composite
def some_event(draw: st.DrawFn) -> payloads.Event:
    """Return anything that happens to some issue."""
    repository = accounts.Repository(
        full_name=draw(st.sampled_from(["acme/app", "beta/app"])), private=draw(st.booleans())
    )
    issue = an_issue(repository=repository, author=draw(some_person), labels=draw(SOME_LABELS))
    event = issue.closed(draw(some_person), LATER)
    name, _, action = draw(st.sampled_from(EVENT_NAMES)).partition(".")
    label = {"label": {"name": draw(st.sampled_from(LABELS))}} if action.endswith("labeled") else {}
    return payloads.Event(name=name, payload={**event.payload, "action": action, **label})


def naive(routes: list[Route], people: dict[str, str], event: payloads.Event) -> dict[str, Destination]:
    """Return who hears the event and how, told from the payload by the definitions, one channel at a time."""
    payload = event.payload
    sender = payload["sender"]["login"]
    labels = {label["name"].lower() for label in payload["issue"]["labels"]}
    changed = payload.get("label", {}).get("name", "").lower()

    def decides(route: Route) -> bool:
        named = [*route.labels_any, *route.labels_all, *route.labels_none]
        return event.title.endswith("labeled") and changed in {label.lower() for label in named}

    def could(route: Route) -> bool:
        wanted = {"any": {True, False}, "only": {True}, "never": {False}}[route.private]
        return (
            any(GLOBS[glob](payload["repository"]["full_name"]) for glob in route.repositories)
            and (not route.events or event.title in route.events or decides(route))
            and payload["repository"]["private"] in wanted
            and not any(MUTES[glob](payload["issue"]["user"]["login"]) for glob in route.mute_authors)
        )

    def like(route: Route) -> bool:
        one_of, each, none = (
            {label.lower() for label in asked}
            for asked in (route.labels_any, route.labels_all, route.labels_none)
        )
        return (not one_of or bool(one_of & labels)) and each <= labels and not none & labels

    def turned(route: Route) -> bool:
        asked = {
            "issues.unlabeled": [*route.labels_any, *route.labels_all],
            "issues.labeled": route.labels_none,
        }
        return changed in [label.lower() for label in asked.get(event.title, [])]

    found = {}
    for channel in ("C1", "C2", "C3"):
        own = [route for route in routes if channel in route.channels and could(route)]
        destination = [route for route in own if like(route)]
        told = destination or [route for route in own if turned(route)]
        if told:
            users = [user for route in destination for user in route.mention if user != people.get(sender)]
            found[channel] = Destination(
                channel=channel,
                format=told[0].format,
                people={login: user for login, user in people.items() if user != people.get(sender)},
                mention=tuple(sorted(set(users), key=users.index)),
                replies=not all(any(MUTES[glob](sender) for glob in route.mute_authors) for route in told),
                final_update=not destination,
            )
    return found


@given(routes=st.lists(some_route, max_size=4), people=some_people, event=some_event())
@settings(deadline=None, max_examples=400)
def test_each_channel_hears_what_the_definitions_say(
    routes: list[Route], people: dict[str, str], event: payloads.Event
) -> None:
    """Held to a second evaluation: the same channels, each once, and whoever acts is in none of them."""
    destinations = Routes(routes=tuple(routes), people=people).destinations(read(event))
    assert {destination.channel: destination for destination in destinations} == naive(routes, people, event)
    assert len({destination.channel for destination in destinations}) == len(destinations)
    sender = event.payload["sender"]["login"]
    for destination in destinations:
        assert sender not in destination.people
        assert people.get(sender) not in {*destination.people.values(), *destination.mention}


# Explanations


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["acme/app", "x[bot]"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["login", "full_name", "private", "user", "labels", "name"]), inner, max_size=4
        )
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
        '[people]\nmona = "U1"\n'
        '[[route]]\nchannels = ["C1"]\nprivate = "never"\nlabels_none = ["a"]\n'
        '[[route]]\nchannels = ["C2"]\nrepositories = ["acme/*"]\nmute_authors = []\n'
    )
    read_event = read(payloads.Event(name=event, payload=payload))
    matches = routes.explain(read_event)
    assert len(matches) == 2
    assert heard(routes, read_event) == tuple(
        channel for match in matches if not match.mismatches for channel in match.route.channels
    )
    assert routes.why_unmatched(read_event).splitlines() == [routes.why_unmatched(read_event)]


def test_every_reason_is_told() -> None:
    """Whoever mends one does not find the next only afterwards."""
    routes = one(
        'repositories = ["beta/*"]\nevents = ["issues.opened"]\nprivate = "only"\n'
        'labels_any = ["bug", "crash"]\nlabels_all = ["P1", "triaged"]\nlabels_none = ["wontfix", "stale"]'
    )
    issue = an_issue(author=BOT, labels=["p1", "Stale"])
    assert why_not(routes, read(issue.closed(BOT, LATER))) == [
        ("repositories", "'acme/app' matches none of beta/*"),
        ("events", "'issues.closed' is not one of issues.opened"),
        ("private", "the repository is public, and the route takes private ones only"),
        ("mute_authors", "the author 'dependabot[bot]' is muted by *[bot]"),
        ("labels_any", "the issue has none of the labels 'bug', 'crash'"),
        ("labels_all", "the issue lacks 'triaged'"),
        ("labels_none", "the issue has 'stale'"),
    ]


def test_routes_are_explained_one_by_one_in_the_order_of_the_file() -> None:
    """Each has its own match, and a muted one does not silence another."""
    routes = routes_file.parse(
        '[[route]]\nname = "people"\nchannels = ["C1"]\n'
        '[[route]]\nname = "bots"\nchannels = ["C2"]\nmute_authors = []\n'
    )
    event = read(an_issue(author=BOT).opened())
    assert [(match.route.name, match.matches) for match in routes.explain(event)] == [
        ("people", False),
        ("bots", True),
    ]
    assert heard(routes, event) == ("C2",)


def test_silence_is_told_by_the_routes_of_the_repository() -> None:
    """Of many routes, those that name another repository have nothing to say, unless there are no others."""
    routes = routes_file.parse(
        '[[route]]\nname = "ours"\nchannels = ["C1"]\nrepositories = ["acme/*"]\n'
        '[[route]]\nname = "theirs"\nchannels = ["C2"]\nrepositories = ["beta/*"]\n'
    )
    assert routes.why_unmatched(read(an_issue(author=BOT).opened())) == (
        "ours: the author 'dependabot[bot]' is muted by *[bot]"
    )
    elsewhere = an_issue(repository=accounts.Repository(full_name="gamma/app"))
    assert routes.why_unmatched(read(elsewhere.opened())) == "no route names the repository"
