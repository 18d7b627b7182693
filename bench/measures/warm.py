"""Load on a server that runs: slices of the subject, the floor and the floor's twin in turn."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench import deliveries, goals
from bench.figures import BEFORE, NOW, Figure, paired
from bench.functions import Program, WrongAnswer, floor
from bench.run import Run, running
from bench.worker import Json

MANY, EVENTS = 32, 80  # connections
WARM_UP = 2  # requests on each connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent; `counted` is the stub's count of what it has confirmed."""

    name: str
    request: bytes
    connections: int
    counted: str


def ingest(run: Run) -> list[Figure]:
    """Measure requests/s and the CPU of each, with a Pub/Sub that confirms at once."""
    rounds = _ingest(run, "warm", "pubsub", MANY)
    return [
        paired(goals.RATE, _part(rounds, "per_second"), "requests/s", note=_milliseconds(rounds)),
        paired(goals.CPU, _part(rounds, "cpu"), "ms", scale=1000),
    ]


def slow(run: Run) -> list[Figure]:
    """Measure requests/s with a Pub/Sub that takes 20 ms."""
    rounds = _ingest(run, "slow", "pubsub_slow", MANY)
    return [paired(goals.SLOW, _part(rounds, "per_second"), "requests/s", note=_milliseconds(rounds))]


def alone(run: Run) -> list[Figure]:
    """Measure the latency of one connection."""
    rounds = _ingest(run, "alone", "pubsub", 1)
    return [paired(goals.ALONE, _part(rounds, "p50"), "ms", scale=1000, note=_milliseconds(rounds))]


def stream_bq(run: Run) -> list[Figure]:
    """Measure events/s with a BigQuery that takes 50 ms."""
    now = deliveries.time_now()
    request = deliveries.push(deliveries.opened(now), "opened", now)
    programs = run.programs("stream_bq", floor("event", "event"))
    environment = run.environment(bigquery="bigquery_slow")
    load = Load(name="stream_bq", request=request, connections=EVENTS, counted="rows")
    rounds = _slices(run, load, programs, environment)
    return [paired(goals.STREAM_BQ, _part(rounds, "per_second"), "events/s", note=_milliseconds(rounds))]


def _ingest(run: Run, name: str, pubsub: str, connections: int) -> list[dict[str, Json]]:
    request = deliveries.webhook(deliveries.opened(deliveries.time_now()))
    programs = run.programs("ingest", floor("floor"))
    load = Load(name=name, request=request, connections=connections, counted="published")
    return _slices(run, load, programs, run.environment(pubsub=pubsub))


def _slices(
    run: Run, load: Load, programs: dict[str, Program], environment: dict[str, str]
) -> list[dict[str, Json]]:
    """Return the slices of each round. Every answer of ours must have been confirmed by the stub."""
    servers = {role: program.server(run.folder, **environment) for role, program in programs.items()}
    files = [run.file(f"{load.name}.request", load.request)]
    rounds: list[dict[str, Json]] = []
    with running(servers):
        for server in servers.values():
            server.first_answer(load.request)
            run.slice(server, files, load.connections, requests=WARM_UP * load.connections)
        for order in run.rounds(load.name, run.size.warm_rounds):
            slices = {}
            for role in order:
                before = run.counts()[load.counted]
                slices[role] = run.slice(
                    servers[role], files, load.connections, seconds=run.size.slice_seconds
                )
                confirmed = run.counts()[load.counted] - before
                answered = slices[role]["answered"]
                if role in {NOW, BEFORE} and confirmed < answered:
                    raise WrongAnswer(
                        f"{servers[role].child.name}: {answered} answers, {confirmed} confirmations"
                    )
            rounds.append(slices)
    return rounds


def _part(rounds: Sequence[dict[str, Json]], part: str) -> list[dict[str, float]]:
    return [{role: slice_[part] for role, slice_ in slices.items()} for slices in rounds]


def _milliseconds(rounds: Sequence[dict[str, Json]]) -> str:
    def median(part: str) -> float:
        return 1000 * statistics.median(float(slices[NOW][part]) for slices in rounds)

    return (
        f"{1 / median('cpu') * 1e3:.0f} a CPU second, p50 {median('p50'):.1f} ms, p99 {median('p99'):.1f} ms"
    )
