"""The issues that wait for an answer when the year ends: some too long, some nearly so, some not for long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from local.seed import cast
from local.seed.cast import APP, CLI, WEBSITE, Activity
from local.seed.life import Life, TimedEvent
from local.seed.openings import Opening
from pipeline.working_hours import Hours, business_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An issue that has waited for so many working hours; `again`: since its author came back."""

    activity: Activity
    label: str
    hours: float
    again: bool = False


# By team.toml, a bug is due after 8 working hours and anything else after three days, which are 24.
WAITING = (
    Waiting(activity=APP, label="bug", hours=19),
    Waiting(activity=CLI, label="bug", hours=10.5, again=True),
    Waiting(activity=WEBSITE, label="enhancement", hours=31),
    Waiting(activity=APP, label="bug", hours=7.25),
    Waiting(activity=APP, label="bug", hours=6.5, again=True),
    Waiting(activity=CLI, label="question", hours=20),
    Waiting(activity=WEBSITE, label="bug", hours=3),
    Waiting(activity=APP, label="enhancement", hours=9, again=True),
    Waiting(activity=CLI, label="documentation", hours=1.5),
)


def openings(end: datetime, hours: Hours) -> dict[Opening, Waiting]:
    """Return the opening of each of them."""
    found = {}
    for waiting in WAITING:
        since = waiting_since(end, timedelta(hours=waiting.hours), hours)
        at = since - timedelta(days=4) if waiting.again else since
        found[Opening(activity=waiting.activity, at=at)] = waiting
    return found


def life(
    opening: Opening, waiting: Waiting, random: Random, hours: Hours, end: datetime
) -> Iterator[TimedEvent]:
    """Yield the events of an issue whose last word is its author's."""
    it = Life.of(opening, random, hours)
    issue = it.issue
    author = issue.author = random.choice(cast.OUTSIDERS)
    yield it.at, issue.opened()
    it.at += timedelta(seconds=15)
    yield it.at, issue.labeled(cast.TRIAGE, it.at, waiting.label)
    if waiting.again:
        it.at += timedelta(hours=5)
        yield it.at, issue.assigned(it.member, it.at, it.member)
        yield it.say(it.member, cast.ANSWERS)
        it.at = waiting_since(end, timedelta(hours=waiting.hours), hours)
        yield it.say(author, cast.REACTIONS)


def waiting_since(end: datetime, amount: timedelta, hours: Hours) -> datetime:
    """Return since when something has waited, in whole seconds, if that much working time has passed."""
    earliest, latest = end - timedelta(days=60), end
    while latest - earliest > timedelta(seconds=1):
        middle = earliest + (latest - earliest) / 2
        if business_time(middle, end, hours) >= amount:
            earliest = middle
        else:
            latest = middle
    return earliest.replace(microsecond=0)
