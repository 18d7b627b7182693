"""Held messages are driven again, oldest first, paced, and not for ever."""

from datetime import datetime, timedelta
from heapq import heappop, heappush

import pytest

from functions.reconcile import redrive
from pipeline.delivery import Delivery
from tests.functions.reconcile.rig import START, Rig
from tests.support.messages import an_issue

BODY = b'{"action": "opened", "issue": {"number": 7}, "repository": {"id": 1}}'


@pytest.fixture
def rig() -> Rig:
    """Return GitHub with acme/app and its webhook."""
    made = Rig()
    made.hook()
    return made


def hold(rig: Rig, number: int, gave_up: str = "notify-slack", redriven: int = 0) -> None:
    """Hold the delivery of that number; a higher one was received earlier."""
    received_at = START - timedelta(minutes=number)
    delivery = Delivery(
        delivery_id=f"d-{number}", event="issues", body=BODY, received_at=received_at, redriven=redriven
    )
    rig.hold.add(delivery, gave_up, START)


def test_held_messages_are_driven_again_the_oldest_first_and_paced(rig: Rig) -> None:
    """Everything is driven again in one run, by a message a second; nothing stays held."""
    for number in range(60):
        hold(rig, number)
    report = rig.run()
    assert [message.delivery_id for message in rig.hold.driven] == [f"d-{n}" for n in reversed(range(60))]
    assert (report.counts["redriven"], rig.hold.messages) == (60, [])
    assert rig.clock.now - START >= timedelta(seconds=60)


def test_a_message_is_driven_again_twenty_times_at_most(rig: Rig) -> None:
    """What was driven again REDRIVE_MAX times stays held; 0 drives nothing again."""
    for number, redriven in enumerate((0, 19, 20, 21)):
        hold(rig, number, redriven=redriven)
    assert rig.run(REDRIVE_MAX="0").failures == []
    assert rig.hold.driven == []
    rig.run()
    assert [message.redriven for message in rig.hold.driven] == [19, 0]
    assert [message.redriven for message in rig.hold.messages] == [20, 21]
    rig.run(REDRIVE_MAX="21")
    assert [message.redriven for message in rig.hold.messages] == [21]


def test_what_the_time_does_not_suffice_for_stays_held(rig: Rig) -> None:
    """A run stops in time, which is no failure, and the next run continues."""
    for number in range(700):
        hold(rig, number)
    report = rig.run(seconds=60)
    assert (report.failures, report.counts["redriven"]) == ([], len(rig.hold.driven))
    assert 300 <= len(rig.hold.driven) < 400
    assert rig.clock.now - START <= timedelta(seconds=60 + 300)
    rig.run(seconds=600)
    assert len(rig.hold.driven) == 700


def test_a_held_delivery_is_driven_again_and_not_asked_for(rig: Rig) -> None:
    """What stream_bq gave up on is stored by the re-drive; GitHub is not asked for it."""
    rig.is_storing = False
    guid = rig.github.emit("acme/app", an_issue(created_at=rig.clock.now).opened())
    rig.is_storing = True
    rig.clock.advance(60)
    rig.github.emit("acme/app", an_issue(number=8, created_at=rig.clock.now).opened())
    [lost] = rig.accepted
    rig.hold.add(lost, "stream-bq", rig.clock.now)
    rig.clock.advance(3600)
    report = rig.run()
    assert (rig.asked(), rig.topic.published, report.counts["stored"]) == ([], [], 2)
    assert guid in rig.warehouse.events


def test_an_unreachable_hold_does_not_stop_the_other_parts(rig: Rig) -> None:
    """Without the hold the run is not complete, and GitHub is asked for failed deliveries all the same."""
    rig.status_of = lambda _event, _guid, number: 503 if number == 1 else 202
    guid = rig.github.emit("acme/app", an_issue(created_at=rig.clock.now).opened())
    rig.hold.is_away = True
    rig.clock.advance(60)
    report = rig.run()
    assert {failure.reason for failure in report.failures} == {"subscription_failed"}
    assert (rig.asked(), rig.warehouse.rows) == ([guid], [])


def test_an_outage_of_slack_of_63_hours_heals_by_itself(rig: Rig) -> None:
    """Pub/Sub gives up after 15.7 hours each time; once Slack is back, everything is shown, once."""
    back, shown = START + timedelta(hours=63), []
    waiting: list[tuple[datetime, int, int, Delivery]] = []  # by the time of the next attempt

    def publish(delivery: Delivery, _gave_up: str | None = None) -> None:
        heappush(waiting, (rig.clock.now, len(waiting), 1, delivery))

    def attempt_until(end: datetime) -> None:
        while waiting and waiting[0][0] <= end:
            at, order, attempt, delivery = heappop(waiting)
            if at >= back:
                shown.append(delivery)
            elif attempt == 100:
                rig.hold.add(delivery, "notify-slack", at)
            else:
                pause = timedelta(seconds=min(10 * 2**attempt, 600))
                heappush(waiting, (at + pause, order, attempt + 1, delivery))

    rig.hold.deliver = publish
    given_up = 0
    for hour in range(80):
        rig.clock.advance((START + timedelta(hours=hour) - rig.clock.now).total_seconds())
        attempt_until(rig.clock.now)
        given_up = max(given_up, len(rig.hold.messages))
        if rig.clock.now < back:
            received_at = rig.clock.now
            publish(Delivery(delivery_id=f"d-{hour}", event="issues", body=BODY, received_at=received_at))
        assert rig.run().failures == []
    assert sorted(delivery.delivery_id for delivery in shown) == sorted(f"d-{n}" for n in range(63))
    assert given_up > 0
    assert max(delivery.redriven for delivery in shown) == 3
    assert (rig.hold.messages, waiting) == ([], [])


def test_the_pace_is_slacks() -> None:
    """Slack takes one post a second in a channel."""
    assert redrive.SECONDS_EACH >= 1
