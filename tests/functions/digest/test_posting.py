"""One digest of each kind a day stays in a channel, whatever happens between the calls."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clients.slack.blocks import Message, section
from functions.digest.posting import Digest, Kind, Outcome, Posted, post_once
from pipeline.errors import Unavailable
from tests.support.interleaving import Interleaving
from tests.support.workspace import Channel, Crash, Fault, Workspace, running_workspace

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Return a workspace that the tests of this module share."""
    with running_workspace() as running:
        yield running


@pytest.fixture(scope="module")
def lagging() -> Iterator[Workspace]:
    """Return a workspace whose history shows a message after two seconds."""
    with running_workspace(history_lag=2.0) as running:
        yield running


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    """Return an empty channel."""
    return workspace.channel()


def build(text: str = "Who waits") -> Message:
    """Return a message."""
    return Message(text=text, blocks=(section(text),), metadata={})


def post(channel: Channel, kind: Kind = Kind.DAILY, zone: ZoneInfo = UTC_ZONE) -> Posted:
    """Post the digest of the channel's present day."""
    digest = Digest(kind=kind, now=channel.clock.now, zone=zone)
    return post_once(channel.slack, channel.id, digest, build, channel.clock.sleep)


def test_a_digest_says_its_day_and_kind(channel: Channel) -> None:
    """A digest is posted with the metadata by which it is found."""
    posted = post(channel)
    assert posted == Posted(outcome=Outcome.POSTED, ts=channel.card.ts)
    assert channel.card.metadata == {
        "event_type": "issuewire_digest",
        "event_payload": {"day": channel.clock.now.date().isoformat(), "kind": "daily", "schema": 1},
    }


def test_the_second_run_of_a_day_posts_nothing(channel: Channel) -> None:
    """A run later on the same day finds the digest and does not build another one."""
    first = post(channel)
    channel.clock.sleep(3 * 3600)
    digest = Digest(kind=Kind.DAILY, now=channel.clock.now, zone=UTC_ZONE)

    def build_again() -> Message:
        raise AssertionError

    again = post_once(channel.slack, channel.id, digest, build_again, channel.clock.sleep)
    assert again == Posted(outcome=Outcome.ALREADY_POSTED, ts=first.ts)
    assert len(channel.messages) == 1


def test_each_kind_and_each_day_has_its_own(channel: Channel) -> None:
    """The daily digest stands in the way of neither the weekly one nor that of the next day."""
    post(channel)
    assert post(channel, Kind.WEEKLY).outcome is Outcome.POSTED
    channel.clock.sleep(24 * 3600)
    assert post(channel).outcome is Outcome.POSTED
    assert len(channel.messages) == 3


def test_a_day_is_one_of_the_team_s_zone(channel: Channel) -> None:
    """At 23:30 in Auckland it is one day, at 00:30 the next, though both are on one day in UTC."""
    auckland = ZoneInfo("Pacific/Auckland")
    channel.clock.pass_until(datetime(channel.clock.now.year + 1, 7, 1, 11, 30, tzinfo=UTC))
    assert Digest(kind=Kind.DAILY, now=channel.clock.now, zone=auckland).day.endswith("-07-01")
    post(channel, zone=auckland)
    channel.clock.sleep(3600)
    assert post(channel, zone=auckland).outcome is Outcome.POSTED
    channel.clock.sleep(23 * 3600 - 60)
    assert post(channel, zone=auckland).outcome is Outcome.ALREADY_POSTED


def test_nothing_to_say_posts_nothing(channel: Channel) -> None:
    """If there is nothing to say, no message is posted."""
    digest = Digest(kind=Kind.DAILY, now=channel.clock.now, zone=UTC_ZONE)
    posted = post_once(channel.slack, channel.id, digest, lambda: None, channel.clock.sleep)
    assert posted == Posted(outcome=Outcome.NOTHING_TO_SAY)
    assert channel.messages == []


@pytest.mark.parametrize("seed", range(12))
def test_two_instances_leave_one_digest(workspace: Workspace, seed: int) -> None:
    """Of two instances in any order of their calls, exactly one digest stays, and both name it."""
    channel = workspace.channel()
    instances = [channel, channel.another()]
    interleaving = Interleaving(seed, threads=2)
    posted: list[Posted] = []

    def run(index: int) -> None:
        instances[index].slack.before_each = lambda: interleaving.step(index)
        posted.append(post(instances[index]))

    interleaving.run([lambda index=index: run(index) for index in range(2)])  # type: ignore[misc]
    assert {each.ts for each in posted} == {channel.card.ts}
    assert sorted(each.outcome for each in posted) == ["already_posted", "posted"]


def test_two_instances_wait_for_a_history_that_lags(lagging: Workspace) -> None:
    """If the history lags, both instances wait until it shows their posts, and one digest stays."""
    channel = lagging.channel()
    interleaving = Interleaving(3, threads=2)
    instances = [channel, channel.another()]

    def run(index: int) -> None:
        instances[index].slack.before_each = lambda: interleaving.step(index)
        post(instances[index])

    interleaving.run([lambda index=index: run(index) for index in range(2)])  # type: ignore[misc]
    assert len(channel.messages) == 1


def crash() -> None:
    """Stop the instance."""
    raise Crash


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_crash_before_any_call_leaves_one_digest(channel: Channel, call: int) -> None:
    """After a crash before any of the calls, the repetition leaves one digest."""
    channel.slack.before = {call: crash}
    with pytest.raises(Crash):
        post(channel)
    channel.clock.sleep(60)
    assert post(channel.another()).ts == channel.card.ts


@pytest.mark.parametrize("call", [3, 4])
def test_a_crash_before_the_removal_leaves_one_digest(channel: Channel, call: int) -> None:
    """If an instance crashes before it removes the second digest, the repetition removes it."""
    crashing = channel.another()
    crashing.slack.before = {2: lambda: assert_posted(channel), call: crash}
    with pytest.raises(Crash):
        post(crashing)
    assert len(channel.messages) == 2
    oldest = channel.messages[0].ts
    assert post(channel.another()) == Posted(outcome=Outcome.ALREADY_POSTED, ts=oldest)
    assert channel.card.ts == oldest


def assert_posted(channel: Channel) -> None:
    """Post from another instance."""
    assert post(channel).outcome is Outcome.POSTED


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("kind", ["answer_lost", "request_lost", "refused"])
def test_a_failed_call_is_raised_and_the_repetition_completes(channel: Channel, kind: Any, call: int) -> None:
    """A call that fails is raised, also one whose answer alone is lost; the repetition leaves one digest."""
    Fault(kind=kind, call=call).inject(channel)
    with pytest.raises(Unavailable):
        post(channel)
    channel.server.clear_faults()
    channel.clock.sleep(60)
    assert post(channel.another()).ts == channel.card.ts
