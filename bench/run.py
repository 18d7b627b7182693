"""What every measure is given: the stubs, the load client, the checkouts, the time, and the progress."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import proc
from bench.checkout import Checkout
from bench.clock import Clock
from bench.figures import BEFORE, FLOOR, NOW, TWIN
from bench.functions import Program, Server, function
from bench.stubs.slack import TOKEN
from bench.worker import Json, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: at most so many rounds and events."""

    seconds: float  # of the whole run
    cold_rounds: int
    warm_rounds: int
    slice_seconds: float
    card_rounds: int
    card_requests: int
    memory_events: int
    view_rounds: int
    issues: int
    page_issues: int


FULL = Size(
    seconds=420,
    cold_rounds=11,
    warm_rounds=9,
    slice_seconds=1.2,
    card_rounds=7,
    card_requests=80,
    memory_events=30_000,
    view_rounds=3,
    issues=200,
    page_issues=60,
)
QUICK = Size(
    seconds=95,
    cold_rounds=3,
    warm_rounds=3,
    slice_seconds=0.6,
    card_rounds=3,
    card_requests=40,
    memory_events=6_000,
    view_rounds=1,
    issues=40,
    page_issues=30,
)
SMOKE = Size(
    seconds=15,
    cold_rounds=1,
    warm_rounds=3,
    slice_seconds=0.1,
    card_rounds=1,
    card_requests=4,
    memory_events=3_600,
    view_rounds=1,
    issues=2,
    page_issues=2,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The run. `before` is the other checkout, if there is one."""

    folder: Path
    stubs: Worker
    load: Worker
    hosts: Json
    now: Checkout
    before: Checkout | None
    clock: Clock
    size: Size

    def programs(self, name: str, floor: Program | None) -> dict[str, Program]:
        """Return who takes part: the function of each checkout, then its floor and the floor's twin."""
        programs = {NOW: function(name, self.now)}
        if self.before is not None:
            programs[BEFORE] = function(name, self.before)
        return programs if floor is None else programs | {FLOOR: floor, TWIN: floor}

    def environment(self, *, pubsub: str = "pubsub", bigquery: str = "bigquery") -> dict[str, str]:
        """Return the addresses of the stubs, for all functions alike."""
        return {
            "PUBSUB_TOPIC": "projects/bench-project/topics/github-events",
            "PUBSUB_EMULATOR_HOST": self.hosts[pubsub],
            "SECRET_MANAGER_ENDPOINT": self.hosts["secret_manager"],
            "BIGQUERY_TABLE": "bench-project.github.events",
            "BIGQUERY_EMULATOR_HOST": f"http://{self.hosts[bigquery]}",
        }

    def new_slack(self) -> dict[str, str]:
        """Start an empty Slack workspace; return its address and its token's file."""
        url = self.stubs.ask(about="slack")["url"]
        return {"SLACK_API_URL": url, "SLACK_TOKEN_FILE": self.slack_token()}

    def slack_token(self) -> str:
        """Return the file with Slack's token: the deployed function reads it from a file, too."""
        return self.file("slack-token", TOKEN.encode())

    def counts(self) -> Json:
        """Return what the stubs have confirmed so far."""
        return self.stubs.ask(about="counts")

    def file(self, name: str, request: bytes) -> str:
        """Write a request for the load client; return the file."""
        path = self.folder / name
        path.write_bytes(request)
        return str(path)

    def slice(self, server: Server, files: Sequence[str], connections: int, **bound: float) -> Json:
        """Send load to a server; `bound` is seconds or requests. Adds `cpu`, seconds for each request.

        Raises WrongAnswer.
        """
        cpu = server.cpu_seconds()
        question = {"port": server.port, "files": files, "connections": connections} | bound
        answer = self.load.ask(within=660, expected=sorted(server.statuses), **question)
        if answer["wrong"]:
            raise server.wrong(", ".join(f"{count} x {what}" for what, count in answer["wrong"].items()))
        used = max(server.cpu_seconds() - cpu, proc.RESOLUTION)
        return answer | {"cpu": used / answer["answered"]}

    def rounds(self, name: str, most: int) -> Iterator[list[str]]:
        """Yield for each round the order of those who take part: forth, then back, against a drift."""
        roles = [NOW, BEFORE, FLOOR, TWIN] if self.before else [NOW, FLOOR, TWIN]
        for number in self.clock.rounds(self.clock.take(name), most):
            self.progress(name, number, most)
            yield roles if number % 2 else roles[::-1]

    def progress(self, what: str, number: int, most: int) -> None:
        """Say on stderr what is measured."""
        print(f"{what}: {number} of {most}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def running(servers: dict[str, Server]) -> Iterator[None]:
    """Stop the servers at the end; what starts them is the first answer."""
    try:
        yield
    finally:
        for server in servers.values():
            server.child.stop(kill=True)
