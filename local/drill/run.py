"""A drill: deliveries flow under faults, then everything is repaired, and the ledger must balance."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import requests

from local.bigquery.front import BigQueryFront
from local.drill.ledger import Balance, Found, balance
from local.drill.schedule import Fault, Schedule
from local.drill.traffic import Line, Traffic
from local.drill.trouble import Trouble
from local.github.server import TOKEN, GitHubServer
from local.processes import NotReady, accepts, free_port
from local.stack.options import Options
from local.stack.parts import Parts
from local.stack.stack import Stack
from local.terminal import Terminal

STUCK_SECONDS = 30.0  # without a change; Pub/Sub repeats after ten seconds at most
MAX_RUNS = 5  # of reconcile: what is still on its way is left to a later run
RUN_SECONDS = 300.0
TICK = 0.05
PROGRESS_EVERY = 10.0

ROWS = """
SELECT delivery_id, COUNT(*) AS copies FROM `${DATASET}.issue_events` GROUP BY delivery_id
"""
STATES = """
SELECT repository, issue_number, state, title, labels, assignees FROM `${DATASET}.issues`
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What a drill's stack has beside the usual parts."""

    github: GitHubServer
    line: Line
    front: BigQueryFront


@contextlib.contextmanager
def neighbours(options: Options, sources: str) -> Iterator[tuple[Neighbours, Options]]:
    """Start GitHub and the door before BigQuery; yield them with the options for the stack."""
    line, bigquery = Line(), options.ports.get("bigquery") or free_port()
    with GitHubServer(send=line) as github, BigQueryFront(bigquery) as front:
        environment = {
            "BIGQUERY_EMULATOR_HOST": front.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_SOURCES": sources,
        }
        ports = {**options.ports, "bigquery": bigquery}
        yield (
            Neighbours(github=github, line=line, front=front),
            replace(options, ports=ports, scheduled=frozenset({"reconcile"}), environment=environment),
        )


