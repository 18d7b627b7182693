"""The routes decide which channels show an event, and how."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Destination, Route, Routes
from ops.send import accounts, payloads
from tests.functions.notify_slack.routing.support import (
    BOT,
    LATER,
    MONA,
    OCTAVIA,
    channels_by,
    channels_of,
    issue_event,
    only_destination,
    route_toml,
)
from tests.support.messages import an_issue

# Channels


def test_each_channel_of_several_routes_is_named_once_in_the_files_order() -> None:
    """An issue that matches several routes is posted once per channel."""
    text = (
        route_toml(["acme/*"], "C2", "C1", "C2")
        + route_toml(["beta/*"], "C9")
        + route_toml(["*"], "C1", "C3")
    )
    assert channels_by(text) == ("C2", "C1", "C3")


def test_a_repository_of_no_route_has_no_destination() -> None:
    """A repository that no route names has no destination, which is no error."""
    assert channels_by(route_toml(["acme/*"], "C1"), "beta/app") == ()


def test_a_channel_has_no_replies_only_if_all_of_its_routes_mute_the_sender() -> None:
    """A channel has replies unless all of its routes mute the sender, in any order of the routes."""
    muting = '[[route]]\nchannels = ["C1"]\n'
    not_muting = f"{muting}mute_authors = []\n"
    event = issue_event(an_issue().closed(BOT, LATER))
    assert not only_destination(routes_file.parse(muting * 2), event).replies
    assert only_destination(routes_file.parse(muting + not_muting), event).replies
    assert only_destination(routes_file.parse(not_muting + muting), event).replies


def test_a_channel_of_another_matching_route_has_no_final_update() -> None:
    """If one route loses the issue and another has it, the card continues in the other's format."""
    routes = routes_file.parse(
        '[[route]]\nchannels = ["C2", "C1"]\nlabels_any = ["bug"]\n'
        '[[route]]\nchannels = ["C1"]\nformat = "full"\n'
    )
    event = issue_event(an_issue(labels=["bug"]).unlabeled(MONA, LATER, "bug"))
    assert routes.destinations(event) == (
        Destination(channel="C2", final_update=True, makes_card=False),
        Destination(channel="C1", format="full"),
    )


# People

PEOPLE = '[people]\noctavia = "U1"\nMona = "U2"\nmona-at-work = "U2"\n'


def test_the_sender_is_not_mentioned() -> None:
    """The sender is not mentioned, with any login of the same Slack user, nor by the route's mentions."""

    def by(sender: accounts.Account) -> Destination:
        opened = {**an_issue().opened().payload, "sender": sender.as_json()}
        return only_destination(routes, issue_event(payloads.Event(name="issues", payload=opened)))

    routes = routes_file.parse(PEOPLE + '[[route]]\nchannels = ["C1"]\nmention = ["U2", "S1"]\n')
    destination = by(accounts.Account(login="MONA"))
    assert (destination.people, destination.mention) == ({"octavia": "U1"}, ("S1",))
    destination = by(OCTAVIA)
    assert (destination.people, destination.mention) == ({"mona": "U2", "mona-at-work": "U2"}, ("U2", "S1"))
    destination = by(BOT)
    assert (len(destination.people), destination.mention) == (3, ("U2", "S1"))


def test_a_channel_mentions_the_people_of_its_matching_routes_once() -> None:
    """A channel mentions the people of its matching routes once, and no one of other routes."""
    routes = routes_file.parse(
        '[[route]]\nchannels = ["C1", "C2"]\nmention = ["U1", "U2"]\n'
        '[[route]]\nchannels = ["C1"]\nmention = ["S1", "U1"]\nformat = "full"\n'
        '[[route]]\nchannels = ["C1"]\nmention = ["U9"]\nlabels_any = ["bug"]\n'
    )
    assert routes.destinations(issue_event(an_issue().opened())) == (
        Destination(channel="C1", mention=("U1", "U2", "S1")),
        Destination(channel="C2", mention=("U1", "U2")),
    )


# Explanations


def test_each_route_is_explained_in_the_files_order() -> None:
    """Each route is explained by itself: a route that mutes the author does not affect another."""
    routes = routes_file.parse(
        '[[route]]\nname = "people"\nchannels = ["C1"]\n'
        '[[route]]\nname = "bots"\nchannels = ["C2"]\nmute_authors = []\n'
    )
    event = issue_event(an_issue(author=BOT).opened())
    assert [(match.route.name, match.matches) for match in routes.explain(event)] == [
        ("people", False),
        ("bots", True),
    ]
    assert channels_of(routes, event) == ("C2",)


def test_routes_of_the_repository_explain_why_nothing_matches() -> None:
    """Routes that name other repositories are not part of the reason why nothing matches."""
    routes = routes_file.parse(
        '[[route]]\nname = "ours"\nchannels = ["C1"]\nrepositories = ["acme/*"]\n'
        '[[route]]\nname = "theirs"\nchannels = ["C2"]\nrepositories = ["beta/*"]\n'
    )
    assert routes.why_unmatched(issue_event(an_issue(author=BOT).opened())) == (
        "ours: the author 'dependabot[bot]' is muted by *[bot]"
    )
    elsewhere = an_issue(repository=accounts.Repository(full_name="gamma/app"))
    assert routes.why_unmatched(issue_event(elsewhere.opened())) == "no route names the repository"


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
def test_any_payload_has_a_match_for_each_route(payload: dict[str, Any], event: str) -> None:
    """No payload is an error, and the reason why it is not shown is one line."""
    routes = routes_file.parse(
        '[people]\nmona = "U1"\n'
        '[[route]]\nchannels = ["C1"]\nprivate = "never"\nlabels_none = ["a"]\n'
        '[[route]]\nchannels = ["C2"]\nrepositories = ["acme/*"]\nmute_authors = []\n'
    )
    read_event = issue_event(payloads.Event(name=event, payload=payload))
    matches = routes.explain(read_event)
    assert len(matches) == 2
    assert channels_of(routes, read_event) == tuple(
        channel for match in matches if not match.mismatches for channel in match.route.channels
    )
    assert routes.why_unmatched(read_event).splitlines() == [routes.why_unmatched(read_event)]


