"""The playground's page: from a part's own answer until a browser's stream has the event that shows it.

The parts are those of the local stack. Slack has answered when the message has its time, a function when
Pub/Sub has its answer, and ingest when GitHub has it.
"""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.figures import Figure
from bench.functions import WrongAnswer
from bench.goals import PAGE
from local.console.server import Console
from local.feed.feed import Feed
from local.feed.happening import Happening
from local.stack.options import Options
from local.stack.stack import running

APART_SECONDS = 0.15
PATIENCE_SECONDS = 60.0
SUBSCRIBERS = ("notify_slack", "stream_bq")

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An event of the stream, and when it came, in seconds since 1970."""

    at: float
    name: str
    data: Json


def page(folder: Path, issues: int) -> list[Figure]:
    """Return the 95th percentile over what new issues cause. Raises WrongAnswer if one is not shown."""
    options = Options(pubsub="builtin", state=folder / "page", ports={"console": 0}, views=frozenset())
    with running(options, lambda *_: None) as stack, Feed(stack) as feed, Console(stack, feed) as console:
        with Browser(console.port) as browser:
            for _ in range(issues):
                console.simulator.carry_out({"do": "open"})
                time.sleep(APART_SECONDS)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while settled(browser.received) < issues:
                if time.monotonic() > deadline:
                    raise WrongAnswer(f"the page has shown {settled(browser.received)} of {issues} issues")
                time.sleep(0.05)
        found = delays(browser.received, feed.since(0))
    every = sorted(delay for of_part in found.values() for delay in of_part)
    p95 = statistics.quantiles(every, n=20, method="inclusive")[-1]
    medians = ", ".join(f"{part} p50 {statistics.median(of):.0f} ms" for part, of in found.items())
    return [
        Figure(goal=PAGE, values=[p95], note=f"{len(every)} events, {medians}, slowest {every[-1]:.0f} ms")
    ]


class Browser:
    """Reads the stream in a thread. Use it as a context manager."""

    def __init__(self, port: int) -> None:
        self.received: list[Received] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._connection.request("GET", "/api/stream?since=0")
        self._answer = self._connection.getresponse()
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._connection.sock is not None:
            self._connection.sock.close()

    def _read(self) -> None:
        name = ""
        while line := self._next_line():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                self.received.append(Received(at=time.time(), name=name, data=data))

    def _next_line(self) -> str:
        """Return the next line, "" at the end."""
        try:
            return self._answer.readline().decode()
        except (OSError, ValueError, http.client.HTTPException):  # we have left
            return ""


def settled(received: Sequence[Received]) -> int:
    """Return how many deliveries the page shows as done."""
    done = {
        each.data["delivery_id"]
        for each in list(received)
        if each.name == "delivery" and each.data["settled"]
    }
    return len(done)


def delays(received: Sequence[Received], happenings: Sequence[Happening]) -> dict[str, list[float]]:
    """Return the milliseconds from each answer to the first event that shows it, by part."""
    found: dict[str, list[float]] = {"Slack": [], "functions": [], "ingest": []}
    answered = dict(_answers(happenings))
    shown: set[tuple[str, str]] = set()
    for each in received:
        for key, part in _shows(each):
            if key in shown:
                continue
            shown.add(key)
            began = float(key[1]) if part == "Slack" else answered.get(key)
            if began is not None:
                found[part].append(1000 * max(each.at - began, 0.0))
    return found


def _answers(happenings: Sequence[Happening]) -> Iterator[tuple[tuple[str, str], float]]:
    for each in happenings:
        if each.part == "pubsub" and each.kind == "acknowledged":
            yield (str(each.fields["function"]), str(each.delivery_id)), each.at.timestamp()
        elif each.part == "github" and each.kind == "delivered":
            yield ("ingest", str(each.delivery_id)), each.at.timestamp()


def _shows(event: Received) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield which answers an event of the stream shows, and of which part."""
    if event.name == "message" and "html" in event.data:
        yield ("Slack", event.data["ts"]), "Slack"
    elif event.name == "delivery":
        id_ = event.data["delivery_id"]
        if event.data["status"] is not None:
            yield ("ingest", id_), "ingest"
        for name in SUBSCRIBERS:
            if event.data["functions"].get(name, {}).get("state") in {"done", "ignored"}:
                yield (name, id_), "functions"
