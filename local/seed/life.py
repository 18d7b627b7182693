"""What happens to one issue: opened, labelled, answered, asked about, closed, and perhaps opened again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from local.seed import cast
from local.seed.openings import Kind, Opening
from ops.send.accounts import Account
from ops.send.payloads import Event, Issue
from pipeline.working_hours import Hours, add_business_time

TimedEvent = tuple[datetime, Event]
REOPENED = 0.06


@dataclass(slots=True, kw_only=True)
class Life:
    """One issue while its events are made; `at` is when the last one happened."""

    random: Random
    hours: Hours
    opening: Opening
    issue: Issue
    member: Account
    at: datetime

    @classmethod
    def of(cls, opening: Opening, random: Random, hours: Hours) -> "Life":
        """Return an issue that has no event yet."""
        author, activity = _author(random), opening.activity
        title = f"{random.choice(activity.parts)} {random.choice(cast.FAULTS)}{random.choice(cast.WHERE)}"
        issue = Issue(
            repository=activity.repository,
            number=opening.number,
            title=title,
            author=author,
            created_at=opening.at,
            body=random.choice(cast.REPORTS),
            is_pull_request=opening.kind is Kind.PULL,
        )
        member = random.choice([person for person in cast.TEAM if person != author])
        return cls(random=random, hours=hours, opening=opening, issue=issue, member=member, at=opening.at)

    def chance(self, share: float) -> bool:
        """Return whether something happens that does so in this share of cases."""
        return self.random.random() < share

    def work(self, median: float) -> datetime:
        """Let a random working time pass: hours of the team, times the pace."""
        hours = self.opening.pace * median * self.random.lognormvariate(0, 1.1)
        at = add_business_time(self.at, timedelta(hours=hours), self.hours)
        self.at = (at + timedelta(seconds=1)).replace(microsecond=0)
        return self.at

    def wait(self, hours: float) -> datetime:
        """Let a random time by the clock pass."""
        delay = timedelta(hours=hours * self.random.lognormvariate(0, 0.8), seconds=1)
        self.at = (self.at + delay).replace(microsecond=0)
        return self.at

    def say(self, by: Account, texts: tuple[str, ...]) -> TimedEvent:
        """Comment now."""
        return self.at, self.issue.commented(by, self.at, self.random.choice(texts))


def life(opening: Opening, random: Random, hours: Hours) -> Iterator[TimedEvent]:
    """Yield the events of an issue in their order, until it leaves its repository or no one touches it."""
    it = Life.of(opening, random, hours)
    match opening.kind:
        case Kind.PULL:
            it.work(4)
            yield it.say(it.member, ("Nice, thank you!",))
        case Kind.UNSEEN:
            yield from _later_life(it)
        case Kind.ISSUE if opening.moves_to:
            yield it.at, it.issue.opened()
            at = opening.moves_to.at
            to = opening.moves_to
            leaves, there = it.issue.transferred(it.member, at, to.activity.repository, to.number)
            yield at, leaves
            before = {"old_issue": it.issue.as_json(), "old_repository": it.issue.repository.as_json()}
            yield at, there.opened(**before)
            arrived = Life.of(to, random, hours)
            arrived.issue = there
            yield from _answered_life(arrived)
        case Kind.ISSUE:
            yield it.at, it.issue.opened()
            yield from _first_minutes(it)
            yield from _answered_life(it)


def _first_minutes(it: Life) -> Iterator[TimedEvent]:
    at, issue = it.opening.at, it.issue
    if it.chance(0.8):
        labelled = at + timedelta(seconds=15)
        yield labelled, issue.labeled(cast.TRIAGE, labelled, it.random.choice(cast.KINDS))
    if it.chance(0.4):
        thanked = at + timedelta(seconds=20)
        yield thanked, issue.commented(cast.TRIAGE, thanked, "Thank you for the report.")
    if it.chance(0.05):
        built = at + timedelta(minutes=4)
        yield built, issue.commented(cast.BUILDS, built, "A build of this branch has failed too.")
    if it.chance(0.15):
        remembered = at + timedelta(minutes=9)
        yield (
            remembered,
            issue.commented(issue.author, remembered, "I forgot to say: it is the newest version."),
        )
    it.at = at + timedelta(minutes=10)


def _answered_life(it: Life) -> Iterator[TimedEvent]:
    """Yield the answer, what the author says to it, and the end; without an answer only a late close."""
    if it.chance(it.opening.activity.unanswered):
        it.at = (it.at + timedelta(days=it.random.uniform(10, 60))).replace(microsecond=0)
        yield it.at, it.issue.closed(it.member, it.at, "not_planned")
        return
    it.work(it.opening.activity.response)
    if it.chance(0.3):
        yield it.at, it.issue.assigned(it.member, it.at, it.member)
        it.at += timedelta(seconds=30)
    if it.chance(0.2):
        yield from _asked(it)
    else:
        yield it.say(it.member, cast.ANSWERS)
        if it.chance(0.3):
            it.wait(9)
            yield it.say(it.issue.author or it.member, cast.REACTIONS)
            it.work(it.opening.activity.response)
            yield it.say(it.member, cast.ANSWERS)
        elif it.chance(0.05):
            it.wait(30)
            yield it.at, it.issue.edited(it.member, it.at, f"{it.issue.title} (confirmed)")
    if it.chance(0.93):
        yield from _end(it)


def _asked(it: Life) -> Iterator[TimedEvent]:
    """Yield a question to the author, who needs some time, and the label that says so."""
    yield it.at, it.issue.labeled(it.member, it.at, cast.NEEDS_INFO)
    it.at += timedelta(seconds=40)
    yield it.say(it.member, cast.QUESTIONS)
    if not it.chance(0.8):
        return
    it.wait(20)
    yield it.say(it.issue.author or it.member, cast.REACTIONS)
    it.work(it.opening.activity.response)
    yield it.at, it.issue.unlabeled(it.member, it.at, cast.NEEDS_INFO)
    it.at += timedelta(seconds=40)
    yield it.say(it.member, cast.ANSWERS)


def _end(it: Life) -> Iterator[TimedEvent]:
    close = it.opening.activity.close
    it.work(close)
    if it.chance(0.01):
        yield it.at, it.issue.deleted(it.member, it.at)
        return
    reason = it.random.choices(("completed", "not_planned", "duplicate"), weights=(82, 12, 6))[0]
    yield it.at, it.issue.closed(it.member, it.at, reason)
    while it.chance(REOPENED):
        it.wait(70)
        yield it.at, it.issue.reopened(it.issue.author or it.member, it.at)
        if it.chance(0.1):
            return
        it.work(close)
        yield it.at, it.issue.closed(it.member, it.at)


def _later_life(it: Life) -> Iterator[TimedEvent]:
    """Yield what happens, months after its opening, to an issue whose opening was not delivered."""
    it.issue.comments = 2
    it.at = (it.at + timedelta(days=it.random.uniform(60, 250))).replace(microsecond=0)
    if it.chance(0.5):
        it.issue.closed_at = it.opening.at + timedelta(days=3)
        yield it.at, it.issue.reopened(it.member, it.at)
        it.at += timedelta(seconds=40)
        yield it.say(it.member, ("This is back.",))
    else:
        yield it.say(it.member, ("Is this still so?",))
        it.work(it.opening.activity.close)
        yield it.at, it.issue.closed(it.member, it.at)


def _author(random: Random) -> Account:
    share = random.random()
    if share < 0.04:
        return cast.UPDATES
    return random.choice(cast.TEAM if share < 0.14 else cast.OUTSIDERS)
