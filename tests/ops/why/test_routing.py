"""ops why: what the routes file would do with a stored delivery."""

from ops.send import accounts
from ops.why.routing import ONLY_UPDATES, explain
from tests.ops.why.support import routes, stored
from tests.support.messages import NOON, an_issue

MONA = accounts.Account(login="mona")


def test_a_matching_event_makes_a_card_in_the_routes_channels() -> None:
    """An event that matches makes a card in each channel; the lines are those of `routes explain`."""
    found = explain(stored(an_issue(labels=["bug"]).opened()).event, routes())
    assert (found.channels, found.why_not) == (("C1", "C2"), None)
    assert found.lines[0] == "matches   bugs -> C1, C2"
    assert found.details["makes_card"] is True


def test_an_event_that_no_route_matches_says_why() -> None:
    """An event that matches no route makes no card, for the reason that notify_slack logs."""
    found = explain(stored().event, routes())
    assert (found.channels, found.why_not) == ((), "bugs: the issue has none of the labels 'bug'")


def test_an_event_without_a_card_says_why() -> None:
    """An event that never has a card says so, whatever the routes are."""
    found = explain(stored(an_issue(is_pull_request=True, labels=["bug"]).opened()).event, routes())
    assert (found.channels, found.why_not) == ((), "no card is made of a pull request")


def test_an_event_that_only_updates_makes_no_card() -> None:
    """A muted sender's event updates the card that is there and makes none."""
    bot = accounts.Account(login="renovate[bot]", type="Bot")
    found = explain(stored(an_issue(labels=["bug"]).closed(bot, NOON)).event, routes())
    assert (found.channels, found.why_not) == ((), ONLY_UPDATES)


def test_a_delivery_that_notify_slack_refuses_says_why() -> None:
    """A delivery that breaks the contract has no card, and the error says what it lacks."""
    event = an_issue().opened()
    del event.payload["repository"]
    found = explain(stored(event).event, routes())
    assert found.lines == (
        "No card: notify_slack cannot use the delivery: The issues event has no repository with an id.",
    )
    assert found.channels == ()
