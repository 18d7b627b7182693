"""python -m bench: measure, print, and write bench/RESULTS.md."""

import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from bench.servers import (
    Connection,
    Request,
    a_delivery,
    folder_for_logs,
    function,
    pubsub_and_secret_manager,
)
from bench.views import measure, table
from local.processes import accepts

RESULTS = Path(__file__).parent / "RESULTS.md"
FLOOR = "bench/floor/main.py"
PACKAGES = ("functions-framework", "google-cloud-pubsub", "google-cloud-bigquery", "slack-sdk")
SUBSCRIBERS = {
    "notify_slack": {
        "SLACK_TOKEN": "xoxb-bench",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "ROUTES_FILE": "config/routes.toml",
    },
    "stream_bq": {"BIGQUERY_TABLE": "p.d.events", "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:9"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Seconds of a subject and of its floor, measured alternately."""

    what: str
    subject: list[float]
    floor: list[float]
    goal: str

    def row(self) -> str:
        """Return the pair as a row of the table."""
        subject, floor = statistics.median(self.subject), statistics.median(self.floor)
        p99 = sorted(self.subject)[int(len(self.subject) * 0.99)]
        return (
            f"| {self.what} | {subject / floor:.2f} | {self.goal} | {subject * 1000:.1f} ms |"
            f" {p99 * 1000:.1f} ms | {floor * 1000:.1f} ms | {len(self.subject)} |"
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--requests", default=1000, show_default=True, help="Requests of each warm measurement.")
@click.option("--starts", default=9, show_default=True, help="Starts of each cold measurement.")
@click.option("--write/--no-write", default=True, show_default=True, help="Write bench/RESULTS.md.")
def bench(*, requests: int, starts: int, write: bool) -> None:
    """Measure the functions against a bare one. Takes about a minute on two cores."""
    delivery = a_delivery(datetime.now(UTC))
    with folder_for_logs() as folder, pubsub_and_secret_manager(folder) as (pubsub, environment):
        click.echo(f"Pub/Sub: {pubsub}", err=True)
        pairs = [warm(folder, environment, delivery, requests)]
        for name, settings in {"ingest": environment, **SUBSCRIBERS}.items():
            pairs.append(cold(folder, name, settings, delivery, starts))
        views = measure(folder)
    text = report(pubsub, pairs) + "\n## Views on the local BigQuery\n\n" + table(views) + "\n"
    click.echo(text)
    if write:
        RESULTS.write_text(text)


def warm(folder: Path, environment: dict[str, str], delivery: Request, requests: int) -> Pair:
    """Measure the latency of a 10 KB delivery on one connection, for ingest and the floor alternately."""
    ingest, ingest_port = function("ingest", "functions/ingest/main.py", environment, folder)
    floor, floor_port = function("floor", FLOOR, {}, folder)
    try:
        for child, port in ((ingest, ingest_port), (floor, floor_port)):
            child.start()
            child.wait_until(lambda port=port: accepts(port))
        connections = {"ingest": (Connection(ingest_port), 202), "floor": (Connection(floor_port), 200)}
        seconds: dict[str, list[float]] = {"ingest": [], "floor": []}
        with click.progressbar(range(requests + 50), label="warm latency", file=sys.stderr) as rounds:
            for number in rounds:
                for name, (connection, wanted) in connections.items():
                    began = time.perf_counter()
                    status = connection.post(delivery)
                    took = time.perf_counter() - began
                    if status != wanted:
                        raise click.ClickException(f"{name} answered {status}\n{ingest.last_lines()}")
                    if number >= 50:
                        seconds[name].append(took)
    finally:
        ingest.stop()
        floor.stop()
    return Pair(
        what="ingest, warm, one connection, 10 KB, published and confirmed",
        subject=seconds["ingest"],
        floor=seconds["floor"],
        goal="<= 4",
    )


def cold(folder: Path, name: str, environment: dict[str, str], delivery: Request, starts: int) -> Pair:
    """Measure the time from process start to the first answer, for the function and the floor alternately."""
    seconds: dict[str, list[float]] = {name: [], "floor": []}
    with click.progressbar(range(starts), label=f"cold start of {name}", file=sys.stderr) as rounds:
        for _ in rounds:
            for target, source, settings in (
                (name, f"functions/{name}/main.py", environment),
                ("floor", FLOOR, {}),
            ):
                child, port = function(target, source, settings, folder)
                began = time.perf_counter()
                child.start()
                try:
                    while not accepts(port):
                        time.sleep(0.002)
                    Connection(port).post(delivery)
                    seconds[target].append(time.perf_counter() - began)
                finally:
                    child.stop(kill=True)
    goal = {"ingest": "<= 2.2", "notify_slack": "<= 1.3", "stream_bq": "<= 2.3"}[name]
    return Pair(
        what=f"{name}, cold: process start to first answer",
        subject=seconds[name],
        floor=seconds["floor"],
        goal=goal,
    )


def report(pubsub: str, pairs: list[Pair]) -> str:
    """Return RESULTS.md."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    rows = "\n".join(pair.row() for pair in pairs)
    return f"""# Results

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores,
Python {platform.python_version()}, {versions}.
Pub/Sub is {pubsub}; everything is on loopback, without TLS. The floor is a bare function under
functions-framework that answers an empty string; subject and floor alternate in one run. Trust the ratios of
medians more than the times.

| what | ratio to the floor | goal | p50 | p99 | p50 of the floor | n |
|---|---|---|---|---|---|---|
{rows}

The first answer of a cold subscriber is 400 here, because the request is not a Pub/Sub message: only the
start is measured.
notify_slack loads the Slack SDK with the first message that has a card, not at its start.
"""


if __name__ == "__main__":
    bench(prog_name="python -m bench")
