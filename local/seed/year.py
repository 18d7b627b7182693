"""A year of three repositories, made from a seed: every delivery that GitHub would have sent until now.

acme/app is busy, with a slow summer and two weeks without new issues; acme/website is small, so that few of
its weeks have enough issues for a percentile. Bots answer first, authors comment on their own issues and come
back after an answer, labels change, issues are reopened, transferred, deleted and left unanswered, some
deliveries arrive twice, and one day's are stored late.

The same seed and the same moment give the same deliveries.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from functions.stream_bq.row import to_row
from local.seed import openings, waiting
from local.seed.life import TimedEvent, life
from ops.send import payloads
from ops.send.accounts import number_for
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from pipeline.team import Team
from pipeline.working_hours import Hours

TEAM_FILE = Path(__file__).parent / "team.toml"
DELIVERED_TWICE = 0.01
LATE_DAY, LATE_FACTOR = 45, 240.0  # so many days ago the rows were stored so many times later than usual


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One delivery as ingest took it, and when its row was stored."""

    delivery: Delivery
    inserted_at: datetime

    @cached_property
    def event(self) -> IssueEvent:
        """Return what the functions read of it."""
        return IssueEvent.from_delivery(self.delivery)

    def row(self, *, store_payload: bool = False) -> dict[str, Any]:
        """Return the row that stream_bq stores."""
        return to_row(self.event, self.inserted_at, store_payload=store_payload).columns


def team() -> Team:
    """Return the team that has answered."""
    return Team.parse(TEAM_FILE.read_text(encoding="utf-8"))


def year(end: datetime, seed: int = 1) -> Iterator[Sent]:
    """Yield the deliveries of the year before `end`, the oldest first."""
    end = end.replace(microsecond=0)
    random = Random(f"{seed}/sent")
    events = sorted(_events(end, seed, team().hours), key=lambda found: found[0])
    for place, (at, name, body) in enumerate(events):
        received_at = at + timedelta(seconds=random.uniform(0.4, 1.5))
        late = LATE_FACTOR if (end - at).days == LATE_DAY else 1.0
        delivery = Delivery(
            delivery_id=payloads.delivery_id(f"year/{seed}/{place}"),
            event=name,
            body=body,
            received_at=received_at,
            hook_id=number_for("hook"),
        )
        inserted_at = received_at + timedelta(seconds=late * random.lognormvariate(0.2, 0.5))
        yield Sent(delivery=delivery, inserted_at=inserted_at)
        if random.random() < DELIVERED_TWICE:
            again = received_at + timedelta(seconds=random.uniform(2, 30))
            yield Sent(
                delivery=replace(delivery, received_at=again), inserted_at=again + timedelta(seconds=1)
            )


def _events(end: datetime, seed: int, hours: Hours) -> Iterator[tuple[datetime, str, bytes]]:
    """Yield time, name and body of each event until `end`, by issue; bytes take little memory."""
    random = Random(seed)
    waits = waiting.openings(end, hours)
    for opening in openings.numbered(random, end, waits):
        own = Random(f"{seed}/{opening.activity.repository.full_name}/{opening.number}")
        found: Iterator[TimedEvent]
        if opening in waits:
            found = waiting.life(opening, waits[opening], own, hours, end)
        else:
            found = life(opening, own, hours)
        for at, event in found:
            if at > end:
                break
            yield at, event.name, json.dumps(event.payload, separators=(",", ":")).encode()