class Drill:
    """One drill on a stack that runs."""

    def __init__(self, stack: Stack, beside: Neighbours, schedule: Schedule, terminal: Terminal) -> None:
        self.schedule = schedule
        self.runs: list[dict[str, Any]] = []
        self._stack = stack
        self._terminal = terminal
        self._traffic = Traffic(beside.github, beside.line, schedule)
        self._trouble = Trouble(stack, beside.front, self._traffic)
        self._failures: list[NotReady] = []
        self._start = time.monotonic()

    def run(self) -> Balance:
        """Carry out the schedule, repair, and return what was found at the end."""
        with self._restarting():
            try:
                self._flow()
            finally:
                self._trouble.end_all()
                self._traffic.close()
            return self._repair()

    def _flow(self) -> None:
        """Change issues and let parts fail, each at its time."""
        self._traffic.connect(self._stack.ingest_url, self._stack.webhook_secret)
        schedule = self.schedule
        due: list[tuple[float, Any]] = [(step.at, (self._traffic.carry_out, step)) for step in schedule.steps]
        for fault in schedule.faults:
            due.append((fault.begins, (self._begin, fault)))
            if not fault.kind.function:
                due.append((fault.ends, (self._end, fault)))
        due += [(at, (self._progress, None)) for at in _every(PROGRESS_EVERY, schedule.seconds)]
        self._start = time.monotonic()
        for at, (act, what) in sorted(due, key=lambda each: each[0]):
            time.sleep(max(at - self._elapsed, 0))
            self._check()
            self._traffic.pass_time(at)
            act(what)
        self._say("all issues have changed; waiting for the last deliveries")
        self._traffic.wait()

    def _repair(self) -> Balance:
        """Wait until Pub/Sub has delivered everything, then let reconcile do the rest and prove it."""
        self._say(_of(self._settle()))
        for number in range(1, MAX_RUNS + 1):
            with self._failing(self.schedule.repair_faults if number == 1 else ()):
                run = self._call_reconcile()
            self.runs.append(run)
            answered = f"answered {run['status']}: {_shown(run)}" if run["status"] else "gave no answer"
            self._say(f"run {number} of reconcile {answered}")
            found = self._settle()
            self._say(_of(found))
            if found.is_even and run["status"] == HTTPStatus.OK and run["stored"] == run["expected"]:
                break
        return found

    def _call_reconcile(self) -> dict[str, Any]:
        """Make one run, and return its answer and status; the status is 0 if it is killed."""
        while not accepts(self._stack.ports["reconcile"]):
            self._check()
            time.sleep(TICK)
        try:
            answer = requests.post(self._stack.url("reconcile"), timeout=RUN_SECONDS)
        except requests.ConnectionError:
            return {"status": 0}
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return {"status": answer.status_code, **(answer.json() if is_json else {})}

    @contextlib.contextmanager
    def _failing(self, faults: Sequence[Fault]) -> Iterator[None]:
        """Let parts fail beside the block; what has not begun at its end does not happen."""
        timers = [threading.Timer(fault.begins, self._begin, [fault]) for fault in faults]
        timers += [
            threading.Timer(fault.ends, self._end, [fault]) for fault in faults if not fault.kind.function
        ]
        for timer in timers:
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
                timer.join()
            self._trouble.end_all()

    def _settle(self) -> Balance:
        """Wait until the subscribers have taken every message, or none any more; return the balance."""
        pubsub = self._stack.pubsub_server
        assert pubsub is not None
        left, since = pubsub.unacknowledged, time.monotonic()
        said = since
        while left and time.monotonic() < since + STUCK_SECONDS:
            self._check()
            time.sleep(TICK)
            if (now_left := pubsub.unacknowledged) != left:
                left, since = now_left, time.monotonic()
            if time.monotonic() > said + PROGRESS_EVERY:
                said = time.monotonic()
                self._say(f"{left} messages are to be taken by their subscribers")
        return balance(self._look())

    @property
    def attempts(self) -> int:
        """Return how often GitHub has tried to deliver an event."""
        return len(self._traffic.deliveries())

    @property
    def failed(self) -> int:
        """Return how many of these attempts have failed, as GitHub sees it."""
        return sum(each["status_code"] >= 300 for each in self._traffic.deliveries())

    def _look(self) -> Found:
        return Found(
            issues=self._traffic.stored(),
            deliveries=self._traffic.deliveries(),
            rows=self._stack.query(ROWS),
            states=self._stack.query(STATES),
            messages=self._stack.slack.messages,
        )

    def _begin(self, fault: Fault) -> None:
        self._say(f"begins: {fault.kind}", "yellow")
        self._trouble.begin(fault)

    def _end(self, fault: Fault) -> None:
        self._trouble.end(fault)
        self._say(f"  ends: {fault.kind}", "green")

    def _progress(self, _: None) -> None:
        cards = sum(message.thread_ts is None for message in self._stack.slack.messages)
        self._say(
            f"{self.attempts} deliveries, {self.failed} of them failed; {cards} messages in Slack's channels"
        )

    def _say(self, text: str, style: str = "") -> None:
        self._terminal.line(f"  {self._elapsed:6.1f} s  {text}", style)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    @contextlib.contextmanager
    def _restarting(self) -> Iterator[None]:
        """Start again what ends, beside the drill, until the block ends."""
        parts, stop = Parts(self._stack, lambda *ended: self._say(ended[-1])), threading.Event()

        def restart() -> None:
            try:
                while not stop.wait(TICK):
                    parts.restart_ended()
            except NotReady as error:
                self._failures.append(error)

        thread = threading.Thread(target=restart, name="parts")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _check(self) -> None:
        """Raise the failure of a part that could not be started again."""
        if self._failures:
            raise self._failures[0]


def _of(balanced: Balance) -> str:
    return ", ".join(f"{entry.found} of {entry.expected} {entry.name}" for entry in balanced.entries[:3])


def _shown(counts: dict[str, Any]) -> str:
    shown = [f"{name} {count}" for name, count in counts.items() if count and name != "status"]
    return ", ".join(shown) or "nothing to do"


def _every(seconds: float, until: float) -> list[float]:
    return [seconds * number for number in range(1, int(until / seconds) + 1)]