# A second implementation

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
    *(CORRECTIONS := ["issues.edited", "issues.deleted", "issue_comment.edited", "issue_comment.deleted"]),
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
    """Draw an event of an issue."""
    repository = accounts.Repository(
        full_name=draw(st.sampled_from(["acme/app", "beta/app"])), private=draw(st.booleans())
    )
    issue = an_issue(repository=repository, author=draw(some_person), labels=draw(SOME_LABELS))
    event = draw(st.sampled_from([issue.closed, issue.reopened]))(draw(some_person), LATER)
    name, _, action = draw(st.sampled_from(EVENT_NAMES)).partition(".")
    label = {"label": {"name": draw(st.sampled_from(LABELS))}} if action.endswith("labeled") else {}
    return payloads.Event(name=name, payload={**event.payload, "action": action, **label})


def expected_destinations(
    routes: list[Route], people: dict[str, str], event: payloads.Event
) -> dict[str, Destination]:
    """Return the destinations by channel, computed from the payload by the definitions."""
    payload = event.payload
    sender = payload["sender"]["login"]
    labels = {label["name"].lower() for label in payload["issue"]["labels"]}
    changed = payload.get("label", {}).get("name", "").lower()

    def label_decides(route: Route) -> bool:
        named = [*route.labels_any, *route.labels_all, *route.labels_none]
        return event.title.endswith("labeled") and changed in {label.lower() for label in named}

    def brings_in(route: Route) -> bool:
        bringing = {
            "issues.labeled": [*route.labels_any, *route.labels_all],
            "issues.unlabeled": route.labels_none,
        }
        return changed in [label.lower() for label in bringing.get(event.title, [])]

    def calls(route: Route) -> bool:
        return payload["issue"]["state"] == "open" and (event.title == "issues.opened" or brings_in(route))

    def may_see(route: Route) -> bool:
        wanted = {"any": {True, False}, "only": {True}, "never": {False}}[route.private]
        return payload["repository"]["private"] in wanted

    def takes_issue(route: Route) -> bool:
        return (
            any(GLOBS[glob](payload["repository"]["full_name"]) for glob in route.repositories)
            and (may_see(route) or event.title == "issues.deleted")
            and not any(MUTES[glob](payload["issue"]["user"]["login"]) for glob in route.mute_authors)
        )

    def takes_event(route: Route) -> bool:
        return not route.events or event.title in route.events or label_decides(route)

    def labels_match(route: Route) -> bool:
        one_of, each, none = (
            {label.lower() for label in wanted}
            for wanted in (route.labels_any, route.labels_all, route.labels_none)
        )
        return (not one_of or bool(one_of & labels)) and each <= labels and not none & labels

    def loses(route: Route) -> bool:
        removing = {
            "issues.unlabeled": [*route.labels_any, *route.labels_all],
            "issues.labeled": route.labels_none,
        }
        return changed in [label.lower() for label in removing.get(event.title, [])]

    def mutes(route: Route) -> bool:
        return any(MUTES[glob](sender) for glob in route.mute_authors)

    found = {}
    for channel in ("C1", "C2", "C3"):
        own = [route for route in routes if channel in route.channels and takes_issue(route)]
        matching = [route for route in own if may_see(route) and takes_event(route) and labels_match(route)]
        updating = [
            route for route in own if (takes_event(route) and loses(route)) or event.title in CORRECTIONS
        ]
        deciding = matching or updating
        if deciding:
            users = [
                user
                for route in matching
                for user in route.mention
                if calls(route) and user != people.get(sender)
            ]
            found[channel] = Destination(
                channel=channel,
                format=deciding[0].format,
                people={login: user for login, user in people.items() if user != people.get(sender)},
                mention=tuple(sorted(set(users), key=users.index)),
                replies=not all(mutes(route) for route in deciding),
                final_update=not matching and not all(map(labels_match, updating)),
                makes_card=event.title != "issues.deleted"
                and any(brings_in(route) or not mutes(route) for route in matching),
            )
    return found


@given(routes=st.lists(some_route, max_size=4), people=some_people, event=some_event())
@settings(deadline=None, max_examples=400)
def test_the_destinations_follow_the_definitions(
    routes: list[Route], people: dict[str, str], event: payloads.Event
) -> None:
    """The destinations equal those of a second implementation; the sender is never mentioned."""
    destinations = Routes(routes=tuple(routes), people=people).destinations(issue_event(event))
    by_channel = {destination.channel: destination for destination in destinations}
    assert by_channel == expected_destinations(routes, people, event)
    assert len(by_channel) == len(destinations)
    sender = event.payload["sender"]["login"]
    for destination in destinations:
        assert sender not in destination.people
        assert people.get(sender) not in {*destination.people.values(), *destination.mention}
