"""When the issues of the year are opened, in which repository, and under which number."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, auto
from random import Random

from local.seed.cast import ACTIVITIES, APP, CLI, WEBSITE, Activity

WEEKS = 52
QUIET_WEEKS = range(20, 22)  # no issue is opened
SLOW_WEEKS = range(32, 39)  # everything takes four times as long
UNSEEN = 3  # issues of each repository
TRANSFERRED, PULLS = 0.015, 0.05  # shares


class Kind(Enum):
    """What is opened."""

    ISSUE = auto()
    PULL = auto()  # only its comments are delivered
    UNSEEN = auto()  # its opening was not delivered: the webhook is a week younger


@dataclass(slots=True, kw_only=True, eq=False)
class Opening:
    """An issue's arrival in a repository: it is opened there, or transferred to it.

    `moves_to` is the arrival that ends it here. `pace` is how many times longer than usual everything takes.
    """

    activity: Activity
    at: datetime
    kind: Kind = Kind.ISSUE
    pace: float = 1.0
    number: int = 0
    moves_to: "Opening | None" = None


def first_monday(end: datetime) -> datetime:
    """Return the start of the year that ends then."""
    monday = end.date() - timedelta(days=end.weekday(), weeks=WEEKS)
    return datetime.combine(monday, time.min, tzinfo=end.tzinfo)


def numbered(random: Random, end: datetime, others: Iterable[Opening]) -> list[Opening]:
    """Return the openings of the year before `end` and the other ones, all with their numbers.

    Arrivals are left out: the opening that moves there leads to them.
    """
    found = [opening for activity in ACTIVITIES for opening in _of_repository(random, activity, end)]
    found += others
    arrivals = [opening.moves_to for opening in found if opening.moves_to]
    every = sorted((*found, *arrivals), key=lambda opening: opening.at)
    for activity in ACTIVITIES:
        own = [opening for opening in every if opening.activity is activity]
        for number, opening in enumerate(own, activity.first_number):
            opening.number = number
    return found


def _of_repository(random: Random, activity: Activity, end: datetime) -> Iterator[Opening]:
    start = first_monday(end)
    for _ in range(UNSEEN):
        yield Opening(activity=activity, at=_moment(random, start), kind=Kind.UNSEEN)
    for week in range(WEEKS + 1):
        mean = 0.0 if week in QUIET_WEEKS else activity.opened * (0.8 + 0.4 * week / WEEKS)
        for _ in range(_poisson(random, mean)):
            opening = Opening(
                activity=activity,
                at=_moment(random, start + timedelta(weeks=week)),
                pace=4.0 if week in SLOW_WEEKS else 1.0,
            )
            share, target = random.random(), random.choice((WEBSITE, CLI))
            if share < PULLS:
                opening.kind = Kind.PULL
            elif share > 1 - TRANSFERRED and activity is APP:
                at = opening.at + timedelta(hours=2)
                opening.moves_to = Opening(activity=target, at=at, pace=opening.pace)
            if opening.at < end:
                yield opening


def _moment(random: Random, monday: datetime) -> datetime:
    """Return a moment of the week, mostly by day, in whole seconds as at GitHub."""
    day = random.choices(range(7), weights=(6, 6, 6, 6, 5, 1, 1))[0]
    hour = random.choices((random.uniform(6, 18), random.uniform(0, 24)), weights=(4, 1))[0]
    return _whole(monday + timedelta(days=day, hours=hour))


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _poisson(random: Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
