"""The time from the start of a process until its first delivery has arrived where it should."""

from collections.abc import Callable

from bench import deliveries, goals
from bench.figures import BEFORE, NOW, TWIN, Figure, Goal, paired
from bench.functions import Program, Server, WrongAnswer, floor
from bench.run import Run, running

type Arrived = Callable[[Run], float]  # when the delivery had arrived, by time.monotonic


def ingest(run: Run) -> list[Figure]:
    """Measure until the first 202: Pub/Sub has confirmed the delivery then."""
    request = deliveries.webhook(deliveries.opened(deliveries.time_now()))
    return _starts(run, goals.COLD_INGEST, run.programs("ingest", floor("floor")), request, None)


def notify_slack(run: Run) -> list[Figure]:
    """Measure until Slack has been sent the first card."""
    return _subscriber(run, goals.COLD_NOTIFY_SLACK, "notify_slack", _posted_at)


def stream_bq(run: Run) -> list[Figure]:
    """Measure until BigQuery has confirmed the first row."""
    return _subscriber(run, goals.COLD_STREAM_BQ, "stream_bq", lambda run: run.counts()["stored_at"])


def _subscriber(run: Run, goal: Goal, name: str, arrived: Arrived) -> list[Figure]:
    now = deliveries.time_now()
    request = deliveries.push(deliveries.opened(now), "opened", now)
    return _starts(run, goal, run.programs(name, floor("event", "event")), request, arrived)


def _starts(
    run: Run, goal: Goal, programs: dict[str, Program], request: bytes, arrived: Arrived | None
) -> list[Figure]:
    for role in programs.keys() - {TWIN}:
        _seconds(run, programs[role], request, None)  # compiles, and fills the caches of the files
    rounds = []
    for order in run.rounds(goal.name, run.size.cold_rounds):
        seconds = {}
        for role in order:
            ends = arrived if role in {NOW, BEFORE} else None
            seconds[role] = _seconds(run, programs[role], request, ends)
        rounds.append(seconds)
    return [paired(goal, rounds, "ms", scale=1000)]


def _seconds(run: Run, program: Program, request: bytes, arrived: Arrived | None) -> float:
    server: Server = program.server(run.folder, **run.environment(), **run.new_slack())
    with running({"": server}):
        began, answered = server.first_answer(request)
        end = answered if arrived is None else arrived(run)
    if not began < end:
        raise WrongAnswer(f"{server.child.name}: nothing arrived\n{server.child.last_lines()}")
    return end - began


def _posted_at(run: Run) -> float:
    calls = run.stubs.ask(about="slack_calls")["calls"]
    return next((at for method, _, at in calls if method == "chat.postMessage"), 0.0)
