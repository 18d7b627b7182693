"""A run posts what is due into each channel, and a failure in one holds up no other."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from clients.slack.blocks import Message, section
from functions.digest.marks import Mark, Marks, Overdue
from functions.digest.posting import Kind
from functions.digest.run import Report, Run, due
from pipeline.errors import Unavailable
from pipeline.team import DigestPlan, Team
from pipeline.working_hours import ALWAYS
from tests.functions.digest.support import NOW, TEAM
from tests.support.workspace import Channel, Workspace, running_workspace

HOURS = TEAM.hours


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Return a workspace whose second channel the app is no member of."""
    with running_workspace(not_member=["C1999"]) as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A content of one text for every channel but those of `silent`."""

    text: str = "Who waits"
    silent: Sequence[str] = ()

    def message(self, channel: str, globs: Sequence[str]) -> Message | None:
        """Return the text with the repositories."""
        text = f"{self.text} in {', '.join(globs)}"
        return None if channel in self.silent else Message(text=text, blocks=(section(text),), metadata={})


def run(channel: Channel, contents: Any, *channels: str, weekly: int | None = None) -> Report:
    """Run at the present time for the channels; the team works always."""
    plan = DigestPlan(
        channels={each: (f"{each.lower()}/*",) for each in channels}, at=TEAM.digest.at, weekly=weekly
    )
    now, sleep = channel.clock.now, channel.clock.sleep
    started = Run(slack=channel.slack, plan=plan, hours=ALWAYS, now=now, contents=contents, sleep=sleep)
    return started.run()


def test_each_channel_gets_its_own_message(workspace: Workspace) -> None:
    """Each channel gets the message about its repositories, or none if there is nothing to say."""
    one, two, three = (workspace.channel() for _ in range(3))
    report = run(one, {Kind.DAILY: lambda: Words(silent=[two.id])}, one.id, two.id, three.id)
    assert report.failures == []
    assert report.counts == {"posted": 2, "nothing_to_say": 1}
    assert [channel.card.text for channel in (one, three)] == [
        f"Who waits in {channel.id.lower()}/*" for channel in (one, three)
    ]
    assert two.messages == []
    assert run(one, {Kind.DAILY: Words}, one.id, three.id).counts == {"already_posted": 2}


def test_a_channel_that_refuses_silences_no_other(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """A channel without the app is one ERROR; the others get their digest, and the run has failed."""
    channel = workspace.channel()
    report = run(channel, {Kind.DAILY: Words}, "C1999", channel.id)
    assert [failure.reason for failure in report.failures] == ["slack_not_in_channel"]
    assert channel.card.text.startswith("Who waits")
    [line] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (line.reason, line.channel, line.kind) == ("slack_not_in_channel", "C1999", "daily")
    assert "invite the app" in line.getMessage()


def test_cards_are_marked_in_every_channel_of_the_routes(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """After the messages, cards are marked; a channel that refuses holds up no other and fails the run."""
    channel = workspace.channel()
    event = channel.receive(channel.issue().opened())
    channel.handle(event)
    channel.clock.sleep(2 * 24 * 3600)
    mark = Mark(text="waiting for 2 days", day=date(2026, 12, 1))
    overdue = {event.key: Overdue(opened_at=channel.clock.now, mark=lambda: mark)}
    now = channel.clock.now
    started = Run(
        slack=channel.slack,
        plan=DigestPlan(channels={}, at=TEAM.digest.at),
        hours=ALWAYS,
        now=now,
        contents={},
        marks=lambda: Marks(slack=channel.slack, overdue=overdue, now=now, sleep=channel.clock.sleep),
        card_channels=("C1999", channel.id),
        sleep=channel.clock.sleep,
    )
    report = started.run()
    assert report.counts == {"marked": 1}
    assert [failure.reason for failure in report.failures] == ["slack_not_in_channel"]
    assert len(channel.card.attachments) == 1
    assert started.run().counts == {"marked": 0}
    [line, _] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (line.kind, line.channel) == ("marked", "C1999")


def test_no_card_is_marked_on_a_day_off(workspace: Workspace) -> None:
    """On a day off nobody is expected to answer, so nothing is read."""
    channel = workspace.channel()

    def read() -> Marks:
        raise AssertionError

    started = Run(
        slack=channel.slack,
        plan=DigestPlan(channels={}, at=TEAM.digest.at),
        hours=HOURS,
        now=datetime(2026, 1, 10, 8, tzinfo=UTC),  # a Saturday
        contents={},
        marks=read,
        card_channels=(channel.id,),
    )
    assert started.run().counts == {}


def test_a_failed_query_posts_nothing(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """If the query fails, one ERROR names the reason, and no channel hears that nothing is due."""
    channel = workspace.channel()

    def fail() -> Words:
        raise Unavailable("bigquery_failed", "BigQuery refused.")

    report = run(
        channel, {Kind.DAILY: fail, Kind.WEEKLY: Words}, channel.id, weekly=channel.clock.now.weekday()
    )
    assert [failure.reason for failure in report.failures] == ["bigquery_failed"]
    assert [record.reason for record in caplog.records if record.levelno >= logging.ERROR] == [
        "bigquery_failed"
    ]
    assert channel.card.metadata["event_payload"]["kind"] == "weekly"


def test_nothing_is_read_or_posted_on_a_day_off(workspace: Workspace) -> None:
    """On a day off the run ends at once, and has not failed."""
    channel = workspace.channel()
    plan = DigestPlan(channels={channel.id: ("*",)}, at=TEAM.digest.at)

    def fail() -> Words:
        raise AssertionError

    for day in (3, 6):  # a Saturday, a holiday
        now = datetime(2026, 1, day, 9, 0, tzinfo=UTC)
        report = Run(slack=channel.slack, plan=plan, hours=HOURS, now=now, contents={Kind.DAILY: fail}).run()
        assert (report.counts, report.failures) == ({}, [])
    assert channel.messages == []


@pytest.mark.parametrize(
    ("day", "weekly", "kinds"),
    [
        (date(2026, 1, 5), 0, "daily weekly"),  # a Monday
        (date(2026, 1, 7), 0, "daily"),
        (date(2026, 1, 7), 1, "daily weekly"),  # Tuesday was a holiday
        (date(2026, 1, 8), 1, "daily"),
        (date(2026, 1, 5), 5, "daily weekly"),  # a Saturday is never a working day
        (date(2026, 1, 5), 4, "daily"),
        (date(2026, 1, 5), None, "daily"),
        (date(2026, 1, 6), 1, ""),
        (date(2026, 1, 4), 6, ""),
    ],
)
def test_the_week_s_numbers_are_due_once_a_week(day: date, weekly: int | None, kinds: str) -> None:
    """They are due on their weekday, or on the first working day after it if that is a day off."""
    assert " ".join(due(day, HOURS, weekly)) == kinds


def test_the_day_is_one_of_the_team_s_zone() -> None:
    """At midnight in Auckland a new day begins, although it is noon in UTC."""
    hours = Team.parse('[hours]\nzone = "Pacific/Auckland"\ndays = "Thu"').hours
    plan = DigestPlan(channels={}, at=TEAM.digest.at)
    now = NOW.replace(hour=11)  # 2026-01-08 00:00 in Auckland
    assert Run(slack=None, plan=plan, hours=hours, now=now, contents={}).run().day == date(2026, 1, 8)
