"""One deployment from nothing, driven by the real gcloud, bq and curl; it runs while other tests do."""

import copy
import itertools
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.checkout import make_checkout
from tests.deploy.cloud.cloud import Cloud
from tests.deploy.cloud.log import Log
from tests.deploy.cloud.monitoring import series
from tests.deploy.cloud.run import add_revision

__all__ = ["SLACK_TOKEN", "Run", "Story", "World"]

PROJECT, REGION = "acme-issues", "us-central1"
DOMAIN = f"{PROJECT}.iam.gserviceaccount.com"
SLACK_TOKEN = "xoxb-never-shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of deploy.sh: how it ended, what it asked the cloud, and what the cloud was like afterwards."""

    status: int
    out: str
    err: str
    seconds: float
    requests: Log
    after: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class World:
    """A cloud, a checkout beside it, and the runs so far by name."""

    cloud: Cloud
    checkout: Path
    runs: dict[str, Run] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def run(self, name: str, *arguments: str, stdin: str = "") -> Run:
        """Run deploy.sh with the cloud's environment and keep what came of it."""
        environment = self.cloud.environment | {
            "PROJECT": PROJECT,
            "PAUSE": "1",
            "SETTLE": "1",
            "GITHUB_TOKEN": self.cloud.state.github_token,
        }
        asked, began = len(self.cloud.requests), time.monotonic()
        self.process = subprocess.Popen(
            [self.checkout / "deploy.sh", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = self.process.communicate(stdin, timeout=600)
        self.runs[name] = Run(
            status=self.process.returncode,
            out=out,
            err=err,
            seconds=time.monotonic() - began,
            requests=Log(self.cloud.requests[asked:]),
            after=self.cloud.snapshot(),
        )
        return self.runs[name]


class Story:
    """Starts at once in the background; `deployed` and `operated` wait for their half of it.

    deployed: a first run that fails in every way at once, its repetition, and a run with nothing to do.
    operated: a copy of the cloud after the second run, and all the other commands in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worlds: list[World] = []
        self._is_over = False
        self._executor = ThreadPoolExecutor(2)
        self._copied: Future[None] = Future()
        self._deployed = self._executor.submit(self._deploy)
        self._operated = self._executor.submit(self._operate)

    def deployed(self) -> World:
        """Return the first world when its runs are over."""
        return self._deployed.result()

    def operated(self) -> World:
        """Return the second world when its runs are over."""
        return self._operated.result()

    def close(self) -> None:
        """Stop what still runs."""
        self._is_over = True
        for world in self._worlds:
            if world.process is not None and world.process.poll() is None:
                world.process.terminate()
        self._executor.shutdown()

    def _world(self, name: str, cloud: Cloud) -> World:
        world = World(cloud=cloud, checkout=make_checkout(self._folder / name))
        self._worlds.append(world)
        return world

    def _deploy(self) -> World:
        try:
            with Cloud(self._folder / "cloud-1") as cloud:
                world = self._world("1", cloud)
                self._first_runs(world)
                self._copied.set_result(None)
                if not self._is_over:
                    world.run("third", "all")
                return world
        finally:
            if not self._copied.done():
                self._copied.cancel()

    def _first_runs(self, world: World) -> None:
        cloud = world.cloud
        cloud.state.repositories.add("acme/app")
        world.run("secrets", "secrets")
        world.run("slack", "secrets", "slack", stdin=f"{SLACK_TOKEN}\n")
        cloud.faults.iam_lag(f"issuewire-ingest@{DOMAIN}", 1)
        cloud.faults.once("GET", "pubsub.googleapis.com", "/topics$", 503)
        cloud.faults.once("POST", "run.googleapis.com", "services/stream-bq:setIamPolicy", 403)
        cloud.faults.build_fails("notify-slack", "Build failed: no luck today")
        world.run("first", "all")
        world.run("second", "all")

    def _operate(self) -> World:
        while not self._copied.done() and not self._is_over:
            time.sleep(0.1)
        self._copied.result(timeout=0)
        with Cloud(self._folder / "cloud-2") as cloud:
            world = self._world("2", cloud)
            for name, value in vars(self._worlds[0].cloud.state).items():
                if not name.startswith("_"):
                    setattr(cloud.state, name, copy.deepcopy(value))
            cloud.state._numbers = itertools.count(100_000)
            self._commands(world)
            return world

    def _commands(self, world: World) -> None:
        state = world.cloud.state
        hold = {"subscription_id": "github-events-dead-hold"}
        metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
        state.time_series = [series(metric, "pubsub_subscription", hold, 0)]
        world.run("status", "status")
        world.run("webhook", "webhook", "acme/app")
        world.run("alerts", "alerts")
        world.run("alerts again", "alerts")
        world.run("rotate", "secrets", "rotate", "acme/app")
        add_revision(state, REGION, "ingest", state.functions["ingest"]["serviceConfig"])
        world.run("rollback", "rollback", "ingest")
        state.time_series = [series(metric, "pubsub_subscription", hold, 3)]
        world.run("status again", "status")
        world.run("destroy", "destroy", "--data", "--yes")
