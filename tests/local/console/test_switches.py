"""What can be made to fail, and well again."""

from types import SimpleNamespace

import pytest

from local.bigquery.front import BigQueryFront
from local.console.switches import FEW_ATTEMPTS, LOST_EVERY, Switches
from local.console.wishes import NotPossible
from local.feed.feed import Feed
from tests.local.console.conftest import FakeStack, Inbox


@pytest.fixture
def front() -> BigQueryFront:
    """Return the door before BigQuery."""
    return BigQueryFront(1)


@pytest.fixture
def switches(stack: FakeStack, front: BigQueryFront, feed: Feed) -> Switches:
    """Return the switches of the stack."""
    return Switches(stack, front, feed.tell)


def attempts(stack: FakeStack) -> set[int]:
    """Return after how many attempts the subscriptions give up."""
    found = stack.pubsub_server._service._subscriptions.values()
    return {each.spec.dead_letter_policy.max_delivery_attempts for each in found}


def test_each_switch_is_listed_with_what_it_does(switches: Switches) -> None:
    """Every way to fail is there once, and off at first."""
    listed = switches.as_json()
    ways = [(each["part"], each["how"]) for each in listed]
    assert len(set(ways)) == len(ways)
    assert {("slack", "429"), ("bigquery", "refuses"), ("pubsub", "stops"), ("notify_slack", "kill")} <= {
        *ways
    }
    assert ("reconcile", "kill") not in ways
    assert all(each["text"] and each["label"] and each["on"] is False for each in listed)


def test_slack_fails_in_one_way_until_it_is_healed(stack: FakeStack, switches: Switches, feed: Feed) -> None:
    """A second way replaces the first; the feed tells of each."""
    assert switches.turn("slack", "429") == "Slack answers 429: try again in one second."
    assert stack.slack.record("chat.postMessage", {}).status == 429
    switches.turn("slack", "errors")
    assert stack.slack.record("chat.postMessage", {}).error == "internal_error"
    assert switches.on() == {"slack": "errors"}
    assert switches.turn("slack", "well") == "slack works again."
    assert stack.slack.record("chat.postMessage", {}) is None
    told = [(each.part, each.kind, each.level) for each in feed.since(0)]
    assert told == [("slack", "switch", "warning")] * 2 + [("slack", "switch", "info")]


def test_bigquery_refuses_rows_alone(switches: Switches, front: BigQueryFront) -> None:
    """Rows are refused; queries are still answered."""
    switches.turn("bigquery", "refuses")
    assert front._take_fault("/projects/p/datasets/d/tables/t/insertAll").status == 503
    assert front._take_fault("/projects/p/queries") is None
    switches.turn("bigquery", "well")
    assert front._take_fault("/projects/p/datasets/d/tables/t/insertAll") is None


def test_pubsub_stops_and_gives_up_early(stack: FakeStack, switches: Switches) -> None:
    """Pub/Sub goes on where it stopped; after few attempts a message is held, so that a person can see it."""
    switches.turn("pubsub", "stops")
    assert stack.pubsub_server._service.paused
    switches.turn("pubsub", "gives-up")
    assert not stack.pubsub_server._service.paused
    assert attempts(stack) == {FEW_ATTEMPTS}
    switches.turn("pubsub", "well")
    assert attempts(stack) == {100}


def test_github_loses_a_fifth(stack: FakeStack, switches: Switches, inbox: Inbox) -> None:
    """Of so many deliveries one is not sent; GitHub lists it as failed."""
    switches.turn("github", "fails-a-fifth")
    for number in range(2 * LOST_EVERY):
        stack.github.github.hooks.deliver(
            {"id": 99}, "issues", f"{number}", {"action": "opened", "issue": {"number": number}}
        )
    assert len(inbox.sent) == 2 * (LOST_EVERY - 1)
    codes = [each["status_code"] for each in stack.github.github.hooks.deliveries[99]]
    assert codes.count(502) == 2
    switches.turn("github", "well")
    assert stack.github.github.hooks.loses_every is None


def test_a_killed_function_is_down_until_it_runs_again(stack: FakeStack, switches: Switches) -> None:
    """The switch of a function is on while its process is not there."""
    switches.turn("stream_bq", "kill")
    assert switches.on() == {"stream_bq": "kill"}
    stack.children["stream_bq"].ended = ""
    assert switches.on() == {}


def test_the_end_heals_everything(stack: FakeStack, switches: Switches) -> None:
    """A stack that is stopped must not wait for a part that a person has stopped."""
    for part, how in (("slack", "silent"), ("pubsub", "stops"), ("github", "fails-a-fifth")):
        switches.turn(part, how)
    switches.heal_all()
    assert switches.on() == {}
    assert not stack.pubsub_server._service.paused


@pytest.mark.parametrize(
    ("part", "how", "why"),
    [
        ("slack", "sulks", "how must be one of 429, errors, silent, loses, or well"),
        ("slack", None, "how must be one of 429"),
        ("slack", ["429"], "how must be one of 429"),
        ("mail", "stops", "part must be one of bigquery, github, ingest"),
        (None, "well", "part must be one of bigquery"),
        (["slack"], "429", "part must be one of bigquery"),
        ({}, {}, "part must be one of bigquery"),
        ("reconcile", "kill", "part must be one of bigquery"),
    ],
)
def test_an_unknown_switch_says_which_there_are(
    switches: Switches, part: object, how: object, why: str
) -> None:
    """What cannot be broken gets a sentence, and nothing changes."""
    with pytest.raises(NotPossible, match=why):
        switches.turn(part, how)
    assert switches.on() == {}


def test_what_is_not_local_cannot_be_broken(stack: FakeStack, feed: Feed) -> None:
    """Slack itself, Google's emulator and a BigQuery without a door have no switch, and say why."""
    stack.slack_is_real, server = True, stack.pubsub_server
    elsewhere = SimpleNamespace(**{**vars(stack), "pubsub_server": None})
    switches = Switches(elsewhere, None, feed.tell)
    assert {each["part"] for each in switches.as_json()} == {"github", "ingest", "notify_slack", "stream_bq"}
    for part, why in (("slack", "Slack itself"), ("pubsub", "--pubsub builtin"), ("bigquery", "BigQuery")):
        with pytest.raises(NotPossible, match=why):
            switches.turn(part, "stops")
    assert server is not None
