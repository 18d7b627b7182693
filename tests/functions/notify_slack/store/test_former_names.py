"""A route that names a repository by a former name is outdated, and its cards are updated."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Destination
from functions.notify_slack.store.former_names import FormerNames
from ops.send import payloads
from pipeline.events import IssueEvent
from tests.functions.notify_slack.routing.support import issue_event
from tests.support.messages import NOON, an_issue

ROUTES = routes_file.parse(
    '[[route]]\nname = "exact"\nchannels = ["C1"]\nrepositories = ["acme/app"]\n'
    '[[route]]\nname = "public"\nchannels = ["C2"]\nrepositories = ["acme/app"]\nprivate = "never"\n'
    '[[route]]\nname = "all of beta"\nchannels = ["C3"]\nrepositories = ["beta/*"]\n'
)


def named(
    full_name: str | None, repository_id: int | None = 1, at: datetime = NOON, **more: Any
) -> IssueEvent:
    """Return an event of a repository under this name."""
    repository = {"id": repository_id, "full_name": full_name, "private": False, **more}
    payload = {**an_issue(updated_at=at).opened().payload, "repository": repository}
    return issue_event(payloads.Event(name="issues", payload=payload))


def renamed(action: str, full_name: str, changes: Any) -> IssueEvent:
    """Return a `repository` event."""
    payload = {"action": action, "repository": {"id": 1, "full_name": full_name}, "changes": changes}
    return issue_event(payloads.Event(name="repository", payload=payload))


def test_a_rename_is_noticed_by_the_repositorys_id() -> None:
    """Two names of one id are a rename; another repository that takes the old name is none."""
    names = FormerNames()
    assert names.of(named("acme/app")) == ()
    assert names.of(named("acme/app", repository_id=2)) == ()
    assert names.of(named("acme/app2")) == ("acme/app",)
    assert names.of(named("acme/app3")) == ("acme/app2", "acme/app")
    assert names.of(named("acme/app", repository_id=2)) == ()
    assert names.of(named(None)) == names.of(named("acme/app", repository_id=None)) == ()


def test_a_late_event_has_a_name_of_then() -> None:
    """An event from before the rename that comes after it makes no route with the new name outdated."""
    names = FormerNames()
    names.of(named("acme/app2", at=NOON + timedelta(hours=2)))
    assert names.of(named("acme/app", at=NOON + timedelta(hours=1))) == ()
    assert names.of(named("acme/app2", at=NOON + timedelta(hours=2))) == ("acme/app",)

    names = FormerNames()
    names.of(named("acme/app0", at=NOON))
    assert names.of(named("acme/app", at=NOON + timedelta(hours=1))) == ("acme/app0",)
    assert names.of(named("acme/app2", at=NOON + timedelta(hours=2))) == ("acme/app", "acme/app0")
    assert names.of(named("acme/app", at=NOON + timedelta(hours=1))) == ("acme/app0",)
    assert names.of(named("acme/app0", at=NOON)) == ()
    assert names.of(named("acme/app2", at=NOON + timedelta(hours=3))) == ("acme/app", "acme/app0")
    assert names.of(named("acme/app", at=NOON + timedelta(hours=4))) == ("acme/app2", "acme/app0")


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("renamed", {"repository": {"name": {"from": "app"}}}),
        ("transferred", {"owner": {"from": {"organization": {"login": "acme"}}}}),
        ("transferred", {"owner": {"from": {"user": {"login": "acme"}, "organization": None}}}),
    ],
)
def test_a_repository_event_names_the_former_name(action: str, changes: Any) -> None:
    """GitHub's `repository` event says what the repository was called before."""
    event = renamed(action, "acme/app2" if action == "renamed" else "octo/app", changes)
    assert FormerNames().of(event) == ("acme/app",)


@pytest.mark.parametrize(
    "changes", [None, [], {}, {"repository": None}, {"owner": {"from": {}}}, {"owner": 5}]
)
@pytest.mark.parametrize("action", ["renamed", "transferred", "archived"])
def test_a_repository_event_of_another_shape_names_none(action: str, changes: Any) -> None:
    """An event without a former name is no rename."""
    assert FormerNames().of(renamed(action, "acme/app", changes)) == ()


def test_the_memory_is_bounded() -> None:
    """The names of the repositories that were heard of last are known."""
    names = FormerNames(limit=2)
    for repository_id in (1, 2, 3):
        names.of(named("acme/app", repository_id=repository_id))
    assert names.of(named("acme/app2", repository_id=3)) == ("acme/app",)
    assert names.of(named("acme/app2", repository_id=1)) == ()


def test_an_outdated_route_updates_its_cards_a_last_time() -> None:
    """After a rename, a route with the old name makes no card; the cards that are there say why."""
    former = ("acme/app",)
    assert [route.name for route in ROUTES.outdated(named("acme/app2"), former)] == ["exact", "public"]
    last = {"final_update": True, "renamed": True, "makes_card": False}
    assert ROUTES.destinations(named("acme/app2"), former) == (
        Destination(channel="C1", **last),
        Destination(channel="C2", **last),
    )
    assert ROUTES.destinations(named("acme/app2")) == ()


def test_a_route_that_matches_both_names_is_not_outdated() -> None:
    """A rename within a glob, or into another route's repositories, leaves these routes as they are."""
    assert ROUTES.outdated(named("beta/new"), ("beta/old",)) == ()
    shown = ROUTES.destinations(named("beta/app"), ("acme/app",))
    assert [destination.channel for destination in shown if destination.makes_card] == ["C3"]


def test_a_repository_that_became_private_is_not_shown_under_its_new_name() -> None:
    """A route for public repositories does not show the new name of one that is private now."""
    event = named("acme/secret", private=True)
    assert [destination.channel for destination in ROUTES.destinations(event, ("acme/app",))] == ["C1"]
