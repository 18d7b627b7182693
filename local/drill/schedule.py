"""What happens in a drill and when: the changes of issues and the faults, drawn from a seed (pure)."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

BURST = 14  # issues at once in one repository: more than a channel shows as cards
FAILING = 0.2  # of GitHub's deliveries
EVENTS_AN_ISSUE = 1 + 7 / 5  # its opening and its changes
SPACING = 0.3  # seconds between two changes of an issue
KILL_EVERY = 30.0  # seconds; a part may end three times a minute
_LAST_FAULT_ENDS = 0.9  # of the time
_CHANGES = ("commented", "commented", "labeled", "edited", "assigned", "closed", "reopened")


class Fate(StrEnum):
    """What becomes of GitHub's first attempt to deliver an event."""

    SENT = "sent"
    LOST = "lost"
    ANSWER_LOST = "answer lost"


class Kind(StrEnum):
    """A fault; the value says what fails."""

    SLACK_LIMITS = "Slack answers 429"
    SLACK_FAILS = "Slack answers internal_error"
    SLACK_LOSES = "Slack does what it is asked, and its answers are lost"
    SLACK_SILENT = "Slack does not answer"
    BIGQUERY_REFUSES = "BigQuery refuses rows with 503"
    BIGQUERY_FORBIDS = "BigQuery refuses rows with 403"
    BIGQUERY_LOSES = "BigQuery stores rows, and its answers are lost"
    PUBSUB_STOPS = "Pub/Sub does not answer and does not deliver"
    HOOK_OFF = "the webhook is switched off"
    SECRET_ROTATED = "the webhook's secret is rotated"
    SECRETS_AWAY = "Secret Manager is unavailable"
    GITHUB_AWAY = "GitHub's API answers 502"
    INGEST_KILLED = "ingest is killed"
    NOTIFY_SLACK_KILLED = "notify_slack is killed"
    STREAM_BQ_KILLED = "stream_bq is killed"
    RECONCILE_KILLED = "reconcile is killed"

    @property
    def function(self) -> str:
        """Return the function that is killed, empty for another fault."""
        return self.value.split()[0] if self.value.endswith("is killed") else ""


# The faults of one service take turns; those of different services overlap.
_TURNS = (
    (Kind.SLACK_LIMITS, Kind.SLACK_FAILS, Kind.SLACK_LOSES, Kind.SLACK_SILENT),
    (Kind.BIGQUERY_REFUSES, Kind.BIGQUERY_LOSES, Kind.BIGQUERY_FORBIDS),
    (Kind.PUBSUB_STOPS,),
    (Kind.HOOK_OFF,),
    (Kind.SECRET_ROTATED,),
    (Kind.SECRETS_AWAY,),
)
_KILLS = (Kind.INGEST_KILLED, Kind.NOTIFY_SLACK_KILLED, Kind.STREAM_BQ_KILLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of an issue: seconds from the start, and what becomes of its delivery."""

    at: float
    repository: str
    number: int
    change: str
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What fails, from and until when, in seconds from the start. A kill is over once the part is back."""

    kind: Kind
    begins: float
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A drill of so many seconds: steps and faults in the order of their times.

    `repair_faults` begin and end so many seconds after the start of reconcile's first run.
    """

    seed: int
    seconds: float
    repositories: tuple[str, ...]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    repair_faults: tuple[Fault, ...]


def draw(seed: int, seconds: float, events: int, repositories: Sequence[str]) -> Schedule:
    """Return the drill of a seed with about so many events a minute, the same in every run."""
    rng = random.Random(seed)
    steps = sorted(_steps(rng, seconds, events, repositories), key=lambda step: step.at)
    faults = sorted(_faults(rng, seconds), key=lambda fault: fault.begins)
    return Schedule(
        seed=seed,
        seconds=seconds,
        repositories=tuple(repositories),
        steps=tuple(steps),
        faults=tuple(faults),
        repair_faults=tuple(_repair_faults(rng, seconds)),
    )


def _steps(rng: random.Random, seconds: float, events: int, repositories: Sequence[str]) -> Iterator[Step]:
    count = max(1, round(events * seconds / 60 / EVENTS_AN_ISSUE))
    begin, loud = rng.uniform(0.1, 0.6) * seconds, rng.choice(repositories)
    opened = [(rng.uniform(0, 0.85) * seconds, rng.choice(repositories)) for _ in range(count)]
    has_burst = seconds >= KILL_EVERY
    if has_burst:
        opened += [(begin + rng.uniform(0, 1), loud) for _ in range(BURST)]
    numbers = dict.fromkeys(repositories, 0)
    for at, repository in sorted(opened):
        numbers[repository] += 1
        number = numbers[repository]
        yield _step(rng, at, repository, number, "opened")
        is_open = True
        moments = sorted(rng.uniform(at, seconds) for _ in range(rng.choice((0, 1, 1, 2, 3))))
        for place, moment in enumerate(moments, 1):
            change = rng.choice(_CHANGES)
            if change == "edited" and has_burst and repository == loud:
                change = "labeled"  # an edit of a listed issue waits until no issue may be added to the list
            if change in {"closed", "reopened"}:
                change, is_open = ("closed" if is_open else "reopened"), not is_open
            yield _step(rng, moment + place * SPACING, repository, number, change)


def _step(rng: random.Random, at: float, repository: str, number: int, change: str) -> Step:
    fate = rng.choice((Fate.LOST, Fate.ANSWER_LOST)) if rng.random() < FAILING else Fate.SENT
    return Step(at=at, repository=repository, number=number, change=change, fate=fate)


def _faults(rng: random.Random, seconds: float) -> Iterator[Fault]:
    for turns in _TURNS:
        kinds = rng.sample(turns, len(turns))
        length = _LAST_FAULT_ENDS * seconds / max(len(kinds), 2)
        start = 0.0 if len(kinds) > 1 else rng.uniform(0, 1) * length
        for place, kind in enumerate(kinds):
            begins = start + (place + rng.uniform(0.1, 0.4)) * length
            yield Fault(kind=kind, begins=begins, ends=begins + rng.uniform(0.35, 0.5) * length)
    slots = int(seconds // KILL_EVERY)
    kills = [(kind, slot * KILL_EVERY, KILL_EVERY) for kind in _KILLS for slot in range(slots)]
    for kind, start, length in kills or [(rng.choice(_KILLS), 0.0, seconds)]:
        at = start + rng.uniform(0.1, 0.9) * length
        yield Fault(kind=kind, begins=at, ends=at)


def _repair_faults(rng: random.Random, seconds: float) -> Iterator[Fault]:
    """Yield what disturbs the first run of reconcile; a short drill has nothing for it to do when killed."""
    is_short = seconds < KILL_EVERY
    begins = 0.0 if is_short else rng.uniform(0, 2)
    yield Fault(kind=Kind.GITHUB_AWAY, begins=begins, ends=begins + (1.0 if is_short else rng.uniform(1, 4)))
    if not is_short:
        at = rng.uniform(8, 20)
        yield Fault(kind=Kind.RECONCILE_KILLED, begins=at, ends=at)
